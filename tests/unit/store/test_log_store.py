"""The log: what is appended is there, proved, found and never written twice."""

import hashlib
import json
import os
import shutil
import threading

import pytest
from tests.support.logs import NOW, ORIGIN, SIGNER, make_log, make_signer, make_test_envelope, subject_digest

from assaymark.core.digest import sha256_digest
from assaymark.core.errors import InputError, UnavailableError, UsageError, VerificationError
from assaymark.core.limits import ENVELOPE_MAX_BYTES
from assaymark.core.statement import APPROVAL, ROOT_PAYLOAD_TYPE, SCAN, Signature, make_envelope
from assaymark.store.lock import writer_lock
from assaymark.store.log_store import LogStore
from assaymark.tlog.checkpoint import verify_checkpoint
from assaymark.tlog.merkle import EMPTY_ROOT, leaf_hash, tree_root, verify_consistency
from assaymark.tlog.proof import format_receipt, parse_receipt, verify_receipt


def _snapshot(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(("index.", "lock"))
    }


def test_a_new_log_is_empty_and_signed(tmp_path):
    log = make_log(tmp_path / "log")
    note, checkpoint = log.checkpoint()
    assert verify_checkpoint(note, [SIGNER.verifier]) == checkpoint
    assert (checkpoint.origin, checkpoint.size, checkpoint.root_hash) == (ORIGIN, 0, EMPTY_ROOT)
    assert log.by_subject(subject_digest("model"), 10) == []
    assert log.check(SIGNER.verifier) == []


def test_a_second_log_is_not_made_over_the_first(tmp_path):
    make_log(tmp_path / "log", 3)
    with pytest.raises(UsageError) as caught:
        make_log(tmp_path / "log")
    assert caught.value.code == "path-exists"
    assert LogStore.open(tmp_path / "log").checkpoint()[1].size == 3


def test_a_folder_without_a_log_says_so(tmp_path):
    with pytest.raises(InputError) as caught:
        LogStore.open(tmp_path)
    assert caught.value.code == "log-missing"


def test_entries_and_receipts_across_tile_borders(tmp_path):
    log = make_log(tmp_path / "log")
    envelopes = [make_test_envelope(i) for i in range(600)]
    done = 0
    for batch in (1, 1, 253, 1, 1, 255, 1, 87):
        assert log.append(envelopes[done : done + batch], NOW + done, SIGNER) == list(range(done, done + batch))
        done += batch
        log.receipt(done - 1)
    leaves = []
    for index, envelope in enumerate(envelopes):
        leaf, stored = log.entry(index)
        assert stored == envelope
        assert leaf.envelope_digest == sha256_digest(envelope)
        receipt = parse_receipt(format_receipt(log.receipt(index)))
        assert verify_receipt(receipt, [SIGNER.verifier]).size == 600
        leaves.append(leaf_hash(receipt.leaf))
    root = log.checkpoint()[1].root_hash
    assert tree_root(leaves) == root == log.root_at(600)
    for old in (1, 2, 255, 256, 257, 512, 600):
        verify_consistency(old, 600, log.consistency(old, 600), tree_root(leaves[:old]), root)
        assert log.root_at(old) == tree_root(leaves[:old])
    assert log.check(SIGNER.verifier) == []


def test_partial_tiles_go_when_the_full_one_is_there(tmp_path):
    log = make_log(tmp_path / "log")
    for i in range(3):
        log.append([make_test_envelope(i)], NOW, SIGNER)
    folder = tmp_path / "log/tile"
    assert (folder / "0/000.p/3").exists()
    log.append([make_test_envelope(i) for i in range(300)], NOW, SIGNER)
    for level in ("0", "entries"):
        assert not (folder / level / "000.p").exists()
        assert sorted(path.name for path in (folder / level / "001.p").iterdir()) == ["44"]
    assert (folder / "1/000.p/1").exists()


