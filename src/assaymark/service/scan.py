"""Scan files and folders; nothing is signed or logged."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError, UnavailableError
from assaymark.core.report import Confidence, Finding, Location, Report, Skipped, merge_reports
from assaymark.sandbox.confine import HOLDS
from assaymark.sandbox.pool import Sandbox
from assaymark.scanning.rules import RULES
from assaymark.store.walk import FoundFile, file_called, find_file, is_folder, odd_name, shown_name, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.sandbox.remote import RangeSource
    from assaymark.store.scan_cache import ScanCache


def scan_path(path: Path, on_progress: Callable[[int, int], None] | None = None) -> Report:
    """Scan a file or every file of a folder, each in a confined process.

    Raises:
        UsageError: ``path-missing``.
        InputError: for a file given by its name, as the intake raises.
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
    refused: list[Report] = []

    def refuse(shown: str, error: InputError) -> None:
        refused.append(_refused(shown, error))

    if is_folder(path):
        found = sorted(walk(path, refuse, odd_names=True), key=lambda file: file.path)
    else:
        found = [_named_file(path, refuse)]
    known = {file.path: report for file in found if cache and (report := cache.find(file.path, file.real, file.size))}
    rest = [file for file in found if file.path not in known]

    def keep(number: int, report: Report, seconds: float) -> None:
        file = rest[number]
        # Another machine, or this one in an hour, may have the time.
        if cache and not any(finding.rule == "scan-resource" for finding in report.findings):
            cache.keep(file.path, file.real, file.size, report, seconds)

    fresh = sandbox.scan([(file.path, file.real) for file in rest], on_progress, keep)
    # Without a fresh file it says nothing, not even what would have held.
    reports = [*known.values(), *([fresh] if rest or not known else []), *refused]
    return reports[0] if len(reports) == 1 else merge_reports(reports)


def unread(path: str, error: InputError | UnavailableError) -> Report:
    """No answer about one of several paths, so that what was found in the others is still said."""
    return Report((), (), (), (Skipped(path, error.message),), confinement=HOLDS)


def _named_file(path: Path, refuse: Callable[[str, InputError], None]) -> FoundFile:
    """The file that a user named; a link leads to what is looked at, wherever that lies, under the link's name."""
    name = shown_name(path.name)
    if name != path.name and path.is_file():
        refuse(name, odd_name(path))
        return file_called(Path(os.path.realpath(path)), name)
    if not path.is_symlink() or not path.exists():
        return find_file(path)
    return replace(find_file(Path(os.path.realpath(path))), path=path.name)


def _refused(shown: str, error: InputError) -> Report:
    """A link out of the folder is a finding; what else has no place in a model is no answer. Neither is read."""
    findings: tuple[Finding, ...] = ()
    if error.code == "link-leaves":
        rule = RULES["archive-unsafe-path"]
        findings = (Finding(rule.id, rule.severity, Confidence.HIGH, error.message, (Location(shown),)),)
    return Report(findings, (), (), (Skipped(shown, error.message),), confinement=HOLDS)


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
    """What standard input brings, as a file named ``stdin`` that is gone afterwards.

    Raises:
        InputError: ``stdin-empty``: silence of a command that failed before the pipe is no clean file.
    """
    with tempfile.TemporaryDirectory(prefix="assaymark-") as folder:
        place = Path(folder) / "stdin"
        with place.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
            size = file.tell()
        if not size:
            raise InputError(
                "stdin-empty",
                "nothing came on standard input",
                source="-",
                remedy="see whether the command before the pipe failed",
            )
        yield place
