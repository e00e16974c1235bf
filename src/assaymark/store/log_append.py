"""How a batch gets into the log: blobs, bundles, hashes, checkpoint, in this order and each durable."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from assaymark.core.errors import UnavailableError
from assaymark.core.limits import CLOCK_SKEW_SECONDS, TILE_WIDTH
from assaymark.core.times import format_time
from assaymark.store.files import make_folder, write_all_durable
from assaymark.store.log_files import damaged
from assaymark.tlog.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from assaymark.tlog.frontier import Frontier
from assaymark.tlog.leaf import Leaf, format_leaf
from assaymark.tlog.merkle import leaf_hash
from assaymark.tlog.tiles import ENTRIES, Tile, format_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from assaymark.store.log_files import LogFiles
    from assaymark.tlog.note import NoteSigner


def append_batch(
    files: LogFiles, envelopes: Mapping[str, bytes], now: int, signer: NoteSigner
) -> tuple[Checkpoint, Checkpoint, list[Leaf]]:
    """Append one entry for each envelope, which is given under its digest and not in the log yet.

    The caller holds the writer's lock. Returns the checkpoints before and after, and the entries. The rename of
    the checkpoint is the moment at which the batch is in the log; what a crash leaves before it is overwritten.

    Raises:
        InputError: ``log-damaged`` when the stored hashes do not lead to the checkpoint: signing on top of them
            would commit to a wrong tree.
        VerificationError: ``checkpoint-origin``, ``note-signature`` or ``note-unsigned`` when the log or the new
            signature is not of this signer.
        UnavailableError: ``clock-went-back``, ``disk-full``, ``store-read-only`` or ``store-io``.
    """
    note, _ = files.checkpoint()
    before = verify_checkpoint(note, [signer.verifier])
    frontier = Frontier.read(before.size, files.hashes)
    if frontier.root() != before.root_hash:
        raise damaged(files.folder, "the hashes do not lead to the checkpoint's root; nothing was written")
    logged_at = _leaf_time(files, before.size, now)
    leaves = [Leaf(digest, logged_at) for digest in envelopes]
    staging = _clean_staging(files)
    files.blobs.put_all(list(envelopes.values()))
    filled = _write_leaves(files, frontier, [format_leaf(leaf) for leaf in leaves], staging)
    after = Checkpoint(before.origin, frontier.size, frontier.root())
    signed = sign_checkpoint(after, signer)
    files.keep_checkpoint(before.size)
    write_all_durable([(files.checkpoint_path, signed)], staging=staging)
    for tile in filled:
        files.drop_partials(tile)
    return before, after, leaves


def _write_leaves(files: LogFiles, frontier: Frontier, leaves: list[bytes], staging: Path) -> list[Tile]:
    """Write the new tiles, bundles first: what a hash commits to is durable before it. Returns those now full."""
    old = {tile.level: tile for tile, _ in frontier.partials()}
    if 0 in old:
        old[ENTRIES] = Tile(ENTRIES, old[0].index, old[0].width)
    number = frontier.size // TILE_WIDTH
    pending = list(files.entries(old[ENTRIES])) if ENTRIES in old else []
    bundles: list[tuple[Tile, bytes]] = []
    hashes: list[tuple[Tile, bytes]] = []
    for leaf in leaves:
        pending.append(leaf)
        if len(pending) == TILE_WIDTH:
            bundles.append((Tile(ENTRIES, number), format_bundle(pending)))
            number, pending = number + 1, []
        hashes += [(tile, b"".join(digests)) for tile, digests in frontier.add(leaf_hash(leaf))]
    if pending:
        bundles.append((Tile(ENTRIES, number, len(pending)), format_bundle(pending)))
    hashes += [(tile, b"".join(digests)) for tile, digests in frontier.partials() if tile != old.get(tile.level)]
    for tile, _ in (*bundles, *hashes):
        # Widths between the old checkpoint's and ours belong to no checkpoint: a crash left them.
        previous = old.get(tile.level)
        start = previous.width if previous is not None and previous.index == tile.index else 0
        files.drop_partials(tile, range(start + 1, tile.width))
    files.write_tiles(bundles, staging)
    files.write_tiles(hashes, staging)
    return [tile for tile, _ in (*bundles, *hashes) if tile.width == TILE_WIDTH]


def _leaf_time(files: LogFiles, size: int, now: int) -> int:
    """``now``, raised to the last entry's time when the clock was corrected by a few seconds."""
    if size == 0:
        return now
    last = files.leaf(size - 1, size).logged_at
    if now < last - CLOCK_SKEW_SECONDS:
        raise UnavailableError(
            "clock-went-back",
            f"this machine's clock says {format_time(now)}, the log's last entry {format_time(last)}",
            source=str(files.folder),
            remedy="set the clock right and try again; nothing was written",
        )
    return max(now, last)


def _clean_staging(files: LogFiles) -> Path:
    """The folder for unfinished files; under the lock, what lies there is of a writer that died."""
    staging = files.folder / "staging"
    make_folder(staging)
    with contextlib.suppress(OSError):
        for path in staging.iterdir():
            path.unlink()
    files.blobs.sweep()
    return staging
