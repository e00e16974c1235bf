"""Run a program to its end, as if a shell had: its streams are its own, signals are passed on."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import UnavailableError, UsageError
from assaymark.recording.keeper import FORWARDED, fork_keeper

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A terminal sends these to the whole foreground group, the program included: passing them on would send them twice.
_FROM_TERMINAL: Final = (signal.SIGINT, signal.SIGQUIT)
NOT_ASKED: Final = "not asked for (--no-observe)"


@dataclass(frozen=True, slots=True)
class Seen:
    """The files that a program was seen to open: paths as it named them, made absolute.

    ``opened`` are the numbers of the declared places that it opened something of. ``more`` counts paths beyond the
    limit, ``unread`` calls whose path could not be read.
    """

    paths: tuple[str, ...]
    opened: frozenset[int]
    more: int
    unread: int


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended.

    ``code`` is its own exit code, 128 and the signal's number when one killed it (``killed``). Times in milliseconds,
    of the program and of what it waited for; ``max_rss`` in bytes, of the largest of these. ``seen`` is None when it
    was not observed, and ``unobserved`` says why. ``left`` is True when something that it forked went on.
    """

    code: int
    killed: bool
    user_milliseconds: int
    system_milliseconds: int
    max_rss: int
    seen: Seen | None
    unobserved: str
    left: bool


def find_program(word: str, environment: dict[str, str]) -> str:
    """The path of the program that a command's first word names.

    Raises:
        UsageError: ``command-missing``.
    """
    found = shutil.which(word, path=environment.get("PATH", os.defpath))
    if found is None:
        raise UsageError(
            "command-missing", "there is no such program to start", source=word, remedy="check PATH and the name"
        )
    return found


def run_program(
    program: str,
    words: Sequence[str],
    environment: dict[str, str],
    inside: Sequence[str] = (),
    *,
    observe: bool = True,
) -> Ran:
    """Run ``program`` as ``words``; must be called from the only thread.

    ``inside`` are real paths of files and folders of which only whether something was opened is of interest.

    Raises:
        UsageError: ``command-failed`` when it cannot be started.
        UnavailableError: ``record-keeper`` when the process that holds it was ended from outside.
    """
    observe = observe and sys.platform == "linux"
    with _noticing() as wake:
        places = [os.fsencode(place) for place in inside]
        pid, commands, reports = fork_keeper(program, list(words), environment, places, observe=observe)
        try:
            told = _listen(wake, commands, reports)
        finally:
            os.close(commands)
            os.close(reports)
    if not told.get("left"):
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    if "failed" in told:
        raise UsageError("command-failed", f"cannot be started: {os.strerror(told['failed'])}", source=words[0])
    if "ended" not in told:
        raise UnavailableError(
            "record-keeper",
            "the process that holds the program was ended from outside; nothing is claimed",
            remedy="find out who did, then start again",
        )
    return _ran(told, observe=observe)


def _ran(told: dict[str, Any], *, observe: bool) -> Ran:
    ended, seen, code = told["ended"], told["seen"], told["ended"]["code"]
    why = ""
    if seen is None:
        why = (
            _why(told["watch"])
            if observe
            else "this platform has no way to"
            if sys.platform != "linux"
            else NOT_ASKED
        )
    return Ran(
        code if code >= 0 else 128 - code,
        code < 0,
        ended["userMilliseconds"],
        ended["systemMilliseconds"],
        ended["maxRss"],
        None if seen is None else Seen(tuple(seen["paths"]), frozenset(seen["opened"]), seen["more"], seen["unread"]),
        why,
        bool(told["left"]),
    )


def _why(number: int) -> str:
    return f"the kernel refused the filter (seccomp user notification): {os.strerror(number)}"


def _listen(wake: int, commands: int, reports: int) -> dict[str, Any]:
    """All that the keeper reports, signals passed on meanwhile."""
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    poll.register(reports, select.POLLIN)
    heard = bytearray()
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == wake:
                _pass_on(wake, commands)
                continue
            data = os.read(reports, 1 << 16)
            if not data:
                told: dict[str, Any] = {}
                for line in heard.splitlines():
                    told |= json.loads(line)
                return told
            heard += data


def _pass_on(wake: int, commands: int) -> None:
    with contextlib.suppress(BlockingIOError, BrokenPipeError):
        numbers = bytes(number for number in os.read(wake, 512) if number in FORWARDED)
        if _in_foreground():
            numbers = bytes(number for number in numbers if number not in _FROM_TERMINAL)
        if numbers:
            os.write(commands, numbers)


def _in_foreground() -> bool:
    for descriptor in (0, 1, 2):
        with contextlib.suppress(OSError):
            return os.tcgetpgrp(descriptor) == os.getpgrp()
    return False


@contextlib.contextmanager
def _noticing() -> Iterator[int]:
    """A descriptor that signals for the program can be read from; those that the caller ignored stay ignored."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    before = {number: signal.getsignal(number) for number in FORWARDED}
    old = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, _nothing)
        yield read
    finally:
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(read)
        os.close(write)


def _nothing(_number: int, _frame: object) -> None:
    """A signal was noticed."""
