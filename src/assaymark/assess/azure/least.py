"""``least_assignments``: for needed actions the smallest custom roles and assignments that the old ones contain.

One role for each scope that the needs name, assigned there. Conditions of the assignments that allow a need stay on
it, and deny assignments stand as they did. What a principal holds through its groups counts as old. For a vault that
decides by access policies it is one of those, of the whole vault.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.azure.abac import condition_holds
from assaymark.assess.azure.abac_formulas import names_in
from assaymark.assess.azure.formulas import DATA, Grant, language
from assaymark.assess.azure.roles import allows, is_asked, speaks_of
from assaymark.assess.azure.vaults import (
    Vaults,
    actions_of,
    is_policy,
    policy_role,
    vault_of,
    with_policies,
    words_of,
    written,
)
from assaymark.assess.estate.azure import Assignment, Permission, RoleDefinition
from assaymark.assess.proofs import Needed, least_rewrite
from assaymark.assess.rewrite import Replaced
from assaymark.core.graph import Because, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from assaymark.assess.azure.evaluate import Access
    from assaymark.assess.estate.azure import Azure
    from assaymark.assess.rewrite import Rewrite

_NOWHERE: Final = Because("", 0, "")
_PLACES: Final = 5  # parts of a resource group's id


@dataclass(frozen=True, slots=True)
class _Need:
    """An action (``data:`` before a data action) at a scope, under the condition that allows it.

    ``vault``: that whose access policy allows it; empty for a role.
    """

    action: str
    scope: str
    condition: str | None
    vault: str = ""

    def holds(self, other: _Need) -> bool:
        """Whether it is larger than another one."""
        inside = self.scope in ("/", "") or f"{other.scope}/".startswith(f"{self.scope}/")
        same = self.action.lower() == other.action.lower() and self.vault == other.vault
        same = same and self.condition in (None, other.condition)
        return same and inside and self != other


def least_assignments(estate: Azure, principal: str, needs: Iterable[tuple[str, str]], now: datetime) -> Rewrite:
    """The least roles for pairs of action and scope. ``principal`` is an object id.

    Raises:
        UsageError: ``solver-missing``.
    """
    estate = with_policies(estate)
    access = Vaults(estate, now)
    held = access.held(principal)
    known = estate.principals.get(principal)
    where = known.because if known is not None else held[0][0].because if held else _NOWHERE
    found, needed = _needed(access, principal, needs, where)
    words = _words(access, principal)
    new = _merged(principal, found, where, words)
    old = [Grant(assignment) for assignment, _ in held]
    scopes = {one.assignment.scope for one in (*new, *old)}

    def merged(grants: Sequence[Grant]) -> list[Grant]:
        return _merged(principal, [need for one in grants for need in _needs_of(one)], where, words)

    rewrite = least_rewrite(
        f"azure:principal:{principal}",
        [replaced(access, principal, one.assignment) for one in old],
        lambda grants: [part for one in grants for part in _as_json(one, known.name if known else principal)],
        (new, old),
        replace(language(estate, principal, [one.action for one in found], sorted(scopes)), merged=merged),
        needed,
    )
    return replace(rewrite, name=known.name if known is not None and known.name != principal else "")


def needed_grants(access: Access, principal: str, needs: Iterable[tuple[str, str]]) -> Needed[Grant]:
    """Needs as grants, as far as what is held allows them."""
    return _needed(access, principal, needs, _NOWHERE)[1]


def _needed(
    access: Access, principal: str, needs: Iterable[tuple[str, str]], where: Because
) -> tuple[list[_Need], Needed[Grant]]:
    found: list[_Need] = []
    left: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
    for text, place in sorted(set(needs)):
        scope = place.lower().rstrip("/") or "/"
        action = _kind(access, principal, text, scope)
        ways = _allowed(access, principal, action, scope) if not text.endswith("*") else State.UNKNOWN
        if isinstance(ways, State):
            left[ways is State.UNKNOWN].append((text, place))
        else:
            found += ways
    found = [one for one in dict.fromkeys(found) if not any(other.holds(one) for other in found)]
    grants = (_grant(principal, f"need-{index}", [one], where) for index, one in enumerate(found))
    return found, Needed(tuple(grants), tuple(left[0]), tuple(left[1]))


def _kind(access: Access, principal: str, text: str, scope: str) -> str:
    """A needed action with ``data:`` before it if it is a data action, which its name does not show."""
    name = text.removeprefix(DATA)
    if text != name or is_asked(name, data=True):
        return DATA + name
    named = {
        one.lower()
        for role in access.estate.roles.values()
        for entry in role.permissions
        for one in entry.data_actions
    }
    if name.lower() in named:
        return DATA + name
    as_data = access.can(principal, name, scope, data=True).state is State.YES
    return DATA + name if as_data and access.can(principal, name, scope).state is State.NO else name


def _allowed(access: Access, principal: str, action: str, scope: str) -> list[_Need] | State:
    """The need under each condition that allows it; NO for what nothing allows, UNKNOWN where that is not told."""
    name, data = action.removeprefix(DATA), action.startswith(DATA)
    known = names_in(scope)
    if access.can(principal, name, scope, data=data, attributes=known).state is State.NO:
        return State.NO
    conditions: list[str | None] = []
    by_policy = False
    for assignment, _ in access.held(principal):
        role = access.roles.get(assignment.role)
        certain = access.covers(assignment.scope, scope) is State.YES and not assignment.open
        certain = certain and access.counts(assignment, name, scope, data=data) is State.YES
        by_policy = by_policy or (certain and is_policy(assignment.role))
        if role is None or not certain or not speaks_of(role, name, data=data):
            continue
        conditions += [
            _both(assignment.condition, entry.condition)
            for entry in role.permissions
            if allows(entry, name, data=data)
            and all(
                condition_holds(one, name, known).state is not State.NO
                for one in (assignment.condition, entry.condition)
            )
        ]
    if not conditions:
        return State.UNKNOWN
    vault = vault_of(scope) if by_policy else ""  # which decides by nothing else
    return [_Need(action, scope, one, vault) for one in ([None] if None in conditions else dict.fromkeys(conditions))]


def _both(one: str | None, other: str | None) -> str | None:
    return f"({one}) && ({other})" if one and other else one or other


def _needs_of(grant: Grant) -> Iterator[_Need]:
    vault = grant.assignment.scope if is_policy(grant.assignment.role) else ""
    for entry in grant.role.permissions if grant.role is not None else ():
        for action in (*entry.actions, *(f"{DATA}{one}" for one in entry.data_actions)):
            yield _Need(action, grant.assignment.scope, grant.assignment.condition, vault)


def _words(access: Access, principal: str) -> dict[str, tuple[str, ...]]:
    """What access policies of vaults let a principal do, in their own words."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for assignment, _ in access.held(principal):
        role = access.roles.get(assignment.role)
        if role is not None and is_policy(role.id):
            found[assignment.scope] += words_of(role)
    return {vault: tuple(dict.fromkeys(words)) for vault, words in found.items()}


