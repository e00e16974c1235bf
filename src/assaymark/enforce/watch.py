"""What is looked at while a program runs on a copy: the copy, its source, the log or dossier, and the decision.

Two threads: one looks every half second at inodes and asks for the decision, one reads the copy again. They only
tell; the launcher's own thread decides, so a file system that hangs keeps no ended decision alive.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import Outcome, Reason
from assaymark.core.errors import AssaymarkError, UnavailableError
from assaymark.core.limits import WATCH_MAX_REHASH_BYTES
from assaymark.enforce.ruling import Ruling
from assaymark.store.fingerprint import (
    Stamp,
    bytes_in,
    changed,
    file_fingerprint,
    model_fingerprint,
    tree_fingerprint,
)
from assaymark.store.intake import take_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assaymark.store.private_copy import Copy

    Tell = Callable[[Ruling | Exception], None]

TICK_SECONDS: Final = 0.5
# A look that takes long, at a hundred thousand files, is made less often, but so that 2 s still hold.
_SLOWEST_TICK_SECONDS: Final = 0.8
_TICK_SHARE: Final = 4
# Reading again takes at most a tenth of the time, or a large model would cost its server a core.
_HASH_SHARE: Final = 9
# A decision takes some milliseconds; a thread that is still at it when the process ends could be cut off in SQLite.
_LAST_LOOK_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Watched:
    """What to look at. ``source`` is None when it is not watched; ``evidence`` is a checkpoint or a dossier file.

    ``decide`` asks for the decision anew and raises nothing of ours; ``interval`` in seconds. ``until`` is when the
    first decision ends, in seconds since 1970.
    """

    copy: Copy
    source: Path | None
    configurations: tuple[Path, ...]
    evidence: tuple[Path, ...]
    decide: Callable[[], Ruling]
    interval: float
    until: int = 0


class Watch:
    """Make one before the copy is made: it remembers the source as it was then. ``start`` begins to look."""

    def __init__(self, source: Path | None, configurations: tuple[Path, ...], evidence: tuple[Path, ...]) -> None:
        self._source = model_fingerprint(source, configurations) if source is not None else {}
        self._evidence = [file_fingerprint(file) for file in evidence]
        self._copy: dict[str, Stamp] = {}
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def copied(self, copy: Copy) -> None:
        """Remember the copy as it is now, before anything is decided about it."""
        self._copy = tree_fingerprint(copy.folder)

    def start(self, watched: Watched, tell: Tell) -> None:
        """Look from now on; ``tell`` gets every answer, and an error of ours that ends the looking."""
        for name, work in (("look", self._look), ("read", self._read)):
            thread = threading.Thread(target=self._guarded, args=(work, watched, tell), name=f"watch-{name}")
            thread.daemon = True  # one that hangs in a file system must not keep the launcher
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Begin no further look, and wait for the one that is under way; not for one that hangs."""
        self._stop.set()
        for thread in self._threads:
            thread.join(_LAST_LOOK_SECONDS)

    def _guarded(self, work: Callable[[Watched, Tell], None], watched: Watched, tell: Tell) -> None:
        try:
            work(watched, tell)
        except Exception as error:  # noqa: BLE001 - handed to the launcher's thread, which stops the program
            tell(error)

    def _look(self, watched: Watched, tell: Tell) -> None:
        ask_at = time.monotonic() + _until_asked(watched.until, watched.interval)
        pause = 0.0  # what happened since the copy was made is seen at once
        while not self._stop.wait(pause):
            began = time.monotonic()
            found = self.look_at_copy(watched) or self._look_at_source(watched)
            if found is not None:
                tell(found)
            if self._evidence_moved(watched) or began >= ask_at:
                answer = watched.decide()
                tell(answer)
                ask_at = began + _until_asked(answer.valid_until, watched.interval)
            pause = max(TICK_SECONDS, min(_TICK_SHARE * (time.monotonic() - began), _SLOWEST_TICK_SECONDS))

    def look_at_copy(self, watched: Watched) -> Ruling | None:
        """A DENY when anything in the copy's folder was written, added, removed or given another name or mode.

        Nobody has any business there, so nothing is read again to see whether it was a harmless change.
        """
        try:
            places = changed(self._copy, tree_fingerprint(watched.copy.folder))
        except UnavailableError:
            places = [str(watched.copy.folder)]
        if not places:
            return None
        return _refused("copy-changed", f"the private copy was changed while it was in use: {_first(places)}")

    def _look_at_source(self, watched: Watched) -> Ruling | None:
        if watched.source is None:
            return None
        try:
            now = model_fingerprint(watched.source, watched.configurations)
        except UnavailableError as error:
            return Ruling(Outcome.INDETERMINATE, (Reason(error.code, Outcome.INDETERMINATE, str(error)),))
        except AssaymarkError as error:
            return _refused("source-changed", f"the model is no more what was copied: {error}")
        places = changed(self._source, now)
        if not places:
            return None
        if now.keys() != self._source.keys() or bytes_in(places, now) > WATCH_MAX_REHASH_BYTES:
            return _refused("source-changed", f"the model was changed: {_first(places)}")
        try:
            same = all(_same_bytes(place, watched.source, watched) for place in places)
        except AssaymarkError as error:
            return _refused("source-changed", f"the model was changed: {error}")
        if not same:
            return _refused("source-changed", f"the model was changed: {_first(places)}")
        self._source = now  # written anew with the same bytes
        return None

    def _evidence_moved(self, watched: Watched) -> bool:
        now = [file_fingerprint(file) for file in watched.evidence]
        moved = now != self._evidence
        self._evidence = now
        return moved

    def _read(self, watched: Watched, tell: Tell) -> None:
        pause = watched.interval
        while not self._stop.wait(pause):
            began = time.monotonic()
            tell_wrong = self.read_copy(watched)
            if tell_wrong is not None:
                tell(tell_wrong)
            pause = max(watched.interval, _HASH_SHARE * (time.monotonic() - began))

    def read_copy(self, watched: Watched) -> Ruling | None:
        """A DENY when the bytes of the copy are others than were verified."""
        copy = watched.copy
        try:
            found = take_manifest(copy.model, configurations=copy.configuration_files, workers=1).manifest.digest
        except AssaymarkError as error:
            return _refused("copy-changed", f"the private copy cannot be read any more: {error}")
        if found == copy.manifest.digest:
            return None
        return _refused("copy-changed", f"the private copy has the digest {found} now")


def _until_asked(valid_until: int, interval: float) -> float:
    """Seconds until a decision is asked for again: half the time that it has left, if that is before the interval."""
    return max(TICK_SECONDS, min(interval, (valid_until - time.time()) / 2))


def _same_bytes(place: str, source: Path, watched: Watched) -> bool:
    """Whether one file of the source still holds what was copied from there."""
    group, _, path = place.partition("/")
    manifest = watched.copy.manifest
    if group == "configuration":
        entries, file = manifest.configurations, next(f for f in watched.configurations if f.name == path)
    else:
        entries, file = manifest.files, source if manifest.kind == "file" else source / path
    found = take_manifest(file, workers=1).manifest.files[0]
    return any((entry.path, entry.digest) == (path, found.digest) for entry in entries)


def _refused(requirement: str, message: str) -> Ruling:
    remedy = "find out who writes to it, then start again"
    return Ruling(Outcome.DENY, (Reason(requirement, Outcome.DENY, message, remedy),))


def _first(places: list[str]) -> str:
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{places[0] or 'its folder'}{more}"
