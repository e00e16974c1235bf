"""What wakes the launcher, and what must not happen to a file that got the number of its closed pipe."""

from __future__ import annotations

import os
from pathlib import Path

from assaymark.core.decision import Outcome
from assaymark.enforce.launch import _noticing
from assaymark.enforce.ruling import Ruling


def test_a_thread_that_tells_after_the_end_writes_into_no_other_file(tmp_path: Path) -> None:
    with _noticing() as notices:
        waker = notices._waker
    files = [os.open(tmp_path / f"record-{n}", os.O_WRONLY | os.O_CREAT, 0o600) for n in range(4)]
    assert waker in files, "a new file gets the number of the pipe that was closed"
    notices.tell(Ruling(Outcome.PERMIT, ()))
    for descriptor in files:
        os.close(descriptor)
    assert [path.read_bytes() for path in sorted(tmp_path.glob("record-*"))] == [b""] * 4


def test_what_is_told_wakes_and_is_heard_in_order() -> None:
    with _noticing() as notices:
        for outcome in (Outcome.PERMIT, Outcome.DENY):
            notices.tell(Ruling(outcome, ()))
        assert os.read(notices.wake, 10) == b"\0\0"
        assert [news.outcome for news in notices.told() if isinstance(news, Ruling)] == [Outcome.PERMIT, Outcome.DENY]
