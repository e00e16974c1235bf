"""Whatever is changed in the log's folder, check names it, goes on, and raises nothing."""

import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.logs import NOW, SIGNER, make_log, make_signer, make_test_envelope

from assaymark.core.errors import InputError
from assaymark.store.log_store import LogStore, Problem
from assaymark.tlog.checkpoint import Checkpoint, sign_checkpoint
from assaymark.tlog.leaf import Leaf, format_leaf
from assaymark.tlog.merkle import leaf_hash, tree_root
from assaymark.tlog.tiles import format_bundle, parse_bundle

SIZE = 520
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "log"
    log = make_log(folder)
    log.append([make_test_envelope(i) for i in range(7)], NOW, SIGNER)
    log.append([make_test_envelope(i) for i in range(SIZE)], NOW, SIGNER)
    log.close()
    assert LogStore.open(folder).check(SIGNER.verifier) == []
    return folder


@pytest.fixture
def log(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "log")
    return LogStore.open(tmp_path / "log")


def _flip(path, offset=None, bit=0):
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if offset is None else offset] ^= 1 << bit
    path.chmod(0o644)
    path.write_bytes(bytes(data))


def _blob(log, number):
    name = hashlib.sha256(make_test_envelope(number)).hexdigest()
    return log.folder / "blobs" / name[:2] / name[2:]


def _whats(problems, index):
    return [problem.what for problem in problems if problem.index == index]


def test_a_flipped_bit_in_each_kind_of_file(log):
    for name, index in [
        ("tile/0/000", 128),
        ("tile/0/001", 384),
        ("tile/0/002.p/8", 516),
        ("tile/1/000.p/2", 256),
        ("tile/entries/001", None),
        ("tile/entries/002.p/8", None),
        ("checkpoint", None),
        ("checkpoints/007", None),
    ]:
        path = log.folder / name
        original = path.read_bytes()
        _flip(path)
        problems = LogStore.open(log.folder).check(SIGNER.verifier)
        assert problems, name
        assert any(name in problem.what or "entry" in problem.what for problem in problems), problems
        if index is not None:
            assert _whats(problems, index), problems
        path.write_bytes(original)
    assert log.check(SIGNER.verifier) == []


