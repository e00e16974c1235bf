"""What principals need, platform by platform: as declared, as code calls it, as logs show it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from assaymark.assess.kubernetes.least import subjects
from assaymark.assess.names import find_node
from assaymark.assess.reviews import platform_of
from assaymark.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from assaymark.assess.engine import Assessment
    from assaymark.assess.estate.use import Use
    from assaymark.assess.reviews import AssessConfig

Needs = dict[str, set[tuple[str, str]]]  # pairs of action and resource by principal's node
_NAMES = {"azure": "Azure", "gcp": "Google Cloud", "kubernetes": "Kubernetes RBAC"}


def kubernetes_needs(found: Assessment, config: AssessConfig) -> Needs:
    """Of subjects, by the ids of their nodes.

    Raises:
        UsageError: ``node-unknown``, ``node-ambiguous``, ``need-principal``.
    """
    known = subjects(found.estates.kubernetes)
    return _merged(found, config, "kubernetes", known, found.estates.kubernetes.uses)


def _merged(
    found: Assessment, config: AssessConfig, platform: str, known: Collection[str], uses: Iterable[Use]
) -> Needs:
    needs: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for need in config.needs:
        actions = [action for action in need.actions if platform_of(action) == platform]
        for text in need.principals if actions else ():
            principal = _principal(found, text, platform, known)
            needs[principal] |= {(action, resource) for action in actions for resource in need.resources}
    for use in uses:
        if use.principal in known:
            needs[use.principal].add((use.action, use.resource))
    return dict(needs)


def _principal(found: Assessment, text: str, platform: str, known: Collection[str]) -> str:
    """The principal that a need names, or whom the named workload runs as."""
    node = find_node(found.graph, text)
    if node in known:
        return node
    runs_as = sorted(
        {edge.target for edge in found.graph.edges if edge.source == node and edge.relation == "runs-as"} & {*known}
    )
    if len(runs_as) == 1:
        return runs_as[0]
    raise UsageError(
        "need-principal",
        f"{text!r} ({node}) is no principal of {_NAMES[platform]}, which its needed actions are of",
        remedy=f"name {' or '.join(runs_as)}" if runs_as else "name the identity whose actions they are",
    )
