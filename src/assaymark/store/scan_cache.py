"""Reports of slow scans, kept by what was looked at and by which scanner, in the user's cache folder.

Only for scans that nobody signs: whoever can write into the folder can put any report there. An entry is named by
the size of the file and a digest of its content, its name and the scanner, so that a file is hashed only when an
entry of its size is there.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import SANDBOX_OUTPUT_BYTES, SCAN_CACHE_FILES
from assaymark.core.report import Report, relabelled
from assaymark.core.report_json import report_from_json, report_to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_FAST_SECONDS: Final = 0.25
_HASHED_A_SECOND: Final = 500e6  # bytes; a report is worth keeping when looking it up is quicker than making it


def cache_folder() -> Path:
    """Where reports are kept: below XDG_CACHE_HOME, else ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(base) / "assaymark" / "scans"


class ScanCache:
    """Reports by content. ``vouched`` are the names that a scan allows, which its reports depend on.

    ``scanner`` says which scanner makes them; it is asked only when a report is looked up or kept.
    """

    def __init__(self, folder: Path, scanner: Callable[[], str], vouched: Iterable[str] = ()) -> None:
        self._folder = folder
        self._scanner = scanner
        self._vouched = "\0".join(sorted(vouched))
        try:
            self._names = set(os.listdir(folder))  # noqa: PTH208 - names are needed
        except OSError:
            self._names = set()
        self._sizes = {name.partition("-")[0] for name in self._names}

    def find(self, path: str, file: Path, size: int) -> Report | None:
        """The report on ``file``, shown as ``path``; None when none is kept."""
        if str(size) not in self._sizes:
            return None
        entry = self._entry(path, file, size)
        if entry is None or entry not in self._names:
            return None
        try:
            text = (self._folder / entry).read_bytes()
            report = report_from_json(json.loads(text)) if len(text) <= SANDBOX_OUTPUT_BYTES else None
        except (OSError, ValueError, InputError):
            return None
        return None if report is None else relabelled(report, path)

    def keep(self, path: str, file: Path, size: int, report: Report, seconds: float) -> None:
        """Keep a report that took long enough to make; one that could not be written is not kept."""
        if seconds < _FAST_SECONDS or seconds < size / _HASHED_A_SECOND or len(self._names) >= SCAN_CACHE_FILES:
            return
        entry = self._entry(path, file, size)
        if entry is None or entry in self._names:
            return
        text = json.dumps(report_to_json(relabelled(report, Path(path).name)))
        part = self._folder / f"{entry}.{os.getpid()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.write_text(text)
            part.replace(self._folder / entry)
        except OSError:
            return
        self._names.add(entry)
        self._sizes.add(str(size))

    def _entry(self, path: str, file: Path, size: int) -> str | None:
        try:
            with file.open("rb") as source:
                digest = hashlib.file_digest(source, "sha256").hexdigest()
        except OSError:
            return None
        key = f"{digest}\0{Path(path).name}\0{self._scanner()}\0{self._vouched}"
        return f"{size}-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


@cache
def scanner_identity() -> str:
    """A digest of the installed scanner (its files' names, sizes and times): an upgrade forgets all reports."""
    root = Path(__file__).resolve().parents[1]
    files = sorted(
        path for part in ("core", "formats", "scanning") for path in (root / part).rglob("*") if path.is_file()
    )
    lines = [
        f"{path.relative_to(root)} {status.st_size} {status.st_mtime_ns}"
        for path in files
        if path.suffix in (".py", ".json")
        for status in [path.stat()]
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
