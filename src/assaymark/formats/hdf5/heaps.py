"""Where HDF5 keeps names and small objects: local, global and fractal heaps, and the B-trees that lead to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.limits import HDF5_MAX_OBJECTS
from assaymark.formats.hdf5.cursor import Cursor, malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.formats.hdf5.cursor import Space

_MAX_LEVELS: Final = 32
_MAX_BITS: Final = 64
_CHECKED: Final = 0x02


def local_heap(space: Space, address: int) -> Cursor:
    """The data of a local heap: names, each up to a NUL."""
    head = space.cursor(address, 8 + 2 * space.length_size + space.offset_size)
    head.expect(b"HEAP")
    head.take(4)
    size = head.length()
    head.length()
    return space.cursor(head.offset(), size)


def global_heap_object(space: Space, address: int, index: int) -> bytes:
    """One object of a global heap collection; empty for the index 0, which means none."""
    if index == 0:
        return b""
    found = global_heap(space, address)
    if index not in found:
        raise malformed("a global heap without the object that is named", space.base + address)
    return found[index]


def global_heap(space: Space, address: int) -> dict[int, bytes]:
    """The objects of a global heap collection, by their index."""
    head = space.cursor(address, 8 + space.length_size)
    head.expect(b"GCOL")
    head.take(4)
    block = space.cursor(address, head.length())
    block.take(8 + space.length_size)
    objects: dict[int, bytes] = {}
    while block.left >= 8 + space.length_size:
        found = block.number(2)
        block.take(6)
        size = block.length()
        if found == 0:
            break
        objects.setdefault(found, block.take(size))
        block.take(min(block.left, -size % 8))
    return objects


def group_entries(space: Space, address: int) -> Iterator[Cursor]:
    """The symbol table nodes below a version 1 B-tree of a group."""
    stack = [(address, _MAX_LEVELS)]
    seen: set[int] = set()
    while stack:
        at, levels = stack.pop()
        if at in seen or not levels or len(seen) > HDF5_MAX_OBJECTS:
            raise malformed("a B-tree that leads back", space.base + at)
        seen.add(at)
        if space.cursor(at, 4).data == b"SNOD":
            yield _symbols(space, at)
            continue
        head = space.cursor(at, 8 + 2 * space.offset_size)
        head.expect(b"TREE")
        if head.number(1) != 0:
            raise malformed("a B-tree that is no group's", head.start)
        head.take(1)
        used = head.number(2)
        body = space.cursor(at + len(head.data), used * (space.length_size + space.offset_size))
        for _ in range(used):
            body.length()
            stack.append((body.offset(), levels - 1))


def _symbols(space: Space, address: int) -> Cursor:
    head = space.cursor(address, 8)
    head.take(6)
    return space.cursor(address + 8, head.number(2) * (2 * space.offset_size + 24))


def tree_records(space: Space, address: int) -> Iterator[tuple[int, Cursor]]:
    """(type, record) for each record of a version 2 B-tree."""
    head = space.cursor(address, 16 + space.offset_size + 2)
    head.expect(b"BTHD")
    head.take(1)
    kind = head.number(1)
    node, size, depth = head.number(4), head.number(2), head.number(2)
    head.take(2)
    root, records = head.offset(), head.number(2)
    if not size or node < size + 10 or depth > _MAX_LEVELS:
        raise malformed("a B-tree with impossible sizes", head.start)
    if root == space.undefined:
        return
    widths = _pointer_widths(space, node, size, depth)
    stack = [(root, records, depth)]
    seen: set[int] = set()
    while stack:
        at, count, level = stack.pop()
        if at in seen or len(seen) > HDF5_MAX_OBJECTS:
            raise malformed("a B-tree that leads back", space.base + at)
        seen.add(at)
        block = space.cursor(at, node)
        block.expect(b"BTIN" if level else b"BTLF")
        block.take(2)
        for _ in range(count):
            start = block.place
            space.spend(32)
            yield kind, Cursor(space, block.take(size), start)
        if level:
            for _ in range(count + 1):
                child, below = block.offset(), block.number(widths[0])
                if level > 1:
                    block.take(widths[level - 1])
                stack.append((child, below, level - 1))


def _enough(limit: int) -> int:
    """Bytes that hold numbers up to ``limit``, as H5VM_limit_enc_size counts them."""
    return max(limit, 1).bit_length() // 8 + (1 if max(limit, 1).bit_length() % 8 else 0)


def _pointer_widths(space: Space, node: int, size: int, depth: int) -> list[int]:
    """Widths of the number of a child's records, and, by level, of all records below it."""
    most = (node - 10) // size
    widths = [_enough(most)]
    below = most
    for level in range(1, depth + 1):
        pointer = space.offset_size + widths[0] + (widths[level - 1] if level > 1 else 0)
        here = (node - 10 - pointer) // (size + pointer)
        below = (here + 1) * below + here
        widths.append(_enough(below))
    return widths


