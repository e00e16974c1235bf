"""The guard: a small process between the launcher and the program, that leaves no process of the program behind.

    launcher --- commands ---> guard --- the program and all that it forks
             <--- reports ----

The launcher thinks, the guard holds. When the launcher goes away, by whatever end, its side of the pipe closes and
the guard kills all. When the guard is killed, the program is killed with it (PR_SET_PDEATHSIG) and what it forked
falls to the launcher, which kills it. One of the two suffices.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.enforce.processes import LINUX, adopt_orphans, death_pact, reap, signal_below

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Signals that reach the launcher and are meant for the program. What the caller ignored (nohup) stays ignored.
FORWARDED: Final = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
)
# A decision that ended while the launcher was kept from saying so (stopped, or starved) is enforced here.
_OVERDUE_SECONDS: Final = 0.5
_KILL_EVERY_SECONDS: Final = 0.01
_BROKEN: Final = 70  # EX_SOFTWARE of sysexits.h: the guard itself failed


@dataclass(frozen=True, slots=True)
class Guard:
    """The launcher's side: the guard's process, the pipe that commands it and the pipe that it reports on."""

    pid: int
    commands: int
    reports: int

    def forward(self, number: int) -> None:
        """Hand a signal to the program, if it still runs."""
        self._send(f"signal {int(number)}")

    def stop(self) -> None:
        """End the program and all that it forked: SIGTERM, and SIGKILL after the grace."""
        self._send("stop")

    def until(self, left: float) -> None:
        """End it so many seconds from now, unless something else is said before."""
        self._send(f"until {steady_clock() + left}")

    def _send(self, command: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self.commands, f"{command}\n".encode())


def steady_clock() -> float:
    """Seconds on the clock that nobody sets and that runs while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def start_guard(
    words: Sequence[str], environment: dict[str, str], *, grace: float, orphaned: Callable[[], None]
) -> Guard:
    """Fork the guard, which starts the program ``words``. This process must have one thread.

    ``grace`` is seconds from SIGTERM to SIGKILL; ``orphaned`` is called in the guard when the launcher went away and
    nothing of the program is left. Reports are lines of JSON: ``{"started": pid}`` or ``{"failed": errno}``, then
    ``{"ended": code}`` when the program ends by itself or by us, after ``{"overdue": true}`` when its time was over.
    """
    command_read, command_write = os.pipe()
    report_read, report_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = _BROKEN
        try:
            os.close(command_write)
            os.close(report_read)
            code = _Guarding(command_read, report_write, grace).run(words, environment, orphaned)
        except BaseException as error:  # noqa: BLE001 - nothing may unwind into the launcher's code
            with contextlib.suppress(OSError):
                os.write(2, f"the guard failed: {type(error).__name__}\n".encode())
        finally:
            os._exit(code)
    os.close(command_read)
    os.close(report_write)
    os.set_blocking(report_read, False)
    return Guard(pid, command_write, report_read)


