"""The machine that a program runs on: processor, memory, accelerators, kernel. Read from the system, not measured."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any, Final

from assaymark.recording.command import shown

_NVIDIA: Final = Path("/proc/driver/nvidia/gpus")
_SECONDS: Final = 10.0
_MAX_TEXT: Final = 200


def read_hardware() -> dict[str, Any]:
    """What the statement says of the machine: integers and texts, and no names of hosts or people."""
    return {
        "architecture": platform.machine(),
        "cores": _cores(),
        "cpu": _cpu(),
        "gpus": _gpus(),
        "kernel": _cut(f"{platform.system()} {platform.release()}"),
        "memory": _memory(),
        "platform": _cut(platform.platform()),
    }


def _cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 0


def _cpu() -> str:
    text = _read(Path("/proc/cpuinfo"))
    found = re.search(r"^(?:model name|Model|CPU part)\s*:\s*(.+)$", text, re.MULTILINE)
    return _cut(found[1] if found else platform.processor() or platform.machine())


def _memory() -> int:
    """Bytes; 0 when the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0


def _gpus() -> list[str]:
    """The model of each NVIDIA accelerator: from the driver's files, else from its tool."""
    try:
        folders = sorted(_NVIDIA.iterdir())
    except OSError:
        folders = []
    named = [re.search(r"^Model:\s*(.+)$", _read(folder / "information"), re.MULTILINE) for folder in folders]
    if named and all(named):
        return [_cut(found[1]) for found in named if found]
    try:
        told = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],  # noqa: S607 - wherever the driver put it
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return []
    return [_cut(line) for line in told.splitlines() if line.strip()]


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def _cut(text: str) -> str:
    return shown(text.strip())[:_MAX_TEXT]
