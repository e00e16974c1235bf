"""The bytes of a value of a pickle, for what a permitted function loads by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.limits import SCAN_MAX_NESTED_BYTES
from assaymark.core.view import BytesView, SliceView
from assaymark.formats.pickle.latin1 import decoded
from assaymark.scanning.pickle.refusal import NotChecked, Refused

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.formats.pickle.values import Blob


def nested_view(view: View, blob: Blob) -> View:
    """The bytes of ``blob``, which lies in ``view``.

    Raises:
        Refused: when they are no Latin-1 text, which the loader would not get that far with.
        NotChecked: when the stream computes them, or they are too many to decode.
    """
    if blob.data is not None:
        return BytesView(blob.data)
    if blob.offset is None or blob.length is None:
        raise NotChecked("bytes that the stream computes are loaded, and cannot be examined")
    if not blob.encoded:
        return SliceView(view, blob.offset, blob.length)
    if blob.length > SCAN_MAX_NESTED_BYTES:
        raise NotChecked(f"{blob.length} bytes that are written as text are loaded, and not examined")
    try:
        return BytesView(b"".join(decoded(view, blob)))
    except UnicodeError:
        raise Refused("with text that is no Latin-1") from None
