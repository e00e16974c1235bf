"""What the linkers of Azure share: the estate as it is evaluated, its principals and scopes as nodes."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from assaymark.assess.answer import NO, Answer, draw
from assaymark.assess.azure.evaluate import GROUPS, Access
from assaymark.assess.boundaries import environment_of, tenant_of
from assaymark.assess.estate.azure import UNKNOWN_SUBSCRIPTION
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from assaymark.assess.estate.azure import Azure, Principal, Resource
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder

_REQUEST: Final = "@request[microsoft.authorization/roleassignments:"
_TYPES: Final = {"user": "User", "group": "Group"}
_SUBSCRIPTION: Final = re.compile(r"/subscriptions/([^/]+)")
_GROUP: Final = re.compile(r"/subscriptions/[^/]+/resourcegroups/([^/]+)")


class Linking:
    """The estate, asked and drawn."""

    def __init__(self, estate: Azure, builder: Builder, reading: Reading, now: datetime) -> None:
        self.estate = estate
        self.builder = builder
        self.reading = reading
        self.access = Access(estate, now)
        self._at: dict[str, list[Resource]] = {}
        self.owners: set[tuple[str, str]] = set()  # of principals and scopes that they administer

    @cached_property
    def principals(self) -> list[Principal]:
        """All of them by object id."""
        return [one for _, one in sorted(self.estate.principals.items())]

    @cached_property
    def resources(self) -> list[Resource]:
        """All of them by id."""
        return [one for _, one in sorted(self.estate.resources.items())]

    @cached_property
    def subscriptions(self) -> list[str]:
        """The scopes of all subscriptions that the input speaks of."""
        places = [
            *self.estate.resources,
            *(one.scope for one in self.estate.assignments),
            *self.estate.scopes,
            *self.estate.parents,
        ]
        found = {match[0] for place in places if (match := _SUBSCRIPTION.match(place))}
        return sorted(found)

    def within(self, principal: str) -> list[Resource]:
        """The resources that some assignment of a principal may be about."""
        scopes = {assignment.scope for assignment, _ in self.access.held(principal)}
        found = {one.id: one for scope in scopes for one in self.at(scope)}
        return [found[identifier] for identifier in sorted(found)]

    def at(self, scope: str) -> list[Resource]:
        """The resources that what is assigned at a scope may be about."""
        if scope not in self._at:
            self._at[scope] = [one for one in self.resources if self.access.covers(scope, one.id) is not State.NO]
        return self._at[scope]

    def owns(self, principal: str, scope: str) -> bool:
        """Whether a principal administers what lies at a scope."""
        return any((principal, place) in self.owners for place in _above(scope))

    def any_of(
        self, principal: str, actions: Iterable[str], scope: str, attributes: Mapping[str, str] | None = None
    ) -> tuple[Answer, str]:
        """The best answer of several actions, and the action; one that begins with ``data:`` is a data action."""
        best, name = NO, ""
        for written in actions:
            action = written.removeprefix("data:")
            answer = self.access.can(principal, action, scope, data=action != written, attributes=attributes)
            if answer.state is State.YES:
                return answer, action
            if answer.state is State.UNKNOWN and best.state is State.NO:
                best, name = answer, action
        return best, name

    def draw(self, source: str, target: str, relation: str, how: str, answer: Answer, effort: int = 1) -> None:
        """The edge of an answer between nodes that are there."""
        if self.builder.has(source) and self.builder.has(target):
            draw(self.builder, source, target, relation, how, answer, effort)

    def boundary(self, place: str, name: str, tags: dict[str, str] | None = None) -> dict[str, str]:
        """In what a thing lies."""
        match, group = _SUBSCRIPTION.match(place), _GROUP.match(place)
        account = match[1] if match and match[1] != UNKNOWN_SUBSCRIPTION else ""
        found = {
            "cloud": "azure",
            "account": account,
            "environment": environment_of(name, tags) or environment_of(group[1] if group else ""),
            "tenant": tenant_of(name, tags) or tenant_of(group[1] if group else ""),
        }
        return {key: value for key, value in found.items() if value}


def _above(scope: str) -> list[str]:
    """A scope and all that it is written within."""
    parts = scope.split("/")
    return ["/", *("/".join(parts[: end + 1]) for end in range(1, len(parts)))]


def assigning(principal: Principal, role: str) -> dict[str, str]:
    """What conditions may ask of a request by which a principal assigns a role to itself."""
    return {
        f"{_REQUEST}principalid]": principal.id,
        f"{_REQUEST}principaltype]": _TYPES.get(principal.kind, "ServicePrincipal"),
        f"{_REQUEST}roledefinitionid]": role,
    }


def administrator(scope: str) -> str:
    """The id of the node that stands for control of a scope."""
    if scope in ("/", ""):
        return "azure:tenant:administrator"
    if scope.startswith(GROUPS):
        return f"azure:managementgroup:{scope.removeprefix(GROUPS)}:administrator"
    word = scope.removeprefix("/subscriptions/").replace("/resourcegroups/", ":")
    return f"azure:{word}:administrator"
