"""Landlock: no file may be opened any more, or only those below some paths (landlock(7), Linux 5.13)."""

from __future__ import annotations

import os
import stat
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Sequence

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_PATH_BENEATH: Final = 1  # LANDLOCK_RULE_PATH_BENEATH
_READ: Final = 0b1101  # execute, read files, read folders
_OF_FILES: Final = 0b1100_0000_0000_0111  # the rights that a file has: execute, write, read, truncate, ioctl
_VERSION: Final = 1  # LANDLOCK_CREATE_RULESET_VERSION
_ALL_SCOPES: Final = 0b11  # abstract UNIX sockets, signals


def restrict_files(libc: ctypes.CDLL) -> bool:
    """Deny all access to files by path, and TCP where the kernel can; ``False`` where there is no Landlock."""
    return restrict_to(libc, (), ())


def landlock_version(libc: ctypes.CDLL) -> int:
    """The kernel's Landlock ABI; below 1 where there is none."""
    return int(libc.syscall(_CREATE_RULESET, None, 0, _VERSION))


def restrict_to(libc: ctypes.CDLL, reads: Sequence[str], writes: Sequence[str]) -> bool:
    """As ``restrict_files``, but what lies below ``reads`` may be read and executed, below ``writes`` anything.

    A path that is not there gives no right. What is open already stays so.
    """
    version = landlock_version(libc)
    if version < 1:
        return False
    # Access rights by ABI version: 13 at first, then REFER (2), TRUNCATE (3), IOCTL_DEV (5).
    rights = 13 + (version >= 2) + (version >= 3) + (version >= 5)  # noqa: PLR2004
    everything = (1 << rights) - 1
    attributes = struct.pack("=Q", everything)
    if version >= 4:  # noqa: PLR2004 - TCP bind and connect
        attributes += struct.pack("=Q", 0b11)
    if version >= 6:  # noqa: PLR2004
        attributes += struct.pack("=Q", _ALL_SCOPES)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        for paths, allowed in ((reads, _READ), (writes, everything)):
            for path in paths:
                _allow(libc, ruleset, path, allowed & everything)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, allowed: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            allowed &= _OF_FILES
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", allowed, place), 0)
    finally:
        os.close(place)
