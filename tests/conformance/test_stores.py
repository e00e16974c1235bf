"""Every promise of store/ports.py, held against each store: what works on one works on the other."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from tests.support.logs import NOW, ORIGIN, SIGNER, make_log, make_signer, make_test_envelope, subject_digest

from assaymark.core.digest import sha256_digest
from assaymark.core.errors import AssaymarkError, InputError, UnavailableError, UsageError
from assaymark.core.limits import ENVELOPE_MAX_BYTES, NOTE_MAX_BYTES
from assaymark.core.statement import APPROVAL
from assaymark.store.log_media import STORES, find_medium, new_medium
from assaymark.store.log_store import LogStore
from assaymark.tlog.checkpoint import verify_checkpoint
from assaymark.tlog.merkle import leaf_hash, tree_root, verify_consistency
from assaymark.tlog.proof import verify_receipt

pytestmark = pytest.mark.parametrize("store", STORES)
SMALL = 3


@pytest.fixture
def log(tmp_path, store):
    log = make_log(tmp_path / "log", 0, store)
    yield log
    log.close()


def envelopes(start, end):
    return [make_test_envelope(i) for i in range(start, end)]


def copy_of(log, place):
    """A copy of the files, as a backup makes it: nobody is writing."""
    log.close()
    shutil.copytree(log.folder, place)
    return place


# Appending


def test_what_is_appended_is_there_in_order_and_proved(log):
    done = 0
    for batch in (1, 2, 252, 1, 1, 300):
        assert log.append(envelopes(done, done + batch), NOW + done, SIGNER) == list(range(done, done + batch))
        done += batch
    _, checkpoint = log.checkpoint()
    leaves = []
    for index in range(done):
        _, envelope = log.entry(index)
        assert envelope == make_test_envelope(index)
        receipt = log.receipt(index)
        assert verify_receipt(receipt, [SIGNER.verifier]) == checkpoint
        leaves.append(leaf_hash(receipt.leaf))
    assert tree_root(leaves) == checkpoint.root_hash
    for old in (1, 3, 255, 256, 257):
        assert verify_receipt(log.receipt(0, old), [SIGNER.verifier]).size == old
        verify_consistency(old, done, log.consistency(old, done), tree_root(leaves[:old]), checkpoint.root_hash)
    assert log.check(SIGNER.verifier) == []


def test_an_append_is_idempotent(log):
    assert log.append(envelopes(0, SMALL), NOW, SIGNER) == [0, 1, 2]
    before = log.checkpoint()
    assert log.append([*envelopes(0, SMALL), make_test_envelope(1)], NOW, SIGNER) == [0, 1, 2, 1]
    assert log.checkpoint() == before
    mixed = [make_test_envelope(7), make_test_envelope(0), make_test_envelope(7)]
    assert log.append(mixed, NOW, SIGNER) == [3, 0, 3]


def test_a_refused_batch_leaves_nothing(log):
    log.append(envelopes(0, 1), NOW, SIGNER)
    before = log.checkpoint()
    for bad, signer, now in (
        ([b"not an envelope"], SIGNER, NOW),
        ([bytes(ENVELOPE_MAX_BYTES + 1)], SIGNER, NOW),
        (envelopes(5, 6), make_signer(seed=9), NOW),
        (envelopes(5, 6), SIGNER, NOW - 3600),
    ):
        with pytest.raises(AssaymarkError):
            log.append([make_test_envelope(4), *bad], now, signer)
    assert log.checkpoint() == before
    assert log.find(sha256_digest(make_test_envelope(4))) is None
    assert log.append(envelopes(4, 6), NOW, SIGNER) == [1, 2]
    assert log.check(SIGNER.verifier) == []


def test_a_second_log_is_not_made_over_the_first(log, tmp_path):
    log.append(envelopes(0, SMALL), NOW, SIGNER)
    for other in STORES:
        with pytest.raises(UsageError) as caught:
            make_log(tmp_path / "log", 0, other)
        assert caught.value.code == "path-exists"
    assert log.checkpoint()[1].size == SMALL


def test_an_unknown_store_is_said(tmp_path, store):
    with pytest.raises(UsageError) as caught:
        make_log(tmp_path / "new", 0, store + "x")
    assert caught.value.code == "store-unknown"


# The compare-and-swap, on the medium itself


def test_the_checkpoint_moves_only_from_the_one_that_was_read(tmp_path, store):
    medium = new_medium(tmp_path / "log", store)
    medium.create(b"one")
    with medium.writing(1) as batch:
        batch.put([("tile/0/000.p/1", b"first")])
        batch.swap(b"one", b"two", keep="checkpoints/000")
    assert medium.checkpoint() == b"two"
    with medium.writing(1) as batch:
        batch.put([("tile/0/000.p/2", b"lost")])
        with pytest.raises(UnavailableError) as caught:
            batch.swap(b"one", b"three", keep="checkpoints/001")
    assert caught.value.code == "log-moved"
    assert medium.checkpoint() == b"two"
    assert medium.read("checkpoints/000", NOTE_MAX_BYTES) == b"one"
    assert medium.read("tile/0/000.p/1", 100) == b"first"
    assert medium.names("tile/0/000.p")[0] == "tile/0/000.p/1"
    with medium.writing(1) as batch:
        batch.swap(b"two", b"three", keep="checkpoints/001", drop=["tile/0/000.p"])
    assert medium.names("tile/0/000.p") == []
    medium.close()


def test_reads_are_bounded_and_what_is_missing_is_said(tmp_path, store):
    medium = new_medium(tmp_path / "log", store)
    medium.create(b"one")
    with medium.writing(1) as batch:
        batch.put([("tile/0/000", bytes(1000))])
        batch.put_envelopes([b"an envelope"])
        batch.swap(b"one", b"two", keep="checkpoints/000")
    digest = sha256_digest(b"an envelope")
    assert medium.envelopes.has(digest)
    assert not medium.envelopes.has(sha256_digest(b"another"))
    for read, code in (
        (lambda: medium.read("tile/0/000", 999), "file-size"),
        (lambda: medium.read("tile/0/001", 999), "file-missing"),
        (lambda: medium.envelopes.get(digest, 3), "file-size"),
        (lambda: medium.envelopes.get(sha256_digest(b"another"), 3), "blob-missing"),
    ):
        with pytest.raises(InputError) as caught:
            read()
        assert caught.value.code == code
        assert str(tmp_path / "log") in caught.value.source
    medium.close()


def test_one_writer_at_a_time_and_the_other_is_told_who(log):
    log.append(envelopes(0, 1), NOW, SIGNER)
    other = LogStore.open(log.folder)
    medium = find_medium(log.folder, read_only=False)
    with medium.writing(1):
        with pytest.raises(UnavailableError) as caught:
            other.append(envelopes(1, 2), NOW, SIGNER, wait=0.05)
        assert caught.value.code == "log-locked"
        assert str(os.getpid()) in caught.value.message
        assert other.entry(0)[1] == make_test_envelope(0), "a reader needs no lock"
    assert other.append(envelopes(1, 2), NOW, SIGNER) == [1]
    other.close()
    medium.close()


def test_readers_during_writes_see_whole_batches(log):
    log.append(envelopes(0, 1), NOW, SIGNER)
    stop, errors, sizes = threading.Event(), [], set()

    def read():
        reader = LogStore.open(log.folder, read_only=True)
        chance = random.Random(1)
        try:
            while not stop.is_set():
                note, checkpoint = reader.checkpoint()
                verify_checkpoint(note, [SIGNER.verifier])
                sizes.add(checkpoint.size)
                index = chance.randrange(checkpoint.size)
                assert reader.entry(index)[1] == make_test_envelope(index)
                verify_receipt(reader.receipt(index), [SIGNER.verifier])
        except BaseException as error:  # noqa: BLE001 - reported below
            errors.append(error)
        reader.close()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    done = 1
    for _ in range(25):
        log.append(envelopes(done, done + 10), NOW, SIGNER)
        done += 10
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {(size - 1) % 10 for size in sizes} == {0}


# Opening again, the index


def test_a_log_is_found_again_with_all_that_it_held(log):
    log.append(envelopes(0, 300), NOW, SIGNER)
    note = log.checkpoint()
    log.close()
    again = LogStore.open(log.folder)
    assert again.checkpoint() == note
    assert again.append(envelopes(299, 301), NOW, SIGNER) == [299, 300]
    assert log.checkpoint()[1].size == 301, "the first one sees what the second wrote"
    again.close()


def test_the_index_is_thrown_away_and_answers_as_before(log):
    for number in range(40):
        log.append(
            [make_test_envelope(number, subject=number % 7, predicate_type=f"assaymark:t{number % 3}/v1")],
            NOW,
            SIGNER,
        )

    def answers(log):
        return [
            *(log.by_subject(subject_digest(number), 99) for number in range(8)),
            *(log.by_subject(subject_digest(1), 30, only=f"assaymark:t{number}/v1") for number in range(3)),
            *(log.by_predicate(f"assaymark:t{number}/v1", 99, limit=5) for number in range(4)),
            log.by_term("key:key", 99),
            [log.find(sha256_digest(make_test_envelope(number))) for number in range(50)],
        ]

    before = answers(log)
    assert before[1] == list(range(1, 40, 7))
    log.rebuild_index()
    assert answers(log) == before
    log.close()
    for name in ("index.sqlite", "index.sqlite-wal", "index.sqlite-shm"):
        (log.folder / name).unlink(missing_ok=True)
    assert answers(LogStore.open(log.folder)) == before
    (log.folder / "index.sqlite").write_bytes(b"no database" * 999)
    assert answers(LogStore.open(log.folder)) == before
    assert answers(LogStore.open(log.folder, read_only=True)) == before


def test_a_folder_without_a_log_says_so(tmp_path, store):
    (tmp_path / "empty").mkdir()
    if store == "sqlite":  # somebody was stopped while making it
        (tmp_path / "empty" / "log.sqlite").write_bytes(b"")
    with pytest.raises(InputError) as caught:
        LogStore.open(tmp_path / "empty").checkpoint()
    assert caught.value.code == "log-missing"
    if store == "sqlite":
        assert make_log(tmp_path / "empty", 1, store).checkpoint()[1].size == 1


def test_a_log_that_was_put_back_is_what_is_read(log, tmp_path):
    log.append(envelopes(0, 2), NOW, SIGNER)
    saved = copy_of(log, tmp_path / "saved")
    log.append(envelopes(2, 5), NOW, SIGNER)
    shutil.move(log.folder, tmp_path / "away")
    shutil.copytree(saved, log.folder)
    assert log.checkpoint()[1].size == 2
    assert log.append(envelopes(2, 3), NOW, SIGNER) == [2]
    assert LogStore.open(log.folder).check(SIGNER.verifier) == []


# Read-only


def test_a_read_only_log_is_read_and_not_written(log, tmp_path):
    log.append(envelopes(0, SMALL), NOW, SIGNER)
    folder = copy_of(log, tmp_path / "copy")
    for name in folder.glob("index.*"):
        name.unlink()
    before = sorted(folder.rglob("*"))
    copy = LogStore.open(folder, read_only=True)
    assert copy.by_subject(subject_digest("model"), 9) == [0, 1, 2]
    assert copy.entry(1)[1] == make_test_envelope(1)
    assert copy.check(SIGNER.verifier) == []
    with pytest.raises(UsageError) as caught:
        copy.append(envelopes(9, 10), NOW, SIGNER)
    assert caught.value.code == "log-read-only"
    copy.close()
    assert sorted(folder.rglob("*")) == before


@pytest.fixture
def mounted():
    """A file system of 700 KB, and a way to mount it again otherwise."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounts a file system, which takes root on Linux")
    with tempfile.TemporaryDirectory() as name:
        command = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", name]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("may not mount a file system here")
        yield Path(name), lambda options: subprocess.run(["mount", "-o", f"remount,{options}", name], check=True)
        subprocess.run(["umount", "-l", name], check=True)


