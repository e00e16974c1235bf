"""``run_program``: a foreign program on hostile bytes, with limits, in an environment that shows it little."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assaymark.core.limits import (
    OPINION_FILE_BYTES,
    OPINION_MEMORY_BYTES,
    OPINION_OUTPUT_BYTES,
    OPINION_SECONDS,
)
from assaymark.sandbox.files import in_memory
from assaymark.sandbox.landlock import landlock_version
from assaymark.sandbox.launcher import CANNOT_START

_BOOT: Final = (
    "import sys; sys.path[:0] = sys.argv[3:]; "
    "from assaymark.sandbox.launcher import main; main(int(sys.argv[1]), int(sys.argv[2]))"
)
_PIECE: Final = 65_536
_MAX_HELD: Final = 4_096
# What a program needs of the system to run at all, and no more: not the homes, not /etc, not other processes.
_SYSTEM: Final = (
    *("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/nix/store", "/gnu/store"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types", "/etc/alternatives"),
    *("/dev/urandom", "/dev/random", "/dev/zero", "/proc/self", "/proc/meminfo", "/proc/cpuinfo"),
    "/sys/devices/system/cpu",
)
_WRITABLE: Final = ("/dev/null",)


@dataclass(frozen=True, slots=True)
class ProgramLimits:
    """Limits for one run: address space and files in bytes, CPU and wall-clock time in seconds, bytes of output."""

    memory_bytes: int = OPINION_MEMORY_BYTES
    seconds: int = OPINION_SECONDS
    output_bytes: int = OPINION_OUTPUT_BYTES
    file_bytes: int = OPINION_FILE_BYTES


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended. ``complaint`` is empty when it ended by itself within its limits.

    ``exit_code`` as the program gave it, -1 when it gave none; ``held`` names what held it, as in a scan;
    ``started`` is False when it never ran.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    complaint: str
    held: tuple[str, ...]
    started: bool = True


def holds_files() -> bool:
    """Whether a program that is run here can be kept from writing to files that it is not given."""
    return sys.platform.startswith("linux") and landlock_version(ctypes.CDLL(None, use_errno=True)) >= 1


def run_program(
    command: list[str],
    scratch: Path,
    reads: tuple[Path, ...],
    *,
    environment: dict[str, str] | None = None,
    limits: ProgramLimits | None = None,
) -> Ran:
    """Run ``command`` (its program by absolute path) in ``scratch``, the one folder that it may write to.

    It may read ``reads`` and what the system's libraries are, and gets an empty environment but ``environment`` and
    what says that all homes and temporary folders are ``scratch``. Its children end with it.

    Raises:
        OSError: when not even our own interpreter can be started.
    """
    limits = limits or ProgramLimits()
    home = str(scratch)
    wanted = {
        "command": command,
        "environment": {
            "PATH": "/usr/bin:/bin",
            "HOME": home,
            "TMPDIR": home,
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONNOUSERSITE": "1",
            **(environment or {}),
        },
        "reads": [*_SYSTEM, *(str(path) for path in reads)],
        "writes": [*_WRITABLE, home],
        "memory_bytes": limits.memory_bytes,
        "file_bytes": limits.file_bytes,
        "seconds": limits.seconds,
    }
    source, sink = os.pipe()
    package = str(Path(__file__).resolve().parents[2])
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    try:
        try:
            with in_memory(json.dumps(wanted).encode()) as request:  # may be longer than a word of a command
                request.seek(0)
                boot = [sys.executable, "-I", "-S", "-c", _BOOT, str(request.fileno()), str(sink), package]
                process = subprocess.Popen(  # noqa: S603 - our own interpreter, words of ours
                    boot,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    cwd=scratch,
                    env=kept,
                    pass_fds=(request.fileno(), sink),
                    start_new_session=True,
                )
        finally:
            os.close(sink)
        try:
            stdout, stderr, complaint = _listen(process, limits)
        finally:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)  # its children too: the filter lets none leave the group
            process.wait()
        held = _held(source)
    finally:
        os.close(source)
    return _result(process.returncode, stdout, stderr, complaint, held)


def _listen(process: subprocess.Popen[bytes], limits: ProgramLimits) -> tuple[bytes, bytes, str]:
    """Both streams until they end, and why that was not waited for."""
    assert process.stdout is not None  # noqa: S101 - both were asked for
    assert process.stderr is not None  # noqa: S101
    heard = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    deadline = time.monotonic() + limits.seconds
    complaint = ""
    with selectors.DefaultSelector() as selector, process.stdout, process.stderr:
        for descriptor in heard:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map() and not complaint:
            left = deadline - time.monotonic()
            # The program may end while a child of it holds the streams: who looks every second notices.
            ready = selector.select(max(0.0, min(left, 1.0)))
            for key, _ in ready:
                piece = os.read(key.fd, _PIECE)
                heard[key.fd] += piece
                if not piece:
                    selector.unregister(key.fd)
            if sum(map(len, heard.values())) > limits.output_bytes:
                complaint = f"it printed more than {limits.output_bytes} bytes"
            elif left <= 0:
                complaint = f"it took longer than {limits.seconds} s"
            elif not ready and process.poll() is not None:
                break
        if not complaint:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                complaint = f"it took longer than {limits.seconds} s"
    stdout, stderr = map(bytes, heard.values())
    return stdout, stderr, complaint


def _held(source: int) -> tuple[str, ...] | None:
    """What the launcher said holds; ``None`` when it said nothing."""
    data = os.read(source, _MAX_HELD)
    try:
        return tuple(str(name) for name in json.loads(data))
    except ValueError:
        return None


def _result(code: int, stdout: bytes, stderr: bytes, complaint: str, held: tuple[str, ...] | None) -> Ran:
    if held is None or (code == CANNOT_START and not complaint):
        why = stderr.decode(errors="replace").strip()[-200:]
        return Ran(-1, stdout, stderr, f"it could not be started: {why}", held or (), started=False)
    if not complaint and code < 0:
        name = signal.Signals(-code).name if -code in signal.valid_signals() else str(-code)
        complaint = f"it was ended by {name}, as when memory or time runs out"
    return Ran(code if code >= 0 else -1, stdout, stderr, complaint, held)
