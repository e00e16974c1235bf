"""A log in one SQLite file, ``log.sqlite``: one transaction a batch, one flush of the write-ahead log.

The file holds what the folder holds, under the same names (docs/spec/log.md); ``export`` writes the folder's layout.
It is opened through SQLite only: opening and closing it by hand drops the locks of this process (POSIX fcntl locks).

Besides SQLite's own lock, a writer holds the file ``lock``: it tells others who is writing, and it keeps two
processes from writing and copying the write-ahead log back at once, which SQLite 3.7.0 to 3.51.2 may answer with a
corrupt file (sqlite.org/wal.html, "The WAL-Reset Bug").
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.digest import digest_hex, parse_digest, sha256_digest
from assaymark.core.errors import AssaymarkError, InputError, UnavailableError, UsageError
from assaymark.core.limits import LOCK_WAIT_SECONDS, NOTE_MAX_BYTES, SQLITE_JOURNAL_BYTES
from assaymark.store.files import make_folder, sync_folder
from assaymark.store.lock import writer_lock
from assaymark.store.log_folder import log_moved, no_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

FILE_NAME: Final = "log.sqlite"
_APPLICATION: Final = 0x41535931  # "ASY1"
_VERSION: Final = 1
_TABLES: Final = {
    "checkpoint": "CREATE TABLE checkpoint (only INTEGER PRIMARY KEY CHECK (only = 1), note BLOB NOT NULL) STRICT",
    "envelopes": "CREATE TABLE envelopes (digest BLOB PRIMARY KEY, data BLOB NOT NULL) STRICT",
    "files": "CREATE TABLE files (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT",
}
# A file from elsewhere runs no code of its own (no functions of a schema), and a broken page is an error.
_SAFETY: Final = ("PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON")
# FULL flushes the write-ahead log at every commit; the others make macOS reach the medium (see files.flush).
_DURABILITY: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",
    "PRAGMA checkpoint_fullfsync = ON",
    f"PRAGMA journal_size_limit = {SQLITE_JOURNAL_BYTES}",
)

# What SQLite answers where it cannot make the file that readers and writers share.
_NO_SHARING: Final = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL)
_TRIES: Final = 5
_CLOCK_TICK_NS: Final = 2_000_000_000  # coarser than any file system's clock that we know (FAT)


def connect(target: str) -> sqlite3.Connection:
    """A connection to the URI ``target``; the crash tests put one of their own in its place."""
    return sqlite3.connect(target, timeout=LOCK_WAIT_SECONDS, isolation_level=None, check_same_thread=False, uri=True)


class SqliteMedium:
    """The medium of a log in ``folder/log.sqlite``; see ``LogMedium`` for what each method promises."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self._folder = folder
        self._path = folder / FILE_NAME
        self._read_only = read_only
        self._reading = threading.Lock()
        self._reader = _Held()
        self._writer = _Held()
        self._unchanging = _Held()
        self._unchanging_stamp: tuple[int, int, int] | None = None
        # Who opens a log in a program need not close it; Python 3.13 warns of a connection left open.
        weakref.finalize(self, _close_all, self._reader, self._writer, self._unchanging)

    @property
    def folder(self) -> Path:
        """The log's folder."""
        return self._folder

    @property
    def envelopes(self) -> SqliteEnvelopes:
        """The envelopes, a row each."""
        return SqliteEnvelopes(self)

    def where(self, name: str = "") -> str:
        """The file, and the name in it."""
        return f"{self._path}: {name}" if name else str(self._path)

    def create(self, note: bytes) -> None:
        """Make the tables and the first checkpoint in one transaction; a file that was left without them is used."""
        make_folder(self._folder)
        sync_folder(self._folder.parent)
        with writer_lock(self._folder / "lock"), self._errors():
            connection = connect(self._uri("rwc"))
            try:
                _run(connection, *_SAFETY)
                if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise UsageError("path-exists", "already exists and is not overwritten", source=str(self._path))
                _run(connection, *_DURABILITY, "BEGIN IMMEDIATE", *_TABLES.values())
                connection.execute("INSERT INTO checkpoint VALUES (1, ?)", (note,))
                _run(connection, f"PRAGMA application_id = {_APPLICATION}", f"PRAGMA user_version = {_VERSION}")
                connection.execute("COMMIT")
            finally:
                connection.close()
        sync_folder(self._folder)

    def checkpoint(self) -> bytes:
        """The row of the table ``checkpoint``."""
        found = self.row(_SELECT.format("note", "checkpoint", "only"), (1,), NOTE_MAX_BYTES, "checkpoint")
        if found is None:
            raise self._damaged("it holds no checkpoint")
        return found

    def unfinished(self) -> None:
        """Nothing: a transaction is whole or not there."""
        return

    def read(self, name: str, limit: int) -> bytes:
        """The row of that name in the table ``files``."""
        found = self.row(_SELECT.format("data", "files", "name"), (name,), limit, name)
        if found is None:
            raise InputError("file-missing", "the file is missing", source=self.where(name))
        return found

    def names(self, folder: str) -> list[str]:
        """The names in the table ``files`` that begin with the folder's."""
        rows = self._query(
            "SELECT name FROM files WHERE name > ? AND name < ? ORDER BY name", (f"{folder}/", f"{folder}0")
        )
        return [str(row[0]) for row in rows]

    @contextlib.contextmanager
    def writing(self, wait: float) -> Iterator[SqliteBatch]:
        """A transaction that took SQLite's write lock at its beginning, under the file ``lock``."""
        with writer_lock(self._folder / "lock", wait):
            with self._errors():
                self._follow(self._writer)
                if self._writer.connection is None:
                    self._writer.connection = self._open("rw", *_DURABILITY)
                connection = self._writer.connection
            try:
                with self._errors():
                    _run(connection, f"PRAGMA busy_timeout = {int(wait * 1000)}", "BEGIN IMMEDIATE")
                yield SqliteBatch(self, connection, self._errors)
            except BaseException:
                self._writer.close()  # whatever state it is in: an open transaction is rolled back
                raise
            if connection.in_transaction:
                with self._errors():
                    connection.execute("ROLLBACK")

    def problems(self) -> Iterator[str]:
        """What SQLite's own check of the file says."""
        try:
            found = [str(row[0]) for row in self._query("PRAGMA integrity_check(100)", ())]
        except (InputError, UnavailableError) as error:
            found = [error.message]
        yield from (f"{FILE_NAME}: {what}" for what in found if what != "ok")

    def close(self) -> None:
        """Close both connections; what the write-ahead log holds is copied back then."""
        with self._reading:
            _close_all(self._reader, self._writer, self._unchanging)

    def row(self, query: str, parameters: tuple[Any, ...], limit: int, name: str) -> bytes | None:
        """The bytes of one row, measured before they are read; None when there is none."""
        rows = self._query(query, (limit, *parameters))
        if not rows:
            return None
        data, size = rows[0]
        if not isinstance(size, int) or not isinstance(data, bytes | None):
            raise self._damaged(f"{name}: not bytes")
        if data is None:
            raise InputError("file-size", f"above the limit of {limit} bytes", source=self.where(name))
        return data

    def _query(self, query: str, parameters: tuple[Any, ...]) -> list[Any]:
        with self._reading, self._errors():
            self._follow(self._reader)
            if self._reader.connection is None and self._read_only:
                found = self._query_unchanging(query, parameters)  # leaves no file of SQLite's beside
                if found is not None:
                    return found
            if self._reader.connection is None:
                try:
                    self._reader.connection = self._open("ro" if self._read_only else "rw")
                except sqlite3.Error as error:
                    found = self._query_unchanging(query, parameters) if _code(error) in _NO_SHARING else None
                    if found is None:
                        raise
                    return found
            return list(self._reader.connection.execute(query, parameters).fetchall())

    def _query_unchanging(self, query: str, parameters: tuple[Any, ...]) -> list[Any] | None:
        """Ask the file alone, without the file that readers and writers share; None when the file alone is not all.

        That is for a read-only or full disk, where SQLite cannot make the shared one. Where a write-ahead log lies
        beside, leaving it out would show an earlier log. A writer may come meanwhile, so the file must be the same
        afterwards, and the connection, which would never look again, is kept only while the file stays as it is.
        """
        for _ in range(_TRIES):
            stamp = self._stamp()
            if stamp is None:
                return None
            if stamp != self._unchanging_stamp:
                self._unchanging.close()
            try:
                if self._unchanging.connection is None:
                    self._unchanging.connection = self._open("ro&immutable=1")
                    self._unchanging_stamp = stamp
                rows = list(self._unchanging.connection.execute(query, parameters).fetchall())
            except (sqlite3.Error, AssaymarkError):
                self._unchanging.close()
                if self._stamp() == stamp:
                    raise
                continue
            if time.time_ns() - stamp[0] < _CLOCK_TICK_NS:
                self._unchanging.close()  # another change within the tick would leave the same stamp
            if self._stamp() == stamp:
                return rows
        return None

    def _stamp(self) -> tuple[int, int, int] | None:
        """When the file was changed, its size and number; None while a write-ahead log lies beside."""
        with contextlib.suppress(FileNotFoundError):
            if self._path.with_name(FILE_NAME + "-wal").stat().st_size:
                return None
        status = self._path.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _open(self, mode: str, *pragmas: str) -> sqlite3.Connection:
        connection = connect(self._uri(mode))
        try:
            _run(connection, *_SAFETY, *pragmas)
            self._expect_schema(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _expect_schema(self, connection: sqlite3.Connection) -> None:
        """Refuse a file that is not a log of ours to the letter: a trigger in it would run as we write."""
        found = {
            (kind, name): sql
            for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
            if kind != "index" and not str(name).startswith("sqlite_stat")
        }
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if not found and not version:
            raise no_log(self._folder)  # somebody was stopped while making it
        expected = {("table", name): sql for name, sql in _TABLES.items()}
        if (application, version, found) != (_APPLICATION, _VERSION, expected):
            raise self._damaged(f"not a log of version {_VERSION}")

    def _follow(self, held: _Held) -> None:
        """Let go of a file that another one has taken the place of: a copy that was put back, say."""
        try:
            status = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise no_log(self._folder) from None
        inode = (status.st_dev, status.st_ino)
        if inode != held.inode:
            held.close()
            held.inode = inode

    def _uri(self, mode: str) -> str:
        return f"{self._path.absolute().as_uri()}?mode={mode}"

    def _damaged(self, what: str) -> InputError:
        return InputError(
            "log-damaged",
            what,
            source=str(self._path),
            remedy="run assaymark log check, then restore the log from a copy",
        )

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._translate(error) from error
        except OSError as error:
            raise UnavailableError("store-io", f"the storage failed: {error}", source=str(self._path)) from error

    def _translate(self, error: sqlite3.Error) -> AssaymarkError:
        """SQLite's primary result code decides: the outside world's fault, or a damaged file."""
        code = _code(error)
        source = str(self._path)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return UnavailableError(
                "log-locked",
                "another program holds the file",
                source=source,
                remedy="wait for it to end and try again; nothing was written",
            )
        if code == sqlite3.SQLITE_FULL:
            return UnavailableError(
                "disk-full", "no space left to write", source=source, remedy="free some space and try again"
            )
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            return UnavailableError(
                "store-read-only",
                f"cannot open or write here: {error}",
                source=source,
                remedy="make the folder writable for this user, or open it read-only",
            )
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL):
            return UnavailableError(
                "store-io", f"the storage failed: {error}", source=source, remedy="check the disk"
            )
        return self._damaged(f"the file is damaged: {error}")


