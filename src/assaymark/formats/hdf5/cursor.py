"""Bounded reading of little-endian fields, with the sizes that the superblock gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import InputError
from assaymark.core.limits import HDF5_MAX_NAME_BYTES, HDF5_MAX_READ_BYTES

if TYPE_CHECKING:
    from assaymark.core.view import View


def malformed(message: str, at: int) -> InputError:
    """The error of a file that breaks the format's rules."""
    return InputError("hdf5-structure", message, position=f"byte {at}")


class Space:
    """The address space of one file: addresses count from ``base``. What is read in all is bounded."""

    def __init__(self, view: View, base: int, offset_size: int, length_size: int) -> None:
        self.view = view
        self.base = base
        self.offset_size = offset_size
        self.length_size = length_size
        self.undefined = (1 << (8 * offset_size)) - 1
        self._left = HDF5_MAX_READ_BYTES

    def spend(self, cost: int) -> None:
        """Count bytes that are read, or what takes as long.

        Raises:
            InputError: ``hdf5-limit``.
        """
        self._left -= cost
        if self._left < 0:
            raise InputError("hdf5-limit", f"more than {HDF5_MAX_READ_BYTES} bytes of structure")

    def cursor(self, address: int, size: int) -> Cursor:
        """A cursor over ``size`` bytes at ``address``, which must be there.

        Raises:
            InputError: ``hdf5-structure``, or ``hdf5-limit`` when too much is read in all.
        """
        at = self.base + address
        if address < 0 or size < 0 or at + size > self.view.size:
            raise malformed(f"{size} bytes are due where the file has ended", at)
        self.spend(size + 64)
        return Cursor(self, self.view.read(at, size), at)


class Cursor:
    """A position in a block of bytes."""

    def __init__(self, space: Space, data: bytes, start: int) -> None:
        self.space = space
        self.data = data
        self.at = 0
        self.start = start

    @property
    def left(self) -> int:
        """Bytes that were not read yet."""
        return len(self.data) - self.at

    @property
    def place(self) -> int:
        """Where the next byte is in the file."""
        return self.start + self.at

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        if size > self.left:
            raise malformed("a field that runs over its block", self.place)
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        """An unsigned number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "little")

    def offset(self) -> int:
        """An address; ``space.undefined`` when there is none."""
        return self.number(self.space.offset_size)

    def length(self) -> int:
        """A length."""
        return self.number(self.space.length_size)

    def expect(self, magic: bytes) -> None:
        """The signature of a block."""
        if self.take(len(magic)) != magic:
            raise malformed(f"no {magic.decode('latin-1')!r} where it is due", self.place - len(magic))

    def align(self, size: int) -> None:
        """Skip padding to a multiple of ``size`` from the start of the block."""
        self.at = min(len(self.data), -(-self.at // size) * size)

    def text(self) -> str:
        """Text up to a NUL."""
        end = self.data.find(b"\0", self.at, self.at + HDF5_MAX_NAME_BYTES)
        if end < 0:
            raise malformed("a text that does not end", self.place)
        raw = self.data[self.at : end]
        self.at = end + 1
        return raw.decode("utf-8", "backslashreplace")
