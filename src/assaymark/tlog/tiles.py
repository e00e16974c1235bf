"""C2SP tlog-tiles: where hashes and entries lie, and how they are read from there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import ENTRY_MAX_BYTES, TILE_WIDTH, TREE_MAX_SIZE
from assaymark.tlog.merkle import HASH_BYTES, tree_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TILE_HEIGHT: Final = 8
# tlog-tiles allows levels up to 63; a tree of 2**63 entries needs no more than 8.
MAX_LEVEL: Final = 63
ENTRIES: Final = -1
"""The level of an entry bundle, which lies beside the hash tiles."""

_PATH: Final = re.compile(r"tile/(entries|0|[1-9]\d?)/((?:x\d{3}/)*\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tile:
    """A hash tile, or an entry bundle at level ``ENTRIES``; ``width`` below 256 makes it partial."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """The path below the log's prefix, such as ``tile/0/x001/234.p/5``."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{index_path(self.index)}{partial}"

    @property
    def full(self) -> Tile:
        """The full tile at the same place."""
        return Tile(self.level, self.index)


def index_path(index: int) -> str:
    """An index as 3-digit path elements, all but the last with an ``x``: 1234067 is ``x001/x234/067``."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def parse_tile_path(path: str) -> Tile:
    """The tile at a path; there is one spelling of each.

    Raises:
        InputError: ``tile-path``.
    """
    match = _PATH.fullmatch(path) if len(path) <= 80 else None  # noqa: PLR2004 - the longest canonical path is shorter
    if match is not None:
        level = ENTRIES if match[1] == "entries" else int(match[1])
        tile = Tile(level, int(match[2].replace("x", "").replace("/", "")), int(match[3] or TILE_WIDTH))
        if level <= MAX_LEVEL and tile.index <= TREE_MAX_SIZE // TILE_WIDTH and tile.path == path:
            return tile
    raise InputError("tile-path", f"{path[:100]!r} is not the path of a tile")


def width_at(level: int, index: int, size: int) -> int:
    """How many hashes the tile has in a tree of ``size`` entries: 0 when it does not exist, at most 256."""
    count = size >> (TILE_HEIGHT * max(level, 0))
    return max(0, min(TILE_WIDTH, count - index * TILE_WIDTH))


def tiles_at(size: int) -> Iterator[Tile]:
    """Every entry bundle and hash tile that a tree of ``size`` entries needs, bundles first."""
    for level in range(ENTRIES, MAX_LEVEL + 1):
        count = size >> (TILE_HEIGHT * max(level, 0))
        if not count:
            return
        for index in range((count + TILE_WIDTH - 1) // TILE_WIDTH):
            yield Tile(level, index, width_at(level, index, size))


def parse_hash_tile(data: bytes, width: int) -> tuple[bytes, ...]:
    """The hashes of a tile.

    Raises:
        InputError: ``tile-form`` when there are not exactly ``width`` hashes.
    """
    if len(data) != width * HASH_BYTES:
        raise InputError("tile-form", f"{len(data)} bytes where {width} hashes take {width * HASH_BYTES}")
    return tuple(data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES))


def format_bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of an entry bundle: each entry behind its length as two bytes, big-endian.

    Raises:
        InputError: ``entry-size``.
    """
    for entry in entries:
        if len(entry) > ENTRY_MAX_BYTES:
            raise InputError("entry-size", f"an entry of {len(entry)} bytes, above the limit of {ENTRY_MAX_BYTES}")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_bundle(data: bytes, width: int) -> tuple[bytes, ...]:
    """The entries of a bundle.

    Raises:
        InputError: ``bundle-form`` when there are not exactly ``width`` entries.
    """
    entries: list[bytes] = []
    offset = 0
    while offset < len(data) and len(entries) < width:
        start = offset + 2
        end = start + int.from_bytes(data[offset:start], "big")
        if start > len(data) or end > len(data):
            raise InputError("bundle-form", "an entry is cut short", position=f"byte {offset}")
        entries.append(data[start:end])
        offset = end
    if len(entries) != width:
        raise InputError("bundle-form", f"{len(entries)} entries where there should be {width}")
    if offset != len(data):
        raise InputError("bundle-form", "bytes after the last entry", position=f"byte {offset}")
    return tuple(entries)


class TileNodes:
    """A ``merkle.NodeReader`` over the tiles of a tree of ``size`` entries.

    ``fetch`` returns a tile's hashes, in the width that belongs to ``size``. Each is fetched once.
    """

    def __init__(self, size: int, fetch: Callable[[Tile], Sequence[bytes]]) -> None:
        self._size = size
        self._fetch = fetch
        self._tiles: dict[tuple[int, int], Sequence[bytes]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree ``(level, index)``, from the lowest tile row that spans it."""
        row, height = divmod(level, TILE_HEIGHT)
        first = index << height
        place = (row, first // TILE_WIDTH)
        if place not in self._tiles:
            self._tiles[place] = self._fetch(Tile(*place, width_at(*place, self._size)))
        offset = first % TILE_WIDTH
        return tree_root(self._tiles[place][offset : offset + (1 << height)])
