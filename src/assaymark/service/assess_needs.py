"""What principals need, platform by platform: as declared, as code calls it, as logs show it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from assaymark.assess.gcp.least import members, node_of
from assaymark.assess.gcp.places import place_of
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
_NAMED = {"gcp": ("projects/", "folders/", "organizations/")}  # how ids may begin beside
_NAMES = {"azure": "Azure", "gcp": "Google Cloud", "kubernetes": "Kubernetes RBAC"}


def kubernetes_needs(found: Assessment, config: AssessConfig) -> Needs:
    """Of subjects, by the ids of their nodes.

    Raises:
        UsageError: ``node-unknown``, ``node-ambiguous``, ``need-principal``.
    """
    known = subjects(found.estates.kubernetes)
    return _merged(found, config, "kubernetes", known, found.estates.kubernetes.uses)


def azure_needs(found: Assessment, config: AssessConfig) -> Needs:
    """Of principals of Azure, by the ids of their nodes; resources are scopes.

    Raises:
        UsageError: as ``kubernetes_needs``, and ``need-resource``.
    """
    estate = found.estates.azure
    known = {one.node for one in estate.principals.values()}
    named = {one.principal for one in estate.assignments} | {one for some in estate.groups.values() for one in some}
    known |= {f"azure:principal:{one}" for one in named}
    return _merged(found, config, "azure", known, estate.uses, "/")


def gcp_needs(found: Assessment, config: AssessConfig) -> Needs:
    """Of members of Google Cloud, by the ids of their nodes; resources are full names of what takes bindings.

    Raises:
        UsageError: as ``azure_needs``.
    """
    estate = found.estates.gcp
    uses = [replace(one, principal=node_of(estate, one.principal)) for one in estate.uses]
    needs = _merged(found, config, "gcp", members(estate), uses, "//")
    placed: Needs = {}
    for node, some in needs.items():
        for permission, text in some:
            place = place_of(estate, text, permission.partition(".")[0])
            if not place:
                raise _no_resource(text, text, "gcp")
            placed.setdefault(node, set()).add((permission, place))
    return placed


def _merged(
    found: Assessment,
    config: AssessConfig,
    platform: str,
    known: Collection[str],
    uses: Iterable[Use],
    root: str = "",
) -> Needs:
    needs: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for need in config.needs:
        actions = [action for action in need.actions if platform_of(action) == platform]
        for text in need.principals if actions else ():
            principal = _principal(found, text, platform, known)
            places = [_place(found, one, platform, root) for one in need.resources]
            needs[principal] |= {(action, place) for action in actions for place in places}
    for use in uses:
        if use.principal in known:
            needs[use.principal].add((use.action, use.resource))
    return dict(needs)


def _place(found: Assessment, text: str, platform: str, root: str) -> str:
    """What a need names, in the platform's own ids, which begin with ``root``."""
    if text.startswith((root, *_NAMED.get(platform, ()))):
        return text
    node = find_node(found.graph, text)
    if not node.startswith(root):
        raise _no_resource(text, node, platform)
    return node


def _no_resource(text: str, node: str, platform: str) -> UsageError:
    return UsageError(
        "need-resource",
        f"{text!r} ({node}) is nothing of {_NAMES[platform]}, which the needed actions are of",
        remedy="name a resource by its id there",
    )


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
