"""``make soak``: every soak target until its coverage stops growing, a table at the end, 1 on a failure.

A target's coverage has stopped growing when the later half of its inputs, and at least QUIET_INPUTS of them, reached no
line that the earlier half had not; a target still growing after SOAK_SECONDS (default 600) is stopped then, and the
table says so. SOAK_WHOLE=1 goes on for SOAK_SECONDS in any case.
``make soak SOAK="kills races"`` runs those that are named. A target is a line in ``targets``: a name, and a function
that runs it until a time is over and returns a ``Row``; ``kills`` and ``races`` (tests/crash) take the time they take.
Fuzz targets are the modules of tests/fuzz with ``def fuzz(data: bytes) -> None``; ``SEEDS: list[bytes]`` is where
mutation starts. Inputs that reach a line which none reached before are kept and mutated further. A failing input is
written to out/soak/ and is run again with ``python -m tests.soak NAME FILE``.
"""

from __future__ import annotations

import importlib
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import CodeType, FrameType, ModuleType

import assaymark

ROOT = Path(__file__).parents[1]
OUT = ROOT / "out" / "soak"
SOURCE = str(Path(assaymark.__file__).parent)  # what is run, wherever it is installed
DEFAULT_SECONDS = 600.0
MAX_INPUT = 1 << 16  # a mutation does not grow an input beyond this, or beyond twice its largest seed
MAX_KEPT = 4096
MAX_FAILURES = 16  # of one target; then it is stopped, for the rest is likely the same
SLOW_SECONDS = 5.0  # one call above this is a failure: a parser must not hang on a small input
MEMORY_BYTES = 4 << 30
PROGRESS_SECONDS = 10.0
KILLS = 10_000  # half of them on each store
RACE_SECONDS = 60  # on each store
QUIET_INPUTS = 40_000
TRACED = 8  # one call in so many is watched for new lines: watching makes a call several times slower

# Without seeds: beginnings of the formats around.
PLAIN_SEEDS = [b"", b"{}", b"[]", b"\x80\x04.", b"PK\x03\x04", b"a\n\n", bytes(64)]
TOKENS = [
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\\u0000", b"\\ud800", b"null", b"true", b"-0", b"1e400"),
    *(b"9007199254740993", b"-1", b"1.5", b"NaN", b"\n", b"\n\n", b"\r\n", b"\x00", b"\xff", b"\xc0\x80", b"\xef\xbb\xbf"),
    *(b"\xe2\x80\xae", b"\xe2\x80\x94 ", b"=", b"==", b"+", b"/", b"..", b"sha256:", b"0" * 64, b"assaymark:", b"\xff" * 8),
    *(b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"\x80\x05\x95", b"c", b"R", b"\x93", b"q\x00", b"h\x00", b"t", b".", b"(")
]  # fmt: skip


@dataclass
class Row:
    """What came of one target."""

    name: str
    inputs: int = 0
    seconds: float = 0.0
    worst: float = 0.0
    kept: int = 0
    last_new: int = 0  # the input that was the last to reach a new line
    failures: list[str] = field(default_factory=list)

    @property
    def quiet(self) -> bool:
        return self.inputs - self.last_new >= max(QUIET_INPUTS, self.last_new)

    def cells(self) -> tuple[str, ...]:
        rate = self.inputs / self.seconds if self.seconds else 0.0
        return (
            self.name,
            str(self.inputs),
            f"{rate:.0f}",
            f"{self.worst * 1000:.1f}",
            str(self.kept),
            str(self.last_new),
            "no" if self.quiet else "yes",
            str(len(self.failures)),
        )


HEADINGS = ("target", "inputs", "inputs/s", "worst ms", "kept", "last new", "growing", "failures")


