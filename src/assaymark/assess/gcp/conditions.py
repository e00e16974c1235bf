"""``holds``: whether a condition of IAM, or of a workload identity provider, is so for a request, three-valued.

Source: Google Cloud IAM, "Overview of IAM Conditions" and "Attribute reference for IAM Conditions".
"""

from __future__ import annotations

import operator
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from assaymark.assess.answer import NO, YES, Answer
from assaymark.assess.gcp.cel import Node, Open, evaluate, parse_cel
from assaymark.assess.unresolved import HOLE, Unresolved, pattern_of
from assaymark.core.errors import InputError
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_UNITS: Final = {"h": 3600, "m": 60, "s": 1}
_TAGS: Final = {"matchTag": 2, "matchTagId": 2, "hasTagKey": 1, "hasTagKeyId": 1}
_TEMPLATE: Final = re.compile(r"([^{}]*)\{[^{}]*\}([^{}]*)")
_OFFSET: Final = re.compile(r"([+-]?)(\d{1,2}):(\d{2})")


class Moment(datetime):
    """A time that is that of the request for certain, not only that of the assessment: hours and days count."""

    @classmethod
    def of(cls, time: datetime) -> Moment:
        """The same time."""
        return cls.fromtimestamp(0, UTC) + (time - datetime.fromtimestamp(0, UTC))


class _Hand(NamedTuple):
    """What a clock shows of a time, and the least and most that it may be."""

    range: tuple[int, int]
    read: Callable[[datetime], int]


CLOCK: Final[dict[str, _Hand]] = {  # CEL specification, "Timestamp functions"
    "getFullYear": _Hand((1, 9999), lambda at: at.year),
    "getMonth": _Hand((0, 11), lambda at: at.month - 1),
    "getDate": _Hand((1, 31), lambda at: at.day),
    "getDayOfMonth": _Hand((0, 30), lambda at: at.day - 1),
    "getDayOfWeek": _Hand((0, 6), lambda at: at.isoweekday() % 7),
    "getDayOfYear": _Hand((0, 365), lambda at: at.timetuple().tm_yday - 1),
    "getHours": _Hand((0, 23), lambda at: at.hour),
    "getMinutes": _Hand((0, 59), lambda at: at.minute),
    "getSeconds": _Hand((0, 59), lambda at: at.second),
    "getMilliseconds": _Hand((0, 999), lambda at: at.microsecond // 1000),
}


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
    found = evaluate(node, names.get, lambda name, on, values: called(name, on, values, names))
    if found is True:
        return YES
    if isinstance(found, Open):
        return Answer(State.UNKNOWN, (), tuple(f"at the time of the request: {text}" for text in found.decides))
    return NO


def called(name: str, on: Any, arguments: list[Any], names: Mapping[str, Any]) -> Any:
    """A function or operator; None for one that is not decided here. ``names``: what is known of the request."""
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
    if isinstance(on, Moment) and name in CLOCK:
        return clock_value(on, name, first if isinstance(first, str) else "UTC")
    if name == "hasOnly" and isinstance(on, list) and isinstance(first, list):
        return all(one in first for one in on)
    if on is None and name in _TAGS and len(arguments) == _TAGS[name]:
        return _tagged(name, arguments, names)
    if on is None and name == "getAttribute":
        return names.get(f"api.getAttribute({first})")
    return _made(name, first) if isinstance(first, str) else None


def _of_text(name: str, on: str, first: Any) -> Any:
    """A method of a text."""
    if name in ("startsWith", "endsWith", "contains") and isinstance(first, str):
        return _affix(name, on, first)
    if name == "extract" and isinstance(first, str) and not isinstance(first, Unresolved):
        return _extracted(on, first) if not isinstance(on, Unresolved) else _extracted_before(on, first)
    if isinstance(on, Unresolved):
        return None
    if name == "+" and isinstance(first, str) and not isinstance(first, Unresolved):
        return on + first
    return {"lowerAscii": on.lower(), "upperAscii": on.upper()}.get(name)


def _extracted(text: str, template: str) -> str | None:
    """What stands in the place of ``{...}``; empty where the text is not like the template."""
    match = _TEMPLATE.fullmatch(template)
    if match is None:
        return None
    before, after = match[1], match[2]
    start = text.find(before)
    end = text.find(after, start + len(before)) if after else len(text)
    return "" if start < 0 or end < 0 else text[start + len(before) : end]


def _extracted_before(text: Unresolved, template: str) -> str | None:
    """The same of a text that is open, where it is found before what is."""
    known = text.pattern.partition(HOLE)[0]
    match = _TEMPLATE.fullmatch(template)
    start = known.find(match[1]) if match is not None else -1
    if match is None or not match[2] or start < 0 or match[2] not in known[start + len(match[1]) :]:
        return None
    return _extracted(known, template)


def _tagged(name: str, arguments: list[Any], names: Mapping[str, Any]) -> bool | None:
    """Whether what is asked for has a tag, where the value of that is known; empty for none."""
    known = names.get(f"{'matchTagId' if name.endswith('Id') else 'matchTag'}({arguments[0]})")
    if known is None:
        return None
    return bool(known == arguments[1] if len(arguments) > 1 else known)


def clock_value(moment: datetime, name: str, zone: str = "UTC") -> int | None:
    """What a clock of a zone shows at a time: ``getHours`` and its kin; None for a zone that is not known."""
    try:
        place = _offset(zone) or ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    try:
        return CLOCK[name].read(moment.astimezone(place))
    except OverflowError:
        return None


def _offset(zone: str) -> tzinfo | None:
    match = _OFFSET.fullmatch(zone)
    if zone == "UTC" or match is None:
        return UTC if zone == "UTC" else None
    return timezone((-1 if match[1] == "-" else 1) * timedelta(hours=int(match[2]), minutes=int(match[3])))


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
