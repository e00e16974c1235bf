"""Run a program on a verified copy for as long as the decision stands."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from assaymark.core.decision import Outcome, Reason
from assaymark.core.errors import InternalError, UsageError
from assaymark.enforce.guard import FORWARDED, Guard, start_guard, steady_clock
from assaymark.enforce.processes import adopt_orphans, descendants, reap, signal_each
from assaymark.enforce.ruling import Ruling, Standing, begin, hear, look, seconds_left
from assaymark.store.private_copy import remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from assaymark.enforce.processes import Process
    from assaymark.enforce.watch import Watch, Watched

# How often the clocks are looked at when nothing else happens.
_TICK_SECONDS: Final = 0.5
_KILL_EVERY_SECONDS: Final = 0.01
# A guard that has not ended its program so long after the grace is given up, and the launcher kills.
_PATIENCE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clock on the wall, which people set, and one that nobody sets and that runs while the machine sleeps."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = steady_clock


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended: ``code`` is the program's own exit code, 128 and the signal's number when one killed it.

    ``stopped`` is the ruling that the program was stopped for, None when it ended by itself. ``renewals`` counts the
    decisions that followed the first.
    """

    code: int
    stopped: Ruling | None
    renewals: int


def launch(
    words: Sequence[str],
    environment: dict[str, str],
    first: Ruling,
    watch: Watch,
    watched: Watched,
    *,
    grace: float,
    clocks: Clocks,
    on_note: Callable[[str], None],
    leave: Path | None = None,
) -> Ended:
    """Start ``words`` and hold it to the decision ``first`` and to what ``watch`` tells of it.

    ``leave`` is a folder that is removed even if this process is killed. Must be called from the only thread.

    Raises:
        UsageError: ``command-failed`` when the program cannot be started.
        InternalError: ``run-watch``: something of ours failed, and the program was stopped for it.
    """
    standing = begin(first, clocks.wall(), clocks.steady())
    if isinstance(standing, Ruling):
        return Ended(0, standing, 0)
    spared = descendants(os.getpid())  # what a shell started before it became this process
    adopt_orphans()  # what the guard leaves when somebody kills it
    with _noticing() as notices:
        guard = start_guard(
            words, environment, grace=grace, orphaned=lambda: remove_tree(leave) if leave is not None else None
        )
        running = _Running(guard, standing, notices, clocks, grace, on_note)
        try:
            watch.start(watched, notices.tell)
            return running.until_the_end(" ".join(words[:1]))
        finally:
            watch.stop()
            running.leave_nothing(spared)
            _take_terminal_back()


class _Notices:
    """What this thread is woken for: signals, and what the watching threads tell. One pipe carries the waking."""

    def __init__(self, wake: int, waker: int) -> None:
        self.wake = wake
        self._waker = waker
        self._telling = threading.Lock()
        self._open = True
        self._told: deque[Ruling | Exception] = deque()

    def tell(self, news: Ruling | Exception) -> None:
        """From a watching thread."""
        self._told.append(news)
        # The number of a closed pipe is soon another file's, and the byte would be written into that.
        with self._telling, contextlib.suppress(OSError):
            if self._open:
                os.write(self._waker, b"\0")

    def close(self) -> None:
        """Nobody is woken from here on."""
        with self._telling:
            self._open = False

    def told(self) -> Iterator[Ruling | Exception]:
        """What was told since."""
        while self._told:
            yield self._told.popleft()

    def signals(self) -> list[int]:
        """The signals that came since."""
        with contextlib.suppress(BlockingIOError):
            return [number for number in os.read(self.wake, 4096) if number]
        return []