def test_every_flipped_bit_of_a_bundle_is_named_by_its_entry(log):
    path = log.folder / "tile/entries/002.p/8"
    original = path.read_bytes()
    width = len(original) // 8
    for offset in range(0, len(original), 37):
        _flip(path, offset, bit=offset % 8)
        problems = LogStore.open(log.folder).check(SIGNER.verifier)
        assert problems
        if offset % width >= 2:
            assert _whats(problems, 512 + offset // width), (offset, problems)
        path.write_bytes(original)


def test_an_earlier_partial_tile_that_was_changed(log):
    log.append([make_test_envelope(SIZE)], NOW, SIGNER)
    for name in ("tile/0/002.p/8", "tile/entries/002.p/8", "tile/1/000.p/2"):
        path = log.folder / name
        original = path.read_bytes()
        _flip(path)
        assert any(name in problem.what for problem in log.check(SIGNER.verifier)), name
        path.write_bytes(original)
    assert log.check(SIGNER.verifier) == []


def test_a_changed_and_a_missing_envelope_are_both_named(log):
    _flip(_blob(log, 3))
    _blob(log, 400).unlink()
    problems = log.check(SIGNER.verifier)
    assert [problem.index for problem in problems] == [3, 400]
    assert "are not those of" in problems[0].what
    assert "is not in the store" in problems[1].what


def test_missing_tiles_are_named_and_the_rest_is_checked(log):
    (log.folder / "tile/entries/001").unlink()
    (log.folder / "tile/0/001").unlink()
    _flip(_blob(log, 519))
    problems = log.check(SIGNER.verifier)
    assert {problem.index for problem in problems} == {256, 519, None}
    assert any("root was not computed" in what for what in _whats(problems, None))


def test_a_missing_bundle_alone_leaves_the_tree_computed(log):
    (log.folder / "tile/entries/000").unlink()
    problems = log.check(SIGNER.verifier)
    assert {problem.index for problem in problems} == {0}


def test_entries_and_hashes_changed_together_do_not_reach_the_signed_root(log):
    path = log.folder / "tile/entries/002.p/8"
    entries = list(parse_bundle(path.read_bytes(), 8))
    entries[2] = format_leaf(Leaf("sha256:" + hashlib.sha256(make_test_envelope(1)).hexdigest(), NOW))
    path.write_bytes(format_bundle(entries))
    (log.folder / "tile/0/002.p/8").write_bytes(b"".join(leaf_hash(entry) for entry in entries))
    problems = log.check(SIGNER.verifier)
    assert "checkpoint: its root is not that of the entries" in _whats(problems, None)


def test_a_checkpoint_of_another_key_is_named_and_the_rest_is_still_checked(log):
    _flip(_blob(log, 3))
    problems = log.check(make_signer(seed=9).verifier)
    assert any(what.startswith("checkpoint: signed by no known key") for what in _whats(problems, None))
    path = log.folder / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n520\n", b"\n999999999999\n"))
    problems = log.check(SIGNER.verifier)
    assert any("does not belong to this text" in what for what in _whats(problems, None))
    assert any("checked up to the kept checkpoint of 7" in what for what in _whats(problems, None))
    assert _whats(problems, 3)


def test_a_log_rolled_back_or_forked_behind_its_kept_checkpoints(log):
    note = (log.folder / "checkpoint").read_bytes()
    kept = log.folder / "checkpoints/007"
    (log.folder / "checkpoints/520").write_bytes(note)
    (log.folder / "checkpoint").write_bytes(kept.read_bytes())
    problems = log.check(SIGNER.verifier)
    assert any("rolled back" in what for what in _whats(problems, None))
    (log.folder / "checkpoint").write_bytes(note)
    forked = Checkpoint(SIGNER.verifier.name, 7, tree_root([bytes(32)] * 7))
    kept.unlink()
    kept.write_bytes(sign_checkpoint(forked, SIGNER))
    problems = log.check(SIGNER.verifier)
    assert any("another history" in what for what in _whats(problems, None))


def test_time_order_and_form_of_entries(tmp_path):
    log = make_log(tmp_path / "log", 3)
    log.append([make_test_envelope(3)], NOW + 60, SIGNER)
    path = tmp_path / "log/tile/entries/000.p/4"
    entries = list(parse_bundle(path.read_bytes(), 4))
    entries[1], entries[3] = entries[3], b"not an entry"
    path.write_bytes(format_bundle(entries))
    problems = LogStore.open(tmp_path / "log").check(SIGNER.verifier)
    assert any("malformed" in what for what in _whats(problems, 3))
    assert any("after an entry of 2026-05-01T12:01:00Z" in what for what in _whats(problems, 2))


def test_index_rows_that_are_wrong_missing_or_too_many(log):
    connection = sqlite3.connect(log.folder / "index.sqlite")
    connection.execute("UPDATE entries SET predicate_type = 'assaymark:other/v1' WHERE position = 5")
    connection.execute("DELETE FROM subjects WHERE position = 6")
    connection.execute("DELETE FROM entries WHERE position = 7")
    connection.execute("DELETE FROM subjects WHERE position = 7")
    connection.execute("DELETE FROM terms WHERE position = 7")
    connection.execute("INSERT INTO entries VALUES (900, 'sha256:00', 'assaymark:other/v1', '')")
    connection.commit()
    connection.close()
    problems = log.check(SIGNER.verifier)
    assert [problem.index for problem in problems] == [5, 6, 7, None]
    assert "missing" in _whats(problems, 7)[0]
    assert "900" in _whats(problems, None)[0]
    log.rebuild_index()
    assert log.by_predicate("assaymark:other/v1", 999) == []
    assert log.check(SIGNER.verifier) == []


def test_a_damaged_index_is_named_and_no_reason_to_doubt_the_log(log):
    (log.folder / "index.sqlite").write_bytes(b"no database" * 1000)
    problems = log.check(SIGNER.verifier)
    assert [problem.index for problem in problems] == [None]
    assert "index.sqlite: damaged" in problems[0].what


def test_an_index_whose_maker_was_killed_at_once_is_behind_and_not_damaged(log):
    (log.folder / "index.sqlite").write_bytes(b"")
    assert log.check(SIGNER.verifier) == []


def test_random_damage_is_always_named_and_never_raised(log):
    chance = random.Random(11)  # noqa: S311 - which bits to flip
    paths = sorted(
        path for path in log.folder.rglob("*") if path.is_file() and not path.name.startswith(("index.", "lock"))
    )
    for _ in range(25):
        path = chance.choice(paths)
        original = path.read_bytes()
        _flip(path, chance.randrange(len(original)), chance.randrange(8))
        assert LogStore.open(log.folder).check(SIGNER.verifier), path
        path.write_bytes(original)


def test_what_a_higher_floor_finds_is_added_by_index(log):
    seen = []

    def examine(index, envelope):
        seen.append((index, envelope))
        if index == 9:
            return ["a signature that does not verify"]
        if index == 10:
            raise InputError("some-code", "broken reference")
        return []

    progress = []
    problems = log.check(SIGNER.verifier, lambda done, total: progress.append((done, total)), examine)
    assert problems == [Problem(9, "a signature that does not verify"), Problem(10, "broken reference")]
    assert [index for index, _ in seen] == list(range(SIZE))
    assert progress == [(256, SIZE), (512, SIZE), (SIZE, SIZE)]


def test_a_check_writes_nothing(log):
    shutil.rmtree(log.folder / "staging", ignore_errors=True)
    (log.folder / "index.sqlite").unlink()
    before = sorted(log.folder.rglob("*"))
    log.check(SIGNER.verifier)
    assert sorted(log.folder.rglob("*")) == before


def test_a_sound_log_on_a_read_only_disk_is_sound(tmp_path):
    """A mount is what refuses root too; where the kernel grants none there is nothing to try."""
    log = make_log(tmp_path / "log", 20)
    log.close()
    code = (
        "import sys; from pathlib import Path; from tests.support.logs import SIGNER;"
        " from assaymark.store.log_store import LogStore;"
        " print(LogStore.open(Path(sys.argv[1])).check(SIGNER.verifier))"
    )
    mounts = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 77; exec "$2" -c "$3" "$1"'
    command = ["unshare", "-m", "sh", "-c", mounts, "sh", str(log.folder), sys.executable, code]
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this user mounts nothing")
    assert done.stdout == "[]\n", done
