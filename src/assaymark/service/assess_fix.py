"""Rewritten policies of an assessment: for what is needed or was used, the least that the old ones contain."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from typing import TYPE_CHECKING

from assaymark.assess.aws.least import Least, least_policy, policy_json
from assaymark.assess.names import find_node

if TYPE_CHECKING:
    from assaymark.assess.engine import Assessment
    from assaymark.assess.reviews import AssessConfig


def rewrites(found: Assessment, config: AssessConfig) -> list[Least]:
    """The least policy of each principal of AWS that has needs declared in AWS's actions, or whose use a log shows.

    Raises:
        UsageError: ``solver-missing``; ``node-unknown`` or ``node-ambiguous`` for a principal that is not there.
    """
    identities = found.estates.aws.identities
    needs: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for need in config.needs:
        actions = [action for action in need.actions if ":" in action]
        for principal in need.principals if actions else ():
            arn = find_node(found.graph, principal)
            needs[arn] |= {(action, resource) for action in actions for resource in need.resources}
    for use in found.estates.aws.uses:
        if use.principal in identities:
            needs[use.principal].add((use.action, use.resource))
    return [
        least_policy(arn, identities[arn].policies, wanted, identities[arn].because)
        for arn, wanted in sorted(needs.items())
        if arn in identities and identities[arn].policies
    ]


def policy_diff(least: Least) -> str:
    """The change as a unified diff over the policies as JSON."""
    old = "".join(json.dumps(policy_json(policy), indent=2) + "\n" for policy in least.old)
    new = json.dumps(policy_json(least.new), indent=2) + "\n"
    name = least.principal.rpartition("/")[2]
    places = ", ".join(f"{policy.because.path}:{policy.because.line}" for policy in least.old)
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"{name} ({places})", f"{name} (least)"
    )
    return "".join(lines)
