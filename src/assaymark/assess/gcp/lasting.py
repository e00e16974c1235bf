"""What is left to whoever may set a resource's policy: what deny policies deny whatever that policy says.

Who may set the policy of a bucket lets itself in, or an account of its own elsewhere, and has what is in it. A deny
policy wins over every allow policy, and neither the owner of a project nor who sets policies there changes it.
Source: Google Cloud IAM, "Deny policies" (who may manage them: ``roles/iam.denyAdmin`` of the organisation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.answer import NO, YES, Answer
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.estate.gcp import DenyRule, Resource
    from assaymark.assess.gcp.evaluate import Access

_EVERYONE: Final = "principalSet://goog/public:all"


def left(
    access: Access, member: str, resource: Resource, allows: Mapping[str, tuple[str, ...]]
) -> dict[str, Answer] | None:
    """What a member that may set the policy of a resource gets, by relation; None for all. No member: an owner.

    ``allows``: by relation what permissions give it.
    """
    if not access.estate.denies:
        return None
    found = {
        relation: _best(access, member, permissions, resource.name)
        for relation, permissions in allows.items()
        if relation != "permissions"
    }
    return None if all(answer.state is State.YES for answer in found.values()) else found


def _best(access: Access, member: str, permissions: tuple[str, ...], resource: str) -> Answer:
    best = NO
    for permission in permissions:
        own = _one(access, member, permission, resource)
        best = best.either(own)
        if best.state is State.YES:
            break
    return best


def _one(access: Access, member: str, permission: str, resource: str) -> Answer:
    chain = access.chain(resource)
    sure = [one for place in chain for one in access.denies(place) if _universal(access, one, permission)]
    if sure:
        own = access.undenied(member, permission, resource) if member else NO
        return _others(sure) if own.state is State.NO else own
    answer = YES  # an account of its own elsewhere is let in
    for rule in access.denies(""):
        if rule.resource not in chain and _universal(access, rule, permission):
            answer = answer.unless(f"the deny policy at {rule.because.path}:{rule.because.line} does not apply")
    return answer


def _universal(access: Access, rule: DenyRule, permission: str) -> bool:
    """Whether a rule denies a permission to everyone it does not except."""
    return _EVERYONE in rule.principals and access.is_about(rule, permission)


def _others(rules: list[DenyRule]) -> Answer:
    """What is left where everyone is denied, some perhaps excepted, or at times."""
    answer = YES
    for rule in rules:
        if rule.condition is None and not rule.except_principals:
            return NO
        where = f"{rule.because.path}:{rule.because.line}"
        answer = answer.unless(f"it has the credentials of somebody whom the deny policy at {where} leaves alone")
    return answer
