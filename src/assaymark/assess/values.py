"""Values of Terraform's expressions: plain ones, ``Map`` and ``Seq``, ``Unresolved``, and JSON as text."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Final

from assaymark.assess.unresolved import HOLE, Unresolved, pattern_of
from assaymark.core.errors import InputError
from assaymark.formats.located import Map, Seq, listed, read_json

_DIGITS: Final = 5
_MOST_DIGITS: Final = 18


class Json(str):
    """A text that ``jsonencode`` made, and the value it was made from, which knows its lines."""

    __slots__ = ("value",)

    value: Any

    def __new__(cls, value: Any) -> Json:  # noqa: PYI034 - nobody derives from it
        """The text is the encoded value."""
        found = super().__new__(cls, json.dumps(value, default=str))
        found.value = value
        return found


def mappings(*places: Any) -> list[Any]:
    """All mappings within some values, at any depth, the values themselves among them."""
    found, pending = [], list(places)
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            found.append(value)
            pending += value.values()
        elif isinstance(value, list):
            pending += value
    return found


def texts_in(*places: Any) -> list[str]:
    """All texts within some values, at any depth, the values themselves among them; not the keys of mappings."""
    found, pending = [], list(places)
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, list):
            pending += value
    return found


def json_of(value: Any, line: int, path: str = "") -> Any:
    """The value of a JSON text, with its holes as ``Unresolved``; None when it is no JSON; a value stays itself.

    Args:
        value: what an attribute has: ``Json``, a text, a ``Map``, or ``Unresolved``.
        line: where the text begins.
        path: the file that it came from, when that is another one.
    """
    if isinstance(value, Json):
        return value.value
    if not isinstance(value, str):
        return value if isinstance(value, Map) else None
    try:
        found = read_json(pattern_of(value), line)
    except InputError:
        return Unresolved(value, pattern_of(value)) if isinstance(value, Unresolved) else None
    return _opened(found, path)


def _opened(value: Any, path: str) -> Any:
    """The value with each text that has a hole marked."""
    if isinstance(value, Map):
        value.path = path
        for key, item in value.items():
            value[key] = _opened(item, path)
    elif isinstance(value, Seq):
        value.path = path
        value[:] = [_opened(item, path) for item in value]
    elif isinstance(value, str) and HOLE in value:
        return Unresolved(value.replace(HOLE, "${...}"), value)
    return value


def text_of(value: Any) -> str | None:
    """A scalar as Terraform writes it into a text; None for what has none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, (int, float)) else None


def unresolved(value: Any) -> bool:
    """Whether the value, or anything within, was left open."""
    if isinstance(value, Unresolved):
        return True
    if isinstance(value, dict):
        return any(unresolved(item) for item in value.values())
    return isinstance(value, list) and any(unresolved(item) for item in value)


def dicts_in(value: Any) -> list[dict[str, Any]]:
    """The mapping that a value is, or those that a list holds, whether they know their lines or not."""
    return [one for one in ([value] if isinstance(value, dict) else listed(value)) if isinstance(one, dict)]


def whole_number(value: Any) -> int | None:
    """A number, of digits in a text too, as ports and priorities are written; None for what is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value) if isfinite(value) else None
    return int(value) if isinstance(value, str) and len(value) <= _DIGITS and value.isdecimal() else None


def natural(text: str | None) -> int | None:
    """The number that digits stand for, as counts and indexes are; None for other texts.

    What has more digits than any count is as large as a count can be.
    """
    if text is None or not text.isascii() or not text.isdigit():
        return None
    return int(text) if len(text) <= _MOST_DIGITS else 10**_MOST_DIGITS


def is_higher(tree: tuple[Any, ...], limit: int) -> bool:
    """Whether tuples in tuples, as parsers of conditions make them, nest deeper than ``limit``."""
    level, height = [tree], 0
    while level:
        height += 1
        if height > limit:
            return True
        level = [one for node in level for one in node if isinstance(one, tuple)]
    return False
