"""What was seen to be opened, sorted: known, made by the run, or listed with a digest."""

import hashlib
import os
import time

import pytest

from assaymark.recording import opened
from assaymark.recording.opened import sort_opened
from assaymark.recording.program import Seen


@pytest.fixture
def place(tmp_path):
    for name in ("data/a", "out/w", "lib/x.py", "site/y.py", "other", "big", "script"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link").symlink_to("other")
    return tmp_path


def sort(place, *names, since_ns=None, more=0):
    paths = tuple(str(place / name) for name in names)
    return sort_opened(
        Seen(paths, frozenset(), more, 0),
        [str(place / "data")],
        outputs=[str(place / "out")],
        installed={str(place / "site" / "y.py")},
        library=[str(place / "lib")],
        known={str(place / "script")},
        since_ns=time.time_ns() + 10**9 if since_ns is None else since_ns,
        names_from=str(place),
    )


def test_only_what_nobody_knows_is_listed(place):
    found = sort(place, "data/a", "out/w", "lib/x.py", "site/y.py", "other", "link", "script", "nowhere", "lib")
    (material,) = found.materials
    assert (material.name, material.kind, material.declared) == ("other", "file", False)
    assert material.digest == "sha256:" + hashlib.sha256(b"other").hexdigest()
    assert found.declared == {0}
    assert (found.installed, found.absent, found.changed, found.undigested) == (2, 1, 0, 0)


def test_what_was_written_since_the_start_is_no_dependency(place):
    assert sort(place, "other", since_ns=0).changed == 1


def test_what_is_no_file_is_not_opened(place):
    os.mkfifo(place / "pipe")
    assert sort(place, "pipe").absent == 1
    found = sort_opened(
        Seen(("/proc/self/maps", "/dev/null", "/sys/kernel"), frozenset(), 0, 0),
        (), outputs=(), installed=(), library=(), known=(), since_ns=2**63, names_from="/",
    )  # fmt: skip
    assert found.materials == ()
    assert found.absent == 0


def test_limits_on_what_is_digested_are_kept_and_said(place, monkeypatch):
    monkeypatch.setattr(opened, "RECORD_MAX_OBSERVED_FILES", 1)
    assert sort(place, "other", "big").undigested == 1
    monkeypatch.setattr(opened, "RECORD_MAX_OBSERVED_FILES", 10)
    monkeypatch.setattr(opened, "RECORD_MAX_OBSERVED_BYTES", 4)
    found = sort(place, "other", "big")
    assert ([item.name for item in found.materials], found.undigested) == (["big"], 1)
