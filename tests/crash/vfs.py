"""SQLite on a disk that forgets: a file system layer that records into ``Disk``, under connections as the store's."""

import contextlib
import itertools
import sqlite3

import apsw
from tests.crash.disk import File

NAMES = itertools.count()
# Often enough that the write-ahead log is copied back and begun anew within a few appends.
CHECKPOINT_PAGES = 12
# Errors that are made here carry no code.
CODES = {apsw.FullError: apsw.SQLITE_FULL, apsw.IOError: apsw.SQLITE_IOERR}


class Vfs(apsw.VFS):
    """Records what SQLite does to files below the disk's root; all goes through to the real file system."""

    def __init__(self, disk):
        self.disk = disk
        self.name = f"recorded-{next(NAMES)}"
        super().__init__(self.name, "")

    def xOpen(self, name, flags):
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        found = self.disk._place(path) if path else None
        fresh = found is not None and found[1] not in found[0].now
        if fresh:
            self.disk._step("open")
        return Recorded(self.disk, found, fresh, name, flags)

    def xDelete(self, name, sync):
        found = self.disk._place(name)
        if found is not None:
            self.disk._step("unlink")
        super().xDelete(name, sync)
        if found is not None:
            found[0].put(found[1], None, self.disk.calls)
            if sync:
                found[0].sync(self.disk._forced)
            self.disk._on_step()

    def connect(self, target):
        """In place of ``sqlite_file.connect``."""
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        with translated():
            connection = apsw.Connection(f"{target}&vfs={self.name}", flags=flags)
            connection.set_busy_timeout(1000)
            connection.wal_autocheckpoint(CHECKPOINT_PAGES)
        return Connection(connection)


class Recorded(apsw.VFSFile):
    def __init__(self, disk, found, fresh, name, flags):
        super().__init__("", name, flags)
        self._disk = disk
        self._folder = found and found[0]
        # SQLite on Unix flushes the folder with the first flush of each journal that it may create, whether or not
        # it was there (os_unix.c, UNIXFILE_DIRSYNC); a database's own name is ours to flush.
        self._flush_name = bool(flags[0] & apsw.SQLITE_OPEN_CREATE) and found and found[1] != "log.sqlite"
        if fresh:
            found[0].put(found[1], File(), disk.calls)
            disk._on_step()
        self._node = found and found[0].now[found[1]]

    def xWrite(self, data, offset):
        if self._node is None:
            super().xWrite(data, offset)
            return
        self._disk._step("write")
        super().xWrite(data, offset)
        self._node.write(offset, bytes(data))
        self._disk._on_step()

    def xTruncate(self, size):
        if self._node is not None:
            self._disk._step("ftruncate")
        super().xTruncate(size)
        if self._node is not None:
            self._node.write(size, None)
            self._disk._on_step()

    def xSync(self, flags):
        if self._node is None:
            super().xSync(flags)
            return
        self._disk._step("fsync")
        self._node.sync(self._disk._forced)
        if self._flush_name:
            self._folder.sync(self._disk._forced)
            self._flush_name = False
        self._disk._on_step()


class Connection:
    """The few methods of ``sqlite3.Connection`` that the store uses, and its errors."""

    def __init__(self, connection):
        self._connection = connection

    @property
    def in_transaction(self):
        return self._connection.in_transaction

    def execute(self, statement, parameters=()):
        with translated():
            return Rows(self._connection.execute(statement, parameters).fetchall())

    def executemany(self, statement, items):
        with translated():
            self._connection.executemany(statement, items)

    def close(self):
        with translated():
            self._connection.close()


class Rows:
    def __init__(self, rows):
        self._rows = rows

    def fetchall(self):
        return self._rows

    def fetchone(self):
        return self._rows[0] if self._rows else None


@contextlib.contextmanager
def translated():
    try:
        yield
    except apsw.Error as error:
        same = sqlite3.OperationalError(str(error))
        same.sqlite_errorcode = getattr(error, "extendedresult", None) or CODES[type(error)]
        raise same from error


def full(_):
    """What a call answers on a full disk."""
    return apsw.FullError("database or disk is full")


def failed(_):
    """What a call answers when the disk is broken."""
    return apsw.IOError("disk I/O error")
