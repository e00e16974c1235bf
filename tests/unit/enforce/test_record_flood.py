"""A flood of attempts keeps no other writer of the spool out, and a name of any length is recorded."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path

from assaymark.core.attempt import AttemptKind, parse_attempt
from assaymark.core.decision import Outcome
from assaymark.core.statement import parse_statement
from assaymark.core.subject import Subject
from assaymark.enforce.record import Recorder, RecordingThread
from assaymark.store.spool import Spool

NOW = 1_800_000_000


def kind(number: int, name: str = "m") -> AttemptKind:
    digest = "sha256:" + hashlib.sha256(str(number).encode()).hexdigest()
    return AttemptKind(Subject(name, digest), "production", "refuse", Outcome.DENY, ("approvals",), "admission")


def slow(payload: bytes) -> bytes:
    time.sleep(0.01)
    return payload


def test_another_writer_gets_its_turn_within_a_flood(tmp_path: Path) -> None:
    told: list[str] = []
    spool = Spool(tmp_path / "spool")
    thread = RecordingThread(Recorder(spool, slow), lambda: NOW, told.append)
    for number in range(250):
        thread.record(kind(number))
    other = Recorder(Spool(tmp_path / "spool"), lambda payload: payload)
    while not spool.names():
        time.sleep(0.01)
    began = time.monotonic()
    other.record(kind(1_000), NOW)
    waited = time.monotonic() - began
    assert other.notes == []
    assert len(spool.names()) < 250, "it had to wait for the whole flood"
    assert waited < 4
    stopper = threading.Thread(target=thread.stop)
    stopper.start()
    stopper.join(30)
    assert len(spool.names()) == 251
    assert told == []


def test_a_full_spool_counts_on(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", max_files=3)
    recorder = Recorder(spool, lambda payload: payload)
    recorder.record_all([kind(number) for number in range(50)], NOW)
    assert len(spool.names()) == 3
    assert len(recorder.notes) == 1
    assert "47 attempts are counted" in recorder.notes[0]


def test_a_name_that_no_record_has_room_for_is_cut(tmp_path: Path) -> None:
    """Otherwise whoever names a model so keeps its attempts out of the log."""
    spool = Spool(tmp_path / "spool")
    recorder = Recorder(spool, lambda payload: payload)
    recorder.record(kind(1, "x" * 70_000), NOW)
    (name,) = spool.names()
    statement = parse_statement(spool.read(name))
    assert parse_attempt(statement).kind == kind(1, "x" * 255)