class _Guarding:
    """The guard's loop: commands in, signals out, until no process is left."""

    def __init__(self, commands: int, reports: int, grace: float) -> None:
        self._commands = commands
        self._reports = reports
        self._grace = grace
        self._program = 0
        self._running = True
        self._until: float | None = None  # these two on the steady clock
        self._kill_at: float | None = None  # None until something ends the program
        self._abandoned = False
        self._heard = b""

    def run(self, words: Sequence[str], environment: dict[str, str], orphaned: Callable[[], None]) -> int:
        """Start the program and hold it; returns the guard's exit code."""
        adopt_orphans()
        wake = _wake_on_signals()
        os.setpgid(0, 0)  # what is sent to the launcher's group, by a terminal above all, is not for the guard
        try:
            self._start(words, environment)
        except OSError as error:
            self._report({"failed": error.errno or 0})
            return 0
        try:
            self._hold(wake)
        finally:
            if self._abandoned:
                orphaned()
        return 0

    def _start(self, words: Sequence[str], environment: dict[str, str]) -> None:
        bind, terminal = death_pact(), _at_terminal()

        def prepare() -> None:
            bind()
            if terminal:
                _take_terminal()

        program = subprocess.Popen(  # noqa: S603 - starting the caller's program is what this is for
            words,
            env=environment,
            process_group=0,
            close_fds=False,  # ours are closed on exec; what the caller opened for the program, a socket say, is its
            preexec_fn=prepare,  # noqa: PLW1509 - this process has one thread
        )
        self._program = program.pid
        program.returncode = 0  # this loop waits for it, and subprocess must not
        self._report({"started": program.pid})

    def _hold(self, wake: int) -> None:
        poll = select.poll()
        poll.register(self._commands, select.POLLIN | select.POLLHUP)
        poll.register(wake, select.POLLIN)
        left = True
        while left:
            for descriptor, _ in poll.poll(self._timeout()):
                if descriptor == wake:
                    with contextlib.suppress(BlockingIOError):
                        os.read(wake, 512)
                elif not self._obey():
                    poll.unregister(self._commands)
            ended, left = reap()
            for pid, code in ended:
                if pid == self._program:
                    self._running = False
                    self._report({"ended": code})
                    self._end(self._grace)  # a program that went on in the background ends as well
            self._mind_the_time()
            if left and self._kill_at is not None and steady_clock() >= self._kill_at:
                signal_below(os.getpid(), signal.SIGKILL, self._program)
        if not LINUX:  # orphans did not fall to us: the program's group is all that can be named
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._program, signal.SIGKILL)

    def _timeout(self) -> float | None:
        """Milliseconds to wait for something to happen; None for ever."""
        next_time = self._until if self._kill_at is None else self._kill_at
        return None if next_time is None else 1000 * max(next_time - steady_clock(), _KILL_EVERY_SECONDS)

    def _mind_the_time(self) -> None:
        if self._kill_at is None and self._until is not None and steady_clock() >= self._until:
            self._report({"overdue": True})
            self._end(self._grace)

    def _obey(self) -> bool:
        """Do what the launcher says; False when it went away."""
        data = os.read(self._commands, 4096)
        if not data:
            self._abandoned = True
            self._kill_at = steady_clock()
            return False
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            command, _, value = line.decode().partition(" ")
            if command == "stop":
                self._end(self._grace)
            elif command == "until":
                self._until = float(value) + _OVERDUE_SECONDS
            elif self._running:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(self._program, int(value))
        return True

    def _end(self, grace: float) -> None:
        """Ask everything below to end, once; what has not after ``grace`` seconds is killed."""
        if self._kill_at is not None:
            return
        self._kill_at = steady_clock() + grace
        for number in (signal.SIGTERM, signal.SIGCONT):  # a stopped process ends when it goes on
            signal_below(os.getpid(), number, self._program)

    def _report(self, report: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            os.write(self._reports, json.dumps(report).encode() + b"\n")


def _wake_on_signals() -> int:
    """A descriptor that can be read when a child ended. The signals themselves are the launcher's to judge.

    A handler is set rather than the signal ignored: what is ignored would be ignored by the program too.
    """
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in (*FORWARDED, signal.SIGCHLD, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        if number == signal.SIGCHLD or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _nothing)
    return read


def _nothing(_number: int, _frame: object) -> None:
    """A signal was noticed."""


def _at_terminal() -> bool:
    """Whether stdin is a terminal that talks to the launcher's process group now."""
    try:
        return os.tcgetpgrp(0) == os.getpgid(os.getppid())
    except OSError:
        return False


def _take_terminal() -> None:
    """In the program, before it is one: what is typed is for its process group."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])  # sent to who takes it from behind
    with contextlib.suppress(OSError):
        os.tcsetpgrp(0, os.getpgrp())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTTOU])
