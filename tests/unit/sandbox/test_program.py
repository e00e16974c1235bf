"""A foreign program is held: each hold is shown by a program that tries."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from assaymark.sandbox.program import ProgramLimits, holds_files, run_program
from assaymark.sandbox.refusals import refusal_program

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's filters are Linux's")
REAL = Path(sys.executable).resolve()
READS = (REAL, REAL.parent.parent / "lib")
SHORT = ProgramLimits(memory_bytes=512 << 20, seconds=2, output_bytes=100_000, file_bytes=1 << 20)


def attempt(scratch: Path, code: str, *reads: Path, limits: ProgramLimits = SHORT):
    """``code`` in a fresh interpreter; it prints what it managed."""
    return run_program([str(REAL), "-c", code], scratch, (*READS, *reads), limits=limits)


def test_it_runs_in_its_folder_with_an_environment_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "token")
    ran = attempt(
        tmp_path,
        "import os; open('made', 'w').write('x'); print(os.getcwd(), os.environ.get('SECRET'), os.environ['HOME'])",
    )
    assert (ran.exit_code, ran.complaint, ran.stderr) == (0, "", b"")
    assert ran.stdout.decode().split() == [str(tmp_path), "None", str(tmp_path)]
    assert (tmp_path / "made").read_text() == "x"
    assert {"output", "time"} <= set(ran.held)


@linux_only
@pytest.mark.parametrize(
    "code",
    [
        "open({outside!r})",
        "open({outside!r}, 'a')",
        "import os; os.unlink({outside!r})",
        "import os; os.rename({outside!r}, 'x')",
        "import os; os.listdir(os.path.dirname({outside!r}))",
        "import os; os.chmod({outside!r}, 0o777)",
        "import os; os.symlink({outside!r}, 'l'); open('l')",
        "open('/etc/passwd')",
        "open('/proc/{parent}/environ')",
        "import socket; socket.socket()",
        "import socket; socket.socket(socket.AF_UNIX)",
        "import socket; socket.create_connection(('127.0.0.1', 1))",
        "import os; os.kill({parent}, 0)",
        "import os; os.setsid()",
    ],
)
def test_nothing_else_can_be_read_written_reached_or_told(tmp_path: Path, code: str) -> None:
    if not holds_files():
        pytest.skip("no Landlock here")
    outside, scratch = tmp_path / "outside", tmp_path / "scratch"
    outside.write_text("private")
    scratch.mkdir()
    ran = attempt(scratch, code.format(outside=str(outside), parent=os.getpid()))
    assert ran.exit_code == 1, ran
    assert b"PermissionError" in ran.stderr or b"Operation not permitted" in ran.stderr, ran
    assert {"files", "network", "memory"} <= set(ran.held)
    assert outside.read_text() == "private"


@linux_only
def test_what_it_may_read_it_may_not_write(tmp_path: Path) -> None:
    if not holds_files():
        pytest.skip("no Landlock here")
    model, scratch = tmp_path / "model", tmp_path / "scratch"
    model.mkdir()
    scratch.mkdir()
    (model / "m.pkl").write_text("weights")
    (model / "link").symlink_to(model / "m.pkl")
    for code in ("print(open({!r}).read())", "open({!r}, 'w')", "import os; os.remove({!r})"):
        ran = attempt(scratch, code.format(str(model / "link")), model)
        assert (ran.exit_code == 0) is code.startswith("print"), ran
    assert (model / "m.pkl").read_text() == "weights"


def test_time_output_and_memory_end(tmp_path: Path) -> None:
    began = time.monotonic()
    slow = attempt(tmp_path, "import time; time.sleep(60)")
    assert "took longer than 2 s" in slow.complaint
    loud = attempt(tmp_path, "while True: print('x' * 1000)")
    assert "printed more than 100000 bytes" in loud.complaint
    assert time.monotonic() - began < 10
    if sys.platform == "linux":
        large = attempt(tmp_path, "bytearray(2 << 30)")
        assert large.exit_code == 1
        assert b"MemoryError" in large.stderr


def test_its_children_end_with_it(tmp_path: Path) -> None:
    code = "import os, subprocess; p = subprocess.Popen(['/bin/sleep', '50']); print(p.pid)"
    began = time.monotonic()
    ran = attempt(tmp_path, code)
    assert ran.exit_code == 0
    assert time.monotonic() - began < 10
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(int(ran.stdout), 0)
        except ProcessLookupError:
            return
        if "\nState:\tZ" in Path(f"/proc/{int(ran.stdout)}/status").read_text():
            return
        time.sleep(0.05)
    raise AssertionError("the child lives")


def test_one_that_is_killed_or_is_not_there_says_so(tmp_path: Path) -> None:
    killed = attempt(tmp_path, f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})")
    assert (killed.exit_code, killed.started) == (-1, True)
    assert "SIGKILL" in killed.complaint
    missing = run_program([str(tmp_path / "nothing")], tmp_path, ())
    assert not missing.started
    assert "could not be started" in missing.complaint


def test_a_long_list_of_what_it_may_read_is_no_word_of_a_command(tmp_path: Path) -> None:
    many = tuple(tmp_path / f"{number:06}" / ("x" * 100) for number in range(3_000))
    assert attempt(tmp_path, "print(1)", *many).stdout == b"1\n"


def test_both_machines_have_a_filter() -> None:
    for machine in ("x86_64", "aarch64"):
        program = refusal_program(machine)
        assert program is not None
        assert len(program) % 8 == 0
        assert len(program) // 8 < 4096
    assert refusal_program("riscv64") is None
