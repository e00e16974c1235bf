"""Attempts written down: counted, signed and spooled, so that a crash loses none and a flood fills no disk."""

from __future__ import annotations

import queue
import secrets
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.core.attempt import attempt_statement
from assaymark.core.errors import AssaymarkError, InputError
from assaymark.core.limits import ATTEMPT_MAX_NAME
from assaymark.core.words import counted
from assaymark.enforce.attempts import Attempts, due, note_attempt, read_attempts, unrecorded, write_attempts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assaymark.core.attempt import Attempt, AttemptKind
    from assaymark.store.spool import Spool

_WAITING: Final = 10_000  # attempts between two writes, in memory: a minute at more than a busy cluster's rate
_EVERY_SECONDS: Final = 1.0
# Recorded under one lock: a flood of kinds must not keep other writers of the spool waiting until they give up.
_AT_ONCE: Final = 100
_PAUSE_SECONDS: Final = 0.02


class Recorder:
    """Records attempts into a spool; ``sign`` makes the bytes of an envelope from a payload.

    What cannot be recorded is said in ``notes`` and stops nothing: a full disk must not keep a model from being
    stopped, and whether one may start is the decision's to say.
    """

    def __init__(self, spool: Spool, sign: Callable[[bytes], bytes]) -> None:
        self._spool = spool
        self._sign = sign
        self.notes: list[str] = []

    def record(self, kind: AttemptKind, now: int) -> None:
        """Count one attempt, and write the records that are due. Several processes may share the spool."""
        self.record_all((kind,), now)

    def record_all(self, kinds: Sequence[AttemptKind], now: int) -> None:
        """Count attempts with one write for all of them; without any, write the records that have become due."""
        try:
            with self._spool.locked():
                self._record(kinds, now)
        except AssaymarkError as error:
            what = "an attempt is" if len(kinds) == 1 else f"{len(kinds)} attempts are"
            self.notes.append(f"{what} not recorded: {error}")

    def _record(self, kinds: Sequence[AttemptKind], now: int) -> None:
        state, records = self._noted(kinds, now)
        full = False
        for record in records:
            try:
                # A full spool is not asked again for each of a flood: that would read its folder each time.
                full = full or not self._spool.add(self._sign(attempt_statement(record).payload))
                kept = not full
            except InputError:
                raise
            except AssaymarkError as error:
                self.notes.append(f"an attempt waits to be recorded: {error}")
                kept = False
            if not kept:
                state = unrecorded(state, record)
        if full:
            self.notes.append(
                f"the spool {self._spool.folder} is full:"
                f" {counted(state.waiting, 'attempt is', 'attempts are')} counted and not recorded;"
                " `assaymark log collect` empties it"
            )
        # After the records: what a crash in between leaves is counted twice and never lost.
        self._spool.write_tallies(write_attempts(state))

    def _noted(self, kinds: Sequence[AttemptKind], now: int) -> tuple[Attempts, tuple[Attempt, ...]]:
        if not kinds:
            return due(self._read(), now, _draw)
        state = self._read()
        records: tuple[Attempt, ...] = ()
        for kind in kinds:
            state, more = note_attempt(state, _within_bounds(kind), now, _draw)
            records += more
        return state, records

    def _read(self) -> Attempts:
        data = self._spool.tallies()
        if data is None:
            return Attempts()
        try:
            return read_attempts(data)
        except InputError as error:
            self.notes.append(f"what was counted before is lost: {error}")
            return Attempts()


def _within_bounds(kind: AttemptKind) -> AttemptKind:
    """The kind with the beginning of its subject's name: a statement may carry one that no record has room for."""
    subject = kind.subject
    if len(subject.name) <= ATTEMPT_MAX_NAME:
        return kind
    return replace(kind, subject=replace(subject, name=subject.name[:ATTEMPT_MAX_NAME]))


def _draw() -> str:
    return secrets.token_hex(16)


class RecordingThread:
    """Records attempts beside a server that must not wait for a disk: what it is told is written within a second.

    A crash loses that second. ``clock`` gives seconds since 1970; ``note`` gets what could not be recorded.
    """

    def __init__(self, recorder: Recorder, clock: Callable[[], int], note: Callable[[str], None]) -> None:
        self._recorder = recorder
        self._clock = clock
        self._note = note
        self._queue: queue.Queue[AttemptKind] = queue.Queue(_WAITING)
        self._lost = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="record", daemon=True)
        self._thread.start()

    def record(self, kind: AttemptKind) -> None:
        """Take one attempt, without waiting; one too many is counted as lost, and that is said."""
        try:
            self._queue.put_nowait(kind)
        except queue.Full:
            self._lost += 1

    def stop(self) -> None:
        """Write what was taken, and end."""
        self._stop.set()
        self._thread.join(2 * _EVERY_SECONDS + 5)

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_SECONDS):
            self._write_all()
        self._write_all()

    def _write_all(self) -> None:
        self._write()
        while not self._queue.empty():
            time.sleep(_PAUSE_SECONDS)  # so that whoever waits for the lock gets it
            self._write()

    def _write(self) -> None:
        kinds: list[AttemptKind] = []
        while len(kinds) < _AT_ONCE:
            try:
                kinds.append(self._queue.get_nowait())
            except queue.Empty:
                break
        try:
            if kinds or self._clock() % 10 == 0:  # what a quiet minute left becomes due
                self._recorder.record_all(kinds, self._clock())
        except Exception as error:  # noqa: BLE001 - the border of a background task; who is let in does not depend on it
            self._recorder.notes.append(
                f"{counted(len(kinds), 'attempt is', 'attempts are')} not recorded: {type(error).__name__}"
            )
        lost, self._lost = self._lost, 0
        if lost:
            self._recorder.notes.append(
                f"{counted(lost, 'attempt is', 'attempts are')} not recorded: they came too fast"
            )
        for line in dict.fromkeys(self._recorder.notes):
            self._note(line)
        self._recorder.notes.clear()
