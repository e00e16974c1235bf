"""The files of a run: inputs that must stay as they are while it goes on, outputs that it must write."""

from __future__ import annotations

import os
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import AssaymarkError, UsageError, VerificationError
from assaymark.core.provenance import Material
from assaymark.service.derive import DATA, known_kind
from assaymark.service.model import guard_workspace, model_name
from assaymark.store.intake import take_manifest
from assaymark.store.links import path_error
from assaymark.store.walk import find_file, is_folder, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assaymark.core.subject import Manifest
    from assaymark.service.workspace import Workspace

FILE: Final = "file"
# File systems stamp with the clock's tick, at most 10 ms: a write within the tick of the last one would not show.
_TICK_SECONDS: Final = 0.02
_ENTRIES: Final = "something was added to, removed from or renamed in "
_NAMED: Final = 3  # paths that one message names
_LINKS: Final = 40  # that Linux follows in one path (path_resolution(7))

# Which file it is, and what changes when anybody writes to it: device, inode, size, mtime, ctime (which nobody sets).
Stamp = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Input:
    """A declared input as it was before the run: its real path, what it is, the stamps of all that it consists of.

    ``digests`` are those of its files, by path; folders and links have stamps alone.
    """

    place: Path
    real: str
    material: Material
    manifest: Manifest
    stamps: dict[str, Stamp]
    digests: dict[str, str]


@dataclass(frozen=True, slots=True)
class Output:
    """A declared output: its real path."""

    place: Path
    real: str


def hold_input(
    workspace: Workspace, place: Path, role: str, on_progress: Callable[[int, int], None] | None = None
) -> Input:
    """An input with its digest, and with what tells afterwards that nobody wrote to it.

    ``role`` is ``data`` for a data set, ``parent`` for a model unless the log knows it as a data set, or ``input``:
    what the log knows it by, and where it does not a data set when it is a folder, else a file.

    Raises:
        AssaymarkError: as the intake raises.
    """
    guard_workspace(workspace, place)
    stamps = stamps_of(place)  # before it is read: what changes from here on shows
    intake = take_manifest(place, on_progress=on_progress)
    manifest = intake.manifest
    kind = _kind(workspace, manifest, role)
    digest = manifest.files[0].digest if kind == FILE else manifest.digest
    return Input(
        place,
        os.path.realpath(place),
        Material(model_name(place), digest, kind, declared=True),
        manifest,
        stamps,
        {str(real): entry.digest for entry, real in intake.files},
    )


def hold_output(workspace: Workspace, place: Path) -> Output:
    """An output, mostly of something that is not there yet.

    Raises:
        UsageError: ``workspace-inside``.
    """
    guard_workspace(workspace, place)
    return Output(place, os.path.realpath(place))


def mark_start(output: Output) -> int:
    """The time of the file system that an output will lie on, in nanoseconds: what the run writes is not older.

    A file server's clock is not ours, so a file is made beside the output and removed again; ours is asked where that
    cannot be done.
    """
    folder = Path(output.real).parent
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    try:
        descriptor, name = tempfile.mkstemp(prefix=".assaymark-start-", dir=folder)
    except OSError:
        return time.time_ns() - int(_TICK_SECONDS * 1e9) // 2
    try:
        return os.fstat(descriptor).st_ctime_ns
    finally:
        os.close(descriptor)
        Path(name).unlink(missing_ok=True)


def refuse_overlaps(inputs: Sequence[tuple[str, Path]], outputs: Sequence[tuple[str, Path]]) -> None:
    """An output within an input would change it, and an input within an output would be claimed as made.

    Raises:
        UsageError: ``record-overlap``.
    """
    for number, (real, place) in enumerate(outputs):
        for other, named in (*inputs, *outputs[number + 1 :]):
            if real == other or f"{real}/".startswith(f"{other}/") or f"{other}/".startswith(f"{real}/"):
                raise UsageError(
                    "record-overlap",
                    f"lies in, or holds, or is {str(named)!r}, which is declared too; nothing was started",
                    source=str(place),
                    remedy="let the program write to a folder of its own, beside its inputs",
                )


def let_time_pass() -> int:
    """Wait out the clock's tick, so that whatever is written from now on shows; nanoseconds since 1970 after that."""
    time.sleep(_TICK_SECONDS)
    return time.time_ns() - int(_TICK_SECONDS * 1e9) // 2


def check_inputs(inputs: Sequence[Input]) -> None:
    """Refuse inputs that somebody wrote to since they were hashed, even if they are now as before.

    Raises:
        VerificationError: ``record-input-changed``, which names the files.
    """
    for item in inputs:
        try:
            now = stamps_of(item.place)
        except AssaymarkError as error:
            raise _input_changed(item, [f"it cannot be read any more: {error.message}"]) from None
        if now != item.stamps:
            raise _input_changed(item, _changes(item, now))


