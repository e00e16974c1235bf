"""One writer at a time: an advisory lock that the kernel drops when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import UnavailableError
from assaymark.core.limits import LOCK_WAIT_SECONDS
from assaymark.store.files import storage_error, storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_POLL_SECONDS: Final = 0.005


@contextlib.contextmanager
def writer_lock(path: Path, wait: float = LOCK_WAIT_SECONDS) -> Iterator[None]:
    """Hold the lock file at ``path``, waiting up to ``wait`` seconds for another process or thread.

    The file stays: removing it would let two writers lock two files of one name.

    Raises:
        UnavailableError: ``log-locked`` with the holder's process id, ``store-read-only`` or ``store-io``.
    """
    with storage_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        _acquire(descriptor, path, wait)
        with storage_errors(path):
            # Of one width: cutting the file off first costs more than the rest of a small append.
            os.pwrite(descriptor, b"%-19d\n" % os.getpid(), 0)
        yield
    finally:
        # Closing drops the lock. The process id stays behind and is only shown while the lock is held.
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, wait: float) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        except OSError as error:
            raise storage_error(error, path) from error
        else:
            return
        if time.monotonic() >= deadline:
            break
        time.sleep(_POLL_SECONDS)
    holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
    raise UnavailableError(
        "log-locked",
        f"process {holder or 'unknown'} is writing; waited {wait:g} s",
        source=str(path),
        remedy="wait for it to end and try again; nothing was written",
    )