@dataclass(frozen=True, slots=True)
class FractalHeap:
    """The header of a fractal heap, and how to find a managed object by its id."""

    space: Space
    flags: int
    filtered: bool
    offset_bytes: int
    length_bytes: int
    width: int
    start_size: int
    direct_most: int
    root: int
    rows: int
    huge: int

    def object(self, identity: bytes, at: int) -> bytes:
        """The object that a heap id names.

        Raises:
            InputError: ``hdf5-structure``; objects behind a filter, which nobody writes for links and attributes,
                are refused too.
        """
        kind = identity[0] >> 4 & 3
        if kind == 2:  # noqa: PLR2004 - tiny: in the id itself
            return identity[1 : 2 + (identity[0] & 15)]
        if kind == 1 and not self.filtered:
            return self._huge(identity, at)
        if kind or self.filtered:
            raise malformed("an object of a fractal heap that is not read", at)
        offset = int.from_bytes(identity[1 : 1 + self.offset_bytes], "little")
        length = int.from_bytes(identity[1 + self.offset_bytes :][: self.length_bytes], "little")
        address, start, size = self._block(offset, at)
        if offset + length > start + size:
            raise malformed("an object that runs over its heap", at)
        return self.space.cursor(address + offset - start, length).data

    def _huge(self, identity: bytes, at: int) -> bytes:
        """An object of its own outside the heap, found in a B-tree by its number."""
        space = self.space
        wanted = int.from_bytes(identity[1 : 1 + space.length_size], "little")
        for kind, record in tree_records(space, self.huge):
            address, length, number = record.offset(), record.length(), record.length()
            if kind == 1 and number == wanted:
                return space.cursor(address, length).data
        raise malformed("a huge object that is not there", at)

    def _block(self, offset: int, at: int) -> tuple[int, int, int]:
        """(address, offset in the heap, size) of the direct block with ``offset``."""
        if not self.rows:
            return self.root, 0, self.start_size
        address, start = self.root, 0
        for _ in range(_MAX_LEVELS):
            row, before, size = 0, start, self.start_size
            while offset >= before + self.width * size:
                before += self.width * size
                row += 1
                size = self.start_size << max(0, row - 1)
                if row > _MAX_BITS:
                    raise malformed("an object beyond its heap", at)
            column = (offset - before) // size
            entry = 5 + self.space.offset_size + self.offset_bytes
            entry += (row * self.width + column) * self.space.offset_size
            self.space.cursor(address, 4).expect(b"FHIB")
            address = self.space.cursor(address + entry, self.space.offset_size).offset()
            start = before + column * size
            if address == self.space.undefined:
                raise malformed("an object in a block that is not there", at)
            if size <= self.direct_most:
                self.space.cursor(address, 4).expect(b"FHDB")
                return address, start, size
        raise malformed("a heap that is nested too deeply", at)


def fractal_heap(space: Space, address: int) -> FractalHeap:
    """The fractal heap at ``address``.

    Raises:
        InputError: ``hdf5-structure``.
    """
    size, width = space.length_size, space.offset_size
    head = space.cursor(address, 22 + 12 * size + 3 * width)
    head.expect(b"FRHP")
    head.take(3)
    filters, flags, managed_most = head.number(2), head.number(1), head.number(4)
    head.length()
    huge = head.offset()
    head.take(9 * size + width)
    table_width, start_size, direct_most = head.number(2), head.length(), head.length()
    bits = head.number(2)
    head.take(2)
    root, rows = head.offset(), head.number(2)
    if not (table_width and start_size and direct_most and managed_most and 0 < bits <= _MAX_BITS):
        raise malformed("a fractal heap with impossible sizes", head.start)
    return FractalHeap(
        space=space,
        flags=flags,
        filtered=bool(filters),
        offset_bytes=-(-bits // 8),
        length_bytes=min(_enough(direct_most), _enough(managed_most)),
        width=table_width,
        start_size=start_size,
        direct_most=direct_most,
        root=root,
        rows=rows,
        huge=huge,
    )
