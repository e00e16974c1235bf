"""The log's index by subject, predicate, term and envelope: SQLite, derived from the log, thrown away when in doubt.

It is never the truth: it says which entries to read, and who reads them verifies them. A row that was removed by
hand is found by ``check`` and by any other copy of the log, not by a look-up.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import UnavailableError
from assaymark.core.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

SCHEMA_VERSION: Final = 3
_BUSY_SECONDS: Final = 30.0
_SCHEMA: Final = """
CREATE TABLE covered (origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL) STRICT;
CREATE TABLE entries (
    position INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, predicate_type TEXT NOT NULL, detail TEXT NOT NULL)
    STRICT;
CREATE INDEX entries_by_predicate ON entries (predicate_type, position);
CREATE TABLE subjects (
    digest TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
    PRIMARY KEY (digest, position)) STRICT, WITHOUT ROWID;
CREATE INDEX subjects_by_position ON subjects (position);
CREATE TABLE terms (
    term TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (term, position)) STRICT, WITHOUT ROWID;
CREATE INDEX terms_by_position ON terms (position);
"""


class DamagedIndexError(Exception):
    """The index cannot be read; whoever holds it throws it away and builds it again from the log."""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What the index holds of one entry. Digests as ``sha256:<hex>``; subjects are distinct by digest, and sorted.

    ``terms`` are what an entry is found by besides its subjects, sorted: ``key:<key id>``, ``material:<digest>``,
    ``package:<package URL, with and without version>``. ``detail`` is one line on what a decision or a containment
    says.
    """

    position: int
    digest: str
    predicate_type: str
    subjects: tuple[Subject, ...]
    terms: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Covered:
    """The tree that the rows were derived from."""

    origin: str
    size: int
    root_hash: bytes