def test_a_read_only_file_system(mounted, store):
    folder, remount = mounted
    log = make_log(folder / "log", SMALL, store)
    log.close()
    remount("ro")
    for read_only in (False, True):
        log = LogStore.open(folder / "log", read_only=read_only)
        assert log.entry(2)[1] == make_test_envelope(2)
        assert log.by_subject(subject_digest("model"), 9) == [0, 1, 2]
        assert log.check(SIGNER.verifier) == []
        log.close()
    with pytest.raises(UnavailableError) as caught:
        LogStore.open(folder / "log").append(envelopes(3, 4), NOW, SIGNER)
    assert caught.value.code == "store-read-only"


def test_a_disk_that_fills_up(mounted, store):
    folder, remount = mounted
    log = make_log(folder / "log", 0, store)
    acknowledged, error = [], None
    while error is None:
        batch = envelopes(len(acknowledged), len(acknowledged) + 5)
        try:
            assert log.append(batch, NOW, SIGNER)[0] == len(acknowledged)
            acknowledged += batch
        except UnavailableError as refusal:
            error = refusal
    assert (error.code, bool(error.remedy)) == ("disk-full", True)
    assert len(acknowledged) > 5
    assert log.checkpoint()[1].size == len(acknowledged)
    assert [log.entry(i)[1] for i in range(len(acknowledged))] == acknowledged
    remount("size=9m")
    assert log.append(batch, NOW, SIGNER)[0] == len(acknowledged)
    assert log.check(SIGNER.verifier) == []
    log.close()
    again = LogStore.open(folder / "log")
    assert again.check(SIGNER.verifier) == []
    assert again.checkpoint()[1].size == len(acknowledged) + 5


