"""Opcodes of containers, marks, the memo and the stack itself.

The contents of sets do not matter and are dropped; lists and dicts keep some items: the state of an object is a dict
of its attributes, and torch's legacy form says in a list how the raw data that follows is laid out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.limits import PICKLE_MAX_DIGITS, PICKLE_MAX_SPARE_SLOTS, SCAN_MAX_DICT_ITEMS, SCAN_MAX_LIST_ITEMS
from assaymark.formats.pickle.values import FROZENSET, SET, Blob, Dict, Global, Naming, Plain, Value, is_naming

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.formats.pickle.machine import Machine

_POINTER: Final = 8  # bytes


def _mark(machine: Machine) -> None:
    machine.fence = len(machine.stack)
    machine.marks.append(machine.fence)


def _pop(machine: Machine) -> None:
    """POP takes a MARK when that is on top: the C reader keeps marks apart from the stack."""
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.pop_mark()
    else:
        machine.pop()


def _pop_mark(machine: Machine) -> None:
    machine.items_since_mark()


def _dup(machine: Machine) -> None:
    machine.stack.append(machine.top())


def _holds(machine: Machine, items: list[Value], opcode: str) -> None:
    """Say which globals a container takes that none may hold."""
    for item in items:
        kind = type(item)
        if (kind is Global or kind is Naming) and is_naming(item):
            machine.observer.on_held(item, opcode, machine.at)


def _as_tuple(items: list[Value]) -> tuple[Value, ...]:
    for item in items:
        kind = type(item)
        if (kind is Global or kind is Naming) and is_naming(item):
            return Naming(items)
    return tuple(items)


def _empty_tuple(machine: Machine) -> None:
    machine.stack.append(())


def _tuple(machine: Machine) -> None:
    machine.stack.append(_as_tuple(machine.items_since_mark()))


def _counted(length: int) -> Callable[[Machine], None]:
    def make(machine: Machine) -> None:
        stack = machine.stack
        if len(stack) - length < machine.fence:
            machine.underflow()
        stack[-length:] = [_as_tuple(stack[-length:])]

    return make


def _empty_list(machine: Machine) -> None:
    machine.stack.append([])


def _list(machine: Machine) -> None:
    items = machine.items_since_mark()
    _holds(machine, items, "LIST")
    machine.stack.append(items[:SCAN_MAX_LIST_ITEMS])


def _empty_dict(machine: Machine) -> None:
    machine.stack.append(Dict([]))


def _dict(machine: Machine) -> None:
    items = machine.items_since_mark()
    if len(items) % 2:
        machine.doubt("DICT with a key that has no value")
    _holds(machine, items, "DICT")
    more = len(items) > SCAN_MAX_DICT_ITEMS or len(items) % 2 == 1
    machine.stack.append(Dict(items[:SCAN_MAX_DICT_ITEMS], more=more))


def _empty_set(machine: Machine) -> None:
    machine.stack.append(SET)


def _frozenset(machine: Machine) -> None:
    _holds(machine, machine.items_since_mark(), "FROZENSET")
    machine.stack.append(FROZENSET)


def _append(machine: Machine) -> None:
    item = machine.pop()
    _extend(machine, [item], "APPEND")


def _appends(machine: Machine) -> None:
    _extend(machine, machine.items_since_mark(), "APPENDS")


def _extend(machine: Machine, items: list[Value], opcode: str) -> None:
    target = machine.top()
    _holds(machine, items, opcode)
    if type(target) is list:
        if len(target) < SCAN_MAX_LIST_ITEMS:
            target.extend(items)
    elif items:
        machine.observer.on_mutate(target, items, opcode, machine.at)


def _setitem(machine: Machine) -> None:
    value = machine.pop()
    key = machine.pop()
    _set_items(machine, [key, value], "SETITEM")


def _setitems(machine: Machine) -> None:
    _set_items(machine, machine.items_since_mark(), "SETITEMS")


def _set_items(machine: Machine, items: list[Value], opcode: str) -> None:
    target = machine.top()
    if len(items) % 2:
        machine.doubt(f"{opcode} with a key that has no value")
    _holds(machine, items, opcode)
    if type(target) is Dict:
        if len(target.items) + len(items) > SCAN_MAX_DICT_ITEMS or len(items) % 2:
            target.more = True
        else:
            target.items += items
    elif items:
        machine.observer.on_mutate(target, items, opcode, machine.at)


def _additems(machine: Machine) -> None:
    items = machine.items_since_mark()
    target = machine.top()
    _holds(machine, items, "ADDITEMS")
    if target is not SET and items:
        machine.observer.on_mutate(target, items, "ADDITEMS", machine.at)


def _recall(machine: Machine, index: int) -> None:
    try:
        machine.stack.append(machine.memo[index])
    except KeyError:
        machine.fail(f"memo slot {index} is read before it is set")


def _get(machine: Machine) -> None:
    _recall(machine, _memo_index(machine, "GET"))


def _binget(machine: Machine) -> None:
    _recall(machine, machine.reader.byte())


def _long_binget(machine: Machine) -> None:
    _recall(machine, machine.reader.unsigned(4))


def _memo_index(machine: Machine, opcode: str) -> int:
    """A decimal number, read to the first NUL as a C string is."""
    line = machine.reader.line()
    digits = b"" if line is None else line.split(b"\0", 1)[0]
    try:
        index = int(digits[: PICKLE_MAX_DIGITS + 1])
    except ValueError:
        index = -1
    if index < 0:
        machine.fail(f"{opcode} with something that is no memo index")
    return index


def _put(machine: Machine) -> None:
    _memorise(machine, _memo_index(machine, "PUT"), "PUT")


def _binput(machine: Machine) -> None:
    machine.memo[machine.reader.byte()] = machine.top()


def _long_binput(machine: Machine) -> None:
    _memorise(machine, machine.reader.unsigned(4), "LONG_BINPUT")


def _memorise(machine: Machine, index: int, opcode: str) -> None:
    """C keeps the memo as an array of twice the highest index; writers count their slots up one by one."""
    memo = machine.memo
    if index > PICKLE_MAX_SPARE_SLOTS and index > 2 * len(memo):
        machine.observer.on_reserve(2 * _POINTER * index, opcode, machine.at)
    memo[index] = machine.top()


def _memoize(machine: Machine) -> None:
    machine.memo[len(machine.memo)] = machine.top()


def _next_buffer(machine: Machine) -> None:
    machine.stack.append(machine.observer.on_buffer(machine.at))


def _readonly_buffer(machine: Machine) -> None:
    top = machine.top()
    if isinstance(top, Plain) or (isinstance(top, Blob) and top.kind not in ("bytes", "bytearray")):
        machine.doubt("READONLY_BUFFER on something that is no buffer")


OPCODES: Final[dict[int, Callable[[Machine], None]]] = {
    0x28: _mark,  # (
    0x30: _pop,  # 0
    0x31: _pop_mark,  # 1
    0x32: _dup,  # 2
    0x29: _empty_tuple,  # )
    0x74: _tuple,  # t
    0x85: _counted(1),
    0x86: _counted(2),
    0x87: _counted(3),
    0x5D: _empty_list,  # ]
    0x6C: _list,  # l
    0x7D: _empty_dict,  # }
    0x64: _dict,  # d
    0x8F: _empty_set,
    0x91: _frozenset,
    0x61: _append,  # a
    0x65: _appends,  # e
    0x73: _setitem,  # s
    0x75: _setitems,  # u
    0x90: _additems,
    0x67: _get,  # g
    0x68: _binget,  # h
    0x6A: _long_binget,  # j
    0x70: _put,  # p
    0x71: _binput,  # q
    0x72: _long_binput,  # r
    0x94: _memoize,
    0x97: _next_buffer,
    0x98: _readonly_buffer,
}
