"""The three ports of the store, and what each promises about durability.

``BlobStore`` keeps content-addressed bytes, ``LogMedium`` the bytes of one log, ``EntryIndex`` the rebuildable index.
What a log *is* (tiles, proofs, checkpoints, receipts) is one code, ``LogStore``, over whichever medium;
tests/conformance holds every sentence below against each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from assaymark.store.log_index import Covered, IndexRow


class BlobStore(Protocol):
    """Bytes by their SHA-256. A blob never changes; one that is read is hashed again."""

    def has(self, digest: str) -> bool:
        """Whether there is a blob of that name; its bytes are not checked."""
        ...

    def get(self, digest: str, limit: int) -> bytes:
        """The bytes of a blob of at most ``limit`` bytes.

        Raises:
            InputError: ``blob-missing``, ``blob-corrupt``, ``file-size``.
            UnavailableError: ``store-io`` or ``store-unreadable``.
        """
        ...


class LogBatch(Protocol):
    """One write of one writer, which holds the log's lock. Nothing of it counts before ``swap`` returns."""

    def put_envelopes(self, items: Sequence[bytes]) -> None:
        """Store envelopes; storing one again changes nothing. They are durable before anything that is put later.

        Raises:
            UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``.
        """
        ...

    def put(self, items: Sequence[tuple[str, bytes]]) -> None:
        """Store bytes under names, over what a crash may have left there; durable before anything that is put later.

        Raises:
            UnavailableError: as ``put_envelopes``.
        """
        ...

    def drop(self, folder: str, names: Iterable[str] | None = None) -> None:
        """Forget names right below ``folder``, or all; only what no checkpoint needs, so a failure leaves litter."""
        ...

    def swap(self, before: bytes, after: bytes, *, keep: str, drop: Sequence[str] = ()) -> None:
        """Compare-and-swap: the checkpoint becomes ``after`` if it is ``before``, which stays readable as ``keep``.

        When this returns, the whole batch is durable. When it raises, the log is as it was or holds the batch
        whole, after a power cut too; a reader never sees a checkpoint that a power cut could take back without
        the next writer restoring it. The folders ``drop`` are forgotten as soon as no reader needs them.

        Raises:
            UnavailableError: ``log-moved`` when the checkpoint is another one; else as ``put_envelopes``.
        """
        ...


class LogMedium(Protocol):
    """Where the bytes of one log lie: a checkpoint, named bytes and envelopes.

    Readers take no lock and see the checkpoint before or after a batch, never a part of one; every name that a
    checkpoint needs is there before that checkpoint is seen. Safe to share between threads, not over a fork.
    """

    @property
    def folder(self) -> Path:
        """The log's folder, where the index and the lock lie too."""
        ...

    @property
    def envelopes(self) -> BlobStore:
        """The envelopes, to read."""
        ...

    def change_signs(self) -> tuple[Path, ...]:
        """Files of which one has another size or time after each batch: who watches them asks nothing meanwhile."""
        ...

    def where(self, name: str = "") -> str:
        """A name for people, in messages."""
        ...

    def create(self, note: bytes) -> None:
        """Make an empty log with its first checkpoint, durably: of two creators one wins, and one is told.

        Raises:
            UsageError: ``path-exists``.
            UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``.
        """
        ...

    def checkpoint(self) -> bytes:
        """The signed note that is the truth.

        Raises:
            InputError: ``log-missing``, ``file-size``, ``log-damaged``.
            UnavailableError: ``store-io`` or ``store-unreadable``.
        """
        ...

    def unfinished(self) -> bytes | None:
        """A checkpoint whose batch is durable and whose swap a crash may have cut short; the next writer ends it.

        Raises:
            InputError, UnavailableError: as ``read``.
        """
        ...

    def read(self, name: str, limit: int) -> bytes:
        """The bytes under a name, at most ``limit``.

        Raises:
            InputError: ``file-missing``, ``file-size``, ``file-kind``, ``log-damaged``.
            UnavailableError: ``store-io`` or ``store-unreadable``.
        """
        ...

    def names(self, folder: str) -> list[str]:
        """The names below ``folder``, sorted.

        Raises:
            InputError: ``log-damaged``.
            UnavailableError: ``store-io`` or ``store-unreadable``.
        """
        ...

    def writing(self, wait: float) -> AbstractContextManager[LogBatch]:
        """Hold the log's one lock for a batch, waiting up to ``wait`` seconds; leaving without ``swap`` drops it.

        Raises:
            UnavailableError: ``log-locked``, ``disk-full``, ``store-read-only`` or ``store-io``.
        """
        ...

    def problems(self) -> Iterator[str]:
        """What is wrong with the medium itself, for ``check``; raises nothing for damage."""
        ...

    def close(self) -> None:
        """Release files; they are opened again when they are needed."""
        ...


class EntryIndex(Protocol):
    """Which entries are about what. Derived from the log: it may lose its last rows, or all, at any time.

    Every method raises ``DamagedIndexError`` for one to be thrown away and built again, and ``UnavailableError``.
    """

    def covered(self) -> Covered | None:
        """The tree that the rows were derived from; None for a new index."""
        ...

    def extend(self, rows: Sequence[IndexRow], before: int, covered: Covered) -> None:
        """Add ``rows``, which lead from size ``before`` to ``covered``, whole or not at all."""
        ...

    def find(self, digest: str) -> int | None:
        """The position of the envelope with this digest."""
        ...

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
        """The positions below ``below`` of entries on a subject, of one predicate type or of all but some."""
        ...

    def by_predicate(self, predicate_type: str, below: int, *, newest_first: bool, limit: int | None) -> list[int]:
        """The positions below ``below`` of entries of a predicate type."""
        ...

    def by_term(self, term: str, below: int, *, newest_first: bool = False, limit: int | None = None) -> list[int]:
        """The positions below ``below`` of entries that hold a term."""
        ...

    def terms(self, prefix: str) -> list[str]:
        """The distinct terms that begin with ``prefix``, which ends in a colon, sorted."""
        ...

    def made_from(self, materials: Collection[str], below: int) -> list[tuple[int, str, str, str, str]]:
        """What was made from some materials, which are terms: (position, material, name, digest, kind), in order."""
        ...

    def details(
        self, digests: Collection[str], predicate_types: Collection[str], below: int
    ) -> list[tuple[int, str, str, str]]:
        """(position, subject's digest, predicate type, detail) of entries of some types on subjects, in order."""
        ...

    def subjects_with(self, term: str, since: int, below: int) -> list[tuple[int, str, str, str]]:
        """The subjects of the entries with a term, from an index on: (position, name, digest, kind), in order."""
        ...

    def subjects_of(self, positions: Collection[int]) -> list[tuple[int, str, str, str]]:
        """The subjects of some entries: (position, name, digest, kind), in order."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...
