"""The text format of protocol buffers, without a schema: https://protobuf.dev/reference/protobuf/textformat-spec/."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from assaymark.core.errors import InputError
from assaymark.core.limits import GRAPH_MAX_DEPTH, GRAPH_MAX_TEXT_FIELDS

_TOKEN: Final = re.compile(
    rb"""[ \t\r\n\f\v]*(?:\#[^\n]*(?:\n[ \t\r\n\f\v]*|$))*
    (?:(?P<name>[A-Za-z_][A-Za-z0-9_]*|\[[A-Za-z0-9_./-]+(?=\][ \t]*[:{<])\])
      |(?P<number>[-+]?[0-9.][0-9A-Za-z.+-]*|-[ ]*[A-Za-z]+)
      |(?P<text>"(?:[^"\\\n]|\\[^\n])*+"|'(?:[^'\\\n]|\\[^\n])*+')
      |(?P<mark>[{}<>\[\]:,;]))""",
    re.VERBOSE,
)
_SPACE: Final = re.compile(rb"(?:[ \t\r\n\f\v]|\#[^\n]*)*+$")
_ESCAPE: Final = re.compile(
    rb"\\(?:([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL
)
_LETTERS: Final = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))
_CLOSING: Final = {b"{": b"}", b"<": b">"}


@dataclass(slots=True)
class Tree:
    """A message: field names with their values, in their order. ``line`` from 1."""

    line: int
    fields: dict[str, list[Tree | bytes]] = field(default_factory=dict)

    def trees(self, name: str) -> list[Tree]:
        """The messages in the field ``name``."""
        return [value for value in self.fields.get(name, ()) if isinstance(value, Tree)]

    def values(self, name: str) -> list[bytes]:
        """The texts, words and numbers in the field ``name``, as bytes."""
        return [value for value in self.fields.get(name, ()) if isinstance(value, bytes)]


def read_protobuf_text(data: bytes) -> Tree:
    """The message that ``data`` spells.

    Raises:
        InputError: ``protobuf-text`` with the line, ``protobuf-fields``, ``protobuf-depth``.
    """
    return _Reader(data).message(b"", 0)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._line = 1
        self._counted = 0
        self._left = GRAPH_MAX_TEXT_FIELDS
        self._token = (b"", b"")
        self._next()

    def _next(self) -> None:
        match = _TOKEN.match(self._data, self._at)
        if match is None:
            if not _SPACE.match(self._data, self._at):
                raise self._error("no text format")
            self._token = (b"end", b"")
            return
        kind = match.lastgroup or ""
        self._line += self._data.count(b"\n", self._counted, match.start(kind))
        self._counted = match.start(kind)
        self._at = match.end()
        self._token = (kind.encode(), match[kind])

    def _error(self, what: str) -> InputError:
        return InputError("protobuf-text", what, position=f"line {self._line}")

    def message(self, closing: bytes, depth: int) -> Tree:
        if depth > GRAPH_MAX_DEPTH:
            raise InputError(
                "protobuf-depth", f"messages nest deeper than {GRAPH_MAX_DEPTH}", position=f"line {self._line}"
            )
        tree = Tree(self._line)
        while True:
            kind, text = self._token
            if kind == b"end" and not closing:
                return tree
            if kind == b"mark" and text == closing:
                return tree
            if kind != b"name":
                raise self._error("a field's name is missing")
            self._left -= 1
            if not self._left:
                raise InputError(
                    "protobuf-fields", f"more than {GRAPH_MAX_TEXT_FIELDS} fields", position=f"line {self._line}"
                )
            self._next()
            values = tree.fields.setdefault(text.decode(), [])
            if self._token == (b"mark", b":"):
                self._next()
            elif self._token not in ((b"mark", b"{"), (b"mark", b"<")):
                raise self._error("a field has no value")
            self._values(values, depth)
            while self._token in ((b"mark", b","), (b"mark", b";")):
                self._next()

    def _values(self, values: list[Tree | bytes], depth: int) -> None:
        if self._token != (b"mark", b"["):
            values.append(self._value(depth))
            return
        self._next()
        while self._token != (b"mark", b"]"):
            values.append(self._value(depth))
            if self._token == (b"mark", b","):
                self._next()
        self._next()

    def _value(self, depth: int) -> Tree | bytes:
        kind, text = self._token
        if kind == b"mark" and text in _CLOSING:
            self._next()
            tree = self.message(_CLOSING[text], depth + 1)
            self._next()
            return tree
        if kind in (b"name", b"number"):
            self._next()
            return text
        if kind != b"text":
            raise self._error("a value is missing")
        parts = []
        while self._token[0] == b"text":
            parts.append(self._unescaped(self._token[1][1:-1]))
            self._next()
        return b"".join(parts)

    def _unescaped(self, text: bytes) -> bytes:
        return _ESCAPE.sub(self._escape, text) if b"\\" in text else text

    def _escape(self, match: re.Match[bytes]) -> bytes:
        octal, hexadecimal, short, long, letter = match.groups()
        if octal is not None:
            return bytes((int(octal, 8) & 0xFF,))
        if hexadecimal is not None:
            return bytes((int(hexadecimal, 16),))
        if letter is not None:
            return bytes((_LETTERS.get(letter[0], letter[0]),))
        value = int(short or long, 16)
        if value > 0x10FFFF or 0xD800 <= value < 0xE000:  # noqa: PLR2004 - no code point
            raise self._error("no character")
        return chr(value).encode()
