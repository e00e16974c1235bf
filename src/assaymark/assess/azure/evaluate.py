"""``Access``: whether a principal of Azure may do something at a scope, by Azure RBAC's own order of decisions.

A deny assignment that applies decides first; then any assignment, to the principal or a group of it, at the scope or
above, of a role that allows the action, whose condition is met, gives it. Source: Azure RBAC, "What is Azure RBAC?"
(how it determines access), "Understand Azure deny assignments", "Understand scope".
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from assaymark.assess.answer import NO, Answer
from assaymark.assess.azure.abac import condition_holds
from assaymark.assess.azure.eligible import is_on
from assaymark.assess.azure.roles import Roles, allows
from assaymark.core.graph import State

if TYPE_CHECKING:
    from datetime import datetime

    from assaymark.assess.azure.abac import Known
    from assaymark.assess.estate.azure import Assignment, Azure, DenyAssignment
    from assaymark.core.graph import Because

GROUPS: Final = "/providers/microsoft.management/managementgroups/"
_EVERYONE: Final = "00000000-0000-0000-0000-000000000000"  # of deny assignments: all principals
_MAX_HEIGHT: Final = 8  # management groups nest six deep


class Access:
    """An estate, asked. ``now`` is what schedules of assignments are held against; None: they all hold."""

    def __init__(self, estate: Azure, now: datetime | None = None) -> None:
        self.estate = estate
        self.roles = Roles(estate.roles)
        self._of: defaultdict[str, list[Assignment]] = defaultdict(list)
        for assignment in estate.assignments:
            if is_on(assignment.since, assignment.until, now):
                self._of[assignment.principal].append(assignment)
        self._groups: defaultdict[str, dict[str, Because]] = defaultdict(dict)
        for group, members in estate.groups.items():
            for member, because in members.items():
                self._groups[member][group] = because
        self._held: dict[str, list[tuple[Assignment, tuple[Because, ...]]]] = {}

    def identities(self, principal: str) -> dict[str, tuple[Because, ...]]:
        """The principal and its groups, transitively, each with the lines that make it so."""
        found: dict[str, tuple[Because, ...]] = {principal: ()}
        pending = [principal]
        while pending:
            name = pending.pop()
            for group, because in self._groups.get(name, {}).items():
                if group not in found:
                    found[group] = (*found[name], because)
                    pending.append(group)
        return found

    def held(self, principal: str) -> list[tuple[Assignment, tuple[Because, ...]]]:
        """The assignments to a principal and its groups."""
        if principal not in self._held:
            self._held[principal] = [
                (assignment, lines)
                for name, lines in self.identities(principal).items()
                for assignment in self._of.get(name, ())
            ]
        return self._held[principal]

    def covers(self, scope: str, target: str) -> State:
        """Whether what is assigned at a scope applies at another; UNKNOWN for a management group of unknown reach."""
        if scope in ("/", "") or target == scope or target.startswith(f"{scope}/"):
            return State.YES
        if not scope.startswith(GROUPS):
            return State.NO
        place, height = "/".join(target.split("/")[:3]), 0
        if target.startswith(GROUPS):
            place = target
        while place in self.estate.parents and height < _MAX_HEIGHT:
            place, height = self.estate.parents[place], height + 1
            if place == scope:
                return State.YES
        return State.NO if height else State.UNKNOWN

    def counts(self, assignment: Assignment, action: str, scope: str, *, data: bool) -> State:
        """Whether an assignment counts for an action at a scope; what decides by other means may say no."""
        del assignment, action, scope, data
        return State.YES

    def can(
        self,
        principal: str,
        action: str,
        scope: str,
        *,
        data: bool = False,
        attributes: Known | None = None,
    ) -> Answer:
        """Whether a principal may do an action (``data``: a data action) at a scope.

        ``attributes``: what conditions may ask of the request and the resource, as ``condition_holds`` has them.
        """
        answer = NO
        for assignment, lines in self.held(principal):
            reach = self.covers(assignment.scope, scope)
            if reach is State.NO:
                continue
            granted = self.roles.grants(assignment.role, action, attributes, data=data)
            if granted.state is State.NO:
                continue
            one = Answer(State.YES, (*lines, assignment.because)).both(granted)
            one = one.both(condition_holds(assignment.condition, action, attributes or {}))
            counted = self.counts(assignment, action, scope, data=data)
            if counted is State.UNKNOWN:
                one = one.unless(f"{scope.rpartition('/vaults/')[2].partition('/')[0]} decides by what grants it")
            elif counted is State.NO:
                continue
            if reach is State.UNKNOWN:
                one = one.unless(
                    f"{scope.split('/')[2] if scope.count('/') > 1 else scope} lies in {assignment.scope}"
                )
            for text in assignment.open:
                one = one.unless(text)
            answer = answer.either(one)
            if answer.state is State.YES:
                break
        return answer if answer.state is State.NO else self._undenied(principal, action, scope, answer, data=data)

    def _undenied(self, principal: str, action: str, scope: str, answer: Answer, *, data: bool) -> Answer:
        for deny in self.estate.denies or ():
            if not any(allows(one, action, data=data) for one in deny.permissions):
                continue
            denied = self._applies(deny, principal, scope)
            if denied is State.YES and deny.condition is None:
                return NO
            if denied is not State.NO:
                text = f"the deny assignment at {deny.because.path}:{deny.because.line} does not apply"
                answer = answer.unless(text)
        return answer

    def _applies(self, deny: DenyAssignment, principal: str, scope: str) -> State:
        here = self.covers(deny.scope, scope) if deny.children else State.YES if scope == deny.scope else State.NO
        return here if self.names(deny, principal) else State.NO

    def names(self, deny: DenyAssignment, principal: str) -> bool:
        """Whether a deny assignment is about a principal: it names it or a group of it, and excludes neither."""
        names = self.identities(principal)
        named = bool({"*", _EVERYONE} & set(deny.principals)) or any(one in names for one in deny.principals)
        return named and not any(one in names for one in deny.except_principals)
