"""What a program was seen to open, sorted after its end: what else went into the run, and what is known already."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.limits import MIB, RECORD_MAX_OBSERVED_BYTES, RECORD_MAX_OBSERVED_FILES
from assaymark.core.provenance import Material
from assaymark.recording.command import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from assaymark.recording.program import Seen

_NO_FILES: Final = ("/proc", "/sys", "/dev")  # what the kernel makes up when it is read


@dataclass(frozen=True, slots=True)
class Opened:
    """The files that were opened to read, beside what was declared.

    ``materials`` were there before the run and are digested. ``declared`` are the numbers of the declared places that
    were opened. The other fields count: ``installed`` are files that distributions list or of the interpreter's own
    library, ``changed`` were written since the start (mostly by the run), ``absent`` are no regular files (now, or
    ever: searches try many paths), ``undigested`` were beyond the limits or unreadable.
    """

    materials: tuple[Material, ...]
    declared: frozenset[int]
    installed: int
    changed: int
    absent: int
    undigested: int


def sort_opened(
    seen: Seen,
    places: Sequence[str],
    *,
    outputs: Sequence[str],
    installed: Collection[str],
    library: Sequence[str],
    known: Collection[str],
    since_ns: int,
    names_from: str,
) -> Opened:
    """Sort the paths, and digest what nobody knows.

    ``places``, ``outputs``, ``library`` and ``known`` are real paths: declared inputs, outputs, folders of the
    interpreter, and single files that the statement names already. ``since_ns`` is when the run began, on the clock
    of the file system. Names are relative to ``names_from`` where they lie below it.
    """
    declared = set(seen.opened)
    counts = dict.fromkeys(("installed", "changed", "absent", "undigested"), 0)
    materials: list[Material] = []
    budget = RECORD_MAX_OBSERVED_BYTES
    for path in _real_paths(seen.paths):
        if _below(path, _NO_FILES) is not None or path in known or _below(path, outputs) is not None:
            continue
        place = _below(path, places)
        if place is not None:
            declared.add(place)
            continue
        try:
            status = os.stat(path)  # noqa: PTH116 - a text is at hand, and there are many
        except (OSError, ValueError):
            counts["absent"] += 1
            continue
        if stat.S_ISDIR(status.st_mode):
            continue
        if not stat.S_ISREG(status.st_mode):
            counts["absent"] += 1
        elif path in installed or _below(path, library) is not None:
            counts["installed"] += 1
        elif status.st_ctime_ns >= since_ns:
            counts["changed"] += 1
        else:
            digest = ""
            if len(materials) < RECORD_MAX_OBSERVED_FILES and status.st_size <= budget:
                budget -= status.st_size
                digest = _digest(path)
            if digest:
                materials.append(Material(name_of(path, names_from), digest, "file", declared=False))
            else:
                counts["undigested"] += 1
    return Opened(tuple(materials), frozenset(declared), **counts)


def name_of(path: str, base: str) -> str:
    """A path as the statement names it: relative to ``base`` when it lies below."""
    return shown(path.removeprefix(base + "/"))


def _real_paths(paths: Sequence[str]) -> list[str]:
    """The real paths, sorted; a folder is resolved once, for it is the same for thousands of files."""
    folders: dict[str, str] = {}
    found: set[str] = set()
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in folders:
            folders[folder] = os.path.realpath(folder or "/").rstrip("/")
        real = f"{folders[folder]}/{name}"
        plain = name not in ("", ".", "..") and not os.path.islink(real)  # noqa: PTH114 - there are many
        found.add(real if plain else os.path.realpath(path))
    return sorted(found)


def _below(path: str, places: Sequence[str]) -> int | None:
    """The number of the first place that ``path`` is or lies below."""
    return next(
        (number for number, place in enumerate(places) if path == place or path.startswith(place + "/")), None
    )


def _digest(path: str) -> str:
    """The SHA-256 of a file's bytes; an empty text when it cannot be read."""
    digest = hashlib.sha256()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        while piece := os.read(descriptor, MIB):
            digest.update(piece)
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    return "sha256:" + digest.hexdigest()
