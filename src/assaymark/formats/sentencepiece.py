"""SentencePiece models (sentencepiece_model.proto): a message of pieces and settings, which runs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import SENTENCEPIECE_MAX_BYTES, SENTENCEPIECE_MAX_PIECES
from assaymark.core.view import BytesView
from assaymark.formats.protobuf import LENGTH, read_fields

if TYPE_CHECKING:
    from assaymark.core.view import View

_PIECES: Final = 1
_LAST: Final = 5  # trainer, normaliser, self-test, denormaliser
_PIECE_FIELDS: Final = {1: 2, 2: 5, 3: 0}  # text, score, type: field -> wire type
_EXTENSIONS: Final = 200  # of the schema: "extensions 200 to max"


def has_sentencepiece_shape(view: View) -> bool:
    """Whether the first bytes are those of a piece: a quick look before all is read."""
    head = view.read(0, 4)
    return len(head) == 4 and head[0] == 0x0A and head[2] == 0x0A and head[3] + 2 <= head[1] < 0x80  # noqa: PLR2004


def check_sentencepiece(view: View) -> int:
    """The number of pieces of a model whose every byte belongs to a field of the schema.

    Raises:
        InputError: ``sentencepiece``, or ``protobuf-wire`` and ``protobuf-fields`` with the byte as position.
    """
    if view.size > SENTENCEPIECE_MAX_BYTES:
        raise InputError("sentencepiece", f"{view.size} bytes, above the limit of {SENTENCEPIECE_MAX_BYTES}")
    data = BytesView(view.read(0, view.size))
    pieces = 0
    for field in read_fields(data, 0, data.size, SENTENCEPIECE_MAX_PIECES):
        if field.wire != LENGTH or field.number > _LAST:
            raise InputError(
                "sentencepiece", f"a field {field.number} that no model has", position=f"byte {field.start}"
            )
        if field.number != _PIECES:
            continue
        pieces += 1
        for part in read_fields(data, field.start, field.end, 8):
            if _PIECE_FIELDS.get(part.number, part.wire) != part.wire or 3 < part.number < _EXTENSIONS:  # noqa: PLR2004
                raise InputError("sentencepiece", "a piece that is none", position=f"byte {part.start}")
    if not pieces:
        raise InputError("sentencepiece", "a model without pieces")
    return pieces
