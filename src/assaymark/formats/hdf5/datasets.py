"""Where an array lies in the file: its type, shape and layout (HDF5 File Format Specification 3.0, IV.A.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.formats.hdf5.cursor import Cursor, malformed
from assaymark.formats.hdf5.headers import Message, resolve

if TYPE_CHECKING:
    from assaymark.formats.hdf5.cursor import Space

_SPACE, _TYPE, _EXTERNAL_FILES, _LAYOUT, _FILTERS = 0x01, 0x03, 0x07, 0x08, 0x0B
_FIXED, _FLOAT = 0, 1
_COMPACT, _CONTIGUOUS = 0, 1
_IMPLIED: Final = 2  # the first bit of the mantissa is not stored
_LAYOUT_VERSIONS: Final = (3, 4)
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
    ``kind`` is ``i``, ``u``, ``f`` as IEEE 754 has them, or empty for any other type.
    """

    path: str
    kind: str
    width: int
    big: bool
    shape: tuple[int, ...]
    start: int | None
    size: int


def read_dataset(space: Space, messages: list[Message], path: str) -> Dataset:
    """The array that the messages of an object describe.

    Raises:
        InputError: ``hdf5-structure``.
    """
    found = {message.kind: message for message in messages}
    kind, width, big = _element(space, found.get(_TYPE))
    shape = read_shape(space, found.get(_SPACE))
    start, size = None, 0
    if _FILTERS not in found and _EXTERNAL_FILES not in found:
        start, size = _place(space, found[_LAYOUT])
    return Dataset(path, kind if shape is not None else "", width, big, shape or (), start, size)


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


def read_shape(space: Space, message: Message | None) -> tuple[int, ...] | None:
    """The extent; ``None`` for a dataspace without elements.

    Raises:
        InputError: ``hdf5-structure``.
    """
    if message is None:
        return None
    message = resolve(space, message)
    body = Cursor(space, message.body, message.start)
    version, rank, _ = body.number(1), body.number(1), body.number(1)
    if version not in (1, 2):
        raise malformed("a dataspace of an unknown version", body.start)
    form = body.number(1)
    if version == 1:
        body.take(4)
    elif form == 2:  # noqa: PLR2004 - null
        return None
    return tuple(body.length() for _ in range(rank))


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
