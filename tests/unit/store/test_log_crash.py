"""The folder's order of flushes, and an error at each step of an append. Power cuts and kills are in tests/crash."""

import errno
import os
import sys
from pathlib import Path

import pytest
from tests.support.logs import NOW, SIGNER, make_log, make_test_envelope

from assaymark.core.errors import UnavailableError
from assaymark.store.log_store import LogStore

CALLS = ("open", "write", "fsync", "rename", "link", "mkdir", "unlink", "ftruncate")
LINUX = sys.platform == "linux"


def _fail_at(monkeypatch, count, error):
    """Let the call number ``count`` to the file system, counted from 0, raise; returns how many there were."""
    made = [0]

    def wrap(name):
        real = getattr(os, name)

        def call(*arguments, **keywords):
            if name == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR):
                return real(*arguments, **keywords)
            made[0] += 1
            if made[0] == count + 1:
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
