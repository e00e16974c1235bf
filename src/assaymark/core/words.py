"""A number with its noun, as people read it: one helper, so that no report says "1 findings"."""

from __future__ import annotations


def counted(count: int | str, noun: str, plural: str = "") -> str:
    """``1 finding``, ``2 findings``; ``plural`` where it is not the noun and an s.

    ``count`` may be the text of a number, with separators, or ``?`` where it is not known.
    """
    return f"{count} {noun}" if count in (1, "1") else f"{count} {plural or noun + 's'}"
