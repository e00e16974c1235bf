"""What `assaymark record` costs beside the same training without it, in pairs.

Usage: python -m bench.record [--seconds 20] [--pairs 3]

Two trainings: one computes all the time, one opens a small file for each picture that it learns from (a declared
data set, and as many files that nobody declared), decodes it and works on it for some 4 ms, which is little. Each
runs bare and recorded, in turn; CPU is of the whole process tree. Machines are noisy: the least of the runs of each
side counts.

The limit, 2 % of the CPU of a training of 60 s, is below what two runs of one program differ by on a shared machine.
So it is held to a sum of parts that can be measured: what `record` costs once (a run in which each file is opened
once and nothing is computed), and what an open costs times the further ones of 60 s. The pairs are printed beside it.
"""

from __future__ import annotations

import argparse
import os
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
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed command is not compiled at each start
        env = {**os.environ, "ASSAYMARK_WORKSPACE": str(folder / "w"), "XDG_STATE_HOME": str(folder / "state")}
        assaymark("init", env=env)
        for name in ("declared", "other"):
            (folder / name).mkdir()
            for number in range(FILES):
                picture = os.urandom(16_384) + bytes(224 * 224 * 3 - 16_384)
                (folder / name / f"{number}.png").write_bytes(zlib.compress(picture, 1))
        os.chdir(folder)
        one = one_open(folder, env)
        print(f"one open: {one[0] * 1e6:.0f} us wall and {one[1] * 1e6:.0f} us CPU more\n", flush=True)
        print(
            "| training | opens/s | bare, s (CPU) | recorded, s (CPU) | wall more | CPU more | once, CPU | of 60 s |"
        )
        print("|---|---:|---:|---:|---:|---:|---:|---:|")
        good = compare(folder, env, "computes", COMPUTE, [], one[1], args)
        reads = [WORK, "declared", "other"]
        good &= compare(folder, env, f"opens {2 * FILES:,} files over and over", READ, reads, one[1], args)
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


def cost(
    folder: Path, env: dict[str, str], script: str, more: list[str], rounds: int, pairs: int
) -> tuple[float, float]:
    """What recording costs more, wall and CPU: the least of either side."""
    bare, recorded = commands(folder, script, rounds, more)
    samples = [(run(folder, env, bare), run(folder, env, recorded)) for _ in range(pairs)]
    wall, cpu = (min(pair[1][part] for pair in samples) - min(pair[0][part] for pair in samples) for part in (0, 1))
    return wall, cpu


def compare(
    folder: Path,
    env: dict[str, str],
    name: str,
    script: str,
    more: list[str],
    one: float,
    args: argparse.Namespace,
) -> bool:
    """Measure one training in pairs; whether it stays below the limit. ``one``: CPU-seconds of one open."""
    rounds = 500
    once = run(folder, env, commands(folder, script, rounds, more)[0])[1]
    rounds = max(1, int(rounds * 2 / once))
    once = run(folder, env, commands(folder, script, rounds, more)[0])[1]
    rounds = int(rounds * args.seconds / once)
    bare, recorded = commands(folder, script, rounds, more)
    samples = [(run(folder, env, bare), run(folder, env, recorded)) for _ in range(args.pairs)]
    before, after = (tuple(min(pair[side][part] for pair in samples) for part in (0, 1)) for side in (0, 1))
    wall, cpu = (after[part] / before[part] - 1 for part in (0, 1))
    once = cost(folder, env, script, ["0", *more[1:]] if more else [], 2 * FILES if more else 0, 5)[1]
    opens = rounds / before[1] if more else 0.0
    further = max(0.0, opens * LONG - 2 * FILES) if more else 0.0  # each file's first is in what is paid once
    share = (once + further * one) / LONG
    print(
        f"| {name} | {opens:.0f} | {before[0]:.2f} ({before[1]:.2f}) | {after[0]:.2f} ({after[1]:.2f}) | {wall:.1%} |"
        f" {cpu:.1%} | {once:.2f} | {share:.2%} (limit {LIMIT:.0%}) |",
        flush=True,
    )
    return share <= LIMIT


def one_open(folder: Path, env: dict[str, str]) -> tuple[float, float]:
    """What a single open costs more, wall and CPU, when a program does nothing else."""
    more = ["0", "declared", "other"]
    first = cost(folder, env, READ, more, 2 * FILES, 3)
    all_of_them = cost(folder, env, READ, more, 2 * FILES + OPENS, 3)
    return (all_of_them[0] - first[0]) / OPENS, (all_of_them[1] - first[1]) / OPENS


if __name__ == "__main__":
    sys.exit(main())
