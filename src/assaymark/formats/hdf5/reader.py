"""``read_hdf5``: every object of the file, its links, its outside storage, its filters and its texts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import HDF5_MAX_OBJECTS, HDF5_MAX_TEXT_BYTES
from assaymark.formats.hdf5.cursor import Cursor, Space, malformed
from assaymark.formats.hdf5.datasets import Dataset, read_dataset, read_shape
from assaymark.formats.hdf5.filters import read_filters
from assaymark.formats.hdf5.headers import Message, read_header, resolve
from assaymark.formats.hdf5.heaps import (
    fractal_heap,
    global_heap,
    global_heap_object,
    group_entries,
    local_heap,
    tree_records,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.core.view import View

MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_DATASPACE, _LINK_INFO, _DATATYPE, _EXTERNAL_FILES, _LINK, _LAYOUT = 0x01, 0x02, 0x03, 0x07, 0x06, 0x08
_FILTERS, _ATTRIBUTE, _SYMBOL_TABLE, _ATTRIBUTE_INFO = 0x0B, 0x0C, 0x11, 0x15
_SOFT_ENTRY: Final = 2  # cache type of a symbol table entry
_HARD, _SOFT, _EXTERNAL = 0, 1, 64
_STRING, _VARIABLE = 3, 9
_VIRTUAL: Final = 3


@dataclass(frozen=True, slots=True)
class Outside:
    """Something that is taken from outside of the file: what, which file, from where in this one."""

    kind: str
    target: str
    path: str
    offset: int


@dataclass(slots=True)
class Hdf5:
    """What a file holds. ``texts`` are the attributes of the root group that are one text, by name.

    ``lists`` are the attributes of any object that are texts in a row, by its path and their name.
    """

    outside: list[Outside] = field(default_factory=list)
    filters: dict[int, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    objects: int = 0
    datasets: list[Dataset] = field(default_factory=list)
    lists: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)


def read_hdf5(view: View, *, arrays: bool = False) -> Hdf5:
    """The structure of the file, with ``arrays`` also where each array lies, and lists of texts; no data is read.

    Raises:
        InputError: ``hdf5-structure`` with the byte as position, ``hdf5-limit``.
    """
    space, root = _superblock(view)
    return _Walk(space, arrays=arrays).run(root)


def _superblock(view: View) -> tuple[Space, int]:
    at = 0
    while view.read(at, 8) != MAGIC:
        at = max(512, at * 2)
        if at >= view.size:
            raise malformed("no superblock", 0)
    head = Cursor(Space(view, 0, 8, 8), view.read(at, 128), at)
    head.take(8)
    version = head.number(1)
    if version > 3:  # noqa: PLR2004 - the newest version
        raise malformed(f"a superblock of version {version}", at)
    if version < 2:  # noqa: PLR2004
        head.take(4)
    widths = head.number(1), head.number(1)
    if any(width not in (2, 4, 8) for width in widths):
        raise malformed("addresses of an unknown width", at)
    head.space = Space(view, 0, *widths)
    head.take(1 if version > 1 else 9 if version == 0 else 13)
    base = head.offset()
    extension, end = head.offset(), head.offset()
    driver = head.offset() if version < 2 else head.space.undefined  # noqa: PLR2004
    if version < 2:  # noqa: PLR2004
        head.offset()
    root = head.offset()
    if base != at:
        raise malformed("a base address that is not the superblock's", at)
    if driver != head.space.undefined:
        raise malformed("a file in several parts", at)
    if base + end > view.size and end > view.size:
        raise malformed("the file is cut off", view.size)
    del extension  # holds tuning only
    return Space(view, base, *widths), root


class _Walk:
    def __init__(self, space: Space, *, arrays: bool) -> None:
        self._space = space
        self._arrays = arrays
        self._result = Hdf5()
        self._seen: set[int] = set()
        self._stack: list[tuple[int, str]] = []
        self._heaps: dict[int, dict[int, bytes]] = {}

    def run(self, root: int) -> Hdf5:
        self._stack.append((root, "/"))
        while self._stack:
            address, path = self._stack.pop()
            if address in self._seen:
                continue
            self._seen.add(address)
            if len(self._seen) > HDF5_MAX_OBJECTS:
                raise InputError("hdf5-limit", f"more than {HDF5_MAX_OBJECTS} objects")
            self._object(address, path)
        self._result.objects = len(self._seen)
        return self._result

    def _object(self, address: int, path: str) -> None:
        messages = read_header(self._space, address)
        if self._arrays and any(message.kind == _LAYOUT for message in messages):
            self._result.datasets.append(read_dataset(self._space, messages, path))
        for message in messages:
            self._message(message, path)

    def _message(self, message: Message, path: str) -> None:
        body = Cursor(self._space, message.body, message.start)
        match message.kind:
            case _ if message.kind == _SYMBOL_TABLE:
                self._symbol_table(body, path)
            case _ if message.kind == _LINK:
                self._link(body, path)
            case _ if message.kind == _LINK_INFO:
                for link in self._dense(body, 8, (5, 6)):
                    self._link(link, path)
            case _ if message.kind == _ATTRIBUTE:
                self._attribute(message, path)
            case _ if message.kind == _ATTRIBUTE_INFO:
                for found in self._dense(body, 2, (8, 9)):
                    self._attribute(Message(_ATTRIBUTE, False, found.data, found.start), path)
            case _ if message.kind == _EXTERNAL_FILES:
                self._external_files(body, path)
            case _ if message.kind == _LAYOUT:
                self._layout(body, path)
            case _ if message.kind == _FILTERS:
                self._filters(message)

    # -- links

    def _symbol_table(self, body: Cursor, path: str) -> None:
        tree, heap = body.offset(), body.offset()
        names = local_heap(self._space, heap)
        for entries in group_entries(self._space, tree):
            while entries.left:
                names.at = min(entries.offset(), len(names.data))
                name = names.text()
                address, kind = entries.offset(), entries.number(4)
                entries.take(20)
                if kind != _SOFT_ENTRY:
                    self._hard(address, path, name)

    def _hard(self, address: int, path: str, name: str) -> None:
        self._stack.append((address, f"{path.rstrip('/')}/{name}"[:500]))

    def _dense(self, body: Cursor, index_size: int, kinds: tuple[int, int]) -> Iterator[Cursor]:
        """Links or attributes that are kept in a fractal heap."""
        body.take(1)
        flags = body.number(1)
        body.take(index_size if flags & 1 else 0)
        heap_at, tree = body.offset(), body.offset()
        if heap_at == self._space.undefined:
            return
        heap = fractal_heap(self._space, heap_at)
        for kind, record in tree_records(self._space, tree):
            if kind not in kinds:
                raise malformed("a B-tree of another kind than is due", record.start)
            if kind in (5, 6):  # links: hash or order, then the id
                record.take(4 if kind == 5 else 8)  # noqa: PLR2004
                identity = record.take(7)
            else:
                identity = record.take(8)
            yield Cursor(self._space, heap.object(identity, record.start), record.start)

    def _link(self, body: Cursor, path: str) -> None:
        if body.number(1) != 1:
            raise malformed("a link of an unknown version", body.start)
        flags = body.number(1)
        kind = body.number(1) if flags & 8 else _HARD
        body.take((8 if flags & 4 else 0) + (1 if flags & 16 else 0))
        name = body.take(body.number(1 << (flags & 3))).decode("utf-8", "backslashreplace")
        if kind == _HARD:
            self._hard(body.offset(), path, name)
            return
        value = Cursor(self._space, body.take(body.number(2)), body.place)
        if kind == _SOFT:
            return
        where = f"{path.rstrip('/')}/{name}"
        if kind == _EXTERNAL:
            value.take(1)
            self._outside("an external link", value.text(), where, body.start)
        else:
            self._outside(f"a user-defined link of class {kind}", "", where, body.start)

    def _outside(self, kind: str, target: str, path: str, at: int) -> None:
        self._result.outside.append(Outside(kind, target, path, at))

    # -- datasets

    def _external_files(self, body: Cursor, path: str) -> None:
        body.take(6)
        used = body.number(2)
        names = local_heap(self._space, body.offset())
        for _ in range(used):
            names.at = min(body.length(), len(names.data))
            body.take(2 * self._space.length_size)
            self._outside("external raw storage", names.text(), path, body.start)
        if not used:
            self._outside("external raw storage", "", path, body.start)

    def _layout(self, body: Cursor, path: str) -> None:
        version = body.number(1)
        kind = body.number(1)
        if version < 3:  # noqa: PLR2004 - rank and class
            kind = body.number(1)
        if version > 3 and kind == _VIRTUAL:  # noqa: PLR2004
            self._outside("a virtual dataset", self._virtual(body), path, body.start)

    def _virtual(self, body: Cursor) -> str:
        """The first file that a virtual dataset takes data from; ``.`` is this one."""
        address, index = body.offset(), body.number(4)
        if address == self._space.undefined:
            return ""
        block = Cursor(self._space, global_heap_object(self._space, address, index), body.start)
        if block.left <= 1 + self._space.length_size or block.number(1) != 0:
            return ""
        block.length()
        return block.text()

    def _filters(self, message: Message) -> None:
        for stage in read_filters(self._space, message):
            self._result.filters[stage.id] = stage.name

    # -- attributes

    def _attribute(self, message: Message, path: str) -> None:
        message = resolve(self._space, message)
        body = Cursor(self._space, message.body, message.start)
        version, flags = body.number(1), body.number(1)
        name_size, type_size, space_size = body.number(2), body.number(2), body.number(2)
        if version not in (1, 2, 3):
            raise malformed("an attribute of an unknown version", body.start)
        body.take(1 if version == 3 else 0)  # noqa: PLR2004 - the names' character set
        pad = 8 if version == 1 else 1
        name = body.take(name_size)
        body.take(min(body.left, -name_size % pad))
        datatype = Message(_DATATYPE, version > 1 and bool(flags & 1), body.take(type_size), body.start)
        body.take(min(body.left, -type_size % pad))
        extent = Message(
            _DATASPACE, version > 1 and bool(flags & 2), body.take(min(body.left, space_size)), body.start
        )
        body.take(min(body.left, -space_size % pad))
        label = name.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
        shape = read_shape(self._space, extent) if self._arrays else None
        if shape:
            texts = self._texts(resolve(self._space, datatype), body, math.prod(shape))
            if texts is not None:
                self._result.lists[path, label] = texts
        if path != "/":
            return
        value = self._text(resolve(self._space, datatype), body)
        if value is not None:
            self._result.texts[label] = value

    def _texts(self, datatype: Message, body: Cursor, count: int) -> tuple[str, ...] | None:
        """The texts of an attribute; ``None`` for one of other values. ``body`` stays where it is."""
        head = Cursor(self._space, datatype.body, datatype.start)
        kind, bits = head.number(1) & 15, head.number(1)
        head.take(2)
        size = head.number(4)
        variable = kind == _VARIABLE and (bits & 15) == 1 and size == 8 + self._space.offset_size
        if (kind != _STRING and not variable) or size * count > body.left:
            return None
        self._space.spend(count * 32)
        values = Cursor(self._space, body.data[body.at : body.at + size * count], body.place)
        found = [self._variable(values) if variable else values.take(size) for _ in range(count)]
        return tuple(raw.split(b"\0", 1)[0].decode("utf-8", "backslashreplace") for raw in found)

    def _variable(self, values: Cursor) -> bytes:
        """The next text of variable length; each heap is read once."""
        length, address, index = values.number(4), values.offset(), values.number(4)
        if index == 0:
            return b""
        if address not in self._heaps:
            self._heaps[address] = global_heap(self._space, address)
        if index not in self._heaps[address]:
            raise malformed("a global heap without the object that is named", self._space.base + address)
        return self._heaps[address][index][:length]

    def _text(self, datatype: Message, body: Cursor) -> str | None:
        """The first text of an attribute; None for one that holds none."""
        head = Cursor(self._space, datatype.body, datatype.start)
        kind, bits = head.number(1) & 15, head.number(1)
        head.take(2)
        size = head.number(4)
        if kind == _STRING:
            raw = body.take(size) if body.left >= size else b""
        elif kind == _VARIABLE and body.left >= 4 + self._space.offset_size + 4 and (bits & 15) == 1:
            length, address, index = body.number(4), body.offset(), body.number(4)
            raw = global_heap_object(self._space, address, index)[:length]
        else:
            return None
        if len(raw) > HDF5_MAX_TEXT_BYTES:
            raise InputError("hdf5-limit", f"an attribute of {len(raw)} bytes")
        return raw.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
