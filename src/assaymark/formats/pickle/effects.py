"""Opcodes that import, call or build: what a pickle can do to the process that loads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.limits import SCAN_MAX_STRING
from assaymark.formats.pickle.machine import NO_FRAME
from assaymark.formats.pickle.names import loaded_name
from assaymark.formats.pickle.reader import Truncated
from assaymark.formats.pickle.values import EightBit, Global, describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.formats.pickle.machine import Machine
    from assaymark.formats.pickle.values import Value


def _name_line(machine: Machine) -> str:
    """A line of a name. C takes UTF-8 (ASCII for INST); what is not is still named, with escapes.

    Where the stream ends in it C raises. ``pickle.py``, and torch's and joblib's readers with it, take what is
    there without its last character and import that.
    """
    reader = machine.reader
    start = reader.offset()
    try:
        line = reader.line()
    except Truncated:
        machine.doubt("the stream ends in a name, which pickle.py imports without its last character")
        line = reader.view.read(start, SCAN_MAX_STRING + 1)[:-1]
    if line is None:
        machine.doubt("a name of more than 64 KiB")
        return "<a name of more than 64 KiB>"
    try:
        return line.decode()
    except UnicodeDecodeError:
        machine.doubt("a name that is not UTF-8")
        return line.decode("utf-8", "backslashreplace")


def _import(machine: Machine, module: str, name: str, opcode: str, *, constant: bool = True) -> Value:
    loaded_module, loaded = loaded_name(module, name, machine.protocol)
    raw = f"{module}.{name}"
    return machine.observer.on_global(Global(loaded_module, loaded, raw, machine.at, opcode, constant))


def _global(machine: Machine) -> None:
    module = _name_line(machine)
    name = _name_line(machine)
    machine.stack.append(_import(machine, module, name, "GLOBAL"))


def _stack_global(machine: Machine) -> None:
    name = machine.pop()
    module = machine.pop()
    if type(name) is str and type(module) is str:
        machine.stack.append(_import(machine, module, name, "STACK_GLOBAL"))
        return
    # Not two constants of the stream: an eight-bit text may still say what it is, the rest cannot be known.
    parts = [str(part) if isinstance(part, EightBit) else f"<{describe(part)}>" for part in (module, name)]
    texts = [str(part) if isinstance(part, str) else text for part, text in zip((module, name), parts, strict=True)]
    machine.stack.append(_import(machine, texts[0], texts[1], "STACK_GLOBAL", constant=False))


def _reduce(machine: Machine) -> None:
    arguments = machine.pop()
    function = machine.pop()
    machine.stack.append(machine.observer.on_call(function, arguments, "REDUCE", machine.at))


def _inst(machine: Machine) -> None:
    """``pickle.py`` imports before it looks for the MARK, C after."""
    module = _name_line(machine)
    name = _name_line(machine)
    function = _import(machine, module, name, "INST")
    arguments = tuple(machine.items_since_mark())
    machine.stack.append(machine.observer.on_call(function, arguments, "INST", machine.at))


def _obj(machine: Machine) -> None:
    items = machine.items_since_mark()
    if not items:
        machine.fail("OBJ without a class")
    machine.stack.append(machine.observer.on_call(items[0], tuple(items[1:]), "OBJ", machine.at))


def _newobj(machine: Machine) -> None:
    arguments = machine.pop()
    cls = machine.pop()
    machine.stack.append(machine.observer.on_call(cls, arguments, "NEWOBJ", machine.at))


def _newobj_ex(machine: Machine) -> None:
    """Keyword arguments are not followed: no class of the table takes any, so any call with them is refused."""
    machine.pop()
    arguments = machine.pop()
    cls = machine.pop()
    machine.stack.append(machine.observer.on_call(cls, arguments, "NEWOBJ_EX", machine.at))


def _frame_end(machine: Machine) -> int:
    return 0 if machine.frame_end == NO_FRAME else machine.frame_end


def _build(machine: Machine) -> None:
    state = machine.pop()
    loaded = machine.observer.on_build(machine.top(), state, machine.at, _frame_end(machine))
    if loaded is not None:
        machine.stack[-1] = loaded.value
        machine.frame_end = NO_FRAME  # which the observer has seen to end here
        machine.reader.skip(loaded.resume - machine.reader.offset())


def _persid(machine: Machine) -> None:
    line = machine.reader.line()
    identity = (line or b"").decode("ascii", "backslashreplace")
    machine.stack.append(machine.observer.on_persistent(identity, "PERSID", machine.at))


def _binpersid(machine: Machine) -> None:
    machine.stack.append(machine.observer.on_persistent(machine.pop(), "BINPERSID", machine.at))


def _extension(width: int) -> Callable[[Machine], None]:
    def take(machine: Machine) -> None:
        code = int.from_bytes(machine.reader.take(width), "little", signed=width == 4)  # noqa: PLR2004 - EXT4 is signed in C
        if code <= 0:
            machine.doubt("an extension code that is not positive")
        machine.stack.append(machine.observer.on_extension(code, f"EXT{width}", machine.at))

    return take


OPCODES: Final[dict[int, Callable[[Machine], None]]] = {
    0x63: _global,  # c
    0x93: _stack_global,
    0x52: _reduce,  # R
    0x69: _inst,  # i
    0x6F: _obj,  # o
    0x81: _newobj,
    0x92: _newobj_ex,
    0x62: _build,  # b
    0x50: _persid,  # P
    0x51: _binpersid,  # Q
    0x82: _extension(1),
    0x83: _extension(2),
    0x84: _extension(4),
}
