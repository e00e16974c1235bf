"""What commands cost as whole processes, beside peers: CPU-seconds, medians of interleaved runs.

Usage: python -m bench.commands [--runs 9]

Peers are taken from .venv-bench (`make bench` sets it up); one that is not there is left out, and that is said.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PEERS = ROOT / ".venv-bench" / "bin"


@dataclass
class Case:
    """A command, what it is for, and its limit in CPU-seconds if the project sets one."""

    name: str
    command: list[str]
    limit: float | None = None
    allowed: tuple[int, ...] = (0,)
    samples: list[float] = field(default_factory=list)


def cpu_seconds(command: list[str], allowed: tuple[int, ...], env: dict[str, str]) -> float:
    """User and system seconds of a process and of the children it waited for."""
    process = subprocess.Popen(  # elsewhere: fickling leaves a file where it runs
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, cwd=tempfile.gettempdir()
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in allowed:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def small_pickle(file: Path) -> None:
    """A pickle of plain data."""
    import pickle  # written here, never read

    file.write_bytes(pickle.dumps({"weights": [0.5, 1.5], "bias": 3}, protocol=4))


def assaymark(*words: str | Path, env: dict[str, str], allowed: tuple[int, ...] = (0,)) -> str:
    """Run our command, and return what it prints."""
    done = subprocess.run(
        [str(BIN / "assaymark"), *map(str, words)], capture_output=True, text=True, env=env, check=False
    )
    if done.returncode not in allowed:
        sys.exit(f"assaymark {words}: {done.stdout}{done.stderr}")
    return done.stdout


def cases(folder: Path, env: dict[str, str]) -> list[Case]:
    """Everything that is measured, on files made in ``folder``."""
    small = folder / "small.pkl"
    small_pickle(small)
    model = folder / "model"
    model.mkdir()
    (model / "README.md").write_text("# small\n")
    small_pickle(model / "small.pkl")
    import json

    root = json.loads(assaymark("init", "--format", "json", env=env))["root"]
    assaymark("submit", model, "--to", "dev", env=env)
    dossier = folder / "model.dossier"
    assaymark("decide", model, "--for", "dev", "--dossier", dossier, env=env)
    ours = str(BIN / "assaymark")
    table = [
        Case("python -c pass", [sys.executable, "-c", "pass"]),
        Case("import assaymark", [sys.executable, "-c", "import assaymark"], 0.1),
        Case("assaymark --help", [ours, "--help"], 0.20),
        Case("assaymark scan small.pkl", [ours, "scan", str(small)], 0.35),
        Case(
            "assaymark verify --dossier",
            [ours, "verify", str(model), "--for", "dev", "--dossier", str(dossier), "--root", root],
            0.40,
        ),
        Case("assaymark verify --workspace", [ours, "verify", str(model), "--for", "dev"]),
        Case("assaymark submit (again)", [ours, "submit", str(model), "--to", "dev"]),
    ]
    peers = [
        Case("picklescan small.pkl", [str(PEERS / "picklescan"), "--path", str(small)]),
        Case("modelscan small.pkl", [str(PEERS / "modelscan"), "-p", str(small)]),
        Case("fickling small.pkl", [str(PEERS / "fickling"), "--check-safety", str(small)], allowed=(0, 1)),
    ]
    missing = [case.name for case in peers if not Path(case.command[0]).exists()]
    if missing:
        print("left out, not installed: " + ", ".join(missing))
    return table + [case for case in peers if case.name not in missing]


def main() -> int:
    """Print the table; exit 1 when a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        env = {**os.environ, "ASSAYMARK_WORKSPACE": str(folder / "w"), "XDG_STATE_HOME": str(folder / "state")}
        table = cases(folder, env)
        for turn in range(args.runs + 1):
            for case in table:
                seconds = cpu_seconds(case.command, case.allowed, env)
                if turn:  # the first run warms caches
                    case.samples.append(seconds)
            time.sleep(0.05)
    print("\n| command | CPU-seconds | of the limit |\n|---|---:|---:|")
    good = True
    for case in table:
        median = statistics.median(case.samples)
        share = "" if case.limit is None else f"{median / case.limit:.0%} of {case.limit:.2f}"
        good &= case.limit is None or median <= case.limit
        print(f"| `{case.name}` | {median:.3f} | {share} |")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
