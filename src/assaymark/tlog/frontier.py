"""The right edge of a tiled tree: all that must be known to append to a log, whatever its size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.limits import TILE_WIDTH
from assaymark.tlog.merkle import root_at, tree_root
from assaymark.tlog.tiles import TILE_HEIGHT, Tile, TileNodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Frontier:
    """The partial tile of each level at ``size`` entries, and how it grows."""

    def __init__(self, size: int = 0, rows: Sequence[Sequence[bytes]] = ()) -> None:
        self.size = size
        self._rows = [list(row) for row in rows]

    @classmethod
    def read(cls, size: int, fetch: Callable[[Tile], Sequence[bytes]]) -> Frontier:
        """The edge of a stored tree; ``fetch`` is called for the partial tile of each level."""
        rows: list[Sequence[bytes]] = []
        level = 0
        while count := size >> (TILE_HEIGHT * level):
            width = count % TILE_WIDTH
            rows.append(fetch(Tile(level, count // TILE_WIDTH, width)) if width else ())
            level += 1
        return cls(size, rows)

    def add(self, leaf: bytes) -> list[tuple[Tile, tuple[bytes, ...]]]:
        """Append a leaf hash; returns the tiles that became full, with their hashes, lowest level first."""
        full: list[tuple[Tile, tuple[bytes, ...]]] = []
        self.size += 1
        level, digest = 0, leaf
        while True:
            if level == len(self._rows):
                self._rows.append([])
            row = self._rows[level]
            row.append(digest)
            if len(row) < TILE_WIDTH:
                return full
            full.append((Tile(level, (self.size >> (TILE_HEIGHT * (level + 1))) - 1), tuple(row)))
            digest = tree_root(row)
            row.clear()
            level += 1

    def partials(self) -> Iterator[tuple[Tile, tuple[bytes, ...]]]:
        """The partial tile of each level that has one, with its hashes."""
        for level, row in enumerate(self._rows):
            if row:
                yield Tile(level, (self.size >> (TILE_HEIGHT * level)) // TILE_WIDTH, len(row)), tuple(row)

    def root(self) -> bytes:
        """The root at ``size``: its complete subtrees all lie in partial tiles."""
        return root_at(self.size, TileNodes(self.size, lambda tile: self._rows[tile.level]))