def test_a_receipt_at_an_earlier_size(tmp_path):
    log = make_log(tmp_path / "log", 5)
    log.append([make_test_envelope(i) for i in range(5, 300)], NOW, SIGNER)
    receipt = log.receipt(4, size=5)
    assert verify_receipt(receipt, [SIGNER.verifier]).size == 5
    with pytest.raises(UsageError) as caught:
        log.receipt(4, size=6)
    assert caught.value.code == "checkpoint-unknown"
    with pytest.raises(UsageError):
        log.receipt(5, size=5)


@pytest.mark.parametrize(
    "ask",
    [
        lambda log: log.entry(3),
        lambda log: log.entry(-1),
        lambda log: log.receipt(3),
        lambda log: log.root_at(4),
        lambda log: log.consistency(0, 3),
        lambda log: log.consistency(2, 4),
        lambda log: log.consistency(3, 2),
    ],
)
def test_asking_for_what_is_not_there(tmp_path, ask):
    with pytest.raises(UsageError):
        ask(make_log(tmp_path / "log", 3))


def test_appending_again_gives_the_same_index_and_writes_nothing(tmp_path):
    log = make_log(tmp_path / "log", 3)
    before = _snapshot(tmp_path / "log")
    assert log.append([make_test_envelope(1), make_test_envelope(1), make_test_envelope(0)], NOW + 9, SIGNER) == [
        1,
        1,
        0,
    ]
    assert log.append([], NOW, SIGNER) == []
    assert _snapshot(tmp_path / "log") == before
    new = make_test_envelope(3)
    assert log.append([make_test_envelope(2), new, new], NOW, SIGNER) == [2, 3, 3]
    assert log.checkpoint()[1].size == 4


def test_finding_by_envelope_subject_and_predicate(tmp_path):
    log = make_log(tmp_path / "log")
    root = make_envelope(ROOT_PAYLOAD_TYPE, b"{}", (Signature("key", bytes(64)),)).data
    batch = [
        root,
        make_test_envelope(0, "a"),
        make_test_envelope(1, "b"),
        make_test_envelope(2, "a", SCAN),
        make_test_envelope(3, "a"),
    ]
    log.append(batch, NOW, SIGNER)
    assert log.find(sha256_digest(batch[3])) == 3
    assert log.find(subject_digest("a")) is None
    assert log.by_subject(subject_digest("a"), 5) == [1, 3, 4]
    assert log.by_subject(subject_digest("a"), 4) == [1, 3]
    assert log.by_predicate(APPROVAL, 5) == [4, 2, 1]
    assert log.by_predicate(APPROVAL, 5, newest_first=False, limit=2) == [1, 2]
    assert log.by_predicate(ROOT_PAYLOAD_TYPE, 5) == [0]


def test_another_process_sees_appended_entries_at_once(tmp_path):
    log = make_log(tmp_path / "log", 2)
    other = LogStore.open(tmp_path / "log")
    assert other.by_subject(subject_digest("model"), 99) == [0, 1]
    log.append([make_test_envelope(2)], NOW, SIGNER)
    assert other.by_subject(subject_digest("model"), 99) == [0, 1, 2]
    assert other.append([make_test_envelope(3)], NOW, SIGNER) == [3]
    assert log.by_subject(subject_digest("model"), 99) == [0, 1, 2, 3]


def test_a_malformed_envelope_is_refused_before_anything_is_written(tmp_path):
    log = make_log(tmp_path / "log", 1)
    before = _snapshot(tmp_path / "log")
    for bad in (b"{}", b"", b"x" * (ENVELOPE_MAX_BYTES + 1)):
        with pytest.raises(InputError):
            log.append([make_test_envelope(5), bad], NOW, SIGNER)
    assert _snapshot(tmp_path / "log") == before


def test_the_clock(tmp_path):
    log = make_log(tmp_path / "log")
    log.append([make_test_envelope(0)], NOW, SIGNER)
    log.append([make_test_envelope(1)], NOW - 5, SIGNER)
    assert log.entry(1)[0].logged_at == NOW
    with pytest.raises(UnavailableError) as caught:
        log.append([make_test_envelope(2)], NOW - 6, SIGNER)
    assert caught.value.code == "clock-went-back"
    assert "2026-05-01T11:59:54Z" in caught.value.message
    assert "2026-05-01T12:00:00Z" in caught.value.message
    assert log.checkpoint()[1].size == 2
    log.append([make_test_envelope(2)], NOW + 1, SIGNER)
    assert log.entry(2)[0].logged_at == NOW + 1
    with pytest.raises(InputError):
        log.append([make_test_envelope(3)], 2**40, SIGNER)