READER = """
import os, sys
from pathlib import Path
from tests.support.logs import *
from assaymark.core.errors import UnavailableError
folder, store = Path(sys.argv[1]), sys.argv[2]

def use():
    log = LogStore.open(folder / "log")
    assert log.entry(0)[1] == make_test_envelope(0)
    assert log.by_subject(subject_digest("model"), 9) == [0, 1, 2]
    assert log.check(SIGNER.verifier) == []
    try:
        log.append([make_test_envelope(9)], NOW, SIGNER)
    except UnavailableError as error:
        print(error.code)

make_log(folder / "log", 3, store).close()
LogStore.open(folder / "log").check(SIGNER.verifier)  # everything is imported while this user may
for path in [*(folder / "log").rglob("*"), folder / "log"]:
    path.chmod(0o555 if path.is_dir() else 0o444)
folder.chmod(0o755)
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)  # root may write everywhere
use()
"""


def test_a_user_who_may_only_read(store):
    root = Path(__file__).parents[2]
    # The coverage that this run may be measured by would want to write too.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    environment["PYTHONPATH"] = os.pathsep.join([str(root / "src"), str(root)])
    with tempfile.TemporaryDirectory() as name:
        done = subprocess.run(
            [sys.executable, "-c", READER, name, store], capture_output=True, text=True, env=environment, check=False
        )
        for path in [Path(name) / "log", *(Path(name) / "log").rglob("*")]:
            path.chmod(0o755)
    assert (done.stdout, done.stderr) == ("store-read-only\n", "")


