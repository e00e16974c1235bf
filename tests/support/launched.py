"""``assaymark run`` as a process of its own, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
LONG_SECONDS = 30.0

# A policy whose decisions last so short that a test sees them end.
SHORT_POLICY = """\
format = "assaymark:policy/v1"

[environments.brief]
validity = "4s"

[[environments.brief.require]]
id = "scan"
predicate = "assaymark:scan/v1"
roles = ["scanner"]
"""


def alive(pid: int) -> bool:
    """Whether a process runs: one that ended and waits to be noticed does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(done: Callable[[], object], seconds: float = LONG_SECONDS) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.02)


class Launched:
    """A launcher that runs, and the folder in which its program tells of itself."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self.folder = folder

    def pid(self, name: str) -> int:
        """The process id that the program wrote to a file of this name."""
        file = self.folder / name
        eventually(lambda: self.process.poll() is not None or (file.exists() and file.read_text().endswith("\n")))
        assert file.exists(), self.process.communicate()
        return int(file.read_text())

    def text(self, name: str) -> str:
        """What the program wrote to a file of this name, once it ends in a line."""
        self.pid("pid")
        file = self.folder / name
        eventually(lambda: file.exists() and file.read_text().endswith("\n"))
        return file.read_text().strip()

    def end(self, seconds: float = LONG_SECONDS) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        out, err = self.process.communicate(timeout=seconds)
        assert "Traceback" not in err, err
        return self.process.returncode, out, err


def command(*words: object) -> list[str]:
    """``assaymark words...`` as a process."""
    return [sys.executable, "-m", "assaymark", *map(str, words)]


def environment(**more: str) -> dict[str, str]:
    """An environment in which the sources are found."""
    return {**os.environ, "PYTHONPATH": str(SOURCE), **more}


@contextmanager
def launched(folder: Path, *words: object, program: str = "sleep 60", **more: str) -> Iterator[Launched]:
    """Run ``assaymark run words... -- sh -c program``, which first writes its process id to ``pid``."""
    folder.mkdir(exist_ok=True)
    script = f"echo {{model}} > model; echo $$ > pid; {program}"
    process = subprocess.Popen(
        command("run", *words, "--", "sh", "-c", script),
        cwd=folder,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Launched(process, folder)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def ran(*words: object, input_text: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run ``assaymark run words...`` to its end."""
    done = subprocess.run(
        command("run", *words),
        env=environment(**more),
        input=input_text,
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
        check=False,
    )
    assert "Traceback" not in done.stderr, done
    return done


def spooled(folder: Path) -> list[dict[str, object]]:
    """The predicates of the records in a spool, oldest first."""
    import base64

    envelopes = [json.loads(file.read_bytes()) for file in sorted(folder.glob("*.dsse.json"))]
    return [json.loads(base64.b64decode(envelope["payload"]))["predicate"] for envelope in envelopes]
