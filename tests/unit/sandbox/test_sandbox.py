"""Each hold is shown from inside: an examiner tries, and reports what it managed."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.support.hostile import ATTEMPTS

from assaymark.core.errors import UnavailableError
from assaymark.core.report import Report, ScanOutcome
from assaymark.sandbox import pool as pool_module
from assaymark.sandbox.limits import SandboxLimits
from assaymark.sandbox.pool import Sandbox

ROOT = str(Path(__file__).resolve().parents[3])
HOSTILE = "tests.support.hostile:examine"
SMALL = SandboxLimits(memory_bytes=256 << 20, cpu_seconds=1, wall_seconds=6, output_bytes=1 << 20)

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's filters are Linux's")


@pytest.fixture(scope="module")
def some_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sandbox") / "file"
    path.write_bytes(b"content")
    return path


@pytest.fixture(scope="module")
def hostile() -> Sandbox:
    with Sandbox(workers=1, limits=SMALL, examiner=HOSTILE, search=(ROOT,)) as sandbox:
        yield sandbox


def ask(sandbox: Sandbox, what: str, file: Path) -> Report:
    return sandbox.scan([(what, file)])


@linux_only
@pytest.mark.parametrize("attempt", sorted(ATTEMPTS))
def test_a_worker_cannot(hostile: Sandbox, some_file: Path, attempt: str) -> None:
    report = ask(hostile, f"try:{attempt}", some_file)
    assert [item.format.split()[0] for item in report.examined] == ["refused"], report
    assert report.unconfined == ()
    assert report.confinement == ("files", "memory", "network", "output", "processes", "time")


@linux_only
@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("allocate", "256 MiB of memory"),
        ("spin", "1 seconds of CPU"),
        ("sleep", "6 seconds"),
        ("print", "1048576 bytes"),
        ("crash", "crashed its reader (signal 11)"),
        ("exit", "no proper report"),
        ("garbage", "no proper report"),
        ("lie", "no proper report"),
    ],
)
def test_hostility_costs_one_file(hostile: Sandbox, some_file: Path, what: str, reason: str) -> None:
    start = time.monotonic()
    report = ask(hostile, what, some_file)
    assert time.monotonic() - start < 8
    assert report.outcome() is ScanOutcome.INCOMPLETE
    assert reason in report.skipped[0].reason
    assert [finding.rule for finding in report.findings] == ["scan-resource"]
    assert report.findings[0].locations[0].path == what
    assert ask(hostile, "fine", some_file).examined[0].format.startswith("7 bytes")


@pytest.mark.parametrize("what", ["raise", "recurse"])
def test_a_bug_of_ours_is_a_skip(hostile: Sandbox, some_file: Path, what: str) -> None:
    report = ask(hostile, what, some_file)
    assert report.findings == ()
    assert "report this as a bug" in report.skipped[0].reason


def test_the_others_go_on_in_order(hostile: Sandbox, some_file: Path) -> None:
    seen: list[tuple[int, int]] = []
    names = ["a", "crash", "b", "raise", "c"]
    report = hostile.scan([(name, some_file) for name in names], lambda done, total: seen.append((done, total)))
    assert [item.path for item in report.examined] == ["a", "b", "c"]
    assert [item.path for item in report.skipped] == ["crash", "raise"]
    assert seen == [(n, 5) for n in range(1, 6)]


def test_many_workers_keep_the_order(some_file: Path) -> None:
    with Sandbox(workers=4, examiner=HOSTILE, search=(ROOT,)) as sandbox:
        names = [f"file-{n}" for n in range(40)]
        report = sandbox.scan([(name, some_file) for name in names])
    assert [item.path for item in report.examined] == names


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with Sandbox() as sandbox:
        report = sandbox.scan([("none", tmp_path / "none"), ("folder", tmp_path), ("fifo", fifo)])
    assert report.outcome() is ScanOutcome.INCOMPLETE
    assert [item.path for item in report.skipped] == ["none", "folder", "fifo"]
    assert "No such file" in report.skipped[0].reason
    assert "not a regular file" in report.skipped[2].reason


def test_no_file_is_no_answer() -> None:
    with Sandbox() as sandbox:
        assert sandbox.scan([]).outcome() is ScanOutcome.INCOMPLETE


def test_names_with_control_characters_come_back_unchanged(some_file: Path) -> None:
    name = "bad\x1b[31m\udcff"
    with Sandbox() as sandbox:
        report = sandbox.scan([(name, some_file)])
    assert report.inert == (name,)


def test_a_zygote_that_dies_costs_what_it_held(some_file: Path) -> None:
    with Sandbox(workers=1) as sandbox:
        assert sandbox.scan([("a.txt", some_file)]).inert == ("a.txt",)
        sandbox._idle[0].shutdown(2)
        report = sandbox.scan([("b.txt", some_file), ("c.txt", some_file)])
    assert "sandbox stopped" in report.skipped[0].reason
    assert report.inert == ("c.txt",)


def test_no_sandbox_no_scan(some_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "_BOOT", "raise SystemExit(1)")
    with Sandbox() as sandbox, pytest.raises(UnavailableError) as error:
        sandbox.scan([("a", some_file)])
    assert error.value.code == "sandbox-start"


def test_the_worker_has_no_environment(hostile: Sandbox, some_file: Path) -> None:
    assert "refused" in ask(hostile, "try:environment", some_file).examined[0].format


def test_nothing_is_left_running(some_file: Path) -> None:
    with Sandbox(workers=2) as sandbox:
        sandbox.scan([("a.txt", some_file)])
        zygote = sandbox._zygote
    assert zygote is not None
    assert zygote.returncode is not None


@linux_only
def test_what_the_platform_cannot_hold_is_named(some_file: Path) -> None:
    with Sandbox(examiner="tests.support.unfiltered:examine", search=(ROOT,)) as sandbox:
        report = sandbox.scan([("a.txt", some_file)])
    assert report.inert == ("a.txt",)
    assert set(report.confinement) | set(report.unconfined) == {
        "files",
        "memory",
        "network",
        "output",
        "processes",
        "time",
    }
    assert {"files", "network"} <= set(report.unconfined)
    assert {"memory", "output", "time"} <= set(report.confinement)


def test_a_failing_progress_callback_reaches_the_caller(some_file: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with Sandbox() as sandbox, pytest.raises(KeyboardInterrupt):
        sandbox.scan([("a", some_file)] * 5, stop)


def test_giving_up_does_not_wait_for_files_under_examination(some_file: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    start = time.monotonic()
    with Sandbox(workers=3, examiner=HOSTILE, search=(ROOT,)) as sandbox:
        with pytest.raises(KeyboardInterrupt):
            sandbox.scan([("sleep", some_file), ("fine", some_file), ("sleep", some_file)], stop)
        assert sandbox._zygote is not None
    assert time.monotonic() - start < 10


def test_fewer_threads_than_wanted_still_examine_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    files = [tmp_path / f"{number}.txt" for number in range(3)]
    for file in files:
        file.write_text("text\n")
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with Sandbox(workers=4) as sandbox:
        report = sandbox.scan([(file.name, file) for file in files])
    assert report.inert == ("0.txt", "1.txt", "2.txt")


def test_many_small_files_share_workers_and_the_report_is_the_same(tmp_path: Path) -> None:
    files = []
    for n in range(700):
        file = tmp_path / f"{n}.txt"
        file.write_bytes(b"x" * (n % 5) + (b"y" * (100 << 10) if n % 97 == 0 else b""))
        files.append((file.name, file))
    files.insert(300, ("none", tmp_path / "none"))
    seen: list[int] = []
    with Sandbox(batch=True) as sandbox:
        together = sandbox.scan(files, lambda done, _: seen.append(done))
    with Sandbox() as sandbox:
        assert sandbox.scan(files) == together
    assert seen[-1] == len(files)
    assert len(seen) < 10


@pytest.mark.parametrize("what", ["crash", "spin", "garbage", "exit", "lie", "print", "raise"])
def test_what_a_file_does_to_its_batch_is_undone(what: str, some_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assaymark.sandbox.pool.SANDBOX_BATCH_FILES", 5)
    names = ["a", "b", what, "c", "d", "e", "f", "g", "h", "i"]
    with Sandbox(workers=2, limits=SMALL, batch=True, examiner=HOSTILE, search=(ROOT,)) as sandbox:
        report = sandbox.scan([(name, some_file) for name in names])
    assert [item.path for item in report.examined] == [name for name in names if name != what]
    assert [item.path for item in report.skipped] == [what]
