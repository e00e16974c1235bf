"""``read_yaml``: the values of YAML 1.1 documents as PyYAML and ruamel read them, and the tags in them.

A careful subset: block and flow collections, scalars of every style, anchors, tags, several documents. What lies
outside (complex keys, directives but ``%YAML``) is an ``InputError``, and the caller falls back to the text. A scalar
stays text, but for null: types do not matter here. An alias of a collection is an empty value, since the collection
is read where its anchor is; so nothing grows.

This is one file because every production of the grammar moves the same position and calls the others.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import YAML_MAX_BYTES, YAML_MAX_DEPTH, YAML_MAX_NODES

_SPACE: Final = re.compile(r"[ \t]*")
_NAME: Final = re.compile(r"[^\s\[\]{},]+")
_TAG: Final = re.compile(r"!<[^>\s]*>|![^\s\[\]{},]*(?:,[^\s\[\]{},]+)*")
_SCALAR_HEAD: Final = re.compile(r"[|>](?:[+-]?[1-9]?|[1-9][+-]?)[ \t]*(?:[ \t]#[^\n]*)?(?=\n|$)")
_MARKER: Final = re.compile(r"(?:---|\.\.\.)(?=[ \t\n]|$)")
_PLAIN_STOP: Final = re.compile(r":(?=[ \t\n]|$)|[ \t]#|\n|$")
_FLOW_STOP: Final = re.compile(r":(?=[ \t\n,\[\]{}]|$)|[ \t]#|[\n,\[\]{}]|$")
_ESCAPES: Final = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_NULLS: Final = frozenset(("null", "Null", "NULL", "~"))
_WIDTHS: Final = {"x": 2, "u": 4, "U": 8}


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag as it is written out, its handle resolved, and the line that it stands on."""

    name: str
    line: int
    value: Any


@dataclass(slots=True)
class Yaml:
    """The documents, their tags, and values of keys that occur twice in a mapping (the earlier ones)."""

    documents: list[Any] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    doubled: list[Any] = field(default_factory=list)


