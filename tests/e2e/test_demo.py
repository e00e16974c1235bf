"""`make run`: the whole story, on the bundled data and on a model of one's own."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.cli import make_model

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo.py"


def run_demo(*words: str | Path) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("ASSAYMARK_")}
    return subprocess.run(
        [sys.executable, str(DEMO), *map(str, words)], capture_output=True, text=True, env=env, check=False
    )


@pytest.mark.skipif(importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed")
def test_the_whole_story_on_the_digits(tmp_path: Path) -> None:
    told = run_demo("--out", tmp_path / "demo")
    assert told.returncode == 0, told.stdout + told.stderr
    for word in ("% of held-out digits right", "not yet admitted", "PERMIT", "DENY", "demonstration on one machine"):
        assert word in told.stdout
    assert "contained since" in told.stdout
    assert "model.safetensors: changed" in told.stdout
    assert "REDUCE at byte" in told.stdout
    assert not (tmp_path / "demo" / "the-payload-ran").exists()
    for name in ("workspace", "model.dossier", "decision.tlog-proof", "root.txt"):
        assert (tmp_path / "demo" / name).exists()
    again = run_demo("--out", tmp_path / "demo")
    assert again.returncode == 0, "a second run replaces the first"


def test_a_model_of_ones_own(tmp_path: Path) -> None:
    told = run_demo("--out", tmp_path / "demo", "--model", make_model(tmp_path))
    assert told.returncode == 0, told.stdout + told.stderr
    assert "What happened" in told.stdout


def test_a_model_of_ones_own_that_is_not_clean_is_told_so(tmp_path: Path) -> None:
    model = tmp_path / "weights.pkl"
    model.write_bytes(pickle.dumps(run_demo))
    told = run_demo("--out", tmp_path / "demo", "--model", model)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "The scan is not clean" in told.stdout
    assert "pickle-unknown-global" in told.stdout


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    told = run_demo("--out", tmp_path)
    assert told.returncode != 0
    assert (tmp_path / "thesis.txt").exists()