class Mutator:
    """New inputs from old ones: bit flips, bytes, tokens, slices cut, doubled, moved and taken from another input."""

    def __init__(self, chance: random.Random, limit: int) -> None:
        self._chance = chance
        self._limit = limit

    def mutate(self, data: bytes, other: bytes) -> bytes:
        for _ in range(1 << self._chance.randrange(4)):
            data = self._once(bytearray(data), other)
        return data[: self._limit]

    def _once(self, data: bytearray, other: bytes) -> bytes:
        chance = self._chance
        start, stop = self._slice(len(data))
        match chance.randrange(9):
            case 0 if data:
                data[min(start, len(data) - 1)] ^= 1 << chance.randrange(8)
            case 1 if data:
                data[min(start, len(data) - 1)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            case 2:
                data[start:start] = chance.choice(TOKENS)
            case 3:
                data[start:stop] = chance.choice(TOKENS)
            case 4:
                del data[start:stop]
            case 5:
                data[start:start] = data[start:stop] * chance.choice((1, 1, 2, 8))
            case 6:
                begin, end = self._slice(len(other))
                data[start:stop] = other[begin:end]
            case 7:
                del data[start:]
            case _:
                data[start:start] = chance.randbytes(chance.randrange(1, 9))
        return bytes(data)

    def _slice(self, length: int) -> tuple[int, int]:
        """Mostly short ones: formats break at their small parts."""
        start = self._chance.randrange(length + 1)
        longest = length if self._chance.random() < 0.1 else 16
        return start, min(length, start + self._chance.randrange(longest + 1))


class Lines:
    """Which lines of the product a call reached, by ``sys.settrace``."""

    def __init__(self) -> None:
        self.seen: set[tuple[CodeType, int]] = set()
        self._fresh = False

    def fresh(self, call: Callable[[], None]) -> bool:
        """Whether ``call`` reached a line that none reached before. What it raises passes."""
        self._fresh = False
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            call()
        finally:
            sys.settrace(before)
        return self._fresh

    def _enter(self, frame: FrameType, _event: str, _argument: object) -> Callable[..., object] | None:
        return self._line if frame.f_code.co_filename.startswith(SOURCE) else None

    def _line(self, frame: FrameType, event: str, _argument: object) -> Callable[..., object]:
        place = (frame.f_code, frame.f_lineno)
        if event == "line" and place not in self.seen:
            self.seen.add(place)
            self._fresh = True
        return self._line


class Fuzzing:
    """One fuzz target, run until its time is over."""

    def __init__(self, name: str, target: ModuleType, seed: int) -> None:
        self.row = Row(name)
        self._call = target.fuzz
        self._chance = random.Random(f"{seed} {name}")  # noqa: S311 - mutations, not secrets
        self._kept = [bytes(item) for item in getattr(target, "SEEDS", ())] or list(PLAIN_SEEDS)
        self._mutator = Mutator(self._chance, max(MAX_INPUT, 2 * max(map(len, self._kept))))
        self._lines = Lines()

    def run(self, seconds: float) -> Row:
        begin = time.monotonic()
        shown = begin
        whole = os.environ.get("SOAK_WHOLE") == "1"
        for data in list(self._kept):
            self.one(data, watched=True)
        while (now := time.monotonic()) - begin < seconds and len(self.row.failures) < MAX_FAILURES:
            self.row.seconds = now - begin
            if self.row.quiet and not whole:
                break
            if now - shown >= PROGRESS_SECONDS:
                shown = now
                say(
                    "  "
                    + " ".join(
                        f"{title} {cell}" for title, cell in zip(HEADINGS[1:], self.row.cells()[1:], strict=True)
                    )
                )
            chosen, other = self._chance.choice(self._kept), self._chance.choice(self._kept)
            data = self._mutator.mutate(chosen, other)
            if self.one(data, watched=self.row.inputs % TRACED == 0):
                self.row.last_new = self.row.inputs
                if len(self._kept) < MAX_KEPT:
                    self._kept.append(data)
        self.row.seconds = time.monotonic() - begin
        self.row.kept = len(self._kept)
        return self.row

    def one(self, data: bytes, *, watched: bool) -> bool:
        """One input; whether it reached something new."""
        self.row.inputs += 1
        fresh = False
        begin = time.monotonic()
        try:
            if watched:
                fresh = self._lines.fresh(partial(self._call, data))
            else:
                self._call(data)
        except Exception as error:  # noqa: BLE001 - whatever a target lets pass is what the soak looks for
            self._fail(data, error)
        took = time.monotonic() - begin
        if not watched:  # watching makes it slow
            self.row.worst = max(self.row.worst, took)
            if took > SLOW_SECONDS:
                self._fail(data, TimeoutError(f"{took:.1f} s for {len(data)} bytes"))
        return fresh

    def _fail(self, data: bytes, error: Exception) -> None:
        OUT.mkdir(parents=True, exist_ok=True)
        file = OUT / f"{self.row.name}-{sha256(data).hexdigest()[:16]}"
        if str(file) in self.row.failures:
            return
        file.write_bytes(data)
        file.with_suffix(".txt").write_text("".join(traceback.format_exception(error)))
        self.row.failures.append(str(file))
        say(f"  FAILED {self.row.name}: {type(error).__name__}: {str(error)[:200]} ({file})")


def fuzz_targets(folder: Path = ROOT / "tests" / "fuzz") -> dict[str, ModuleType]:
    """The modules of ``folder`` that have ``fuzz``, by name."""
    modules = {
        path.stem: importlib.import_module(f"tests.fuzz.{path.stem}") for path in sorted(folder.glob("[!_]*.py"))
    }
    return {name: module for name, module in modules.items() if hasattr(module, "fuzz")}


def targets(seed: int) -> dict[str, Callable[[float], Row]]:
    """Name and runner of each soak target. What is not fuzzing is added here by a line."""
    table: dict[str, Callable[[float], Row]] = {}
    for name, module in fuzz_targets().items():
        table[name] = Fuzzing(name, module, seed).run
    table["kills"] = lambda _: lives("kills", KILLS // 2, seed)
    table["races"] = lambda _: lives("races", RACE_SECONDS)
    return table


def lives(name: str, *words: object) -> Row:
    """Processes that append to a log of each store and are killed, or race: tests/crash. As long as it takes."""
    row = Row(name)
    begin = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    for store in ("sqlite", "folder"):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", f"tests.crash.{name}", folder, store, *map(str, words)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        say(f"  {done.stdout.strip() or done.stderr}")
        row.inputs += int(str(words[0]))
        if done.returncode:
            OUT.mkdir(parents=True, exist_ok=True)
            file = OUT / f"{name}-{store}.txt"
            file.write_text(done.stdout + done.stderr)
            row.failures.append(str(file))
    row.seconds = time.monotonic() - begin
    return row


def table(rows: list[Row]) -> str:
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@contextmanager
def bounded_memory() -> Iterator[None]:
    """An input that makes a parser take gigabytes ends in a MemoryError, which is a failure, not in a dead machine."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES if hard < 0 else min(MEMORY_BYTES, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def main(words: list[str]) -> int:
    """No words: everything. One name or more: these targets. A name and a file: that input once."""
    if len(words) == 2 and Path(words[1]).is_file():
        fuzz_targets()[words[0]].fuzz(Path(words[1]).read_bytes())
        return 0
    seconds = float(os.environ.get("SOAK_SECONDS", DEFAULT_SECONDS))
    seed = int(os.environ.get("SOAK_SEED", time.time_ns()))
    found = targets(seed)
    unknown = [word for word in words if word not in found]
    if unknown or not found:
        say(f"no soak target {', '.join(unknown) or 'at all'}; there are: {', '.join(found)}")
        return 2
    chosen = {name: run for name, run in found.items() if not words or name in words}
    say(f"{len(chosen)} targets, at most {seconds:g} s each; SOAK_SEED={seed}")
    rows = []
    with bounded_memory():
        for name, run in chosen.items():
            say(name)
            rows.append(run(seconds))
    sys.stdout.write(table(rows) + "\n")
    failures = [file for row in rows for file in row.failures]
    for file in failures:
        sys.stdout.write(f"failed: {file}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
