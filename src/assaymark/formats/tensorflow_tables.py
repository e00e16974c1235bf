"""What lies beside TensorFlow's graphs: tables of checkpoints (``.index``) and files of records (``tfevents``).

Table: tensorflow/core/lib/io/format.h, LevelDB's: blocks, each with a byte of compression and a CRC-32C, and a footer
of 48 bytes. Records: tensorflow/core/lib/io/record_writer.h: a length, its checksum, the data, its checksum.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError

if TYPE_CHECKING:
    from assaymark.core.view import View

_FOOTER: Final = 48
_MAGIC: Final = (0xDB4775248B80FB57).to_bytes(8, "little")
_HEADER: Final = 12
_TAIL: Final = 4
_TRAILER: Final = 5  # of a block: compression and checksum
_MAX_RECORDS: Final = 2_000_000
_MASK_DELTA: Final = 0xA282EAD8


def read_table(view: View) -> None:
    """Check that the two blocks that the footer names lie in the file.

    Raises:
        InputError: ``tensorflow-table``.
    """
    footer = view.read(view.size - _FOOTER, _FOOTER) if view.size >= _FOOTER else b""
    if footer[-8:] != _MAGIC:
        raise InputError("tensorflow-table", "no footer of a table", position="byte 0")
    place = 0
    for what in ("metaindex", "index"):
        offset, place = _varint(footer, place)
        size, place = _varint(footer, place)
        if offset + size + _TRAILER > view.size - _FOOTER:
            raise InputError("tensorflow-table", f"the {what} block lies outside the file", position=f"byte {offset}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(10):
        byte = data[at + index] if at + index < _FOOTER - 8 else 0x80
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004 - the highest bit says that another byte follows
            return value, at + index + 1
    raise InputError("tensorflow-table", "a number in the footer does not end")


def begins_as_records(view: View) -> bool:
    """Whether the first record's length has its checksum."""
    head = view.read(0, _HEADER)
    length = int.from_bytes(head[:8], "little")
    return len(head) == _HEADER and length <= view.size and int.from_bytes(head[8:], "little") == _masked(head[:8])


def read_records(view: View) -> int:
    """The number of records, which fill the file exactly; their data is passed over.

    Raises:
        InputError: ``tensorflow-records``, ``graph-size`` above the most that are counted.
    """
    place = count = 0
    while place < view.size:
        head = view.read(place, _HEADER)
        length = int.from_bytes(head[:8], "little")
        if len(head) < _HEADER or place + _HEADER + length + _TAIL > view.size:
            raise InputError("tensorflow-records", "a record is longer than the file", position=f"byte {place}")
        if int.from_bytes(head[8:], "little") != _masked(head[:8]):
            raise InputError("tensorflow-records", "a record's length has another checksum", position=f"byte {place}")
        place += _HEADER + length + _TAIL
        count += 1
        if count == _MAX_RECORDS:
            raise InputError("graph-size", f"more than {_MAX_RECORDS} records", position=f"byte {place}")
    return count


@cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)  # noqa: PLW2901 - the polynomial of CRC-32C
        table.append(value)
    return tuple(table)


def _masked(data: bytes) -> int:
    crc = 0xFFFFFFFF
    table = _crc_table()
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
