"""FlatBuffers, read with every offset checked: https://flatbuffers.dev/internals/."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.core.errors import InputError
from assaymark.core.limits import FLATBUFFERS_MAX_ITEMS, GRAPH_MAX_NAME

if TYPE_CHECKING:
    from assaymark.core.view import View


class Buffer:
    """A buffer whose items are counted, so that a small file cannot name the same part a million times."""

    __slots__ = ("_left", "view")

    def __init__(self, view: View) -> None:
        self.view = view
        self._left = FLATBUFFERS_MAX_ITEMS

    def error(self, what: str, at: int) -> InputError:
        """The error that ``what`` is wrong at a byte."""
        return InputError("flatbuffers-malformed", what, position=f"byte {max(at, 0)}")

    def count(self, items: int, at: int) -> None:
        """Take ``items`` from the budget.

        Raises:
            InputError: ``graph-size``.
        """
        self._left -= items
        if self._left < 0:
            raise InputError("graph-size", f"more than {FLATBUFFERS_MAX_ITEMS} items", position=f"byte {at}")

    def number(self, at: int, width: int, *, signed: bool = False) -> int:
        """The little-endian number at a byte.

        Raises:
            InputError: ``flatbuffers-malformed`` outside the file.
        """
        data = self.view.read(at, width) if at >= 0 else b""
        if len(data) != width:
            raise self.error("an offset leads out of the file", at)
        return int.from_bytes(data, "little", signed=signed)

    def root(self, start: int = 0) -> Table:
        """The root table, of a buffer that begins at ``start``."""
        return self.table(start + self.number(start, 4))

    def table(self, at: int) -> Table:
        """The table at a byte."""
        self.count(1, at)
        virtual = at - self.number(at, 4, signed=True)
        size = self.number(virtual, 2)
        if size < 4 or size % 2 or virtual < 0:  # noqa: PLR2004 - the two sizes of a virtual table
            raise self.error("a table without its layout", at)
        data = self.view.read(virtual, size)
        if len(data) != size:
            raise self.error("a table's layout leads out of the file", virtual)
        fields = tuple(int.from_bytes(data[place : place + 2], "little") for place in range(4, size, 2))
        return Table(self, at, fields)

    def text(self, at: int, most: int = GRAPH_MAX_NAME) -> bytes:
        """The text whose length is at a byte."""
        length = self.number(at, 4)
        if length > self.view.size - at - 4:
            raise self.error("a text is longer than the file", at)
        if length > most:
            raise InputError("graph-size", f"a text of {length} bytes", position=f"byte {at}")
        return self.view.read(at + 4, length)


@dataclass(frozen=True, slots=True)
class Table:
    """One table: where it is, and for each field the distance of its value; 0 when it has none."""

    buffer: Buffer
    at: int
    fields: tuple[int, ...]

    def place(self, field: int) -> int:
        """The byte of a field's value; 0 when it is absent."""
        distance = self.fields[field] if field < len(self.fields) else 0
        return self.at + distance if distance else 0

    def number(self, field: int, width: int, default: int = 0, *, signed: bool = False) -> int:
        """A number."""
        place = self.place(field)
        return self.buffer.number(place, width, signed=signed) if place else default

    def _target(self, field: int) -> int:
        place = self.place(field)
        return place + self.buffer.number(place, 4) if place else 0

    def text(self, field: int) -> str:
        """A text; empty when it is absent."""
        target = self._target(field)
        return self.buffer.text(target).decode("utf-8", "backslashreplace") if target else ""

    def table(self, field: int) -> Table | None:
        """A table; None when it is absent."""
        target = self._target(field)
        return self.buffer.table(target) if target else None

    def vector(self, field: int, width: int) -> tuple[int, int]:
        """(first byte, count) of a vector of items of ``width`` bytes, which lies in the file; (0, 0) when absent."""
        target = self._target(field)
        if not target:
            return 0, 0
        count = self.buffer.number(target, 4)
        if count * width > self.buffer.view.size - target - 4:
            raise self.buffer.error(f"a list of {count} items is longer than the file", target)
        return target + 4, count

    def numbers(self, field: int, width: int = 4, *, signed: bool = True) -> list[int]:
        """A vector of numbers."""
        start, count = self.vector(field, width)
        self.buffer.count(count, start)
        data = self.buffer.view.read(start, count * width)
        return [int.from_bytes(data[at : at + width], "little", signed=signed) for at in range(0, len(data), width)]

    def tables(self, field: int) -> list[Table]:
        """A vector of tables."""
        start, count = self.vector(field, 4)
        self.buffer.count(count, start)
        places = range(start, start + 4 * count, 4)
        return [self.buffer.table(place + self.buffer.number(place, 4)) for place in places]