def test_only_the_logs_own_key_appends(tmp_path):
    log = make_log(tmp_path / "log", 2)
    before = _snapshot(tmp_path / "log")
    for stranger in (make_signer(seed=2), make_signer("other.example")):
        with pytest.raises(VerificationError):
            log.append([make_test_envelope(9)], NOW, stranger)
    assert _snapshot(tmp_path / "log") == before


def test_nothing_is_signed_on_top_of_damaged_hashes(tmp_path):
    log = make_log(tmp_path / "log", 3)
    tile = tmp_path / "log/tile/0/000.p/3"
    tile.write_bytes(bytes(96))
    with pytest.raises(InputError) as caught:
        LogStore.open(tmp_path / "log").append([make_test_envelope(9)], NOW, SIGNER)
    assert caught.value.code == "log-damaged"
    assert log.checkpoint()[1].size == 3


def test_two_processes_append_and_neither_loses_an_entry(tmp_path, run_script):
    make_log(tmp_path / "log")
    script = """
import sys
from pathlib import Path
from tests.support.logs import *
log = LogStore.open(Path(sys.argv[1]))
who = int(sys.argv[2])
for i in range(40):
    log.append([make_test_envelope(who * 1000 + i), make_test_envelope(i)], NOW, SIGNER)
"""
    writers = [run_script(script, tmp_path / "log", who) for who in (1, 2)]
    for writer in writers:
        output, _ = writer.communicate(timeout=60)
        assert writer.returncode == 0, output
    log = LogStore.open(tmp_path / "log")
    assert log.checkpoint()[1].size == 120
    stored = {log.entry(index)[1] for index in range(120)}
    numbers = [*range(40), *range(1000, 1040), *range(2000, 2040)]
    assert stored == {make_test_envelope(number) for number in numbers}
    assert log.check(SIGNER.verifier) == []


def test_threads_share_a_store(tmp_path):
    log = make_log(tmp_path / "log")
    indexes = []

    def write(who):
        for i in range(10):
            indexes.extend(log.append([make_test_envelope(who * 100 + i)], NOW, SIGNER))
            log.by_subject(subject_digest("model"), 1000)
            log.receipt(indexes[-1])

    threads = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(indexes) == list(range(40))
    assert log.check(SIGNER.verifier) == []


def test_a_waiting_writer_is_told_who_holds_the_log(tmp_path):
    log = make_log(tmp_path / "log", 1)
    with writer_lock(tmp_path / "log/lock"), pytest.raises(UnavailableError) as caught:
        log.append([make_test_envelope(1)], NOW, SIGNER, wait=0.05)
    assert caught.value.code == "log-locked"
    assert str(os.getpid()) in caught.value.message
    assert log.append([make_test_envelope(1)], NOW, SIGNER) == [1]


# The index is derived: losing it loses nothing.


@pytest.mark.parametrize("damage", [b"", b"not a database", b"\x00" * 8192])
def test_a_damaged_index_is_built_again(tmp_path, damage):
    make_log(tmp_path / "log", 5).close()
    index = tmp_path / "log/index.sqlite"
    index.write_bytes(damage)
    log = LogStore.open(tmp_path / "log")
    assert log.by_subject(subject_digest("model"), 99) == [0, 1, 2, 3, 4]
    assert log.append([make_test_envelope(2), make_test_envelope(5)], NOW, SIGNER) == [2, 5]
    assert log.check(SIGNER.verifier) == []


def test_a_lost_index_is_built_again(tmp_path):
    log = make_log(tmp_path / "log", 1100)
    log.rebuild_index()
    assert not (tmp_path / "log/index.sqlite").exists()
    assert len(log.by_subject(subject_digest("model"), 2000)) == 1100


