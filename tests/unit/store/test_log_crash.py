"""A crash, a full disk or a read-only folder at any point: what was acknowledged is there, and the log goes on."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.support.logs import NOW, SIGNER, make_log, make_test_envelope

from assaymark.core.errors import UnavailableError
from assaymark.store.log_store import LogStore

CALLS = ("open", "write", "fsync", "rename", "link", "mkdir", "unlink", "ftruncate")
LINUX = sys.platform == "linux"

KILLER = """
import os, random, signal, sys, time
from pathlib import Path
from tests.support.logs import *
folder = Path(sys.argv[1])
make_log(folder)
chance = random.Random(7)
number = 0
for round in range(30):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        log = LogStore.open(folder)
        while True:
            batch = chance.choice([1, 1, 3, 40])
            log.append([make_test_envelope(number + i) for i in range(batch)], NOW, SIGNER)
            number += batch
            os.write(writing, b"%d\\n" % number)
    os.close(writing)
    data = b""
    while data.count(b"\\n") < round % 4:
        data += os.read(reading, 65536)
    time.sleep(chance.random() * 0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while piece := os.read(reading, 65536):
        data += piece
    os.close(reading)
    lines = data.split(b"\\n")[:-1]
    number = int(lines[-1]) if lines else number
    log = LogStore.open(folder)
    for i in range(number):
        index = log.find(sha256_digest(make_test_envelope(i)))
        assert index is not None, (round, i)
        assert log.entry(index)[1] == make_test_envelope(i)
    problems = log.check(SIGNER.verifier)
    assert problems == [], (round, problems)
    log.close()
assert number > 20, number
print("acknowledged", number)
"""


def test_killed_thirty_times_at_random_points(tmp_path, run_script):
    process = run_script("from assaymark.core.digest import sha256_digest" + KILLER, tmp_path / "log")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "acknowledged" in output


class PowerCutError(BaseException):
    """Nothing after this point happens, no handler for errors included."""


def _fail_at(monkeypatch, count, error):
    """Let the call number ``count`` to the file system, counted from 0, raise; returns how many there were."""
    made = [0]

    def wrap(name):
        real = getattr(os, name)

        def call(*arguments, **keywords):
            if name == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR):
                return real(*arguments, **keywords)
            made[0] += 1
            if made[0] > count and (made[0] == count + 1 or isinstance(error, PowerCutError)):
                raise error
            return real(*arguments, **keywords)

        monkeypatch.setattr(os, name, call)

    for name in CALLS:
        wrap(name)
    return made


def _try_append(log, envelopes):
    try:
        log.append(envelopes, NOW, SIGNER)
    except UnavailableError as error:
        return error
    return None


# First and next entry, and how many steps lie between two cuts.
BATCHES = {"first": (0, 2, 1), "several": (3, 7, 1), "border": (254, 260, 7)}


@pytest.mark.parametrize("batch", BATCHES)
def test_a_power_cut_at_each_step_of_an_append(tmp_path, batch, monkeypatch):
    start, end, stride = BATCHES[batch]
    step, finished = 0, False
    make_log(tmp_path / "base", start).close()
    while not finished:
        folder = tmp_path / f"log-{step}"
        shutil.copytree(tmp_path / "base", folder)
        log = LogStore.open(folder)
        with monkeypatch.context() as patch:
            made = _fail_at(patch, step, PowerCutError())
            try:
                log.append([make_test_envelope(i) for i in range(start, end)], NOW, SIGNER)
            except PowerCutError:
                pass
            else:
                finished = made[0] <= step
        log.close()
        log = LogStore.open(folder)
        assert log.checkpoint()[1].size in (start, end)
        assert log.check(SIGNER.verifier) == [], step
        # What the cut left does not stand in the way of another batch of other entries.
        other = [make_test_envelope(10_000 + i) for i in range(end - start + 1)]
        log.append(other, NOW, SIGNER)
        wanted = [make_test_envelope(i) for i in range(start, end)]
        indexes = log.append(wanted, NOW, SIGNER)
        assert [log.entry(index)[1] for index in indexes] == wanted
        assert log.check(SIGNER.verifier) == [], step
        assert not list((folder / "staging").iterdir())
        log.close()
        shutil.rmtree(folder)
        step += stride
    assert step > 10


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("disk-full", errno.ENOSPC),
        ("disk-full", errno.EDQUOT),
        ("store-read-only", errno.EROFS),
        ("store-io", errno.EIO),
    ],
)
def test_an_error_at_each_step_of_an_append_loses_nothing(tmp_path, code, number, monkeypatch):
    start, end = 254, 258
    make_log(tmp_path / "log", start).close()
    log = LogStore.open(tmp_path / "log")
    assert log.find("sha256:" + "0" * 64) is None
    step, refused = 0, 0
    while log.checkpoint()[1].size == start:
        with monkeypatch.context() as patch:
            _fail_at(patch, step, OSError(number, os.strerror(number)))
            error = _try_append(log, [make_test_envelope(i) for i in range(start, end)])
        if error is not None:
            assert (error.code, bool(error.source), bool(error.remedy)) == (code, True, True)
            refused += 1
        assert log.checkpoint()[1].size in (start, end)
        assert log.check(SIGNER.verifier) == [], step
        step += 1
    assert refused >= 8
    assert log.append([make_test_envelope(i) for i in range(start, end)], NOW, SIGNER) == [254, 255, 256, 257]


@pytest.mark.skipif(not LINUX, reason="asks /proc which file a descriptor is of")
def test_everything_is_flushed_before_the_checkpoint_moves(tmp_path, monkeypatch):
    log = make_log(tmp_path / "log", 254)
    events = []
    real_fsync, real_rename = os.fsync, os.rename

    def fsync(descriptor):
        events.append(("fsync", str(Path(f"/proc/self/fd/{descriptor}").readlink())))
        real_fsync(descriptor)

    def rename(source, target):
        events.append(("rename", str(source), str(target)))
        real_rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    log.append([make_test_envelope(i) for i in range(254, 300)], NOW, SIGNER)
    moved = next(i for i, event in enumerate(events) if event[-1] == str(tmp_path / "log/checkpoint"))
    for i, event in enumerate(events):
        if event[0] != "rename":
            continue
        _, source, target = event
        assert ("fsync", source) in events[:i], f"{target} was not flushed before it got its name"
        later = events[i:moved] if i < moved else events[i:]
        assert ("fsync", str(Path(target).parent)) in later, f"the folder of {target} was not flushed"
    renamed = [event[2] for event in events[:moved] if event[0] == "rename"]
    kinds = ["blobs" if "/blobs/" in path else "entries" if "/entries/" in path else "hashes" for path in renamed]
    assert kinds == sorted(kinds), "blobs, then entries, then the hashes that commit to them"


def _mounted(tmp_path, *options):
    folder = tmp_path / "mounted"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("may not mount a file system here")
    return folder


@pytest.fixture
def small_disk():
    """A file system of 400 KB."""
    if not LINUX or os.geteuid() != 0:
        pytest.skip("mounts a file system, which takes root on Linux")
    with tempfile.TemporaryDirectory() as name:
        folder = _mounted(Path(name), "-o", "size=400k")
        yield folder
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_really_fills_up(small_disk):
    log = make_log(small_disk / "log")
    acknowledged = []
    error = None
    while error is None:
        envelopes = [make_test_envelope(len(acknowledged) + i) for i in range(5)]
        error = _try_append(log, envelopes)
        acknowledged += envelopes if error is None else []
    assert error.code == "disk-full"
    assert len(acknowledged) > 5
    assert log.checkpoint()[1].size == len(acknowledged)
    assert [log.entry(i)[1] for i in range(len(acknowledged))] == acknowledged
    assert log.check(SIGNER.verifier) == []
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert log.append(envelopes, NOW, SIGNER)[0] == len(acknowledged)
    assert log.check(SIGNER.verifier) == []


def test_a_read_only_file_system(small_disk):
    log = make_log(small_disk / "log", 3)
    log.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(UnavailableError) as caught:
        log.append([make_test_envelope(3)], NOW, SIGNER)
    assert caught.value.code == "store-read-only"
    log = LogStore.open(small_disk / "log")
    assert log.find("sha256:" + "0" * 64) is None
    assert log.entry(2)[1] == make_test_envelope(2)
    assert log.by_subject("sha256:" + "0" * 64, 9) == []
    log.close()