def take_output(output: Output, since_ns: int, on_progress: Callable[[int, int], None] | None = None) -> Manifest:
    """The manifest of an output, when the run wrote every file of it: none is older than ``since_ns``.

    Raises:
        VerificationError: ``record-output-missing`` or ``record-output-untouched``.
        AssaymarkError: as the intake raises.
    """
    if not output.place.exists():
        raise VerificationError(
            "record-output-missing",
            "the program ended well and did not write this output; nothing is claimed",
            source=str(output.place),
            remedy="name what it writes with --output",
        )
    manifest = take_manifest(output.place, on_progress=on_progress).manifest
    files = [found.real for found in (walk(output.place) if is_folder(output.place) else [find_file(output.place)])]
    old = [str(file) for file in files if _stamp(str(file))[4] < since_ns]
    if old:
        raise VerificationError(
            "record-output-untouched",
            f"was there before the run, which did not write it: {_listed(old)}; nothing is claimed",
            source=str(output.place),
            remedy="remove what an earlier run left, and run again",
        )
    return manifest


def stamps_of(place: Path) -> dict[str, Stamp]:
    """The stamp of every file, folder and link that a subject consists of, by real path (of links: their own).

    Links that lead to it belong to it: one that is turned elsewhere and back gives the program other files.

    Raises:
        AssaymarkError: as the intake raises.
    """
    if not is_folder(place):
        found, named = find_file(place), str(place.absolute())
        return links_to(place) | {str(found.real): _stamp(str(found.real)), named: _stamp(named)}
    root = os.path.realpath(place)
    stamps = links_to(place) | {root: _stamp(root)}
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    stamps[entry.path] = _stamp_from(status)
                    if stat.S_ISDIR(status.st_mode):
                        pending.append(entry.path)
                    elif stat.S_ISLNK(status.st_mode):
                        target = os.path.realpath(entry.path)
                        if not target.startswith(f"{root}/"):  # the blobs of a model cache
                            stamps[target] = _stamp(target)
        except OSError as error:
            raise path_error(error, Path(folder)) from error
    return stamps


def links_to(place: Path) -> dict[str, Stamp]:
    """The stamp of each link that is followed from the root folder to ``place``, by the place of the link."""
    stamps: dict[str, Stamp] = {}
    here = "/"
    pending = list(reversed(place.absolute().parts[1:]))
    followed = 0
    while pending and followed < _LINKS:
        part = pending.pop()
        path = os.path.dirname(here) if part == ".." else os.path.join(here, part)  # noqa: PTH118, PTH120 - texts
        try:
            target = os.readlink(path)  # noqa: PTH115 - a text too
        except OSError:
            here = path
            continue
        followed += 1
        stamps[path] = _stamp(path)
        if target.startswith("/"):
            here = "/"
        pending.extend(part for part in reversed(Path(target).parts) if part != "/")
    return stamps


def _stamp(path: str) -> Stamp:
    try:
        return _stamp_from(Path(path).lstat())
    except OSError:
        return (0, 0, 0, 0, 0)


def _stamp_from(status: os.stat_result) -> Stamp:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _kind(workspace: Workspace, manifest: Manifest, role: str) -> str:
    if role == "data":
        return DATA
    size = workspace.log.checkpoint()[1].size
    if workspace.log.by_subject(manifest.digest, below=size, limit=1) or role == "parent":
        return known_kind(workspace, manifest.digest)
    return DATA if manifest.kind == "folder" else FILE


def _changes(item: Input, now: dict[str, Stamp]) -> list[str]:
    """Which files, and how: by their bytes, read again."""
    found = []
    for path in sorted({*item.stamps, *now}):
        if item.stamps.get(path) == now.get(path):
            continue
        digest = item.digests.get(path)
        if path not in now:
            found.append(f"{path} was removed")
        elif path not in item.stamps:
            found.append(f"{path} was added")
        elif digest is None:
            folder = Path(path).is_dir() and not Path(path).is_symlink()
            found.append(f"{_ENTRIES}{path}" if folder else f"{path} was changed")
        elif _digest_now(Path(path)) == digest:
            found.append(f"{path} was written to or touched, and holds the same bytes again")
        else:
            found.append(f"{path} was changed")
    # A folder whose file changed by replacement is no news beside that file.
    return [text for text in found if not text.startswith(_ENTRIES)] or found


def _digest_now(path: Path) -> str:
    try:
        return take_manifest(path).manifest.files[0].digest
    except AssaymarkError:
        return ""


def _input_changed(item: Input, changes: list[str]) -> VerificationError:
    return VerificationError(
        "record-input-changed",
        f"this input changed while the program ran: {_listed(changes)}; nothing is claimed",
        source=str(item.place),
        remedy="find out what wrote to it; let the program write to its outputs only, and run again",
    )


def _listed(texts: Sequence[str]) -> str:
    more = f", and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more
