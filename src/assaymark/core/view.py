"""How engines read bytes without opening files: random access to something of known size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class View(Protocol):
    """Bytes of known size. ``read`` returns fewer bytes than asked only at the end."""

    @property
    def size(self) -> int:
        """Bytes in all."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; empty at or past the end."""
        ...


@dataclass(frozen=True, slots=True)
class BytesView:
    """A view of bytes in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """Bytes in all."""
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``."""
        return self.data[offset : offset + length]


@dataclass(frozen=True, slots=True)
class SliceView:
    """A window of another view: a stored member of a container."""

    parent: View
    start: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset`` of the window."""
        if offset >= self.size:
            return b""
        return self.parent.read(self.start + offset, min(length, self.size - offset))
