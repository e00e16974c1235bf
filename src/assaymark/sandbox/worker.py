"""The confined process that examines one file, or a batch of small ones, and ends."""

from __future__ import annotations

import gc
import json
import os
from typing import TYPE_CHECKING, Any, Final, NoReturn

from assaymark.core.report import Report
from assaymark.core.report_json import report_to_json
from assaymark.core.view import SliceView
from assaymark.sandbox.confine import confine
from assaymark.sandbox.remote import RemoteView
from assaymark.sandbox.wire import FRAME_BYTES, write_all, write_frame

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable, Generator

    from assaymark.core.view import View
    from assaymark.sandbox.limits import SandboxLimits
    from assaymark.sandbox.wire import Item

    # What an engine returns: a report, or an answer of its own; bytes that it derives from the file may precede that.
    Answering = dict[str, Any] | Generator[bytes, None, dict[str, Any]]
    Said = Report | Answering

_FILE: Final = 3
_OUTPUT: Final = 4
_ALIVE: Final = 5
_FIRST_FREE: Final = 6
# The zygote lowers its own limit to this many before it opens anything.
MAX_DESCRIPTORS: Final = 256
EXIT_DONE: Final = 0
EXIT_MEMORY: Final = 3


class DescriptorView:
    """The bytes of an open file, read where they are."""

    __slots__ = ("_descriptor", "_size")

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size

    @property
    def size(self) -> int:
        """Bytes when the file was opened."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``."""
        length = min(length, self._size - offset)
        if length <= 0:
            return b""
        data = os.pread(self._descriptor, length, offset)
        if len(data) == length:
            return data
        parts = [data]  # a signal or the kernel's limit of 2 GiB a call
        while parts[-1] and (rest := length - sum(map(len, parts))):
            parts.append(os.pread(self._descriptor, rest, offset + length - rest))
        return b"".join(parts)


def run_worker(
    libc: ctypes.CDLL,
    examiner: Callable[[View, str], Said],
    items: list[Item],
    limits: SandboxLimits,
    descriptors: tuple[int, int, int],
) -> NoReturn:
    """Confine this process, say what held, examine the items, write a line of JSON for each, end.

    ``descriptors`` are the file, the result pipe and the pipe whose closing tells the zygote that we ended. What
    held is written before the first hostile byte is read, so those bytes cannot change it.
    """
    code = EXIT_DONE
    try:
        _arrange(descriptors)
        gc.disable()
        os.environ.clear()
        view = DescriptorView(_FILE)
        held = confine(libc, limits, _OUTPUT, _FIRST_FREE)
        write_all(_OUTPUT, json.dumps({"confinement": held}).encode() + b"\n")
        lines = [_line(examiner, item, view) for item in items]
        write_all(_OUTPUT, b"\n".join(lines))
    except MemoryError:
        code = EXIT_MEMORY
    except BaseException:  # noqa: BLE001 - border: nothing may unwind into the zygote's loop
        code = 1
    os._exit(code)


def _line(examiner: Callable[[View, str], Said], item: Item, view: View) -> bytes:
    part = _part(item, view)
    try:
        said = examiner(part, item.path)
        if not isinstance(said, Report):
            return json.dumps(_streamed(said)).encode()
        short = _short(said, item.path)
        result: object = {"report": report_to_json(said)} if short is None else short
    except MemoryError:
        os._exit(EXIT_MEMORY)
    except Exception as error:  # noqa: BLE001 - border: a part runner; a bug of ours must not lose the other files
        result = {"error": type(error).__name__}
    return json.dumps(result).encode()


def _streamed(said: Answering) -> dict[str, Any]:
    """Write the bytes that an engine derives in frames; its answer."""
    try:
        if isinstance(said, dict):
            return said
        while True:
            piece = next(said)
            for start in range(0, len(piece), FRAME_BYTES):
                write_frame(_OUTPUT, piece[start : start + FRAME_BYTES])
    except StopIteration as end:
        answer: dict[str, Any] = end.value
        return answer
    finally:
        write_frame(_OUTPUT, b"")


def _part(item: Item, view: View) -> View:
    if item.remote:
        return RemoteView(item.size, _FILE, _OUTPUT)
    return view if item.size < 0 else SliceView(view, item.start, item.size)


def _short(report: Report, path: str) -> list[str] | str | None:
    """A report that has nothing but formats of the whole file, or ``inert``: most files, and cheap to read back."""
    if (
        report.findings
        or report.skipped
        or report.allowed
        or any(item.member or item.path != path for item in report.examined)
    ):
        return None
    if report.inert:
        return None if report.examined or report.inert != (path,) else "inert"
    return [item.format for item in report.examined]


def _arrange(descriptors: tuple[int, int, int]) -> None:
    """Put the three at fixed numbers and close all others but the standard ones, which are /dev/null."""
    high = [os.dup(descriptor) for descriptor in descriptors]
    while min(high) < _FIRST_FREE:
        high = [os.dup(descriptor) for descriptor in high]
    for descriptor, target in zip(high, (_FILE, _OUTPUT, _ALIVE), strict=True):
        os.dup2(descriptor, target)
    os.closerange(_FIRST_FREE, MAX_DESCRIPTORS)
