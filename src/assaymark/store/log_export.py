"""A static copy of a log, consistent with one checkpoint: for a mirror, a web server or offline media."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError, UsageError
from assaymark.core.limits import MIB, TILE_WIDTH
from assaymark.store.blobs import Blobs
from assaymark.store.files import make_folder, storage_errors, write_all_durable, write_durable
from assaymark.store.log_files import damaged
from assaymark.tlog.leaf import parse_leaf
from assaymark.tlog.tiles import ENTRIES, format_bundle, tiles_at

if TYPE_CHECKING:
    from pathlib import Path

    from assaymark.store.log_files import LogFiles
    from assaymark.tlog.checkpoint import Checkpoint

_BATCH_BYTES: Final = 16 * MIB


def export_log(files: LogFiles, note: bytes, checkpoint: Checkpoint, target: Path) -> None:
    """Copy what the tree of ``checkpoint`` needs, and last the checkpoint: without it the copy is not a log yet.

    Raises:
        UsageError: ``path-exists`` when ``target`` holds something.
        InputError: ``log-damaged``, ``blob-missing`` or ``blob-corrupt``.
        UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``.
    """
    make_folder(target)
    with storage_errors(target):
        if any(target.iterdir()):
            raise UsageError("path-exists", "the folder is not empty", source=str(target), remedy="name a new folder")
    copy = Blobs(target / "blobs")
    for tile in tiles_at(checkpoint.size):
        path = target / tile.path
        make_folder(path.parent)
        if tile.level == ENTRIES:
            # Read by the tile's own width: the partial one may have been replaced by a full one meanwhile.
            entries = files.entries(tile)
            write_all_durable([(path, format_bundle(entries))])
            _copy_envelopes(files, copy, tile.index * TILE_WIDTH, entries)
        else:
            write_all_durable([(path, b"".join(files.hashes(tile)))])
    write_durable(target / "checkpoint", note)


def _copy_envelopes(files: LogFiles, copy: Blobs, first: int, entries: tuple[bytes, ...]) -> None:
    batch: list[bytes] = []
    size = 0
    for index, entry in enumerate(entries, first):
        try:
            leaf = parse_leaf(entry)
        except InputError as error:
            raise damaged(files.where, error.message, f"entry {index}") from None
        try:
            batch.append(files.envelope(leaf))
        except InputError as error:
            error.position = f"entry {index}"
            raise
        size += len(batch[-1])
        if size > _BATCH_BYTES:
            copy.put_all(batch)
            batch, size = [], 0
    copy.put_all(batch)
