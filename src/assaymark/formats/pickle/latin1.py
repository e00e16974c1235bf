"""Bytes that protocols 0 to 2 write as text, a character each: ``_codecs.encode(text, "latin1")``.

In the stream the text is UTF-8 (BINUNICODE) or raw-unicode-escape (UNICODE), so the bytes are not as they are.
Sources: ``save_bytes`` of CPython's ``pickle.py``; ``Objects/bytesobject.c`` and ``bytearrayobject.c``.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.core.view import View
    from assaymark.formats.pickle.values import Blob

_CHUNK: Final = 1 << 18


def decoded(view: View, blob: Blob) -> Iterator[bytes]:
    """The bytes of a ``blob`` of ``view`` that lies there as text, in pieces; of any other nothing.

    Raises:
        UnicodeError: for text that is malformed, or has characters that are no bytes.
    """
    if blob.offset is None or blob.length is None or not blob.encoded:
        return
    decoder = codecs.getincrementaldecoder("raw_unicode_escape" if blob.escaped else "utf-8")()
    for start in range(0, blob.length, _CHUNK):
        length = min(_CHUNK, blob.length - start)
        text = decoder.decode(view.read(blob.offset + start, length), start + length == blob.length)
        yield text.encode("latin-1")
