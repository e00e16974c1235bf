"""Reads what a worker writes to its pipe, for so long and so much of it."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.sandbox.limits import SandboxLimits

GRACE_SECONDS: Final = 10.0  # beyond the worker's wall clock, for the zygote to kill it and say so


def patience(source: int, seconds: float) -> Callable[[], bool]:
    """Waits until ``source`` has more, and says no when the time is over."""
    deadline = time.monotonic() + seconds + GRACE_SECONDS
    poller = select.poll()
    poller.register(source, select.POLLIN)
    return lambda: bool(poller.poll(max(0.0, deadline - time.monotonic()) * 1000))


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
