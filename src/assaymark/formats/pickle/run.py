"""Run the abstract machine over a pickle: one table of opcodes, one loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.limits import SCAN_MAX_OPCODES
from assaymark.formats.pickle import containers, effects, literals
from assaymark.formats.pickle.machine import NO_FRAME, Broken, Machine, Stopped
from assaymark.formats.pickle.reader import Reader, Truncated
from assaymark.formats.pickle.trace import Break, Trace
from assaymark.formats.pickle.values import COMPUTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.view import View
    from assaymark.formats.pickle.trace import Observer


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
            at = machine.at = reader.base + position
            if at >= machine.frame_end:
                if at != machine.frame_end:
                    observer.on_split(at)
                machine.frame_end = NO_FRAME
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
