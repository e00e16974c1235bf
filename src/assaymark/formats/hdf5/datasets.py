"""Where an array lies in the file: its type, shape and layout (HDF5 File Format Specification 3.0, IV.A.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.formats.hdf5.chunks import FIXED, INDEXES, SINGLE, TREE_1, TREE_2, Chunks
from assaymark.formats.hdf5.cursor import Cursor, malformed
from assaymark.formats.hdf5.filters import read_filters
from assaymark.formats.hdf5.headers import Message, resolve

if TYPE_CHECKING:
    from assaymark.formats.hdf5.cursor import Space

_SPACE, _TYPE, _EXTERNAL_FILES, _LAYOUT, _FILTERS = 0x01, 0x03, 0x07, 0x08, 0x0B
_FIXED, _FLOAT = 0, 1
_COMPACT, _CONTIGUOUS, _CHUNKED = 0, 1, 2
_FILL: Final = 0x05
_SINGLE_FILTERED: Final = 2
_INDEX_BYTES: Final = {FIXED: 1, TREE_2: 6}  # parameters of creation, which reading does not need
_IMPLIED: Final = 2  # the first bit of the mantissa is not stored
_LAYOUT_VERSIONS: Final = (3, 4, 5)  # 5, of HDF5 2.0, is 4 with wider lengths in indexes
# Of each width: where sign, exponent and mantissa lie, how many bits they have, and the bias (IEEE 754).
_IEEE: Final = {
    2: (10, 5, 0, 10, 15, 15),
    4: (23, 8, 0, 23, 127, 31),
    8: (52, 11, 0, 52, 1023, 63),
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """An array: its path, its element's class, width and byte order, its shape, and where in the file it lies.

    ``start`` is ``None`` for one that does not lie there as it is: in chunks, filtered, outside, never written.
    ``kind`` is ``i``, ``u``, ``f`` as IEEE 754 has them, or empty for any other type. ``chunks`` says how one lies in
    chunks of a kind that is read.
    """

    path: str
    kind: str
    width: int
    big: bool
    shape: tuple[int, ...]
    start: int | None
    size: int
    chunks: Chunks | None = None


def read_dataset(space: Space, messages: list[Message], path: str) -> Dataset:
    """The array that the messages of an object describe.

    Raises:
        InputError: ``hdf5-structure``.
    """
    found = {message.kind: message for message in messages}
    kind, width, big = _element(space, found.get(_TYPE))
    shape = read_shape(space, found.get(_SPACE))
    start, size, chunks = None, 0, None
    if _EXTERNAL_FILES not in found:
        if _FILTERS not in found:
            start, size = _place(space, found[_LAYOUT])
        if start is None and shape:
            chunks = _chunks(space, found, shape, width)
    return Dataset(path, kind if shape is not None else "", width, big, shape or (), start, size, chunks)


def _chunks(space: Space, found: dict[int, Message], shape: tuple[int, ...], width: int) -> Chunks | None:
    """The chunks of an array; ``None`` for one that is not in chunks, or in such of a form that is not read."""
    layout = found[_LAYOUT]
    body = Cursor(space, layout.body, layout.start)
    version, kind = body.number(1), body.number(1)
    if version not in _LAYOUT_VERSIONS or kind != _CHUNKED:
        return None
    index, flags, single = TREE_1, 0, None
    filters = read_filters(space, found[_FILTERS]) if _FILTERS in found else ()
    if version == 3:  # noqa: PLR2004
        rank, address = body.number(1), body.offset()
        sides = [body.number(4) for _ in range(rank)]
    else:
        flags, rank, wide = body.number(1), body.number(1), body.number(1)
        sides = [body.number(wide) for _ in range(rank)]
        index = body.number(1)
        if index == SINGLE and flags & _SINGLE_FILTERED:
            single = (body.length(), body.number(4))
        body.take(_INDEX_BYTES.get(index, 0))
        address = body.offset()
    if index not in INDEXES or rank != len(shape) + 1 or sides[-1] != width:
        return None
    most = read_shape(space, found.get(_SPACE), most=True) or shape
    fill = _fill(space, found, width)
    return Chunks(space, tuple(sides[:-1]), most, index, address, filters, flags, fill, single)


def _fill(space: Space, found: dict[int, Message], width: int) -> bytes | None:
    """The element that was never written; empty for zeros, ``None`` when it is said to be undefined."""
    if _FILL not in found:
        return b""
    message = resolve(space, found[_FILL])
    body = Cursor(space, message.body, message.start)
    version = body.number(1)
    if version > 2:  # noqa: PLR2004 - the version whose flags say all
        flags = body.number(1)
        if flags & 0b1_0000:
            return None
        defined = flags & 0b10_0000
    else:
        body.take(2)
        defined = body.number(1) or version == 1
    value = body.take(body.number(4)) if defined else b""
    return value if len(value) == width else b""


def _element(space: Space, message: Message | None) -> tuple[str, int, bool]:
    if message is None:
        return "", 0, False
    message = resolve(space, message)
    body = Cursor(space, message.body, message.start)
    kind = body.number(1) & 15
    bits, sign, _ = body.number(1), body.number(1), body.number(1)
    width = body.number(4)
    if kind not in (_FIXED, _FLOAT) or body.left < 4:  # noqa: PLR2004 - bit offset and precision
        return "", width, False
    offset, precision = body.number(2), body.number(2)
    if offset or precision != 8 * width or bits & 0b0100_0110:  # padding of set bits, VAX order
        return "", width, False
    if kind == _FIXED:
        return ("i" if bits & 8 else "u"), width, bool(bits & 1)
    exponent, exponent_bits, mantissa, mantissa_bits = (body.number(1) for _ in range(4))
    said = (exponent, exponent_bits, mantissa, mantissa_bits, body.number(4), sign)
    implied = (bits >> 4) & 3 == _IMPLIED
    return ("f" if _IEEE.get(width) == said and implied else ""), width, bool(bits & 1)


def read_shape(space: Space, message: Message | None, *, most: bool = False) -> tuple[int, ...] | None:
    """The extent, or the greatest one where ``most`` is asked for and it has one; ``None`` without elements.

    Raises:
        InputError: ``hdf5-structure``.
    """
    if message is None:
        return None
    message = resolve(space, message)
    body = Cursor(space, message.body, message.start)
    version, rank, flags = body.number(1), body.number(1), body.number(1)
    if version not in (1, 2):
        raise malformed("a dataspace of an unknown version", body.start)
    form = body.number(1)
    if version == 1:
        body.take(4)
    elif form == 2:  # noqa: PLR2004 - null
        return None
    extent = tuple(body.length() for _ in range(rank))
    if not most:
        return extent
    return tuple(body.length() for _ in range(rank)) if flags & 1 else None


def _place(space: Space, message: Message) -> tuple[int | None, int]:
    body = Cursor(space, message.body, message.start)
    version, kind = body.number(1), body.number(1)
    if version not in _LAYOUT_VERSIONS:
        return None, 0
    if kind == _COMPACT:
        size = body.number(2)
        return body.place, size
    if kind != _CONTIGUOUS:
        return None, 0
    address, size = body.offset(), body.length()
    return (None if address == space.undefined else space.base + address), size
