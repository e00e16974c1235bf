"""A verified copy in a folder that others read, such as a volume that containers share: whole, or not there.

``DIR/<name>`` is a relative link to ``.assaymark/<random>/model`` (and ``DIR/<name>.configurations`` to the
configurations beside it). The copy is made durable below the random name first, and the link is put in its place by
one rename, as Kubernetes does it with the files of a ConfigMap. A copy that a running program holds is not removed.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import UsageError
from assaymark.store.files import storage_errors, sync_folder
from assaymark.store.lock import writer_lock
from assaymark.store.private_copy import Copy, copy_into, hold, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_STORE: Final = ".assaymark"
_PREFIX: Final = "copy-"
_TARGET: Final = re.compile(r"\.assaymark/(copy-[0-9a-f]{16})/(?:model|configurations)(?:/.*)?", re.DOTALL)
# Whoever shares the volume reads it, most often under another user id; nobody writes.
_MODES: Final = (0o444, 0o555)


@dataclass(frozen=True, slots=True)
class Placed:
    """A copy below its random name. ``publish`` gives it ``final``, the name that others use."""

    copy: Copy
    final: Path

    def publish(self) -> None:
        """Put the copy in the place of the one that was made here before, which goes away unless it is in use.

        Raises:
            UsageError: ``into-taken`` when something that was not made here stands there.
            UnavailableError: it cannot be written.
        """
        into = self.final.parent
        extra = self.final.with_name(self.final.name + ".configurations")
        with writer_lock(into / _STORE / "lock"):
            check_free(self.final, extra)
            if self.copy.configurations is not None:
                _link(extra, self.copy.configurations)
            _link(self.final, self.copy.model)
            if self.copy.configurations is None:
                with storage_errors(extra), contextlib.suppress(FileNotFoundError):
                    extra.unlink()
            sync_folder(into)
            _sweep(into)


@contextmanager
def placed_copy(
    path: Path,
    into: Path,
    name: str,
    configurations: tuple[Path, ...] = (),
    on_progress: Callable[[int, int], None] | None = None,
) -> Iterator[Placed]:
    """Copy a model while hashing it into the folder ``into``, under a name that nobody uses yet.

    Leaving without ``publish`` removes the copy. While this is held, another run leaves the copy alone.

    Raises:
        UsageError: ``into-missing``, ``into-taken``, or as the intake raises.
        InputError, UnavailableError: as the intake and the storage raise.
    """
    if not into.is_dir():
        raise UsageError(
            "into-missing",
            "there is no such folder to put the copy into",
            source=str(into),
            remedy="make it, or mount the volume there",
        )
    final = into / name
    check_free(final, into / f"{name}.configurations")
    store = into / _STORE
    if store.is_symlink():
        raise _taken(store)
    with storage_errors(store), contextlib.suppress(FileExistsError):
        store.mkdir()
        store.chmod(0o755)  # whatever the umask says: others must enter it
    with writer_lock(store / "lock"):
        _sweep(into)
    folder = store / (_PREFIX + secrets.token_hex(8))
    with storage_errors(folder):
        folder.mkdir(0o755)
        folder.chmod(0o755)
        lock = hold(folder)
    try:
        copy = copy_into(folder, path, configurations, on_progress, modes=_MODES, durable=True)
        sync_folder(folder)
        sync_folder(store)
        yield Placed(copy, final)
    finally:
        os.close(lock)
        if _target(final) != folder.name:
            _remove_unused(folder)


def check_free(*links: Path) -> None:
    """Refuse a name that is taken by what was not made here.

    Raises:
        UsageError: ``into-taken``.
    """
    for link in links:
        if os.path.lexists(link) and _target(link) is None:
            raise _taken(link)


def _taken(place: Path) -> UsageError:
    return UsageError(
        "into-taken",
        "something that this command did not make stands there; nothing was changed",
        source=str(place),
        remedy="move it away, or name another folder",
    )


def _target(link: Path) -> str | None:
    """The copy that a link of ours leads to; None for what is no link of ours."""
    try:
        match = _TARGET.fullmatch(str(link.readlink()))
    except OSError:
        return None
    return match[1] if match else None


def _link(link: Path, target: Path) -> None:
    temporary = link.parent / _STORE / f"link-{secrets.token_hex(8)}"
    with storage_errors(link):
        temporary.symlink_to(target.relative_to(link.parent))
        try:
            temporary.rename(link)
        except OSError:
            temporary.unlink()
            raise


def _sweep(into: Path) -> None:
    """Remove what killed runs have left: copies that no link leads to and nobody holds, and links never placed."""
    used = {_target(into / name) for name in os.listdir(into)}  # noqa: PTH208 - names are needed
    store = into / _STORE
    with contextlib.suppress(OSError):
        for name in os.listdir(store):  # noqa: PTH208
            if name.startswith(_PREFIX) and name not in used:
                _remove_unused(store / name)
            elif name.startswith("link-") and (store / name).is_symlink():
                (store / name).unlink()


def _remove_unused(folder: Path) -> None:
    sweep(folder.parent, folder.name)
