"""The content of a zip member: a window when it is stored, inflated within bounds when it is compressed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import ZIP_MAX_INFLATED_BYTES
from assaymark.core.view import BytesView, SliceView

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.formats.zip import ZipMember

_CHUNK: Final = 65_536


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
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    parts: list[bytes] = []
    length = 0
    done = 0
    try:
        while done < member.packed and not inflater.eof:
            piece = view.read(member.start + done, min(_CHUNK, member.packed - done))
            if not piece:
                break
            done += len(piece)
            parts.append(inflater.decompress(piece, member.size - length + 1))
            length += len(parts[-1])
            if length > member.size or inflater.unconsumed_tail:
                raise InputError("zip-bomb", f"inflates to more than the {member.size} bytes that it says")
    except zlib.error:
        raise InputError("zip-data", "does not inflate") from None
    content = b"".join(parts)
    if not inflater.eof or inflater.unused_data or done != member.packed or length != member.size:
        raise InputError("zip-data", "does not inflate to what the directory says")
    if zlib.crc32(content) != member.crc:
        raise InputError("zip-data", "has another checksum than the directory says")
    return content
