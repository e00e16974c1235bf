"""The ways that a principal's requests can take: through an endpoint of the network where what runs as it is.

Who acts as a workload sends its requests from there if it likes, so a condition that asks for that network's endpoint
is met, where the endpoint's policy allows the request. Whoever uses the workload's credentials elsewhere goes another
way: a request that an endpoint refuses may still be made, so that an endpoint takes nothing away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from assaymark.assess.aws import actions
from assaymark.assess.aws.principals import named
from assaymark.assess.estate.aws import PolicyDocument
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.aws.conditions import Value
    from assaymark.assess.aws.request import Principal
    from assaymark.assess.estate.aws import Endpoint, Estate

LOOKED_AT: Final = ("aws:sourcevpce", "aws:sourcevpc")


class Way(NamedTuple):
    """``context``: what a request carries; ``mask``: the actions of such requests; ``policy``: None for all."""

    context: Mapping[str, Value]
    mask: int
    policy: PolicyDocument | None


def ways_by_role(estate: Estate) -> dict[str, tuple[Endpoint, ...]]:
    """The endpoints that what runs as a role can go through, by the role's ARN."""
    known = {one.id: one for one in estate.endpoints}
    found: dict[str, dict[str, Endpoint]] = {}
    for arn, ids in sorted(estate.ways.items()):
        resource = estate.resources.get(arn)
        if resource is not None and resource.role:
            own = found.setdefault(resource.role, {})
            own.update({one: known[one] for one in ids if one in known})
    return {role: tuple(ends.values()) for role, ends in found.items()}


def way_through(endpoint: Endpoint, principal: Principal) -> Way | None:
    """The way of a principal through an endpoint; None where it cannot be told what the endpoint's policy says."""
    mask = actions.expand(f"{endpoint.service}:*") if endpoint.service else 0
    if endpoint.unread or not mask:
        return None
    context: dict[str, Value] = {"aws:SourceVpce": (endpoint.id,), "aws:SourceVpc": (endpoint.vpc,)}
    if endpoint.policy is None:
        return Way(context, mask, None)
    statements = []
    for one in endpoint.policy.statements:
        state = named(one, principal).state
        if state is State.UNKNOWN:
            return None
        if state is State.YES:
            statements.append(one)
    document = PolicyDocument(
        endpoint.policy.name, tuple(statements), endpoint.policy.because, endpoint.policy.version
    )
    return Way(context, mask, document)
