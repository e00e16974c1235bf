"""The keeper: a small process between us and the program, which answers for each file that the program opens.

    us ----- signals -----> keeper --- the program and all that it forks
       <---- reports -----

It is a process of its own so that the program outlives us: when we are killed, the keeper goes on to answer, and the
program ends as it would have; only nobody records it. The program stays in our process group, so a terminal's Ctrl-C
reaches it as if it had been started by a shell.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from assaymark.recording.filter import install_listener
from assaymark.recording.observer import Observer

if TYPE_CHECKING:
    import resource
    from collections.abc import Sequence

# Signals that reach us and are meant for the program. What the caller ignored (nohup) stays ignored.
FORWARDED: Final = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
LINUX: Final = sys.platform == "linux"
_PR_SET_CHILD_SUBREAPER: Final = 36
# How long what a program forked may go on after it: helpers of a pool end within a second.
_GRACE_SECONDS: Final = 3.0
_TICK_MILLISECONDS: Final = 20
_BROKEN: Final = 70  # EX_SOFTWARE of sysexits.h: the keeper itself failed
_NOT_STARTED: Final = 127
_RESTORED: Final = ("SIGPIPE", "SIGXFSZ")  # what Python ignores, and other programs do not expect


def keep(
    program: str,
    words: Sequence[str],
    environment: dict[str, str],
    inside: Sequence[bytes],
    pipes: tuple[int, int],
    *,
    observe: bool,
) -> int:
    """Run a program in a fork of the keeper until it and what it forked has ended; returns the keeper's exit code.

    ``pipes`` are for signals to read (one byte each) and for reports to write: lines of JSON, ``{"watch": errno}``
    (0 when it is observed), then ``{"failed": errno}`` or ``{"ended": ...}``.
    """
    commands, reports = pipes
    wake = _wake_on_children()
    if LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    failure_read, failure_write = os.pipe()
    child = os.fork()
    if child == 0:
        _become(program, words, environment, theirs if observe else None, failure_write)
    theirs.close()
    os.close(failure_write)
    os.setpgid(0, 0)  # what a terminal sends to the program's group is not for the keeper
    listener = _listener(ours) if observe else -errno.EOPNOTSUPP
    _report(reports, {"watch": -listener if listener < 0 else 0})
    observer = Observer(listener, inside) if listener >= 0 else None
    _Keeping(child, observer, commands, reports, failure_read).hold(wake)
    return 0


def _become(
    program: str, words: Sequence[str], environment: dict[str, str], channel: socket.socket | None, failure: int
) -> None:
    """In the child: install the filter, hand its listener over, and become the program. Never returns."""
    try:
        for name in _RESTORED:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
        if channel is not None:
            listener = install_listener(ctypes.CDLL(None, use_errno=True))
            if listener >= 0:
                socket.send_fds(channel, [b"+"], [listener])
                os.close(listener)
            else:
                channel.send(str(listener).encode())
        os.execve(program, list(words), environment)  # noqa: S606 - what this is for
    except OSError as error:
        os.write(failure, str(error.errno or 0).encode())
    finally:
        os._exit(_NOT_STARTED)


def _listener(channel: socket.socket) -> int:
    """The listener that the child sends, or minus the number of its error."""
    with channel:
        data, descriptors, _, _ = socket.recv_fds(channel, 16, 1)
    if descriptors:
        return descriptors[0]
    return int(data) if data else -errno.EPIPE


class _Keeping:
    """The keeper's loop: calls are answered, signals handed on, ends reported."""

    def __init__(self, child: int, observer: Observer | None, commands: int, reports: int, failure: int) -> None:
        self._child = child
        self._observer = observer
        self._commands = commands
        self._reports = reports
        self._failure = failure
        self._failed: int | None = None
        self._status: tuple[int, resource.struct_rusage] | None = None
        self._give_up = 0.0  # when what is left is said to be left, on the monotonic clock
        self._told = False

    def hold(self, wake: int) -> None:
        """Until no process is left; what ended is told once, at the latest after the grace."""
        poll = select.poll()
        for descriptor in (wake, self._commands, self._failure):
            poll.register(descriptor, select.POLLIN)
        if self._observer is not None:
            poll.register(self._observer.listener, select.POLLIN)
        left = True
        while left:
            timeout = _TICK_MILLISECONDS if self._status is not None and not self._told else None
            for descriptor, event in poll.poll(timeout):
                if self._observer is not None and descriptor == self._observer.listener:
                    if not self._observer.answer(event):
                        poll.unregister(descriptor)
                elif descriptor == wake:
                    with contextlib.suppress(BlockingIOError):
                        os.read(wake, 512)
                    left = self._reap()
                elif descriptor == self._commands:
                    if not self._forward():
                        poll.unregister(descriptor)
                else:
                    data = os.read(descriptor, 16)
                    self._failed = int(data) if data else None
                    poll.unregister(descriptor)
            if self._status is not None and not self._told and (not left or time.monotonic() >= self._give_up):
                self._tell(left=left)

    def _reap(self) -> bool:
        """Take in the children that ended, orphans that fell to us among them; False when none is left."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._child:
                self._status = (os.waitstatus_to_exitcode(status), usage)
                self._give_up = time.monotonic() + _GRACE_SECONDS

    def _forward(self) -> bool:
        """Hand on the signals that came; False when we who send them went away."""
        numbers = os.read(self._commands, 64)
        for number in numbers:
            if self._status is None:  # not waited for yet, so the id is still the program's
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(self._child, number)
        return bool(numbers)

    def _tell(self, *, left: bool) -> None:
        self._told = True
        if self._failed is not None:
            _report(self._reports, {"failed": self._failed})
        elif self._status is not None:
            code, usage = self._status
            _report(self._reports, {"ended": _ended(code, usage), "left": left, "seen": _seen(self._observer)})
        os.close(self._reports)


def _ended(code: int, usage: resource.struct_rusage) -> dict[str, int]:
    kib = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KiB elsewhere
    return {
        "code": code,
        "maxRss": usage.ru_maxrss * kib,
        "systemMilliseconds": round(1000 * usage.ru_stime),
        "userMilliseconds": round(1000 * usage.ru_utime),
    }


def _seen(observer: Observer | None) -> dict[str, Any] | None:
    if observer is None:
        return None
    return {
        "more": observer.more,
        "opened": sorted(observer.opened),
        "paths": [os.fsdecode(path) for path in observer.paths],
        "unread": observer.unread,
    }


def _wake_on_children() -> int:
    """A descriptor that can be read when a child ended. Other signals are not the keeper's.

    A handler is set rather than a signal ignored: what is ignored would be ignored by the program too.
    """
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in (*FORWARDED, signal.SIGCHLD):
        if number == signal.SIGCHLD or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _nothing)
    return read


def _nothing(_number: int, _frame: object) -> None:
    """A signal was noticed."""


def _report(reports: int, report: dict[str, Any]) -> None:
    data = json.dumps(report).encode() + b"\n"
    with contextlib.suppress(OSError):  # nobody listens any more
        while data:
            data = data[os.write(reports, data) :]


def fork_keeper(
    program: str, words: Sequence[str], environment: dict[str, str], inside: Sequence[bytes], *, observe: bool
) -> tuple[int, int, int]:
    """Fork the keeper, which starts the program; its process, the pipe for signals and the pipe of reports.

    This process must have one thread.
    """
    command_read, command_write = os.pipe()
    report_read, report_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = _BROKEN
        try:
            os.close(command_write)
            os.close(report_read)
            code = keep(program, words, environment, inside, (command_read, report_write), observe=observe)
        except BaseException as error:  # noqa: BLE001 - nothing may unwind into the caller's code
            with contextlib.suppress(OSError):
                os.write(2, f"the keeper failed: {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)
    os.close(command_read)
    os.close(report_write)
    return pid, command_write, report_read
