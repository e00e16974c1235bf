"""Bindings as formulas over a request: its permission, one of those that matter, the resource and its project.

Which permission a role has is decided by the evaluator, permission by permission; what that leaves open (roles that
are not in the input, whom deny rules mean) is a flag of its own, free to be true or false. Conditions are about
names, types, tags and times of the request, which is one of now or later (``cel_formulas``); of what the input names
they see what the evaluator sees. Principal access boundaries stand against old and new bindings alike, so they are
not asked about.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.conjuncts import without_alternative, without_each
from assaymark.assess.estate.gcp import MANAGER
from assaymark.assess.gcp.cel import GONE
from assaymark.assess.gcp.cel_formulas import links, met, named_as, seen, there
from assaymark.assess.gcp.evaluate import Access
from assaymark.assess.gcp.names import project
from assaymark.assess.gcp.roles import Roles
from assaymark.assess.proofs import Language, readable
from assaymark.assess.rewrite import Example
from assaymark.assess.unresolved import HOLE, Unresolved, pattern_of
from assaymark.core.graph import State
from assaymark.solve.formula import FALSE, TRUE, And, Flag, Like, Not, Or, atoms, literal, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from assaymark.assess.estate.gcp import Binding, DenyRule, Gcp, Role
    from assaymark.solve.formula import Formula, Value

_SEEN: Final = ("resource.name", "resource.type", "resource.service")
_PROJECTS: Final = f"{MANAGER}projects/"


@dataclass(frozen=True, slots=True)
class Grant:
    """A binding, with its role where that is part of a rewritten policy; None for one of the estate."""

    binding: Binding
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A permission on a resource, by its full name. ``seen``: what conditions see of it beside that."""

    permission: str
    resource: str
    seen: Mapping[str, Any] = field(default_factory=dict)


def language(
    estate: Gcp, member: str, permissions: Sequence[str], places: Sequence[str], now: datetime
) -> Language[Grant, Request]:
    """How grants of a member are asked about: for these permissions, and by what lies in these places."""
    asked = _Asked(estate, member, tuple(sorted(set(permissions))), tuple(sorted(set(places))), now)
    return Language(
        asked.allows,
        asked.form(),
        TRUE,
        asked.requests,
        asked.state,
        _shown,
        _smaller,
        about=asked.about,
        looser=_looser,
        weight=lambda grant: len(grant.binding.condition or ""),
        need=lambda grant: ((grant.role.permissions if grant.role else ("",))[0], grant.binding.resource),
    )


def _is(name: str, value: str) -> Formula:
    return Like(name, value, plain=True)


