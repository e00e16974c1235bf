"""Where a log may lie: the list of media, and which of them is in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError, UsageError
from assaymark.store.log_folder import CHECKPOINT, FolderMedium, no_log

if TYPE_CHECKING:
    from pathlib import Path

    from assaymark.store.ports import LogMedium

FOLDER: Final = "folder"
SQLITE: Final = "sqlite"
STORES: Final = (SQLITE, FOLDER)
DEFAULT_STORE: Final = SQLITE
_MARKS: Final = {SQLITE: "log.sqlite", FOLDER: CHECKPOINT}


def new_medium(folder: Path, store: str) -> LogMedium:
    """The medium of a log that is to be made in ``folder``.

    Raises:
        UsageError: ``store-unknown``, or ``path-exists`` when another medium has a log there.
    """
    if store not in STORES:
        raise UsageError("store-unknown", f"there is no store {store!r}", remedy="one of: " + ", ".join(STORES))
    for other, mark in _MARKS.items():
        if other != store and (folder / mark).exists():
            raise UsageError("path-exists", "already exists and is not overwritten", source=str(folder / mark))
    return _medium(folder, store, read_only=False)


def find_medium(folder: Path, *, read_only: bool) -> LogMedium:
    """The medium of the log that is in ``folder``.

    Raises:
        InputError: ``log-missing``; ``log-damaged`` when two logs lie there, for one of them is the wrong one.
    """
    found = [store for store, mark in _MARKS.items() if (folder / mark).exists()]
    if not found:
        raise no_log(folder)
    if len(found) > 1:
        raise InputError(
            "log-damaged",
            "two logs lie here, " + " and ".join(_MARKS.values()),
            source=str(folder),
            remedy="find out who put the second one here, and move it away",
        )
    return _medium(folder, found[0], read_only=read_only)


def _medium(folder: Path, store: str, *, read_only: bool) -> LogMedium:
    if store == FOLDER:
        return FolderMedium(folder)
    from assaymark.store.log_sqlite import SqliteMedium

    return SqliteMedium(folder, read_only=read_only)
