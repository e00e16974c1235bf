"""A private verified copy of a model, for a loader or a program that is started on it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import UsageError
from assaymark.store.blobs import Blobs
from assaymark.store.files import storage_errors
from assaymark.store.intake import take_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.core.subject import Manifest

PREFIX: Final = "assaymark-"
_LOCK: Final = ".lock"
_FILE_MODE, _FOLDER_MODE = 0o400, 0o500


@dataclass(frozen=True, slots=True)
class Copy:
    """The bytes that were hashed: ``model`` is a folder, or the file for a model of one file.

    ``configurations`` is the folder of the files that are bound to it, None without any. All of it lies below
    ``folder``.
    """

    manifest: Manifest
    folder: Path
    model: Path
    configurations: Path | None

    @property
    def configuration_files(self) -> tuple[Path, ...]:
        """The copies of the configurations."""
        if self.configurations is None:
            return ()
        return tuple(self.configurations / entry.path for entry in self.manifest.configurations)


@contextmanager
def private_copy(
    path: Path, configurations: tuple[Path, ...] = (), on_progress: Callable[[int, int], None] | None = None
) -> Iterator[tuple[Manifest, Path]]:
    """As ``held_copy``; yields the manifest and the copy's path.

    Raises:
        UsageError, InputError, UnavailableError: as ``held_copy``.
    """
    with held_copy(path, configurations, on_progress) as copy:
        yield copy.manifest, copy.model


@contextmanager
def held_copy(
    path: Path, configurations: tuple[Path, ...] = (), on_progress: Callable[[int, int], None] | None = None
) -> Iterator[Copy]:
    """Copy while hashing into a folder that only this user can enter; everything is removed at the end.

    Files have mode 0400, folders 0500. What a killed process has left is removed by the next one.

    Raises:
        UsageError: ``temporary-shared`` for a folder that is not safe, or as the intake raises.
        InputError: as the intake raises.
        UnavailableError: the copy cannot be written.
    """
    base = Path(tempfile.gettempdir())
    _check_base(base)
    sweep(base)
    with storage_errors(base):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = hold(folder)
    try:
        yield copy_into(folder, path, configurations, on_progress)
    finally:
        remove_tree(folder)
        os.close(lock)


def _check_base(base: Path) -> None:
    """Refuse a folder in which somebody else could put another folder in the place of the copy's."""
    with storage_errors(base):
        status = base.stat()
    shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX
    if shared or status.st_uid not in (0, os.geteuid()):
        raise UsageError(
            "temporary-shared",
            "others may rename what lies in this folder, so no private copy is made there",
            source=str(base),
            remedy="set TMPDIR to a folder of your own",
        )


def copy_into(
    folder: Path,
    path: Path,
    configurations: tuple[Path, ...] = (),
    on_progress: Callable[[int, int], None] | None = None,
    *,
    modes: tuple[int, int] = (_FILE_MODE, _FOLDER_MODE),
    durable: bool = False,
) -> Copy:
    """Copy a model into an empty folder of ours while hashing it, its files under their places in the manifest.

    Where the file system shares blocks the copy is a clone, and the clone is what is hashed. ``modes`` are those of
    files and folders; with ``durable`` every byte and name is on the medium when this returns.

    Raises:
        UsageError, InputError: as the intake raises.
        UnavailableError: the copy cannot be written.
    """
    blobs = Blobs(folder / "blobs", durable=durable)
    manifest = take_manifest(path, configurations=configurations, copy_to=blobs, on_progress=on_progress).manifest
    model, extra = folder / "model", folder / "configurations"
    with storage_errors(folder):
        for entries, base in ((manifest.files, model), (manifest.configurations, extra)):
            for entry in entries:
                target = base / entry.path
                target.parent.mkdir(parents=True, exist_ok=True)
                source = blobs.path(entry.digest)
                source.chmod(modes[0])
                target.hardlink_to(source)
        remove_tree(blobs.folder)  # one name a file: nobody changes it under another
        for top in (base for base in (model, extra) if base.is_dir()):
            for below, _, _ in os.walk(top, topdown=False):
                if durable:
                    _sync(below)
                Path(below).chmod(modes[1])
    place = model / manifest.files[0].path if manifest.kind == "file" else model
    return Copy(manifest, folder, place, extra if manifest.configurations else None)


def hold(folder: Path) -> int:
    """Lock a folder of ours; returns the descriptor that holds the lock, and those who inherit it do too.

    Raises:
        OSError: it cannot be locked.
    """
    fresh = folder / f"{_LOCK}-{secrets.token_hex(8)}"
    descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    fresh.rename(folder / _LOCK)  # a sweep sees a lock file that is locked, or none
    return descriptor


def sweep(base: Path, prefix: str = PREFIX) -> None:
    """Remove the copies in ``base`` whose holders died: those of this user that nobody locks."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(base):
            if entry.name.startswith(prefix) and _abandoned(Path(entry.path)):
                remove_tree(Path(entry.path))


def _abandoned(folder: Path) -> bool:
    try:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            return False  # anybody may make such names in a shared folder
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # without a lock file it is none of ours, or it is being made or removed
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def remove_tree(folder: Path) -> None:
    """Remove a folder of ours with all in it, its read-only folders too; what cannot be removed stays."""
    with contextlib.suppress(OSError):
        for place, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                Path(place).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
