"""Durable files, the writer's lock and blobs."""

import hashlib
import os
import threading
import time

import pytest

from assaymark.core.errors import InputError, UnavailableError, UsageError
from assaymark.store import files
from assaymark.store.blobs import Blobs
from assaymark.store.files import create_only, make_folder, read_bounded, write_durable
from assaymark.store.lock import writer_lock


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "secret"
    write_durable(path, b"one", mode=0o600)
    write_durable(path, b"two", mode=0o600)
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_durable(path, b"old")

    def fail(descriptor, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "write", fail)
    for write in (write_durable, create_only):
        with pytest.raises(UnavailableError) as caught:
            write(path, b"new")
        assert caught.value.code == "disk-full"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_short_writes_are_continued(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(files.os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    write_durable(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_of_two_creators_one_is_told(tmp_path):
    create_only(tmp_path / "key", b"first", mode=0o600)
    with pytest.raises(UsageError) as caught:
        create_only(tmp_path / "key", b"second")
    assert caught.value.code == "path-exists"
    assert (tmp_path / "key").read_bytes() == b"first"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_made_says_where(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError) as caught:
        make_folder(tmp_path / "file" / "sub")
    assert caught.value.code == "store-io"
    assert str(tmp_path / "file") in caught.value.source
    make_folder(tmp_path / "a/b/c")
    make_folder(tmp_path / "a/b/c")
    assert (tmp_path / "a/b/c").is_dir()


def test_reading_is_bounded_and_of_regular_files_only(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_bounded(path, 5) == b"12345"
    os.mkfifo(tmp_path / "pipe")
    for bad, limit, code in [
        (path, 4, "file-size"),
        (tmp_path / "none", 4, "file-missing"),
        (path / "below", 4, "file-missing"),
        (tmp_path / "pipe", 4, "file-kind"),
        (tmp_path, 4, "file-kind"),
    ]:
        with pytest.raises((InputError, UnavailableError)) as caught:
            read_bounded(bad, limit)
        assert caught.value.code == code


def test_the_lock_waits_and_passes_on(tmp_path):
    path = tmp_path / "lock"
    order = []

    def second():
        with writer_lock(path, wait=10):
            order.append("second")

    with writer_lock(path):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.05)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_the_lock_of_a_killed_process_is_free(tmp_path, run_script):
    script = """
import sys, time
from pathlib import Path
from assaymark.store.lock import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
    process = run_script(script, tmp_path / "lock")
    assert process.stdout.readline() == "held\n"
    with pytest.raises(UnavailableError) as caught, writer_lock(tmp_path / "lock", wait=0.05):
        pass
    assert str(process.pid) in caught.value.message
    process.kill()
    process.wait()
    with writer_lock(tmp_path / "lock", wait=1):
        pass


def test_blobs_are_known_by_their_digest(tmp_path):
    blobs = Blobs(tmp_path / "blobs")
    digest = blobs.put(b"content")
    assert digest == "sha256:" + hashlib.sha256(b"content").hexdigest()
    assert blobs.has(digest)
    assert blobs.get(digest, 100) == b"content"
    assert blobs.put(b"content") == digest
    assert blobs.path(digest).stat().st_mode & 0o222 == 0
    assert not blobs.has("sha256:" + "0" * 64)
    with pytest.raises(InputError) as caught:
        blobs.get("sha256:" + "0" * 64, 100)
    assert caught.value.code == "blob-missing"
    with pytest.raises(InputError) as caught:
        blobs.get(digest, 3)
    assert caught.value.code == "file-size"
    for name in ("../../etc/passwd", "sha256:" + "A" * 64, "sha256:" + "0" * 63 + "/"):
        with pytest.raises(InputError):
            blobs.path(name)


def test_a_damaged_blob_is_refused_and_healed_by_storing_it_again(tmp_path):
    blobs = Blobs(tmp_path / "blobs")
    digest = blobs.put(b"content")
    for damage in (b"contenT", b"", b"content and more"):
        blobs.path(digest).chmod(0o644)
        blobs.path(digest).write_bytes(damage)
        with pytest.raises(InputError) as caught:
            blobs.get(digest, 100)
        assert caught.value.code == "blob-corrupt"
        assert blobs.put(b"content") == digest
        assert blobs.get(digest, 100) == b"content"


def test_a_streamed_blob_is_there_only_when_committed(tmp_path):
    blobs = Blobs(tmp_path / "blobs")
    with blobs.writer() as writer:
        writer.write(b"con")
        writer.write(memoryview(b"tent"))
        digest = writer.commit()
    assert blobs.get(digest, 100) == b"content"

    def interrupted():
        with blobs.writer() as writer:
            writer.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert list((tmp_path / "blobs/staging").iterdir()) == []


def test_a_sweep_removes_what_a_dead_writer_left_and_spares_the_living(tmp_path):
    blobs = Blobs(tmp_path / "blobs")
    staging = tmp_path / "blobs/staging"
    with blobs.writer() as writer:
        (staging / "dead").write_bytes(b"x")
        (staging / "fresh").write_bytes(b"x")
        for path in staging.iterdir():
            if path.name != "fresh":
                os.utime(path, (1, 1))
        blobs.sweep()
        assert sorted(path.name for path in staging.iterdir() if len(path.name) < 8) == ["fresh"]
        writer.write(b"content")
        assert blobs.get(writer.commit(), 100) == b"content"
