"""Sound and film beside models: containers whose parts tile the file, so that nothing hides behind them.

Sources: RIFF (Microsoft Multimedia Programming Interface 1.0), ISO 14496-12 (boxes), RFC 3533 (Ogg pages), RFC 9639
(FLAC), RFC 8794 (EBML, of Matroska and WebM).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import MEDIA_MAX_PARTS

if TYPE_CHECKING:
    from assaymark.core.view import View

_BOXES: Final = frozenset((b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip", b"styp", b"sidx", b"moof"))
_FLAC_BLOCK: Final = 4
_FLAC_SYNC: Final = 0xFFF8
_EBML: Final = b"\x1a\x45\xdf\xa3"
_OGG_HEADER: Final = 27


def media_format(head: bytes) -> str:
    """``wav``, ``avi``, ``mp4``, ``ogg``, ``flac``, ``matroska``, or empty. ``head``: the first 16 bytes."""
    if head.startswith(b"RIFF") and head[8:12] in (b"WAVE", b"AVI "):
        return "wav" if head[8:12] == b"WAVE" else "avi"
    if head[4:8] == b"ftyp":
        return "mp4"
    for magic, name in ((b"OggS\0", "ogg"), (b"fLaC", "flac"), (_EBML, "matroska")):
        if head.startswith(magic):
            return name
    return ""


def check_media(view: View, kind: str) -> None:
    """Return when the parts of the file tile it.

    Raises:
        InputError: ``media-structure`` with the byte as position.
    """
    end = {"wav": _riff, "avi": _riff, "mp4": _boxes, "ogg": _pages, "flac": _flac, "matroska": _elements}[kind](view)
    if end != view.size:
        raise _broken("bytes after the end" if end < view.size else "it is cut short", min(end, view.size))


def _broken(what: str, place: int) -> InputError:
    return InputError("media-structure", what, position=f"byte {place}")


def _riff(view: View) -> int:
    end = 8 + int.from_bytes(view.read(4, 4), "little")
    place = 12
    for _ in range(MEDIA_MAX_PARTS):
        if place >= end:
            return place
        head = view.read(place, 8)
        if len(head) < 8 or not head[:4].isascii():  # noqa: PLR2004 - id and size
            raise _broken("a malformed chunk", place)
        size = int.from_bytes(head[4:], "little")
        place += 8 + size + size % 2
    raise _broken("too many chunks", place)


def _boxes(view: View) -> int:
    place = 0
    for _ in range(MEDIA_MAX_PARTS):
        head = view.read(place, 16)
        if not head:
            return place
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        elif size == 0:  # to the end of the file
            size = view.size - place
        if len(head) < 8 or size < 8 or (place == 0) != (head[4:8] == b"ftyp") or not head[4:8].isascii():  # noqa: PLR2004
            raise _broken("a malformed box", place)
        if place and head[4:8] not in _BOXES and not head[4:8].isalnum():
            raise _broken("a malformed box", place)
        place += size
    raise _broken("too many boxes", place)


def _pages(view: View) -> int:
    place = 0
    for _ in range(MEDIA_MAX_PARTS):
        head = view.read(place, _OGG_HEADER + 255)
        if not head:
            return place
        if not head.startswith(b"OggS\0") or len(head) < _OGG_HEADER:
            raise _broken("a malformed page", place)
        segments = head[_OGG_HEADER : _OGG_HEADER + head[26]]
        if len(segments) < head[26]:
            raise _broken("a malformed page", place)
        place += _OGG_HEADER + head[26] + sum(segments)
    raise _broken("too many pages", place)


def _flac(view: View) -> int:
    """Metadata blocks, and frames behind them, whose ends only a decoder knows: the first must begin there."""
    place = 4
    for _ in range(MEDIA_MAX_PARTS):
        head = view.read(place, _FLAC_BLOCK)
        if len(head) < _FLAC_BLOCK:
            raise _broken("a malformed block", place)
        place += _FLAC_BLOCK + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            break
    if int.from_bytes(view.read(place, 2), "big") & 0xFFFE != _FLAC_SYNC:
        raise _broken("no frame where the first should begin", place)
    return view.size


def _elements(view: View) -> int:
    place = 0
    for _ in range(MEDIA_MAX_PARTS):
        head = view.read(place, 12)
        if not head:
            return place
        width = 9 - head[0].bit_length()
        if width > 4 or len(head) <= width:  # noqa: PLR2004 - ids of EBML
            raise _broken("a malformed element", place)
        long = 9 - head[width].bit_length()
        if long > 8:  # noqa: PLR2004
            raise _broken("a malformed element", place)
        size = int.from_bytes(head[width : width + long], "big") & ((1 << 7 * long) - 1)
        if size == (1 << 7 * long) - 1:  # of unknown size: to the end
            return view.size
        place += width + long + size
    raise _broken("too many elements", place)