# Export and damage


def test_an_export_is_the_same_from_each_store_and_reads_as_a_log(log, tmp_path):
    other = make_log(tmp_path / "other", 0, next(other for other in STORES if other != find_store(log)))
    for each in (log, other):
        for start, end in ((0, 1), (1, 5), (5, 280)):
            each.append(envelopes(start, end), NOW, SIGNER)
    assert log.export(tmp_path / "copy") == other.export(tmp_path / "copy2") == log.checkpoint()[1]
    trees = [
        {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*") if path.is_file()}
        for top in (tmp_path / "copy", tmp_path / "copy2")
    ]
    assert trees[0] == trees[1]
    assert {"checkpoint", "tile/0/000", "tile/0/001.p/24", "tile/1/000.p/1", "tile/entries/001.p/24"} < set(trees[0])
    copy = LogStore.open(tmp_path / "copy", read_only=True)
    assert copy.check(SIGNER.verifier) == []
    assert [copy.receipt(i) for i in (0, 279)] == [log.receipt(i) for i in (0, 279)]
    assert copy.by_predicate(APPROVAL, 999) == log.by_predicate(APPROVAL, 999)
    other.close()


def find_store(log):
    return "sqlite" if (log.folder / "log.sqlite").exists() else "folder"


def test_damage_is_detected_or_changes_no_answer(log, tmp_path):
    """A flipped bit anywhere: the check names it, or everything that the log holds is still right."""
    log.append(envelopes(0, 40), NOW, SIGNER)
    log.append(envelopes(40, 42), NOW, SIGNER)
    folder = copy_of(log, tmp_path / "damaged")
    for name in folder.glob("index.*"):
        name.unlink()
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and path.name != "lock" and path.stat().st_size
    )
    chance = random.Random(3)
    named = 0
    for _ in range(60):
        path = chance.choice(files)
        good = path.read_bytes()
        bad = bytearray(good)
        bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        path.chmod(0o644)
        path.write_bytes(bytes(bad))
        damaged = LogStore.open(folder, read_only=True)
        problems = damaged.check(SIGNER.verifier)
        named += bool(problems)
        for index in (0, 20, 41):
            try:
                assert damaged.entry(index)[1] == make_test_envelope(index)
                verify_receipt(damaged.receipt(index), [SIGNER.verifier])
            except AssaymarkError as error:
                assert problems, error
        damaged.close()
        path.write_bytes(good)
    assert named > 20
    assert LogStore.open(folder, read_only=True).check(SIGNER.verifier) == []


