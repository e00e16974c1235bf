"""JSON and YAML values that know the line they were written on.

``Map`` is a dict and ``Seq`` a list, so code that reads values need not know; ``line`` is where the collection
begins, ``at(key)`` where an entry stands. Lines count from 1. ``path`` is the file of
a value that came from another one than the value that holds it (Terraform's references); empty otherwise.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from json.decoder import scanstring  # type: ignore[attr-defined]  # documented by its use in json.scanner only
from typing import Any, Final, Self

from assaymark.core.errors import InputError
from assaymark.core.limits import LOCATED_MAX_BYTES, LOCATED_MAX_DEPTH, LOCATED_MAX_NODES

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_WORDS: Final = {"true": True, "false": False, "null": None}
_WORD: Final = re.compile("true|false|null")
_DIGITS: Final = 300
_QUOTED: Final = r'"(?:[^"\\\n]|\\.)*"?'
_COMMENT: Final = re.compile(_QUOTED + r"|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMA: Final = re.compile(_QUOTED + r"|,(?=\s*[}\]])")


class Elsewhere(int):
    """A line of another file than its collection was read from: of ``path``, whose SHA-256 is ``digest``.

    Values that one file puts into what another declares have such lines; whoever cites a line cites that file.
    """

    path: str
    digest: str

    def __new__(cls, line: int, path: str, digest: str) -> Self:
        """``line`` (from 1) of the file ``path``."""
        found = super().__new__(cls, line)
        found.path = path
        found.digest = digest
        return found


class Map(dict[str, Any]):
    """A mapping in the order written; a key that is written twice keeps its last value, as most readers have it."""

    __slots__ = ("line", "lines", "path")

    def __init__(self, line: int, path: str = "") -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}
        self.path = path

    def put(self, key: str, value: Any, line: int) -> None:
        """Adds an entry that stands on ``line``."""
        self[key] = value
        self.lines[key] = line

    def at(self, key: str) -> int:
        """The line of the entry ``key``, or of the mapping when it has none."""
        return self.lines.get(key, self.line)


class Seq(list[Any]):
    """A sequence in the order written."""

    __slots__ = ("line", "lines", "path")

    def __init__(self, line: int, path: str = "") -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []
        self.path = path

    def put(self, value: Any, line: int) -> None:
        """Adds an item that stands on ``line``."""
        self.append(value)
        self.lines.append(line)

    def at(self, index: int) -> int:
        """The line of the item ``index``."""
        return self.lines[index] if 0 <= index < len(self.lines) else self.line


def read_json(text: str, first: int = 1) -> Any:
    """The value of a JSON text (RFC 8259) with ``Map`` and ``Seq``. ``first``: the line that the text begins on.

    Raises:
        InputError: ``json-syntax`` with the line, ``located-limit``.
    """
    if len(text) > LOCATED_MAX_BYTES:
        raise InputError("located-limit", f"the document has more than {LOCATED_MAX_BYTES} characters")
    return _Json(text, first).document()


def without_comments(text: str) -> str:
    """JSON with comments and trailing commas, as editors and compilers take it, as JSON of the same lines."""
    plain = _COMMENT.sub(lambda match: _blank(match.group()), text)
    return _LAST_COMMA.sub(lambda match: " " if match.group() == "," else match.group(), plain)


def _blank(text: str) -> str:
    return text if text.startswith('"') else "\n" * text.count("\n") + " "


class _Json:
    def __init__(self, text: str, first: int) -> None:
        self._text = text
        self._first = first
        self._at = 0
        self._nodes = 0
        self._ends = [match.start() for match in re.finditer("\n", text)]

    def document(self) -> Any:
        if self._text.startswith("\ufeff"):
            self._at = 1
        value = self._value(0)
        if self._space() != "":
            raise self._wrong("there is more after the document")
        return value

    def _line(self) -> int:
        return (bisect_right(self._ends, self._at - 1) if self._at else 0) + self._first

    def _wrong(self, message: str) -> InputError:
        return InputError("json-syntax", message, position=f"line {self._line()}")

    def _space(self) -> str:
        """Skips white space; the next character, empty at the end."""
        self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches nothing too
        return self._text[self._at : self._at + 1]

    def _value(self, depth: int) -> Any:
        self._nodes += 1
        if depth > LOCATED_MAX_DEPTH or self._nodes > LOCATED_MAX_NODES:
            raise InputError("located-limit", "the document nests too deep or has too many values")
        first = self._space()
        if first == "{":
            return self._map(depth)
        if first == "[":
            return self._seq(depth)
        if first == '"':
            return self._string()
        if match := _WORD.match(self._text, self._at):
            self._at = match.end()
            return _WORDS[match.group()]
        if match := _NUMBER.match(self._text, self._at):
            return self._number(match)
        raise self._wrong("a value is expected")

    def _number(self, match: re.Match[str]) -> int | float:
        self._at = match.end()
        digits = match.group()
        if len(digits) > _DIGITS:
            raise self._wrong("a number has too many digits")
        return int(digits) if digits.lstrip("-").isdigit() else float(digits)

    def _string(self) -> str:
        try:
            value, self._at = scanstring(self._text, self._at + 1, True)
        except ValueError:
            raise self._wrong("a text is not closed or holds a character that must be escaped") from None
        return str(value)

    def _map(self, depth: int) -> Map:
        found = Map(self._line())
        self._at += 1
        if self._space() == "}":
            self._at += 1
            return found
        while True:
            if self._space() != '"':
                raise self._wrong("a key is expected")
            line = self._line()
            key = self._string()
            if self._space() != ":":
                raise self._wrong("a colon is expected")
            self._at += 1
            found.put(key, self._value(depth + 1), line)
            stop = self._space()
            self._at += 1
            if stop == "}":
                return found
            if stop != ",":
                self._at -= 1
                raise self._wrong("a comma or a closing brace is expected")

    def _seq(self, depth: int) -> Seq:
        found = Seq(self._line())
        self._at += 1
        if self._space() == "]":
            self._at += 1
            return found
        while True:
            self._space()
            line = self._line()
            found.put(self._value(depth + 1), line)
            stop = self._space()
            self._at += 1
            if stop == "]":
                return found
            if stop != ",":
                self._at -= 1
                raise self._wrong("a comma or a closing bracket is expected")


def listed(value: Any) -> list[Any]:
    """A list; an empty one for what is none."""
    return value if isinstance(value, list) else []


def maps_in(value: Any) -> list[Map]:
    """The mapping that a value is, or those that a list holds: blocks of Terraform are either."""
    return [one for one in ([value] if isinstance(value, Map) else listed(value)) if isinstance(one, Map)]


def maps_of(value: Any, key: str) -> list[Map]:
    """All mappings under a key, at any depth; a mapping counts as a list of one."""
    found: list[Map] = []
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            inner = item.get(key)
            found += [one for one in (inner if isinstance(inner, list) else [inner]) if isinstance(one, Map)]
            pending += item.values()
        elif isinstance(item, list):
            pending += item
    return found
