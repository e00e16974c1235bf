"""Scan files and folders; nothing is signed or logged."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.sandbox.pool import Sandbox
from assaymark.store.walk import find_file, is_folder, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.core.report import Report


def scan_path(path: Path, on_progress: Callable[[int, int], None] | None = None) -> Report:
    """Scan a file or every file of a folder, each in a confined process.

    Raises:
        UsageError: ``path-missing``.
        InputError: a link that leaves the folder, a device, as the intake raises.
    """
    with Sandbox(batch=True) as sandbox:
        return scan_with(sandbox, path, on_progress)


def scan_with(sandbox: Sandbox, path: Path, on_progress: Callable[[int, int], None] | None = None) -> Report:
    """As ``scan_path``, in a sandbox that is open already."""
    found = sorted(walk(path), key=lambda file: file.path) if is_folder(path) else [find_file(path)]
    return sandbox.scan([(file.path, file.real) for file in found], on_progress)


@contextmanager
def from_stdin() -> Iterator[Path]:
    """What standard input brings, as a file named ``stdin`` that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="assaymark-") as folder:
        place = Path(folder) / "stdin"
        with place.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield place
