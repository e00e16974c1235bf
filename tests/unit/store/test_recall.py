"""A verifier's memory: what was seen is not unseen, and a damaged memory is said, not forgotten in silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assaymark.core.errors import InputError, VerificationError
from assaymark.store.recall import Recall

PIN, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def root_at(size: int) -> bytes:
    return bytes([size]) * 32


def test_an_older_or_another_root_is_refused(tmp_path: Path) -> None:
    Recall(tmp_path).see_root(PIN, 3, OTHER)
    Recall(tmp_path).see_root(PIN, 3, OTHER)
    with pytest.raises(VerificationError) as older:
        Recall(tmp_path).see_root(PIN, 2, OTHER)
    assert older.value.code == "root-rollback"
    with pytest.raises(VerificationError) as forked:
        Recall(tmp_path).see_root(PIN, 3, PIN)
    assert forked.value.code == "root-fork"
    Recall(tmp_path).see_root(OTHER, 1, OTHER)
    Recall(tmp_path).see_root(PIN, 4, PIN)


def test_a_shorter_or_another_log_is_refused(tmp_path: Path) -> None:
    Recall(tmp_path).see_tree("log", 5, root_at(5).hex(), root_at)
    Recall(tmp_path).see_tree("log", 9, root_at(9).hex(), root_at)
    with pytest.raises(VerificationError) as shorter:
        Recall(tmp_path).see_tree("log", 8, root_at(8).hex(), root_at)
    assert shorter.value.code == "log-rollback"
    with pytest.raises(VerificationError) as forked:
        Recall(tmp_path).see_tree("log", 12, root_at(12).hex(), lambda _: b"x" * 32)
    assert forked.value.code == "log-fork"


@pytest.mark.parametrize(
    "entry", [{"version": "1"}, {}, {"version": 1}, [], "text", {"version": True, "digest": PIN}, None]
)
def test_a_damaged_memory_is_said(tmp_path: Path, entry: object) -> None:
    (tmp_path / "seen.json").write_text(
        json.dumps({"format": "assaymark:recall/v1", "roots": {PIN: entry}, "trees": {}})
    )
    with pytest.raises(InputError) as damaged:
        Recall(tmp_path).see_root(PIN, 1, OTHER)
    assert damaged.value.code == "recall-form"
    assert "seen.json" in str(damaged.value)


def test_nowhere_to_remember_is_said_and_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    recall = Recall(tmp_path / "file" / "below")
    recall.see_root(PIN, 1, OTHER)
    assert any("remembered" in note for note in recall.notes)


def test_a_user_without_a_home_is_told_that_nothing_is_remembered() -> None:
    recall = Recall(None)
    recall.see_root(PIN, 1, OTHER)
    recall.see_tree("log", 5, root_at(5).hex(), root_at)
    assert "nothing is remembered" in recall.notes[0]
