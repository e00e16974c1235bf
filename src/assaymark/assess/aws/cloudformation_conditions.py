"""``Conditions``: what a template of CloudFormation makes, as far as the defaults of its parameters say.

Source: AWS CloudFormation Template Reference, "Condition functions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import text_of
from assaymark.core.graph import State
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Callable

_SIDES: Final = 2
# What is known of these is what stands for it in names, not what it will be.
_PLACES: Final = (
    "AWS::AccountId",
    "AWS::Region",
    "AWS::StackName",
    "AWS::StackId",
    "AWS::URLSuffix",
    "AWS::Partition",
)


class Conditions:
    """The conditions of a template by name. ``resolve`` gives values with their functions computed."""

    def __init__(self, conditions: Any, resolve: Callable[[Any], Any]) -> None:
        self._conditions = conditions if isinstance(conditions, Map) else Map(0)
        self._resolve = resolve
        self._open: set[str] = set()

    def holds(self, name: Any) -> State:
        """Whether one does; unknown for one that is not there, or that hangs on itself."""
        if not isinstance(name, str) or name not in self._conditions or name in self._open:
            return State.UNKNOWN
        self._open.add(name)
        try:
            return self._decided(self._conditions[name])
        finally:
            self._open.discard(name)

    def _decided(self, value: Any) -> State:
        if not (isinstance(value, Map) and len(value) == 1):
            return State.UNKNOWN
        (function, argument), *_ = value.items()
        members = argument if isinstance(argument, list) else []
        match function:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals" if len(members) == _SIDES:
                return self._equal(members[0], members[1])
            case "Fn::Not" if len(members) == 1:
                return self._decided(members[0]).inverse()
            case "Fn::And" if members:
                return _fold(State.both, [self._decided(one) for one in members])
            case "Fn::Or" if members:
                return _fold(State.either, [self._decided(one) for one in members])
        return State.UNKNOWN

    def _equal(self, one: Any, two: Any) -> State:
        if _names_place(one) or _names_place(two):
            return State.UNKNOWN
        left, right = self._resolve(one), self._resolve(two)
        first, second = text_of(left), text_of(right)
        if first is None or second is None or isinstance(left, Unresolved) or isinstance(right, Unresolved):
            return State.UNKNOWN
        return State.YES if first == second else State.NO


def _fold(join: Callable[[State, State], State], states: list[State]) -> State:
    found, *rest = states
    for state in rest:
        found = join(found, state)
    return found


def _names_place(value: Any) -> bool:
    """Whether a value hangs on the account, region or stack, which a template does not show."""
    if isinstance(value, str):
        return any(one in value for one in _PLACES)
    members = value.values() if isinstance(value, Map) else value if isinstance(value, list) else ()
    return any(_names_place(one) for one in members)
