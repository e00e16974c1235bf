"""The filter that reports what is opened: run on a small machine of BPF, not on the kernel's."""

import struct

import pytest

from assaymark.recording.filter import MACHINES, filter_program

NOTIFY, ALLOW = 0x7FC00000, 0x7FFF0000
O_WRONLY, O_RDWR, O_PATH = 1, 2, 0o10000000


def verdict(machine, architecture, number, *arguments):
    """What the kernel would answer: classic BPF, the few instructions that the program has (linux/filter.h)."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    program = filter_program(machine)
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    place = value = 0
    while True:
        operation, if_true, if_false, operand = steps[place]
        place += 1
        match operation:
            case 0x20:
                (value,) = struct.unpack_from("=I", data, operand)
            case 0x54:
                value &= operand
            case 0x15:
                place += if_true if value == operand else if_false
            case 0x45:
                place += if_true if value & operand else if_false
            case 0x06:
                return operand
            case _:
                raise AssertionError(operation)


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_reading_and_executing_is_reported_and_nothing_is_refused(machine):
    architecture, _, directory, calls = MACHINES[machine]
    for name, (number, flags) in calls.items():
        for value, expected in (
            (0, NOTIFY),
            (O_RDWR, NOTIFY),
            (O_WRONLY, ALLOW),
            (directory, ALLOW),
            (O_PATH, ALLOW),
            (O_WRONLY | 0o1000, ALLOW),
        ):
            arguments = [0] * 6
            if flags is not None:
                arguments[flags] = value
            answer = verdict(machine, architecture, number, *arguments)
            assert answer == (NOTIFY if flags is None else expected), (name, value)
        assert verdict(machine, architecture ^ 1, number) == ALLOW, "another architecture's numbers mean other calls"
    for number in (0, 1, 3, 63, 64, 231, 1000):
        if number not in {found for found, _ in calls.values()}:
            assert verdict(machine, architecture, number) == ALLOW


def test_a_machine_that_is_not_known_has_no_filter():
    assert filter_program("riscv64") is None
