"""The whole log computed again: what is wrong, by index. It stops at nothing and raises nothing for damage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import AssaymarkError, InputError, UnavailableError, VerificationError
from assaymark.core.limits import ENVELOPE_MAX_BYTES, NOTE_MAX_BYTES, TILE_WIDTH
from assaymark.core.times import format_time
from assaymark.store.log_files import KEPT, NEXT, kept_name
from assaymark.store.log_index import Covered, DamagedIndexError, IndexRow, LogIndex
from assaymark.store.log_lookup import INDEX_NAME, make_row
from assaymark.tlog.checkpoint import Checkpoint, verify_checkpoint
from assaymark.tlog.frontier import Frontier
from assaymark.tlog.leaf import Leaf, parse_leaf
from assaymark.tlog.merkle import CompactRange, leaf_hash
from assaymark.tlog.tiles import ENTRIES, TILE_HEIGHT, Tile, format_bundle, width_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from assaymark.store.log_files import LogFiles
    from assaymark.store.log_lookup import Description
    from assaymark.tlog.note import NoteVerifier

_INDEX_REMEDY: Final = "delete it; it is built again from the log"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. ``index`` is the first entry that it touches; None when it is the log as a whole."""

    index: int | None
    what: str


def check_log(
    files: LogFiles,
    describe: Callable[[bytes], Description],
    verifier: NoteVerifier,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    examine: Callable[[int, bytes], Sequence[str]] | None = None,
) -> list[Problem]:
    """Every problem of the log, which is only read; an empty list means that it holds together.

    Compared: the checkpoint's signature under ``verifier``; the root, computed from the entry bundles; every hash
    of every tile, earlier partial ones included; each kept checkpoint's signature and root; each entry's form and
    time order; each envelope's presence and digest; each row of the index; and what the medium itself finds.
    ``examine(index, envelope)`` adds what it returns.
    """
    return _Check(files, describe, verifier, examine).run(on_progress)


