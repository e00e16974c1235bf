"""Measures a scan: CPU of start-up, of large model files beyond it, bytes read, memory, and many small files.

Usage: python -m bench.scan [--runs 9] [--many 10000]

CPU is user and system time of the process and all its children, the least of interleaved runs; "beyond start-up" is
what a file costs more than a small one.
``--verify FOLDER`` only writes the large files, to be loaded with torch and safetensors.
"""

from __future__ import annotations

import argparse
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from assaymark.scanning.examine import examine
from bench.large_models import large_safetensors, large_torch_zip

_SIZE = 2 << 30
_TENSORS = 300
_START_LIMIT = 0.35  # seconds of CPU
_BEYOND_LIMIT = 0.020
_PICKLE_LIMIT = 0.060  # of a pickle of 500 MB
_MEMORY_LIMIT = 120 << 20  # bytes, of the scan of that pickle, all its processes
_MANY_LIMIT = 4.0  # times the files a second of modelscan
_PEER_BIN = Path(__file__).parents[1] / ".venv-bench" / "bin"
_PEERS = {"picklescan": ["--path"], "modelscan": ["-p"], "fickling": ["--check-safety"]}


class _File:
    """A file that counts what is read of it."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self._descriptor).st_size
        self.bytes_read = 0

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from ``offset``."""
        data = os.pread(self._descriptor, length, offset)
        self.bytes_read += len(data)
        return data


