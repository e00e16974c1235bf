"""Has anything been written to these files since? Answered by their inodes, without reading a byte.

Writing moves ctime, which no call sets (inode(7)); what can still hide a write is in docs/guide/enforcement.md, and
hashing again finds it.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from assaymark.store.files import storage_errors
from assaymark.store.walk import find_file, is_folder, walk

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Stamp = tuple[int, ...]


def tree_fingerprint(folder: Path) -> dict[str, Stamp]:
    """Every file and folder below ``folder``, itself included: device, inode, kind, size, mtime, ctime.

    Raises:
        UnavailableError: ``store-io``, or ``store-read-only``: something cannot be looked at.
    """
    with storage_errors(folder):
        found = {"": _stamp(folder.lstat())}
        pending = [str(folder)]
        while pending:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    found[entry.path] = _stamp(status)
                    if stat.S_ISDIR(status.st_mode):
                        pending.append(entry.path)
    return found


def model_fingerprint(path: Path, configurations: Iterable[Path] = ()) -> dict[str, Stamp]:
    """The files of a model by their place in its manifest, links followed as the manifest follows them.

    Raises:
        UsageError, InputError: as the intake raises for what is no model any more.
        UnavailableError: ``path-io`` or ``store-io``.
    """
    files = list(walk(path)) if is_folder(path) else [find_file(path)]
    extra = [find_file(configuration) for configuration in configurations]
    found: dict[str, Stamp] = {}
    for prefix, group in (("model", files), ("configuration", extra)):
        for file in group:
            with storage_errors(file.real):
                found[f"{prefix}/{file.path}"] = _stamp(file.real.lstat())
    return found


def file_fingerprint(path: Path) -> Stamp | None:
    """One file, a link followed; None when it is not there or cannot be looked at."""
    try:
        return _stamp(path.stat())
    except OSError:
        return None


def changed(before: dict[str, Stamp], after: dict[str, Stamp]) -> list[str]:
    """The places that are new, gone or written to, sorted."""
    return sorted(place for place in before.keys() | after.keys() if before.get(place) != after.get(place))


def bytes_in(places: Iterable[str], fingerprint: dict[str, Stamp]) -> int:
    """The size in bytes of those of the places that are there."""
    return sum(fingerprint[place][3] for place in places if place in fingerprint)


def _stamp(status: os.stat_result) -> Stamp:
    kind = stat.S_IFMT(status.st_mode)
    size = status.st_size if kind == stat.S_IFREG else 0
    return status.st_dev, status.st_ino, kind, size, status.st_mtime_ns, status.st_ctime_ns
