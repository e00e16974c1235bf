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
from tests.support.oracle import PIECES, Record, disagreement, reader

from assaymark.core.report import ScanOutcome
from assaymark.core.view import BytesView
from assaymark.formats.pickle.names import loaded_name
from assaymark.formats.pickle.run import run_pickle
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


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join))
@pytest.mark.parametrize("base", [pickle.Unpickler, pickle._Unpickler])
def test_the_machine_sees_whatever_a_real_reader_does(base: type, data: bytes) -> None:
    assert disagreement(base, data + b".") == ""


@pytest.mark.parametrize("data", [b"cmod\nname~", b"cmod\n", b"cmod~", b"(imod\nname~"])
def test_the_machine_sees_what_pickle_py_imports_at_the_end_of_a_file(data: bytes) -> None:
    real = reader(pickle._Unpickler)(data)
    with contextlib.suppress(Exception):  # the end of the file
        real.load()
    assert real.events
    ours = Record()
    assert not run_pickle(BytesView(data), 0, ours).sound
    assert ours.events[: len(real.events)] == real.events


def test_real_models_that_pass_import_only_what_the_table_names() -> None:
    seen = set()
    for path in sorted(MODELS.glob("*.pkl")):
        if examine(BytesView(path.read_bytes()), path.name).outcome() is not ScanOutcome.PASS:
            continue
        real = reader(pickle._Unpickler)(path.read_bytes())
        with contextlib.suppress(Exception):  # the stand-ins are no arrays
            real.load()
        seen |= {event[1:] for event in real.events if event[0] == "import"}
    assert seen
    assert {loaded_name(*name, 2) for name in seen} <= set(PERMITS)


def test_a_frame_that_ends_within_a_name_hides_what_c_imports(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    # CPython's C reader drops what it has read ahead when a line goes on behind the frame: it imports "builtins".
    rest = b"builtins\nprint\n" + text("this ran") + TUPLE1 + b"R."
    data = b"\x80\x04\x95" + (12).to_bytes(8, "little") + b"ccollections" + rest
    pickle.load(io.BytesIO(data))
    assert capfd.readouterr().out == "this ran\n"
    report = examine(BytesView(data), "model.pkl")
    assert "pickle-unsafe-use" in {finding.rule for finding in report.findings}
    assert report.outcome() is ScanOutcome.FAIL
