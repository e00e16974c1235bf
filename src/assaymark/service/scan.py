"""Scan files and folders; nothing is signed or logged."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import UnavailableError
from assaymark.core.report import Report, Skipped, merge_reports
from assaymark.sandbox.confine import HOLDS
from assaymark.sandbox.pool import Sandbox
from assaymark.store.walk import find_file, is_folder, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.sandbox.remote import RangeSource
    from assaymark.store.scan_cache import ScanCache


def scan_path(path: Path, on_progress: Callable[[int, int], None] | None = None) -> Report:
    """Scan a file or every file of a folder, each in a confined process.

    Raises:
        UsageError: ``path-missing``.
        InputError: a link that leaves the folder, a device, as the intake raises.
    """
    with Sandbox(batch=True) as sandbox:
        return scan_with(sandbox, path, on_progress)


def scan_with(
    sandbox: Sandbox,
    path: Path,
    on_progress: Callable[[int, int], None] | None = None,
    cache: ScanCache | None = None,
) -> Report:
    """As ``scan_path``, in a sandbox that is open already; reports in ``cache`` are taken from there."""
    found = sorted(walk(path), key=lambda file: file.path) if is_folder(path) else [find_file(path)]
    if cache is None:
        return sandbox.scan([(file.path, file.real) for file in found], on_progress)
    known = {file.path: report for file in found if (report := cache.find(file.path, file.real, file.size))}
    rest = [file for file in found if file.path not in known]

    def keep(number: int, report: Report, seconds: float) -> None:
        file = rest[number]
        if not any(finding.rule == "scan-resource" for finding in report.findings):  # another machine may have time
            cache.keep(file.path, file.real, file.size, report, seconds)

    fresh = sandbox.scan([(file.path, file.real) for file in rest], on_progress, keep)
    return merge_reports([*known.values(), *([fresh] if rest or not known else [])])


_SCHEMES: Final = ("https://", "http://", "hf://", "s3://")


def is_remote(path: str) -> bool:
    """Whether ``path`` is an address rather than a file."""
    return path.startswith(_SCHEMES)


def scan_remote(sandbox: Sandbox, url: str, on_progress: Callable[[int, int], None] | None = None) -> Report:
    """Scan what lies at an address by reading ranges of it: a file, a model of a hub, objects below a prefix.

    Nothing is downloaded as a whole, so no digest says what was looked at.

    Raises:
        UsageError: ``remote-url``, ``extra-missing``.
        UnavailableError: ``remote-read``.
        InputError: ``remote-list``.
    """
    from assaymark.store.ranges import HttpSource, http_files, hub_files
    from assaymark.store.s3 import s3_sources

    if url.startswith("s3://"):
        jobs: list[tuple[str, Callable[[], RangeSource]]] = [
            (name, partial(_same, source)) for name, source in s3_sources(url)
        ]
    else:
        files = hub_files(url) if url.startswith("hf://") else http_files(url)
        jobs = [(file.name, partial(HttpSource, file)) for file in files]
    reports = []
    for done, (name, source) in enumerate(jobs, 1):
        try:
            reports.append(sandbox.scan_source(name, source()))
        except UnavailableError as error:
            if len(jobs) == 1:
                raise
            reports.append(Report((), (), (), (Skipped(name, error.message),), confinement=HOLDS))
        if on_progress is not None:
            on_progress(done, len(jobs))
    return merge_reports(reports)


def _same(source: RangeSource) -> RangeSource:
    return source


@contextmanager
def from_stdin() -> Iterator[Path]:
    """What standard input brings, as a file named ``stdin`` that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="assaymark-") as folder:
        place = Path(folder) / "stdin"
        with place.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield place
