"""Role assignments as formulas over a request: its action, one of those that matter, and its scope.

A scope is asked about part by part of its id, so that nothing but equality is asked of any. Which action a role
allows is decided by the evaluator, action by action; what that leaves open (roles that are not in the input, reach of
management groups, conditions of deny assignments) is a flag of its own, free to be true or false. Conditions are
about attributes of the request (``abac_formulas``); names of storage accounts and containers are those of the scope.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.azure.abac_formulas import Conditions, carried, lies_in, links, names_in
from assaymark.assess.azure.evaluate import GROUPS
from assaymark.assess.azure.roles import Roles, allows, speaks_of
from assaymark.assess.azure.vaults import (
    VAULT,
    Vaults,
    actions_of,
    decides_by_roles,
    is_policy,
    policy_role,
    words_of,
)
from assaymark.assess.conjuncts import without_each
from assaymark.assess.estate.azure import Permission
from assaymark.assess.proofs import Language, readable
from assaymark.assess.rewrite import Example
from assaymark.assess.values import natural
from assaymark.core.graph import State
from assaymark.solve.formula import FALSE, TRUE, And, Flag, Like, Not, Or

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from assaymark.assess.estate.azure import Assignment, Azure, DenyAssignment, RoleDefinition
    from assaymark.solve.formula import Formula, Value

DATA: Final = "data:"
_BELOW: Final = 2  # parts below the deepest scope that is mentioned
_DEEPEST: Final = 12  # at least: parts of a container's id, which conditions and examples speak of
_GROUP: Final = 4  # slashes of a resource group's id
_CHILDREN: Final = {  # what may lie below a scope, by its slashes
    2: "/resourcegroups/example",
    _GROUP: "/providers/microsoft.storage/storageaccounts/example",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """An assignment, with its role where that is part of a rewritten policy; None for one of the estate."""

    assignment: Assignment
    role: RoleDefinition | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """An action (``data:`` before a data action) at a scope, both in lower case. ``carried``: by attribute."""

    action: str
    scope: str
    carried: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def language(
    estate: Azure, principal: str, actions: Sequence[str], scopes: Sequence[str], grants: Sequence[Grant] = ()
) -> Language[Grant, Request]:
    """How grants of a principal are asked about: for these actions; examples lie in or below these scopes.

    ``grants``: such as are not of the estate, and whose conditions are no parts of its own.
    """
    asked = _Asked(estate, principal, tuple(sorted({one.lower() for one in actions})), grants)
    places = [*scopes, *(one.scope for one in estate.denies or ()), *estate.parents]
    form = asked.form(max((*(len(_parts(one)) + _BELOW for one in places), _DEEPEST)))
    return Language(
        asked.allows,
        form,
        _readable(scopes),
        _requests,
        asked.state,
        _shown,
        _smaller,
        about=_about,
        looser=_looser,
        weight=lambda grant: len(grant.assignment.condition or ""),
        need=_need,
    )


def _is(name: str, value: str) -> Formula:
    return Like(name, value, plain=True)


def _parts(scope: str) -> list[str]:
    return [one for one in scope.split("/") if one]


def _below(scope: str) -> Formula:
    """A scope and what lies in it by its id."""
    return And(tuple(_is(f"scope.{index}", one) for index, one in enumerate(_parts(scope))))


def _just(scope: str) -> Formula:
    """A scope and nothing below it."""
    return And((_below(scope), _is(f"scope.{len(_parts(scope))}", "")))


class _Asked:
    def __init__(self, estate: Azure, principal: str, actions: tuple[str, ...], grants: Sequence[Grant]) -> None:
        self._estate = estate
        self._principal = principal
        self._actions = actions
        self._access = Vaults(estate)
        self._reaches: dict[str, Formula] = {}
        self._vaults = sorted(one.id for one in estate.resources.values() if one.kind == VAULT)
        held = [*grants, *(Grant(one) for one in estate.assignments)]
        roles = [one.role or self._access.roles.get(one.assignment.role) for one in held]
        entries = [
            entry for role in (*roles, *estate.roles.values()) if role is not None for entry in role.permissions
        ]
        texts = {one.assignment.condition for one in held} | {entry.condition for entry in entries}
        self._conditions = Conditions(sorted(one for one in texts if one))

    def form(self, depth: int) -> Formula:
        """An action of those, at some scope of at most so many parts; what is deeper is alike."""
        ends = [Or((Not(_is(f"scope.{index}", "")), _is(f"scope.{index + 1}", ""))) for index in range(depth)]
        places = Or((_just("/"), And((_below("/subscriptions"), Not(_is("scope.1", "")))), _below(GROUPS)))
        last = _is(f"scope.{depth}", "")
        return And((Or(tuple(_is("action", one) for one in self._actions)), places, *ends, last))

    def allows(self, grants: Sequence[Grant]) -> Formula:
        """Some grant does, and no deny assignment stands against it."""
        roles = self._roles(grants)
        found = []
        for action in self._actions:
            name, data = action.removeprefix(DATA), action.startswith(DATA)
            some = Or(tuple(part for one in grants if (part := self._grant(one, roles, name, data=data)) != FALSE))
            denied = Or(tuple(self._denied(one) for one in self._denies(name, data=data)))
            found.append(And((_is("action", action), some, Not(denied))))
        return Or(tuple(found))

    def _roles(self, grants: Sequence[Grant]) -> Roles:
        own = {one.role.id: one.role for one in grants if one.role is not None}
        return Roles({**self._estate.roles, **own})

    def _grant(self, grant: Grant, roles: Roles, action: str, *, data: bool) -> Formula:
        assignment = grant.assignment
        role = roles.get(assignment.role)
        if role is None or not speaks_of(role, action, data=data):
            held: Formula = Flag(f"the role {assignment.role} allows {action}")
        else:
            met = [
                self._conditions.met(entry.condition, action)
                for entry in role.permissions
                if allows(entry, action, data=data)
            ]
            held = TRUE if TRUE in met else Or(tuple(met))
        condition = self._conditions.met(assignment.condition, action)
        if FALSE in (held, condition):
            return FALSE
        opened = (Flag(text) for text in assignment.open)
        place = self._reach(assignment.scope)
        counts = self._counts(assignment) if data and action.startswith(f"{VAULT}/") else ()
        return And((held, condition, *opened, place, *counts))

    def _counts(self, assignment: Assignment) -> list[Formula]:
        """Where an assignment counts for the data of vaults: where they decide by such as it is."""
        found: list[Formula] = []
        for vault in self._vaults:
            by_roles = decides_by_roles(self._estate, vault)
            decides: Formula = TRUE if by_roles is State.YES else FALSE
            if by_roles is State.UNKNOWN:
                decides = Flag(f"{vault} decides by roles")
            wanted = Not(decides) if is_policy(assignment.role) else decides
            found += [Or((Not(_below(vault)), wanted))] if wanted != TRUE else []
        return found

    def _reach(self, scope: str) -> Formula:
        """Where what is assigned at a scope applies."""
        if scope not in self._reaches:
            self._reaches[scope] = self._applies_at(scope)
        return self._reaches[scope]

    def _applies_at(self, scope: str) -> Formula:
        if not scope.startswith(GROUPS):
            return _below(scope)
        known = self._estate.parents
        inside = [_below(one) for one in sorted(known) if self._access.covers(scope, one) is State.YES]
        open_ones = And((Flag(f"it lies in {scope}"), Not(Or(tuple(_below(one) for one in sorted(known))))))
        return Or((_below(scope), *inside, open_ones))

    def _denies(self, action: str, *, data: bool) -> list[DenyAssignment]:
        return [
            one
            for one in self._estate.denies or ()
            if self._access.names(one, self._principal)
            and any(allows(entry, action, data=data) for entry in one.permissions)
        ]

    def _denied(self, deny: DenyAssignment) -> Formula:
        place = self._reach(deny.scope) if deny.children else _just(deny.scope)
        if deny.condition is None:
            return place
        return And((place, Flag(f"the deny assignment at {deny.because.path}:{deny.because.line}")))

    def state(self, grants: Sequence[Grant], request: Request) -> State:
        """What the evaluator says of the grants in the place of all assignments."""
        own = {one.role.id: one.role for one in grants if one.role is not None}
        assignments = [replace(one.assignment, since="", until="") for one in grants]
        estate = replace(self._estate, assignments=assignments, roles={**self._estate.roles, **own})
        name, data = request.action.removeprefix(DATA), request.action.startswith(DATA)
        known: dict[str, str | tuple[str, ...]] = {**request.carried, **names_in(request.scope)}
        return Vaults(estate).can(self._principal, name, request.scope, data=data, attributes=known).state


def _about(formula: Formula) -> Formula:
    names = lies_in(formula)
    return And((names, links(And((formula, names)))))


def _readable(scopes: Sequence[str]) -> Formula:
    places = {one for scope in scopes for one in (scope, scope + _CHILDREN.get(scope.count("/"), "")) if one}
    return Or(tuple(_just(one) for one in sorted(places)))


def _requests(model: Mapping[str, Value]) -> Iterator[Request]:
    parts = [str(value) for name, value in sorted(model.items(), key=_number) if name.startswith("scope.") and value]
    for one in (readable(model), model):
        for attributes in carried(one):
            yield Request(str(model.get("action", "")), "/" + "/".join(parts), attributes)


def _number(item: tuple[str, Value]) -> int:
    digits = item[0].removeprefix("scope.")
    return natural(digits) or 0


def _need(grant: Grant) -> tuple[str, str]:
    entry = grant.role.permissions[0] if grant.role is not None else Permission()
    return next(iter((*entry.actions, *(f"{DATA}{one}" for one in entry.data_actions))), ""), grant.assignment.scope


def _shown(request: Request) -> Example:
    there = {attribute: values for attribute, values in request.carried.items() if values}
    absent = tuple(sorted(attribute for attribute, values in request.carried.items() if not values))
    return Example(request.action, request.scope, there, absent)


def _looser(grant: Grant) -> Iterator[tuple[str, Grant]]:
    """The grant without one part of its condition."""
    condition = grant.assignment.condition
    for part, rest in without_each(condition, words=True) if condition is not None else ():
        yield part, replace(grant, assignment=replace(grant.assignment, condition=rest))


def _smaller(grant: Grant) -> Iterator[tuple[str, Grant | None]]:
    """The grant without one action, where there are several; without the last there is none."""
    role = grant.role
    if role is not None and is_policy(role.id):
        yield from _fewer_words(grant, role)
    (entry,) = role.permissions if role is not None and len(role.permissions) == 1 else (None,)
    if (
        role is not None
        and not is_policy(role.id)
        and entry is not None
        and len(entry.actions) + len(entry.data_actions) > 1
    ):
        for field, values in (("actions", entry.actions), ("data_actions", entry.data_actions)):
            for value in values:
                rest = tuple(one for one in values if one != value)
                smaller = replace(entry, **{field: rest})  # type: ignore[arg-type]  # both are texts
                yield value, replace(grant, role=replace(role, permissions=(smaller,)))
    yield f"the assignment at {grant.assignment.scope}", None


def _fewer_words(grant: Grant, role: RoleDefinition) -> Iterator[tuple[str, Grant]]:
    """An access policy without one of its permissions, and those that roles do not tell from it."""
    words = words_of(role)
    for actions in dict.fromkeys(actions_of(one) for one in words):
        rest = [one for one in words if actions_of(one) != actions]
        if rest and role.because is not None:
            vault, _, name = role.id.rpartition("/accesspolicies/")
            gone = ", ".join(one for one in words if one not in rest)
            yield gone, replace(grant, role=policy_role(vault, name, rest, role.because))
