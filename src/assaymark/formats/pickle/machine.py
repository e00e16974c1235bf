"""The abstract machine: CPython's C unpickler (Modules/_pickle.c) over values that are not real objects.

Where the C reader, ``pickle.py`` and torch's readers differ, the machine goes the way that has more effects and
records a break. The stack has the C reader's fence: opcodes cannot reach below the last MARK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.limits import SCAN_MAX_OPCODES
from assaymark.formats.pickle import containers, effects, literals
from assaymark.formats.pickle.reader import Reader, Truncated
from assaymark.formats.pickle.trace import Break, Trace
from assaymark.formats.pickle.values import COMPUTED, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.view import View
    from assaymark.formats.pickle.trace import Observer

_KEPT_BREAKS: Final = 8


class Broken(Exception):  # noqa: N818 - internal: ends a run
    """The C reader raises here and what follows has no clear meaning."""


class Stopped(Exception):  # noqa: N818 - internal: ends a run
    """STOP."""


class Machine:
    """The state of one run; ``run_pickle`` makes it. Opcode functions get it as their only argument."""

    __slots__ = ("at", "breaks", "fence", "marks", "memo", "observer", "protocol", "reader", "stack")

    def __init__(self, reader: Reader, observer: Observer) -> None:
        self.reader = reader
        self.observer = observer
        self.stack: list[Value] = []
        self.marks: list[int] = []
        self.fence = 0
        self.memo: dict[int, Value] = {}
        self.protocol = 0
        self.breaks: list[Break] = []
        self.at = reader.offset()

    def pop(self) -> Value:
        """Take the top of the stack."""
        stack = self.stack
        if len(stack) <= self.fence:
            self.underflow()
        return stack.pop()

    def top(self) -> Value:
        """The top of the stack."""
        stack = self.stack
        if len(stack) <= self.fence:
            self.underflow()
        return stack[-1]

    def underflow(self) -> None:
        """End the run: the stack has too few items."""
        self.fail("unexpected MARK" if self.marks else "the stack is empty")

    def pop_mark(self) -> int:
        """Forget the last MARK and return where it stands in the stack."""
        marks = self.marks
        if not marks:
            self.fail("no MARK")
        mark = marks.pop()
        self.fence = marks[-1] if marks else 0
        return mark

    def items_since_mark(self) -> list[Value]:
        """Take everything above the last MARK."""
        stack = self.stack
        mark = self.pop_mark()
        items = stack[mark:]
        del stack[mark:]
        return items

    def doubt(self, why: str) -> None:
        """Note that the C reader would raise at this opcode, and go on: its end, at least, is clear."""
        if len(self.breaks) < _KEPT_BREAKS:
            self.breaks.append(Break(self.at, why))

    def fail(self, why: str) -> None:
        """End the run here."""
        self.doubt(why)
        raise Broken


def run_pickle(
    view: View,
    start: int,
    observer: Observer,
    *,
    budget: int = SCAN_MAX_OPCODES,
) -> Trace:
    """Run the stream from ``start`` until STOP, the end, a break that leaves no meaning, or ``budget`` opcodes.

    Nothing is raised: a broken stream is a trace with breaks.
    """
    reader = Reader(view, start)
    machine = Machine(reader, observer)
    handlers = _HANDLERS
    count = 0
    stopped = False
    out_of_budget = False
    try:
        while count < budget:
            position = reader.position
            if position >= len(reader.buffer):
                machine.at = reader.base + position
                if not reader.refill():
                    machine.fail("the stream ends without STOP")
                position = 0
            machine.at = reader.base + position
            reader.position = position + 1
            count += 1
            handlers[reader.buffer[position]](machine)
        out_of_budget = True
        machine.at = reader.offset()
        machine.fail(f"more than {budget} opcodes")
    except Stopped:
        stopped = True
    except Truncated:
        machine.breaks.append(Break(machine.at, "the stream ends within an opcode"))
    except Broken:
        pass
    return Trace(
        start=start,
        end=reader.offset() if stopped else machine.at,
        stopped=stopped,
        protocol=machine.protocol,
        breaks=tuple(machine.breaks),
        opcodes=count,
        result=machine.stack[-1] if stopped and machine.stack else COMPUTED,
        out_of_budget=out_of_budget,
    )


def _stop(machine: Machine) -> None:
    machine.top()
    raise Stopped


def _unknown_opcode(machine: Machine) -> None:
    offset = machine.at - machine.reader.base
    machine.fail(f"0x{machine.reader.buffer[offset]:02x} is no opcode")


def _table() -> tuple[Callable[[Machine], None], ...]:
    table: list[Callable[[Machine], None]] = [_unknown_opcode] * 256
    for group in (literals.OPCODES, containers.OPCODES, effects.OPCODES):
        for code, function in group.items():
            table[code] = function
    table[0x2E] = _stop
    return tuple(table)


_HANDLERS: Final = _table()
