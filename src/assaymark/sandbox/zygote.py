"""The zygote: imports the examiners once, forks a worker for each request, never touches a hostile byte.

The parent starts it as a fresh interpreter, so a worker inherits nothing of the parent's memory. For each thread
of the parent it forks a server, which serves one file at a time and holds the wall-clock limit by killing.
"""

from __future__ import annotations

import codecs
import gc
import os
import resource
import select
import signal
import socket
import time
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.part import load_part
from assaymark.sandbox.confine import load_libc
from assaymark.sandbox.wire import EXITED, READY, SIGNALLED, TIMED_OUT, receive_request, send_status
from assaymark.sandbox.worker import MAX_DESCRIPTORS, run_worker
from assaymark.scanning.scanners import SCANNERS

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable

_GRACE_SECONDS: Final = 1.0


def main(control: int, examiner: str) -> None:
    """Serve the parent at descriptor ``control`` until it goes away. ``examiner`` is ``module:function``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = MAX_DESCRIPTORS if most == resource.RLIM_INFINITY else min(MAX_DESCRIPTORS, most)
    if control >= MAX_DESCRIPTORS // 2:
        control = os.dup(control)
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, few))
    module, _, name = examiner.partition(":")
    function = getattr(import_module(module), name)
    libc = _warm_up()
    with socket.socket(fileno=control) as parent:
        parent.sendall(READY)
        while True:
            message, descriptors, _, _ = socket.recv_fds(parent, 1, 1)
            if not message or not descriptors:
                break
            if os.fork() == 0:
                parent.close()
                _serve(socket.socket(fileno=descriptors[0]), function, libc)
                os._exit(0)
            os.close(descriptors[0])
            _reap(os.WNOHANG)
    _reap(0)  # so that our parent learns what they used


def _warm_up() -> ctypes.CDLL:
    """Load what a confined worker could not: parts, codecs, the C library."""
    for part in SCANNERS:
        load_part(part)
    for codec in ("utf-8", "ascii", "latin-1", "cp437", "utf-16-le", "raw_unicode_escape", "unicode_escape"):
        codecs.lookup(codec)
    gc.collect()
    gc.freeze()
    return load_libc()


def _reap(options: int) -> None:
    try:
        while os.waitpid(-1, options)[0]:
            pass
    except ChildProcessError:
        pass


def _serve(channel: socket.socket, examiner: Callable[..., Any], libc: ctypes.CDLL) -> None:
    while (request := receive_request(channel)) is not None:
        items, limits, allow, (file, output) = request
        alive, worker_end = os.pipe()
        worker = os.fork()
        if worker == 0:
            run_worker(
                libc, partial(examiner, allow=allow) if allow else examiner, items, limits, (file, output, worker_end)
            )
        for descriptor in (file, output, worker_end):
            os.close(descriptor)
        status = _wait(worker, alive, channel, limits.wall_seconds)
        os.close(alive)
        if status is None:
            return
        send_status(channel, *status)


def _wait(worker: int, alive: int, channel: socket.socket, seconds: float) -> tuple[int, int] | None:
    """Wait until the worker closes its end of ``alive``, which it does by ending; kill it when it takes too long.

    ``None`` when the parent hung up meanwhile; the worker is killed then too.
    """
    poller = select.poll()
    poller.register(alive, select.POLLIN)
    poller.register(channel, select.POLLIN)  # the parent says nothing now: readable means gone
    ready = {descriptor for descriptor, _ in poller.poll(seconds * 1000)}
    gone = channel.fileno() in ready
    late = not ready or gone
    deadline = time.monotonic() + _GRACE_SECONDS
    while not late:
        done, status = os.waitpid(worker, os.WNOHANG)
        if done:
            return _status(status)
        late = time.monotonic() > deadline
        time.sleep(0.0005)
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    return None if gone else (TIMED_OUT, 0)


def _status(status: int) -> tuple[int, int]:
    if os.WIFSIGNALED(status):
        return SIGNALLED, os.WTERMSIG(status)
    return EXITED, os.WEXITSTATUS(status)
