"""``plain``: functions of ARM templates that look at their arguments alone.

Source: Azure Resource Manager, "ARM template functions" (array, comparison, logical, numeric, object, string).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.azure import UNKNOWN_SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Callable

_HOLE: Final = re.compile(r"\{(\d)[^}]*\}")
_OF_IF: Final = 3  # arguments of ``if``
_MAX_ITEMS: Final = 2_000  # of a list that a function makes; ``range`` makes no more
_MAX_TEXT: Final = 100_000  # characters of a text that a function makes
_MAX_DIGITS: Final = 18  # of a number: 64 bits
_COMPARED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "less": lambda one, other: bool(one < other),
    "lessorequals": lambda one, other: bool(one <= other),
    "greater": lambda one, other: bool(one > other),
    "greaterorequals": lambda one, other: bool(one >= other),
}
_COUNTED: Final[dict[str, Callable[[int, int], int]]] = {
    "add": lambda one, other: one + other,
    "sub": lambda one, other: one - other,
    "mul": lambda one, other: one * other,
    "div": lambda one, other: abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1),
    "mod": lambda one, other: abs(one) % abs(other) * (-1 if one < 0 else 1),
}
_CASES: Final[dict[str, Callable[[str], str]]] = {"tolower": str.lower, "toupper": str.upper, "trim": str.strip}


def is_decided(value: Any) -> bool:
    """Whether a value holds nothing that stands for what the template does not decide: ``<>``, the subscription."""
    if isinstance(value, dict):
        return all(is_decided(one) for one in value.values())
    if isinstance(value, list):
        return all(is_decided(one) for one in value)
    return value is not None and not (isinstance(value, str) and ("<" in value or UNKNOWN_SUBSCRIPTION in value))


def count_of(value: Any, most: int) -> int:
    """How many values are in the lists and objects of a value, each as often as it is in one; no more than ``most``.

    A list may hold the same list many times, and that again: what is a few lines to write is endless to walk.
    """
    if not isinstance(value, (list, dict)):
        return 0
    found, pending = 0, [value]
    while pending and found < most:
        one = pending.pop()
        inner = list(one.values()) if isinstance(one, dict) else one
        found += len(inner)
        pending += [item for item in inner if isinstance(item, (list, dict))]
    return min(found, most)


def plain(name: str, given: list[Any]) -> Any:
    """The value of a function, its name in lower case; None for one that is not known, or when it is not decided."""
    match name:
        case "concat" | "format" | "uniquestring" | "guid" | "tolower" | "toupper" | "trim" | "string" | "replace":
            return _text(name, given)
        case "createarray":
            return given
        case "createobject":
            pairs = zip(given[::2], given[1::2], strict=False)
            return {str(key): value for key, value in pairs}
        case "if" if len(given) == _OF_IF:
            # which value a test that is not decided gives is not decided either, but where both are one
            decided = given[0] if isinstance(given[0], bool) else given[1] == given[2] or None
            return None if decided is None else given[1] if decided else given[2]
        case "true" | "false":
            return name == "true"
        case "and" | "or" | "not" | "bool":
            return _logical(name, given)
        case "coalesce":
            return next((one for one in given if one is not None), None)
    return _compared(name, given) if given and all(is_decided(one) for one in given) else None


def _text(name: str, given: list[Any]) -> Any:
    if None in given:
        return None  # what a part that is not decided makes of a text is not decided
    texts = [str(one) for one in given]
    found: str | None = None
    if name == "concat" and any(isinstance(one, list) for one in given):
        whole = [item for one in given if isinstance(one, list) for item in one]
        return whole if len(whole) <= _MAX_ITEMS else None
    if name == "concat":
        found = "".join(texts)
    elif name == "format" and texts:
        found = _HOLE.sub(lambda match: (texts[1:] + [""] * 10)[int(match[1])], texts[0])
    elif name in ("uniquestring", "guid"):
        found = f"<{name}({', '.join(texts)})>"
    elif name == "replace" and len(texts) == 3 and texts[1]:  # noqa: PLR2004 - text, what, by what
        found = texts[0].replace(texts[1], texts[2])
    elif name != "replace" and texts:
        found = _CASES.get(name, str)(texts[0])
    return found if found is not None and len(found) <= _MAX_TEXT else None


def _logical(name: str, given: list[Any]) -> bool | None:
    """Three-valued, as the template decides its arguments."""
    known = [one if isinstance(one, bool) else None for one in given]
    match name:
        case "and":
            return False if False in known else None if None in known else True
        case "or":
            return True if True in known else None if None in known else False
        case "not" if len(known) == 1 and known[0] is not None:
            return not known[0]
        case "bool" if len(given) == 1:
            return {"true": True, "1": True, "false": False, "0": False}.get(str(given[0]).lower())
    return None


def _compared(name: str, given: list[Any]) -> Any:
    first: Any = given[0]
    second: Any = given[1] if len(given) > 1 else None
    same_kind = type(first) is type(second) and isinstance(first, (int, str)) and not isinstance(first, bool)
    match name:
        case "equals" if len(given) > 1:
            return _same(first, second)
        case "less" | "lessorequals" | "greater" | "greaterorequals" if same_kind:
            return _COMPARED[name](first, second)
        case "add" | "sub" | "mul" | "div" | "mod" if same_kind and isinstance(first, int):
            return _number(name, first, second)
        case "int":
            return int(first) if re.fullmatch(rf"-?\d{{1,{_MAX_DIGITS}}}", str(first)) else None
        case "range" if same_kind and isinstance(first, int) and 0 <= second <= _MAX_ITEMS:
            return list(range(first, first + second))
    return _within(name, first, second) if isinstance(first, (str, list, dict)) else None


def _within(name: str, first: Any, second: Any) -> Any:
    """What is in a text, list or object."""
    match name:
        case "empty":
            return not first
        case "length":
            return len(first)
        case "contains" if isinstance(first, list):
            return any(_same(one, second) for one in first)
        case "contains" if isinstance(first, dict):
            return str(second).lower() in {str(key).lower() for key in first}
        case "contains":
            return str(second) in first
        case "first" | "last" if not isinstance(first, dict) and first:
            return first[0 if name == "first" else -1]
        case "split" if isinstance(first, str) and isinstance(second, str) and second:
            return first.split(second)
    return None


def _same(one: Any, other: Any) -> bool:
    """Of one type and equal, texts with their case: Bicep's ``=~`` lowers both before it compares."""
    return type(one) is type(other) and bool(one == other)


def _number(name: str, one: int, other: int) -> int | None:
    if other == 0 and name in ("div", "mod"):
        return None
    found = _COUNTED[name](one, other)
    return found if len(str(abs(found))) <= _MAX_DIGITS else None
