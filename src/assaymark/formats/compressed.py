"""Compressed streams as views: gzip, zlib, bzip2, xz, LZMA, Zstandard, LZ4 frames.

A stream is unpacked once from end to end, which checks its checksums and tells its length, and again where it is
read, so that a large one never lies in memory as a whole. Sources: RFC 1950, RFC 1952, RFC 8878, the XZ file format
1.2, the LZ4 frame format 1.6; ``joblib/compressor.py`` for which of them a loader of models takes.
"""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from typing import TYPE_CHECKING, Any, Final, Protocol

from assaymark.core.errors import InputError
from assaymark.core.limits import (
    INFLATED_KEPT_BYTES,
    INFLATED_MAX_BYTES,
    INFLATED_MAX_RATIO,
    INFLATED_MAX_RESTARTS,
)
from assaymark.formats.lz4 import Lz4Decompressor

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.core.view import View

# joblib before 0.10: two letters, the length in 19 characters, and a zlib stream; some have a space between.
OLD_JOBLIB: Final = b"ZF0x"
_OLD_JOBLIB_HEADER: Final = 21
_CHUNK: Final = 1 << 18
_HEAD: Final = 1 << 20
_TAIL: Final = 1 << 17
_LZMA_MEMORY: Final = 256 << 20  # bytes of dictionary
_ZLIB_HEADS: Final = frozenset((0x01, 0x5E, 0x9C, 0xDA))


class Decompressor(Protocol):
    """Of the standard library's shape: fed in pieces, bounded in what one call returns."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out without more going in."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end."""
        ...

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Up to ``max_length`` bytes more."""
        ...


class ZlibDecompressor:
    """``zlib.decompressobj`` with the interface of the others."""

    def __init__(self, window: int) -> None:
        self._object = zlib.decompressobj(window)
        self.eof = False
        self.needs_input = True
        self.unused_data = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Up to ``max_length`` bytes more."""
        out = self._object.decompress(self._object.unconsumed_tail + data, max_length)
        self.eof = self._object.eof
        self.unused_data = self._object.unused_data
        self.needs_input = not self._object.unconsumed_tail and len(out) < max_length
        return out


_MAKERS: Final[dict[str, Callable[[], Any]]] = {
    "gzip": lambda: ZlibDecompressor(16 + zlib.MAX_WBITS),
    "zlib": lambda: ZlibDecompressor(zlib.MAX_WBITS),
    "deflate": lambda: ZlibDecompressor(-zlib.MAX_WBITS),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LZMA_MEMORY),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_LZMA_MEMORY),
    "zstd": lambda: zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 27}),
    "lz4": Lz4Decompressor,
}
# Readers go on after the end of a stream when another follows. joblib's zlib does not.
_SEVERAL: Final = frozenset(("gzip", "bzip2", "xz", "zstd", "lz4"))
DECOMPRESSION_ERRORS: Final = (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError, zstd.ZstdError)


def decompressor(kind: str) -> Decompressor:
    """What unpacks one stream of ``kind``, as ``compression`` names it, or ``deflate`` for one without a header."""
    made: Decompressor = _MAKERS[kind]()
    return made


def raw_lzma(properties: bytes, size: int) -> Decompressor:
    """What unpacks raw LZMA with the five bytes of its properties; no more memory than ``size`` bytes need.

    Raises:
        InputError: ``compressed-data`` for properties that do not exist.
    """
    if len(properties) != 5 or properties[0] >= 225:  # noqa: PLR2004 - lc, lp and pb in 9 * 5 * 5
        raise InputError("compressed-data", "malformed properties of LZMA")
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    dictionary = max(4096, min(int.from_bytes(properties[1:], "little"), size, _LZMA_MEMORY))
    one = {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": dictionary}
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[one])


def packed(view: View) -> tuple[str, int]:
    """Which compression the file is packed with, empty for none, and where its stream begins."""
    start = 0
    if view.read(0, len(OLD_JOBLIB)) == OLD_JOBLIB:
        start = _OLD_JOBLIB_HEADER + (view.read(_OLD_JOBLIB_HEADER, 1) == b" ")
    return compression(view.read(start, 16)), start


