"""A scan's configuration file, with the files that define what it vouches for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.core.errors import InputError, UsageError
from assaymark.core.times import format_time
from assaymark.scanning.config import Allow, ScanConfig, parse_scan_config

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """What counts now; ``notes`` say which entries do not, and why."""

    config: ScanConfig
    notes: tuple[str, ...]

    @property
    def allow(self) -> frozenset[str]:
        """The names that are vouched for."""
        return frozenset(entry.name for entry in self.config.allow)


def load_scan_config(path: Path, now: int) -> LoadedConfig:
    """The entries of the file at ``path`` that stand at ``now`` and whose defining files are what they were.

    Raises:
        UsageError: ``path-missing`` when the file cannot be read.
        InputError: ``scan-config``.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        message = error.strerror or "cannot be read"
        raise UsageError("path-missing", message, source=str(path), remedy="check the path of --config") from None
    try:
        parsed = parse_scan_config(text)
    except InputError as error:
        raise error.at(str(path)) from None
    config, ended = parsed.standing(now)
    notes = [f"the entry on {_about(entry)} ended {format_time(entry.until)}" for entry in ended]
    allow = []
    for entry in config.allow:
        problem = _changed(path.parent / entry.file, entry.digest)
        if problem:
            notes.append(f"{entry.name} is not allowed: {entry.file}, which defines it, {problem}")
        else:
            allow.append(entry)
    return LoadedConfig(ScanConfig(tuple(allow), config.ignore), tuple(notes))


def _about(entry: object) -> str:
    return entry.name if isinstance(entry, Allow) else f"{getattr(entry, 'rule', '')} in {getattr(entry, 'path', '')}"


def _changed(file: Path, digest: str) -> str:
    """What is the matter with the file; empty when it has the digest."""
    try:
        with file.open("rb") as source:
            found = f"sha256:{hashlib.file_digest(source, 'sha256').hexdigest()}"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if found == digest else f"has the digest {found} now"
