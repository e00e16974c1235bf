"""Landlock without rules: no file may be opened any more (landlock(7), Linux 5.13)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ctypes

_CREATE_RULESET: Final = 444
_RESTRICT_SELF: Final = 446
_VERSION: Final = 1  # LANDLOCK_CREATE_RULESET_VERSION
_ALL_SCOPES: Final = 0b11  # abstract UNIX sockets, signals


def restrict_files(libc: ctypes.CDLL) -> bool:
    """Deny all access to files by path, and TCP where the kernel can; ``False`` where there is no Landlock."""
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION)
    if version < 1:
        return False
    # Access rights by ABI version: 13 at first, then REFER (2), TRUNCATE (3), IOCTL_DEV (5).
    rights = 13 + (version >= 2) + (version >= 3) + (version >= 5)  # noqa: PLR2004
    attributes = struct.pack("=Q", (1 << rights) - 1)
    if version >= 4:  # noqa: PLR2004 - TCP bind and connect
        attributes += struct.pack("=Q", 0b11)
    if version >= 6:  # noqa: PLR2004
        attributes += struct.pack("=Q", _ALL_SCOPES)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
