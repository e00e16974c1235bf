"""Strict reader of GGUF: metadata, and tensors that tile the rest of the file. Tensor data is passed over.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 1 to 3, both byte orders. Native readers
trusted counts and lengths (CVE-2024-23496, CVE-2024-21802, CVE-2024-21825, CVE-2024-21836, CVE-2024-23605).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import GGUF_MAX_KEYS, GGUF_MAX_STRING, GGUF_MAX_STRINGS, GGUF_MAX_TENSORS
from assaymark.formats.paged import PagedView

if TYPE_CHECKING:
    from assaymark.core.view import View

_PAGE: Final = 65_536
_UINT32, _BOOL, _STRING, _ARRAY = 4, 7, 8, 9
_WIDTHS: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_MAX_NAME: Final = 65_535  # "a valid UTF-8 string ... at most 2^16-1 bytes" of a key
_MAX_DIMENSIONS: Final = 4  # GGML_MAX_DIMS
_MAX_ARRAYS: Final = 4  # arrays within arrays
# Elements of a block and its bytes, by ggml_type (ggml.h, ggml-common.h).
_BLOCKS: Final = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66),
    17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54),
    35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18),
}  # fmt: skip
TEMPLATE: Final = "tokenizer.chat_template"


@dataclass(slots=True)
class Gguf:
    """``templates``: key of a chat template -> (text, byte offset). ``unknown``: types whose size is not known."""

    version: int = 0
    keys: set[str] = field(default_factory=set)
    templates: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    tensors: int = 0
    unknown: set[int] = field(default_factory=set)


def read_gguf(view: View) -> Gguf:
    """The metadata's keys, the templates in it, and the tensors, whose bytes tile the rest of the file.

    Raises:
        InputError: ``gguf-malformed`` with the byte, ``gguf-size`` above a limit of ours.
    """
    return _Reader(view).read()


class _Reader:
    def __init__(self, view: View) -> None:
        self._view = PagedView(view, _PAGE)
        self._at = 4
        self._order = "<"
        self._wide = True
        self._strings = GGUF_MAX_STRINGS
        self._alignment = 32
        self._found = Gguf()

    def _error(self, what: str, at: int | None = None) -> InputError:
        return InputError("gguf-malformed", what, position=f"byte {self._at if at is None else at}")

    def _take(self, count: int) -> bytes:
        data = self._view.read(self._at, count)
        if len(data) != count:
            raise self._error("the file is cut off, or a length is larger than the file")
        self._at += count
        return data

    def _number(self, width: int) -> int:
        return int.from_bytes(self._take(width), "little" if self._order == "<" else "big")

    def _count(self) -> int:
        return self._number(8 if self._wide else 4)

    def _text(self, most: int) -> bytes:
        length = self._count()
        if length > self._view.size - self._at:
            raise self._error(f"a text of {length} bytes is longer than the file", self._at - 8)
        if length > most:
            raise InputError("gguf-size", f"a text of {length} bytes", position=f"byte {self._at}")
        return self._take(length)

    def read(self) -> Gguf:
        head = self._view.read(0, 8)
        if head[:4] != b"GGUF":
            raise self._error("no GGUF", 0)
        little, big = struct.unpack("<I", head[4:])[0] if len(head) == 8 else 0, int.from_bytes(head[4:], "big")  # noqa: PLR2004
        self._order = ">" if big in (1, 2, 3) and little not in (1, 2, 3) else "<"
        self._found.version = self._number(4)
        if self._found.version not in (1, 2, 3):
            raise self._error(f"version {self._found.version}", 4)
        self._wide = self._found.version > 1
        tensors, keys = self._count(), self._count()
        for count, most, what in ((tensors, GGUF_MAX_TENSORS, "tensors"), (keys, GGUF_MAX_KEYS, "keys")):
            if count > self._view.size:
                raise self._error(f"{count} {what} do not fit into the file", 8)
            if count > most:
                raise InputError("gguf-size", f"{count} {what}", position="byte 8")
        for _ in range(keys):
            self._pair()
        self._found.tensors = tensors
        self._tile(self._infos(tensors))
        return self._found

    def _pair(self) -> None:
        start = self._at
        key = self._text(_MAX_NAME).decode("utf-8", "backslashreplace")
        if key in self._found.keys:
            raise self._error(f"the key {key[:80]!r} stands twice", start)
        self._found.keys.add(key)
        kind = self._number(4)
        if kind == _STRING and (key == TEMPLATE or key.startswith(f"{TEMPLATE}.")):
            text = self._text(GGUF_MAX_STRING)
            self._found.templates[key] = (text, self._at - len(text))
        elif key == "general.alignment":
            if kind != _UINT32:
                raise self._error("the alignment is no number", start)
            self._alignment = self._number(4)
            if not 0 < self._alignment <= 1 << 20 or self._alignment & (self._alignment - 1):
                raise self._error(f"an alignment of {self._alignment}", start)
        else:
            self._pass_over(kind, 0)

    def _pass_over(self, kind: int, depth: int) -> None:
        if kind in _WIDTHS:
            value = self._take(_WIDTHS[kind])
            if kind == _BOOL and value not in (b"\0", b"\1"):
                raise self._error("a truth value that is neither", self._at - 1)
        elif kind == _STRING:
            self._skip_text()
        elif kind == _ARRAY and depth < _MAX_ARRAYS:
            self._skip_array(depth)
        else:
            raise self._error(f"a value of type {kind}", self._at - 4)

    def _spend(self) -> None:
        self._strings -= 1
        if self._strings < 0:
            message = f"more than {GGUF_MAX_STRINGS} texts and arrays"
            raise InputError("gguf-size", message, position=f"byte {self._at}")

    def _skip_text(self) -> None:
        self._spend()
        length = self._count()
        if length > self._view.size - self._at:
            raise self._error(f"a text of {length} bytes is longer than the file")
        self._at += length

    def _skip_array(self, depth: int) -> None:
        kind, count = self._number(4), self._count()
        width = _WIDTHS.get(kind)
        if count > self._view.size or (width is not None and count * width > self._view.size - self._at):
            raise self._error(f"an array of {count} values is longer than the file")
        if width is not None:
            self._at += count * width
            return
        if kind == _ARRAY and count > GGUF_MAX_KEYS:
            raise InputError("gguf-size", f"an array of {count} arrays", position=f"byte {self._at}")
        for _ in range(count):
            if kind == _ARRAY:
                self._spend()
            self._pass_over(kind, depth + 1)

    def _infos(self, count: int) -> list[tuple[int, int, str]]:
        """(offset, bytes, name) of each tensor; -1 bytes where the type's size is not known."""
        names: set[bytes] = set()
        found: list[tuple[int, int, str]] = []
        for _ in range(count):
            start = self._at
            name = self._text(_MAX_NAME)
            if name in names:
                raise self._error(f"the tensor {name[:80]!r} stands twice", start)
            names.add(name)
            dimensions = self._number(4)
            if dimensions > _MAX_DIMENSIONS:
                raise self._error(f"a tensor of {dimensions} dimensions", start)
            elements, first = 1, 1
            for index in range(dimensions):
                size = self._count()
                first = size if index == 0 else first
                elements *= size
                if not 0 < size < 1 << 63 or elements >= 1 << 63:
                    raise self._error("a tensor's shape overflows", start)
            kind, offset = self._number(4), self._number(8)
            found.append(
                (offset, self._bytes(kind, elements, first, start), name.decode("utf-8", "backslashreplace"))
            )
        return found

    def _bytes(self, kind: int, elements: int, first: int, start: int) -> int:
        if kind not in _BLOCKS:
            self._found.unknown.add(kind)
            return -1
        block, width = _BLOCKS[kind]
        if first % block:
            raise self._error(f"{first} elements a row are no whole blocks of {block}", start)
        return elements // block * width

    def _tile(self, tensors: list[tuple[int, int, str]]) -> None:
        data = self._aligned(self._at)
        place = 0
        certain = True
        for offset, size, name in sorted(tensors):
            if offset % self._alignment:
                raise self._error(f"the tensor {name[:80]!r} is not aligned", data + offset)
            if certain and offset != place:
                what = "overlaps the tensor before" if offset < place else "leaves bytes that belong to no tensor"
                raise self._error(f"the tensor {name[:80]!r} {what}", data + min(offset, place))
            certain = size >= 0
            if data + offset + max(size, 0) > self._view.size:
                raise self._error(f"the tensor {name[:80]!r} leads out of the file", data + offset)
            end = data + offset + max(size, 0)
            place = self._aligned(end) - data
        if not tensors:
            end = self._at
            certain = True
        if certain and self._view.size > max(self._aligned(end), data if tensors else self._at):
            raise self._error(
                f"{self._view.size - self._aligned(end)} bytes after the last tensor", self._aligned(end)
            )

    def _aligned(self, place: int) -> int:
        return -(-place // self._alignment) * self._alignment
