"""The wire format of protocol buffers, field by field, without a schema; contents are passed over.

Encoding: https://protobuf.dev/programming-guides/encoding/. Groups (wire types 3 and 4) are refused: none of the
model formats that are read here has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError

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


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its number, wire type, value (of a varint) and where its content begins and ends, in bytes."""

    number: int
    wire: int
    value: int
    start: int
    end: int


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
