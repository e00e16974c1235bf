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
    assert "Recorded digits by service" in told.stdout
    assert "every link holds, back to digits-data" in told.stdout
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


def test_a_model_among_what_an_earlier_run_made_is_not_deleted(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    assert run_demo("--out", out, "--model", make_model(tmp_path)).returncode == 0
    model = make_model(out, "mine")
    for named in (model, out, tmp_path):
        told = run_demo("--out", out, "--model", named)
        assert told.returncode == 1
        assert "nothing was changed" in told.stderr
        assert (model / "model.safetensors").exists()
        assert (out / "workspace").exists()


def test_a_mistyped_model_leaves_the_earlier_run_alone(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    assert run_demo("--out", out, "--model", make_model(tmp_path)).returncode == 0
    told = run_demo("--out", out, "--model", tmp_path / "modle")
    assert told.returncode == 1
    assert "modle" in told.stderr
    assert (out / "model.dossier").exists()


def test_what_is_no_model_is_not_said_to_be_in_the_log(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    told = run_demo("--out", tmp_path / "demo", "--model", empty)
    assert told.returncode == 1
    assert "manifest-empty" in told.stdout
    assert "The refusal is in the log" not in told.stdout
    assert "nothing about it was logged" in told.stderr


def test_make_hands_on_a_path_with_quotes_and_dollars(tmp_path: Path) -> None:
    path = tmp_path / 'a "b" `c`'
    said = subprocess.run(
        ["make", "--dry-run", "--always-make", "run", f"MODEL={path}", "BIN=echo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert '--model "$MODEL"' in said.stdout
