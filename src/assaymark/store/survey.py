"""Every folder of a tree of any size, one at a time, and a quick look into its files. No link is followed out of it.

Nothing is left out silently: what is not entered or cannot be read is handed to ``left_out`` with the reason.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.limits import IDENTIFY_HEAD_BYTES
from assaymark.store.links import Boundary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_GONE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE)
_KINDS: Final = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A place that was not looked into. ``unread``: it may hold models, so the inventory is not complete."""

    path: str
    why: str
    unread: bool = True


@dataclass(slots=True)
class Folder:
    """One folder: names of its regular files, of links to files within the tree, and of its folders.

    Who looks at it sets ``descend`` to False when what lies below is dealt with.
    """

    path: str
    files: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    descend: bool = True


def survey(
    root: str, left_out: Callable[[LeftOut], None], skip: frozenset[Identity] = frozenset()
) -> Iterator[Folder]:
    """The folders below and including ``root``, each before those in it, by name.

    ``skip`` are folders that are not entered. Another file system mounted in the tree is not entered and is said;
    a link to a folder is not followed: one within the tree is met by itself. The blobs of the model cache that
    ``root`` is a snapshot of count as within the tree, as they do for a manifest.
    """
    top = os.path.realpath(root)
    cache = Boundary.around(Path(top)).cache
    inside = tuple(place.rstrip("/") + "/" for place in (top, *([str(cache)] if cache is not None else [])))
    try:
        device = os.stat(top).st_dev  # noqa: PTH116 - paths stay text: a hundred thousand of them
    except OSError as error:
        left_out(LeftOut(root, _why(error)))
        return
    pending = [top]
    while pending:
        path = pending.pop()
        found = _read(path, inside, device, skip, left_out)
        if found is not None:
            yield found
            if found.descend:
                pending += [os.path.join(path, name) for name in reversed(found.folders)]  # noqa: PTH118


def _read(
    path: str, inside: tuple[str, ...], device: int, skip: frozenset[Identity], left_out: Callable[[LeftOut], None]
) -> Folder | None:
    try:
        status = os.lstat(path)
        if (status.st_dev, status.st_ino) in skip:
            left_out(LeftOut(path, "the workspace itself", unread=False))
            return None
        if status.st_dev != device:
            left_out(LeftOut(path, "another file system is mounted here: name it to look into it"))
            return None
        with os.scandir(path) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        left_out(LeftOut(path, _why(error)))
        return None
    folder = Folder(path)
    for entry in entries:
        _sort(entry, folder, inside, left_out)
    return folder


def _sort(
    entry: os.DirEntry[str], folder: Folder, inside: tuple[str, ...], left_out: Callable[[LeftOut], None]
) -> None:
    try:
        if entry.is_symlink():
            _link(entry, folder, inside, left_out)
        elif entry.is_file(follow_symlinks=False):
            folder.files.append(entry.name)
        elif entry.is_dir(follow_symlinks=False):
            folder.folders.append(entry.name)
        else:
            mode = entry.stat(follow_symlinks=False).st_mode
            what = next((name for test, name in _KINDS if test(mode)), "not a regular file")
            left_out(LeftOut(entry.path, what, unread=False))
    except OSError as error:
        left_out(LeftOut(entry.path, _why(error)))


def _link(
    entry: os.DirEntry[str], folder: Folder, inside: tuple[str, ...], left_out: Callable[[LeftOut], None]
) -> None:
    try:
        target = os.path.realpath(entry.path, strict=True)
        regular = stat.S_ISREG(os.stat(target).st_mode)  # noqa: PTH116
    except OSError as error:
        why = "leads to itself" if error.errno == errno.ELOOP else "leads nowhere"
        left_out(LeftOut(entry.path, f"a link that {why}", unread=False))
        return
    if not f"{target}/".startswith(inside):
        left_out(LeftOut(entry.path, f"a link out of the tree, to {target}", unread=False))
    elif regular:
        folder.links.append(entry.name)


class Opened:
    """A file that was opened to be looked at: a view of its bytes, and which file it was."""

    __slots__ = ("_descriptor", "_head", "identity", "size")

    def __init__(self, path: str, *, follow: bool = False) -> None:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        self._descriptor = os.open(path, flags)
        try:
            status = os.fstat(self._descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.ENOENT, "not the regular file that it was")
            self.size = status.st_size
            self.identity = (status.st_dev, status.st_ino)
            self._head = os.pread(self._descriptor, IDENTIFY_HEAD_BYTES, 0)
        except OSError:
            self.close()
            raise

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``, the first page from memory.

        Raises:
            OSError: the medium failed.
        """
        if offset + length <= len(self._head):
            return self._head[offset : offset + length]
        return os.pread(self._descriptor, length, offset) if length > 0 else b""

    def close(self) -> None:
        """Release the file."""
        os.close(self._descriptor)


def look(path: str, *, follow: bool = False) -> Opened | LeftOut:
    """The file at ``path``, opened, or why not."""
    try:
        return Opened(path, follow=follow)
    except OSError as error:
        return LeftOut(path, _why(error))


def stamp(path: str) -> tuple[int, ...]:
    """What changes when a file or folder is written to: device, inode, size, times; empty when it is gone."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return ()
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _why(error: OSError) -> str:
    if error.errno in _GONE:
        return "it went away or changed meanwhile"
    return f"cannot be read: {os.strerror(error.errno) if error.errno else error}"