@contextlib.contextmanager
def _noticing() -> Iterator[_Notices]:
    """Signals that are meant for the program become notices; those that the caller ignored stay ignored."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    notices = _Notices(read, write)
    before = {number: signal.getsignal(number) for number in (*FORWARDED, signal.SIGCHLD)}
    old = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN or number == signal.SIGCHLD:
                signal.signal(number, _nothing)
        yield notices
    finally:
        notices.close()
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(read)
        os.close(write)


def _nothing(_number: int, _frame: object) -> None:
    """A signal was noticed."""


class _Running:
    """The launcher's loop: time, signals, what is told and what the guard reports."""

    def __init__(
        self,
        guard: Guard,
        standing: Standing,
        notices: _Notices,
        clocks: Clocks,
        grace: float,
        on_note: Callable[[str], None],
    ) -> None:
        self._guard = guard
        self._guarded = True
        self._reports = b""
        self._standing = standing
        self._notices = notices
        self._clocks = clocks
        self._grace = grace
        self._note = on_note
        self._stopped: Ruling | None = None
        self._stop_at = 0.0
        self._code: int | None = None
        self._ended_well = False
        self._failed: int | None = None
        self._wrong: Exception | None = None

    def until_the_end(self, program: str) -> Ended:
        """Hold the program until nothing of it is left."""
        self._tell_end()
        poll = select.poll()
        poll.register(self._notices.wake, select.POLLIN)
        poll.register(self._guard.reports, select.POLLIN)
        while self._guarded:
            for descriptor, _ in poll.poll(self._timeout()):
                if descriptor == self._guard.reports and not self._hear_guard():
                    poll.unregister(descriptor)
            for number in self._notices.signals():
                if number in FORWARDED:
                    self._guard.forward(number)
            self._reap()
            self._judge()
        if self._failed is not None:
            raise UsageError("command-failed", f"cannot be started: {os.strerror(self._failed)}", source=program)
        if self._wrong is not None:
            raise InternalError("run-watch", f"watching failed ({type(self._wrong).__name__}), so it was stopped")
        code = self._code if self._code is not None else -signal.SIGKILL
        return Ended(code if code >= 0 else 128 - code, self._stopped, self._standing.renewals)

    def _timeout(self) -> float:
        wait = _TICK_SECONDS
        if self._stopped is None:
            wait = min(wait, seconds_left(self._standing, *self._now()) + 0.001)
        return 1000 * wait

    def _hear_guard(self) -> bool:
        """Read the guard's reports; False at their end."""
        try:
            data = os.read(self._guard.reports, 4096)
        except BlockingIOError:
            return True
        *lines, self._reports = (self._reports + data).split(b"\n")
        for line in lines:
            report = json.loads(line)
            self._failed = report.get("failed", self._failed)
            self._code = report.get("ended", self._code)
            if "overdue" in report and self._stopped is None:
                self._stopped = look(replace(self._standing, ends=0.0), *self._now())  # type: ignore[assignment]
        return bool(data)

    def _reap(self) -> None:
        code = dict(reap()[0]).get(self._guard.pid)  # as a container's first process we get other orphans too
        if code is None:
            return
        self._guarded = False
        os.set_blocking(self._guard.reports, True)
        while self._hear_guard():  # nobody else has the other end of the pipe
            pass
        self._ended_well = code == 0
        if not self._ended_well and self._stopped is None:
            message = "the process that holds the program was ended from outside, so the program was killed"
            reason = Reason("run-guard", Outcome.INDETERMINATE, message, "find out who did, then start again")
            self._stopped = Ruling(Outcome.INDETERMINATE, (reason,))

    def _now(self) -> tuple[float, float]:
        return self._clocks.wall(), self._clocks.steady()

    def _tell_end(self) -> None:
        self._guard.until(seconds_left(self._standing, *self._now()))

    def _judge(self) -> None:
        """Take in what was told, and whether the decision still stands."""
        wall, steady = self._now()
        for news in self._notices.told():
            if isinstance(news, Exception):
                self._wrong = news
                self._stop(Ruling(Outcome.INDETERMINATE, ()))
            elif self._undecided:
                self._take(hear(self._standing, news, wall, steady))
        if self._undecided:
            self._take(look(self._standing, wall, steady))
        elif (
            self._stopped is not None
            and self._guarded
            and time.monotonic() > self._stop_at + self._grace + _PATIENCE_SECONDS
        ):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._guard.pid, signal.SIGKILL)  # stopped or stuck; what it held falls to us

    @property
    def _undecided(self) -> bool:
        """Whether the program runs, and nothing ends it yet."""
        return self._stopped is None and self._code is None and self._guarded

    def _take(self, after: Standing | Ruling) -> None:
        if isinstance(after, Ruling):
            self._stop(after)
            return
        if after.silence and not self._standing.silence:
            self._note(f"no answer, so the last decision stands until it ends: {after.silence[0].message}")
        renewed = after.renewals != self._standing.renewals
        self._standing = after
        if renewed:
            self._tell_end()

    def _stop(self, ruling: Ruling) -> None:
        if self._stopped is None and self._guarded:
            self._stopped = ruling
            self._stop_at = time.monotonic()
            self._guard.stop()

    def leave_nothing(self, spared: list[Process]) -> None:
        """Kill what is left when the guard did not see to it, and close the pipes; ``spared`` was there before."""
        os.close(self._guard.commands)  # a guard that still runs kills all now
        os.close(self._guard.reports)
        if self._ended_well:
            return
        if self._guarded:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._guard.pid, 0)
        while left := descendants(os.getpid(), spared):
            signal_each(left, signal.SIGKILL)
            time.sleep(_KILL_EVERY_SECONDS)
            reap()


def _take_terminal_back() -> None:
    """The terminal talked to the program's group; that is gone."""
    with contextlib.suppress(OSError):
        group = os.tcgetpgrp(0)
        if group != os.getpgrp():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
            os.tcsetpgrp(0, os.getpgrp())
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTTOU])
