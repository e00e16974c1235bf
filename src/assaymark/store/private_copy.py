"""A private verified copy of a model, for a loader."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.store.blobs import Blobs
from assaymark.store.files import storage_errors
from assaymark.store.intake import take_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.core.subject import Manifest


@contextmanager
def private_copy(path: Path, configurations: tuple[Path, ...] = ()) -> Iterator[tuple[Manifest, Path]]:
    """Copy while hashing into a folder that only this user can enter; yields the manifest and the copy.

    The files have mode 0400 and their places in the manifest. Everything is removed at the end.

    Raises:
        UsageError, InputError: as the intake raises.
        UnavailableError: the copy cannot be written.
    """
    with storage_errors(Path(tempfile.gettempdir())):
        folder = Path(tempfile.mkdtemp(prefix="assaymark-"))
    try:
        blobs = Blobs(folder / "blobs")
        manifest = take_manifest(path, configurations=configurations, copy_to=blobs).manifest
        place = folder / "model"
        with storage_errors(folder):
            for entries, base in ((manifest.files, place), (manifest.configurations, folder / "configurations")):
                for entry in entries:
                    target = base / entry.path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    source = blobs.path(entry.digest)
                    source.chmod(0o400)
                    target.hardlink_to(source)
        yield manifest, place / manifest.files[0].path if manifest.kind == "file" else place
    finally:
        shutil.rmtree(folder, ignore_errors=True)
