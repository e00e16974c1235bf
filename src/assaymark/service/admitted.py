"""A private verified copy of a model, for a loader."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.subject import Subject
from assaymark.service.model import model_name
from assaymark.store.blobs import Blobs
from assaymark.store.intake import take_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.core.subject import Manifest


@contextmanager
def private_copy(path: Path, configurations: tuple[Path, ...] = ()) -> Iterator[tuple[Subject, Manifest, Path]]:
    """Copy while hashing into a folder that only this user can enter; yields subject, manifest and the copy.

    The files have mode 0400 and their places in the manifest. Everything is removed at the end.

    Raises:
        UsageError, InputError: as the intake raises.
        UnavailableError: the copy cannot be written.
    """
    folder = Path(tempfile.mkdtemp(prefix="assaymark-"))
    try:
        blobs = Blobs(folder / "blobs")
        intake = take_manifest(path, configurations=configurations, copy_to=blobs)
        place = folder / "model"
        outside = folder / "configurations"
        for entries, base in ((intake.manifest.files, place), (intake.manifest.configurations, outside)):
            for entry in entries:
                target = base / entry.path
                target.parent.mkdir(parents=True, exist_ok=True)
                source = blobs.path(entry.digest)
                source.chmod(0o400)
                target.hardlink_to(source)
        yield (
            Subject(model_name(path), intake.manifest.digest),
            intake.manifest,
            place / intake.manifest.files[0].path if intake.manifest.kind == "file" else place,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
