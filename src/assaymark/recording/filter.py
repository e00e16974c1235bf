"""A seccomp filter that reports each file that is opened to read, or executed, and refuses nothing.

Source: seccomp(2) and seccomp_unotify(2); Linux 5.5 or later. Threads and children inherit the filter.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from typing import Final

_PR_SET_NO_NEW_PRIVS: Final = 38
_SET_MODE_FILTER: Final = 1
_NEW_LISTENER: Final = 8  # SECCOMP_FILTER_FLAG_NEW_LISTENER
_RET_NOTIFY: Final = 0x7FC00000  # SECCOMP_RET_USER_NOTIF
_RET_ALLOW: Final = 0x7FFF0000
_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND: Final = 0x54  # BPF_ALU | BPF_AND | BPF_K
_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_BITS: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN: Final = 0x06
_NUMBER: Final = 0  # offsets in struct seccomp_data
_ARCHITECTURE: Final = 4
_ARGUMENTS: Final = 16  # eight bytes each; the low half first on both machines
_ACCESS: Final = 3  # O_ACCMODE
_WRITE_ONLY: Final = 1
_PATH_ONLY: Final = 0o10000000  # O_PATH

# AUDIT_ARCH_..., the number of seccomp(2), O_DIRECTORY, and by call: (number, the argument that holds the flags).
# openat2 keeps its flags in memory, where no filter can look; what is executed has none. A change of the current
# folder is reported so that relative paths can be resolved without asking for the folder each time.
MACHINES: Final[dict[str, tuple[int, int, int, dict[str, tuple[int, int | None]]]]] = {
    "x86_64": (
        0xC000003E,
        317,
        0o200000,
        {
            "open": (2, 1),
            "openat": (257, 2),
            "openat2": (437, None),
            "execve": (59, None),
            "execveat": (322, None),
            "chdir": (80, None),
            "fchdir": (81, None),
        },
    ),
    "aarch64": (
        0xC00000B7,
        277,
        0o40000,
        {
            "openat": (56, 2),
            "openat2": (437, None),
            "execve": (221, None),
            "execveat": (281, None),
            "chdir": (49, None),
            "fchdir": (50, None),
        },
    ),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def filter_program(machine: str) -> bytes | None:
    """The BPF program for ``machine``: files opened to read and programs executed are reported, all is allowed.

    ``None`` for a machine whose call numbers we do not have. Calls of another architecture (32 bits) are not seen.
    """
    if machine not in MACHINES:
        return None
    architecture, _, directory, calls = MACHINES[machine]
    code = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _RET_ALLOW),
        _step(_LOAD, _NUMBER),
    ]
    for number, flags in calls.values():
        if flags is None:
            code += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _RET_NOTIFY)]
            continue
        code += [
            _step(_EQUAL, number, 0, 6),
            _step(_LOAD, _ARGUMENTS + 8 * flags),
            _step(_BITS, directory | _PATH_ONLY, 3, 0),
            _step(_AND, _ACCESS),
            _step(_EQUAL, _WRITE_ONLY, 1, 0),
            _step(_RETURN, _RET_NOTIFY),
            _step(_RETURN, _RET_ALLOW),
        ]
    code.append(_step(_RETURN, _RET_ALLOW))
    return b"".join(code)


def _step(operation: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, if_true, if_false, operand)


def install_listener(libc: ctypes.CDLL) -> int:
    """The listener of a filter that holds for this process from now on; below 0 minus the error's number.

    Privileges that a program would gain by being executed (sudo, ping) are given up where the kernel demands it.
    """
    machine = platform.machine()
    program = filter_program(machine)
    if program is None:
        return -errno.ENOSYS
    buffer = ctypes.create_string_buffer(program, len(program))
    argument = _Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p).value)
    call = MACHINES[machine][1]
    listener = int(libc.syscall(call, _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(argument)))
    if listener < 0 and ctypes.get_errno() == errno.EACCES:
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        listener = int(libc.syscall(call, _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(argument)))
    return listener if listener >= 0 else -ctypes.get_errno()
