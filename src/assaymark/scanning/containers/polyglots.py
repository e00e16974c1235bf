"""Formats that a reader finds in a file which is recognised as something else.

Readers of tar (``torch.load`` tries it first for anything that is no zip), HDF5 and zip accept files that begin
or end as another format does; each can carry pickles or code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.formats.tar import is_tar
from assaymark.formats.zip import hidden_zip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.core.view import View

_HDF5_MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_HDF5_FIRST: Final = 512
_MATLAB: Final = b"MATLAB 7.3 MAT-file"


def other_formats(view: View, kind: str) -> Iterator[tuple[str, int]]:
    """(what, byte) for each format that a reader would find in ``view`` although it is recognised as ``kind``."""
    # A zip archive has rules of its own for what lies before and behind; TensorFlow Lite's metadata append one, and
    # one in a tar archive is its member.
    if kind not in ("zip", "tar", "tflite"):
        found = hidden_zip(view)
        if found is not None:
            yield "ends as a zip archive", found
    if kind and kind != "tar" and is_tar(view):
        yield "begins as a tar archive", 0
    # MATLAB writes its own header of 512 bytes before HDF5.
    place = None if not kind and view.read(0, len(_MATLAB)) == _MATLAB else _hdf5(view)
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
