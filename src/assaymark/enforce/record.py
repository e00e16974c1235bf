"""Attempts written down: counted, signed and spooled, so that a crash loses none and a flood fills no disk."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from assaymark.core.attempt import attempt_statement
from assaymark.core.errors import AssaymarkError, InputError
from assaymark.enforce.attempts import Attempts, note_attempt, read_attempts, unrecorded, write_attempts

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.attempt import AttemptKind
    from assaymark.store.spool import Spool


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
        try:
            with self._spool.locked():
                self._record(kind, now)
        except AssaymarkError as error:
            self.notes.append(f"an attempt is not recorded: {error}")

    def _record(self, kind: AttemptKind, now: int) -> None:
        state, records = note_attempt(self._read(), kind, now, lambda: secrets.token_hex(16))
        full = False
        for record in records:
            try:
                full = not self._spool.add(self._sign(attempt_statement(record).payload))
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
                f"the spool {self._spool.folder} is full: {state.waiting} attempts are counted and not recorded;"
                " `assaymark log collect` empties it"
            )
        # After the records: what a crash in between leaves is counted twice and never lost.
        self._spool.write_tallies(write_attempts(state))

    def _read(self) -> Attempts:
        data = self._spool.tallies()
        if data is None:
            return Attempts()
        try:
            return read_attempts(data)
        except InputError as error:
            self.notes.append(f"what was counted before is lost: {error}")
            return Attempts()
