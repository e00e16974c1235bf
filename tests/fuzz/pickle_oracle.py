"""Fuzz target: programs of opcodes before the real readers of Python and before the machine."""

from tests.support.oracle import fuzzed

SEEDS = [bytes(range(start, start + 12)) for start in range(0, 96, 8)]


def fuzz(data: bytes) -> None:
    """Whatever a real reader imports or calls, the machine says, in the same order."""
    fuzzed(data)
