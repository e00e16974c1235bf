"""What `assaymark record` costs beside the same training without it, in pairs.

Usage: python -m bench.record [--seconds 20] [--pairs 3]

Two trainings: one computes all the time, one opens a small file for each picture that it learns from (a declared
data set, and as many files that nobody declared), decodes it and works on it for some 4 ms, which is little. Each
runs bare and recorded, in turn; CPU is of the whole process tree. Machines are noisy: the least of the runs of each
side counts.

The limit, 2 %, is on a training of 60 s: `--seconds 60` measures just that. From a shorter one, 60 s are computed:
what `record` costs a training of no rounds, and what it costs more for each second. Last comes what one open costs a
program that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import zlib
from pathlib import Path

from bench.commands import assaymark
from bench.run import measured

BIN = Path(sys.executable).parent
LIMIT = 0.02  # of a training of LONG seconds
LONG = 60.0
FILES = 5_000
WORK = "36"
OPENS = 50_000
# The same work whether recorded or not: so many rounds, calibrated once before.
COMPUTE = """\
import sys, pathlib
rounds, out = int(sys.argv[1]), pathlib.Path(sys.argv[2])
weights = [0.1] * 64
for step in range(rounds):
    weights = [(w * 1.0000001 + step * 1e-9) % 1.0 for w in weights]
out.mkdir(exist_ok=True)
(out / "weights").write_text(repr(weights))
"""
READ = """\
import hashlib, os, sys, pathlib, zlib
rounds, out, work, folders = int(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
state = hashlib.sha256()
names = [os.path.join(folder, name) for folder in folders for name in sorted(os.listdir(folder))]
for step in range(rounds):
    with open(names[step % len(names)], "rb") as stream:
        data = stream.read()
    if work:
        picture = zlib.decompress(data)
        for _ in range(work):  # a step of a small network
            state.update(picture)
out.mkdir(exist_ok=True)
(out / "weights").write_text(state.hexdigest())
"""


def main() -> int:
    """Print the table; 1 when a recorded training is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long a training takes, about")
    parser.add_argument("--pairs", type=int, default=3)
    args = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        env = {**os.environ, "ASSAYMARK_WORKSPACE": str(folder / "w"), "XDG_STATE_HOME": str(folder / "state")}
        assaymark("init", env=env)
        for name in ("declared", "other"):
            (folder / name).mkdir()
            for number in range(FILES):
                picture = os.urandom(16_384) + bytes(224 * 224 * 3 - 16_384)
                (folder / name / f"{number}.png").write_bytes(zlib.compress(picture, 1))
        os.chdir(folder)
        empty = cost(folder, env, "", [], 5)
        print(f"an empty program: {empty[0]:.2f} s wall and {empty[1]:.2f} s CPU more\n", flush=True)
        print("| training | bare, s (CPU) | recorded, s (CPU) | wall more | CPU more | CPU more on 60 s |")
        print("|---|---:|---:|---:|---:|---:|")
        for name, script, more in (
            ("computes", COMPUTE, []),
            (f"opens {2 * FILES:,} files over and over", READ, [WORK, "declared", "other"]),
        ):
            good &= compare(folder, env, name, script, more, args.seconds, args.pairs)
        one_open(folder, env)
    return 0 if good else 1


def commands(folder: Path, script: str, rounds: int, more: list[str]) -> tuple[list[str], list[str]]:
    """The same training, bare and recorded."""
    (folder / "train.py").write_text(script)
    bare = [sys.executable, "train.py", str(rounds), "model", *more]
    data = ["--data", "declared"] if more else []
    return bare, [str(BIN / "assaymark"), "record", *data, "--output", "model", "--", *bare]


def run(folder: Path, env: dict[str, str], command: list[str]) -> tuple[float, float]:
    """Wall and CPU of one run."""
    (folder / "model" / "weights").unlink(missing_ok=True)
    return measured(command, env)


def cost(folder: Path, env: dict[str, str], script: str, more: list[str], pairs: int) -> tuple[float, float]:
    """What recording a program that does almost nothing costs."""
    made = script or "import os, sys\nos.makedirs('model', exist_ok=True)\nopen('model/weights', 'w').write('x')\n"
    bare, recorded = commands(folder, made, 0, more)
    samples = [(run(folder, env, bare), run(folder, env, recorded)) for _ in range(pairs)]
    wall = statistics.median(b[0] - a[0] for a, b in samples)
    return wall, statistics.median(b[1] - a[1] for a, b in samples)


def compare(
    folder: Path, env: dict[str, str], name: str, script: str, more: list[str], seconds: float, pairs: int
) -> bool:
    """Measure one training in pairs; whether it stays below the limit."""
    rounds = 500
    once = run(folder, env, commands(folder, script, rounds, more)[0])[1]
    rounds = max(1, int(rounds * 2 / once))
    once = run(folder, env, commands(folder, script, rounds, more)[0])[1]
    bare, recorded = commands(folder, script, int(rounds * seconds / once), more)
    fixed = cost(folder, env, script, more, 5)
    samples = [(run(folder, env, bare), run(folder, env, recorded)) for _ in range(pairs)]
    before, after = (tuple(min(pair[side][part] for pair in samples) for part in (0, 1)) for side in (0, 1))
    wall, cpu = (after[part] / before[part] - 1 for part in (0, 1))
    growing = max(0.0, after[1] - before[1] - fixed[1])
    share = (fixed[1] + growing * LONG / before[1]) / LONG
    print(
        f"| {name} | {before[0]:.2f} ({before[1]:.2f}) | {after[0]:.2f} ({after[1]:.2f}) | {wall:.1%} | {cpu:.1%} |"
        f" {share:.2%} (limit {LIMIT:.0%}) |",
        flush=True,
    )
    return share <= LIMIT


def one_open(folder: Path, env: dict[str, str]) -> None:
    """What a single open costs, when a program does nothing else."""
    more = ["0", "declared", "other"]
    bare, recorded = commands(folder, READ, OPENS, more)
    fixed = cost(folder, env, READ, more, 3)
    samples = [(run(folder, env, bare), run(folder, env, recorded)) for _ in range(3)]
    wall, cpu = (
        (min(pair[1][part] for pair in samples) - min(pair[0][part] for pair in samples) - fixed[part]) / OPENS
        for part in (0, 1)
    )
    print(f"\none open: {wall * 1e6:.0f} us wall and {cpu * 1e6:.0f} us CPU more")


if __name__ == "__main__":
    sys.exit(main())
