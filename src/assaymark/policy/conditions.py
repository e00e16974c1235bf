"""What a statement says to the conditions of a requirement: yes, no, or no answer."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.limits import POLICY_MAX_DIGITS
from assaymark.policy.document import Operator, same
from assaymark.policy.remedies import listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.policy.document import Condition

EVERY: Final = "*"
ABSENT: Final = object()
NUMERIC: Final = frozenset({Operator.AT_LEAST, Operator.AT_MOST, Operator.ABOVE, Operator.BELOW})
# An integer or a decimal fraction as people write it: no sign but -, no exponent, no leading zero, no bare point.
_SCALE: Final[int] = 10**POLICY_MAX_DIGITS
_DECIMAL: Final = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?")


class Says(Enum):
    """What a statement says to a requirement."""

    YES = 1
    NO = 2
    NOTHING = 3  # no answer


def number(value: object) -> int | None:
    """The value of an integer, or of a decimal in a text such as ``"0.95"``, times 10**POLICY_MAX_DIGITS, exactly.

    Signed predicates hold no floating-point numbers, so none is read, and none is used to compare. None for all else,
    a boolean and a text of more than ``POLICY_MAX_DIGITS`` digits on either side of the point too.
    """
    if isinstance(value, int):
        return None if isinstance(value, bool) else value * _SCALE
    if not isinstance(value, str) or len(value) > 2 * POLICY_MAX_DIGITS + 2:
        return None
    match = _DECIMAL.fullmatch(value)
    if match is None:
        return None
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if max(len(whole), len(fraction)) > POLICY_MAX_DIGITS:
        return None
    return int(sign + whole + fraction.ljust(POLICY_MAX_DIGITS, "0"))


def says(where: tuple[Condition, ...], predicate: dict[str, Any]) -> tuple[Says, str]:
    """What a statement says to all the conditions, and why; a failed one weighs more than one without an answer."""
    answer, why = Says.YES, ""
    for condition in where:
        for path, value in _values(predicate, condition.field.split(".")):
            one, reason = _one(condition, path, value)
            if one is Says.NO:
                return one, reason
            if one is Says.NOTHING:
                answer, why = one, reason
    return answer, why


def value_at(field: str, predicate: dict[str, Any]) -> str | int | bool | None:
    """The one value at a field's path that can be counted: text, an integer or a boolean; None for all else."""
    _, value = next(_values(predicate, field.split(".")))
    return value if isinstance(value, (str, int, bool)) else None


def words(condition: Condition) -> str:
    """What the condition wants of its field: ``is at least "0.95"``."""
    values = listed([shown(value) for value in condition.values])
    return _WORDS[condition.operator].format(values)


_WORDS: Final = {
    Operator.IN: "is {}",
    Operator.NOT_IN: "is not {}",
    Operator.AT_LEAST: "is at least {}",
    Operator.AT_MOST: "is at most {}",
    Operator.ABOVE: "is above {}",
    Operator.BELOW: "is below {}",
    Operator.CONTAINS: "contains {}",
}


def _one(condition: Condition, path: str, value: Any) -> tuple[Says, str]:
    if value is ABSENT:
        return Says.NOTHING, f"{path} is missing"
    if any(same(value, unknown) for unknown in condition.indeterminate_when):
        return Says.NOTHING, f"{path} is {shown(value)}, which is no answer"
    holds = _holds(condition, value)
    if holds is None:
        return Says.NOTHING, f"{path} is {shown(value)}, to which {words(condition)!r} has no answer"
    if holds:
        return Says.YES, ""
    wanted = listed([shown(wanted) for wanted in condition.values])
    if condition.operator is Operator.IN:
        return Says.NO, f"{path} is {shown(value)}, and {wanted} is needed"
    if condition.operator is Operator.CONTAINS:
        return Says.NO, f"{path} does not contain {wanted}"
    return Says.NO, f"{path} is {shown(value)}, and must be such that it {words(condition)}"


def _holds(condition: Condition, value: Any) -> bool | None:
    """Whether the condition holds of a value; None when the value is of a type that it says nothing about."""
    operator, values = condition.operator, condition.values
    if operator is Operator.IN:
        return any(same(value, wanted) for wanted in values)
    if operator is Operator.NOT_IN:
        # A value of another type than any of those listed may be one of them in another spelling.
        if not any(type(value) is type(unwanted) for unwanted in values):
            return None
        return not any(same(value, unwanted) for unwanted in values)
    if operator is Operator.CONTAINS:
        return any(same(item, values[0]) for item in value) if isinstance(value, list) else None
    found, bound = number(value), number(values[0])
    if found is None or bound is None:
        return None
    return {
        Operator.AT_LEAST: found >= bound,
        Operator.AT_MOST: found <= bound,
        Operator.ABOVE: found > bound,
        Operator.BELOW: found < bound,
    }[operator]


def _values(value: Any, parts: list[str], path: str = "") -> Iterator[tuple[str, Any]]:
    """Each value that a field's path leads to, with its own path; ``ABSENT`` where it leads nowhere."""
    for place, part in enumerate(parts):
        if part == EVERY:
            if not isinstance(value, list) or not value:  # of nothing nothing is known
                yield ".".join((path, *parts[place:])).lstrip("."), ABSENT
                return
            for index, item in enumerate(value):
                yield from _values(item, parts[place + 1 :], f"{path}.{index}".lstrip("."))
            return
        path = f"{path}.{part}".lstrip(".")
        if not isinstance(value, dict) or part not in value:
            yield ".".join((path, *parts[place + 1 :])), ABSENT
            return
        value = value[part]
    yield path, value
