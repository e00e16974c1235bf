"""What `assaymark run` adds before a program starts, beside a bare copy, hash and start of it.

Usage: python -m bench.run [--runs 7] [--mib 256]

The bare start copies the model with `cp`, hashes the copy with `sha256sum` and runs `true`: what anybody must do who
wants to run what was verified. The difference is ours: interpreter, dossier, decision, guard, attempt and clean-up.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.commands import assaymark

BIN = Path(sys.executable).parent
LIMIT_SECONDS = 0.5  # of start delay beyond hashing


def measured(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of a process and of the children it waited for."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime


def make_model(folder: Path, mib: int) -> Path:
    """A safetensors file of so many MiB of bytes that do not compress."""
    folder.mkdir()
    size = mib << 20
    header = f'{{"weight":{{"dtype":"U8","shape":[{size}],"data_offsets":[0,{size}]}}}}'.encode()
    header += b" " * (-len(header) % 8)
    with (folder / "model.safetensors").open("wb") as stream:
        stream.write(len(header).to_bytes(8, "little") + header)
        for _ in range(mib):
            stream.write(os.urandom(1 << 20))
    return folder


def main() -> int:
    """Print the table; exit 1 when the delay is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--mib", type=int, default=256, help="size of the large model")
    args = parser.parse_args()
    print("| model | start | wall s | CPU s | beyond copying and hashing, wall s |\n|---|---|---:|---:|---:|")
    good = True
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        env = {**os.environ, "ASSAYMARK_WORKSPACE": str(folder / "w"), "XDG_STATE_HOME": str(folder / "state")}
        import json

        root = json.loads(assaymark("init", "--format", "json", env=env))["root"]
        for mib in (1, args.mib):
            model = make_model(folder / f"model-{mib}", mib)
            assaymark("submit", model, "--to", "dev", env=env)
            dossier = folder / f"{mib}.dossier"
            assaymark("decide", model, "--for", "dev", "--dossier", dossier, env=env)
            good &= compare(folder, model, dossier, root, env, args.runs)
    return 0 if good else 1


def compare(folder: Path, model: Path, dossier: Path, root: str, env: dict[str, str], runs: int) -> bool:
    """Measure one model, interleaved; whether the delay is below the limit."""
    bare = f"cp -r {model} {folder}/copy && sha256sum {folder}/copy/* && true; rm -rf {folder}/copy"
    ours = [str(BIN / "assaymark"), "run", str(model), "--for", "dev"]
    cases = {
        "cp, sha256sum, true": ["sh", "-c", bare],
        "assaymark run --dossier": [*ours, "--dossier", str(dossier), "--root", root, "--", "true"],
        "assaymark run --workspace": [*ours, "--", "true"],
    }
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for turn in range(runs + 1):
        for name, command in cases.items():
            sample = measured(command, env)
            if turn:  # the first run warms caches
                samples[name].append(sample)
    base = None
    good = True
    for name, found in samples.items():
        wall, cpu = (statistics.median(values) for values in zip(*found, strict=True))
        base = wall if base is None else base
        delay = wall - base
        good &= delay <= LIMIT_SECONDS
        shown = (
            f"{delay:.3f} ({delay / LIMIT_SECONDS:.0%} of {LIMIT_SECONDS})" if name.startswith("assaymark") else ""
        )
        print(
            f"| {model.name.removeprefix('model-')} MiB | `{name}` | {wall:.3f} | {cpu:.3f} | {shown} |", flush=True
        )
    return good


if __name__ == "__main__":
    sys.exit(main())
