"""Arrays in chunks: where they lie, and their elements in order (HDF5 File Format Specification 3.0: III.A, VII).

An array comes out in bands: all chunks with the same first index, put together. One band is in memory at a time.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import HDF5_MAX_BAND_BYTES, HDF5_MAX_CHUNKS, HDF5_MAX_LINES
from assaymark.formats.hdf5.cursor import Cursor, malformed
from assaymark.formats.hdf5.filters import undo
from assaymark.formats.hdf5.heaps import tree_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assaymark.formats.hdf5.cursor import Space
    from assaymark.formats.hdf5.filters import Filter

SINGLE, IMPLICIT, FIXED, EXTENSIBLE, TREE_2 = 1, 2, 3, 4, 5
TREE_1: Final = 0  # of layout version 3, which has no number for it
INDEXES: Final = (TREE_1, SINGLE, IMPLICIT, FIXED, TREE_2)
_MAX_LEVELS: Final = 32
_FADB_PREFIX: Final = 6  # signature, version, client
_CHECKSUM: Final = 4
_UNFILTERED_EDGES: Final = 1  # flag of layout version 4
_FILTERED_CLIENT: Final = 1
_TREE_TYPES: Final = (10, 11)  # without and with filters
_ALL: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Chunks:
    """How an array lies in chunks of ``sides`` elements each way.

    ``most`` is the greatest extent, where it is bounded, which counts the chunks of a fixed index; ``single`` is the
    stored length and mask of an only chunk. ``fill`` is the element that was never written, ``None`` for an
    undefined one.
    """

    space: Space
    sides: tuple[int, ...]
    most: tuple[int, ...]
    index: int
    address: int
    filters: tuple[Filter, ...]
    flags: int
    fill: bytes | None
    single: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class _Stored:
    address: int
    size: int
    mask: int


_Index = dict[tuple[int, ...], _Stored]


def bands(chunks: Chunks, shape: tuple[int, ...], width: int) -> Iterator[bytes]:
    """All elements of the array in order, in as many pieces as there are bands.

    Raises:
        InputError: ``hdf5-structure``, ``hdf5-data``, ``hdf5-limit``.
    """
    sides = chunks.sides
    if len(sides) != len(shape) or not shape or 0 in sides:
        raise InputError("hdf5-structure", "chunks of another number of dimensions than their array")
    stored = _index(chunks, shape, width)
    row = math.prod(shape[1:]) * width
    if max(min(sides[0], shape[0]) * row, math.prod(sides) * width) > HDF5_MAX_BAND_BYTES:
        raise InputError("hdf5-limit", f"chunks that side by side take more than {HDF5_MAX_BAND_BYTES} bytes")
    lines = _Lines(HDF5_MAX_LINES)
    across = [range(-(-length // side)) for length, side in zip(shape[1:], sides[1:], strict=True)]
    for first in range(-(-shape[0] // sides[0])):
        here = (min(sides[0], shape[0] - first * sides[0]), *shape[1:])
        band = bytearray(here[0] * row)
        for rest in itertools.product(*across):
            place = (first, *rest)
            data = _chunk(chunks, stored.get(place), place, shape, width)
            lines.copy(data, sides, band, here, (0, *(i * n for i, n in zip(rest, sides[1:], strict=True))), width)
        yield bytes(band)


class _Lines:
    """Copies chunks into their band by lines of elements that lie together in both."""

    def __init__(self, most: int) -> None:
        self._left = most

    def copy(
        self,
        data: bytes,
        sides: Sequence[int],
        band: bytearray,
        shape: Sequence[int],
        corner: Sequence[int],
        width: int,
    ) -> None:
        """Put a chunk of ``sides`` at ``corner`` of a band of ``shape``; what stands over is left out."""
        last = len(shape) - 1
        while last and sides[last] == shape[last]:
            last -= 1
        counts = [min(side, n - at) for side, n, at in zip(sides, shape, corner, strict=True)]
        own = [width * math.prod(sides[i + 1 :]) for i in range(last + 1)]
        whole = [width * math.prod(shape[i + 1 :]) for i in range(last + 1)]
        length = counts[last] * own[last]
        self._left -= math.prod(counts[:last])
        if self._left < 0:
            raise InputError("hdf5-limit", f"chunks of more than {HDF5_MAX_LINES} lines")
        start = sum(at * step for at, step in zip(corner, whole, strict=False))
        for place in itertools.product(*(range(count) for count in counts[:last])):
            off = sum(i * step for i, step in zip(place, own, strict=False))
            at = start + sum(i * step for i, step in zip(place, whole, strict=False))
            band[at : at + length] = data[off : off + length]


def _chunk(
    chunks: Chunks, stored: _Stored | None, place: tuple[int, ...], shape: tuple[int, ...], width: int
) -> bytes:
    size = math.prod(chunks.sides) * width
    if stored is None:
        if chunks.fill is None:
            raise InputError("hdf5-data", "a chunk that was never written, of no defined value")
        return (chunks.fill or bytes(width)) * (size // width)
    at = chunks.space.base + stored.address
    if at + stored.size > chunks.space.view.size or stored.size > 2 * HDF5_MAX_BAND_BYTES:
        raise malformed(f"a chunk of {stored.size} bytes where the file has ended", at)
    mask = stored.mask
    if chunks.flags & _UNFILTERED_EDGES and any(
        (i + 1) * side > n for i, side, n in zip(place, chunks.sides, shape, strict=True)
    ):
        mask = _ALL
    try:
        return undo(chunks.filters, mask, chunks.space.view.read(at, stored.size), size)
    except InputError as error:
        raise InputError("hdf5-data", error.message, position=f"byte {at}") from None


def _index(chunks: Chunks, shape: tuple[int, ...], width: int) -> _Index:
    """Which chunk lies where."""
    found: _Index = {}
    grid = tuple(-(-n // side) for n, side in zip(shape, chunks.sides, strict=True))
    if math.prod(grid) > HDF5_MAX_CHUNKS:
        raise InputError("hdf5-limit", f"more than {HDF5_MAX_CHUNKS} chunks")
    if chunks.address == chunks.space.undefined:
        return found
    size = math.prod(chunks.sides) * width
    for place, stored in _entries(chunks, size):
        if stored.address == chunks.space.undefined:
            continue
        if any(i >= n for i, n in zip(place, grid, strict=True)):
            continue  # of an array that became smaller
        if place in found:
            raise malformed("two chunks of one place", chunks.space.base + stored.address)
        found[place] = stored
    return found


def _entries(chunks: Chunks, size: int) -> Iterator[tuple[tuple[int, ...], _Stored]]:
    rank = len(chunks.sides)
    match chunks.index:
        case 0:
            yield from _tree(chunks, rank)
        case 1:
            length, mask = chunks.single or (size, 0)
            yield (0,) * rank, _Stored(chunks.address, length, mask)
        case 2:
            for number, place in enumerate(_grid(chunks)):
                yield place, _Stored(chunks.address + number * size, size, 0)
        case 3:
            yield from zip(_grid(chunks), _fixed(chunks, size), strict=False)
        case _:
            yield from _tree_2(chunks, rank, size)


def _grid(chunks: Chunks) -> Iterator[tuple[int, ...]]:
    """The places of all chunks up to the greatest extent, in the order in which fixed indexes count them."""
    sides = [range(-(-n // side)) for n, side in zip(chunks.most, chunks.sides, strict=True)]
    if math.prod(each.stop for each in sides) > HDF5_MAX_CHUNKS:
        raise InputError("hdf5-limit", f"more than {HDF5_MAX_CHUNKS} chunks")
    return itertools.product(*sides)


def _tree(chunks: Chunks, rank: int) -> Iterator[tuple[tuple[int, ...], _Stored]]:
    """The leaves of a version 1 B-tree: each child follows its key of stored size, mask and offsets."""
    space = chunks.space
    stack = [(chunks.address, _MAX_LEVELS)]
    seen: set[int] = set()
    key = 8 + 8 * (rank + 1)
    while stack:
        at, levels = stack.pop()
        if at in seen or levels < 0 or len(seen) > HDF5_MAX_CHUNKS:
            raise malformed("a B-tree that leads back", space.base + at)
        seen.add(at)
        head = space.cursor(at, 8 + 2 * space.offset_size)
        head.expect(b"TREE")
        kind, level, used = head.number(1), head.number(1), head.number(2)
        if kind != 1:
            raise malformed("a B-tree that is no chunks'", head.start)
        body = space.cursor(at + len(head.data), used * (key + space.offset_size))
        for _ in range(used):
            size, mask = body.number(4), body.number(4)
            offsets = [body.number(8) for _ in range(rank + 1)][:rank]
            child = body.offset()
            if level:
                stack.append((child, min(levels, level) - 1))
            elif any(offset % side for offset, side in zip(offsets, chunks.sides, strict=True)):
                raise malformed("a chunk between two places", body.place)
            else:
                place = tuple(offset // side for offset, side in zip(offsets, chunks.sides, strict=True))
                yield place, _Stored(child, size, mask)


def _tree_2(chunks: Chunks, rank: int, size: int) -> Iterator[tuple[tuple[int, ...], _Stored]]:
    space = chunks.space
    for kind, record in tree_records(space, chunks.address):
        if kind not in _TREE_TYPES:
            raise malformed("a B-tree of another kind than is due", record.start)
        stored = _element(space, record, kind == _TREE_TYPES[1], len(record.data) - 8 * rank, size)
        yield tuple(record.number(8) for _ in range(rank)), stored


def _element(space: Space, body: Cursor, filtered: bool, length: int, size: int) -> _Stored:
    """One entry of ``length`` bytes of an index: the address and, with filters, the stored size and the mask."""
    address = body.offset()
    if not filtered:
        return _Stored(address, size, 0)
    wide = length - space.offset_size - 4
    if not 1 <= wide <= 8:  # noqa: PLR2004 - bytes of a number
        raise malformed("an entry of an impossible size", body.start)
    return _Stored(address, body.number(wide), body.number(4))


def _fixed(chunks: Chunks, size: int) -> Iterator[_Stored]:
    """The elements of a fixed array, in pages when there are many; pages that were never written are empty."""
    space = chunks.space
    head = space.cursor(chunks.address, 8 + space.length_size + space.offset_size)
    head.expect(b"FAHD")
    head.take(1)
    client, length, bits = head.number(1), head.number(1), head.number(1)
    count, block = head.length(), head.offset()
    if block == space.undefined:
        return
    if count > HDF5_MAX_CHUNKS or bits > 32:  # noqa: PLR2004 - far above any page
        raise InputError("hdf5-limit", f"more than {HDF5_MAX_CHUNKS} chunks")
    prefix = _FADB_PREFIX + space.offset_size
    space.cursor(block, 4).expect(b"FADB")
    page = 1 << bits
    if count <= page:
        yield from _page(space, block + prefix, count, client, length, size)
        return
    pages = -(-count // page)
    written = space.cursor(block + prefix, -(-pages // 8)).data
    at = block + prefix + len(written) + _CHECKSUM
    for number in range(pages):
        here = min(page, count - number * page)
        if written[number // 8] << number % 8 & 0x80:
            yield from _page(space, at, here, client, length, size)
        else:
            yield from itertools.repeat(_Stored(space.undefined, 0, 0), here)
        at += page * length + _CHECKSUM


def _page(space: Space, at: int, count: int, client: int, length: int, size: int) -> Iterator[_Stored]:
    body = space.cursor(at, count * length)
    for _ in range(count):
        entry = Cursor(space, body.take(length), body.place)
        yield _element(space, entry, client == _FILTERED_CLIENT, length, size)
