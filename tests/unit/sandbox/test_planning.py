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
    return {"plan": {"source": "torch-zip", "tensors": [["w", "F32", [1 << 40], [4], 0, 0]], "aliases": [],
                     "dropped": [], "metadata": {}, "left": 0, "pickled": False}}

def silent(view, path):
    os._exit(0)

def crash(view, path):
    os.kill(os.getpid(), signal.SIGSEGV)
    os._exit(9)

def fails(view, path):
    raise ValueError(path)

def lies(view, path):
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
