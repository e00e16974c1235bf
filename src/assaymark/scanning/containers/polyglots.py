"""Formats that a reader finds in a file which is recognised as something else.

Readers of tar (``torch.load`` tries it first for anything that is no zip), HDF5 and zip accept files that begin
or end as another format does; each can carry pickles or code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.formats.zip import hidden_zip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.core.view import View

_TAR_BLOCK: Final = 512
_TAR_CHECKSUM: Final = slice(148, 156)
_HDF5_MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_HDF5_FIRST: Final = 512


def is_tar(view: View) -> bool:
    """Whether ``view`` begins with a tar header: its checksum decides, as in Python's tarfile; magic is optional."""
    block = view.read(0, _TAR_BLOCK)
    if len(block) < _TAR_BLOCK:
        return False
    said = _tar_number(block[_TAR_CHECKSUM])
    rest = block[: _TAR_CHECKSUM.start] + b" " * 8 + block[_TAR_CHECKSUM.stop :]
    unsigned = sum(rest)
    return said in (unsigned, unsigned - 256 * sum(byte > 0x7F for byte in rest))  # noqa: PLR2004 - signed characters


def _tar_number(field: bytes) -> int | None:
    """Octal digits up to a NUL, or GNU's base 256."""
    if field[0] in (0x80, 0xFF):
        return int.from_bytes(field[1:], "big") - (256 ** (len(field) - 1) if field[0] == 0xFF else 0)  # noqa: PLR2004
    try:
        return int(field.split(b"\0", 1)[0].strip() or b"0", 8)
    except ValueError:
        return None


def other_formats(view: View, kind: str) -> Iterator[tuple[str, int]]:
    """(what, byte) for each format that a reader would find in ``view`` although it is recognised as ``kind``."""
    # A zip archive has rules of its own for what lies before and behind; TensorFlow Lite's metadata append one.
    if kind not in ("zip", "tflite"):
        found = hidden_zip(view)
        if found is not None:
            yield "ends as a zip archive", found
    if not kind:
        return
    if is_tar(view):
        yield "begins as a tar archive", 0
    place = _hdf5(view)
    if place is not None:
        yield "holds an HDF5 file", place


def _hdf5(view: View) -> int | None:
    """HDF5 File Format Specification II.A: the superblock is at 0, 512, 1024, 2048 and so on."""
    place = _HDF5_FIRST
    while place < view.size:
        if view.read(place, len(_HDF5_MAGIC)) == _HDF5_MAGIC:
            return place
        place *= 2
    return None
