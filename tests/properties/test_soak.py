"""The soak finds what it looks for: a planted bug behind a branch, a slow call, and an input that it keeps."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from tests import soak


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(soak, "OUT", tmp_path)


def planted(data: bytes) -> None:
    if data.startswith(b"{") and b"sha256:" in data:
        raise ValueError("planted")


def run(fuzz, seeds=(), seconds=10.0) -> soak.Row:
    return soak.Fuzzing("planted", SimpleNamespace(fuzz=fuzz, SEEDS=list(seeds)), 1).run(seconds)


def test_a_bug_is_found_and_its_input_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(soak, "MAX_FAILURES", 1)
    row = run(planted, [b"{}"])
    assert len(row.failures) == 1
    (kept,) = (file for file in tmp_path.iterdir() if file.suffix != ".txt")
    with pytest.raises(ValueError, match="planted"):
        planted(kept.read_bytes())
    assert "planted" in kept.with_suffix(".txt").read_text()


def test_a_call_that_takes_long_is_a_failure(monkeypatch):
    monkeypatch.setattr(soak, "SLOW_SECONDS", 0.01)
    monkeypatch.setattr(soak, "MAX_FAILURES", 1)
    row = run(lambda data: time.sleep(0.02))
    assert row.failures
    assert row.worst > 0.01


def test_inputs_that_reach_new_lines_are_kept(monkeypatch):
    from tests.fuzz import canonical_json

    row = soak.Fuzzing("kept", SimpleNamespace(fuzz=canonical_json.fuzz, SEEDS=[b"0"]), 1).run(0.5)
    assert row.kept > 1
    assert not row.failures


@pytest.mark.parametrize(("failures", "code"), [([], 0), (["out/x"], 1)])
def test_the_exit_code_says_whether_anything_failed(monkeypatch, capsys, failures, code):
    monkeypatch.setattr(
        soak, "targets", lambda seed: {"one": lambda seconds: soak.Row("one", 1, 1.0, failures=failures)}
    )
    monkeypatch.setenv("SOAK_SECONDS", "1")
    assert soak.main([]) == code
    assert "inputs/s" in capsys.readouterr().out


def test_a_target_that_is_not_there_is_no_success():
    assert soak.main(["no-such-target"]) == 2


def test_every_module_with_fuzz_is_a_target():
    assert {"dossier", "canonical_json", "policy_document"} <= set(soak.targets(1))
