"""Which links a subject may hold: those that stay in its folder, or in the model cache that the folder is part of."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from assaymark.core.errors import AssaymarkError, InputError, UnavailableError, UsageError

_CACHE_PREFIXES = ("models--", "datasets--", "spaces--")


@dataclass(frozen=True, slots=True)
class Boundary:
    """The real folder of a subject, and the ``blobs`` folder of its model cache when it is a snapshot of one.

    The Hugging Face cache keeps ``models--NAME/blobs/<hash>`` once and links to it from
    ``models--NAME/snapshots/<revision>/...``.
    """

    root: Path
    cache: Path | None

    @classmethod
    def around(cls, root: Path) -> Boundary:
        """The boundary of ``root``, which is a real path."""
        for folder in (root, *root.parents):
            model = folder.parent.parent
            if folder.parent.name == "snapshots" and model.name.startswith(_CACHE_PREFIXES):
                blobs = model / "blobs"
                # A blobs folder that is itself a link would move the boundary to wherever it leads.
                return cls(root, blobs if blobs.is_dir() and not blobs.is_symlink() else None)
        return cls(root, None)

    def resolve(self, link: Path) -> tuple[Path, os.stat_result]:
        """The real path that ``link`` leads to, and its status.

        Raises:
            InputError: ``link-broken``, ``link-cycle`` or ``link-leaves``, naming the link and its target.
        """
        try:
            target = Path(os.path.realpath(link, strict=True))
            status = target.stat(follow_symlinks=False)
        except FileNotFoundError:
            raise InputError(
                "link-broken",
                f"a link to {str(link.readlink())!r}, which is not there",
                source=str(link),
                remedy="remove the link or restore the file",
            ) from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise InputError("link-cycle", "a link that leads to itself", source=str(link)) from None
            raise path_error(error, link) from error
        inside = target.is_relative_to(self.root)
        cached = self.cache is not None and target.is_relative_to(self.cache) and stat.S_ISREG(status.st_mode)
        if not inside and not cached:
            raise InputError(
                "link-leaves",
                f"a link to {str(target)!r}, outside of the folder",
                source=str(link),
                remedy="put the file itself in place of the link",
            )
        return target, status


def path_error(error: OSError, path: Path) -> AssaymarkError:
    """What an operating system's error on reading ``path`` means to the user."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return UsageError("path-missing", "there is no such file or folder", source=str(path))
    if isinstance(error, PermissionError):
        return UsageError(
            "path-unreadable", "may not be read by this user", source=str(path), remedy="check its owner and mode"
        )
    if error.errno in (errno.ENAMETOOLONG, errno.EINVAL):
        return UsageError("path-missing", f"not a path: {os.strerror(error.errno)}", source=str(path)[:200])
    what = os.strerror(error.errno) if error.errno else str(error)
    return UnavailableError("path-io", f"cannot be read: {what}", source=str(path), remedy="check the disk")
