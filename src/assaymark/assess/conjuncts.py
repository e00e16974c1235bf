"""Parts of conditions as they are written: those that must all be so (``conjuncts``), or any (``alternatives``)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_PIECE: Final = re.compile(
    r"'[^']*'|\"[^\"]*\"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<and>&&)|(?P<or>\|\||\?)|(?P<word>[A-Za-z_][\w.]*)|.",
    re.DOTALL,
)


@lru_cache(maxsize=4096)
def conjuncts(condition: str, *, words: bool = False) -> tuple[str, ...]:
    """The parts of ``A && B && ...``, without parentheses that are around a whole one; one for what is none.

    ``words``: ``AND`` and ``OR`` are operators too, in any case. A condition with escapes or comments is left whole.
    """
    text = condition.strip()
    if "\\" in text or "//" in text:
        return (text,)
    depth, start = 0, 0
    found: list[str] = []
    closed_early = False
    for match in _PIECE.finditer(text):
        kind, word = match.lastgroup, match[0].upper() if words and match["word"] else ""
        depth += (kind == "open") - (kind == "close")
        if depth < 0:
            return (text,)
        closed_early = closed_early or (depth == 0 and match.end() < len(text))
        if depth == 0 and (kind == "or" or word == "OR"):
            return (text,)
        if depth == 0 and (kind == "and" or word == "AND"):
            found.append(text[start : match.start()])
            start = match.end()
    if depth:
        return (text,)
    if not found:
        whole = text.startswith("(") and not closed_early
        return conjuncts(text[1:-1], words=words) if whole else (text,)
    return tuple(part for one in (*found, text[start:]) for part in conjuncts(one, words=words))


@lru_cache(maxsize=4096)
def alternatives(condition: str) -> tuple[str, ...]:
    """The parts of ``A || B || ...``, of which one is enough, as ``conjuncts`` has those of ``&&``."""
    text = condition.strip()
    if "\\" in text or "//" in text:
        return (text,)
    depth, start = 0, 0
    found: list[str] = []
    closed_early = False
    for match in _PIECE.finditer(text):
        depth += (match.lastgroup == "open") - (match.lastgroup == "close")
        if depth < 0 or (depth == 0 and match[0] == "?"):
            return (text,)
        closed_early = closed_early or (depth == 0 and match.end() < len(text))
        if depth == 0 and match[0] == "||":
            found.append(text[start : match.start()])
            start = match.end()
    if depth:
        return (text,)
    if not found:
        whole = text.startswith("(") and not closed_early
        return alternatives(text[1:-1]) if whole else (text,)
    return tuple(part for one in (*found, text[start:]) for part in alternatives(one))


def without_alternative(condition: str) -> list[tuple[str, str]]:
    """Each alternative of a part of a condition that has several, with the condition without it."""
    parts = conjuncts(condition)
    found: list[tuple[str, str]] = []
    for index, part in enumerate(parts):
        some = alternatives(part)
        for at, one in enumerate(some) if len(some) > 1 else ():
            left = (*some[:at], *some[at + 1 :])
            rest = left[0] if len(left) == 1 else " || ".join(f"({other})" for other in left)
            found.append((one, joined((*parts[:index], rest, *parts[index + 1 :]))))
    return found


def joined(parts: tuple[str, ...]) -> str:
    """Parts of a condition as one; ``conjuncts`` takes them apart again."""
    return parts[0] if len(parts) == 1 else " && ".join(f"({one})" for one in parts)


def without_each(condition: str, *, words: bool = False) -> list[tuple[str, str | None]]:
    """Each part of a condition, with the condition without it; None for none that is left."""
    parts = conjuncts(condition, words=words)
    found: list[tuple[str, str | None]] = []
    for index, part in enumerate(parts):
        rest = (*parts[:index], *parts[index + 1 :])
        found.append((part, joined(rest) if rest else None))
    return found
