"""Reads what a worker writes to its pipe, for so long and so much of it."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING, Final

from assaymark.sandbox.wire import FRAME_BYTES, FRAME_HEAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.sandbox.limits import SandboxLimits

_READ: Final = 1 << 16
GRACE_SECONDS: Final = 10.0  # beyond the worker's wall clock, for the zygote to kill it and say so


def patience(source: int, seconds: float) -> Callable[[], bool]:
    """Waits until ``source`` has more, and says no when the time is over."""
    deadline = time.monotonic() + seconds + GRACE_SECONDS
    poller = select.poll()
    poller.register(source, select.POLLIN)
    return lambda: bool(poller.poll(max(0.0, deadline - time.monotonic()) * 1000))


def read_framed(source: int, limits: SandboxLimits, sink: Callable[[bytes], None]) -> tuple[bytes, bytes, str]:
    """The first line and the answer of a worker that hands out bytes between them, and what went wrong.

    Each frame is its length in four bytes and so many bytes, which ``sink`` gets; one of length 0 is the last. At
    most ``stream_bytes`` are taken in frames and ``output_bytes`` otherwise.

    Raises:
        Exception: what ``sink`` raises.
    """
    pipe = _Pipe(source, limits)
    try:
        header = pipe.line(FRAME_BYTES)
        left = limits.stream_bytes
        while length := int.from_bytes(pipe.take(FRAME_HEAD), "little"):
            left -= length
            if left < 0 or length > FRAME_BYTES:
                return header, b"", f"unpacks to more than {limits.stream_bytes} bytes"
            sink(pipe.take(length))
        return header, pipe.rest(limits.output_bytes), ""
    except _Stopped as stopped:
        return b"", b"", str(stopped)


class _Stopped(Exception):  # noqa: N818 - internal to the module: becomes what went wrong
    """No more comes; the text is empty when the worker ended, whose status says why."""


class _Pipe:
    def __init__(self, source: int, limits: SandboxLimits) -> None:
        self._source = source
        self._seconds = limits.wall_seconds
        self._more = patience(source, limits.wall_seconds)
        self._data = bytearray()

    def take(self, length: int) -> bytes:
        while len(self._data) < length:
            if not self._read():
                raise _Stopped
        taken = bytes(self._data[:length])
        del self._data[:length]
        return taken

    def line(self, most: int) -> bytes:
        while (end := self._data.find(b"\n")) < 0:
            if len(self._data) > most or not self._read():
                raise _Stopped
        return self.take(end + 1)[:-1]

    def rest(self, most: int) -> bytes:
        while self._read():
            if len(self._data) > most:
                raise _Stopped(f"wrote more than {most} bytes")
        return bytes(self._data)

    def _read(self) -> bool:
        if not self._more():
            raise _Stopped(f"took more than {self._seconds:g} seconds")
        part = os.read(self._source, _READ)
        self._data += part
        return bool(part)


def read_capped(source: int, limits: SandboxLimits) -> tuple[bytes, str]:
    """What the worker writes until it ends, at most ``output_bytes`` of it, and what went wrong."""
    deadline = time.monotonic() + limits.wall_seconds + GRACE_SECONDS
    poller = select.poll()
    poller.register(source, select.POLLIN)
    parts: list[bytes] = []
    length = 0
    while True:
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return b"".join(parts), f"took more than {limits.wall_seconds:g} seconds"
        part = os.read(source, 1 << 16)
        if not part:
            return b"".join(parts), ""
        parts.append(part)
        length += len(part)
        if length > limits.output_bytes:
            return b"".join(parts), f"wrote more than {limits.output_bytes} bytes"