class LogIndex:
    """An index file, or one in memory when ``path`` is None. Safe to share between threads.

    Raises:
        DamagedIndexError: when the file is not an index of ours; from every method.
        UnavailableError: ``index-busy``, ``disk-full``, ``store-read-only`` or ``store-io``; from every method.
    """

    def __init__(self, path: Path | None, *, create: bool = True) -> None:
        self._lock = threading.Lock()
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._new = False
        if path is None or create:
            self._connect(":memory:" if path is None else f"{path.absolute().as_uri()}?mode=rwc", create=create)
            return
        readable = f"{path.absolute().as_uri()}?mode=ro"
        try:
            self._connect(readable, create=False)
        except UnavailableError as error:
            if error.code == "index-busy":
                raise
            # A reader makes a file beside the index, which a full or read-only disk refuses. Nobody writes there
            # now; what a writer left in its journal is then unseen, and the index behind the log.
            self._connect(f"{readable}&immutable=1", create=False)

    def _connect(self, target: str, *, create: bool) -> None:
        with self._errors():
            connection = sqlite3.connect(
                target, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=target != ":memory:"
            )
            try:
                self._new = not self._prepare(connection, create=create)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            # Who opens a workspace in a program need not close it; Python 3.13 warns of a connection left open.
            weakref.finalize(self, _close_at_exit, self._lock, connection)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def covered(self) -> Covered | None:
        """The tree that the rows were derived from; None for a new index."""
        if self._new:
            return None
        with self._query() as connection:
            row = connection.execute("SELECT origin, size, root FROM covered").fetchone()
        return None if row is None else Covered(*row)

    def extend(self, rows: Sequence[IndexRow], before: int, covered: Covered) -> None:
        """Add ``rows``, which lead from size ``before`` to ``covered``, unless another process was first."""
        with self._query() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                found = connection.execute("SELECT size FROM covered").fetchone()
                if (0 if found is None else found[0]) == before:
                    self._insert(connection, rows, covered)
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def find(self, digest: str) -> int | None:
        """The position of the envelope with this digest."""
        with self._query() as connection:
            row = connection.execute("SELECT position FROM entries WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else int(row[0])

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
        order = "DESC" if newest_first else "ASC"
        left_out = ", ".join("?" * len(without))
        with self._query() as connection:
            rows = connection.execute(
                "SELECT s.position FROM subjects s JOIN entries e ON e.position = s.position "  # noqa: S608 - constants
                "WHERE s.digest = ? AND s.position < ? AND (? IS NULL OR e.predicate_type = ?) "
                f"AND e.predicate_type NOT IN ({left_out}) ORDER BY s.position {order} LIMIT ?",
                (digest, below, only, only, *without, -1 if limit is None else limit),
            ).fetchall()
        return [row[0] for row in rows]

    def by_term(self, term: str, below: int, *, newest_first: bool = False, limit: int | None = None) -> list[int]:
        """The positions below ``below`` of entries that hold a term."""
        order = "DESC" if newest_first else "ASC"
        with self._query() as connection:
            rows = connection.execute(
                f"SELECT position FROM terms WHERE term = ? AND position < ? ORDER BY position {order} LIMIT ?",  # noqa: S608 - two constants
                (term, below, -1 if limit is None else limit),
            ).fetchall()
        return [row[0] for row in rows]

    def by_predicate(self, predicate_type: str, below: int, *, newest_first: bool, limit: int | None) -> list[int]:
        """The positions below ``below`` of entries of a predicate type."""
        order = "DESC" if newest_first else "ASC"
        with self._query() as connection:
            rows = connection.execute(
                "SELECT position FROM entries WHERE predicate_type = ? AND position < ? "  # noqa: S608 - two constants
                f"ORDER BY position {order} LIMIT ?",
                (predicate_type, below, -1 if limit is None else limit),
            ).fetchall()
        return [row[0] for row in rows]

    def terms(self, prefix: str) -> list[str]:
        """The distinct terms that begin with ``prefix``, which ends in a colon, sorted."""
        with self._query() as connection:
            rows = connection.execute(
                "SELECT DISTINCT term FROM terms WHERE term >= ? AND term < ? ORDER BY term",
                (prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)),
            ).fetchall()
        return [row[0] for row in rows]

    def made_from(self, materials: Collection[str], below: int) -> list[tuple[int, str, str, str, str]]:
        """What was made from some materials, which are terms: (position, material, name, digest, kind), in order."""
        return self._sorted(
            "SELECT s.position, t.term, s.name, s.digest, s.kind FROM json_each(?) j "
            "CROSS JOIN terms t ON t.term = j.value CROSS JOIN subjects s ON s.position = t.position "
            "WHERE t.position < ?",
            materials,
            below,
        )

    def details(
        self, digests: Collection[str], predicate_types: Collection[str], below: int
    ) -> list[tuple[int, str, str, str]]:
        """(position, subject's digest, predicate type, detail) of entries of some types on subjects, in order."""
        types = ", ".join("?" * len(predicate_types))
        return self._sorted(
            "SELECT s.position, s.digest, e.predicate_type, e.detail "  # noqa: S608 - question marks
            "FROM json_each(?) j CROSS JOIN subjects s ON s.digest = j.value "
            "CROSS JOIN entries e ON e.position = s.position "
            f"WHERE e.predicate_type IN ({types}) AND s.position < ?",
            digests,
            *predicate_types,
            below,
        )

    def subjects_with(self, term: str, since: int, below: int) -> list[tuple[int, str, str, str]]:
        """The subjects of the entries with a term, from an index on: (position, name, digest, kind), in order."""
        with self._query() as connection:
            return connection.execute(
                "SELECT s.position, s.name, s.digest, s.kind FROM terms t "
                "CROSS JOIN subjects s ON s.position = t.position "
                "WHERE t.term = ? AND t.position >= ? AND t.position < ? ORDER BY t.position, s.digest",
                (term, since, below),
            ).fetchall()

    def subjects_of(self, positions: Collection[int]) -> list[tuple[int, str, str, str]]:
        """The subjects of some entries: (position, name, digest, kind), in order."""
        return self._sorted(
            "SELECT s.position, s.name, s.digest, s.kind FROM json_each(?) j "
            "CROSS JOIN subjects s ON s.position = j.value",
            positions,
        )

    def _sorted(self, query: str, wanted: Collection[Any], *more: Any) -> list[Any]:
        """The rows of a query about many things, sorted here: SQLite would build a temporary tree for that.

        CROSS JOIN keeps the order of the tables as written: from the things to the rows, by index.
        """
        with self._query() as connection:
            rows: list[Any] = connection.execute(query, (json.dumps(list(wanted)), *more)).fetchall()
        rows.sort()
        return rows

    def freeze(self) -> None:
        """From here on, read one state of the index whatever other processes write; until ``close``."""
        with self._query() as connection:
            connection.execute("BEGIN")

    def rows(self) -> Iterator[IndexRow]:
        """Every row in order of position; for ``check``. Other methods wait until the iterator ends."""
        with self._query() as connection:
            damage = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if damage != "ok":
                raise DamagedIndexError(damage)
            subjects = _Grouped(
                connection.execute("SELECT position, name, digest, kind FROM subjects ORDER BY position, digest")
            )
            terms = _Grouped(connection.execute("SELECT position, term FROM terms ORDER BY position, term"))
            for position, digest, predicate_type, detail in connection.execute(
                "SELECT position, digest, predicate_type, detail FROM entries ORDER BY position"
            ):
                yield IndexRow(
                    position,
                    digest,
                    predicate_type,
                    tuple(Subject(*item) for item in subjects.of(position)),
                    tuple(item[0] for item in terms.of(position)),
                    detail,
                )
            for rest in (subjects, terms):
                if rest.pending is not None:
                    raise DamagedIndexError(f"something about entry {rest.pending[0]}, which is not there")

    @staticmethod
    def _insert(connection: sqlite3.Connection, rows: Sequence[IndexRow], covered: Covered) -> None:
        # An envelope stands twice only in a log whose index was lost while it was written; the first one counts.
        connection.executemany(
            "INSERT OR IGNORE INTO entries (position, digest, predicate_type, detail) VALUES (?, ?, ?, ?)",
            [(row.position, row.digest, row.predicate_type, row.detail) for row in rows],
        )
        connection.executemany(
            "INSERT OR IGNORE INTO subjects (digest, position, name, kind) VALUES (?, ?, ?, ?)",
            [(item.digest, row.position, item.name, item.kind) for row in rows for item in row.subjects],
        )
        connection.executemany(
            "INSERT OR IGNORE INTO terms (term, position) VALUES (?, ?)",
            [(term, row.position) for row in rows for term in row.terms],
        )
        connection.execute("DELETE FROM covered")
        connection.execute("INSERT INTO covered VALUES (?, ?, ?)", (covered.origin, covered.size, covered.root_hash))

    @classmethod
    def _prepare(cls, connection: sqlite3.Connection, *, create: bool) -> bool:
        """Whether the file holds an index; without ``create`` it may be one whose maker was stopped at once."""
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if create:
            # NORMAL may lose the last rows in a power cut, never consistency; the log then fills them in.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        if create and version == 0:
            version = cls._make_schema(connection)
        if version != SCHEMA_VERSION:
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if create or version or tables:
                raise DamagedIndexError(f"version {version}")
        return bool(version == SCHEMA_VERSION)

    @staticmethod
    def _make_schema(connection: sqlite3.Connection) -> int:
        connection.execute("BEGIN IMMEDIATE")
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version == 0:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            version = SCHEMA_VERSION
        connection.execute("COMMIT")
        return version

    @contextlib.contextmanager
    def _query(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._errors():
            if self._connection is None:
                raise DamagedIndexError("closed")
            yield self._connection

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._translate(error) from error
        except UnicodeDecodeError as error:  # SQLite quotes a damaged schema, and the module decodes that message
            raise DamagedIndexError("its schema is not text") from error

    def _translate(self, error: sqlite3.Error) -> Exception:
        """SQLite's primary result code decides: the outside world's fault, or a damaged file."""
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        source = str(self._path or "index")
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return UnavailableError("index-busy", "another process holds the index", source=source)
        if code == sqlite3.SQLITE_FULL:
            return UnavailableError("disk-full", "no space left to write", source=source)
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            return UnavailableError("store-read-only", "the index cannot be written here", source=source)
        if code == sqlite3.SQLITE_IOERR:
            return UnavailableError("store-io", f"the storage failed: {error}", source=source)
        return DamagedIndexError(str(error))


def _close_at_exit(lock: threading.Lock, connection: sqlite3.Connection) -> None:
    """As the process ends; a thread that is in the middle of a query then must not lose its connection."""
    if lock.acquire(timeout=1.0):
        try:
            connection.close()
        finally:
            lock.release()


class _Grouped:
    """Rows sorted by their first column, handed out a group at a time; ``pending`` is the next one."""

    def __init__(self, rows: Iterator[tuple[Any, ...]]) -> None:
        self._rows = iter(rows)
        self.pending = next(self._rows, None)

    def of(self, position: int) -> Iterator[tuple[Any, ...]]:
        """The rows up to ``position``, without their first column."""
        while self.pending is not None and self.pending[0] <= position:
            yield self.pending[1:]
            self.pending = next(self._rows, None)