class SqliteEnvelopes:
    """The envelopes of a log, as blobs."""

    def __init__(self, medium: SqliteMedium) -> None:
        self._medium = medium

    def has(self, digest: str) -> bool:
        """Whether there is a row of that digest."""
        return self._row(digest, 0, missing=True) is not None

    def get(self, digest: str, limit: int) -> bytes:
        """The bytes, hashed again."""
        data = self._row(digest, limit)
        if data is None:
            raise InputError(
                "blob-missing",
                f"{digest} is not in the store",
                source=self._medium.where(),
                remedy="restore it from a copy",
            )
        if sha256_digest(data) != parse_digest(digest):
            raise InputError(
                "blob-corrupt",
                f"the bytes are not those of {digest}",
                source=self._medium.where(),
                remedy="restore it from a copy",
            )
        return data

    def _row(self, digest: str, limit: int, *, missing: bool = False) -> bytes | None:
        key = bytes.fromhex(digest_hex(parse_digest(digest)))
        try:
            return self._medium.row(_SELECT.format("data", "envelopes", "digest"), (key,), limit, digest)
        except InputError as error:
            if missing and error.code == "file-size":
                return b""
            raise


class SqliteBatch:
    """What a transaction writes; ``swap`` commits it."""

    def __init__(
        self,
        medium: SqliteMedium,
        connection: sqlite3.Connection,
        errors: Callable[[], contextlib.AbstractContextManager[None]],
    ) -> None:
        self._medium = medium
        self._connection = connection
        self._errors = errors

    def put_envelopes(self, items: Sequence[bytes]) -> None:
        """A row each; one that is there is replaced: its bytes are the same, or it was damaged."""
        with self._errors():
            self._connection.executemany(
                "INSERT INTO envelopes VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET data = excluded.data",
                [(bytes.fromhex(digest_hex(sha256_digest(item))), item) for item in items],
            )

    def put(self, items: Sequence[tuple[str, bytes]]) -> None:
        """A row each."""
        with self._errors():
            self._connection.executemany(
                "INSERT INTO files VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data", items
            )

    def drop(self, folder: str, names: Iterable[str] | None = None) -> None:
        """Delete rows, in the transaction like all else."""
        with self._errors():
            if names is None:
                self._connection.execute(
                    "DELETE FROM files WHERE name > ? AND name < ?", (f"{folder}/", f"{folder}0")
                )
            else:
                self._connection.executemany(
                    "DELETE FROM files WHERE name = ?", [(f"{folder}/{name}",) for name in names]
                )

    def swap(self, before: bytes, after: bytes, *, keep: str, drop: Sequence[str] = ()) -> None:
        """Commit, when the checkpoint in this transaction is ``before``."""
        with self._errors():
            run = self._connection.execute
            run("UPDATE checkpoint SET note = ? WHERE note = ?", (after, before))
            if run("SELECT changes()").fetchone()[0] != 1:
                raise log_moved(self._medium.where())
            run("INSERT INTO files VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (keep, before))
        for folder in drop:
            self.drop(folder)
        with self._errors():
            run("COMMIT")


class _Held:
    """A connection, or none; apart from the medium, so that it can be closed when the medium is gone."""

    connection: sqlite3.Connection | None = None
    inode: tuple[int, int] | None = None

    def close(self) -> None:
        """Close it, if there is one."""
        connection, self.connection = self.connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()


_SELECT: Final = "SELECT CASE WHEN length({0}) <= ? THEN {0} END, length({0}) FROM {1} WHERE {2} = ?"


def _close_all(*held: _Held) -> None:
    for one in held:
        one.close()


def _run(connection: sqlite3.Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(statement).fetchall()


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
