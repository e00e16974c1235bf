"""Files as the sandbox's parent opens and hands them over. It reads bytes of them, and parses none."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from assaymark.core.limits import SANDBOX_BATCH_BYTES
from assaymark.sandbox.wire import write_all


def small_file(file: Path) -> bytes | None:
    """The bytes of a small regular file; ``None`` for any other, which is examined by itself."""
    try:
        descriptor = open_regular(file)
    except OSError:
        return None
    try:
        if os.fstat(descriptor).st_size > SANDBOX_BATCH_BYTES:
            return None
        data = os.read(descriptor, SANDBOX_BATCH_BYTES + 1)
        return data if len(data) <= SANDBOX_BATCH_BYTES else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def in_memory(data: bytes) -> BinaryIO:
    """``data`` as an open file that has no name."""
    file: BinaryIO
    if sys.platform == "linux":
        file = os.fdopen(os.memfd_create("files"), "w+b", buffering=0)
    else:
        file = tempfile.TemporaryFile("w+b", buffering=0)  # type: ignore[assignment, unused-ignore] # noqa: SIM115
    write_all(file.fileno(), data)
    return file


def open_regular(file: Path) -> int:
    """A descriptor of a regular file, to be closed by the caller.

    Raises:
        OSError: when it cannot be opened, or is a device, a pipe or a folder.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        status = os.fstat(descriptor)
        # Special files, such as those of /proc, say that they are regular and empty, and are not.
        if not stat.S_ISREG(status.st_mode) or (not status.st_size and os.pread(descriptor, 1, 0)):
            raise OSError
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def needed_folders() -> list[str]:
    """Where the distributions lie that the examiners need: an isolated interpreter does not look there by itself."""
    if sys.version_info >= (3, 14):
        return []  # Zstandard is part of the library
    found = find_spec("backports")
    return [str(Path(place).parent) for place in (found.submodule_search_locations or ())] if found else []
