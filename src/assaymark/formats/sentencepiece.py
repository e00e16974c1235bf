"""Reader of SentencePiece vocabularies (``tokenizer.model``): pieces of text with scores, and nothing to run.

Schema: sentencepiece/src/sentencepiece_model.proto, ModelProto.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.protobuf import FIXED32, LENGTH, VARINT, Messages, read_fields

if TYPE_CHECKING:
    from assaymark.core.view import View

_PIECE: Final = {(1, LENGTH), (2, FIXED32), (3, VARINT)}
_FIELDS: Final = {(number, LENGTH) for number in range(1, 6)}


def begins_as_sentencepiece(view: View) -> bool:
    """Whether the first field is a piece with its score."""
    try:
        first = next(read_fields(view, 0, view.size, 1), None)
        if first is None or (first.number, first.wire) != (1, LENGTH):
            return False
        return (
            {(1, LENGTH), (2, FIXED32)}
            <= {(item.number, item.wire) for item in read_fields(view, first.start, first.end, 8)}
            <= _PIECE
        )
    except InputError:
        return False


def read_sentencepiece(view: View) -> int:
    """The number of pieces.

    Raises:
        InputError: ``sentencepiece-malformed``, or a ``protobuf-*`` code.
    """
    messages = Messages(view)
    pieces = 0
    for item in messages.top():
        if (item.number, item.wire) not in _FIELDS:
            raise InputError("sentencepiece-malformed", f"a field {item.number}", position=f"byte {item.start}")
        if item.number == 1:
            pieces += 1
            if not {(inner.number, inner.wire) for inner in messages.fields(item)} <= _PIECE:
                raise InputError("sentencepiece-malformed", "no piece of text", position=f"byte {item.start}")
    return pieces
