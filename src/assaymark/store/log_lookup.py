"""Look-ups in the log through its index, which is brought up to date, or built anew, from the log itself."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from assaymark.core.errors import InputError, InternalError, UnavailableError
from assaymark.core.provenance import parse_provenance
from assaymark.core.statement import (
    CONTAINMENT,
    DECISION,
    IN_TOTO_PAYLOAD_TYPE,
    PROVENANCE,
    parse_envelope,
    parse_statement,
)
from assaymark.store.files import storage_errors
from assaymark.store.lock import writer_lock
from assaymark.store.log_index import Covered, DamagedIndexError, IndexRow, LogIndex
from assaymark.tlog.merkle import root_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.statement import Statement
    from assaymark.core.subject import Subject
    from assaymark.store.log_files import LogFiles
    from assaymark.store.ports import EntryIndex
    from assaymark.tlog.checkpoint import Checkpoint
    from assaymark.tlog.leaf import Leaf

INDEX_NAME: Final = "index.sqlite"
KEY_TERM: Final = "key:"
MATERIAL_TERM: Final = "material:"
PACKAGE_TERM: Final = "package:"
_BATCH: Final = 1024
_NOT_WRITABLE: Final = ("store-read-only", "disk-full", "store-io")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Description:
    """What the index keeps of an envelope: see ``IndexRow``."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    terms: tuple[str, ...] = ()
    detail: str = ""


def describe_envelope(envelope: bytes) -> Description:
    """The description of a DSSE envelope; one that is no in-toto statement is known by its payload type.

    The key ids are hints of the signers (DSSE v1), not verified; a signature without one is found under ``key:``.

    Raises:
        InputError: as ``parse_envelope`` and ``parse_statement``.
    """
    parsed = parse_envelope(envelope)
    terms = {KEY_TERM + signature.key_id for signature in parsed.signatures}
    if parsed.payload_type != IN_TOTO_PAYLOAD_TYPE:
        return Description((), parsed.payload_type, tuple(sorted(terms)))
    statement = parse_statement(parsed.payload)
    detail = ""
    if statement.predicate_type == PROVENANCE:
        terms |= _provenance_terms(statement)
    elif statement.predicate_type == DECISION:
        detail = _detail(statement.predicate.get("assaymark"), "outcome", "environment", "validUntil")
    elif statement.predicate_type == CONTAINMENT:
        detail = _detail(statement.predicate, "action", "environment")
    subjects = {subject.digest: subject for subject in reversed(statement.subjects)}
    return Description(
        tuple(subjects[digest] for digest in sorted(subjects)), statement.predicate_type, tuple(sorted(terms)), detail
    )


def _provenance_terms(statement: Statement) -> set[str]:
    try:
        provenance = parse_provenance(statement)
    except InputError:
        return set()  # it claims nothing that can be read; lineage says so
    terms = {MATERIAL_TERM + material.digest for material in provenance.materials}
    for package in provenance.packages:
        terms |= {PACKAGE_TERM + package.name, PACKAGE_TERM + package.url}
        if package.digest:
            terms.add(MATERIAL_TERM + package.digest)
    return terms


def _detail(table: object, *keys: str) -> str:
    """``PERMIT production 2026-01-01T00:00:00Z``: what a statement claims under some keys, a word each."""
    if not isinstance(table, dict):
        return ""
    words = [table.get(key) for key in keys]
    return " ".join(word if isinstance(word, str) and " " not in word else "?" for word in words)


def make_row(index: int, leaf: Leaf, description: Description) -> IndexRow:
    """The index's row for an entry."""
    return IndexRow(
        index,
        leaf.envelope_digest,
        description.predicate_type,
        description.subjects,
        description.terms,
        description.detail,
    )


