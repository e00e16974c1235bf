"""A seccomp filter for a foreign program: all calls pass but those that reach the network, other processes or owners.

A program of others needs more calls than can be listed; what it must not do can (seccomp(2), Linux 3.5). A refused
call fails with EPERM, which Python shows as PermissionError. What is opened and written is Landlock's to hold, which
does not hold changes of mode, owner and attributes: those are refused here.
"""

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
_AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN: Final = 0x06
_NUMBER: Final = 0  # offsets in struct seccomp_data
_ARCHITECTURE: Final = 4
_X32: Final = 0x40000000  # a second set of numbers for the same calls on x86_64

# socket: no network of any family, nor a daemon behind a path; io_uring makes sockets without that call, and runs
# others behind the filter's back. setsid and setpgid: who leaves the group outlives it.
_REFUSED: Final = {
    "x86_64": {
        "socket": 41, "io_uring_setup": 425, "setsid": 112, "setpgid": 109,
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "pidfd_getfd": 438,
        "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "fchownat": 260, "fchmodat": 268,
        "fchmodat2": 452, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "setxattrat": 463, "removexattr": 197,
        "lremovexattr": 198, "fremovexattr": 199, "removexattrat": 466,
        "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308,
        "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432, "mount_setattr": 442,
        "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "keyctl": 250, "add_key": 248, "request_key": 249,
        "init_module": 175, "finit_module": 313, "delete_module": 176, "kexec_load": 246, "kexec_file_load": 320,
        "reboot": 169, "swapon": 167, "swapoff": 168, "settimeofday": 164, "clock_settime": 227, "adjtimex": 159,
        "clock_adjtime": 305, "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "acct": 163,
        "open_by_handle_at": 304, "quotactl": 179,
    },
    "aarch64": {
        "socket": 198, "io_uring_setup": 425, "setsid": 157, "setpgid": 154,
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "pidfd_getfd": 438,
        "fchmod": 52, "fchmodat": 53, "fchownat": 54, "fchown": 55, "fchmodat2": 452, "setxattr": 5, "lsetxattr": 6,
        "fsetxattr": 7, "setxattrat": 463, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
        "removexattrat": 466,
        "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "unshare": 97, "setns": 268,
        "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432, "mount_setattr": 442,
        "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "keyctl": 219, "add_key": 217, "request_key": 218,
        "init_module": 105, "finit_module": 273, "delete_module": 106, "kexec_load": 104, "kexec_file_load": 294,
        "reboot": 142, "swapon": 224, "swapoff": 225, "settimeofday": 170, "clock_settime": 112, "adjtimex": 171,
        "clock_adjtime": 266, "sethostname": 161, "setdomainname": 162, "acct": 89,
        "open_by_handle_at": 265, "quotactl": 60,
    },
}  # fmt: skip
_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def refusal_program(machine: str) -> bytes | None:
    """The BPF program for ``machine``; ``None`` for one whose call numbers we do not have."""
    if machine not in _REFUSED:
        return None
    code = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, _ARCHITECTURES[machine], 1, 0),
        _step(_RETURN, _RET_KILL),
        _step(_LOAD, _NUMBER),
        _step(_AT_LEAST, _X32, 0, 1),
        _step(_RETURN, _RET_REFUSE),
    ]
    for number in _REFUSED[machine].values():
        code += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _RET_REFUSE)]
    code.append(_step(_RETURN, _RET_ALLOW))
    return b"".join(code)


def _step(operation: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, if_true, if_false, operand)


def install_refusals(libc: ctypes.CDLL) -> bool:
    """Refuse those calls from now on, for what is executed too; ``False`` where kernel or machine has no filter."""
    program = refusal_program(platform.machine())
    if program is None:
        return False
    buffer = ctypes.create_string_buffer(program, len(program))
    argument = _Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p).value)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(argument), 0, 0) == 0)
