"""Durable writes: a reader sees the whole old file or the whole new one, after a crash or a power cut too."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import AssaymarkError, InputError, UnavailableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

TEMPORARY_PREFIX: Final = ".tmp-"
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_REFUSED: Final = (errno.EROFS, errno.EACCES, errno.EPERM)


def storage_error(error: OSError, path: Path) -> AssaymarkError:
    """What an operating system's error on ``path`` means to the user; nothing was lost in each case."""
    source = str(path)
    if error.errno in _FULL:
        return UnavailableError(
            "disk-full", "no space left to write", source=source, remedy="free some space and try again"
        )
    if error.errno in _REFUSED:
        return UnavailableError(
            "store-read-only",
            f"cannot write here: {os.strerror(error.errno or 0)}",
            source=source,
            remedy="make the folder writable for this user, or open it read-only",
        )
    what = os.strerror(error.errno) if error.errno else str(error)
    return UnavailableError("store-io", f"the storage failed: {what}", source=source, remedy="check the disk")


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn each ``OSError`` within into an ``UnavailableError`` about ``path``."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, path) from error


def write_durable(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file so that it is there, whole, when this returns; an existing one is replaced atomically.

    Raises:
        UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``; the old file is then untouched.
    """
    write_all_durable([(path, data)], mode)


def write_all_durable(files: Sequence[tuple[Path, bytes]], mode: int = 0o644, *, staging: Path | None = None) -> None:
    """As ``write_durable`` for many files, with one flush a folder: each file is whole, the set is not atomic.

    Unfinished files are beside their targets, or in ``staging`` of the same file system, where a caller that
    knows itself alone can find and remove what a killed process has left.

    Raises:
        UnavailableError: as ``write_durable``.
    """
    for path, data in files:
        with storage_errors(path):
            temporary = _write_temporary(staging or path.parent, data, mode)
            try:
                temporary.rename(path)
            except OSError:
                _discard(temporary)
                raise
    for folder in dict.fromkeys(path.parent for path, _ in files):
        sync_folder(folder)


def create_only(path: Path, data: bytes, mode: int = 0o644) -> None:
    """As ``write_durable``, where nothing may exist at ``path``: of two creators one wins and one is told.

    Raises:
        UsageError: ``path-exists``.
        UnavailableError: as ``write_durable``.
    """
    with storage_errors(path):
        temporary = _write_temporary(path.parent, data, mode)
        try:
            os.link(temporary, path, follow_symlinks=False)
        except FileExistsError:
            raise UsageError("path-exists", "already exists and is not overwritten", source=str(path)) from None
        finally:
            _discard(temporary)
    sync_folder(path.parent)


def make_folder(path: Path, mode: int = 0o755) -> None:
    """Make a folder and those above it that are missing, durably; an existing one is fine.

    Raises:
        UnavailableError: as ``write_durable``.
    """
    missing = []
    current = path
    while not current.is_dir():
        missing.append(current)
        current = current.parent
    for folder in reversed(missing):
        with storage_errors(folder):
            folder.mkdir(mode, exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable (a rename is not, on its own).

    Raises:
        UnavailableError: as ``write_durable``.
    """
    with storage_errors(folder):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            flush(descriptor)
        finally:
            os.close(descriptor)


def read_bounded(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of ours.

    Raises:
        InputError: ``file-missing``, ``file-kind`` or ``file-size``.
        UnavailableError: ``store-io`` or ``store-unreadable``.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError("file-missing", "the file is missing", source=str(path)) from None
    except PermissionError:
        raise UnavailableError(
            "store-unreadable", "may not be read by this user", source=str(path), remedy="check its owner and mode"
        ) from None
    except OSError as error:
        raise storage_error(error, path) from error
    try:
        with storage_errors(path):
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise InputError("file-kind", "not a regular file", source=str(path))
            # Bounded by what is read, not by what the status says: the file may grow meanwhile.
            chunks = []
            left = limit + 1
            while left and (chunk := os.read(descriptor, min(left, max(status.st_size + 1, 4096)))):
                chunks.append(chunk)
                left -= len(chunk)
    finally:
        os.close(descriptor)
    if not left:
        raise InputError("file-size", f"above the limit of {limit} bytes", source=str(path))
    return b"".join(chunks)


def flush(descriptor: int) -> None:
    """Bring a file's bytes, or a folder's names, to the medium itself.

    On macOS fsync(2) leaves them in the drive's cache; F_FULLFSYNC does not, where the file system has it.
    """
    os.fsync(descriptor)
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, full)


def write_fully(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte: a single write may stop early, on a nearly full disk above all."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _write_temporary(folder: Path, data: bytes, mode: int) -> Path:
    temporary = folder / (TEMPORARY_PREFIX + secrets.token_hex(8))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(temporary, flags, mode)
    try:
        write_fully(descriptor, data)
        flush(descriptor)
    except OSError:
        _discard(temporary)
        raise
    finally:
        os.close(descriptor)
    return temporary


def _discard(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
