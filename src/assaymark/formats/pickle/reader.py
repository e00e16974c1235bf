"""Reads a pickle through a small buffer and seeks over raw data: a 500 MB pickle costs kilobytes read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.limits import SCAN_MAX_STRING

if TYPE_CHECKING:
    from assaymark.core.view import View

# The first read is a page; a stream that keeps going without raw data is read in larger pieces.
_FIRST_READ: Final = 4096
_LARGEST_READ: Final = 65_536


class Truncated(Exception):  # noqa: N818 - internal to the package: the stream ended within an opcode
    """The stream ends where bytes are still due."""


class Reader:
    """A window on ``view`` from ``start``. ``buffer[position]`` is the byte at ``base + position``."""

    __slots__ = ("_step", "base", "buffer", "end", "position", "view")

    def __init__(self, view: View, start: int) -> None:
        self.view = view
        self.end = view.size
        self.base = start
        self.buffer = b""
        self.position = 0
        self._step = _FIRST_READ

    def offset(self) -> int:
        """Where in the view the next byte is."""
        return self.base + self.position

    def refill(self, want: int = 1) -> bool:
        """Make at least ``want`` bytes available, if the stream has them."""
        rest = self.buffer[self.position :]
        start = self.base + self.position
        length = min(max(want, self._step) - len(rest), self.end - start - len(rest))
        if length > 0:
            rest += self.view.read(start + len(rest), length)
            self._step = min(2 * self._step, _LARGEST_READ)
        self.base, self.buffer, self.position = start, rest, 0
        return len(rest) >= want

    def byte(self) -> int:
        """The next byte.

        Raises:
            Truncated: at the end.
        """
        position = self.position
        if position >= len(self.buffer):
            if not self.refill():
                raise Truncated
            position = 0
        self.position = position + 1
        return self.buffer[position]

    def take(self, length: int) -> bytes:
        """The next ``length`` bytes, of which there are few: raw data is skipped, not taken.

        Raises:
            Truncated: when fewer are left.
        """
        position = self.position
        if position + length > len(self.buffer):
            if not self.refill(length):
                raise Truncated
            position = 0
        self.position = position + length
        return self.buffer[position : position + length]

    def unsigned(self, length: int) -> int:
        """The next ``length`` bytes as a little-endian number."""
        return int.from_bytes(self.take(length), "little")

    def left(self) -> int:
        """Bytes to the end of the view."""
        return self.end - self.base - self.position

    def skip(self, length: int) -> None:
        """Pass over ``length`` bytes without reading them.

        Raises:
            Truncated: when fewer are left; the position is then the end.
        """
        if length > self.left():
            self._seek(self.end)
            raise Truncated
        if self.position + length <= len(self.buffer):
            self.position += length
        else:
            self._seek(self.offset() + length)

    def _seek(self, offset: int) -> None:
        self.base, self.buffer, self.position = offset, b"", 0
        self._step = _FIRST_READ

    def line(self) -> bytes | None:
        r"""The next line without its ``\n``; ``None`` when it is longer than SCAN_MAX_STRING (and passed over).

        Raises:
            Truncated: when no line end follows: the C reader refuses such a line too.
        """
        found = self.buffer.find(b"\n", self.position)
        while found < 0:
            have = len(self.buffer) - self.position
            if have > SCAN_MAX_STRING:
                self._pass_line()
                return None
            if not self.refill(have + 1):
                self.position = len(self.buffer)
                raise Truncated
            found = self.buffer.find(b"\n")
        text = self.buffer[self.position : found]
        self.position = found + 1
        return text if len(text) <= SCAN_MAX_STRING else None

    def _pass_line(self) -> None:
        found = self.buffer.find(b"\n", self.position)
        while found < 0:
            self.position = len(self.buffer)
            if not self.refill():
                raise Truncated
            found = self.buffer.find(b"\n")
        self.position = found + 1
