"""How a log lies in a folder: tiles, bundles and checkpoints in the C2SP layout, read with bounds.

checkpoint                 the signed note that is the truth
checkpoints/<size>         earlier checkpoints, as far as they were kept
tile/<level>/<n>[.p/<w>]   hash tiles
tile/entries/<n>[.p/<w>]   entry bundles
blobs/                     the envelopes, by digest
staging/ lock index.sqlite index.lock    of this machine only; never part of a copy
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError, UsageError
from assaymark.core.limits import ENTRY_MAX_BYTES, ENVELOPE_MAX_BYTES, NOTE_MAX_BYTES, TILE_WIDTH
from assaymark.store.blobs import Blobs
from assaymark.store.files import make_folder, read_bounded, write_all_durable, write_durable
from assaymark.tlog.checkpoint import Checkpoint, read_checkpoint
from assaymark.tlog.leaf import Leaf, parse_leaf
from assaymark.tlog.merkle import HASH_BYTES, leaf_hash
from assaymark.tlog.tiles import ENTRIES, Tile, TileNodes, index_path, parse_bundle, parse_hash_tile, width_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_BUNDLE_MAX_BYTES: Final = TILE_WIDTH * (2 + ENTRY_MAX_BYTES)
_CACHED_TILES: Final = 64  # a few look-ups' worth; a tile of hashes takes about 17 KB


def damaged(path: Path, what: str, position: str = "") -> InputError:
    """The error for a log that does not hold together."""
    return InputError(
        "log-damaged",
        what,
        source=str(path),
        position=position,
        remedy="run assaymark log check, then restore the log from a copy",
    )


def no_log(folder: Path) -> InputError:
    """The error for a folder without a log."""
    return InputError(
        "log-missing", "there is no log here", source=str(folder), remedy="check the path, or make a log"
    )


@dataclass(frozen=True, slots=True)
class LogFiles:
    """The files of one log. Tiles that were read stay in a small cache: a tile below a checkpoint never changes."""

    folder: Path
    _cache: dict[Tile, tuple[bytes, ...]] = field(default_factory=dict)

    @property
    def blobs(self) -> Blobs:
        """The envelopes."""
        return Blobs(self.folder / "blobs")

    @property
    def checkpoint_path(self) -> Path:
        """The truth."""
        return self.folder / "checkpoint"

    def checkpoint_at(self, size: int) -> Path:
        """Where the earlier checkpoint of that size is kept."""
        return self.folder / "checkpoints" / index_path(size)

    def checkpoint(self) -> tuple[bytes, Checkpoint]:
        """The signed note of the current tree, and what it says; its signature is not verified.

        Raises:
            InputError: ``log-missing`` when there is no log here, ``file-size``, ``note-*``, ``checkpoint-form``.
            UnavailableError: ``store-io`` or ``store-unreadable``.
        """
        data = self._checkpoint_bytes()
        try:
            return data, read_checkpoint(data)
        except InputError as error:
            error.at(str(self.checkpoint_path))
            raise

    def kept_checkpoint(self, size: int) -> tuple[bytes, Checkpoint]:
        """The earlier checkpoint of that size.

        Raises:
            UsageError: ``checkpoint-unknown`` when it was not kept.
            InputError: ``log-damaged``.
        """
        path = self.checkpoint_at(size)
        try:
            note = read_bounded(path, NOTE_MAX_BYTES)
            checkpoint = read_checkpoint(note)
        except InputError as error:
            if error.code != "file-missing":
                raise damaged(path, error.message, error.position) from None
            raise UsageError(
                "checkpoint-unknown",
                f"no checkpoint of {size} entries was kept",
                source=str(self.folder),
                remedy="ask for the current one",
            ) from None
        if checkpoint.size != size:
            raise damaged(path, f"the checkpoint is of {checkpoint.size} entries")
        return note, checkpoint

    def _checkpoint_bytes(self) -> bytes:
        try:
            return read_bounded(self.checkpoint_path, NOTE_MAX_BYTES)
        except InputError as error:
            if error.code != "file-missing":
                raise
            raise no_log(self.folder) from None

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
            raise UsageError(
                "tree-index", f"the log has {size} entries, none of index {index}", source=str(self.folder)
            )
        number, offset = divmod(index, TILE_WIDTH)
        data = self.entries(Tile(ENTRIES, number, width_at(ENTRIES, number, size)))[offset]
        if leaf_hash(data) != self.nodes(size)(0, index):
            raise damaged(self.folder, "the entry does not match its hash", f"entry {index}")
        return data

    def leaf(self, index: int, size: int) -> Leaf:
        """As ``leaf_bytes``, parsed."""
        data = self.leaf_bytes(index, size)
        try:
            return parse_leaf(data)
        except InputError as error:
            raise damaged(self.folder, error.message, f"entry {index}") from None

    def envelope(self, leaf: Leaf) -> bytes:
        """The envelope that an entry commits to.

        Raises:
            InputError: ``blob-missing`` or ``blob-corrupt``.
        """
        return self.blobs.get(leaf.envelope_digest, ENVELOPE_MAX_BYTES)

    def write_tiles(self, tiles: Sequence[tuple[Tile, bytes]], staging: Path) -> None:
        """Write tiles durably, over what a crash may have left under the same names.

        Raises:
            UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``.
        """
        files = [(self.folder / tile.path, data) for tile, data in tiles]
        for folder in dict.fromkeys(path.parent for path, _ in files):
            make_folder(folder)
        write_all_durable(files, staging=staging)

    def drop_partials(self, tile: Tile, widths: range | None = None) -> None:
        """Remove partial tiles of a place, all or those of some widths; a missing one is fine.

        Only for partial tiles that no checkpoint needs any more, so a failure leaves litter and no damage.
        """
        folder = self.folder / (tile.full.path + ".p")
        with contextlib.suppress(OSError):
            paths = list(folder.iterdir()) if widths is None else [folder / str(width) for width in widths]
            for path in paths:
                path.unlink(missing_ok=True)
            if widths is None:
                folder.rmdir()

    def keep_checkpoint(self, size: int) -> None:
        """Keep the current checkpoint under its size before another replaces it; a convenience, so not flushed."""
        kept = self.checkpoint_at(size)
        make_folder(kept.parent)
        try:
            os.link(self.checkpoint_path, kept)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            write_durable(kept, self._checkpoint_bytes())

    def _read(self, tile: Tile, limit: int, parse: Callable[[bytes, int], tuple[bytes, ...]]) -> tuple[bytes, ...]:
        cached = self._cache.get(tile)
        if cached is not None:
            return cached
        found = tile
        try:
            try:
                data = read_bounded(self.folder / tile.path, limit)
            except InputError as error:
                if error.code != "file-missing" or tile.width == TILE_WIDTH:
                    raise
                # A writer has filled the tile since and removed the partial one (tlog-tiles, "Partial Tiles").
                found = tile.full
                data = read_bounded(self.folder / found.path, limit)
            items = parse(data, found.width)[: tile.width]
        except InputError as error:
            raise damaged(self.folder / tile.path, error.message, error.position) from None
        if len(self._cache) >= _CACHED_TILES:
            self._cache.clear()
        self._cache[tile] = items
        return items