def test_an_index_of_another_log_ahead_or_forked_is_not_believed(tmp_path):
    make_log(tmp_path / "log", 5).close()
    other = LogStore.create(tmp_path / "other", ORIGIN, SIGNER)
    other.append([make_test_envelope(i, "other") for i in range(100, 105)], NOW, SIGNER)
    other.close()
    longer = LogStore.create(tmp_path / "longer", ORIGIN, SIGNER)
    longer.append([make_test_envelope(i, "other") for i in range(100, 107)], NOW, SIGNER)
    longer.close()
    shorter = LogStore.create(tmp_path / "shorter", ORIGIN, SIGNER)
    shorter.append([make_test_envelope(i, "other") for i in range(100, 102)], NOW, SIGNER)
    shorter.close()
    stranger = make_signer("stranger.example")
    renamed = LogStore.create(tmp_path / "renamed", "stranger.example", stranger)
    renamed.append([make_test_envelope(100, "other")], NOW, stranger)
    renamed.close()
    for name in ("other", "longer", "shorter", "renamed"):
        shutil.copy(tmp_path / name / "index.sqlite", tmp_path / "log/index.sqlite")
        log = LogStore.open(tmp_path / "log")
        assert log.by_subject(subject_digest("other"), 99) == []
        assert log.by_subject(subject_digest("model"), 99) == [0, 1, 2, 3, 4]
        log.close()


def test_an_index_row_that_points_elsewhere_does_not_make_an_entry(tmp_path):
    import sqlite3

    make_log(tmp_path / "log", 3).close()
    digest = sha256_digest(make_test_envelope(7))
    connection = sqlite3.connect(tmp_path / "log/index.sqlite")
    connection.execute("UPDATE entries SET digest = ? WHERE position = 1", (digest,))
    connection.commit()
    connection.close()
    log = LogStore.open(tmp_path / "log")
    assert log.find(digest) is None
    assert log.append([make_test_envelope(7)], NOW, SIGNER) == [3]


def test_a_look_up_that_cannot_see_every_entry_is_refused(tmp_path):
    log = make_log(tmp_path / "log", 3)
    log.rebuild_index()
    name = hashlib.sha256(make_test_envelope(1)).hexdigest()
    (tmp_path / f"log/blobs/{name[:2]}/{name[2:]}").unlink()
    with pytest.raises(InputError) as caught:
        log.by_subject(subject_digest("model"), 99)
    assert caught.value.code == "blob-missing"


# Copies


def test_an_export_is_a_mirror_that_reads_without_writing(tmp_path):
    log = make_log(tmp_path / "log", 300)
    checkpoint = log.export(tmp_path / "copy")
    assert checkpoint.size == 300
    before = _snapshot(tmp_path / "copy")
    mirror = LogStore.open(tmp_path / "copy", read_only=True)
    assert mirror.by_subject(subject_digest("model"), 3) == [0, 1, 2]
    assert mirror.entry(299)[1] == make_test_envelope(299)
    assert verify_receipt(mirror.receipt(7), [SIGNER.verifier]).size == 300
    assert mirror.check(SIGNER.verifier) == []
    with pytest.raises(UsageError) as caught:
        mirror.append([make_test_envelope(1)], NOW, SIGNER)
    assert caught.value.code == "log-read-only"
    mirror.rebuild_index()
    assert mirror.find(sha256_digest(make_test_envelope(4))) == 4
    assert _snapshot(tmp_path / "copy") == before
    assert sorted(path.name for path in (tmp_path / "copy").iterdir() if path.name != "blobs") == [
        "checkpoint",
        "tile",
    ]


def test_an_export_does_not_mix_with_what_is_there(tmp_path):
    log = make_log(tmp_path / "log", 1)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/file").write_text("mine")
    with pytest.raises(UsageError) as caught:
        log.export(tmp_path / "copy")
    assert caught.value.code == "path-exists"


