"""What is seen of a copy and its source while a program runs on it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assaymark.core.decision import Outcome, Reason
from assaymark.enforce.ruling import Ruling
from assaymark.enforce.watch import Watch, Watched
from assaymark.store import private_copy
from assaymark.store.private_copy import held_copy

PERMIT = Ruling(Outcome.PERMIT, (Reason("scan", Outcome.PERMIT),), 4_000_000_000)


def news(watch: Watch, watched: Watched, change: Callable[[], object], seconds: float = 3.0) -> list[object]:
    """What is told after a change, until something is or the time is over."""
    told: list[object] = []
    watch.start(watched, told.append)
    try:
        time.sleep(0.1)
        del told[:]
        change()
        deadline = time.monotonic() + seconds
        while not told and time.monotonic() < deadline:
            time.sleep(0.02)
        return told
    finally:
        watch.stop()


def unmet(told: list[object]) -> tuple[str, ...]:
    first = told[0]
    assert isinstance(first, Ruling), first
    return first.unmet


def test_bytes_that_no_inode_tells_of_are_found_by_reading_again(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that was written to beneath its file system."""
    watch = Watch(None, (), ())
    with held_copy(model) as copy:
        watched = Watched(copy, None, (), (), lambda: PERMIT, 30, until=4_000_000_000)
        assert watch.read_copy(watched) is None
        weights = copy.model / "model.safetensors"
        weights.chmod(0o600)
        weights.write_bytes(weights.read_bytes()[:-1] + b"?")
        watch.copied(copy)
        assert watch.look_at_copy(watched) is None
        found = watch.read_copy(watched)
        assert found is not None
        assert (found.outcome, found.unmet) == (Outcome.DENY, ("copy-changed",))


def test_a_copy_that_is_gone_is_a_changed_one(model: Path) -> None:
    watch = Watch(None, (), ())
    with held_copy(model) as copy:
        watch.copied(copy)
        private_copy.remove_tree(copy.folder)
        watched = Watched(copy, None, (), (), lambda: PERMIT, 30, until=4_000_000_000)
        for found in (watch.look_at_copy(watched), watch.read_copy(watched)):
            assert found is not None
            assert found.unmet == ("copy-changed",)


def test_a_source_that_changed_between_the_copy_and_the_start_is_noticed(model: Path) -> None:
    watch = Watch(model, (), ())
    with held_copy(model) as copy:
        watch.copied(copy)
        (model / "config.json").write_text("{}")
        told: list[object] = []
        watch.start(Watched(copy, model, (), (), lambda: PERMIT, 30, until=4_000_000_000), told.append)
        time.sleep(0.4)
        watch.stop()
    assert unmet(told) == ("source-changed",)


@pytest.mark.parametrize("how", ["removed", "added", "link", "gone"])
def test_a_source_is_its_set_of_files(model: Path, tmp_path: Path, how: str) -> None:
    watch = Watch(model, (), ())
    with held_copy(model) as copy:
        watch.copied(copy)
        watched = Watched(copy, model, (), (), lambda: PERMIT, 30, until=4_000_000_000)

        def change() -> None:
            match how:
                case "removed":
                    (model / ".notes").unlink()
                case "added":
                    (model / "more").touch()
                case "link":
                    (model / "passwd").symlink_to("/etc/passwd")
                case _:
                    model.rename(tmp_path / "gone")

        assert unmet(news(watch, watched, change)) == ("source-changed",)


def test_a_configuration_is_part_of_the_source(model: Path, tmp_path: Path) -> None:
    settings = tmp_path / "threshold.json"
    settings.write_text("5")
    watch = Watch(model, (settings,), ())
    with held_copy(model, (settings,)) as copy:
        watch.copied(copy)
        watched = Watched(copy, model, (settings,), (), lambda: PERMIT, 30, until=4_000_000_000)
        assert news(watch, watched, lambda: settings.write_text("5"), 0.8) == []
        watch = Watch(model, (settings,), ())
        watch.copied(copy)
        assert unmet(news(watch, watched, lambda: settings.write_text("6"))) == ("source-changed",)


def test_a_large_source_is_not_read_before_the_program_is_stopped(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assaymark.enforce.watch.WATCH_MAX_REHASH_BYTES", 50)
    watch = Watch(model, (), ())
    with held_copy(model) as copy:
        watch.copied(copy)
        watched = Watched(copy, model, (), (), lambda: PERMIT, 30, until=4_000_000_000)
        assert unmet(news(watch, watched, lambda: os.utime(model / "model.safetensors"))) == ("source-changed",)


def test_the_decision_is_asked_for_when_its_evidence_moves(model: Path, tmp_path: Path) -> None:
    evidence = tmp_path / "model.dossier"
    evidence.write_text("one")
    watch = Watch(None, (), (evidence,))
    with held_copy(model) as copy:
        watch.copied(copy)
        watched = Watched(copy, None, (), (evidence,), lambda: PERMIT, 30, until=4_000_000_000)
        assert news(watch, watched, lambda: evidence.write_text("two")) == [PERMIT]


def test_a_bug_of_ours_is_told_and_not_swallowed(model: Path, tmp_path: Path) -> None:
    evidence = tmp_path / "model.dossier"
    watch = Watch(None, (), (evidence,))
    with held_copy(model) as copy:
        watch.copied(copy)
        watched = Watched(copy, None, (), (evidence,), lambda: PERMIT.reasons[9], 30, until=4_000_000_000)
        (told,) = news(watch, watched, evidence.touch)
        assert isinstance(told, IndexError)
