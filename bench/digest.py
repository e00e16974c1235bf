"""What the digest of a model folder costs beside bare SHA-256 and beside OpenSSF model-signing, in one run.

    python bench/digest.py [--size 4G] [--rounds 3] [--model-signing PATH] [--folder /tmp]

Each variant runs in a process of its own, in turn, over the same files in the page cache; the table shows medians of
CPU seconds, the median of the ratios to bare hashlib in the same round, the wall time and the peak memory. The files
are sparse: SHA-256 takes as long for zeros as for weights, and no disk is filled.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MIB: Final = 1024 * 1024
CPU_LIMIT: Final = 1.06
SIGNING_LIMIT: Final = 0.85
MEMORY_LIMIT_MIB: Final = 150

BARE: Final = """
import hashlib, sys, threading, pathlib
queue = [p for p in pathlib.Path(sys.argv[1]).rglob("*") if p.is_file()]
def work():
    while True:
        try:
            path = queue.pop()
        except IndexError:
            return
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
threads = [threading.Thread(target=work) for _ in range(2)]
[t.start() for t in threads]
[t.join() for t in threads]
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: CPU and wall seconds, peak resident memory in MiB."""

    cpu: float
    wall: float
    memory: float


def measure(command: list[str]) -> Run:
    """Run a command and wait for it."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with exit code {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * unit / MIB)


def make_folder(folder: Path, count: int, size: int) -> None:
    """``count`` sparse files of ``size`` bytes, each different."""
    folder.mkdir()
    for i in range(count):
        with (folder / f"part-{i:05d}.safetensors").open("wb") as file:
            file.write(i.to_bytes(8, "big"))
            file.truncate(size)


def make_key(folder: Path) -> Path:
    """A private key for model_signing, which wants an elliptic curve."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "key.pem"
    path.write_bytes(key)
    return path


def bench(name: str, folder: Path, rounds: int, signing: list[str] | None) -> bool:
    """Print the table of one folder; whether every figure is within its limit."""
    variants = {"bare hashlib, 2 threads": [sys.executable, "-c", BARE, str(folder)]}
    variants["assaymark"] = [sys.executable, "-m", "assaymark", "digest", str(folder)]
    if signing is not None:
        variants["model_signing sign"] = [*signing, str(folder)]
    measure(variants["bare hashlib, 2 threads"])  # fills the page cache
    runs: dict[str, list[Run]] = {variant: [] for variant in variants}
    for _ in range(rounds):
        for variant, command in variants.items():
            runs[variant].append(measure(command))
    print(f"\n{name}\n{'':26}{'cpu-s':>8}{'ratio':>8}{'wall-s':>8}{'cores':>7}{'MiB':>7}")
    bare = runs["bare hashlib, 2 threads"]
    for variant, measured in runs.items():
        ratio = statistics.median(run.cpu / base.cpu for run, base in zip(measured, bare, strict=True))
        cpu, wall = (statistics.median(values) for values in zip(*((r.cpu, r.wall) for r in measured), strict=True))
        memory = max(run.memory for run in measured)
        print(f"{variant:26}{cpu:8.2f}{ratio:8.3f}{wall:8.2f}{cpu / wall:7.2f}{memory:7.0f}")
    ours = runs["assaymark"]
    against_bare = statistics.median(run.cpu / base.cpu for run, base in zip(ours, bare, strict=True))
    good = report("cpu against bare hashlib", against_bare, CPU_LIMIT)
    good &= report("peak memory, MiB", max(run.memory for run in ours), MEMORY_LIMIT_MIB)
    if signing is not None:
        pairs = zip(ours, runs["model_signing sign"], strict=True)
        good &= report("cpu against model_signing", statistics.median(a.cpu / b.cpu for a, b in pairs), SIGNING_LIMIT)
    return good


def report(what: str, value: float, limit: float) -> bool:
    """Print one figure against its limit."""
    good = value <= limit
    print(f"  {what}: {value:.3f}, limit {limit:g}: {'within' if good else 'ABOVE'}")
    return good


def main() -> int:
    """Exit 0 when every figure is within its limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=float, default=4.0, help="GiB of each folder")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where the files are made")
    parser.add_argument("--model-signing", default=shutil.which("model_signing"), help="the command to compare with")
    arguments = parser.parse_args()
    total = int(arguments.size * 1024 * MIB)
    good = True
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="assaymark-bench-") as name:
        work = Path(name)
        signing = None
        if arguments.model_signing:
            key = ["--private_key", str(make_key(work)), "--signature", str(work / "model.sig")]
            signing = [arguments.model_signing, "sign", "key", *key]
        else:
            print("model_signing is not installed: no comparison with it (pip install model-signing)")
        for title, count in (("8 large files", 8), ("4,000 small files", 4000)):
            folder = work / f"model-{count}"
            make_folder(folder, count, total // count)
            good &= bench(f"{title}, {arguments.size:g} GiB", folder, arguments.rounds, signing)
            shutil.rmtree(folder)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
