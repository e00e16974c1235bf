"""Real unpicklers with stand-ins for globals, and an observer that writes down what the machine sees.

Nothing that a program names is imported: ``find_class`` gives out a class that does nothing.
"""

from __future__ import annotations

import contextlib
import io
import pickle

from tests.support.asm import text

from assaymark.core.view import BytesView
from assaymark.formats.pickle.run import run_pickle
from assaymark.formats.pickle.values import COMPUTED, Global


class Record:
    """Stands for the values in ``run_pickle`` and writes down imports and calls of imports."""

    def __init__(self) -> None:
        self.events: list[tuple[str, ...]] = []
        self.refused = False

    def on_global(self, found: Global) -> object:
        self.events.append(("import", found.module, found.name))
        return found

    def on_call(self, function: object, arguments: object, opcode: str, offset: int) -> object:
        if isinstance(function, Global):
            self.events.append(("call", function.module, function.name))
        else:
            self.events.append(("call of a value",))
        return COMPUTED

    def on_held(self, held: object, opcode: str, offset: int) -> None:
        """No effect by itself."""

    def on_persistent(self, identity: object, opcode: str, offset: int) -> object:
        self.events.append(("persistent",))
        return COMPUTED

    def on_build(self, target: object, state: object, offset: int, frame_end: int) -> None: ...
    def on_mutate(self, target: object, items: list[object], opcode: str, offset: int) -> None: ...
    def on_extension(self, code: int, opcode: str, offset: int) -> object:
        return COMPUTED

    def on_buffer(self, offset: int) -> object:
        return COMPUTED

    def on_split(self, offset: int) -> None:
        self.refused = True

    def on_reserve(self, length: int, opcode: str, offset: int) -> None:
        self.refused = True


def reader(base: type) -> type:
    class Reader(base):  # type: ignore[misc, valid-type]
        def __init__(self, data: bytes) -> None:
            super().__init__(io.BytesIO(data))
            self.events: list[tuple[str, ...]] = []

        def find_class(self, module: str, name: str) -> object:
            events = self.events
            events.append(("import", module, name))  # as written: no name that readers rename is drawn

            class Stand:
                def __new__(cls, *arguments: object, **keywords: object) -> object:
                    # NEWOBJ takes whatever lies on the stack for a class, an instance too.
                    events.append(("call", module, name) if isinstance(cls, type) else ("call of a value",))
                    return object.__new__(Stand)

                def __init__(self, *arguments: object, **keywords: object) -> None: ...

            return Stand

        def persistent_load(self, identity: object) -> object:
            self.events.append(("persistent",))
            return object()

    return Reader


# Opcodes with arguments, from which programs are made.
PIECES: list[bytes] = [
    *(b"(", b")", b"]", b"}", b"N", b"\x88", b"t", b"\x85", b"\x86", b"\x87", b"R", b"b", b"o", b"\x81", b"0", b"1", b"2", b"l", b"d", b"a", b"e", b"s", b"u", b"\x8f", b"\x90", b"\x91", b"\x93", b"\x94", b"Q"),
    *(b"cmod\nname\n", b"cother\nf\n", b"imod\nname\n", text("mod"), text("name"), b"U\x03mod", b"Vname\n", b"S'x'\n", b"I1\n", b"I010\n", b"Ix\n", b"L5L\n", b"F1.5\n", b"K\x07", b"J\xff\xff\xff\xff", b"Ptag\n", b"\x92", b".", b"\x80\x02", b"\x80\x04", b"C\x02ab", b"G" + b"\0" * 8),
    *(b"q\x00", b"q\x01", b"h\x00", b"h\x01", b"p0\n", b"g1\n", b"p1\0z\n", b"j\x01\0\0\0", b"r\x02\0\0\0", b"h\x02"),
    *(b"\x95\x04" + b"\0" * 7, b"\x8c\x03mod", b"\x8c\x04name", b"\x8d\x01" + b"\0" * 7 + b"x", b"X\x01\0\0\0x", b"\x8a\x01\x05"),
    *(b"\x8b\x01\0\0\0\x05", b"\x8e\x01" + b"\0" * 7 + b"x", b"\x96\x01" + b"\0" * 7 + b"x", b"B\x01\0\0\0x", b"T\x01\0\0\0x", b"M\x01\x02"),
    *(b"\x97", b"\x98", b"g0\n", b"p\n", b"I0x1f\n", b"I00\n", b"L-3\n", b'S"a\\x41"\n', b"V\\u0041\n", b"cmo", b"\x80\x05", b"\x80\x00"),
]  # fmt: skip


def disagreement(base: type, program: bytes) -> str:
    """What a real unpickler did with ``program`` and the machine did not say; empty when it said all."""
    ours = Record()
    trace = run_pickle(BytesView(program), 0, ours)
    if ours.refused:  # readers go on at different bytes, or take memory for what no stream holds
        return ""
    real = reader(base)(program)
    loaded = False
    with contextlib.suppress(Exception):  # whatever a real reader raises
        real.load()
        loaded = True
    if ours.events[: len(real.events)] != real.events:
        return f"it did {real.events}, and the machine says {ours.events}"
    if loaded and (not trace.stopped or ours.events != real.events):
        return f"it loaded and did {real.events}, and the machine says {ours.events}"
    return ""


def fuzzed(data: bytes) -> None:
    """A program of one piece for each byte, before both readers of Python."""
    program = b"".join(PIECES[byte % len(PIECES)] for byte in data[:200]) + b"."
    for base in (pickle.Unpickler, pickle._Unpickler):
        found = disagreement(base, program)
        if found:
            raise AssertionError(f"{base.__name__}, {program!r}: {found}")
