"""The content of a zip member: a window when it is stored, inflated within bounds when it is compressed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import ZIP_MAX_INFLATED_BYTES, ZIP_MAX_LZMA_DICTIONARY
from assaymark.core.view import BytesView, SliceView
from assaymark.formats.compressed import DECOMPRESSION_ERRORS, Decompressor, decompressor, raw_lzma
from assaymark.formats.zip import BZIP2, DEFLATED, LZMA, ZSTANDARD

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.formats.zip import ZipMember

_CHUNK: Final = 65_536
_LZMA_HEADER: Final = 9  # version of the packer, length of the properties, the properties (APPNOTE 5.8.8)


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
    inflater, header = _inflater(view, member)
    parts: list[bytes] = []
    length = 0
    done = header
    try:
        while not inflater.eof and length <= member.size:
            piece = b""
            if inflater.needs_input:
                piece = view.read(member.start + done, min(_CHUNK, member.packed - done))
                if not piece:
                    break
                done += len(piece)
            parts.append(inflater.decompress(piece, member.size - length + 1))
            length += len(parts[-1])
    except DECOMPRESSION_ERRORS:
        raise InputError("zip-data", "does not inflate") from None
    if length > member.size:
        raise InputError("zip-bomb", f"inflates to more than the {member.size} bytes that it says")
    content = b"".join(parts)
    # LZMA in a zip archive may go without a mark of its end (APPNOTE 5.8.9): the size says where that is.
    ended = inflater.eof or member.method == LZMA
    if not ended or inflater.unused_data or done != member.packed or length != member.size:
        raise InputError("zip-data", "does not inflate to what the directory says")
    if zlib.crc32(content) != member.crc:
        raise InputError("zip-data", "has another checksum than the directory says")
    return content


def _inflater(view: View, member: ZipMember) -> tuple[Decompressor, int]:
    """What decompresses ``member``, and how many bytes of its data come before the stream."""
    kind = {DEFLATED: "deflate", BZIP2: "bzip2", ZSTANDARD: "zstd"}.get(member.method)
    if kind is not None:
        return decompressor(kind), 0
    head = view.read(member.start, min(_LZMA_HEADER, member.packed))
    if len(head) < _LZMA_HEADER or head[2:4] != b"\x05\x00":
        raise InputError("zip-data", "begins with no properties of LZMA")
    return raw_lzma(head[4:], min(member.size, ZIP_MAX_LZMA_DICTIONARY)), _LZMA_HEADER
