"""The processes below this one: found, signalled and counted, daemons and their like included.

On Linux this process is made the one that orphans fall to (PR_SET_CHILD_SUBREAPER, prctl(2)), so whatever a program
forks, however it hides, stays below it; and when it has no child left, nothing is left. Elsewhere the program's
process group is all that can be named.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

LINUX: Final = sys.platform == "linux"
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_PROC: Final = Path("/proc")

# A process id and the time that it started, which together name one process for good.
Process = tuple[int, int]


def adopt_orphans() -> bool:
    """Let descendants whose parent died fall to this process; whether the platform can."""
    return LINUX and ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def death_pact() -> Callable[[], None]:
    """What a child calls before it becomes another program, to be killed when this process dies."""
    if not LINUX:
        return lambda: None
    libc = ctypes.CDLL(None, use_errno=True)  # loaded here: a child of fork should load nothing
    parent = os.getpid()

    def bind() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return bind


def descendants(root: int, spared: Collection[Process] = ()) -> list[Process]:
    """The processes below ``root``, but ``spared`` ones and what is below those. Empty where there is no /proc."""
    children: dict[int, list[Process]] = {}
    for name in _process_names():
        status = _status(name)
        if status is not None:
            parent, started = status
            children.setdefault(parent, []).append((int(name), started))
    found: list[Process] = []
    pending = [root]
    while pending:
        below = [process for process in children.pop(pending.pop(), []) if process not in spared]
        found += below
        pending += [pid for pid, _ in below]
    return found


def _process_names() -> list[str]:
    try:
        return [name for name in os.listdir(_PROC) if name.isdecimal()]  # noqa: PTH208 - names are needed
    except OSError:
        return []


def _status(name: str) -> tuple[int, int] | None:
    """Parent and start time of a process (proc_pid_stat(5)); its name may hold anything, parentheses too."""
    try:
        fields = (_PROC / name / "stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[1]), int(fields[19])
    except (OSError, IndexError, ValueError):
        return None


def signal_below(root: int, number: int, group: int) -> None:
    """Send a signal to every process below ``root``, or to the process group where those cannot be listed."""
    below = descendants(root)
    signal_each(below, number)
    if not below:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def signal_each(processes: Iterable[Process], number: int) -> None:
    """Send a signal to processes; those that ended, or that another user's rights protect, are passed over."""
    for pid, started in processes:
        _signal_one(pid, started, number)


def _signal_one(pid: int, started: int, number: int) -> None:
    """Signal just that process, not one that got its id since."""
    try:
        descriptor = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
    except ProcessLookupError:
        return
    except OSError:  # a kernel before 5.3
        descriptor = -1
    try:
        status = _status(str(pid))
        if status is None or status[1] != started:
            return
        if descriptor >= 0:
            signal.pidfd_send_signal(descriptor, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def reap() -> tuple[list[tuple[int, int]], bool]:
    """The children that ended, with their exit codes (negative: the signal); and whether any child is left."""
    ended: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended, False
        if pid == 0:
            return ended, True
        ended.append((pid, os.waitstatus_to_exitcode(status)))
