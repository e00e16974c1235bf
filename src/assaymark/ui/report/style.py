"""Colour and escapes: how text looks on a terminal, and what must not reach one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, TextIO

_FIRST_BYTE, _LAST_BYTE = 0xDC80, 0xDCFF
_CODES: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class Style:
    """Colour for a terminal, or none."""

    colour: bool = False

    def __call__(self, text: str, *names: str) -> str:
        """``text`` in the named colours (bold, dim, red, green, yellow, cyan)."""
        if not self.colour or not names:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"


def style_for(stream: TextIO) -> Style:
    """Colour only on a terminal, and never when NO_COLOR is set and not empty (no-color.org)."""
    return Style(stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb")


def printable(text: str) -> str:
    r"""``text`` with control characters escaped, so that a hostile file name cannot drive a terminal.

    Line ends too: a name may not begin a line of its own, which a CI runner may take for a command (``::error::``).
    A byte of a file name that is not UTF-8 is the byte: ``\xff``.
    """
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    if _FIRST_BYTE <= ord(char) <= _LAST_BYTE:  # PEP 383: how Python holds a byte that is not UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape", "surrogatepass").decode()


def human_size(count: int) -> str:
    """Bytes for people: ``812 bytes``, ``4.2 kB``, ``3.9 GB`` (powers of 1000)."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":  # noqa: PLR2004
            return f"{count} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError
