"""``joined_lines``: the lines of a script, each with those that continue it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def joined_lines(text: str, first: int = 1) -> Iterator[tuple[int, str]]:
    """Line number and line; a backslash at the end of one joins the next to it. Blank ones are left out.

    ``first``: the number of the first line.
    """
    whole, start = "", first
    for number, line in enumerate(text.split("\n"), first):
        start = start if whole else number
        plain = line.rstrip("\r")
        whole += plain.removesuffix("\\") + (" " if plain.endswith("\\") else "")
        if not plain.endswith("\\"):
            if whole.strip():
                yield start, whole
            whole = ""
    if whole.strip():
        yield start, whole
