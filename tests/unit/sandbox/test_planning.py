"""What the parent makes of a reader that was taken over: never a plan that it did not check."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assaymark.core.errors import InputError
from assaymark.sandbox import planning
from assaymark.sandbox.pool import Sandbox

ENGINES = """
import os, signal

def noise(view, path):
    yield from ()
    return {"plan": {"source": "torch-zip", "tensors": [["w", "F32", [1 << 40], [4], 0, 0]], "aliases": [],
                     "dropped": [], "metadata": {}, "left": 0, "pickled": False, "derived": 0,
                     "raw": []}}

def silent(view, path):
    os._exit(0)
    yield

def crash(view, path):
    os.kill(os.getpid(), signal.SIGSEGV)
    os._exit(9)
    yield

def fails(view, path):
    raise ValueError(path)
    yield

def lies(view, path):
    yield from ()
    return {"error": {"code": "../../etc", "message": "\\x1b[2J", "position": 3}}

def nothing(view, path):
    return {}
"""


@pytest.mark.parametrize(
    ("engine", "code"),
    [
        ("noise", "convert-plan"),
        ("silent", "convert-reader"),
        ("crash", "convert-reader"),
        ("fails", "convert-reader"),
        ("lies", "convert-reader"),
        ("nothing", "convert-reader"),
    ],
)
def test_only_a_checked_plan_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, code: str):
    (tmp_path / "engines.py").write_text(ENGINES)
    file = tmp_path / "model.pt"
    file.write_bytes(b"x" * 64)
    made = lambda **words: Sandbox(**(words | {"examiner": f"engines:{engine}", "search": (str(tmp_path),)}))  # noqa: E731
    monkeypatch.setattr(planning, "Sandbox", made)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        with pytest.raises(InputError) as caught:
            planning.plan_file("model.pt", descriptor)
    finally:
        os.close(descriptor)
    assert caught.value.code == code
    assert "\x1b" not in str(caught.value)


class Kept:
    """What an engine hands out, in memory."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def size(self) -> int:
        return len(self.data)

    def take_source(self) -> int:
        raise AssertionError("nothing was unpacked")


HANDING = """
import os
from assaymark.sandbox.wire import write_all

PLAN = {"source": "hdf5", "tensors": [["w", "U8", [4], [1], 64, 0]], "aliases": [], "dropped": [], "metadata": {},
        "left": 0, "pickled": False, "derived": 4, "raw": []}

def whole(view, path):
    yield b"ab"
    yield b"cd"
    return {"plan": PLAN}

def short(view, path):
    yield b"ab"
    return {"plan": PLAN}

def across(view, path):
    yield b"abcd"
    return {"plan": PLAN | {"tensors": [["w", "U8", [4], [1], 62, 0]]}}

def endless(view, path):
    while True:
        yield b"x" * (1 << 20)

def claims(view, path):
    yield b"ab"
    return {"unpacked": 3}

def breaks(view, path):
    yield b"ab"
    raise ValueError

def huge(view, path):
    write_all(4, b"\\xff\\xff\\xff\\xff" + b"x" * 64)
    os._exit(0)
    yield
"""


def handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, scratch: Kept | None) -> Kept | None:
    (tmp_path / "handing.py").write_text(HANDING)
    file = tmp_path / "model.h5"
    file.write_bytes(b"x" * 64)
    made = lambda **words: Sandbox(**(words | {"examiner": f"handing:{engine}", "search": (str(tmp_path),)}))  # noqa: E731
    monkeypatch.setattr(planning, "Sandbox", made)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        planning.plan_file("model.h5", descriptor, scratch=scratch)
    finally:
        os.close(descriptor)
    return scratch


def test_bytes_that_are_handed_out_arrive_before_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kept = handed(tmp_path, monkeypatch, "whole", Kept())
    assert kept is not None
    assert kept.data == b"abcd"


@pytest.mark.parametrize("engine", ["short", "across", "endless", "claims", "breaks", "huge"])
def test_a_reader_that_hands_out_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
):
    kept = Kept()
    with pytest.raises(InputError) as caught:
        handed(tmp_path, monkeypatch, engine, kept)
    assert caught.value.code in ("convert-plan", "convert-reader")
    assert len(kept.data) <= 64 << 20


def test_nobody_takes_bytes_that_were_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InputError) as caught:
        handed(tmp_path, monkeypatch, "whole", None)
    assert caught.value.code == "convert-reader"
