"""Measures a conversion: 2 GB of torch zip to safetensors, CPU-seconds and peak memory, beside torch's own way.

Usage: python -m bench.convert [--runs 3] [--peer PYTHON]

Ours is the whole command: plan in a confined process, copy, flush, comparison of every byte, SHA-256 of both files.
``--peer`` is an interpreter with torch and safetensors; it loads with ``weights_only=True`` and saves, and neither
compares nor hashes. The file holds random bytes, so that no file system stores it as a hole.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.large_models import large_torch_zip

_SIZE = 2 << 30
_TENSORS = 300
_CPU_LIMIT = 12.0  # seconds
_MEMORY_LIMIT = 256  # MiB
_PEER = (
    "import sys, torch, safetensors.torch;"
    "safetensors.torch.save_file(torch.load(sys.argv[1], weights_only=True), sys.argv[2])"
)


def _fill(path: Path, size: int, pieces: dict[int, bytes]) -> None:
    """The file, with random bytes where it is sparse; torch does not check the checksums that are then wrong."""
    block = os.urandom(1 << 22)
    with path.open("wb") as file:
        for start in range(0, size, len(block)):
            file.write(block[: size - start])
        for offset, data in pieces.items():
            file.seek(offset)
            file.write(data)


def _run(command: list[str]) -> tuple[float, int]:
    """CPU-seconds, and MiB of resident memory at the peak, of one command and its children."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss >> 10


def main() -> int:
    """Print the table; 1 when a figure is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peer", help="a Python with torch and safetensors")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        source, target = Path(temporary) / "large.pt", Path(temporary) / "large.safetensors"
        _fill(source, *large_torch_zip(_SIZE, _TENSORS))
        commands = {"assaymark convert": [sys.executable, "-m", "assaymark", "convert", str(source), str(target)]}
        if arguments.peer:
            commands["torch and safetensors"] = [arguments.peer, "-c", _PEER, str(source), str(target)]
        least: dict[str, tuple[float, int]] = {}
        for _ in range(arguments.runs):
            for name, command in commands.items():
                target.unlink(missing_ok=True)
                cpu, memory = _run(command)
                before = least.get(name, (cpu, memory))
                least[name] = (min(before[0], cpu), min(before[1], memory))
        print(f"{'2 GB torch zip by':24} {'cpu, s':>8} {'memory, MiB':>12}")
        for name, (cpu, memory) in least.items():
            print(f"{name:24} {cpu:8.2f} {memory:12}")
        cpu, memory = least["assaymark convert"]
        return int(cpu > _CPU_LIMIT or memory > _MEMORY_LIMIT)


if __name__ == "__main__":
    sys.exit(main())
