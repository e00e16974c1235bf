"""A log in a plain folder, in the C2SP tlog-tiles layout: any client of the format reads it as it lies.

checkpoint                 the signed note that is the truth
checkpoint.next            the newest checkpoint once more: whoever writes next finishes what a crash cut short
checkpoints/<size>         earlier checkpoints, as far as they were kept
tile/<level>/<n>[.p/<w>]   hash tiles
tile/entries/<n>[.p/<w>]   entry bundles
blobs/                     the envelopes, by digest
checkpoint.next staging/ lock index.sqlite index.lock    of this machine only; never part of a copy
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError, UnavailableError
from assaymark.core.limits import NOTE_MAX_BYTES
from assaymark.store.blobs import Blobs
from assaymark.store.files import (
    create_only,
    make_folder,
    read_bounded,
    storage_errors,
    sync_folder,
    write_all_durable,
    write_durable,
)
from assaymark.store.lock import writer_lock
from assaymark.store.log_files import NEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

CHECKPOINT: Final = "checkpoint"


def no_log(folder: Path) -> InputError:
    """The error for a folder without a log."""
    return InputError(
        "log-missing", "there is no log here", source=str(folder), remedy="check the path, or make a log"
    )


def log_moved(where: str) -> UnavailableError:
    """The error for a checkpoint that is not the one that was read: somebody wrote without the lock."""
    return UnavailableError(
        "log-moved",
        "another writer moved the checkpoint meanwhile; this batch is not in the log",
        source=where,
        remedy="try again; every writer must see the same lock, which some network file systems do not offer",
    )


class FolderMedium:
    """The medium of a log in ``folder``; see ``LogMedium`` for what each method promises."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blobs = Blobs(folder / "blobs")
        # Folders that this object has seen to be durable: one that is there may be unflushed, of a killed process.
        self._durable: set[Path] = set()

    @property
    def folder(self) -> Path:
        """The log's folder."""
        return self._folder

    @property
    def envelopes(self) -> Blobs:
        """The envelopes, below ``blobs/``."""
        return self._blobs

    def change_signs(self) -> tuple[Path, ...]:
        """The checkpoint, which each batch replaces."""
        return (self._folder / "checkpoint",)

    def where(self, name: str = "") -> str:
        """The path of a name."""
        return str(self._folder / name)

    def create(self, note: bytes) -> None:
        """Make the folder and the first checkpoint."""
        make_folder(self._folder)
        sync_folder(self._folder.parent)
        create_only(self._folder / CHECKPOINT, note)

    def checkpoint(self) -> bytes:
        """The file ``checkpoint``."""
        try:
            return self.read(CHECKPOINT, NOTE_MAX_BYTES)
        except InputError as error:
            if error.code != "file-missing":
                raise
            raise no_log(self._folder) from None

    def unfinished(self) -> bytes | None:
        """The file ``checkpoint.next``, which is most often the checkpoint itself."""
        try:
            return self.read(NEXT, NOTE_MAX_BYTES)
        except InputError as error:
            if error.code == "file-missing":
                return None
            raise

    def read(self, name: str, limit: int) -> bytes:
        """The bytes of a file."""
        return read_bounded(self._folder / name, limit)

    def names(self, folder: str) -> list[str]:
        """The files below a folder, hidden ones left out."""
        below = self._folder / folder
        with storage_errors(below):
            return sorted(
                path.relative_to(self._folder).as_posix()
                for path in below.rglob("*")
                if not path.name.startswith(".") and not path.is_dir()
            )

    @contextlib.contextmanager
    def writing(self, wait: float) -> Iterator[FolderBatch]:
        """The lock is a file's; staging is cleaned at the first write, when nobody else can be at it."""
        with writer_lock(self._folder / "lock", wait):
            yield FolderBatch(self, self._durable)

    def problems(self) -> Iterator[str]:
        """Nothing: a file system says itself what is wrong with it."""
        yield from ()

    def close(self) -> None:
        """Nothing is held."""


class FolderBatch:
    """Files that become durable in the order of the calls; the rename of ``checkpoint`` ends them."""

    def __init__(self, medium: FolderMedium, durable: set[Path]) -> None:
        self._medium = medium
        self._folder = medium.folder
        self._durable = durable
        self._staging: Path | None = None

    def put_envelopes(self, items: Sequence[bytes]) -> None:
        """Blobs, each folder flushed once."""
        self._clean_staging()
        self._make_durable(self._medium.envelopes.folder)
        self._medium.envelopes.put_all(items)

    def put(self, items: Sequence[tuple[str, bytes]]) -> None:
        """Files through ``staging/``, each folder flushed once."""
        staging = self._clean_staging()
        files = [(self._folder / name, data) for name, data in items]
        for folder in dict.fromkeys(path.parent for path, _ in files):
            self._make_durable(folder)
        write_all_durable(files, staging=staging)

    def drop(self, folder: str, names: Iterable[str] | None = None) -> None:
        """Unlink; an emptied folder goes too."""
        place = self._folder / folder
        with contextlib.suppress(OSError):
            paths = list(place.iterdir()) if names is None else [place / name for name in names]
            for path in paths:
                path.unlink(missing_ok=True)
            if names is None:
                self._durable.discard(place)
                place.rmdir()

    def swap(self, before: bytes, after: bytes, *, keep: str, drop: Sequence[str] = ()) -> None:
        """Write ``checkpoint.next`` durably, then rename over ``checkpoint``.

        A reader sees the new checkpoint as soon as it has its name, before the folder is flushed. Were that name
        lost in a power cut, the next batch would grow another history from the old checkpoint, so the new one is
        durable under the other name first, and ``unfinished`` brings it back.
        """
        if self._medium.checkpoint() != before:
            raise log_moved(self._medium.where(CHECKPOINT))
        staging = self._clean_staging()
        write_all_durable([(self._folder / NEXT, after)], staging=staging)
        self._keep(self._folder / keep, before)
        write_all_durable([(self._folder / CHECKPOINT, after)], staging=staging)
        for folder in drop:
            self.drop(folder)

    def _keep(self, kept: Path, note: bytes) -> None:
        """Keep the current checkpoint before another replaces it; a convenience, so not flushed."""
        make_folder(kept.parent)
        try:
            os.link(self._folder / CHECKPOINT, kept)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            write_durable(kept, note)

    def _clean_staging(self) -> Path:
        """The folder for unfinished files; under the lock, what lies there is of a writer that died."""
        if self._staging is None:
            staging = self._folder / "staging"
            make_folder(staging)
            with contextlib.suppress(OSError):
                for path in staging.iterdir():
                    path.unlink()
            self._medium.envelopes.sweep()
            self._staging = staging
        return self._staging

    def _make_durable(self, folder: Path) -> None:
        """Make a folder of the log and those above it, and flush each name once for this object."""
        chain = [folder, *folder.parents]
        for path in reversed(chain[: chain.index(self._folder)]):
            if not path.is_dir():
                make_folder(path)
            elif path not in self._durable:
                sync_folder(path.parent)
            self._durable.add(path)
