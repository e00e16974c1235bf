"""Reader of what came before GGUF: GGML, GGMF and GGJT files, and GGLA adapters. Only the header is checked.

llama.cpp's llama-util of 2023: a magic, a version (but for GGML), seven numbers of the model. Vocabulary and tensors
depend on the architecture, which the file does not name; they hold words and numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError

if TYPE_CHECKING:
    from assaymark.core.view import View

_MAGICS: Final = {b"lmgg": 0, b"fmgg": 1, b"tjgg": 3, b"algg": 1, b"tggg": 1}
_HEADER: Final = 36
_MOST: Final = 1 << 24  # of a dimension or a vocabulary


def read_ggml(view: View) -> int:
    """The version of the file, 0 when it has none.

    Raises:
        InputError: ``ggml-malformed``.
    """
    head = view.read(0, _HEADER)
    if head[:4] not in _MAGICS or len(head) < _HEADER:
        raise InputError("ggml-malformed", "no GGML file, or one that is cut off", position="byte 0")
    newest = _MAGICS[head[:4]]
    version = int.from_bytes(head[4:8], "little") if newest else 0
    if newest and not 1 <= version <= newest:
        raise InputError("ggml-malformed", f"version {version}", position="byte 4")
    for place in range(8 if newest else 4, 24, 4):
        if int.from_bytes(head[place : place + 4], "little") > _MOST:
            raise InputError("ggml-malformed", "a dimension that no model has", position=f"byte {place}")
    return version