def test_a_damaged_log_is_not_exported_as_a_good_one(tmp_path):
    log = make_log(tmp_path / "log", 3)
    name = hashlib.sha256(make_test_envelope(1)).hexdigest()
    blob = tmp_path / f"log/blobs/{name[:2]}/{name[2:]}"
    blob.chmod(0o644)
    blob.write_bytes(b"changed")
    with pytest.raises(InputError) as caught:
        log.export(tmp_path / "copy")
    assert caught.value.code == "blob-corrupt"
    assert caught.value.position == "entry 1"
    assert not (tmp_path / "copy/checkpoint").exists()


def test_the_entry_is_the_digest_and_the_time_and_nothing_else(tmp_path):
    make_log(tmp_path / "log", 1)
    digest = json.dumps(hashlib.sha256(make_test_envelope(0)).hexdigest()).strip('"')
    expected = f"assaymark:leaf/v1\n{digest}\n2026-05-01T12:00:00Z\n".encode()
    assert (tmp_path / "log/tile/entries/000.p/1").read_bytes() == len(expected).to_bytes(2, "big") + expected


# Damage is named where it is met, and never signed, served or exported as good


def test_a_damaged_entry_is_refused(tmp_path):
    make_log(tmp_path / "log", 3).close()
    bundle = tmp_path / "log/tile/entries/000.p/3"
    good = bundle.read_bytes()
    for bad in (good[:-1], good.replace(b"leaf/v1", b"leaf/v2"), b""):
        bundle.write_bytes(bad)
        for ask in (lambda log: log.entry(0), lambda log: log.receipt(0)):
            with pytest.raises(InputError) as caught:
                ask(LogStore.open(tmp_path / "log"))
            assert caught.value.code == "log-damaged"
            assert "log check" in caught.value.remedy


def test_a_receipt_is_not_made_from_hashes_that_do_not_lead_to_the_checkpoint(tmp_path):
    log = make_log(tmp_path / "log", 3)
    tile = tmp_path / "log/tile/0/000.p/3"
    tile.write_bytes(tile.read_bytes()[:64] + bytes(32))
    with pytest.raises(InputError) as caught:
        LogStore.open(tmp_path / "log").receipt(0)
    assert caught.value.code == "log-damaged"
    log.close()


def test_a_damaged_checkpoint_is_named_by_its_path(tmp_path):
    log = make_log(tmp_path / "log", 3)
    log.append([make_test_envelope(3)], NOW, SIGNER)
    kept = tmp_path / "log/checkpoints/003"
    kept.unlink()
    kept.write_bytes(log.checkpoint()[0])
    with pytest.raises(InputError) as caught:
        log.receipt(0, size=3)
    assert caught.value.code == "log-damaged"
    kept.write_bytes(b"nothing")
    with pytest.raises(InputError) as caught:
        log.receipt(0, size=3)
    assert (caught.value.code, caught.value.source) == ("log-damaged", str(kept))
    (tmp_path / "log/checkpoint").write_bytes(b"nothing")
    with pytest.raises(InputError) as caught:
        log.checkpoint()
    assert (caught.value.code, caught.value.source) == ("note-form", str(tmp_path / "log/checkpoint"))
    (tmp_path / "log/checkpoint").unlink()
    with pytest.raises(InputError) as caught:
        log.checkpoint()
    assert caught.value.code == "log-missing"


def test_a_file_system_without_hard_links_keeps_checkpoints_too(tmp_path, monkeypatch):
    log = make_log(tmp_path / "log", 3)

    def no_links(*arguments, **keywords):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    log.append([make_test_envelope(3)], NOW, SIGNER)
    assert verify_receipt(log.receipt(0, size=3), [SIGNER.verifier]).size == 3


def test_a_reader_with_an_old_checkpoint_finds_the_full_tile(tmp_path):
    log = make_log(tmp_path / "log", 250)
    log.append([make_test_envelope(i) for i in range(250, 300)], NOW, SIGNER)
    old = (tmp_path / "log/checkpoints/250").read_bytes()
    (tmp_path / "log/checkpoint").write_bytes(old)
    reader = LogStore.open(tmp_path / "log", read_only=True)
    assert verify_receipt(reader.receipt(249), [SIGNER.verifier]).size == 250
    assert reader.entry(0)[1] == make_test_envelope(0)
