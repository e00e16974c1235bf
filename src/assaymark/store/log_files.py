"""What a log's names hold: tiles, bundles and checkpoints in the C2SP layout, over any medium, read with bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError, UsageError
from assaymark.core.limits import ENTRY_MAX_BYTES, ENVELOPE_MAX_BYTES, NOTE_MAX_BYTES, TILE_WIDTH
from assaymark.tlog.checkpoint import Checkpoint, read_checkpoint
from assaymark.tlog.leaf import Leaf, parse_leaf
from assaymark.tlog.merkle import HASH_BYTES, leaf_hash
from assaymark.tlog.tiles import ENTRIES, Tile, TileNodes, index_path, parse_bundle, parse_hash_tile, width_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assaymark.store.ports import LogMedium

KEPT: Final = "checkpoints"
NEXT: Final = "checkpoint.next"
_BUNDLE_MAX_BYTES: Final = TILE_WIDTH * (2 + ENTRY_MAX_BYTES)
_CACHED_TILES: Final = 64  # a few look-ups' worth; a tile of hashes takes about 17 KB


def damaged(where: str, what: str, position: str = "") -> InputError:
    """The error for a log that does not hold together."""
    return InputError(
        "log-damaged",
        what,
        source=where,
        position=position,
        remedy="run assaymark log check, then restore the log from a copy",
    )


def kept_name(size: int) -> str:
    """The name under which the checkpoint of that size is kept."""
    return f"{KEPT}/{index_path(size)}"


@dataclass(frozen=True, slots=True)
class LogFiles:
    """The names of one log. Tiles that were read stay in a small cache: a tile below a checkpoint never changes."""

    medium: LogMedium
    _cache: dict[Tile, tuple[bytes, ...]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The log's folder."""
        return self.medium.folder

    @property
    def where(self) -> str:
        """The log as a whole, for messages."""
        return str(self.medium.folder)

    def checkpoint(self) -> tuple[bytes, Checkpoint]:
        """The signed note of the current tree, and what it says; its signature is not verified.

        Raises:
            InputError: ``log-missing`` when there is no log here, ``file-size``, ``note-*``, ``checkpoint-form``.
            UnavailableError: ``store-io`` or ``store-unreadable``.
        """
        data = self.medium.checkpoint()
        try:
            return data, read_checkpoint(data)
        except InputError as error:
            error.at(self.medium.where("checkpoint"))
            raise

    def kept_checkpoint(self, size: int) -> tuple[bytes, Checkpoint]:
        """The earlier checkpoint of that size.

        Raises:
            UsageError: ``checkpoint-unknown`` when it was not kept.
            InputError: ``log-damaged``.
        """
        name = kept_name(size)
        try:
            note = self.medium.read(name, NOTE_MAX_BYTES)
            checkpoint = read_checkpoint(note)
        except InputError as error:
            if error.code != "file-missing":
                raise damaged(self.medium.where(name), error.message, error.position) from None
            raise UsageError(
                "checkpoint-unknown",
                f"no checkpoint of {size} entries was kept",
                source=self.where,
                remedy="ask for the current one",
            ) from None
        if checkpoint.size != size:
            raise damaged(self.medium.where(name), f"the checkpoint is of {checkpoint.size} entries")
        return note, checkpoint

    def hashes(self, tile: Tile) -> tuple[bytes, ...]:
        """The hashes of a tile of the current tree.

        Raises:
            InputError: ``log-damaged``.
        """
        return self._read(tile, TILE_WIDTH * HASH_BYTES, parse_hash_tile)

    def entries(self, tile: Tile) -> tuple[bytes, ...]:
        """The entries of a bundle of the current tree.

        Raises:
            InputError: ``log-damaged``.
        """
        return self._read(tile, _BUNDLE_MAX_BYTES, parse_bundle)

    def nodes(self, size: int) -> TileNodes:
        """The stored nodes of the tree of ``size`` entries, which must be the current one."""
        return TileNodes(size, self.hashes)

    def leaf_bytes(self, index: int, size: int) -> bytes:
        """The entry at ``index`` of the current tree of ``size`` entries, checked against its hash.

        Raises:
            UsageError: ``tree-index``.
            InputError: ``log-damaged``.
        """
        if not 0 <= index < size:
            raise UsageError("tree-index", f"the log has {size} entries, none of index {index}", source=self.where)
        number, offset = divmod(index, TILE_WIDTH)
        data = self.entries(Tile(ENTRIES, number, width_at(ENTRIES, number, size)))[offset]
        if leaf_hash(data) != self.nodes(size)(0, index):
            raise damaged(self.where, "the entry does not match its hash", f"entry {index}")
        return data

    def leaf(self, index: int, size: int) -> Leaf:
        """As ``leaf_bytes``, parsed."""
        data = self.leaf_bytes(index, size)
        try:
            return parse_leaf(data)
        except InputError as error:
            raise damaged(self.where, error.message, f"entry {index}") from None

    def envelope(self, leaf: Leaf) -> bytes:
        """The envelope that an entry commits to.

        Raises:
            InputError: ``blob-missing`` or ``blob-corrupt``.
        """
        return self.medium.envelopes.get(leaf.envelope_digest, ENVELOPE_MAX_BYTES)

    def _read(self, tile: Tile, limit: int, parse: Callable[[bytes, int], tuple[bytes, ...]]) -> tuple[bytes, ...]:
        cached = self._cache.get(tile)
        if cached is not None:
            return cached
        found = tile
        try:
            try:
                data = self.medium.read(tile.path, limit)
            except InputError as error:
                if error.code != "file-missing" or tile.width == TILE_WIDTH:
                    raise
                # A writer has filled the tile since and removed the partial one (tlog-tiles, "Partial Tiles").
                found = tile.full
                data = self.medium.read(found.path, limit)
            items = parse(data, found.width)[: tile.width]
        except InputError as error:
            raise damaged(self.medium.where(tile.path), error.message, error.position) from None
        if len(self._cache) >= _CACHED_TILES:
            self._cache.clear()
        self._cache[tile] = items
        return items
