"""The wire format of protocol buffers, field by field, without a schema; contents are passed over.

Encoding: https://protobuf.dev/programming-guides/encoding/. Groups (wire types 3 and 4) are refused: none of the
model formats that are read here has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from assaymark.core.errors import InputError
from assaymark.core.limits import GRAPH_MAX_DEPTH, GRAPH_MAX_FIELDS, GRAPH_MAX_NAME
from assaymark.formats.paged import PagedView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.core.view import View

VARINT: Final = 0
FIXED64: Final = 1
LENGTH: Final = 2
FIXED32: Final = 5
_FIXED: Final = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT: Final = 10
_HIGHEST_FIELD: Final = 2**29 - 1


class Field(NamedTuple):
    """One field: its number, wire type, value (of a varint) and where its content begins and ends, in bytes."""

    number: int
    wire: int
    value: int
    start: int
    end: int


class Messages:
    """The messages of one file: fields are counted over all of them, and small messages are read in one go.

    Hostile files nest and repeat; the budget of fields and the depth that callers pass bound time and memory.
    """

    __slots__ = ("_left", "_most", "_view", "view")

    def __init__(self, view: View, most: int = GRAPH_MAX_FIELDS) -> None:
        self.view = view
        self._view = PagedView(view)
        self._left = most
        self._most = most

    def top(self) -> list[Field]:
        """The fields of the file itself.

        Raises:
            InputError: ``protobuf-wire``, ``protobuf-fields``.
        """
        return self._between(0, self.view.size)

    def fields(self, outer: Field, depth: int = 0) -> list[Field]:
        """The fields of the message in ``outer``, ``depth`` messages of its own kind below the outermost one.

        Raises:
            InputError: ``protobuf-wire``, ``protobuf-fields``, ``protobuf-depth``.
        """
        if depth > GRAPH_MAX_DEPTH:
            raise InputError(
                "protobuf-depth", f"messages nest deeper than {GRAPH_MAX_DEPTH}", position=f"byte {outer.start}"
            )
        return self._between(outer.start, outer.end)

    def _between(self, start: int, end: int) -> list[Field]:
        found: list[Field] = []
        for field in read_fields(self._view, start, end, self._most + 1):
            if len(found) == self._left:
                raise InputError("protobuf-fields", f"more than {self._most} fields", position=f"byte {field.start}")
            found.append(field)
        self._left -= len(found)
        return found

    def data(self, field: Field, most: int = GRAPH_MAX_NAME) -> bytes:
        """The content of ``field``.

        Raises:
            InputError: ``protobuf-size`` above ``most`` bytes.
        """
        if field.end - field.start > most:
            raise InputError(
                "protobuf-size", f"a name or text of more than {most} bytes", position=f"byte {field.start}"
            )
        return self._view.read(field.start, field.end - field.start)

    def numbers(self, field: Field) -> list[int]:
        """The packed varints in ``field``.

        Raises:
            InputError: ``protobuf-wire``, ``protobuf-size``.
        """
        data = self.data(field)
        found: list[int] = []
        place = 0
        while place < len(data):
            value, place = _varint(data, place, field.start)
            found.append(value)
        return found

    def text(self, field: Field, most: int = GRAPH_MAX_NAME) -> str:
        """The content of ``field`` as text; bytes that are no UTF-8 are shown as such.

        Raises:
            InputError: ``protobuf-size``.
        """
        return self.data(field, most).decode("utf-8", "backslashreplace")


def read_fields(view: View, start: int, end: int, most: int) -> Iterator[Field]:
    """The fields of the message between two offsets, in their order, at most ``most``; reads 20 bytes for each.

    Raises:
        InputError: ``protobuf-wire`` where this is no message that ends at ``end``, or ``protobuf-fields``.
    """
    place = start
    count = 0
    while place < end:
        if count == most:
            raise InputError("protobuf-fields", f"more than {most} fields", position=f"byte {place}")
        count += 1
        field = _field(view.read(place, 2 * _LONGEST_VARINT), place)
        if field.end > end:
            raise InputError("protobuf-wire", "a field is longer than its message", position=f"byte {place}")
        yield field
        place = field.end


def _field(data: bytes, place: int) -> Field:
    key, used = _varint(data, 0, place)
    number, wire = key >> 3, key & 7
    if not 1 <= number <= _HIGHEST_FIELD:
        raise InputError("protobuf-wire", f"{number} is no field number", position=f"byte {place}")
    if wire in _FIXED:
        return Field(number, wire, 0, place + used, place + used + _FIXED[wire])
    if wire not in (VARINT, LENGTH):
        raise InputError("protobuf-wire", f"wire type {wire}", position=f"byte {place}")
    value, after = _varint(data, used, place)
    if wire == VARINT:
        return Field(number, wire, value, place + used, place + after)
    return Field(number, wire, 0, place + after, place + after + value)


def _varint(data: bytes, at: int, place: int) -> tuple[int, int]:
    value = shift = 0
    for index in range(at, min(at + _LONGEST_VARINT, len(data))):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that another byte follows
            return value, index + 1
        shift += 7
    raise InputError("protobuf-wire", "a number that does not end", position=f"byte {place}")
