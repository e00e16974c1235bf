"""The log of one tenant: append, read, prove, look up. One code over each medium (ports.py): a folder, or SQLite.

The checkpoint is the truth. An append writes envelopes, entries and hashes, each durable, then moves the checkpoint
by compare-and-swap: whatever a crash leaves beyond it is overwritten by the next append. One writer at a time holds
the lock; readers need none. Nothing but ``check``, ``export`` and building the index anew is linear in the log.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from assaymark.core.digest import sha256_digest
from assaymark.core.errors import AssaymarkError, InputError, UnavailableError, UsageError, VerificationError
from assaymark.core.limits import ENVELOPE_MAX_BYTES, LOCK_WAIT_SECONDS
from assaymark.store.log_append import append_batch, finish_batch
from assaymark.store.log_check import Problem, check_log
from assaymark.store.log_export import export_log
from assaymark.store.log_files import LogFiles, damaged
from assaymark.store.log_index import DamagedIndexError
from assaymark.store.log_lookup import Description, Lookup, describe_envelope, make_row
from assaymark.store.log_media import DEFAULT_STORE, find_medium, new_medium
from assaymark.tlog.checkpoint import Checkpoint, sign_checkpoint
from assaymark.tlog.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_at,
    verify_inclusion,
)
from assaymark.tlog.proof import make_receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from assaymark.core.attestation import Receipt
    from assaymark.store.ports import EntryIndex, LogMedium
    from assaymark.tlog.leaf import Leaf
    from assaymark.tlog.note import NoteSigner, NoteVerifier

__all__ = ["Description", "LogStore", "Problem", "describe_envelope"]


class LogStore:
    """A log in ``folder``. Make one with ``create``, use one with ``open``; safe to share between threads."""

    def __init__(self, medium: LogMedium, describe: Callable[[bytes], Description], *, read_only: bool) -> None:
        self.folder = medium.folder
        self._files = LogFiles(medium)
        self._describe = describe
        self._read_only = read_only
        self._lookup = Lookup(self._files, describe, in_memory=read_only)

    @classmethod
    def create(
        cls,
        folder: Path,
        origin: str,
        signer: NoteSigner,
        *,
        describe: Callable[[bytes], Description] = describe_envelope,
        store: str = DEFAULT_STORE,
    ) -> LogStore:
        """Make an empty log whose first checkpoint ``signer`` signs; its key's name must be ``origin``.

        ``store`` is one of ``STORES``: where its bytes lie. Whoever opens it finds out.

        Raises:
            UsageError: ``path-exists`` when there is a log already; ``store-unknown``.
            InputError: ``checkpoint-form`` or ``note-form`` when ``origin`` cannot name a log.
            VerificationError: ``checkpoint-origin`` or ``note-signature``.
            UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``.
        """
        note = sign_checkpoint(Checkpoint(origin, 0, EMPTY_ROOT), signer)
        new_medium(folder, store).create(note)
        return cls.open(folder, describe=describe)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        read_only: bool = False,
        describe: Callable[[bytes], Description] = describe_envelope,
    ) -> LogStore:
        """The log in ``folder``; with ``read_only`` nothing is written, no lock taken, and the index is in memory.

        Raises:
            InputError: ``log-missing``, or ``log-damaged`` when two logs lie there. A log that is damaged otherwise
                opens, so that ``check`` can say what is wrong.
        """
        log = cls(find_medium(folder, read_only=read_only), describe, read_only=read_only)
        if not read_only:
            log._finish()
        return log

    def close(self) -> None:
        """Release files; they are opened again when they are needed."""
        self._lookup.close()
        self._files.medium.close()

    def change_signs(self) -> tuple[Path, ...]:
        """Files of which one has another size or time after each append; one of them may be missing."""
        return self._files.medium.change_signs()

    def checkpoint(self) -> tuple[bytes, Checkpoint]:
        """The current checkpoint: the signed note, and what it says. Its signature is for the caller to verify.

        Raises:
            InputError: ``log-missing``, ``note-*`` or ``checkpoint-form``.
            UnavailableError: ``store-io`` or ``store-unreadable``.
        """
        return self._files.checkpoint()

    def entry(self, index: int) -> tuple[Leaf, bytes]:
        """The entry at ``index`` and its envelope, both checked against their hashes.

        Raises:
            UsageError: ``tree-index``.
            InputError: ``log-damaged``, ``blob-missing`` or ``blob-corrupt``.
        """
        leaf = self._files.leaf(index, self.checkpoint()[1].size)
        return leaf, self._files.envelope(leaf)

    def receipt(self, index: int, size: int | None = None) -> Receipt:
        """The proof that entry ``index`` is in the tree of the current checkpoint, or of the kept one at ``size``.

        Raises:
            UsageError: ``tree-index``, or ``checkpoint-unknown`` when no checkpoint of that size was kept.
            InputError: ``log-damaged``.
        """
        note, current = self.checkpoint()
        checkpoint = current
        if size is not None and size != current.size:
            note, checkpoint = self._files.kept_checkpoint(size)
        leaf = self._files.leaf_bytes(index, current.size)
        hashes = inclusion_proof(index, checkpoint.size, self._files.nodes(current.size))
        try:
            verify_inclusion(leaf_hash(leaf), index, checkpoint.size, hashes, checkpoint.root_hash)
        except VerificationError as error:
            raise damaged(self._files.where, error.message, f"entry {index}") from None
        return make_receipt(index, leaf, hashes, note)

    def consistency(self, size1: int, size2: int) -> tuple[bytes, ...]:
        """The proof that the tree of ``size2`` entries extends that of ``size1``.

        Raises:
            UsageError: ``tree-size`` unless 0 < size1 <= size2 <= the log's size.
            InputError: ``log-damaged``.
        """
        size = self._size_with(size2)
        return consistency_proof(size1, size2, self._files.nodes(size))

    def root_at(self, size: int) -> bytes:
        """The 32 bytes of the root of the first ``size`` entries.

        Raises:
            UsageError: ``tree-size``.
            InputError: ``log-damaged``.
        """
        return root_at(size, self._files.nodes(self._size_with(size)))

    def find(self, envelope_digest: str) -> int | None:
        """The index of the entry for an envelope. The index is asked, the log's entry is what counts.

        Raises:
            InputError: as ``by_subject``.
        """
        return self._find_all([envelope_digest]).get(envelope_digest)

    def by_subject(
        self,
        digest: str,
        below: int,
        *,
        only: str | None = None,
        without: Collection[str] = (),
        newest_first: bool = False,
        limit: int | None = None,
    ) -> list[int]:
        """The indexes below ``below`` of entries on a subject: of one predicate type, or of all but some.

        Raises:
            InputError: ``log-damaged`` or ``blob-*`` when the index has to be brought up to date and cannot be.
            UnavailableError: ``index-busy`` or ``store-unreadable``.
        """
        return self._lookup.ask(
            lambda index, size: index.by_subject(
                digest, min(below, size), only=only, without=without, newest_first=newest_first, limit=limit
            )
        )

    def by_predicate(
        self, predicate_type: str, below: int, *, newest_first: bool = True, limit: int | None = None
    ) -> list[int]:
        """The indexes below ``below`` of entries of a predicate type, or of a payload type that is no statement.

        Raises:
            InputError, UnavailableError: as ``by_subject``.
        """
        return self._lookup.ask(
            lambda index, size: index.by_predicate(
                predicate_type, min(below, size), newest_first=newest_first, limit=limit
            )
        )

    def by_term(self, term: str, below: int, *, newest_first: bool = False, limit: int | None = None) -> list[int]:
        """The indexes below ``below`` of entries that hold a term: see ``IndexRow``.

        Raises:
            InputError, UnavailableError: as ``by_subject``.
        """
        return self._lookup.ask(
            lambda index, size: index.by_term(term, min(below, size), newest_first=newest_first, limit=limit)
        )

    def terms(self, prefix: str) -> list[str]:
        """The distinct terms with a prefix such as ``key:``, sorted.

        Raises:
            InputError, UnavailableError: as ``by_subject``.
        """
        return self._lookup.ask(lambda index, _: index.terms(prefix))

    def made_from(self, materials: Collection[str], below: int) -> list[tuple[int, str, str, str, str]]:
        """What was made from some materials: see ``EntryIndex.made_from``.

        Raises:
            InputError, UnavailableError: as ``by_subject``.
        """
        return self._lookup.ask(lambda index, size: index.made_from(materials, min(below, size)))

    def details(
        self, digests: Collection[str], predicate_types: Collection[str], below: int
    ) -> list[tuple[int, str, str, str]]:
        """The details of entries on some subjects: see ``EntryIndex.details``.

        Raises:
            InputError, UnavailableError: as ``by_subject``.
        """
        return self._lookup.ask(lambda index, size: index.details(digests, predicate_types, min(below, size)))

    def subjects_with(self, term: str, since: int, below: int) -> list[tuple[int, str, str, str]]:
        """The subjects of the entries with a term: see ``EntryIndex.subjects_with``.

        Raises:
            InputError, UnavailableError: as ``by_subject``.
        """
        return self._lookup.ask(lambda index, size: index.subjects_with(term, since, min(below, size)))

    def subjects_of(self, positions: Collection[int]) -> list[tuple[int, str, str, str]]:
        """The subjects of some entries.

        Raises:
            InputError, UnavailableError: as ``by_subject``.
        """
        return self._lookup.ask(lambda index, _: index.subjects_of(positions))

    def append(
        self, envelopes: Sequence[bytes], now: int, signer: NoteSigner, *, wait: float = LOCK_WAIT_SECONDS
    ) -> list[int]:
        """Log envelopes as one batch; returns the index of each. All are durable when this returns.

        An envelope that is in the log already keeps its index, and nothing is written for it. ``now`` is in
        seconds; an entry is never earlier than the one before it.

        Raises:
            UsageError: ``log-read-only``.
            InputError: ``envelope-size`` or what ``describe`` raises, before anything is written; ``log-damaged``.
            VerificationError: ``checkpoint-origin``, ``note-signature`` or ``note-unsigned`` when the log is not
                of this signer.
            UnavailableError: ``log-locked``, ``log-moved``, ``clock-went-back``, ``disk-full``, ``store-read-only``,
                ``store-io``;
                the log is then as it was or holds the batch whole, and trying again is safe.
        """
        if self._read_only:
            raise UsageError("log-read-only", "this log was opened read-only", source=str(self.folder))
        batch: dict[str, bytes] = {}
        descriptions: dict[str, Description] = {}
        digests = [sha256_digest(envelope) for envelope in envelopes]
        for digest, envelope in zip(digests, envelopes, strict=True):
            if len(envelope) > ENVELOPE_MAX_BYTES:
                raise InputError("envelope-size", f"{len(envelope)} bytes, above the limit of {ENVELOPE_MAX_BYTES}")
            batch[digest] = envelope
            descriptions[digest] = self._describe(envelope)
        with self._files.medium.writing(wait) as writing:
            finish_batch(self._files, writing)
            known = self._find_all(batch)
            fresh = {digest: envelope for digest, envelope in batch.items() if digest not in known}
            if fresh:
                before, after, leaves = append_batch(self._files, writing, fresh, now, signer)
                known |= {digest: index for index, digest in enumerate(fresh, before.size)}
                rows = [
                    make_row(i, leaf, descriptions[leaf.envelope_digest])
                    for i, leaf in enumerate(leaves, before.size)
                ]
                # The batch is in the log; an index that cannot be written catches up at the next look-up.
                with contextlib.suppress(UnavailableError, DamagedIndexError):
                    self._lookup.extend(rows, before.size, after)
        return [known[digest] for digest in digests]

    def rebuild_index(self) -> None:
        """Throw the index away; the next look-up builds it from the log.

        Raises:
            UnavailableError: ``store-read-only`` or ``store-io``.
        """
        self._lookup.discard()

    def check(
        self,
        verifier: NoteVerifier,
        on_progress: Callable[[int, int], None] | None = None,
        examine: Callable[[int, bytes], Sequence[str]] | None = None,
    ) -> list[Problem]:
        """What is wrong with the log, by index: see ``check_log``, which says what is compared.

        ``examine(index, envelope)`` adds what a higher floor finds; ``on_progress(done, total)`` counts entries.
        """
        return check_log(
            LogFiles(self._files.medium), self._describe, verifier, on_progress=on_progress, examine=examine
        )

    def export(self, target: Path) -> Checkpoint:
        """Write a static copy of the log at its current checkpoint to a new or empty folder.

        ``open(target, read_only=True)`` reads it; any C2SP tlog-tiles client can, from a plain web server.

        Raises:
            UsageError: ``path-exists`` when the folder holds something.
            InputError: ``log-damaged``, ``blob-missing`` or ``blob-corrupt``.
            UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``.
        """
        note, checkpoint = self.checkpoint()
        export_log(self._files, note, checkpoint, target)
        return checkpoint

    def _finish(self) -> None:
        """Bring back a checkpoint that a power cut took from its place, if nobody is writing."""
        with contextlib.suppress(AssaymarkError):
            unfinished = self._files.medium.unfinished()
            if unfinished is not None and unfinished != self._files.medium.checkpoint():
                with self._files.medium.writing(0) as batch:
                    finish_batch(self._files, batch)

    def _size_with(self, size: int) -> int:
        """The current size, which must not be below ``size``."""
        current = self.checkpoint()[1].size
        if not 0 <= size <= current:
            raise UsageError("tree-size", f"the log has {current} entries, not {size}", source=str(self.folder))
        return current

    def _find_all(self, envelope_digests: Iterable[str]) -> dict[str, int]:
        """The positions of those envelopes that are in the log; an index that lies is thrown away."""
        wanted = list(envelope_digests)

        def positions(index: EntryIndex, _: int) -> dict[str, int]:
            found = {digest: index.find(digest) for digest in wanted}
            return {digest: position for digest, position in found.items() if position is not None}

        found = self._lookup.ask(positions)
        if all(self._is_entry(position, digest) for digest, position in found.items()):
            return found
        self.rebuild_index()
        return self._lookup.ask(positions)

    def _is_entry(self, position: int, envelope_digest: str) -> bool:
        size = self.checkpoint()[1].size
        return position < size and self._files.leaf(position, size).envelope_digest == envelope_digest
