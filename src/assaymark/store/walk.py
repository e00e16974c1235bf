"""Every file of a subject: a folder walked without following a link out of it, hidden files included."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.errors import InputError, UsageError
from assaymark.core.limits import MANIFEST_MAX_FILES, PATH_MAX_BYTES
from assaymark.store.links import Boundary, path_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file: its path in the manifest, where its bytes are, and which file that was when it was found."""

    path: str
    real: Path
    size: int
    identity: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to be walked: its path in the manifest, its real path, and the real folders above it."""

    path: str
    real: Path
    above: frozenset[tuple[int, int]]


def find_file(path: Path) -> FoundFile:
    """The file that ``path`` names, under its own base name.

    Raises:
        UsageError: ``path-missing`` or ``path-unreadable``; ``path-kind`` when it is a folder.
        InputError: ``link-leaves``, ``link-broken``, ``link-cycle``, ``file-kind`` or ``manifest-path``.
    """
    status = _status(path)
    if stat.S_ISDIR(status.st_mode):
        raise UsageError("path-kind", "a folder, where a file is needed", source=str(path))
    folder = Path(os.path.realpath(path.parent))
    _check_name(path.name, path)
    real, status = _resolve(folder / path.name, Boundary.around(folder))
    if not stat.S_ISREG(status.st_mode):
        raise _wrong_kind(path, status)
    return FoundFile(path.name, real, status.st_size, (status.st_dev, status.st_ino))


def file_called(real: Path, name: str) -> FoundFile:
    """A regular file under a name that the caller gives it.

    Raises:
        UsageError: ``path-missing`` or ``path-unreadable``.
        InputError: ``file-kind``.
    """
    status = _status(real)
    if not stat.S_ISREG(status.st_mode):
        raise _wrong_kind(real, status)
    return FoundFile(name, real, status.st_size, (status.st_dev, status.st_ino))


def is_folder(path: Path) -> bool:
    """Whether ``path`` names a folder; a link to one counts, for the user named it.

    Raises:
        UsageError: ``path-missing`` or ``path-unreadable``.
        InputError: ``link-broken``.
    """
    return stat.S_ISDIR(_status(path).st_mode)


def walk(
    folder: Path, on_refused: Callable[[str, InputError], None] | None = None, *, odd_names: bool = False
) -> Iterator[FoundFile]:
    """Every file of a folder, links within it as files and folders at the link's path; in no particular order.

    With ``on_refused`` a link or file that has no place in a model, or a folder within this one that may not be read,
    is told to it, with its path, and passed over. With ``odd_names`` too, a name that is not UTF-8 is told and looked
    at all the same, under the name that ``shown_name`` gives it, which no manifest has.

    Raises:
        UsageError: ``path-unreadable``.
        InputError: ``link-leaves``, ``link-broken``, ``link-cycle``, ``file-kind``, ``manifest-path``, or
            ``manifest-size`` above ``MANIFEST_MAX_FILES`` files and folders.
    """
    root = Path(os.path.realpath(folder))
    boundary = Boundary.around(root)
    status = _status(root)
    pending = [_Folder("", root, frozenset([(status.st_dev, status.st_ino)]))]
    seen = 0
    while pending:
        current = pending.pop()
        for name in _names(current, on_refused):
            seen += 1
            if seen > MANIFEST_MAX_FILES:
                raise InputError("manifest-size", f"more than {MANIFEST_MAX_FILES} files", source=str(folder))
            place = current.real / name
            shown = f"{current.path}/{name}" if current.path else name
            if odd_names and on_refused is not None and shown_name(shown) != shown:
                shown = shown_name(shown)
                on_refused(shown, odd_name(place))
            try:
                _check_name(shown, place)
                real, status = _resolve(place, boundary)
            except InputError as error:
                if on_refused is None:
                    raise
                on_refused(shown_name(shown), error)
                continue
            identity = (status.st_dev, status.st_ino)
            if stat.S_ISREG(status.st_mode):
                yield FoundFile(shown, real, status.st_size, identity)
            elif stat.S_ISDIR(status.st_mode):
                if identity in current.above:
                    cycle = InputError("link-cycle", "a link to a folder that holds it", source=str(place))
                    if on_refused is None:
                        raise cycle
                    on_refused(shown, cycle)
                    continue
                pending.append(_Folder(shown, real, current.above | {identity}))
            elif on_refused is None:
                raise _wrong_kind(place, status)
            else:
                on_refused(shown, _wrong_kind(place, status))


def shown_name(name: str) -> str:
    r"""A name of the file system as text: bytes of it that are not UTF-8 are escaped, ``\xff``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def odd_name(place: Path) -> InputError:
    """Why a file is no part of any digest that was examined all the same."""
    what = "a file name that is not UTF-8, so no digest names it; what it holds was examined"
    return InputError("manifest-path", what, source=shown_name(str(place)), remedy="rename the file")


def _names(folder: _Folder, on_refused: Callable[[str, InputError], None] | None) -> list[str]:
    """What is in a folder; none when it may not be read, lies below the one that was asked for, and that is told."""
    try:
        return os.listdir(folder.real)  # noqa: PTH208 - names are needed, not paths
    except OSError as error:
        if on_refused is None or not folder.path or not isinstance(error, PermissionError):
            raise path_error(error, folder.real) from error
    unread = "a folder that may not be read by this user"
    on_refused(folder.path, InputError("path-unreadable", unread, source=str(folder.real)))
    return []


def _resolve(place: Path, boundary: Boundary) -> tuple[Path, os.stat_result]:
    try:
        status = place.lstat()
    except OSError as error:
        raise path_error(error, place) from error
    return boundary.resolve(place) if stat.S_ISLNK(status.st_mode) else (place, status)


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            raise InputError("link-broken", "a link to nothing", source=str(path)) from None
        raise UsageError(
            "path-missing", "there is no such file or folder", source=str(path), remedy="check the path"
        ) from None
    except OSError as error:
        raise path_error(error, path) from error
    except ValueError as error:  # a null character
        raise UsageError("path-missing", f"not a path: {error}", source=repr(str(path))) from None


def _check_name(shown: str, place: Path) -> None:
    try:
        size = len(shown.encode())
    except UnicodeEncodeError:
        raise InputError(
            "manifest-path",
            "a file name that is not UTF-8",
            source=os.fsencode(place).decode(errors="backslashreplace"),
            remedy="rename the file",
        ) from None
    if size > PATH_MAX_BYTES:
        raise InputError("manifest-path", f"a path of more than {PATH_MAX_BYTES} bytes", source=str(place)[:200])


def _wrong_kind(place: Path, status: os.stat_result) -> InputError:
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
    kind = kinds.get(stat.S_IFMT(status.st_mode), "no regular file")
    return InputError(
        "file-kind",
        f"{kind}: a model is made of regular files",
        source=str(place),
        remedy="remove it from the folder",
    )
