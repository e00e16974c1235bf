"""The first life of a confined foreign program: gives up what the program must not have, says what held, becomes it.

Started as a fresh interpreter by ``program.run_program``. What is executed keeps the limits, the Landlock domain and
the filter; the line that says what held is written before the program begins, so the program cannot change it.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from typing import Any, Final, NoReturn

from assaymark.sandbox.landlock import landlock_version, restrict_to
from assaymark.sandbox.refusals import install_refusals

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_SIGKILL: Final = 9
_SCOPED_SIGNALS: Final = 6  # the Landlock ABI from which a signal does not leave the domain
CANNOT_START: Final = 126  # as shells say it


def main(request: int, sink: int) -> NoReturn:
    """Confine this process as the JSON in ``request`` says, write what holds to ``sink``, execute the program.

    Both are descriptors, and neither stays open in the program.
    """
    try:
        with os.fdopen(request, "rb") as stream:
            wanted: dict[str, Any] = json.loads(stream.read())
        held = _confine(wanted)
        os.write(sink, json.dumps(held).encode())
        os.set_inheritable(sink, False)
        os.execve(wanted["command"][0], wanted["command"], wanted["environment"])  # noqa: S606 - no shell
    except (OSError, ValueError, KeyError) as error:  # the parent reads why on standard error
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(CANNOT_START)


def _confine(wanted: dict[str, Any]) -> list[str]:
    held = {"output", "time"}  # by the parent, who stops reading and kills the whole group
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, wanted["file_bytes"])
    _limit(resource.RLIMIT_CPU, wanted["seconds"])
    memory = _limit(resource.RLIMIT_AS, wanted["memory_bytes"])
    if not sys.platform.startswith("linux"):
        return sorted(held)  # macOS takes the limit on memory and does not hold it
    if memory:
        held.add("memory")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return sorted(held)
    version = landlock_version(libc)
    files = restrict_to(libc, wanted["reads"], wanted["writes"])
    calls = install_refusals(libc)
    if files and calls:
        held.add("files")
    if calls:
        held.add("network")
    if calls and version >= _SCOPED_SIGNALS:
        held.add("processes")
    return sorted(held)


def _limit(what: int, most: int) -> bool:
    """Lower a limit, never raise it; whether it holds."""
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    try:
        resource.setrlimit(what, (most, most))
    except (OSError, ValueError):
        return False
    return True
