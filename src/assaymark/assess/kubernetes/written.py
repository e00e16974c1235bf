"""Manifests as somebody wrote them: where keys stand in lines, and where a line may be put between them.

What is written in braces, or behind an alias, has no line of its own, and what an overlay put in is not in the
object's file: nothing is changed there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.formats.located import Elsewhere, Map, Seq

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assaymark.assess.estate.kubernetes import Object

_YAML: Final = (".yaml", ".yml")
_KEY: Final = re.compile(r"(\s*(?:- +)*)(?:\"([^\"]+)\"|'([^']+)'|([^\s\"'{\[#&*!|>%@`][^:]*?))\s*:(?:\s+(.*))?$")
_VALUE: Final = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|[^\s|>&*!{\[#\"'][^#]*?"


def in_yaml(one: Object) -> bool:
    """Whether an object is written in YAML."""
    return one.file.path.lower().endswith(_YAML)


def column(lines: Sequence[str], where: Map, key: str) -> int | None:
    """The column that a key begins at; None for one that does not begin its line."""
    number = where.at(key)
    if key not in where or isinstance(number, Elsewhere) or not 0 < number <= len(lines):
        return None
    match = _KEY.match(lines[number - 1])
    if match is None or key not in match.groups()[1:4]:
        return None
    return len(match[1])


def scalar(lines: Sequence[str], where: Map, key: str) -> re.Match[str] | None:
    """The line of a key whose value, a plain one, is on it and ends with it; the value is the group ``value``."""
    at = column(lines, where, key)
    if at is None or isinstance(where[key], (Map, Seq)):
        return None
    number = where.at(key)
    after = next((text for text in lines[number:] if text.strip() and not text.lstrip().startswith("#")), "")
    if len(after) - len(after.lstrip(" ")) > at and not after.lstrip().startswith("- "):
        return None  # it goes on
    return re.match(rf"(?P<head>.{{{at}}}[^:]*?:\s+)(?P<value>{_VALUE})(?P<tail>\s*(?:\s#.*)?)$", lines[number - 1])


def set_scalar(lines: Sequence[str], where: Map, key: str, value: str) -> tuple[int, str] | None:
    """The line of a key and what it becomes with another value; None where the value is not plain."""
    match = scalar(lines, where, key)
    return (where.at(key), f"{match['head']}{value}{match['tail']}") if match is not None else None


def room(lines: Sequence[str], where: Map) -> tuple[int, int] | None:
    """A line before which keys of a mapping may be added, and their column; None for a mapping in braces."""
    keys = sorted(where, key=where.at)
    columns = [column(lines, where, key) for key in keys]
    at = columns[0] if columns else None
    if at is None or any(one != at for one in columns):
        return None
    for key in keys:
        if scalar(lines, where, key) is not None:
            return where.at(key) + 1, at
    first = where.at(keys[0])
    if not lines[first - 1][:at].strip():
        return first, at
    return (where.at(keys[1]), at) if len(keys) > 1 else None


def span(lines: Sequence[str], where: Map, key: str) -> tuple[int, int] | None:
    """The first and last line of a key with its value; None for one that does not begin its line."""
    at = column(lines, where, key)
    if at is None:
        return None
    return where.at(key), _end(lines, where.at(key), at, lists=True)


def item_span(lines: Sequence[str], items: Seq, index: int) -> tuple[int, int] | None:
    """The first and last line of an item of a list; None for one in brackets."""
    number = items.at(index)
    if isinstance(number, Elsewhere) or not 0 < number <= len(lines):
        return None
    match = re.match(r"(\s*)- ", lines[number - 1])
    return (number, _end(lines, number, len(match[1]), lists=False)) if match is not None else None


def _end(lines: Sequence[str], first: int, at: int, *, lists: bool) -> int:
    """The last line of what begins at a column: all that is deeper, for a key also a list at the same column."""
    last = first
    for number in range(first + 1, len(lines) + 1):
        text = lines[number - 1]
        bare = text.lstrip(" ")
        if not bare or bare.startswith("#"):
            continue
        depth = len(text) - len(bare)
        if text.startswith(("---", "...")) or depth < at:
            break
        if depth == at and not (lists and bare.startswith("- ") and not lines[first - 1][:at].strip()):
            break
        last = number
    return last


def document(lines: Sequence[str], one: Object) -> tuple[int, int] | None:
    """The first and last line of an object that is a document of its own, with one line that parts it from others."""
    first = one.value.line
    if isinstance(first, Elsewhere):
        return None
    start = first
    while start > 1 and not lines[start - 2].startswith("---"):
        if lines[start - 2].strip() and not lines[start - 2].lstrip().startswith("#"):
            return None
        start -= 1
    stop = first
    while stop < len(lines) and not lines[stop].startswith("---"):
        stop += 1
    if stop < len(lines):
        return start, stop + 1
    return (start - 1 if start > 1 else start), stop
