"""The filter's program is checked by interpreting it as the kernel does, for both machines."""

from __future__ import annotations

import struct

import pytest

from assaymark.sandbox.seccomp import filter_program

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050001, 0x80000000
X86, ARM = ("x86_64", 0xC000003E), ("aarch64", 0xC00000B7)


def verdict(program: bytes, architecture: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """A classic BPF interpreter for the four instructions in use (bpf(4))."""
    data = struct.pack("<iIQ6Q", number, architecture, 0, *(*arguments, *[0] * (6 - len(arguments))))
    steps = list(struct.iter_unpack("=HBBI", program))
    position = accumulator = 0
    while True:
        operation, if_true, if_false, operand = steps[position]
        position += 1
        if operation == 0x20:
            accumulator = int.from_bytes(data[operand : operand + 4], "little")
        elif operation == 0x15:
            position += if_true if accumulator == operand else if_false
        elif operation == 0x45:
            position += if_true if accumulator & operand else if_false
        else:
            assert operation == 0x06
            return operand


# Numbers from the kernel's tables: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
@pytest.mark.parametrize(
    ("machine", "refused", "read", "write", "mmap"),
    [
        (X86, {"open": 2, "openat": 257, "socket": 41, "connect": 42, "clone": 56, "fork": 57, "execve": 59, "kill": 62, "ptrace": 101, "clone3": 435, "io_uring_setup": 425, "x32 read": 0x40000000}, 0, 1, 9),
        (ARM, {"openat": 56, "socket": 198, "connect": 203, "clone": 220, "execve": 221, "kill": 129, "ptrace": 117, "clone3": 435, "io_uring_setup": 425}, 63, 64, 222),
    ],
)  # fmt: skip
def test_what_the_filter_lets_through(machine, refused, read, write, mmap) -> None:
    name, architecture = machine
    program = filter_program(name, 4)
    assert program is not None
    assert verdict(program, architecture, read, (3,)) == ALLOW
    assert verdict(program, architecture, write, (4,)) == ALLOW
    assert verdict(program, architecture, write, (2,)) == REFUSE
    assert verdict(program, architecture, mmap, (0, 4096, 3)) == ALLOW
    assert verdict(program, architecture, mmap, (0, 4096, 7)) == REFUSE
    for number in refused.values():
        assert verdict(program, architecture, number) == REFUSE
    assert verdict(program, 0x40000003, read) == KILL, "32-bit calls have other numbers"


def test_an_unknown_machine_has_no_filter() -> None:
    assert filter_program("riscv64", 4) is None
