"""Pictures: recognised by magic and walked to their end, so that nothing hides behind one. No pixel is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError

if TYPE_CHECKING:
    from assaymark.core.view import View

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MAX_BLOCKS: Final = 1_000_000
_EOI: Final = b"\xff\xd9"


def picture_format(head: bytes) -> str:
    """``png``, ``jpeg``, ``gif`` or ``webp`` by the first 16 bytes; empty for anything else."""
    if head.startswith(_PNG):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    return ""


def check_picture(view: View, kind: str) -> None:
    """Walk the blocks of the picture: they must end where the file does.

    Raises:
        InputError: ``picture-structure`` with the byte as position.
    """
    end = {"png": _png, "jpeg": _jpeg, "gif": _gif, "webp": _webp}[kind](view)
    if end != view.size:
        raise InputError(
            "picture-structure", f"{view.size - end} bytes beyond the end of the picture", position=f"byte {end}"
        )


def _bad(at: int) -> InputError:
    return InputError("picture-structure", "the picture is malformed or cut off", position=f"byte {at}")


def _png(view: View) -> int:
    """PNG (ISO/IEC 15948) 5.3: length, type, data, CRC; IHDR first, IEND last."""
    at = len(_PNG)
    for number in range(_MAX_BLOCKS):
        head = view.read(at, 8)
        if len(head) < 8 or (number == 0) != (head[4:] == b"IHDR"):  # noqa: PLR2004
            break
        at += 12 + int.from_bytes(head[:4], "big")
        if at > view.size:
            break
        if head[4:] == b"IEND":
            return at
    raise _bad(at)


def _jpeg(view: View) -> int:
    """JPEG (ITU-T T.81) B.1: segments up to the first scan; then entropy-coded data, which holds no other end."""
    at = 2
    for _ in range(_MAX_BLOCKS):
        head = view.read(at, 4)
        if len(head) < 4 or head[0] != 0xFF:  # noqa: PLR2004
            break
        if head[1] == 0xFF:  # noqa: PLR2004 - fill byte
            at += 1
            continue
        length = int.from_bytes(head[2:], "big")
        if length < 2:  # noqa: PLR2004
            break
        at += 2 + length
        if head[1] == 0xDA:  # noqa: PLR2004 - start of scan
            return _after_scan(view, at)
    raise _bad(at)


def _after_scan(view: View, at: int) -> int:
    """Where the first end-of-image marker after the scan's start ends: in a scan 0xFF is followed by 0 or RSTn."""
    while at < view.size:
        piece = view.read(at, 65_536)
        found = piece.find(_EOI)
        if found >= 0:
            return at + found + 2
        at += max(len(piece) - 1, 1)
    raise _bad(at)


def _gif(view: View) -> int:
    """GIF89a: screen descriptor, then images and extensions in sub-blocks, then the trailer 0x3B."""
    head = view.read(0, 13)
    if len(head) < 13:  # noqa: PLR2004
        raise _bad(0)
    at = 13 + _colours(head[10])
    for _ in range(_MAX_BLOCKS):
        block = view.read(at, 10)
        if block[:1] == b"\x3b":
            return at + 1
        if block[:1] == b"\x21":
            at = _sub_blocks(view, at + 2)
        elif block[:1] == b"\x2c" and len(block) == 10:  # noqa: PLR2004
            at = _sub_blocks(view, at + 11 + _colours(block[9]))
        else:
            break
    raise _bad(at)


def _colours(packed: int) -> int:
    return 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0


def _sub_blocks(view: View, at: int) -> int:
    for _ in range(_MAX_BLOCKS):
        length = view.read(at, 1)
        if not length:
            break
        at += 1 + length[0]
        if length[0] == 0:
            return at
    raise _bad(at)


def _webp(view: View) -> int:
    """WebP container: a RIFF chunk whose size is the rest of the file, padded to even."""
    length = int.from_bytes(view.read(4, 4), "little")
    return 8 + length + length % 2