class Lookup:
    """Answers from an index that covers the current checkpoint.

    A folder that cannot be written, or a full disk, does not stop look-ups: the index is then built in memory,
    once for each process.
    """

    def __init__(self, files: LogFiles, describe: Callable[[bytes], Description], *, in_memory: bool) -> None:
        self._files = files
        self._describe = describe
        self._in_memory = in_memory
        self._index: EntryIndex | None = None
        self._lock = threading.RLock()

    def ask(self, question: Callable[[EntryIndex, int], T]) -> T:
        """``question(index, size)`` of an index that covers the log's ``size`` entries.

        Raises:
            InputError: ``log-damaged``, ``blob-missing`` or ``blob-corrupt`` when an entry that the index lacks
                cannot be read: an answer that leaves it out would be wrong.
            UnavailableError: ``index-busy``, ``store-unreadable``.
        """
        with self._lock:
            for _ in range(3):
                try:
                    return self._ask(question)
                except DamagedIndexError:
                    self.discard()
                except UnavailableError as error:
                    if self._in_memory or error.code not in _NOT_WRITABLE:
                        raise
                    self.close()
                    self._in_memory = True
            raise InternalError("index-unusable", "the index was built anew and still is damaged")

    def extend(self, rows: list[IndexRow], before: int, after: Checkpoint) -> None:
        """Add the rows of entries that were just appended; nothing when the index is not open.

        Raises:
            DamagedIndexError, UnavailableError: the next look-up then brings the index up to date.
        """
        with self._lock:
            if self._index is not None:
                self._index.extend(rows, before, Covered(after.origin, after.size, after.root_hash))

    def discard(self) -> None:
        """Throw the index away; the next look-up builds it from the log.

        Raises:
            UnavailableError: ``store-read-only`` or ``store-io``.
        """
        with self._lock:
            self.close()
            if self._in_memory:
                return
            with writer_lock(self._files.folder / "index.lock"):
                # The file itself last: once it is gone, what has these names belongs to the next one.
                for suffix in ("-wal", "-shm", ""):
                    path = self._files.folder / (INDEX_NAME + suffix)
                    with storage_errors(path):
                        path.unlink(missing_ok=True)

    def close(self) -> None:
        """Release the index's file."""
        with self._lock:
            if self._index is not None:
                self._index.close()
                self._index = None

    def _ask(self, question: Callable[[EntryIndex, int], T]) -> T:
        if self._index is None:
            self._index = LogIndex(None if self._in_memory else self._files.folder / INDEX_NAME)
        index = self._index
        # In this order: another process may append between the two, and only the log may be ahead.
        covered = index.covered()
        checkpoint = self._files.checkpoint()[1]
        while covered is None or covered.size < checkpoint.size:
            self._compare(covered, checkpoint)
            covered = self._catch_up(index, covered.size if covered else 0, checkpoint)
            checkpoint = self._files.checkpoint()[1]  # another process may have appended, and extended the index
        self._compare(covered, checkpoint)
        return question(index, checkpoint.size)

    def _compare(self, covered: Covered | None, checkpoint: Checkpoint) -> None:
        """Refuse an index of another log, of a fork of it, or of a tree that the log does not have."""
        if covered is None:
            return
        if covered.origin != checkpoint.origin or covered.size > checkpoint.size:
            raise DamagedIndexError("of another log")
        nodes = self._files.nodes(checkpoint.size)
        root = checkpoint.root_hash
        if covered.size < checkpoint.size:
            root = root_at(covered.size, nodes)
        if covered.root_hash != root:
            raise DamagedIndexError("of another history")

    def _catch_up(self, index: EntryIndex, start: int, checkpoint: Checkpoint) -> Covered | None:
        end = min(start + _BATCH, checkpoint.size)
        rows = []
        for position in range(start, end):
            leaf = self._files.leaf(position, checkpoint.size)
            try:
                description = self._describe(self._files.envelope(leaf))
            except InputError as error:
                raise error.at(f"entry {position}") from None
            rows.append(make_row(position, leaf, description))
        root = root_at(end, self._files.nodes(checkpoint.size))
        index.extend(rows, start, Covered(checkpoint.origin, end, root))
        return index.covered()
