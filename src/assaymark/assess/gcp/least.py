"""``least_bindings``: for needed permissions the smallest custom roles and bindings that the old ones contain.

One role for each place that the needs name, bound there. Conditions of the bindings that allow a need stay on it, and
deny policies stand as they did. What a member holds through its groups counts as old.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.gcp import MANAGER, Binding, Role
from assaymark.assess.gcp.conditions import holds
from assaymark.assess.gcp.evaluate import Access
from assaymark.assess.gcp.formulas import Grant, language
from assaymark.assess.gcp.names import account_name, gke_member
from assaymark.assess.proofs import Needed, least_rewrite
from assaymark.assess.rewrite import Replaced
from assaymark.assess.unresolved import Unresolved
from assaymark.core.graph import Because, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from assaymark.assess.estate.gcp import Gcp
    from assaymark.assess.rewrite import Rewrite

_NOWHERE: Final = Because("", 0, "")
_ODD: Final = re.compile(r"[^A-Za-z0-9_.]+")
_ANYONE: Final = ("allUsers", "allAuthenticatedUsers")


@dataclass(frozen=True, slots=True)
class _Need:
    """A permission on a place, under the condition that allows it."""

    permission: str
    place: str
    condition: str | None


def members(estate: Gcp) -> dict[str, str]:
    """Whom bindings and groups name and who is an account, by the ids of their nodes."""
    named = {one for binding in estate.bindings for one in binding.members}
    named |= {one for some in estate.groups.values() for one in some}
    named |= {f"serviceAccount:{email}" for email in estate.accounts}
    return {node_of(estate, one): one for one in sorted(named - {*_ANYONE})}


def node_of(estate: Gcp, member: str) -> str:
    """The id of a member's node."""
    kind, _, rest = member.partition(":")
    return account_name(estate, rest) if kind == "serviceAccount" and not gke_member(member) else member


def least_bindings(estate: Gcp, member: str, needs: Iterable[tuple[str, str]], now: datetime) -> Rewrite:
    """The least bindings for pairs of permission and place (a full resource name).

    Raises:
        UsageError: ``solver-missing``.
    """
    access = Access(estate, now)
    old = [Grant(binding) for some in access.held(member).values() for binding, _ in some]
    where = next((one.binding.because for one in old), _NOWHERE)
    found, needed = _needed(access, member, needs, where)
    new = _merged(access, member, found, where)
    places = [one.binding.resource for one in (*new, *old)]

    def merged(grants: Sequence[Grant]) -> list[Grant]:
        needs = [
            _Need(permission, one.binding.resource, one.binding.condition)
            for one in grants
            for permission in (one.role.permissions if one.role is not None else ())
        ]
        return _merged(access, member, needs, where)

    return least_rewrite(
        node_of(estate, member),
        [replaced(access, member, one.binding) for one in old],
        lambda grants: [part for one in grants for part in _as_json(one)],
        (new, old),
        replace(language(estate, member, [one.permission for one in found], places, now), merged=merged),
        needed,
    )


def needed_grants(access: Access, member: str, needs: Iterable[tuple[str, str]]) -> Needed[Grant]:
    """Needs as grants, as far as what is held allows them."""
    return _needed(access, member, needs, _NOWHERE)[1]


def _needed(
    access: Access, member: str, needs: Iterable[tuple[str, str]], where: Because
) -> tuple[list[_Need], Needed[Grant]]:
    found: list[_Need] = []
    left: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
    for permission, place in sorted(set(needs)):
        ways = _allowed(access, member, permission, place) if not permission.endswith("*") else State.UNKNOWN
        if isinstance(ways, State):
            left[ways is State.UNKNOWN].append((permission, place))
        else:
            found += ways
    found = [one for one in found if not any(_holds(access, other, one) for other in found)]
    grants = (_grant(access, member, f"need-{index}", [one], where) for index, one in enumerate(found))
    return found, Needed(tuple(grants), tuple(left[0]), tuple(left[1]))


def _holds(access: Access, larger: _Need, need: _Need) -> bool:
    same = larger.permission == need.permission and larger.condition in (None, need.condition)
    return same and larger != need and larger.place in access.chain(need.place)


def _allowed(access: Access, member: str, permission: str, place: str) -> list[_Need] | State:
    """The need under each condition that allows it; NO for what nothing allows, UNKNOWN where that is not told."""
    if access.can(member, permission, place).state is State.NO:
        return State.NO
    held = access.held(member)
    conditions = [
        binding.condition
        for above in access.chain(place)
        for binding, _ in held.get(above, ())
        if access.roles.has(binding.role, permission) is State.YES
        and holds(binding.condition, access.names(place, permission)).state is not State.NO
    ]
    if None in conditions:
        return [_Need(permission, place, None)]
    written = dict.fromkeys(one for one in conditions if one is not None and not isinstance(one, Unresolved))
    return [_Need(permission, place, one) for one in written] or State.UNKNOWN


def _merged(access: Access, member: str, needs: Sequence[_Need], where: Because) -> list[Grant]:
    places: defaultdict[tuple[str, str], list[_Need]] = defaultdict(list)
    for one in needs:
        places[one.place, one.condition or ""].append(one)
    return [
        _grant(access, member, f"{_word(member)}_least_{index}", some, where)
        for index, (_, some) in enumerate(sorted(places.items()), 1)
    ]


def _word(member: str) -> str:
    return _ODD.sub("_", member.partition(":")[2].partition("@")[0] or member).strip("_")[:48]


def _grant(access: Access, member: str, name: str, needs: Sequence[_Need], where: Because) -> Grant:
    permissions = tuple(sorted({one.permission for one in needs}))
    role = Role(f"{_home(access, needs[0].place)}/roles/{name}", permissions, where)
    return Grant(Binding(needs[0].place, role.name, (member,), where, needs[0].condition), role)


def _home(access: Access, place: str) -> str:
    """Where a custom role for a place is defined: its project, else the organisation that it lies in."""
    tops = [one.removeprefix(MANAGER) for one in access.chain(place) if one.startswith(MANAGER)]
    fitting = [one for one in tops if one.startswith(("projects/", "organizations/"))]
    return fitting[0] if fitting else "organizations/ORGANIZATION"


def replaced(access: Access, member: str, one: Binding) -> Replaced:
    """An old binding, as far as it is the member's."""
    names = access.identities(member)
    through = "" if member in one.members else next((each for each in one.members if each in names), one.members[0])
    custom = access.estate.roles.get(one.role)
    value = _binding(one, through or member)
    if custom is not None:
        value["includedPermissions"] = [str(each) for each in custom.permissions]
    return Replaced(f"{one.role} on {one.resource}{f', through {through}' if through else ''}", one.because, value)


def _binding(one: Binding, member: str) -> dict[str, Any]:
    value: dict[str, Any] = {"resource": str(one.resource), "role": str(one.role), "members": [str(member)]}
    return value | ({"condition": {"expression": str(one.condition)}} if one.condition is not None else {})


def _as_json(grant: Grant) -> list[dict[str, Any]]:
    """The role and its binding."""
    role = grant.role
    if role is None:
        return []
    title = role.name.rpartition("/")[2]
    definition = {
        "name": role.name,
        "title": title,
        "includedPermissions": list(role.permissions),
        "stage": "GA",
    }
    value = _binding(grant.binding, grant.binding.members[0])
    if grant.binding.condition is not None:
        value["condition"] = {"title": f"{title} as before", **value["condition"]}
    return [definition, value]