def compression(head: bytes) -> str:
    """Which compression begins so; empty for none. ``head``: the first 16 bytes."""
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head.startswith(b"BZh") and head[4:10] in (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90"):
        return "bzip2"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd"
    if head.startswith(b"\x04\x22\x4d\x18"):
        return "lz4"
    if head[:1] == b"\x78" and head[1:2] and head[1] in _ZLIB_HEADS:
        return "zlib"
    # LZMA alone: properties lc=3 lp=0 pb=2, a dictionary of a power of two, the size or none (joblib's "lzma").
    if head[:1] == b"\x5d" and len(head) > 12 and head[1:3] == b"\x00\x00" and head[5:13] == b"\xff" * 8:  # noqa: PLR2004
        return "lzma"
    return ""


class _Stream:
    """A packed stream from end to end, a piece at a time.

    ``place`` is how far the unpacked content was got, ``window`` the piece got last, which ends there. ``trailing``
    is where in the packed stream bytes begin that belong to no stream, ``None`` when there are none.
    """

    def __init__(self, view: View, kind: str) -> None:
        self._view = view
        self._kind = kind
        self.trailing: int | None = None
        self.rewind()

    def rewind(self) -> None:
        """Begin anew."""
        self._decoder: Decompressor = _MAKERS[self._kind]()
        self._fed = 0  # packed bytes given to decoders
        self.place = 0  # unpacked bytes got from them
        self._ended = False
        self.window = b""

    def next_piece(self) -> bytes:
        """The next piece; empty at the end."""
        while not self._ended:
            feed = b""
            if self._decoder.needs_input:
                feed = self._view.read(self._fed, _CHUNK)
                self._fed += len(feed)
                if not feed:
                    raise InputError("compressed-data", f"the {self._kind} stream is cut short")
            try:
                piece = self._decoder.decompress(feed, _CHUNK)
            except DECOMPRESSION_ERRORS as error:
                raise InputError("compressed-data", f"it does not unpack: {error}") from None
            if self._decoder.eof:
                self._follow()
            if piece:
                self.place += len(piece)
                self.window = piece
                return piece
        return b""

    def _follow(self) -> None:
        """What comes after the end of a stream: nothing, another stream, padding, or bytes of nothing."""
        start = self._fed - len(self._decoder.unused_data)
        head = self._view.read(start, 16)
        if self._kind in ("gzip", "xz") and head and not head.strip(b"\0"):
            # Padding, which readers of both pass over.
            while padding := self._view.read(start, _CHUNK):
                start += len(padding) - len(padding.lstrip(b"\0"))
                if padding.strip(b"\0"):
                    break
            head = self._view.read(start, 16)
        if head and self._kind in _SEVERAL and compression(head) == self._kind:
            self._decoder = _MAKERS[self._kind]()
            self._fed = start
        else:
            self._ended = True
            self.trailing = start if head else None

    def check_size(self) -> None:
        """Bound what comes out.

        Raises:
            InputError: ``compressed-bomb``.
        """
        size = self.place
        if size > INFLATED_MAX_BYTES or (size > INFLATED_KEPT_BYTES and size > INFLATED_MAX_RATIO * self._view.size):
            raise InputError("compressed-bomb", f"{self._view.size} bytes unpack to more than {size}")


class Inflated:
    """The content of a compressed stream, as a view.

    ``trailing`` is where in the packed stream bytes begin that belong to no stream, ``None`` when there are none.

    Raises:
        InputError: ``compressed-data`` when it does not unpack, ``compressed-bomb`` when it unpacks to more than
            INFLATED_MAX_BYTES or out of proportion; from ``read`` too, when a reader jumps about too often.
    """

    def __init__(self, view: View, kind: str) -> None:
        self._stream = _Stream(view, kind)
        self._restarts = 0
        self._head, self._tail, self.size = self._measure()
        self.trailing = self._stream.trailing

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes of the unpacked content from ``offset``."""
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        if offset + length <= len(self._head):
            return self._head[offset : offset + length]
        if offset >= self.size - len(self._tail):
            start = offset - (self.size - len(self._tail))
            return self._tail[start : start + length]
        return self._seek(offset, length)

    def _measure(self) -> tuple[bytes, bytes, int]:
        """The first bytes, the last bytes and the length. What is small is kept whole."""
        parts: list[bytes] = []
        kept = 0
        tail = b""
        size = 0
        while piece := self._stream.next_piece():
            self._stream.check_size()
            size = self._stream.place
            if size <= INFLATED_KEPT_BYTES:
                parts.append(piece)
            kept += len(piece)
            tail = (tail + piece)[-_TAIL:]
        whole = b"".join(parts)
        return (whole, b"", size) if size <= INFLATED_KEPT_BYTES else (whole[:_HEAD], tail, size)

    def _seek(self, offset: int, length: int) -> bytes:
        stream = self._stream
        if offset < stream.place - len(stream.window):
            self._restarts += 1
            if self._restarts > INFLATED_MAX_RESTARTS:
                raise InputError("compressed-data", "reading it goes back and forth too often")
            stream.rewind()
        parts: list[bytes] = []
        while length:
            begin = stream.place - len(stream.window)
            if offset < stream.place:
                part = stream.window[offset - begin : offset - begin + length]
                parts.append(part)
                offset += len(part)
                length -= len(part)
            elif not stream.next_piece():
                break
        return b"".join(parts)


def unpack(view: View, kind: str) -> Iterator[bytes]:
    """The unpacked content in pieces, once: for whoever keeps it elsewhere.

    Raises:
        InputError: ``compressed-data``, for bytes behind the stream too, and ``compressed-bomb``.
    """
    stream = _Stream(view, kind)
    while piece := stream.next_piece():
        stream.check_size()
        yield piece
    if stream.trailing is not None:
        what = f"bytes follow the end of the {kind} stream"
        raise InputError("compressed-data", what, position=f"byte {stream.trailing}")
