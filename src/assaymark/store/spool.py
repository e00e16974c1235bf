"""A folder of signed records that wait to be logged: bounded, durable, and safe for several writers.

Each record is a file ``<nanoseconds, 20 digits>-<random>.dsse.json``; nothing else in the folder is touched. Records
that nobody may log are moved to ``refused/`` with the reason beside them. A writer's tallies lie in ``tallies.json``.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError, UsageError
from assaymark.core.limits import ATTEMPT_MAX_BYTES, SPOOL_MAX_BYTES, SPOOL_MAX_FILES
from assaymark.store.files import make_folder, storage_error, storage_errors, sync_folder, write_durable
from assaymark.store.lock import writer_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME: Final = re.compile(r"[0-9]{20}-[0-9a-f]{16}\.dsse\.json")
_TALLIES: Final = "tallies.json"
_REFUSED: Final = "refused"
_LOCK_WAIT_SECONDS: Final = 5.0  # an enforcement point does not wait long for its own book-keeping


@dataclass(frozen=True, slots=True)
class Spool:
    """The spool in ``folder``; made at the first write."""

    folder: Path
    max_files: int = SPOOL_MAX_FILES
    max_bytes: int = SPOOL_MAX_BYTES

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be its only writer.

        Raises:
            UnavailableError: ``log-locked``, ``disk-full``, ``store-read-only`` or ``store-io``.
        """
        make_folder(self.folder, 0o700)
        with writer_lock(self.folder / "lock", _LOCK_WAIT_SECONDS):
            yield

    def add(self, record: bytes) -> bool:
        """Write a record durably; False when the spool is full.

        Raises:
            UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``.
        """
        waiting = self.names()
        if len(waiting) >= self.max_files or self._size(waiting) + len(record) > self.max_bytes:
            return False
        name = f"{time.time_ns():020d}-{secrets.token_hex(8)}.dsse.json"
        write_durable(self.folder / name, record, 0o600)
        return True

    def names(self) -> list[str]:
        """The names of the records that wait, oldest first.

        Raises:
            UnavailableError: ``store-io`` or ``store-read-only``.
        """
        with storage_errors(self.folder):
            try:
                return sorted(name for name in os.listdir(self.folder) if _NAME.fullmatch(name))  # noqa: PTH208
            except FileNotFoundError:
                return []

    def _size(self, names: list[str]) -> int:
        total = 0
        for name in names:
            with contextlib.suppress(OSError):
                total += (self.folder / name).lstat().st_size
        return total

    def read(self, name: str) -> bytes:
        """The bytes of a record.

        Raises:
            InputError: ``spool-record``: no plain file of a record's size.
            UnavailableError: ``store-io`` or ``store-read-only``.
        """
        path = self.folder / name
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if path.is_symlink() or path.is_dir():
                raise InputError("spool-record", "no plain file", source=str(path)) from None
            raise storage_error(error, path) from error
        with storage_errors(path):
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise InputError("spool-record", "no plain file", source=str(path))
                data = os.read(descriptor, ATTEMPT_MAX_BYTES + 1)
            finally:
                os.close(descriptor)
        if len(data) > ATTEMPT_MAX_BYTES:
            raise InputError("spool-record", f"larger than {ATTEMPT_MAX_BYTES} bytes", source=str(path))
        return data

    def remove(self, names: list[str]) -> None:
        """Remove records that are logged.

        Raises:
            UnavailableError: ``store-read-only`` or ``store-io``; what was removed stays so.
        """
        for name in names:
            with storage_errors(self.folder / name), contextlib.suppress(FileNotFoundError):
                (self.folder / name).unlink()
        if names:
            sync_folder(self.folder)

    def refuse(self, name: str, reason: str) -> None:
        """Move a record to ``refused/``, the reason beside it.

        Raises:
            UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``.
        """
        folder = self.folder / _REFUSED
        make_folder(folder, 0o700)
        write_durable(folder / f"{name}.reason", (reason + "\n").encode("utf-8", "backslashreplace"), 0o600)
        with storage_errors(folder / name):
            (self.folder / name).rename(folder / name)

    def tallies(self) -> bytes | None:
        """What the writers have counted and not recorded yet; None when nothing was counted.

        Raises:
            UnavailableError: ``store-io`` or ``store-read-only``.
        """
        path = self.folder / _TALLIES
        with storage_errors(path):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

    def write_tallies(self, data: bytes) -> None:
        """Keep what was counted.

        Raises:
            UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``.
        """
        write_durable(self.folder / _TALLIES, data, 0o600)


def existing_spool(folder: Path) -> Spool:
    """The spool in ``folder``, to be collected.

    Raises:
        UsageError: ``spool-missing``.
    """
    if not folder.is_dir():
        raise UsageError(
            "spool-missing",
            "there is no spool here",
            source=str(folder),
            remedy="name the folder that `assaymark run --spool` wrote to; nothing was attempted when there is none",
        )
    return Spool(folder)
