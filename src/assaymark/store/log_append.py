"""How a batch gets into the log: blobs, bundles, hashes, checkpoint, in this order and each durable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import InputError, UnavailableError
from assaymark.core.limits import CLOCK_SKEW_SECONDS, TILE_WIDTH
from assaymark.core.times import format_time
from assaymark.store.log_files import NEXT, damaged, kept_name
from assaymark.tlog.checkpoint import Checkpoint, read_checkpoint, sign_checkpoint, verify_checkpoint
from assaymark.tlog.frontier import Frontier
from assaymark.tlog.leaf import Leaf, format_leaf
from assaymark.tlog.merkle import leaf_hash
from assaymark.tlog.tiles import ENTRIES, Tile, format_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.store.log_files import LogFiles
    from assaymark.store.ports import LogBatch
    from assaymark.tlog.note import NoteSigner


def append_batch(
    files: LogFiles, batch: LogBatch, envelopes: Mapping[str, bytes], now: int, signer: NoteSigner
) -> tuple[Checkpoint, Checkpoint, list[Leaf]]:
    """Append one entry for each envelope, which is given under its digest and not in the log yet.

    The caller holds the writer's lock, and ``finish_batch`` was called. Returns the checkpoints before and after,
    and the entries. The swap of the checkpoint is the moment at which the batch is in the log; what a crash leaves
    before it is overwritten.

    Raises:
        InputError: ``log-damaged`` when the stored hashes do not lead to the checkpoint: signing on top of them
            would commit to a wrong tree.
        VerificationError: ``checkpoint-origin``, ``note-signature`` or ``note-unsigned`` when the log or the new
            signature is not of this signer.
        UnavailableError: ``clock-went-back``, ``log-moved``, ``disk-full``, ``store-read-only`` or ``store-io``.
    """
    note, _ = files.checkpoint()
    before = verify_checkpoint(note, [signer.verifier])
    frontier = Frontier.read(before.size, files.hashes)
    if frontier.root() != before.root_hash:
        raise damaged(files.where, "the hashes do not lead to the checkpoint's root; nothing was written")
    logged_at = _leaf_time(files, before.size, now)
    leaves = [Leaf(digest, logged_at) for digest in envelopes]
    batch.put_envelopes(list(envelopes.values()))
    filled = _write_leaves(files, batch, frontier, [format_leaf(leaf) for leaf in leaves])
    after = Checkpoint(before.origin, frontier.size, frontier.root())
    signed = sign_checkpoint(after, signer)
    batch.swap(note, signed, keep=kept_name(before.size), drop=[_partials(tile) for tile in filled])
    return before, after, leaves


def finish_batch(files: LogFiles, batch: LogBatch) -> None:
    """Move the checkpoint to one whose batch is durable and whose swap a crash cut short.

    Somebody may have read that checkpoint before the crash: a batch of other entries on the old one would be a fork.

    Raises:
        InputError: ``log-damaged`` when the stored hashes do not lead to it.
        UnavailableError: as ``append_batch``.
    """
    unfinished = files.medium.unfinished()
    if unfinished is None:
        return
    note, current = files.checkpoint()
    if unfinished == note:
        return
    try:
        checkpoint = read_checkpoint(unfinished)
    except InputError as error:
        raise damaged(files.where, f"{NEXT}, the checkpoint of an unfinished batch: {error.message}") from None
    if checkpoint.size <= current.size or checkpoint.origin != current.origin:
        return
    if Frontier.read(checkpoint.size, files.hashes).root() != checkpoint.root_hash:
        raise damaged(files.where, "the hashes do not lead to the root of an unfinished batch; nothing was written")
    batch.swap(note, unfinished, keep=kept_name(current.size))


def _partials(tile: Tile) -> str:
    """The folder of the partial tiles of a place."""
    return tile.full.path + ".p"


def _write_leaves(files: LogFiles, batch: LogBatch, frontier: Frontier, leaves: list[bytes]) -> list[Tile]:
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
        if start + 1 < tile.width:
            batch.drop(_partials(tile), [str(width) for width in range(start + 1, tile.width)])
    batch.put([(tile.path, data) for tile, data in bundles])
    batch.put([(tile.path, data) for tile, data in hashes])
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
            source=files.where,
            remedy="set the clock right and try again; nothing was written",
        )
    return max(now, last)