def test_an_entry_that_was_changed_is_named_by_its_index(log):
    log.append(envelopes(0, 5), NOW, SIGNER)
    digest = sha256_digest(make_test_envelope(3)).removeprefix("sha256:")
    log.close()
    if find_store(log) == "sqlite":
        connection = sqlite3.connect(log.folder / "log.sqlite")
        connection.execute(
            "UPDATE envelopes SET data = ? WHERE digest = ?", (make_test_envelope(4), bytes.fromhex(digest))
        )
        connection.commit()
        connection.close()
    else:
        blob = log.folder / "blobs" / digest[:2] / digest[2:]
        blob.chmod(0o644)
        blob.write_bytes(make_test_envelope(4))
    with pytest.raises(InputError) as caught:
        log.entry(3)
    assert caught.value.code == "blob-corrupt"
    assert [problem.index for problem in log.check(SIGNER.verifier)] == [3]
    with pytest.raises(InputError):
        log.export(log.folder.parent / "copy")
    assert not (log.folder.parent / "copy" / "checkpoint").exists()


def test_a_log_is_not_moved_on_over_wrong_hashes(tmp_path, store):
    log = make_log(tmp_path / "log", 5, store)
    note = log.checkpoint()[0]
    medium = find_medium(tmp_path / "log", read_only=False)
    with medium.writing(1) as batch:
        batch.put([("tile/0/000.p/5", bytes(160))])
        batch.swap(note, note, keep="checkpoints/000")
    medium.close()
    fresh = LogStore.open(tmp_path / "log")
    with pytest.raises(InputError) as caught:
        fresh.append(envelopes(5, 6), NOW, SIGNER)
    assert caught.value.code == "log-damaged"
    assert fresh.checkpoint()[0] == note
    assert ORIGIN.encode() in note
