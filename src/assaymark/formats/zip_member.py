"""The content of a zip member: a window when it is stored, inflated within bounds when it is compressed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import ZIP_MAX_INFLATED_BYTES
from assaymark.core.view import BytesView, SliceView
from assaymark.formats.compressed import DECOMPRESSION_ERRORS, Decompressor, ZlibDecompressor, decompressor, raw_lzma
from assaymark.formats.zip import BZIP2, DEFLATED, LZMA

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.formats.zip import ZipMember

_CHUNK: Final = 65_536
_LZMA_HEAD: Final = 9


def member_view(view: View, member: ZipMember, limit: int = ZIP_MAX_INFLATED_BYTES) -> View:
    """The content of ``member``: a window when it is stored, else inflated in memory.

    Raises:
        InputError: ``zip-bomb`` above ``limit`` bytes, ``zip-data`` when it does not inflate to what it says,
            ``zip-unreadable`` when it never can.
    """
    if member.unreadable:
        raise InputError("zip-unreadable", member.unreadable)
    if not member.deflated:
        return SliceView(view, member.start, member.size)
    if member.size > limit:
        raise InputError("zip-bomb", f"inflates to {member.size} bytes, above the limit of {limit}")
    return BytesView(_inflate(view, member))


def _inflate(view: View, member: ZipMember) -> bytes:
    parts: list[bytes] = []
    length = 0
    done = 0
    try:
        inflater, done = _decompressor(view, member)
        while done < member.packed and not inflater.eof:
            piece = view.read(member.start + done, min(_CHUNK, member.packed - done))
            if not piece:
                break
            done += len(piece)
            parts.append(inflater.decompress(piece, member.size - length + 1))
            length += len(parts[-1])
            if length > member.size:
                raise InputError("zip-bomb", f"inflates to more than the {member.size} bytes that it says")
    except DECOMPRESSION_ERRORS:
        raise InputError("zip-data", "does not inflate") from None
    content = b"".join(parts)
    if not inflater.eof or inflater.unused_data or done != member.packed or length != member.size:
        raise InputError("zip-data", "does not inflate to what the directory says")
    if zlib.crc32(content) != member.crc:
        raise InputError("zip-data", "has another checksum than the directory says")
    return content


def _decompressor(view: View, member: ZipMember) -> tuple[Decompressor, int]:
    """What unpacks the member, and how many bytes it begins with that are not data."""
    if member.method == DEFLATED:
        return ZlibDecompressor(-zlib.MAX_WBITS), 0
    if member.method == LZMA:  # APPNOTE 5.8.8: version, size of the properties, properties
        head = view.read(member.start, _LZMA_HEAD)
        if len(head) < _LZMA_HEAD or head[2:4] != b"\x05\x00":
            raise InputError("zip-data", "has malformed properties of LZMA")
        return raw_lzma(head[4:], member.size), _LZMA_HEAD
    return decompressor("bzip2" if member.method == BZIP2 else "zstd"), 0
