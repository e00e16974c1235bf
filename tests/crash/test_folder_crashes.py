"""The log in a folder, after a power cut at each call to the operating system, in every state that it may leave."""

import contextlib
import os
import random
import shutil

import pytest
from tests.crash.disk import ALL, NAMES, NONE, RANDOM, TORN, PowerCutError, write_tree
from tests.crash.recorder import Recorder
from tests.crash.sound import expect_sound
from tests.support.logs import make_log

from assaymark.core.errors import AssaymarkError


def test_every_cut_of_a_new_log_and_its_first_batches(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        record = Recorder(tmp_path / "disk", patch)
        record.create()
        record.append(0, 1)
        record.append(1, 4)
        record.append(0, 6)
    assert len(record.states) > 300
    record.check(tmp_path / "state")


def test_cuts_where_tiles_become_full(tmp_path, monkeypatch):
    make_log(tmp_path / "disk" / "log", 254).close()
    with monkeypatch.context() as patch:
        record = Recorder(tmp_path / "disk", patch, every=12)
        record.acknowledged = {number: number for number in (0, 100, 253)}
        record.append(254, 255)
        record.append(255, 258)
        record.append(258, 259)
    assert len(record.states) > 30
    record.check(tmp_path / "state")


@pytest.mark.parametrize("seed", range(6))
def test_cuts_and_kills_one_after_another(tmp_path, monkeypatch, seed):
    """What a cut leaves is what the next writer begins with; a kill leaves all of it, and nothing of it durable."""
    chance = random.Random(seed)
    make_log(tmp_path / "disk-0" / "log").close()
    acknowledged, seen, number = {}, {}, 0
    root = tmp_path / "disk-0"
    for life in range(1, 9):
        with monkeypatch.context() as patch:
            record = Recorder(root, patch, seed=chance.random(), every=0)
            record.acknowledged, record.seen = acknowledged, {**seen, **record.seen}
            for _ in range(chance.randrange(1, 4)):
                record.disk.cut_at = record.disk.calls + chance.randrange(70)
                end = number + chance.choice((1, 2, 5))
                with contextlib.suppress(PowerCutError):
                    record.append(number, end)
                number = end
            record.disk.cut_at = None
            acknowledged, seen = record.acknowledged, record.seen
            tree = record.disk.state(chance.choice((NONE, ALL, TORN, NAMES, *[RANDOM] * 4)), chance)
        root = tmp_path / f"disk-{life}"
        write_tree(tree, root)
        shutil.copytree(root, tmp_path / "copy")
        expect_sound(tmp_path / "copy" / "log", acknowledged, seen, note=f"life {life}")
        shutil.rmtree(tmp_path / "copy")


def test_a_writer_that_is_killed_and_another_one_before_the_power_fails(tmp_path, monkeypatch):
    """The first leaves names that nobody has flushed; the second must not take them for durable."""
    kill, killed = 0, True
    while killed:
        root = tmp_path / f"disk-{kill}"
        with monkeypatch.context() as patch:
            record = Recorder(root, patch, every=0)
            record.create()
            record.disk.cut_at = record.disk.calls + kill
            try:
                record.append(0, 2)
                killed = False
            except PowerCutError:
                record.disk.cut_at = None
                record.append(0, 2)
            record.disk.cut_at = None
        record.check(tmp_path / "state")
        shutil.rmtree(root)
        kill += 1
    assert kill > 40


@pytest.mark.parametrize("seed", range(3))
def test_errors_and_then_a_cut(tmp_path, monkeypatch, seed):
    """A call that fails, once or from then on; then the append is tried again, and the power fails."""
    chance = random.Random(seed)
    with monkeypatch.context() as patch:
        record = Recorder(tmp_path / "disk", patch, every=0)
        record.create()
        for number in range(12):
            start, lasts = record.disk.calls + chance.randrange(40), chance.random() < 0.5
            code = chance.choice((5, 28, 30))

            def fault(call, name, start=start, lasts=lasts, code=code):
                if call == start or (lasts and call > start):
                    raise OSError(code, os.strerror(code))

            record.disk.fault = fault
            try:
                record.append(number, number + 1)
            except AssaymarkError as error:
                assert (error.code, bool(error.remedy)) in {
                    ("store-io", True),
                    ("disk-full", True),
                    ("store-read-only", True),
                }
            record.disk.fault = None
            record.keep()
            if chance.random() < 0.5:
                record.append(number, number + 1)
    assert len(record.states) > 40
    record.check(tmp_path / "state")
