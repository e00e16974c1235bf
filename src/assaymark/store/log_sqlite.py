"""A log in one SQLite file, ``log.sqlite``: one transaction a batch, one flush of the write-ahead log.

The file holds what the folder holds, under the same names (docs/spec/log.md); ``export`` writes the folder's layout.

Besides SQLite's own lock, a writer holds the file ``lock``: it tells others who is writing, and it keeps two
processes from writing and copying the write-ahead log back at once, which SQLite 3.7.0 to 3.51.2 may answer with a
corrupt file (sqlite.org/wal.html, "The WAL-Reset Bug").
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.digest import digest_hex, parse_digest, sha256_digest
from assaymark.core.errors import InputError, UnavailableError
from assaymark.core.limits import NOTE_MAX_BYTES
from assaymark.store.files import make_folder, sync_folder
from assaymark.store.lock import writer_lock
from assaymark.store.log_folder import log_moved
from assaymark.store.sqlite_file import FILE_NAME, SqliteFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_SELECT: Final = "SELECT CASE WHEN length({0}) <= ? THEN {0} END, length({0}) FROM {1} WHERE {2} = ?"


class SqliteMedium:
    """The medium of a log in ``folder/log.sqlite``; see ``LogMedium`` for what each method promises."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self._folder = folder
        self._file = SqliteFile(folder / FILE_NAME, read_only=read_only)

    @property
    def folder(self) -> Path:
        """The log's folder."""
        return self._folder

    @property
    def envelopes(self) -> SqliteEnvelopes:
        """The envelopes, a row each."""
        return SqliteEnvelopes(self)

    def change_signs(self) -> tuple[Path, ...]:
        """The file and its write-ahead log."""
        return self._file.path, self._file.path.with_name(FILE_NAME + "-wal")

    def where(self, name: str = "") -> str:
        """The file, and the name in it."""
        return f"{self._file.path}: {name}" if name else str(self._file.path)

    def create(self, note: bytes) -> None:
        """Make the folder, the file, and the first checkpoint in it."""
        make_folder(self._folder)
        sync_folder(self._folder.parent)
        with writer_lock(self._folder / "lock"):
            self._file.create(note)
        sync_folder(self._folder)

    def checkpoint(self) -> bytes:
        """The row of the table ``checkpoint``."""
        found = self.row(_SELECT.format("note", "checkpoint", "only"), (1,), NOTE_MAX_BYTES, "checkpoint")
        if found is None:
            raise self._file.damaged("it holds no checkpoint")
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
        rows = self._file.query(
            "SELECT name FROM files WHERE name > ? AND name < ? ORDER BY name", (f"{folder}/", f"{folder}0")
        )
        return [str(row[0]) for row in rows]

    @contextlib.contextmanager
    def writing(self, wait: float) -> Iterator[SqliteBatch]:
        """A transaction under the file ``lock``."""
        with writer_lock(self._folder / "lock", wait), self._file.transaction(wait) as connection:
            yield SqliteBatch(self._file, connection)

    def problems(self) -> Iterator[str]:
        """What SQLite's own check of the file says."""
        try:
            found = [str(row[0]) for row in self._file.query("PRAGMA integrity_check(100)", ())]
        except (InputError, UnavailableError) as error:
            found = [error.message]
        yield from (f"{FILE_NAME}: {what}" for what in found if what != "ok")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def row(self, query: str, parameters: tuple[Any, ...], limit: int, name: str) -> bytes | None:
        """The bytes of one row, measured before they are read; None when there is none."""
        rows = self._file.query(query, (limit, *parameters))
        if not rows:
            return None
        data, size = rows[0]
        if not isinstance(size, int) or not isinstance(data, bytes | None):
            raise self._file.damaged(f"{name}: not bytes")
        if data is None:
            raise InputError("file-size", f"above the limit of {limit} bytes", source=self.where(name))
        return data


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

    def __init__(self, file: SqliteFile, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._errors = file.errors
        self._where = str(file.path)

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
                raise log_moved(self._where)
            run("INSERT INTO files VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (keep, before))
        for folder in drop:
            self.drop(folder)
        with self._errors():
            run("COMMIT")