def _merged(
    principal: str, needs: Sequence[_Need], where: Because, words: Mapping[str, tuple[str, ...]]
) -> list[Grant]:
    places: defaultdict[tuple[str, str, str], list[_Need]] = defaultdict(list)
    for one in needs:
        places[one.vault or one.scope, one.condition or "", one.vault].append(one)
    return [
        _policy(principal, some, where, words) if vault else _grant(principal, f"least-{index}", some, where)
        for index, ((_, _, vault), some) in enumerate(sorted(places.items()), 1)
    ]


def _policy(principal: str, needs: Sequence[_Need], where: Because, words: Mapping[str, tuple[str, ...]]) -> Grant:
    """An access policy with what the needs need of the old one: it is of the whole vault."""
    vault = needs[0].vault
    wanted = {one.action.removeprefix(DATA).lower() for one in needs}
    kept = [one for one in words.get(vault, ()) if wanted & {each.lower() for each in actions_of(one)}]
    role = policy_role(vault, "least", kept, where)
    return Grant(Assignment(principal, role.id, vault, where), role)


def _grant(principal: str, name: str, needs: Sequence[_Need], where: Because) -> Grant:
    name = f"{needs[0].vault}/accesspolicies/{name}" if needs[0].vault else name  # a need, not yet in its words
    actions = sorted({one.action for one in needs if not one.action.startswith(DATA)})
    data = sorted({one.action.removeprefix(DATA) for one in needs if one.action.startswith(DATA)})
    role = RoleDefinition(name, name, (Permission(actions=tuple(actions), data_actions=tuple(data)),), where)
    return Grant(Assignment(principal, name, needs[0].scope, where, needs[0].condition), role)


def replaced(access: Access, principal: str, one: Assignment) -> Replaced:
    """An old assignment, with what its role allows where files say it."""
    role = access.roles.get(one.role)
    if role is not None and is_policy(role.id):
        vault = one.scope.rpartition("/")[2]
        return Replaced(f"the access policy of {vault}", one.because, written(one.principal, one.scope, role))
    through = "" if one.principal == principal else f", through the group {one.principal}"
    value = {**_assignment(one, role.name if role is not None else one.role)}
    if role is not None and role.because is not None:
        value["permissions"] = [_entry(each) for each in role.permissions]
    name = f"{role.name if role is not None else one.role} at {one.scope}{through}"
    return Replaced(name, one.because, value)


def _assignment(one: Assignment, role: str) -> dict[str, Any]:
    value = {"principalId": str(one.principal), "roleDefinitionName": str(role), "scope": str(one.scope)}
    return value | ({"condition": str(one.condition), "conditionVersion": "2.0"} if one.condition else {})


def _entry(one: Permission) -> dict[str, Any]:
    value: dict[str, Any] = {
        "actions": [str(each) for each in one.actions],
        "notActions": [str(each) for each in one.not_actions],
        "dataActions": [str(each) for each in one.data_actions],
        "notDataActions": [str(each) for each in one.not_data_actions],
    }
    return value | ({"condition": one.condition} if one.condition else {})


def _as_json(grant: Grant, who: str) -> list[dict[str, Any]]:
    """The definition of the role, as the Azure CLI takes it, at a resource group or above, and its assignment."""
    role = grant.role
    if role is None:
        return []
    if is_policy(role.id):
        return [written(grant.assignment.principal, grant.assignment.scope, role)]
    name = f"{who} {role.name}"
    home = "/".join(grant.assignment.scope.split("/")[:_PLACES]) or "/"
    (entry,) = role.permissions
    definition = {
        "Name": name,
        "IsCustom": True,
        "Description": f"what {who} needs",
        "Actions": list(entry.actions),
        "NotActions": [],
        "DataActions": list(entry.data_actions),
        "NotDataActions": [],
        "AssignableScopes": [home if not home.startswith("/providers/") else grant.assignment.scope],
    }
    return [definition, _assignment(grant.assignment, name)]
