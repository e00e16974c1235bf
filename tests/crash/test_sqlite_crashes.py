"""The log in SQLite, after a power cut at each write and flush, in every state that it may leave."""

import random

import pytest
from tests.crash.disk import write_tree
from tests.crash.recorder import Recorder
from tests.crash.vfs import Vfs, failed, full
from tests.support.logs import SIGNER, make_log, make_test_envelope

from assaymark.core.errors import UnavailableError
from assaymark.store import sqlite_file
from assaymark.store.log_store import LogStore


class SqliteRecorder(Recorder):
    store = "sqlite"

    def __init__(self, root, monkeypatch, **options):
        super().__init__(root, monkeypatch, **options)
        self.vfs = Vfs(self.disk)
        monkeypatch.setattr(sqlite_file, "connect", self.vfs.connect)

    def see(self):
        """A commit is seen only after its flush; what is acknowledged was seen."""

    def append(self, start, end):
        super().append(start, end)
        log = LogStore.open(self.folder)
        checkpoint = log.checkpoint()[1]
        self.seen[checkpoint.size] = checkpoint.root_hash
        log.close()


def test_every_cut_of_a_new_log_and_its_first_batches(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        record = SqliteRecorder(tmp_path / "disk", patch)
        record.create()
        record.append(0, 1)
        record.append(1, 4)
        record.append(0, 6)
    assert len(record.states) > 300
    record.check(tmp_path / "state")


def test_cuts_within_a_long_life(tmp_path, monkeypatch):
    """One connection: the write-ahead log is copied back and begun anew while the next batches come."""
    with monkeypatch.context() as patch:
        record = SqliteRecorder(tmp_path / "disk", patch, every=4)
        record.create()
        record.states.clear()
        log = LogStore.open(record.folder)
        for number in range(12):
            (index,) = log.append([make_test_envelope(number)], 1_777_636_800, SIGNER)
            record.acknowledged[number] = index
            record.keep()
        log.close()
    assert len(record.states) > 100
    record.check(tmp_path / "state")


def test_cuts_where_tiles_become_full(tmp_path, monkeypatch):
    make_log(tmp_path / "disk" / "log", 254, "sqlite").close()
    with monkeypatch.context() as patch:
        record = SqliteRecorder(tmp_path / "disk", patch, every=12)
        record.acknowledged = {number: number for number in (0, 100, 253)}
        record.append(254, 258)
        record.append(258, 259)
    assert len(record.states) > 30
    record.check(tmp_path / "state")


@pytest.mark.parametrize("seed", range(4))
def test_cuts_one_after_another(tmp_path, monkeypatch, seed):
    chance = random.Random(seed)
    root, promised, number = tmp_path / "disk-0", ({}, {}), 0
    make_log(root / "log", 0, "sqlite").close()
    for life in range(1, 7):
        with monkeypatch.context() as patch:
            record = SqliteRecorder(root, patch, seed=chance.random())
            record.acknowledged, record.seen = promised
            for _ in range(2):
                end = number + chance.choice((1, 2, 5))
                record.append(number, end)
                number = end
        tree, *promised, made, note = chance.choice(list(record.states.values()))
        record.states = {0: (tree, *promised, made, note)}
        record.check(tmp_path / "copy")
        root = tmp_path / f"disk-{life}"
        write_tree(tree, root)


@pytest.mark.parametrize(("error", "code"), [(full, "disk-full"), (failed, "store-io")])
@pytest.mark.parametrize("lasts", [False, True])
def test_an_error_at_each_call(tmp_path, monkeypatch, error, code, lasts):
    """What fails is said, what was acknowledged is there, and the next append works, after a power cut too."""
    refused, at, reached = 0, 0, True
    while reached:
        with monkeypatch.context() as patch:
            record = SqliteRecorder(tmp_path / f"disk-{at}", patch, every=0)
            record.create()
            record.append(0, 2)
            first, reached = record.disk.calls + at, False

            def fault(call, name, first=first):
                nonlocal reached
                if call == first or (lasts and call > first):
                    reached = True
                    raise error(name)

            record.disk.fault = fault
            log = LogStore.open(record.folder)
            try:
                record.acknowledged[2] = log.append([make_test_envelope(2)], 1_777_636_800, SIGNER)[0]
            except UnavailableError as refusal:
                assert (refusal.code, bool(refusal.source), bool(refusal.remedy)) == (code, True, True)
                refused += 1
            record.disk.fault = None
            record.keep()
            record.acknowledged[3] = log.append([make_test_envelope(3)], 1_777_636_800, SIGNER)[0]
            log.close()
            record.keep()
            record.append(2, 5)
        record.check(tmp_path / "state")
        at += 1
    assert refused >= 5
