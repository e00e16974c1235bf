"""Writes a planned conversion: copies ranges of the source, reads both files again and compares every byte.

The result appears under its name only when it is whole, on the medium and compared; nothing is overwritten.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.convert.gather import gather, rows, swapped
from assaymark.convert.header import layout
from assaymark.convert.plan import stored_shape
from assaymark.core.errors import InputError, InternalError, UsageError
from assaymark.core.limits import CONVERT_CHUNK_BYTES, CONVERT_MAX_GATHERED_BYTES
from assaymark.formats.safetensors import read_safetensors
from assaymark.store.converted_keras import read_keras, write_keras
from assaymark.store.files import TEMPORARY_PREFIX, flush, storage_errors, sync_folder, write_fully

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from assaymark.convert.plan import Plan, PlannedTensor

Stamp = tuple[int, int, int]  # size, and when content and status changed, in nanoseconds
_FEW: Final = 64 * 1024  # below it one read and one write cost less than asking the kernel to copy


@dataclass(frozen=True, slots=True)
class Compared:
    """How many tensors were written and found equal, byte by byte; and their bytes."""

    tensors: int
    size: int


class Scratch:
    """Bytes that are derived from a source, in files without a name beside ``target``.

    ``source`` is the descriptor of its unpacked content, where it was compressed; ``beside`` that of everything else.
    ``total`` counts the bytes of both.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self.source: int | None = None
        self.beside: int | None = None
        self.total = 0

    def close(self) -> None:
        """Give the space back."""
        for descriptor in (self.source, self.beside):
            if descriptor is not None:
                os.close(descriptor)

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``.
        """
        with storage_errors(self._target):
            if self.beside is None:
                self.beside = _open_nameless(self._target.parent)
            write_fully(self.beside, data)
        self.total += len(data)

    def size(self) -> int:
        """How many were added since ``take_source``."""
        return 0 if self.beside is None else os.fstat(self.beside).st_size

    def take_source(self) -> int:
        """What was added is the unpacked source: its descriptor. What is added from now on lies beside it."""
        self.write(b"")
        self.source, self.beside = self.beside, None
        if self.source is None:
            raise InternalError("convert-reader", "the unpacked file is not there")
        return self.source


def _open_nameless(folder: Path) -> int:
    path = folder / (TEMPORARY_PREFIX + secrets.token_hex(8))
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    path.unlink()
    return descriptor


def write_converted(
    source: int,
    plan: Plan,
    target: Path,
    on_progress: Callable[[int, int], None] | None = None,
    check: Callable[[int], None] | None = None,
    *,
    scratch: Scratch | None = None,
    since: Stamp | None = None,
) -> Compared:
    """Write what ``plan`` says of the open file ``source`` to ``target``, compare, and only then give it its name.

    ``on_progress`` gets (bytes done, bytes in all), both passes counted. ``check`` gets the file that was written and
    raises when it must not get its name. ``scratch`` holds what was derived from the source; ``since`` is its
    ``stamp`` from before, which must be that of the end.

    Raises:
        UsageError: ``path-exists``.
        InputError: ``convert-changed`` when the source changes meanwhile, ``convert-limit``.
        UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``.
        InternalError: ``convert-differs``.
    """
    if target.exists() or target.is_symlink():
        raise _exists(target)
    before = since or stamp(source)
    bytes_of = _Source(source, scratch)
    size = sum(tensor.size for tensor in plan.tensors)
    progress = _Progress(2 * size, on_progress)
    temporary = target.parent / (TEMPORARY_PREFIX + secrets.token_hex(8))
    with storage_errors(target):
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(temporary, flags, 0o644)
        try:
            if plan.target == "keras":
                write_keras(descriptor, plan, lambda tensor: _expected(bytes_of, tensor), progress.add)
            else:
                _write_safetensors(bytes_of, descriptor, plan, progress)
            flush(descriptor)
            _compare(bytes_of, descriptor, plan, progress)
            if check is not None:
                check(descriptor)
            if stamp(source) != before:
                raise InputError("convert-changed", "the file changed while it was converted")
            try:
                os.link(temporary, target, follow_symlinks=False)
            except FileExistsError:
                raise _exists(target) from None
        finally:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                temporary.unlink()
    sync_folder(target.parent)
    return Compared(len(plan.tensors), size)


class _Source:
    """The bytes that a plan addresses: those of the source, unpacked where it was packed, then those beside it."""

    def __init__(self, descriptor: int, scratch: Scratch | None) -> None:
        self._whole = descriptor
        self._beside: int | None = None
        if scratch is not None:
            self._whole = descriptor if scratch.source is None else scratch.source
            self._beside = scratch.beside
        self._size = os.fstat(self._whole).st_size

    def place(self, offset: int) -> tuple[int, int]:
        """The open file with the byte at ``offset``, and where in it that is."""
        if self._beside is not None and offset >= self._size:
            return self._beside, offset - self._size
        return self._whole, offset


class _Progress:
    def __init__(self, total: int, report: Callable[[int, int], None] | None) -> None:
        self._total = total
        self._report = report
        self._done = 0

    def add(self, length: int) -> None:
        self._done += length
        if self._report is not None:
            self._report(self._done, self._total)


def _write_safetensors(source: _Source, target: int, plan: Plan, progress: _Progress) -> None:
    header, ordered = layout(plan)
    write_fully(target, header)
    for tensor in ordered:
        _write(source, target, tensor, progress)


def _write(source: _Source, target: int, tensor: PlannedTensor, progress: _Progress) -> None:
    if not tensor.contiguous:
        write_fully(target, gather(tensor, _span(source, tensor)))
        progress.add(tensor.size)
        return
    done = 0
    while done < tensor.size:
        length = min(CONVERT_CHUNK_BYTES, tensor.size - done)
        if tensor.swap or length <= _FEW:
            data = _read(source, tensor.start + done, length)
            write_fully(target, swapped(data, tensor.swap))
        else:
            length = _copy(source, tensor.start + done, target, length)
        done += length
        progress.add(length)


def _copy(source: _Source, offset: int, target: int, length: int) -> int:
    """Have the kernel copy a range, which may share it on some file systems; returns how much."""
    descriptor, place = source.place(offset)
    copy = getattr(os, "copy_file_range", None)
    if copy is not None:
        with contextlib.suppress(OSError):  # not on this file system
            done = int(copy(descriptor, target, length, place))
            if done:
                return done
    write_fully(target, _read(source, offset, length))
    return length


def _compare(source: _Source, target: int, plan: Plan, progress: _Progress) -> None:
    """Read the result as any reader would, and each tensor in it against the source, by another way than written."""
    places = _read_back(target, plan)
    if set(places) != {tensor.name for tensor in plan.tensors}:
        raise _differs("the header names other tensors")
    for tensor in plan.tensors:
        start, end, dtype, shape = places[tensor.name]
        if (end - start, dtype, shape) != (tensor.size, tensor.dtype, stored_shape(tensor)):
            raise _differs(tensor.name)
        at = start
        for expected in _expected(source, tensor):
            if os.pread(target, len(expected), at) != expected:
                raise _differs(tensor.name)
            at += len(expected)
            progress.add(len(expected))
        if at != end:
            raise _differs(tensor.name)


def _expected(source: _Source, tensor: PlannedTensor) -> Iterator[bytes]:
    if not tensor.contiguous:
        yield from rows(tensor, _span(source, tensor))
        return
    for done in range(0, tensor.size, CONVERT_CHUNK_BYTES):
        data = _read(source, tensor.start + done, min(CONVERT_CHUNK_BYTES, tensor.size - done))
        yield swapped(data, tensor.swap)


def _read_back(target: int, plan: Plan) -> dict[str, tuple[int, int, str, tuple[int, ...]]]:
    """(start, end, type, shape) of each tensor in the file that was written."""
    try:
        if plan.target == "keras":
            return read_keras(_View(target), plan)
        read = read_safetensors(_View(target)).tensors
        return {item.name: (item.start, item.end, item.dtype, item.shape) for item in read}
    except InputError as error:
        raise _differs(error.message) from error


class _View:
    """An open file, read where it is."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @property
    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, offset)


def _span(source: _Source, tensor: PlannedTensor) -> bytes:
    length = tensor.reach - tensor.start
    if max(length, tensor.size) > CONVERT_MAX_GATHERED_BYTES:
        what = f"the tensor {tensor.name[:200]!r} is out of order and takes {length} bytes"
        raise InputError("convert-limit", what, remedy="make it contiguous before it is saved")
    return _read(source, tensor.start, length)


def _read(source: _Source, offset: int, length: int) -> bytes:
    descriptor, offset = source.place(offset)
    data = os.pread(descriptor, length, offset)
    while len(data) < length:
        more = os.pread(descriptor, length - len(data), offset + len(data))
        if not more:
            raise InputError("convert-changed", "the file became shorter while it was converted")
        data += more
    return data


def stamp(descriptor: int) -> Stamp:
    """What tells that an open file was written to."""
    status = os.fstat(descriptor)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _exists(target: Path) -> UsageError:
    return UsageError("path-exists", "already exists and is not overwritten", source=str(target))


def _differs(what: str) -> InternalError:
    return InternalError(
        "convert-differs",
        f"what was written is not what the source holds ({what[:200]}); nothing was kept",
        remedy="check the disk; if it is sound this is a bug of ours",
    )
