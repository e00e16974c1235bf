"""A worker gives up everything that parsing does not need, and says what held."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from typing import TYPE_CHECKING, Final

from assaymark.sandbox.landlock import restrict_files
from assaymark.sandbox.seccomp import install_filter

if TYPE_CHECKING:
    from assaymark.sandbox.limits import SandboxLimits

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
_SIGKILL: Final = 9
HOLDS: Final = ("files", "memory", "network", "output", "processes", "time")


def load_libc() -> ctypes.CDLL:
    """The C library, loaded before the worker forks: a confined process cannot."""
    return ctypes.CDLL(None, use_errno=True)


def confine(libc: ctypes.CDLL, limits: SandboxLimits, output: int, descriptors: int) -> tuple[str, ...]:
    """Confine this process for good; returns which of ``HOLDS`` hold, sorted.

    ``output`` is the only descriptor that may be written to, ``descriptors`` how many are open. Time and output
    are held by limits here and by the parent, who kills and who stops reading.
    """
    held = {"output", "time"}
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1)
    no_new_processes = _limit(resource.RLIMIT_NPROC, 0) and os.geteuid() != 0  # root is exempt
    memory = _limit(resource.RLIMIT_AS, limits.memory_bytes)
    files = False
    if sys.platform == "linux":
        libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
            files = restrict_files(libc)
            _limit(resource.RLIMIT_NOFILE, descriptors)
            if install_filter(libc, output):
                held |= {"files", "network", "processes"}
        if memory:  # macOS takes this limit and does not hold it
            held.add("memory")
    if files:
        held.add("files")
    if no_new_processes:
        held.add("processes")
    return tuple(sorted(held))


def _limit(what: int, soft: int, hard: int | None = None) -> bool:
    """Lower a limit, never raise it; whether it holds."""
    _, most = resource.getrlimit(what)
    hard = soft if hard is None else hard
    if most != resource.RLIM_INFINITY:
        hard = min(hard, most)
    try:
        resource.setrlimit(what, (min(soft, hard), hard))
    except (OSError, ValueError):
        return False
    return True