def read_yaml(text: str) -> Yaml:
    """All documents of the text.

    Raises:
        InputError: ``yaml-syntax`` with the line, ``yaml-limit``.
    """
    if len(text) > YAML_MAX_BYTES:
        raise InputError("yaml-limit", f"{len(text)} characters, above the limit of {YAML_MAX_BYTES}")
    return _Reader(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")).run()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._breaks = [found.start() for found in re.finditer("\n", text)]
        self._at = 0
        self._depth = 0
        self._nodes = 0
        self._anchors: dict[str, Any] = {}
        self._result = Yaml()

    def run(self) -> Yaml:
        while True:
            self._blank()
            if self._at >= len(self._text):
                return self._result
            if self._text.startswith("%YAML", self._at):
                self._at = self._line_end()
                continue
            if self._text.startswith("%", self._at):
                raise self._fail("a directive")
            marker = _MARKER.match(self._text, self._at) if self._column() == 0 else None
            if marker is not None:
                self._at = marker.end()
                if marker[0] == "...":
                    continue
                self._blank()
                if self._at >= len(self._text) or (self._column() == 0 and _MARKER.match(self._text, self._at)):
                    continue
            self._anchors = {}
            self._result.documents.append(self._node(-1))
            self._blank()
            if self._at < len(self._text) and not (self._column() == 0 and _MARKER.match(self._text, self._at)):
                raise self._fail("something behind the end of the document")

    # -- places

    def _fail(self, message: str) -> InputError:
        return InputError("yaml-syntax", message, position=f"line {self._line()}")

    def _line(self) -> int:
        return bisect_left(self._breaks, self._at) + 1

    def _line_end(self) -> int:
        end = self._text.find("\n", self._at)
        return len(self._text) if end < 0 else end

    def _column(self) -> int:
        before = bisect_left(self._breaks, self._at)
        return self._at - (self._breaks[before - 1] + 1 if before else 0)

    def _blank(self) -> bool:
        """Skip white space, line breaks and comments; whether a line break was among it."""
        broken = False
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "\n":
                broken = True
                self._at += 1
            elif char in " \t":
                found = _SPACE.match(self._text, self._at)
                self._at = found.end() if found else self._at
            elif char == "#" and (self._at == 0 or self._text[self._at - 1] in " \t\n"):
                self._at = self._line_end()
            else:
                break
        return broken

    def _starts(self, indicator: str) -> bool:
        """Whether a block indicator stands here: with white space behind it."""
        return self._text.startswith(indicator, self._at) and (self._text[self._at + 1 : self._at + 2] in " \t\n")

    # -- nodes

    def _node(self, parent: int, *, flow: bool = False, sequence: bool = True) -> Any:
        """The value here; None when the next token is not deeper than ``parent``."""
        self._depth += 1
        self._nodes += 1
        if self._depth > YAML_MAX_DEPTH or self._nodes > YAML_MAX_NODES:
            raise InputError("yaml-limit", "nested too deeply, or too many values", position=f"line {self._line()}")
        try:
            return self._flow_node() if flow else self._block_node(parent, sequence=sequence)
        finally:
            self._depth -= 1

    def _properties(self) -> tuple[str, str, int]:
        """(anchor, tag, line of the tag) here; white space behind them on the line is skipped."""
        anchor = tag = ""
        line = 0
        while self._at < len(self._text) and self._text[self._at] in "&!":
            if self._text[self._at] == "&" and not anchor:
                found = _NAME.match(self._text, self._at + 1)
                if found is None:
                    raise self._fail("an anchor without a name")
                anchor = found[0]
            elif self._text[self._at] == "!" and not tag:
                found = _TAG.match(self._text, self._at)
                if found is None:
                    raise self._fail("a tag that is none")
                tag, line = found[0], self._line()
            else:
                raise self._fail("two anchors or two tags")
            self._at = found.end()
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
        return anchor, tag, line

    def _keep(self, anchor: str, tag: str, line: int, value: Any) -> Any:
        if anchor:
            self._anchors[anchor] = value if isinstance(value, str) else {}
        if tag:
            self._result.tags.append(Tag(_spelt_out(tag), line, value))
        return value

    def _block_node(self, parent: int, *, sequence: bool) -> Any:
        self._blank()
        start = self._at
        column = self._column()
        dash = self._starts("-")
        if self._at >= len(self._text) or column < parent or (column == parent and not (dash and sequence)):
            return None
        if column == 0 and _MARKER.match(self._text, self._at):
            return None
        anchor, tag, line = self._properties()
        if anchor or tag:
            if self._text[self._at : self._at + 1] in ("", "\n", "#"):
                return self._keep(anchor, tag, line, self._node(parent, sequence=sequence))
            if self._is_key():  # the properties are the key's
                self._keep(anchor, tag, line, None)
                return self._mapping(column, start)
        return self._keep(anchor, tag, line, self._content(parent, column))

    def _content(self, parent: int, column: int) -> Any:
        if self._starts("-"):
            return self._sequence(column)
        if self._starts("?"):
            raise self._fail("a complex key")
        char = self._text[self._at : self._at + 1]
        if char and char in "|>":
            return self._literal(parent)
        if self._is_key():
            return self._mapping(column, self._at)
        if char in ("[", "{"):
            return self._collection()
        if char == "*":
            return self._alias()
        if char in ("'", '"'):
            return self._quoted()
        return self._value(self._plain(parent))

    def _value(self, plain: str) -> str | None:
        return None if plain in _NULLS else plain

    def _is_key(self) -> bool:
        """Whether a key of a mapping stands here: a scalar on one line with a colon behind it."""
        at = self._at
        try:
            char = self._text[at : at + 1]
            if char in ("[", "{") or not char:
                return False
            if char == "*":
                self._alias()
            elif char in ("'", '"'):
                self._quoted()
            else:
                self._at = self._stop(_PLAIN_STOP)
            if "\n" in self._text[at : self._at]:
                return False
            space = _SPACE.match(self._text, self._at)
            end = space.end() if space else self._at
            return self._text[end : end + 1] == ":" and self._text[end + 1 : end + 2] in ("", " ", "\t", "\n")
        finally:
            self._at = at

    def _stop(self, pattern: re.Pattern[str]) -> int:
        found = pattern.search(self._text, self._at)
        return found.start() if found else len(self._text)

    def _mapping(self, column: int, start: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        first = True
        while True:
            if not first:
                self._blank()
                start = self._at
                if self._at >= len(self._text) or self._column() < column:
                    return result
                if column == 0 and _MARKER.match(self._text, self._at):
                    return result
                if self._column() != column:
                    raise self._fail("a key that is indented otherwise")
                anchor, tag, line = self._properties()
                self._keep(anchor, tag, line, None)
            if not self._is_key():
                raise self._fail("a key is missing")
            first = False
            key = self._key()
            self._at = self._text.index(":", self._at) + 1
            if self._text[self._at : self._at + 1] == "\t":
                raise self._fail("a tab behind a colon")
            self._put(result, key, self._node(column))
            del start

    def _put(self, result: dict[str, Any], key: str, value: Any) -> None:
        if key in result:
            self._result.doubled.append({key: result[key]})
        result[key] = value

    def _key(self) -> str:
        char = self._text[self._at]
        if char == "*":
            value = self._alias()
            return value if isinstance(value, str) else ""
        if char in "'\"":
            return self._quoted()
        end = self._stop(_PLAIN_STOP)
        key = self._text[self._at : end].rstrip(" \t")
        self._at = end
        return key

    def _sequence(self, column: int) -> list[Any]:
        result: list[Any] = []
        while True:
            self._at += 1
            result.append(self._item(column))
            self._blank()
            if self._at >= len(self._text) or self._column() < column or not self._starts("-"):
                if self._at < len(self._text) and self._column() > column:
                    raise self._fail("an item that is indented otherwise")
                return result
            if self._column() != column:
                raise self._fail("an item that is indented otherwise")

    def _item(self, column: int) -> Any:
        return self._node(column, sequence=False)

    # -- scalars

    def _plain(self, parent: int) -> str:
        if self._text[self._at : self._at + 1] in ("@", "`", "%", ",", "]", "}"):
            raise self._fail("a character that begins no value")
        parts: list[str] = []
        while True:
            end = self._stop(_PLAIN_STOP)
            parts.append(self._text[self._at : end].strip(" \t"))
            self._at = end
            if self._text[end : end + 1] == ":":
                raise self._fail("a second colon in one line")
            if self._text[end : end + 1] in (" ", "\t"):  # a comment ends it
                return " ".join(parts)
            self._at = end
            while self._text[self._at : self._at + 1] == "\n":
                self._at += 1
                space = _SPACE.match(self._text, self._at)
                after = space.end() if space else self._at
                if self._text[after : after + 1] in ("\n", ""):
                    self._at = after
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at >= len(self._text) or self._column() <= parent or self._text[self._at] == "#":
                return " ".join(parts)
            if self._column() == 0 and _MARKER.match(self._text, self._at):
                return " ".join(parts)

    def _quoted(self) -> str:
        quote = self._text[self._at]
        self._at += 1
        parts: list[str] = []
        while True:
            char = self._text[self._at : self._at + 1]
            if not char:
                raise self._fail("a quoted text that does not end")
            self._at += 1
            if char == quote:
                if quote == "'" and self._text[self._at : self._at + 1] == "'":
                    self._at += 1
                    parts.append("'")
                    continue
                return "".join(parts)
            if char == "\\" and quote == '"':
                parts.append(self._escape())
            elif char == "\n":
                parts.append(self._fold(parts))
            else:
                parts.append(char)

    def _fold(self, parts: list[str]) -> str:
        while parts and parts[-1] in (" ", "\t"):
            parts.pop()
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        if self._text[self._at : self._at + 1] == "\n":
            return "\n" if parts and parts[-1] == "\n" else ""
        if self._column() == 0 and _MARKER.match(self._text, self._at):
            raise self._fail("a quoted text that does not end")
        return " "

    def _escape(self) -> str:
        char = self._text[self._at : self._at + 1]
        self._at += 1
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char == "\n":
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            return ""
        width = _WIDTHS.get(char, 0)
        digits = self._text[self._at : self._at + width]
        if not width or not re.fullmatch(rf"[0-9A-Fa-f]{{{width}}}", digits) or int(digits, 16) > 0x10FFFF:  # noqa: PLR2004
            raise self._fail("a broken escape")
        self._at += width
        return chr(int(digits, 16))

    def _literal(self, parent: int) -> str:
        """A block scalar: all lines that are deeper than ``parent``, or than its first line when it says so."""
        found = _SCALAR_HEAD.match(self._text, self._at)
        if found is None:
            raise self._fail("a block of text with a head that is none")
        given = next((int(char) for char in found[0][:3] if char.isdigit()), 0)
        self._at = found.end()
        indent = max(parent, 0) + given if given else 0
        lines: list[str] = []
        while self._at < len(self._text):
            begin = self._at + 1
            end = self._text.find("\n", begin)
            end = len(self._text) if end < 0 else end
            line = self._text[begin:end]
            bare = len(line) - len(line.lstrip(" "))
            if line.strip(" "):
                if not indent:
                    indent = bare
                if bare < indent or bare <= parent:
                    break
            lines.append(line[indent:] if indent else "")
            self._at = end
        return "\n".join(lines)

    def _alias(self) -> Any:
        found = _NAME.match(self._text, self._at + 1)
        if found is None:
            raise self._fail("an alias without a name")
        name = found[0].removesuffix(":")
        self._at += 1 + len(name)
        if name not in self._anchors:
            raise self._fail("an alias of nothing")
        return self._anchors[name]

    # -- flow

    def _collection(self) -> Any:
        opening = self._text[self._at]
        closing = "]" if opening == "[" else "}"
        self._at += 1
        items: list[Any] = []
        pairs: dict[str, Any] = {}
        while True:
            self._blank()
            char = self._text[self._at : self._at + 1]
            if not char:
                raise self._fail("brackets that do not close")
            if char == closing:
                self._at += 1
                return pairs if opening == "{" else items
            key = self._node(-1, flow=True)
            self._blank()
            if self._text.startswith(":", self._at):
                self._at += 1
                value = self._flow_value(closing)
                name = key if isinstance(key, str) else ""
                if opening == "{":
                    self._put(pairs, name, value)
                else:
                    items.append({name: value})
            elif opening == "{":
                self._put(pairs, key if isinstance(key, str) else "", None)
            else:
                items.append(key)
            self._blank()
            if self._text.startswith(",", self._at):
                self._at += 1
            elif not self._text.startswith(closing, self._at):
                raise self._fail("a comma or a bracket is missing")

    def _flow_value(self, closing: str) -> Any:
        self._blank()
        if self._text.startswith((",", closing), self._at):
            return None
        return self._node(-1, flow=True)

    def _flow_node(self) -> Any:
        anchor, tag, line = self._properties()
        self._blank()
        char = self._text[self._at : self._at + 1]
        if char in ("[", "{"):
            value: Any = self._collection()
        elif char == "*":
            value = self._alias()
        elif char in ("'", '"'):
            value = self._quoted()
        elif char in (",", "]", "}", ":") and (anchor or tag):
            value = None
        else:
            value = self._value(self._flow_plain())
        return self._keep(anchor, tag, line, value)

    def _flow_plain(self) -> str:
        parts: list[str] = []
        while True:
            end = self._stop(_FLOW_STOP)
            parts.append(self._text[self._at : end].strip(" \t"))
            self._at = end
            if self._text[end : end + 1] != "\n":
                break
            self._blank()
        text = " ".join(part for part in parts if part)
        if not text or text[0] in "@`%?":
            raise self._fail("a value is missing, or begins as none")
        return text


def _spelt_out(tag: str) -> str:
    """``!!x`` as ``tag:yaml.org,2002:x``, with percent escapes decoded."""
    name = tag[2:-1] if tag.startswith("!<") else f"tag:yaml.org,2002:{tag[2:]}" if tag.startswith("!!") else tag
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), name)
