"""Taking a model in: one pass over its bytes gives the manifest and, when asked, a copy of just those bytes."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import stat
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import AssaymarkError, InputError, UsageError
from assaymark.core.limits import MIB
from assaymark.core.subject import FileEntry, Manifest, make_manifest
from assaymark.store.links import path_error
from assaymark.store.walk import FoundFile, find_file, is_folder, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from assaymark.store.blobs import Blobs

# One buffer a thread is all that a digest of any size holds in memory.
BUFFER_BYTES: Final = MIB


@dataclass(frozen=True, slots=True)
class Intake:
    """A manifest, and for each of its entries where the bytes are that were hashed.

    With a copy these are blobs, which hold what was hashed whatever happens to the original.
    """

    manifest: Manifest
    files: tuple[tuple[FileEntry, Path], ...]
    configurations: tuple[tuple[FileEntry, Path], ...] = ()


def take_manifest(
    path: Path,
    *,
    configurations: Sequence[Path] = (),
    workers: int = 2,
    on_progress: Callable[[int, int], None] | None = None,
    copy_to: Blobs | None = None,
) -> Intake:
    """The manifest of the file or folder ``path`` with the ``configurations`` that are bound to it.

    Files are read once, in ``workers`` threads, the largest first; ``on_progress(done, total)`` counts bytes and
    is called from those threads, one at a time. With ``copy_to`` each piece is stored while it is hashed.

    Raises:
        UsageError: ``path-missing``, ``path-unreadable``; of configurations ``path-kind`` for a folder and
            ``configuration-name`` for two of one name.
        InputError: ``link-leaves``, ``link-broken``, ``link-cycle``, ``file-kind``, ``file-changed``,
            ``manifest-path``, ``manifest-empty`` or ``manifest-size``.
        UnavailableError: ``path-io``; with ``copy_to`` also ``disk-full``, ``store-read-only``, ``store-io``.
    """
    folder = is_folder(path)
    files = list(walk(path)) if folder else [find_file(path)]
    if not files:
        raise InputError(
            "manifest-empty", "the folder holds no file", source=str(path), remedy="name a model's folder"
        )
    extra = [find_file(configuration) for configuration in configurations]
    for name, count in Counter(file.path for file in extra).items():
        if count > 1:
            raise UsageError("configuration-name", f"two configurations are called {name!r}", remedy="rename one")
    hashed = _Hashing([*files, *extra], on_progress, copy_to).run(workers)
    file_pairs = _pairs(files, hashed, copy_to)
    extra_pairs = _pairs(extra, hashed, copy_to)
    manifest = make_manifest(
        "folder" if folder else "file", [entry for entry, _ in file_pairs], [entry for entry, _ in extra_pairs]
    )
    return Intake(manifest, file_pairs, extra_pairs)


def _pairs(
    found: list[FoundFile], hashed: dict[tuple[int, int], tuple[str, int]], copy_to: Blobs | None
) -> tuple[tuple[FileEntry, Path], ...]:
    pairs = []
    for file in sorted(found, key=lambda item: item.path.encode()):
        digest, size = hashed[file.identity]
        real = file.real if copy_to is None else copy_to.path(digest)
        pairs.append((FileEntry(file.path, size, digest), real))
    return tuple(pairs)


class _Hashing:
    """The digest of every distinct file; hashlib lets the other threads run while it computes."""

    def __init__(
        self, files: list[FoundFile], on_progress: Callable[[int, int], None] | None, copy_to: Blobs | None
    ) -> None:
        # A file under two links, or two names, is read once.
        distinct = {file.identity: file for file in files}
        self._queue = sorted(distinct.values(), key=lambda file: file.size)
        self._total = sum(file.size for file in self._queue)
        self._done = 0
        self._on_progress = on_progress
        self._copy_to = copy_to
        self._digests: dict[tuple[int, int], tuple[str, int]] = {}
        self._failures: list[tuple[str, BaseException]] = []
        self._stop = False
        self._lock = threading.Lock()

    def run(self, workers: int) -> dict[tuple[int, int], tuple[str, int]]:
        """The digest and size by file identity. This thread works too; the first failure by path is raised."""
        count = max(1, min(workers, len(self._queue)))
        threads = [threading.Thread(target=self._work, name=f"intake-{i}") for i in range(1, count)]
        try:
            for thread in threads:
                thread.start()
            self._work()
            for thread in threads:
                thread.join()
        finally:
            # An interrupt reaches this thread only; the others end after the piece at hand.
            self._stop = True
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        if self._failures:
            raise min(self._failures, key=lambda failure: failure[0])[1]
        return self._digests

    def _work(self) -> None:
        buffer = memoryview(mmap.mmap(-1, BUFFER_BYTES))  # page-aligned, which the kernel copies to fastest
        while not self._stop:
            with self._lock:
                if not self._queue:
                    return
                file = self._queue.pop()
            try:
                digest = self._hash(file, buffer)
            except _StoppedError:
                return
            except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
                with self._lock:
                    self._failures.append((file.path if isinstance(error, AssaymarkError) else "", error))
                self._stop = True
                return
            self._digests[file.identity] = (digest, file.size)

    def _hash(self, file: FoundFile, buffer: memoryview) -> str:
        descriptor = _open(file)
        try:
            before = _stamp(descriptor, file)
            if self._copy_to is None:
                digest = hashlib.sha256()
                self._stream(descriptor, file, buffer, digest.update)
                _check_stamp(before, descriptor, file)
                return "sha256:" + digest.hexdigest()
            with self._copy_to.writer() as writer:
                clone = writer.clone(descriptor)
                if clone is None:
                    self._stream(descriptor, file, buffer, writer.write)
                else:
                    self._stream(clone, file, buffer, writer.hashed)
                _check_stamp(before, descriptor, file)
                return writer.commit()
        finally:
            os.close(descriptor)

    def _stream(
        self, descriptor: int, file: FoundFile, buffer: memoryview, take: Callable[[memoryview], None]
    ) -> None:
        total = 0
        while not self._stop:
            try:
                count = os.readv(descriptor, [buffer])
            except OSError as error:
                raise path_error(error, file.real) from error
            if not count:
                if total != file.size:  # a special file, such as those of /proc, says what size it likes
                    raise _changed(file)
                return
            total += count
            take(buffer[:count])
            if self._on_progress is not None:
                with self._lock:
                    self._done += count
                    self._on_progress(self._done, self._total)
        raise _StoppedError


class _StoppedError(Exception):
    """Another thread failed; what was read so far is of no use."""


def _open(file: FoundFile) -> int:
    """A descriptor of what the walk found: not through a link, and without waiting for a pipe's other end."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(file.real, flags)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO, errno.ENOTDIR):
            raise _changed(file) from None
        raise path_error(error, file.real) from error


def _stamp(descriptor: int, file: FoundFile) -> tuple[int, int, int]:
    """What changes when the file is written to; it must be the regular file that the walk found."""
    try:
        status = os.fstat(descriptor)
    except OSError as error:
        raise path_error(error, file.real) from error
    same = (status.st_dev, status.st_ino) == file.identity and status.st_size == file.size
    if not same or not stat.S_ISREG(status.st_mode):
        raise _changed(file)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _check_stamp(before: tuple[int, int, int], descriptor: int, file: FoundFile) -> None:
    if _stamp(descriptor, file) != before:
        raise _changed(file)


def _changed(file: FoundFile) -> InputError:
    return InputError(
        "file-changed",
        "the file changed while it was read",
        source=str(file.real),
        remedy="try again when nothing writes to the model",
    )
