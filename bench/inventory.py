"""An inventory of 100,000 files, beside hashing all of them and beside scanners that walk a folder.

Usage: python -m bench.inventory [--files 100000] [--models 200] [--peer-seconds 300]

The tree is mostly source, text, JSON and pictures, with models of some formats in it. Wall and
CPU are of whole processes and their children; files are in the page cache. Peers are taken from .venv-bench.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle  # written here, never read
import random
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv-bench" / "bin"
LIMIT_SECONDS = 60.0
# Names as usual, so that peers, which go by them, look at the models too.
MODEL_SUFFIXES = (".safetensors", ".gguf", ".pkl")
SUFFIXES = (".py", ".json", ".txt", ".png")
FOLDER = 100  # files in one folder


def chance(seed: int) -> random.Random:
    """The same numbers in every run."""
    return random.Random(seed)  # noqa: S311 - what files hold


def safetensors_bytes(seed: int, size: int) -> bytes:
    """A valid file of one tensor."""
    header = json.dumps({"weight": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + chance(seed).randbytes(size)


def gguf_bytes(seed: int, size: int) -> bytes:
    """A header without keys and tensors, and bytes behind it."""
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + chance(seed).randbytes(size)


def model_bytes(seed: int) -> bytes:
    """One of three formats, about a megabyte."""
    size = 1 << 20
    match seed % 3:
        case 0:
            return safetensors_bytes(seed, size)
        case 1:
            return gguf_bytes(seed, size)
        case _:
            return pickle.dumps({"weights": chance(seed).randbytes(size), "bias": seed}, 4)


def other_bytes(seed: int) -> bytes:
    """Source, JSON, text or a small picture: what a working tree holds."""
    draw = chance(seed)
    match seed % 4:
        case 0:
            return b"import os\n\n\ndef main():\n" + b"    print(os.getcwd())\n" * draw.randrange(300)
        case 1:
            return json.dumps({"id": seed, "values": [draw.random() for _ in range(60)]}).encode()
        case 2:
            return b"Some words about the project. " * draw.randrange(200)
        case _:
            chunk = zlib.compress(draw.randbytes(3000))
            return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(chunk)) + b"IDAT" + chunk


def make_tree(folder: Path, files: int, models: int) -> None:
    """``files`` files, every so many of them a model, in folders of a hundred."""
    every = max(1, files // models)
    for number in range(files):
        if number % FOLDER == 0:
            place = folder / f"{number // FOLDER // 20:03}" / f"{number // FOLDER:05}"
            place.mkdir(parents=True)
        data = model_bytes(number // every) if number % every == 0 else other_bytes(number)
        suffix = MODEL_SUFFIXES[number // every % 3] if number % every == 0 else SUFFIXES[number % 4]
        (place / f"file{number}{suffix}").write_bytes(data)


def measure(command: list[str], limit: float, cwd: Path) -> tuple[float, float, int | None]:
    """Wall and CPU seconds of a command and its children, and its exit code: None when it was stopped."""
    begun = os.times()
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=cwd)
    code: int | None
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        code = None
    ended = os.times()
    cpu = ended.children_user + ended.children_system - begun.children_user - begun.children_system
    return time.monotonic() - start, cpu, code


def main() -> int:
    """Print the table; 1 when the whole inventory takes longer than its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--peer-seconds", type=float, default=300)
    arguments = parser.parse_args()
    ours = [sys.executable, "-m", "assaymark"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tree = folder / "tree"
        make_tree(tree, arguments.files, arguments.models)
        size = sum(file.stat().st_size for file in tree.rglob("*.*"))
        print(f"{arguments.files:,} files, {arguments.models} models, {size / 1e6:,.0f} MB")
        workspace = ["--workspace", str(folder / "w")]
        subprocess.run([*ours, "init", *workspace], check=True, stdout=subprocess.DEVNULL)
        look = [*ours, "inventory", str(tree)]
        table = {
            "inventory": [*look, *workspace],
            "inventory --no-scan": [*look, *workspace, "--no-scan"],
            "find -exec sha256sum": ["find", str(tree), "-type", "f", "-exec", "sha256sum", "{}", "+"],
        }
        peers = {"picklescan": ["-p"], "modelscan": ["-p"]}
        for name, words in peers.items():
            if (PEERS / name).exists():
                table[name] = [str(PEERS / name), *words, str(tree)]
            else:
                print(f"{name}: not installed, left out")
        answer = subprocess.run([*look, *workspace, "--format", "json"], capture_output=True, check=False)
        found = len(json.loads(answer.stdout)["models"])
        print(f"found {found} of {arguments.models} models (this run also warms the page cache)")
        bad = found != arguments.models
        print(f"\n{'command':22} {'wall, s':>9} {'CPU, s':>9}  exit")
        for name, command in table.items():
            wall, cpu, code = measure(command, arguments.peer_seconds, folder)
            print(f"{name:22} {wall:9.1f} {cpu:9.1f}  {'stopped' if code is None else code}", flush=True)
            bad |= name == "inventory" and wall > LIMIT_SECONDS
        print(f"limit: {LIMIT_SECONDS:.0f} s for the inventory of 100,000 files")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
