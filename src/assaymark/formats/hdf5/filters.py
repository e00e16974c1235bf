"""The filters between the stored bytes of a chunk and its elements (HDF5 File Format Specification 3.0, IV.A.2.l).

Undone are the filters that h5py writes by itself: deflate, shuffle, Fletcher32 and LZF. What others do is not known
here. Sources: ``H5Zdeflate.c``, ``H5Zshuffle.c``, ``H5Zfletcher32.c`` and ``H5checksum.c`` of HDF5, LibLZF's format.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.compressed import DECOMPRESSION_ERRORS, decompressor
from assaymark.formats.hdf5.cursor import Cursor
from assaymark.formats.hdf5.headers import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.formats.hdf5.cursor import Space
    from assaymark.formats.hdf5.headers import Message

_NAMED: Final = 256  # filters from this number on have a name in version 2
_CHECKSUM: Final = 4
_LZF_LITERALS: Final = 32
_LZF_LONG: Final = 7
_SHUFFLE: Final = 2


@dataclass(frozen=True, slots=True)
class Filter:
    """One stage: its registered number, its name where the file has one, its parameters."""

    id: int
    name: str
    values: tuple[int, ...]


def read_filters(space: Space, message: Message) -> tuple[Filter, ...]:
    """The stages in the order in which they were applied.

    Raises:
        InputError: ``hdf5-structure``.
    """
    message = resolve(space, message)
    body = Cursor(space, message.body, message.start)
    version, count = body.number(1), body.number(1)
    if version == 1:
        body.take(6)
    stages = []
    for _ in range(count):
        identity = body.number(2)
        length = body.number(2) if version == 1 or identity >= _NAMED else 0
        body.take(2)
        values = body.number(2)
        name = body.take(-(-length // 8) * 8 if version == 1 else length)
        numbers = tuple(body.number(4) for _ in range(values))
        body.take(4 if version == 1 and values % 2 else 0)
        stages.append(Filter(identity, name.split(b"\0", 1)[0].decode("utf-8", "backslashreplace"), numbers))
    return tuple(stages)


def unknown_filter(stages: tuple[Filter, ...]) -> str:
    """The first stage that cannot be undone, as a message names it; empty when all can."""
    for stage in stages:
        if stage.id not in _UNDO:
            return stage.name[:80] or f"number {stage.id}"
    return ""


def undo(stages: tuple[Filter, ...], mask: int, data: bytes, size: int) -> bytes:
    """The ``size`` bytes of a chunk whose stored form is ``data``; a stage whose bit is in ``mask`` was left out.

    Raises:
        InputError: ``hdf5-data``.
    """
    # What may stand between two stages is at most the chunk and the checksums that were put behind it.
    most = size + _CHECKSUM * len(stages)
    for place in reversed(range(len(stages))):
        if not mask >> place & 1:
            data = _UNDO[stages[place].id](stages[place], data, most)
    if len(data) != size:
        raise _broken(f"a chunk of {len(data)} bytes where {size} are due")
    return data


def _inflate(_stage: Filter, data: bytes, most: int) -> bytes:
    unpacker = decompressor("zlib")
    try:
        out = unpacker.decompress(data, most + 1)
    except DECOMPRESSION_ERRORS as error:
        raise _broken(f"a chunk that does not unpack: {error}") from None
    if len(out) > most or not unpacker.eof:
        raise _broken("a chunk that unpacks to more than it holds, or is cut short")
    return out


def _unshuffle(stage: Filter, data: bytes, _most: int) -> bytes:
    """The first bytes of all elements lie together, then the second ones; what makes no element is as it was."""
    width = stage.values[0] if stage.values else 0
    count = len(data) // width if width else 0
    if width <= 1 or count <= 1:
        return data
    out = bytearray(data)
    for i in range(width):
        out[i : count * width : width] = data[i * count : (i + 1) * count]
    return bytes(out)


def _check(_stage: Filter, data: bytes, _most: int) -> bytes:
    if len(data) < _CHECKSUM:
        raise _broken("a chunk without its checksum")
    body, said = data[:-_CHECKSUM], data[-_CHECKSUM:]
    due = _fletcher(body).to_bytes(_CHECKSUM, "little")
    # Up to HDF5 1.6.2 the halves were written with their bytes turned; the library takes both.
    if said not in (due, bytes((due[1], due[0], due[3], due[2]))):
        raise _broken("a chunk whose checksum is wrong")
    return body


def _fletcher(data: bytes) -> int:
    """``H5_checksum_fletcher32``: 16 bits at a time, big-endian, an odd byte as the upper half of the last ones."""
    words = memoryview(data + b"\0" if len(data) % 2 else data)
    low = memoryview(_turned(words)).cast("H")
    first = sum(low)
    second = sum(accumulate(low))
    return _folded(second) << 16 | _folded(first)


def _turned(words: memoryview) -> bytes:
    """Big-endian numbers as this machine has them."""
    out = bytearray(len(words))
    high, low = (0, 1) if memoryview(b"\1\0").cast("H")[0] != 1 else (1, 0)
    out[high::2], out[low::2] = words[0::2].tobytes(), words[1::2].tobytes()
    return bytes(out)


def _folded(number: int) -> int:
    """Upper and lower half added until the upper is empty: 65,535 stays, as 0 does."""
    return (number - 1) % 65535 + 1 if number else 0


def _unlzf(_stage: Filter, data: bytes, most: int) -> bytes:
    out = bytearray()
    at, end = 0, len(data)
    try:
        while at < end:
            control = data[at]
            at += 1
            if control < _LZF_LITERALS:
                if at + control + 1 > end:
                    raise _broken("a chunk whose LZF is cut short")
                out += data[at : at + control + 1]
                at += control + 1
            else:
                length = control >> 5
                if length == _LZF_LONG:
                    length += data[at]
                    at += 1
                start = len(out) - ((control & 31) << 8 | data[at]) - 1
                at += 1
                if start < 0:
                    raise _broken("a chunk whose LZF leads before its beginning")
                length += 2
                known = out[start : start + length]
                out += known * (length // len(known)) + known[: length % len(known)]
            if len(out) > most:
                raise _broken("a chunk that unpacks to more than it holds")
    except IndexError:
        raise _broken("a chunk whose LZF is cut short") from None
    return bytes(out)


_UNDO: Final[dict[int, Callable[[Filter, bytes, int], bytes]]] = {
    1: _inflate,
    _SHUFFLE: _unshuffle,
    3: _check,
    32_000: _unlzf,
}


def _broken(what: str) -> InputError:
    return InputError("hdf5-data", what)
