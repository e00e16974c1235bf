"""Content-addressed bytes: a blob's name is its SHA-256, so a wrong one cannot be read by accident."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from assaymark.core.digest import digest_hex, parse_digest, sha256_digest
from assaymark.core.errors import AssaymarkError, InputError
from assaymark.store.files import (
    flush,
    make_folder,
    read_bounded,
    storage_errors,
    sync_folder,
    write_all_durable,
    write_fully,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

BLOB_MODE: Final = 0o444  # a blob never changes
_STAGING: Final = "staging"
_FICLONE: Final = 0x40049409  # linux/fs.h: _IOW(0x94, 9, int)
# Between creating a staged file and locking it lies an instant; a sweep leaves younger ones alone.
_STAGING_GRACE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Blobs:
    """Blobs below ``folder``, each at ``<first two hex digits>/<the other 62>``.

    What is not ``durable`` is not flushed: a copy that ends with the process needs no medium.
    """

    folder: Path
    durable: bool = True
    # Folders seen to be durable: one that is there may be unflushed, of a process that was killed.
    _durable: set[Path] = field(default_factory=set, compare=False, repr=False)

    def path(self, digest: str) -> Path:
        """Where the blob of ``digest`` lies, whether or not it is there.

        Raises:
            InputError: ``digest-form``.
        """
        name = digest_hex(parse_digest(digest))
        return self.folder / name[:2] / name[2:]

    def has(self, digest: str) -> bool:
        """Whether there is a blob of that name; its bytes are not checked."""
        return self.path(digest).is_file()

    def get(self, digest: str, limit: int) -> bytes:
        """The bytes of a blob, hashed again.

        Raises:
            InputError: ``blob-missing``, ``blob-corrupt``, ``file-size`` above ``limit``.
            UnavailableError: ``store-io``.
        """
        path = self.path(digest)
        try:
            data = read_bounded(path, limit)
        except InputError as error:
            if error.code != "file-missing":
                raise
            raise InputError(
                "blob-missing", f"{digest} is not in the store", source=str(path), remedy="restore it from a copy"
            ) from None
        if sha256_digest(data) != parse_digest(digest):
            raise InputError(
                "blob-corrupt",
                f"the bytes are not those of {digest}",
                source=str(path),
                remedy="restore it from a copy",
            )
        return data

    def put(self, data: bytes) -> str:
        """Store ``data`` durably; returns its digest. Storing it again changes nothing.

        Raises:
            UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``.
        """
        return self.put_all([data])[0]

    def put_all(self, items: Sequence[bytes]) -> list[str]:
        """As ``put`` for many, with one flush a folder."""
        digests = [sha256_digest(data) for data in items]
        staging = self._staging()
        wanted = {self.path(digest): data for digest, data in zip(digests, items, strict=True)}
        self._make_durable({path.parent for path in wanted})
        fresh: list[tuple[Path, bytes]] = []
        for path, data in wanted.items():
            if _holds(path, data):
                # Another process may have renamed it there and not yet flushed the folder.
                sync_folder(path.parent)
            else:
                fresh.append((path, data))
        write_all_durable(fresh, BLOB_MODE, staging=staging)
        return digests

    def writer(self) -> BlobWriter:
        """A blob that is written piece by piece; see ``BlobWriter``.

        Raises:
            UnavailableError: as ``put``.
        """
        path = self._staging() / secrets.token_hex(16)
        with storage_errors(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, BLOB_MODE)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        return BlobWriter(self, path, descriptor)

    def sweep(self) -> None:
        """Remove what writers that died have left in staging; a live writer holds a lock on its file."""
        with contextlib.suppress(OSError):
            for path in (self.folder / _STAGING).iterdir():
                _remove_if_dead(path)

    def _make_durable(self, folders: set[Path]) -> None:
        """Make the folders of blobs, with one flush for all that are there and not known to be durable."""
        for known, parent in (({self.folder}, self.folder.parent), (folders, self.folder)):
            unsure = False
            for folder in sorted(known):
                if not folder.is_dir():
                    make_folder(folder)
                elif folder not in self._durable:
                    unsure = True
            if unsure:
                sync_folder(parent)
            self._durable.update(known)

    def _staging(self) -> Path:
        folder = self.folder / _STAGING
        make_folder(folder)
        return folder


class BlobWriter:
    """Pieces go to a staged file and into the hash; ``commit`` gives the blob its name, leaving without it drops it.

    Use it in a ``with`` block, from one thread.
    """

    def __init__(self, blobs: Blobs, path: Path, descriptor: int) -> None:
        self._blobs = blobs
        self._path = path
        self._descriptor = descriptor
        self._hash = hashlib.sha256()
        self._staged = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
        if self._staged:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def write(self, piece: bytes | memoryview) -> None:
        """Add a piece.

        Raises:
            UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``.
        """
        self._hash.update(piece)
        with storage_errors(self._path):
            write_fully(self._descriptor, piece)

    def clone(self, source: int) -> int | None:
        """Share the blocks of the file open at ``source`` (a reflink); None where the file system cannot.

        Returns a descriptor of the clone, at its beginning: what is read from it goes to ``hashed``. The digest is
        of the clone, which no later write to the source changes.
        """
        try:
            clone_blocks(self._descriptor, source)
        except OSError:  # another file system, or one without shared blocks: the bytes are written instead
            return None
        return self._descriptor

    def hashed(self, piece: bytes | memoryview) -> None:
        """Count a piece that ``clone`` has put there already."""
        self._hash.update(piece)

    def commit(self) -> str:
        """Make the blob durable under its name; returns its digest.

        Raises:
            UnavailableError: as ``write``.
        """
        digest = "sha256:" + self._hash.hexdigest()
        target = self._blobs.path(digest)
        self._blobs._make_durable({target.parent})  # noqa: SLF001 - two halves of one thing
        with storage_errors(target):
            if self._blobs.durable:
                flush(self._descriptor)
            # An existing blob of this name is replaced: its bytes are the same, or it was damaged.
            self._path.rename(target)
        self._staged = False
        if self._blobs.durable:
            sync_folder(target.parent)
        return digest


def clone_blocks(target: int, source: int) -> None:
    """Make an empty file share the blocks of another one: Linux's FICLONE (ioctl_ficlonerange(2)).

    Raises:
        OSError: the platform or the file system has no such thing.
    """
    if sys.platform != "linux":
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    fcntl.ioctl(target, _FICLONE, source)


def _holds(path: Path, data: bytes) -> bool:
    try:
        return read_bounded(path, len(data)) == data
    except AssaymarkError:
        return False


def _remove_if_dead(path: Path) -> None:
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime < _STAGING_GRACE_SECONDS:
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        finally:
            os.close(descriptor)