class _Check:
    def __init__(
        self,
        files: LogFiles,
        describe: Callable[[bytes], Description],
        verifier: NoteVerifier,
        examine: Callable[[int, bytes], Sequence[str]] | None,
    ) -> None:
        self._files = files
        self._describe = describe
        self._verifier = verifier
        self._examine = examine
        self._problems: list[Problem] = []
        self._frontier = Frontier()
        self._tree = CompactRange()
        self._whole = True  # whether every entry's hash is known so far
        self._previous = 0

    def run(self, on_progress: Callable[[int, int], None] | None) -> list[Problem]:
        # The index first: a writer that is at work moves the checkpoint before the index.
        index = _IndexRows(self._files.folder, self._report)
        for problem in self._files.medium.problems():
            self._report(None, problem)
        kept = self._kept_checkpoints()
        checkpoint = self._current_checkpoint(kept)
        if checkpoint is None:
            index.finish()
            return self._problems
        index.bind(checkpoint)
        for size in kept:
            if size > checkpoint.size:
                self._report(None, f"checkpoint: rolled back, one of {size} entries was published before")
        roots = {size: (f"checkpoints: the one of {size} entries", root) for size, root in kept.items()}
        roots |= self._unfinished(checkpoint)
        for number in range((checkpoint.size + TILE_WIDTH - 1) // TILE_WIDTH):
            width = width_at(ENTRIES, number, checkpoint.size)
            self._bundle(number, width, roots, index)
            if on_progress is not None:
                on_progress(number * TILE_WIDTH + width, checkpoint.size)
        for tile, hashes in self._frontier.partials() if self._whole else ():
            if tile.level > 0:
                self._compare_tile(tile, hashes)
            self._compare_earlier(tile, partial(_first_hashes, hashes))
        if not self._whole:
            self._report(None, "the root was not computed: entries are missing")
        elif self._tree.root() != checkpoint.root_hash:
            self._report(None, "checkpoint: its root is not that of the entries")
        index.finish()
        return self._problems

    def _report(self, index: int | None, what: str) -> None:
        self._problems.append(Problem(index, what))

    def _current_checkpoint(self, kept: dict[int, bytes]) -> Checkpoint | None:
        """The signed checkpoint; when it is damaged, the latest kept one, so that the rest is still checked."""
        try:
            note, _ = self._files.checkpoint()
            return verify_checkpoint(note, [self._verifier])
        except AssaymarkError as error:
            self._report(None, f"checkpoint: {error.message}")
        if not kept:
            return None
        size = max(kept)
        self._report(None, f"checked up to the kept checkpoint of {size} entries only")
        return Checkpoint(self._verifier.name, size, kept[size])

    def _unfinished(self, current: Checkpoint) -> dict[int, tuple[str, bytes]]:
        """Size and root of the checkpoint that was written ahead; beyond the current one it is not finished yet."""
        try:
            note = self._files.medium.unfinished()
            found = None if note is None else verify_checkpoint(note, [self._verifier])
        except AssaymarkError as error:
            self._report(None, f"{NEXT}: {error.message}; remove it")
            return {}
        if found is None or found.size > current.size:
            return {}
        if found.size == current.size and found.root_hash != current.root_hash:
            self._report(None, f"{NEXT}: commits to another history")
        return {found.size: (NEXT, found.root_hash)}

    def _kept_checkpoints(self) -> dict[int, bytes]:
        kept: dict[int, bytes] = {}
        try:
            names = self._files.medium.names(KEPT)
        except (InputError, UnavailableError) as error:
            self._report(None, f"{KEPT}: {error.message}")
            return kept
        for name in names:
            try:
                checkpoint = verify_checkpoint(self._files.medium.read(name, NOTE_MAX_BYTES), [self._verifier])
            except (InputError, VerificationError, UnavailableError) as error:
                self._report(None, f"{name}: {error.message}")
                continue
            if kept_name(checkpoint.size) != name:
                self._report(None, f"{name}: holds the checkpoint of {checkpoint.size} entries")
            kept[checkpoint.size] = checkpoint.root_hash
        return kept

    def _bundle(self, number: int, width: int, roots: dict[int, tuple[str, bytes]], index: _IndexRows) -> None:
        first = number * TILE_WIDTH
        stored = self._read(self._files.hashes, Tile(0, number, width), first)
        entries = self._read(self._files.entries, Tile(ENTRIES, number, width), first)
        for offset in range(width):
            position = first + offset
            known = roots.get(position)
            if known is not None and self._whole and position and self._tree.root() != known[1]:
                self._report(None, f"{known[0]} commits to another history")
            digest = None
            if entries is not None:
                digest = leaf_hash(entries[offset])
                self._entry(position, entries[offset], index)
            if stored is not None:
                if digest is None:
                    digest = stored[offset]
                elif digest != stored[offset]:
                    self._report(position, f"{Tile(0, number, width).path}: not the hash of this entry")
            self._grow(digest)
        if entries is not None and width < TILE_WIDTH:
            self._compare_earlier(Tile(ENTRIES, number, width), lambda count: format_bundle(entries[:count]))

    def _compare_earlier(self, tile: Tile, expected: Callable[[int], bytes]) -> None:
        """The narrower partial tiles at the log's edge, which clients with an earlier checkpoint may fetch."""
        try:
            present = set(self._files.medium.names(tile.full.path + ".p"))
        except (InputError, UnavailableError) as error:
            self._report(None, f"{tile.full.path}.p: {error.message}")
            return
        for width in range(1, tile.width):
            name = replace(tile, width=width).path
            if name not in present:
                continue
            data = expected(width)
            try:
                same = self._files.medium.read(name, len(data)) == data
            except (InputError, UnavailableError):
                same = False
            if not same:
                first = tile.index * TILE_WIDTH << (TILE_HEIGHT * max(tile.level, 0))
                self._report(first, f"{name}: not the first {width} of its entries")

    def _grow(self, digest: bytes | None) -> None:
        if digest is None:
            self._whole = False
        if digest is None or not self._whole:
            return
        self._tree.add(digest)
        for tile, hashes in self._frontier.add(digest):
            if tile.level > 0:
                self._compare_tile(tile, hashes)

    def _compare_tile(self, tile: Tile, hashes: Sequence[bytes]) -> None:
        span = 1 << (TILE_HEIGHT * tile.level)
        first = tile.index * TILE_WIDTH * span
        stored = self._read(self._files.hashes, tile, first)
        for i, (found, expected) in enumerate(zip(stored or (), hashes, strict=False)):
            if found != expected:
                start = first + i * span
                self._report(start, f"{tile.path}: not the hash of entries {start} to {start + span - 1}")

    def _read(self, read: Callable[[Tile], tuple[bytes, ...]], tile: Tile, first: int) -> tuple[bytes, ...] | None:
        try:
            return read(tile)
        except (InputError, UnavailableError) as error:
            self._report(first, f"{tile.path}: {error.message}")
            return None

    def _entry(self, position: int, data: bytes, index: _IndexRows) -> None:
        try:
            leaf = parse_leaf(data)
        except InputError as error:
            self._report(position, f"the entry is malformed: {error.message}")
            return
        if leaf.logged_at < self._previous:
            self._report(
                position,
                f"logged at {format_time(leaf.logged_at)}, after an entry of {format_time(self._previous)}",
            )
        self._previous = max(self._previous, leaf.logged_at)
        try:
            envelope = self._files.medium.envelopes.get(leaf.envelope_digest, ENVELOPE_MAX_BYTES)
        except (InputError, UnavailableError) as error:
            self._report(position, f"the envelope: {error.message}")
            return
        self._envelope(position, leaf, envelope, index)

    def _envelope(self, position: int, leaf: Leaf, envelope: bytes, index: _IndexRows) -> None:
        try:
            index.compare(make_row(position, leaf, self._describe(envelope)))
        except InputError as error:
            self._report(position, f"the envelope is malformed: {error}")
        if self._examine is not None:
            try:
                notes = self._examine(position, envelope)
            except AssaymarkError as error:
                notes = [str(error)]
            for note in notes:
                self._report(position, note)


def _first_hashes(hashes: Sequence[bytes], width: int) -> bytes:
    return b"".join(hashes[:width])


class _IndexRows:
    """The index's rows in step with the entries.

    An index that is absent, behind or out of reach is no problem of the log: it is derived, and catches up.
    """

    def __init__(self, folder: Path, report: Callable[[int | None, str], None]) -> None:
        self._report = report
        self._rows: Iterator[IndexRow] = iter(())
        self._next: IndexRow | None = None
        self._size = 0
        self._index: LogIndex | None = None
        self._covered: Covered | None = None
        path = folder / INDEX_NAME
        if path.exists():
            self._guard(lambda: self._open(path))

    def bind(self, checkpoint: Checkpoint) -> None:
        """Start comparing when the index was derived from the log of ``checkpoint``."""
        covered = self._covered
        if covered is None:
            return
        if covered.origin != checkpoint.origin or covered.size > checkpoint.size:
            self._stop(f"belongs to another log; {_INDEX_REMEDY}")
        elif covered.size == checkpoint.size and covered.root_hash != checkpoint.root_hash:
            self._stop(f"belongs to another history; {_INDEX_REMEDY}")
        else:
            self._size = covered.size
            self._advance()

    def compare(self, expected: IndexRow) -> None:
        """Report the row of an entry when it is missing or says something else."""
        if expected.position >= self._size:
            return
        while self._next is not None and self._next.position < expected.position:
            self._advance()
        if self._next is None or self._next.position != expected.position:
            self._report(expected.position, f"{INDEX_NAME}: the entry is missing in it; {_INDEX_REMEDY}")
        elif self._next != expected:
            self._report(expected.position, f"{INDEX_NAME}: wrong about the entry; {_INDEX_REMEDY}")

    def finish(self) -> None:
        """Report rows beyond the log and let the file go."""
        while self._next is not None:
            if self._next.position >= self._size:
                self._report(None, f"{INDEX_NAME}: names entry {self._next.position}, which is not there")
            self._advance()
        self._rows = iter(())
        if self._index is not None:
            self._index.close()

    def _open(self, path: Path) -> None:
        self._index = LogIndex(path, create=False)
        self._index.freeze()
        self._covered = self._index.covered()
        self._rows = self._index.rows()

    def _advance(self) -> None:
        self._next = None
        self._guard(self._step)

    def _step(self) -> None:
        self._next = next(self._rows, None)

    def _guard(self, action: Callable[[], None]) -> None:
        try:
            action()
        except DamagedIndexError as error:
            self._stop(f"damaged ({error}); {_INDEX_REMEDY}")
        except UnavailableError:  # a full disk says nothing of the log; look-ups do without the file too
            self._forget()

    def _stop(self, what: str) -> None:
        self._report(None, f"{INDEX_NAME}: {what}")
        self._forget()

    def _forget(self) -> None:
        self._size = 0
        self._next = None
        self._rows = iter(())
