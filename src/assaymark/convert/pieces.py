"""What a plan needs beside the source's own bytes: decoded text, unpacked members, counted out behind the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.convert.plan import Piece
from assaymark.core.errors import InputError
from assaymark.core.limits import CONVERT_CHUNK_BYTES
from assaymark.formats.pickle.latin1 import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.core.view import View
    from assaymark.formats.pickle.values import Blob


class Pieces:
    """The pieces of one plan, each behind the one before; the first lies behind the ``end`` of the source."""

    def __init__(self, end: int) -> None:
        self._end = end
        self.size = 0
        self.items: list[Piece] = []

    def add(self, piece: Piece) -> int:
        """Where its bytes will be."""
        start = self._end + self.size
        self.items.append(piece)
        self.size += piece.length
        return start

    def add_range(self, view: View, start: int, length: int) -> int:
        """Where a range of a view will be that is no range of the source, such as one of a compressed member."""
        return self.add(Piece(length, lambda: _range(view, start, length)))

    def add_text(self, view: View, blob: Blob, length: int) -> int:
        """Where the ``length`` bytes will be that lie in ``view`` as text."""
        return self.add(Piece(length, lambda: _text(view, blob, length)))


def text_length(view: View, blob: Blob) -> int:
    """How many bytes a ``blob`` is that lies in ``view`` as text.

    Raises:
        InputError: ``convert-array`` when it is no text of bytes.
    """
    return sum(map(len, text_of(view, blob)))


def _text(view: View, blob: Blob, length: int) -> Iterator[bytes]:
    left = length
    for data in text_of(view, blob):
        left -= len(data)
        yield data
    if left:
        raise InputError(
            "convert-array", f"{length - left} bytes where {length} are due", position=f"byte {blob.offset}"
        )


def text_of(view: View, blob: Blob) -> Iterator[bytes]:
    """The bytes of a ``blob`` that lies in ``view`` as text, in pieces.

    Raises:
        InputError: ``convert-array`` when it is no text of bytes.
    """
    try:
        yield from decoded(view, blob)
    except UnicodeError:
        what = "bytes that are written as text, with characters that are no bytes"
        raise InputError("convert-array", what, position=f"byte {blob.offset}") from None


def _range(view: View, start: int, length: int) -> Iterator[bytes]:
    for done in range(0, length, CONVERT_CHUNK_BYTES):
        yield view.read(start + done, min(CONVERT_CHUNK_BYTES, length - done))
