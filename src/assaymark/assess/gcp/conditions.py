"""``holds``: whether a condition of IAM, or of a workload identity provider, is so for a request, three-valued.

Source: Google Cloud IAM, "Overview of IAM Conditions" and "Attribute reference for IAM Conditions".
"""

from __future__ import annotations

import operator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.answer import NO, YES, Answer
from assaymark.assess.gcp.cel import Node, Open, evaluate, parse_cel
from assaymark.assess.unresolved import HOLE, Unresolved, pattern_of
from assaymark.core.errors import InputError
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_UNITS: Final = {"h": 3600, "m": 60, "s": 1}


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Node | None:
    try:
        return parse_cel(text)
    except InputError:
        return None


def holds(condition: str | None, names: Mapping[str, Any]) -> Answer:
    """Whether the condition is so. ``names``: what is known of the request, by dotted name.

    A text with holes is a pattern: what is compared with it is open where some text for the holes would decide.
    A condition that cannot be read is unknown: IAM would not have taken it as it stands.
    """
    if condition is None:
        return YES
    if isinstance(condition, Unresolved) or HOLE in condition:
        return Answer(State.UNKNOWN, (), (f"the condition {condition} is met",))
    node = _parsed(condition)
    if node is None:
        return Answer(State.UNKNOWN, (), (f"the condition {condition} is met",))
    found = evaluate(node, names.get, _call)
    if found is True:
        return YES
    if isinstance(found, Open):
        return Answer(State.UNKNOWN, (), tuple(f"at the time of the request: {text}" for text in found.decides))
    return NO


def _call(name: str, on: Any, arguments: list[Any]) -> Any:
    """A function or operator; None for one that is not decided here."""
    first = arguments[0] if arguments else None
    if name in ("==", "!="):
        found = _equal(on, first)
        return found if found is None or name == "==" else not found
    if name in _COMPARE:
        return _ordered(_COMPARE[name], on, first)
    if name == "in":
        return _among(on, first)
    if name in ("+", "-") and isinstance(on, datetime):
        return _moved(on, first, forward=name == "+")
    sized = first if on is None else on
    if name == "size" and isinstance(sized, (str, list)) and not isinstance(sized, Unresolved):
        return len(sized)
    if isinstance(on, str):
        return _of_text(name, on, first)
    return _made(name, first) if isinstance(first, str) else None


def _of_text(name: str, on: str, first: Any) -> Any:
    """A method of a text."""
    if name in ("startsWith", "endsWith", "contains") and isinstance(first, str):
        return _affix(name, on, first)
    if isinstance(on, Unresolved):
        return None
    if name == "+" and isinstance(first, str) and not isinstance(first, Unresolved):
        return on + first
    return {"lowerAscii": on.lower(), "upperAscii": on.upper()}.get(name)


def _made(name: str, text: str) -> Any:
    """What a function makes of a text."""
    match name:
        case "timestamp":
            return _timestamp(text)
        case "duration":
            return _duration(text)
        case "date":
            return _timestamp(f"{text}T00:00:00Z")
        case "string":
            return text
    return None


def _moved(moment: datetime, by: Any, *, forward: bool) -> Any:
    try:
        if isinstance(by, timedelta):
            return moment + by if forward else moment - by
        return moment - by if isinstance(by, datetime) and not forward else None
    except (TypeError, OverflowError):
        return None


def _equal(left: Any, right: Any) -> bool | None:
    if isinstance(left, str) and isinstance(right, str) and (HOLE in pattern_of(left) or HOLE in pattern_of(right)):
        one, other = (left, right) if HOLE in pattern_of(left) else (right, left)
        if HOLE in pattern_of(other):
            return None
        parts = pattern_of(one).split(HOLE)
        fits = other.startswith(parts[0]) and other.endswith(parts[-1]) and len(other) >= len("".join(parts))
        return None if fits else False
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    return bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool | None:
    if isinstance(left, Unresolved) or isinstance(right, Unresolved):
        return None
    try:
        return compare(left, right)
    except TypeError:
        return None


def _among(item: Any, items: Any) -> bool | None:
    if not isinstance(items, list):
        return None
    found = [_equal(item, one) for one in items]
    if True in found:
        return True
    return None if None in found else False


def _affix(name: str, text: str, part: str) -> bool | None:
    if HOLE in pattern_of(part):
        return None
    pattern = pattern_of(text)
    if HOLE not in pattern:
        return {"startsWith": text.startswith, "endsWith": text.endswith, "contains": text.__contains__}[name](part)
    head, tail = pattern.split(HOLE)[0], pattern.split(HOLE)[-1]
    if name == "startsWith":
        return True if head.startswith(part) else None if part.startswith(head) else False
    if name == "endsWith":
        return True if tail.endswith(part) else None if part.endswith(tail) else False
    return True if any(part in piece for piece in pattern.split(HOLE)) else None


def _timestamp(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _duration(text: str) -> timedelta | None:
    unit = _UNITS.get(text[-1:])
    try:
        return timedelta(seconds=float(text[:-1]) * unit) if unit else None
    except (ValueError, OverflowError):
        return None