def write_sparse(path: Path, size: int, pieces: dict[int, bytes]) -> None:
    """Write ``pieces`` at their offsets into a sparse file of ``size`` bytes."""
    with path.open("wb") as file:
        file.truncate(size)
        for offset, data in pieces.items():
            file.seek(offset)
            file.write(data)


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _memory(path: Path) -> int:
    """The most resident memory of a scan's largest process, in bytes."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10)"
    )
    command = [sys.executable, "-c", code, sys.executable, "-m", "assaymark", "scan", "--no-cache", str(path)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _many(folder: Path, count: int) -> bool:
    """Time of ``count`` small files of kinds that both read, against modelscan in one run; whether it is enough."""
    import io

    import numpy as np

    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        name = f"{number}.{('pkl', 'joblib', 'npy', 'pt')[number % 4]}"
        if number % 4 == 0:
            data = pickle.dumps({"weights": [number / 7] * 9, "name": str(number)})
        elif number % 4 == 1:
            data = pickle.dumps({"coef_": rng.random((4, 8)), "intercept_": rng.random(4)})
        elif number % 4 == 2:  # noqa: PLR2004
            buffer = io.BytesIO()
            np.save(buffer, rng.random(16))
            data = buffer.getvalue()
        else:
            write_sparse(folder / name, *large_torch_zip(1 << 10, 2))
            continue
        (folder / name).write_bytes(data)
    figures = {}
    commands = {"assaymark": [sys.executable, "-m", "assaymark", "scan", "--no-cache", str(folder)]}
    if (_PEER_BIN / "modelscan").exists():
        commands["modelscan"] = [str(_PEER_BIN / "modelscan"), "-p", str(folder)]
    for tool, command in commands.items():
        before = time.monotonic()
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        figures[tool] = time.monotonic() - before
        print(f"{count:,} small files, {tool}: {figures[tool]:.1f} s, {count / figures[tool]:,.0f} files/s")
    if "modelscan" not in figures:
        return True
    print(f"times modelscan: {figures['modelscan'] / figures['assaymark']:.1f}, limit {_MANY_LIMIT:.0f}")
    return figures["modelscan"] / figures["assaymark"] >= _MANY_LIMIT


def _whole(paths: list[Path], runs: int) -> list[float]:
    """CPU of ``assaymark scan`` of each file as a whole: interpreter, command line, zygote, worker."""
    least = [float("inf")] * len(paths)
    for _ in range(runs):
        for index, path in enumerate(paths):
            before = _used()
            subprocess.run(
                [sys.executable, "-m", "assaymark", "scan", "--no-cache", str(path)],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            least[index] = min(least[index], _used() - before)
    return least


def _engine(path: Path, runs: int) -> tuple[float, int]:
    """CPU and bytes read of the examination alone."""
    figures = []
    for _ in range(runs):
        view = _File(path)
        before = time.process_time()
        report = examine(view, path.name)
        figures.append(time.process_time() - before)
        assert report.outcome() == "pass", report  # noqa: S101 - a bench of the wrong thing is no bench
    return min(figures), view.bytes_read


def _peers(paths: list[Path], runs: int) -> None:
    """What other scanners cost on the same files, the least of as many runs as ours, and what they answer."""
    present = {tool: words for tool, words in _PEERS.items() if (_PEER_BIN / tool).exists()}
    for tool in _PEERS.keys() - present.keys():
        print(f"{tool}: not installed, left out")
    least: dict[tuple[str, str], tuple[float, int]] = {}
    for _ in range(runs):
        for tool, words in present.items():
            for path in paths:
                cpu, code = _peer([str(_PEER_BIN / tool), *words, str(path)])
                key = (tool, path.name)
                least[key] = min(least.get(key, (cpu, code)), (cpu, code))
    for (tool, name), (cpu, code) in least.items():
        print(f"{tool:12} {name:20} {cpu * 1e3:9.0f} ms, exit code {code}")


def _peer(command: list[str]) -> tuple[float, int]:
    """CPU and exit code of one run."""
    with tempfile.TemporaryDirectory() as elsewhere:  # fickling leaves a file where it runs
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=elsewhere)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, process.returncode


def main() -> int:
    """Print the table; 1 when a figure is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--verify", type=Path)
    parser.add_argument("--many", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.verify or Path(temporary)
        files = {name: folder / name for name in ("small.pt", "large.pt", "large.safetensors", "large.pkl")}
        write_sparse(files["small.pt"], *large_torch_zip(1 << 16, 2))
        write_sparse(files["large.pt"], *large_torch_zip(_SIZE, _TENSORS))
        write_sparse(files["large.safetensors"], *large_safetensors(_SIZE, _TENSORS))
        raw = 500 << 20
        write_sparse(files["large.pkl"], raw + 12, {0: b"\x80\x04\x8e" + raw.to_bytes(8, "little"), raw + 11: b"."})
        if arguments.verify:
            return 0
        wholes = _whole(list(files.values()), arguments.runs)
        worst = 0
        print(
            f"{'file':20} {'size':>14} {'cpu, ms':>9} {'beyond start-up':>16} {'engine alone':>13} {'bytes read':>11}"
        )
        for (name, path), whole in zip(files.items(), wholes, strict=True):
            engine, read = _engine(path, arguments.runs)
            beyond = "" if name == "small.pt" else f"{(whole - wholes[0]) * 1e3:.1f}"
            limit = _PICKLE_LIMIT if name == "large.pkl" else _BEYOND_LIMIT
            worst |= whole > _START_LIMIT if name == "small.pt" else whole - wholes[0] > limit
            print(
                f"{name:20} {path.stat().st_size:14,} {whole * 1e3:9.1f} {beyond:>16} {engine * 1e3:13.2f} {read:11,}"
            )
        memory = _memory(files["large.pkl"])
        worst |= memory > _MEMORY_LIMIT
        print(f"large.pkl: {memory >> 20} MiB of memory, limit {_MEMORY_LIMIT >> 20}")
        worst |= not _many(folder / "many", arguments.many)
        many = pickle.dumps([{"a": i, "b": (i, str(i))} for i in range(100_000)], 4)
        (folder / "many.pkl").write_bytes(many)
        engine, _ = _engine(folder / "many.pkl", 3)
        print(f"opcodes: {len(many):,} bytes of small objects in {engine:.3f} s, {len(many) / engine / 1e6:.1f} MB/s")
        _peers([files["large.pt"], files["large.safetensors"]], arguments.runs)
        limits = f"beyond it {_BEYOND_LIMIT * 1e3:.0f} ms, the pickle {_PICKLE_LIMIT * 1e3:.0f} ms"
        print(f"limits: start-up {_START_LIMIT * 1e3:.0f} ms, {limits}")
    return int(worst)


if __name__ == "__main__":
    sys.exit(main())
