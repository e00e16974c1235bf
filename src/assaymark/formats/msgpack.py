"""Strict walk through MessagePack (github.com/msgpack/msgpack, spec.md): one value that fills the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import InputError
from assaymark.core.limits import TABLE_MAX_ITEMS
from assaymark.formats.paged import PagedView

if TYPE_CHECKING:
    from assaymark.core.view import View

_WIDTHS = {
    0xC0: 0,
    0xC2: 0,
    0xC3: 0,
    0xCA: 4,
    0xCB: 8,
    0xCC: 1,
    0xCD: 2,
    0xCE: 4,
    0xCF: 8,
    0xD0: 1,
    0xD1: 2,
    0xD2: 4,
    0xD3: 8,
}
# The first byte of small integers, maps below lists, texts, everything else, negative integers.
_SMALL, _LIST, _TEXT, _NIL, _NEGATIVE = 0x7F, 0x90, 0xA0, 0xC0, 0xE0
_BINARY = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_EXTENSION = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_FIXED_EXTENSION = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_LISTS = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}


def read_msgpack(view: View) -> frozenset[int]:
    """The types of extensions in the value: Flax uses 1 to 3 for arrays and numbers.

    Raises:
        InputError: ``msgpack-malformed`` with the byte, ``graph-size``.
    """
    paged = PagedView(view)
    extensions: set[int] = set()
    at, due, left = 0, 1, TABLE_MAX_ITEMS
    while due:
        due -= 1
        left -= 1
        if left < 0:
            raise InputError("graph-size", f"more than {TABLE_MAX_ITEMS} values", position=f"byte {at}")
        head = paged.read(at, 6)
        if not head:
            raise InputError("msgpack-malformed", "the file is cut off", position=f"byte {at}")
        length, more = _value(head, at, extensions)
        at += length
        due += more
        if at > view.size or more > view.size:
            raise InputError("msgpack-malformed", "a length is larger than the file", position=f"byte {at}")
    if at != view.size:
        raise InputError("msgpack-malformed", "bytes follow the value", position=f"byte {at}")
    return frozenset(extensions)


def _value(head: bytes, at: int, extensions: set[int]) -> tuple[int, int]:
    """(bytes of the value without what it holds, values that it holds)."""
    byte = head[0]
    if byte <= _SMALL or byte >= _NEGATIVE:
        return 1, 0
    if byte >= _TEXT and byte < _NIL:
        return 1 + (byte & 0x1F), 0
    if byte < _NIL:
        return 1, (byte & 0xF) * (1 if byte >= _LIST else 2)
    if byte in _WIDTHS:
        return 1 + _WIDTHS[byte], 0
    if byte in _BINARY:
        width = _BINARY[byte]
        return 1 + width + int.from_bytes(head[1 : 1 + width], "big"), 0
    if byte in _LISTS:
        width, times = _LISTS[byte]
        return 1 + width, times * int.from_bytes(head[1 : 1 + width], "big")
    if byte in _EXTENSION:
        width = _EXTENSION[byte]
        extensions.add(int.from_bytes(head[1 + width : 2 + width], "big", signed=True))
        return 2 + width + int.from_bytes(head[1 : 1 + width], "big"), 0
    if byte in _FIXED_EXTENSION:
        extensions.add(int.from_bytes(head[1:2], "big", signed=True))
        return 2 + _FIXED_EXTENSION[byte], 0
    raise InputError("msgpack-malformed", "no value", position=f"byte {at}")
