"""Real unpicklers as oracles, in a child: what executes is caught, and what passes imports nothing unexpected.

The differential test feeds random opcode soups to CPython's C and Python unpicklers with harmless stand-ins for
globals: everything they import or call must be among the machine's events, in the same order.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.asm import BUILD, EMPTY_DICT, STACK_GLOBAL, STOP, TUPLE1, call, frame, glob, proto, text

from assaymark.core.report import ScanOutcome
from assaymark.core.view import BytesView
from assaymark.formats.pickle.names import loaded_name
from assaymark.formats.pickle.run import run_pickle
from assaymark.formats.pickle.values import COMPUTED, Global
from assaymark.scanning.examine import examine
from assaymark.scanning.pickle.permits import PERMITS

MODELS = Path(__file__).parents[1] / "vectors" / "models"


def executes(data: bytes, folder: Path) -> bool:
    """Whether loading ``data`` in a child makes the file ``ran``; the payload does nothing else."""
    marker = folder / "ran"
    marker.unlink(missing_ok=True)
    code = "import pickle, sys\ntry:\n    pickle.loads(sys.stdin.buffer.read())\nexcept BaseException:\n    pass"
    subprocess.run([sys.executable, "-I", "-c", code], input=data, cwd=folder, check=True, stderr=subprocess.DEVNULL)
    return marker.exists()


MAKE = text("open('ran','w')")
EXEC = call("builtins", "exec", MAKE)
LIVE = {
    "at once": proto(2) + EXEC + STOP,
    "before a break": proto(2) + EXEC + b"\xff",
    "cut off": proto(2) + EXEC,
    "in a frame": proto(4) + frame(EXEC + STOP),
    "INST": b"(X\x0f\x00\x00\x00open('ran','w')i__builtin__\nexec\n.",
    "OBJ": proto(2) + b"(" + glob("builtins", "exec") + MAKE + b"o.",
    "through getattr": proto(4) + call("builtins", "getattr", glob("builtins", "__dict__"), text("get")) + text("exec") + TUPLE1 + b"R" + MAKE + TUPLE1 + b"R" + STOP,
    "a dotted name": proto(4) + text("collections") + text("_sys.modules.get") + STACK_GLOBAL + text("builtins") + TUPLE1 + b"R0" + EXEC + STOP,
    "through a text computed on the stack": proto(4) + call("builtins", "str", text("builtins")) + text("exec") + STACK_GLOBAL + MAKE + TUPLE1 + b"R" + STOP,
    "map over a list": proto(4) + call("builtins", "list", call("builtins", "map", glob("builtins", "exec"), b"]" + MAKE + b"a")) + STOP,
    "BUILD into __setstate__": proto(2) + glob("types", "SimpleNamespace") + b")R" + EMPTY_DICT + b"(" + text("__setstate__") + glob("builtins", "exec") + b"u" + BUILD + MAKE + BUILD + STOP,
    "functools.partial": proto(2) + call("functools", "partial", glob("builtins", "exec"), MAKE) + b")R" + STOP,
}  # fmt: skip


@pytest.mark.parametrize("name", LIVE)
def test_what_executes_is_caught(name: str, tmp_path: Path) -> None:
    data = LIVE[name]
    assert executes(data, tmp_path), "the payload must be live for the test to mean something"
    for shown in ("model.pkl", "notes.txt", "no-extension"):
        assert examine(BytesView(data), shown).outcome() is ScanOutcome.FAIL


class _Record:
    """Stands for the values in ``run_pickle`` and writes down imports and calls of imports."""

    def __init__(self) -> None:
        self.events: list[tuple[str, ...]] = []

    def on_global(self, found: Global) -> object:
        self.events.append(("import", found.module, found.name))
        return found

    def on_call(self, function: object, arguments: object, opcode: str, offset: int) -> object:
        if isinstance(function, Global):
            self.events.append(("call", function.module, function.name))
        return COMPUTED

    def on_persistent(self, identity: object, opcode: str, offset: int) -> object:
        self.events.append(("persistent",))
        return COMPUTED

    def on_build(self, target: object, state: object, offset: int, frame_end: int) -> None: ...
    def on_mutate(self, target: object, items: list[object], opcode: str, offset: int) -> None: ...
    def on_extension(self, code: int, opcode: str, offset: int) -> object:
        return COMPUTED

    def on_buffer(self, offset: int) -> object:
        return COMPUTED

    def on_reserve(self, length: int, opcode: str, offset: int) -> None: ...


def _reader(base: type) -> type:
    class Reader(base):  # type: ignore[misc, valid-type]
        def __init__(self, data: bytes) -> None:
            super().__init__(io.BytesIO(data))
            self.events: list[tuple[str, ...]] = []

        def find_class(self, module: str, name: str) -> object:
            events = self.events
            events.append(("import", module, name))  # as written: no name that readers rename is drawn

            class Stand:
                def __new__(cls, *arguments: object, **keywords: object) -> object:
                    events.append(("call", module, name))
                    return object.__new__(cls)

                def __init__(self, *arguments: object, **keywords: object) -> None: ...

            return Stand

        def persistent_load(self, identity: object) -> object:
            self.events.append(("persistent",))
            return object()

    return Reader


PIECES = st.one_of(
    st.sampled_from([b"(", b")", b"]", b"}", b"N", b"\x88", b"t", b"\x85", b"\x86", b"\x87", b"R", b"b", b"o", b"\x81", b"0", b"1", b"2", b"l", b"d", b"a", b"e", b"s", b"u", b"\x8f", b"\x90", b"\x91", b"\x93", b"\x94", b"Q"]),
    st.sampled_from([b"cmod\nname\n", b"cother\nf\n", b"imod\nname\n", text("mod"), text("name"), b"U\x03mod", b"Vname\n", b"S'x'\n", b"I1\n", b"I010\n", b"Ix\n", b"L5L\n", b"F1.5\n", b"K\x07", b"J\xff\xff\xff\xff", b"Ptag\n", b"\x92", b".", b"\x80\x02", b"\x80\x04", b"C\x02ab", b"G" + b"\0" * 8]),
    st.sampled_from([b"q\x00", b"q\x01", b"h\x00", b"h\x01", b"p0\n", b"g1\n", b"p1\0z\n", b"j\x01\0\0\0", b"r\x02\0\0\0", b"h\x02"]),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=25).map(b"".join))
@pytest.mark.parametrize("base", [pickle.Unpickler, pickle._Unpickler])
def test_the_machine_sees_whatever_a_real_reader_does(base: type, data: bytes) -> None:
    real = _reader(base)(data + b".")
    try:
        real.load()
        loaded = True
    except Exception:  # noqa: BLE001 - whatever a real reader raises
        loaded = False
    ours = _Record()
    trace = run_pickle(BytesView(data + b"."), 0, ours)
    assert ours.events[: len(real.events)] == real.events
    if loaded:
        assert trace.stopped
        assert ours.events == real.events


@pytest.mark.parametrize("data", [b"cmod\nname~", b"cmod\n", b"cmod~", b"(imod\nname~"])
def test_the_machine_sees_what_pickle_py_imports_at_the_end_of_a_file(data: bytes) -> None:
    real = _reader(pickle._Unpickler)(data)
    with contextlib.suppress(Exception):  # the end of the file
        real.load()
    assert real.events
    ours = _Record()
    assert not run_pickle(BytesView(data), 0, ours).sound
    assert ours.events[: len(real.events)] == real.events


def test_real_models_that_pass_import_only_what_the_table_names() -> None:
    seen = set()
    for path in sorted(MODELS.glob("*.pkl")):
        if examine(BytesView(path.read_bytes()), path.name).outcome() is not ScanOutcome.PASS:
            continue
        real = _reader(pickle._Unpickler)(path.read_bytes())
        with contextlib.suppress(Exception):  # the stand-ins are no arrays
            real.load()
        seen |= {event[1:] for event in real.events if event[0] == "import"}
    assert seen
    assert {loaded_name(*name, 2) for name in seen} <= set(PERMITS)
