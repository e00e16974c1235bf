"""A seccomp filter: of all system calls, the few that parsing needs (seccomp(2), Linux 3.5)."""

from __future__ import annotations

import ctypes
import platform
import struct
from typing import Final

_PR_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2
_RET_KILL: Final = 0x80000000  # SECCOMP_RET_KILL_PROCESS
_RET_REFUSE: Final = 0x00050000 | 1  # SECCOMP_RET_ERRNO, EPERM
_RET_ALLOW: Final = 0x7FFF0000
_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_BITS: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN: Final = 0x06
_NUMBER: Final = 0  # offsets in struct seccomp_data
_ARCHITECTURE: Final = 4
_ARGUMENT_0: Final = 16  # low half, little-endian
_ARGUMENT_2: Final = 32
_PROT_EXEC: Final = 4

# Calls without conditions: read and seek in what is open, manage memory, time and signals, end.
_FREE: Final = {
    "x86_64": {
        "read": 0, "close": 3, "fstat": 5, "lseek": 8, "munmap": 11, "brk": 12, "rt_sigaction": 13,
        "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "sched_yield": 24, "mremap": 25, "madvise": 28,
        "getpid": 39, "exit": 60, "gettimeofday": 96, "getrusage": 98, "sigaltstack": 131, "gettid": 186,
        "time": 201, "futex": 202, "restart_syscall": 219, "clock_gettime": 228, "exit_group": 231,
        "getrandom": 318,
    },
    "aarch64": {
        "read": 63, "close": 57, "fstat": 80, "lseek": 62, "munmap": 215, "brk": 214, "rt_sigaction": 134,
        "rt_sigprocmask": 135, "rt_sigreturn": 139, "pread64": 67, "sched_yield": 124, "mremap": 216,
        "madvise": 233, "getpid": 172, "exit": 93, "gettimeofday": 169, "getrusage": 165, "sigaltstack": 132,
        "gettid": 178, "futex": 98, "restart_syscall": 128, "clock_gettime": 113, "exit_group": 94,
        "getrandom": 278,
    },
}  # fmt: skip
# (AUDIT_ARCH_..., write, mmap, mprotect)
_MACHINES: Final = {
    "x86_64": (0xC000003E, 1, 9, 10),
    "aarch64": (0xC00000B7, 64, 222, 226),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def filter_program(machine: str, output: int) -> bytes | None:
    """The BPF program for ``machine``: writes go to descriptor ``output`` only, no memory becomes executable.

    ``None`` for a machine whose call numbers we do not have.
    """
    if machine not in _MACHINES:
        return None
    architecture, write, mmap, mprotect = _MACHINES[machine]
    code = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _RET_KILL),
        _step(_LOAD, _NUMBER),
    ]
    for number in _FREE[machine].values():
        code += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _RET_ALLOW)]
    code += [
        _step(_EQUAL, write, 0, 4),
        _step(_LOAD, _ARGUMENT_0),
        _step(_EQUAL, output, 0, 1),
        _step(_RETURN, _RET_ALLOW),
        _step(_RETURN, _RET_REFUSE),
    ]
    for number in (mmap, mprotect):
        code += [
            _step(_EQUAL, number, 0, 4),
            _step(_LOAD, _ARGUMENT_2),
            _step(_BITS, _PROT_EXEC, 1, 0),
            _step(_RETURN, _RET_ALLOW),
            _step(_RETURN, _RET_REFUSE),
        ]
    code.append(_step(_RETURN, _RET_REFUSE))
    return b"".join(code)


def _step(operation: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, if_true, if_false, operand)


def install_filter(libc: ctypes.CDLL, output: int) -> bool:
    """Refuse every other system call from now on; ``False`` where the kernel or the machine has no such filter."""
    program = filter_program(platform.machine(), output)
    if program is None:
        return False
    buffer = ctypes.create_string_buffer(program, len(program))
    argument = _Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p).value)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(argument), 0, 0) == 0)
