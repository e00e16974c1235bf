"""What one confined worker may use."""

from __future__ import annotations

from dataclasses import dataclass

from assaymark.core.limits import (
    SANDBOX_CPU_SECONDS,
    SANDBOX_MEMORY_BYTES,
    SANDBOX_OUTPUT_BYTES,
    SANDBOX_WALL_SECONDS,
)


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Limits for one file: address space in bytes, CPU and wall-clock time in seconds, bytes of result.

    ``stream_bytes`` is how much more an engine may hand out that derives bytes from the file.
    """

    memory_bytes: int = SANDBOX_MEMORY_BYTES
    cpu_seconds: int = SANDBOX_CPU_SECONDS
    wall_seconds: float = SANDBOX_WALL_SECONDS
    output_bytes: int = SANDBOX_OUTPUT_BYTES
    stream_bytes: int = 0


DEFAULT_LIMITS = SandboxLimits()
