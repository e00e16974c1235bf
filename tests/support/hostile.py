# The system calls themselves are the point, not the comfortable way to make them.
# ruff: noqa: PTH101, PTH108, PTH116, PTH208, S606, PLR0912
"""Examiners that misbehave, run inside the sandbox by its tests. What each manages to do is what it reports."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING

from assaymark.core.report import Examined, Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.view import View

_LIBC = ctypes.CDLL(None, use_errno=True)


def _attempt(what: Callable[[], object]) -> str:
    try:
        what()
    except (OSError, RuntimeError) as error:
        return f"refused {type(error).__name__} {getattr(error, 'errno', '')}"
    return "done"


def _connect() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.connect(("127.0.0.1", 9))


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _syscall(number: int, *arguments: object) -> None:
    if _LIBC.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")


ATTEMPTS: dict[str, Callable[[], object]] = {
    "open": lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)),
    "create": lambda: os.close(os.open("/tmp/assaymark-sandbox-test", os.O_CREAT | os.O_WRONLY)),
    "list": lambda: os.listdir("/"),
    "stat": lambda: os.stat("/etc/passwd"),
    "unlink": lambda: os.unlink("/tmp/assaymark-sandbox-test"),
    "chmod": lambda: os.chmod("/tmp", 0o700),
    "connect": _connect,
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "fork": _fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "thread": lambda: threading.Thread(target=print).start(),
    "kill": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "ptrace": lambda: _syscall(101, 16, os.getppid(), 0, 0),
    "stderr": lambda: os.write(2, b"x"),
    "dup": lambda: os.dup(3),
    "executable memory": lambda: _syscall(9, None, 4096, 7, 0x22, -1, 0),
    "environment": lambda: os.environ.__getitem__("HOME") if "HOME" in os.environ else _raise(),
}


def _raise() -> None:
    raise OSError(0, "not there")


def examine(view: View, path: str) -> Report:
    """Do what ``path`` says; ``try:NAME`` reports how the attempt went."""
    verb, _, name = path.partition(":")
    if verb == "try":
        return Report((), (Examined(path, _attempt(ATTEMPTS[name])),), (), ())
    if verb == "allocate":
        return Report((), (Examined(path, str(len(bytearray(10 << 30)))),), (), ())
    if verb == "spin":
        while True:
            pass
    if verb == "sleep":
        signal.sigwait([signal.SIGUSR1]) if name == "wait" else _park()
    if verb == "print":
        for _ in range(1 << 14):
            os.write(4, b"x" * 65_536)
    if verb == "crash":
        ctypes.string_at(0)
    if verb == "raise":
        raise ValueError("a bug")
    if verb == "recurse":
        return examine(view, path)
    if verb == "lie":
        return Report((), (Examined("another file", "pickle"),), (), ())
    if verb == "exit":
        os._exit(0)
    if verb == "garbage":
        os.write(4, b"\x80\x04not json")
        os._exit(0)
    return Report((), (Examined(path, f"{view.size} bytes, {len(sys.argv)}"),), (), ())


def _park() -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
