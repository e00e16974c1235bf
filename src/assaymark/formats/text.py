"""Plain text and strict JSON: what may count as inert."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.canonical import parse_json
from assaymark.core.errors import InputError
from assaymark.core.limits import SCAN_MAX_TEXT_BYTES

if TYPE_CHECKING:
    from assaymark.core.view import View

_CHUNK: Final = 1 << 20
# C0 controls but tab, line feed, form feed and carriage return; a byte order mark is text.
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def read_text(view: View) -> bytes:
    """All of ``view`` when it is UTF-8 text without control characters.

    Raises:
        InputError: ``text-size``, ``text-control`` or ``text-utf8`` with the byte as position.
    """
    if view.size > SCAN_MAX_TEXT_BYTES:
        raise InputError("text-size", f"{view.size} bytes, above the limit of {SCAN_MAX_TEXT_BYTES} for text")
    decoder = codecs.getincrementaldecoder("utf-8")()
    parts: list[bytes] = []
    for start in range(0, max(view.size, 1), _CHUNK):
        piece = view.read(start, _CHUNK)
        found = _CONTROL.search(piece)
        if found is not None:
            raise InputError("text-control", "a control character", position=f"byte {start + found.start()}")
        try:
            decoder.decode(piece, final=start + _CHUNK >= view.size)
        except UnicodeDecodeError:
            raise InputError("text-utf8", "not UTF-8", position=f"after byte {start}") from None
        parts.append(piece)
    return b"".join(parts)


def utf16_text(view: View) -> bytes | None:
    """All of ``view`` as UTF-8, when it is text in UTF-16 with a byte order mark, as PyYAML and ``json`` read it."""
    if view.read(0, 2) not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or view.size > SCAN_MAX_TEXT_BYTES:
        return None
    try:
        return view.read(0, view.size).decode("utf-16").encode()
    except UnicodeError:
        return None


def json_value(text: bytes) -> Any:
    """The value of strict JSON text, but for the NaN that training tools log.

    Raises:
        InputError: a ``json-*`` code.
    """
    return parse_json(text.removeprefix(codecs.BOM_UTF8), limit=SCAN_MAX_TEXT_BYTES, nan=True)
