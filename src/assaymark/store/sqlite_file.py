"""The file of a SQLite log: how it is made, opened, asked and refused, and what SQLite's errors mean.

It is opened through SQLite only: opening and closing it by hand drops the locks of this process (POSIX fcntl locks).
"""

from __future__ import annotations

import contextlib
import ctypes
import sqlite3
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import AssaymarkError, InputError, UnavailableError, UsageError
from assaymark.core.limits import LOCK_WAIT_SECONDS, SQLITE_JOURNAL_BYTES
from assaymark.store.log_folder import no_log

if TYPE_CHECKING:
    from collections.abc import Iterator
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
_BESIDE: Final = ("-wal", "-shm")  # what the connections of all processes share, beside the file
# Logs whose shared files were taken away under this process, which therefore must not use them any more.
_TORN: Final[set[tuple[int, int]]] = set()
_CLOCK_TICK_NS: Final = 2_000_000_000  # coarser than any file system's clock that we know (FAT)


def connect(target: str) -> sqlite3.Connection:
    """A connection to the URI ``target``; the crash tests put one of their own in its place."""
    return sqlite3.connect(target, timeout=LOCK_WAIT_SECONDS, isolation_level=None, check_same_thread=False, uri=True)


class SqliteFile:
    """The file at ``path``, with a connection to read and one to write; safe to share between threads."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self._read_only = read_only
        self._reading = threading.Lock()
        self._reader = _Held(path)
        self._writer = _Held(path)
        self._unchanging = _Held(path)
        self._unchanging_stamp: tuple[int, int, int] | None = None
        # Who opens a log in a program need not close it; Python 3.13 warns of a connection left open.
        weakref.finalize(self, _close_at_exit, self._reading, self._reader, self._writer, self._unchanging)

    def create(self, note: bytes) -> None:
        """Make the tables and the first checkpoint in one transaction; a file that was left without them is used.

        Raises:
            UsageError: ``path-exists``.
            UnavailableError: as ``query``, and ``disk-full``.
        """
        with self.errors():
            connection = connect(self._uri("rwc"))
            try:
                _run(connection, *_SAFETY)
                if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise UsageError("path-exists", "already exists and is not overwritten", source=str(self.path))
                _run(connection, *_DURABILITY, "BEGIN IMMEDIATE", *_TABLES.values())
                connection.execute("INSERT INTO checkpoint VALUES (1, ?)", (note,))
                _run(connection, f"PRAGMA application_id = {_APPLICATION}", f"PRAGMA user_version = {_VERSION}")
                connection.execute("COMMIT")
            finally:
                connection.close()

    def close(self) -> None:
        """Close the connections; what the write-ahead log holds is copied back then."""
        with self._reading:
            _close_all(self._reader, self._writer, self._unchanging)

    def query(self, query: str, parameters: tuple[Any, ...]) -> list[Any]:
        """The rows that answer a query.

        Raises:
            InputError: ``log-missing`` or ``log-damaged``.
            UnavailableError: ``store-io``, ``store-unreadable``, ``store-read-only`` or ``log-locked``.
        """
        with self._reading, self.errors():
            self._follow(self._reader)
            if self._reader.connection is None and self._read_only:
                found = self._query_unchanging(query, parameters)  # leaves no file of SQLite's beside
                if found is not None:
                    return found
            connection = self._reader.connection
            if connection is None:
                try:
                    connection = self._reader.hold(self._open("ro" if self._read_only else "rw"))
                except sqlite3.Error as error:
                    found = self._query_unchanging(query, parameters) if _code(error) in _NO_SHARING else None
                    if found is None:
                        raise
                    return found
            return list(connection.execute(query, parameters).fetchall())

    @contextlib.contextmanager
    def transaction(self, wait: float) -> Iterator[sqlite3.Connection]:
        """A transaction that took SQLite's write lock at its beginning; leaving without COMMIT drops it.

        Raises:
            InputError, UnavailableError: as ``query``, and ``disk-full``.
        """
        with self.errors():
            self._follow(self._writer)
            connection = self._writer.connection or self._writer.hold(self._open("rw", *_DURABILITY))
        try:
            with self.errors():
                _run(connection, f"PRAGMA busy_timeout = {int(wait * 1000)}", "BEGIN IMMEDIATE")
            yield connection
        except BaseException:
            self._writer.close()  # whatever state it is in: an open transaction is rolled back
            raise
        with self.errors():
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._expect_beside(self._writer)  # else what was committed went where nobody will read it

    def damaged(self, what: str) -> InputError:
        """The error for a file that is not what it must be."""
        return InputError(
            "log-damaged",
            what,
            source=str(self.path),
            remedy="run assaymark log check, then restore the log from a copy",
        )

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turn SQLite's errors within into ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._translate(error) from error
        except UnicodeDecodeError as error:  # SQLite quotes a damaged schema, and the module decodes that message
            raise self.damaged("the file is damaged: its schema is not text") from error
        except OSError as error:
            raise UnavailableError("store-io", f"the storage failed: {error}", source=str(self.path)) from error

    def _translate(self, error: sqlite3.Error) -> AssaymarkError:
        """SQLite's primary result code decides: the outside world's fault, or a damaged file."""
        code = _code(error)
        source = str(self.path)
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
        return self.damaged(f"the file is damaged: {error}")

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
            except (sqlite3.Error, UnicodeDecodeError, AssaymarkError):
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
            if self.path.with_name(FILE_NAME + "-wal").stat().st_size:
                return None
        status = self.path.stat()
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
            raise no_log(self.path.parent)  # somebody was stopped while making it
        expected = {("table", name): sql for name, sql in _TABLES.items()}
        if (application, version, found) != (_APPLICATION, _VERSION, expected):
            raise self.damaged(f"not a log of version {_VERSION}")

    def _follow(self, held: _Held) -> None:
        """Let go of a file that another one has taken the place of: a copy that was put back, say."""
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise no_log(self.path.parent) from None
        inode = (status.st_dev, status.st_ino)
        if inode != held.inode:
            held.close()  # SQLite copies nothing back into a file that was moved
            held.inode = inode
        contents = (status.st_mtime_ns, status.st_size)
        if held is self._reader and contents != held.contents:
            # Mostly a write-ahead log that was copied back. But what `cp` writes over the file SQLite does not see:
            # it would go on to answer from its cache.
            held.close()
            held.contents = contents
        self._expect_beside(held)

    def _expect_beside(self, held: _Held) -> None:
        """Refuse to go on when somebody removed or replaced a file that SQLite keeps while a connection is open.

        SQLite notices nothing: it would write to, and read from, files that have no name any more.

        Raises:
            UnavailableError: ``log-torn``, from then on for as long as this process lives.
        """
        if held.torn():
            # In one process all connections share what is mapped, so a new one would be no better.
            _TORN.add(held.inode)
            for one in (self._reader, self._writer):
                one.close()
        if held.inode in _TORN:
            raise UnavailableError(
                "log-torn",
                "log.sqlite-wal or log.sqlite-shm was removed or replaced while this process used it",
                source=str(self.path),
                remedy="start this program again, run assaymark log check, and leave these files alone",
            )

    def _uri(self, mode: str) -> str:
        return f"{self.path.absolute().as_uri()}?mode={mode}"


class _Held:
    """A connection, or none; apart from the medium, so that it can be closed when the medium is gone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.connection: sqlite3.Connection | None = None
        self.inode = (0, 0)
        self.contents = (0, 0)  # time and size of the file when it was opened
        self._beside: dict[str, tuple[int, int]] = {}

    def hold(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """Keep it, and which files it has open beside the log."""
        self.connection, self._beside = connection, self._look_beside()
        return connection

    def torn(self) -> bool:
        """Whether one of these files is not the one with that name any more; it stays while anybody has it open."""
        if self.connection is None:
            return False
        beside = self._look_beside()
        return any(beside.get(end) != file for end, file in self._beside.items())

    def close(self) -> None:
        """Close it, if there is one."""
        torn = self.torn()
        connection, self.connection = self.connection, None
        if connection is None:
            return
        if torn:
            # Closing it could copy the log that was removed over what others have written since. Nobody may, not
            # even the interpreter as it ends.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
            return
        with contextlib.suppress(sqlite3.Error):
            connection.close()

    def _look_beside(self) -> dict[str, tuple[int, int]]:
        found = {}
        for end in _BESIDE:
            with contextlib.suppress(OSError):
                status = self._path.with_name(FILE_NAME + end).stat()
                found[end] = (status.st_dev, status.st_ino)
        return found


def _close_all(*held: _Held) -> None:
    for one in held:
        one.close()


def _close_at_exit(reading: threading.Lock, *held: _Held) -> None:
    """As the process ends; a thread that is in the middle of a query then must not lose its connection."""
    if reading.acquire(timeout=1.0):
        try:
            _close_all(*held)
        finally:
            reading.release()


def _run(connection: sqlite3.Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute(statement).fetchall()


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