class _Asked:
    def __init__(
        self, estate: Gcp, member: str, permissions: tuple[str, ...], places: tuple[str, ...], now: datetime
    ) -> None:
        self._estate, self._member, self._permissions, self._now = estate, member, permissions, now
        self._access = Access(estate, now)
        attached = {rule.resource for rule in estate.denies or () if rule.resource}
        mentioned = {above for one in (*places, *attached) for above in self._access.chain(one)}
        # Projects of the input lie in folders that bindings may be on.
        self._projects = sorted({one for one in (*mentioned, *estate.places) if one.startswith(_PROJECTS)})
        self._places = sorted({*mentioned, *self._projects})
        self._inside: dict[str, Formula] = {}
        self._seen: dict[tuple[str, str], dict[str, Formula]] = {}

    def form(self) -> Formula:
        """One of the permissions, on something that lies in a project or is above them."""
        asked = Or(tuple(_is("permission", one) for one in self._permissions))
        homes = (Or((Not(_is("resource", one)), _is("project", self._project(one)))) for one in self._places)
        return And((asked, *homes, Not(_is("resource", ""))))

    def _project(self, place: str) -> str:
        return next((one for one in self._access.chain(place) if one.startswith(_PROJECTS)), "")

    def _within(self, place: str) -> Formula:
        """The place and what lies in it."""
        if place not in self._inside:
            self._inside[place] = self._lies_in(place)
        return self._inside[place]

    def _lies_in(self, place: str) -> Formula:
        inside = [one for one in self._places if place in self._access.chain(one)]
        parts = [_is("resource", one) for one in {place: None, **dict.fromkeys(inside)}]
        return Or((*parts, *(_is("project", one) for one in self._projects if place in self._access.chain(one))))

    def allows(self, grants: Sequence[Grant]) -> Formula:
        """Some grant does, and no deny rule stands against it."""
        roles = Roles({**self._estate.roles, **{one.role.name: one.role for one in grants if one.role is not None}})
        found = []
        for permission in self._permissions:
            some = Or(tuple(part for one in grants if (part := self._grant(one, roles, permission)) != FALSE))
            denied = Or(tuple(self._denied(one, permission) for one in self._estate.denies or ()))
            found.append(And((_is("permission", permission), some, Not(denied))))
        return Or(tuple(found))

    def _grant(self, grant: Grant, roles: Roles, permission: str) -> Formula:
        binding = grant.binding
        has = roles.has(binding.role, permission)
        if has is State.NO:
            return FALSE
        parts = [Flag(f"the role {binding.role} holds {permission}")] if has is State.UNKNOWN else []
        condition = [met(binding.condition).yes] if binding.condition is not None else []
        return And((*parts, *condition, self._within(binding.resource)))

    def _denied(self, rule: DenyRule, permission: str) -> Formula:
        named = self._access.denied(rule, self._member, permission)
        if named is State.NO:
            return FALSE
        condition = Not(met(rule.condition).no) if rule.condition is not None else TRUE  # an error denies as well
        certain = named is State.YES and rule.resource in self._places
        where = self._within(rule.resource) if rule.resource in self._places else TRUE
        flag = Flag(f"the deny policy at {rule.because.path}:{rule.because.line} for {permission}")
        return And((where, condition)) if certain else And((where, condition, flag))

    def about(self, formula: Formula) -> Formula:
        """What conditions see of what the input names, and what is so of all that they see."""
        names = {one.name for one in atoms(formula) if not isinstance(one, Flag)}
        asked = sorted({one.pattern for one in atoms(formula) if isinstance(one, Like) and one.name == "permission"})
        found: list[Formula] = []
        keys = tuple(key for key in _SEEN if there(key) in names)
        for place in self._places if keys else ():
            alike: defaultdict[Formula, list[str]] = defaultdict(list)
            for permission in asked:
                alike[self._as_seen(place, permission, keys)].append(permission)
            found += [
                Or((Not(_is("resource", place)), Not(one_of("permission", some)), what))
                for what, some in alike.items()
            ]
        whole = And(tuple(found))
        return And((whole, links(And((formula, whole)), self._now)))

    def _as_seen(self, place: str, permission: str, keys: tuple[str, ...]) -> Formula:
        """What the evaluator has conditions see of a permission on a place."""
        asked = (place, permission)
        if asked not in self._seen:
            values = self._access.names(place, permission)
            self._seen[asked] = {
                key: _seen_as(key, text) for key in _SEEN if isinstance(text := values.get(key), str)
            }
        return And(tuple(what for key, what in self._seen[asked].items() if key in keys))

    def requests(self, model: Mapping[str, Value]) -> Iterator[Request]:
        """What a model means; a resource that nobody mentions is one of its project."""
        permission, resource = str(model.get("permission", "")), str(model.get("resource", ""))
        home = str(model.get("project", ""))
        if resource not in self._places and home.startswith(_PROJECTS):
            service = permission.partition(".")[0]
            resource = f"//{service}.googleapis.com/projects/{home.removeprefix(_PROJECTS)}/things/example"
        elif resource not in self._places:
            resource = project("example")
        for one in (readable(model), model):
            for context in seen(one, self._now):
                yield Request(permission, resource, context)

    def state(self, grants: Sequence[Grant], request: Request) -> State:
        """What the evaluator says of the grants in the place of all bindings."""
        own = {one.role.name: one.role for one in grants if one.role is not None}
        bindings = [one.binding for one in grants]
        whole = {*self._estate.whole, *self._estate.resources}  # what new buckets grant is among the old ones
        estate = replace(self._estate, bindings=bindings, roles={**self._estate.roles, **own}, whole=whole)
        access = Access(estate, self._now)
        return access.can(self._member, request.permission, request.resource, request.seen).state


def _seen_as(key: str, text: str) -> Formula:
    whole = pattern_of(text)
    pattern = "*".join(map(literal, whole.split(HOLE)))
    return And((_is(there(key), "yes"), Like(named_as(key), pattern) if HOLE in whole else _is(named_as(key), whole)))


def _shown(request: Request) -> Example:
    context = {
        key: tuple(map(str, value if isinstance(value, list) else [value])) for key, value in request.seen.items()
    }
    return Example(
        request.permission,
        request.resource,
        {key: values for key, values in context.items() if request.seen[key] is not GONE},
        tuple(sorted(key for key, value in request.seen.items() if value is GONE)),
    )


def _looser(grant: Grant) -> Iterator[tuple[str, Grant]]:
    """The grant without one part of its condition."""
    condition = grant.binding.condition
    if condition is not None and not isinstance(condition, Unresolved):
        for part, rest in without_each(condition):
            yield part, replace(grant, binding=replace(grant.binding, condition=rest))


def _smaller(grant: Grant) -> Iterator[tuple[str, Grant | None]]:
    """The grant without one permission, where there are several, or without one alternative of its condition.

    Without the last permission there is none.
    """
    role = grant.role
    for value in role.permissions if role is not None and len(role.permissions) > 1 else ():
        rest = tuple(one for one in role.permissions if one != value) if role is not None else ()
        yield value, replace(grant, role=replace(role, permissions=rest) if role is not None else None)
    condition = grant.binding.condition
    if condition is not None and not isinstance(condition, Unresolved):
        for part, left in without_alternative(condition):
            yield f"the alternative {part}", replace(grant, binding=replace(grant.binding, condition=left))
    yield f"the binding on {grant.binding.resource}", None
