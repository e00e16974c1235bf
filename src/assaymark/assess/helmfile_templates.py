"""``plain_releases``: the releases of a helmfile that is a template in which nothing is to be filled in.

What stands in a block (``if``, ``range``) may come out or not, and what an expression writes is not known: releases
with either are not read. Source: helmfile, "Templating" and "Values files templates"; Go's ``text/template``.
"""

from __future__ import annotations

import re
from typing import Final

from assaymark.core.errors import InputError
from assaymark.formats.located import Map, listed, maps_in
from assaymark.formats.located_yaml import read_located_yaml

_ACTION: Final = re.compile(r"\{\{((?:(?!\{\{|\}\}).)*)\}\}", re.DOTALL)
_OPENS: Final = re.compile(r"(?:if|range|with|define|block)\b")
_SILENT: Final = re.compile(r"/\*|\$\w+\s*:?=")  # comments, and what only gives a name
_FILLED: Final = "\ue000"  # stands for what an expression writes
_INNER: Final = 1_000_000  # deeper than anything
_ITEM: Final = re.compile(r"\s*-\s")
_TOP: Final = re.compile(r"[^\s#-]|---")


def plain_releases(text: str) -> list[Map]:
    """Their mappings, with their lines; none where what is left is no YAML."""
    lines, odd = _stripped(text)
    try:
        documents = read_located_yaml("\n".join(lines))
    except InputError:
        return []
    found = []
    for value in documents:
        releases = maps_in(listed(value.get("releases"))) if isinstance(value, Map) else []
        ends = [one.line for one in releases[1:]]
        ends += [_end(lines, releases[-1].line)] if releases else []
        for one, end in zip(releases, ends, strict=True):
            own = _indent(lines[one.line - 1])
            inside = any(one.line <= line < end and indent > own for line, indent in odd.items())
            if not inside and one.line not in odd:
                found.append(one)
    return found


def _end(lines: list[str], start: int) -> int:
    """The line where another part of the file begins."""
    return next((at for at in range(start + 1, len(lines) + 1) if _TOP.match(lines[at - 1])), len(lines) + 1)


def _stripped(text: str) -> tuple[list[str], dict[int, int]]:
    """The lines without blocks and with a mark for what is filled in; and those that are not plain, with an indent.

    A block of items that stand where a release does is no part of the one before it.
    """
    whole = _ACTION.sub(lambda match: match[0].replace("\n", " ") + _FILLED * match[0].count("\n"), text)
    given = [one for line in whole.split("\n") for one in _unfolded(line)]
    lines, odd = list[str](), dict[int, int]()
    depth, indent = 0, _INNER
    for number, line in enumerate(given, 1):
        words = [match[1].removeprefix("-").removesuffix("-").strip() for match in _ACTION.finditer(line)]
        rest = _ACTION.sub("", line).strip()
        opened, closed = sum(bool(_OPENS.match(one)) for one in words), sum(one == "end" for one in words)
        if not depth and opened:
            after = next((one for one in given[number:] if _ACTION.sub("", one).strip()), "")
            indent = _indent(after) if _ITEM.match(after) and not rest else _INNER
        if depth or opened or closed:
            lines.append("")
            odd[number] = indent
        elif words and not rest:
            lines.append("")
            odd |= {number: _INNER} if any(not _SILENT.match(one) for one in words) else {}
        else:
            lines.append(_ACTION.sub(_FILLED, line))
            odd |= {number: _INNER} if words else {}
        depth = max(0, depth + opened - closed)
    return lines, odd


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _unfolded(line: str) -> list[str]:
    """A line, and empty ones for those that an expression of it went on in."""
    return [line.replace(_FILLED, ""), *[""] * line.count(_FILLED)]
