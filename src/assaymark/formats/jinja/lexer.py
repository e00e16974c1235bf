"""Tokens of a template, cut where Jinja 3 cuts them (jinja2/lexer.py), with its default delimiters.

Whitespace control changes only the text between tags, which runs nothing and is dropped here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from assaymark.core.errors import InputError
from assaymark.core.limits import JINJA_MAX_BYTES, JINJA_MAX_TOKENS

_OPENING: Final = re.compile(r"\{%[-+]?\s*raw\s*(?:-%\}\s*|%\})|\{[%#{]")
_RAW_END: Final = re.compile(r"\{%[-+]?\s*endraw\s*(?:\+%\}|-%\}|%\})")
_SPACE: Final = re.compile(r"\s+")
_FLOAT: Final = re.compile(
    r"(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+\-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)", re.IGNORECASE
)
_INTEGER: Final = re.compile(
    r"0b(?:_?[0-1])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*", re.IGNORECASE
)
_NAME: Final = re.compile(r"\w+")
_STRING: Final = re.compile(r"'(?:[^'\\]*(?:\\.[^'\\]*)*)'|\"(?:[^\"\\]*(?:\\.[^\"\\]*)*)\"", re.DOTALL)
_OPERATOR: Final = re.compile(r"//|\*\*|==|!=|>=|<=|[-+/*%~\[\](){}<>=.:|,;]")
_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|.)", re.DOTALL)
_SIMPLE: Final = {
    "\n": "",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_LAST_CHARACTER: Final = 0x10FFFF
_CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}
_MAX_DIGITS: Final = 4300  # of a decimal number, as Python itself


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is ``name``, ``string``, ``number``, ``operator``, ``begin``, ``end``, ``text`` or ``eof``.

    ``begin`` and ``end`` hold ``{{``, ``{%``, ``}}`` and ``%}``; a number that is whole is an ``int``.
    """

    kind: str
    value: str | int | float
    line: int


def tokens(text: str) -> list[Token]:
    """All tokens of the template.

    Raises:
        InputError: ``jinja-syntax`` with the line, ``jinja-limit``.
    """
    if len(text) > JINJA_MAX_BYTES:
        raise InputError("jinja-limit", f"a template of {len(text)} characters, above the limit of {JINJA_MAX_BYTES}")
    return _Lexer(re.sub(r"\r\n|\r|\n", "\n", text)).run()


class _Lexer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._tokens: list[Token] = []

    def run(self) -> list[Token]:
        while True:
            found = _OPENING.search(self._text, self._at)
            if (found.start() if found else len(self._text)) > self._at:
                self._add("text", "")
            if found is None:
                break
            self._at = found.end()
            opening = found[0]
            if opening == "{#":
                self._comment()
            elif len(opening) > 2:  # noqa: PLR2004 - longer than "{%": raw
                self._raw()
            else:
                if self._text.startswith(("-", "+"), self._at):
                    self._at += 1
                self._add("begin", opening)
                self._tag("%}" if opening == "{%" else "}}")
        self._add("eof", "")
        return self._tokens

    def _add(self, kind: str, value: str | float) -> None:
        if len(self._tokens) >= JINJA_MAX_TOKENS:
            raise InputError("jinja-limit", f"more than {JINJA_MAX_TOKENS} tokens")
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        self._tokens.append(Token(kind, value, self._line))

    def _fail(self, message: str) -> InputError:
        line = self._line + self._text.count("\n", self._counted, self._at)
        return InputError("jinja-syntax", message, position=f"line {line}")

    def _comment(self) -> None:
        end = self._text.find("#}", self._at)
        if end < 0:
            raise self._fail("a comment that does not end")
        self._at = end + 2

    def _raw(self) -> None:
        found = _RAW_END.search(self._text, self._at)
        if found is None:
            raise self._fail("a raw block that does not end")
        self._at = found.end()
        self._add("text", "")

    def _tag(self, closing: str) -> None:
        text = self._text
        open_brackets: list[str] = []
        while True:
            if not open_brackets and self._closes(closing):
                return
            if self._at >= len(text):
                raise self._fail("a tag that does not end")
            found = _SPACE.match(text, self._at)
            if found is not None:
                self._at = found.end()
                continue
            if (found := _FLOAT.match(text, self._at)) is not None:
                self._at = found.end()
                self._add("number", float(found[0].replace("_", "")))
            elif (found := _INTEGER.match(text, self._at)) is not None:
                self._at = found.end()
                self._add("number", self._integer(found[0]))
            elif (found := _NAME.match(text, self._at)) is not None:
                if not found[0].isidentifier():
                    raise self._fail(f"{found[0][:40]!r} is no name")
                self._at = found.end()
                self._add("name", found[0])
            elif (found := _STRING.match(text, self._at)) is not None:
                value = self._string(found[0][1:-1])
                self._at = found.end()
                self._add("string", value)
            elif (found := _OPERATOR.match(text, self._at)) is not None:
                self._operator(found[0], open_brackets)
            else:
                raise self._fail(f"an unexpected character {text[self._at]!r}")

    def _closes(self, closing: str) -> bool:
        signs = ("", "-", "+") if closing == "%}" else ("", "-")
        for sign in signs:
            if self._text.startswith(sign + closing, self._at):
                self._at += len(sign) + 2
                self._add("end", closing)
                return True
        return False

    def _operator(self, operator: str, open_brackets: list[str]) -> None:
        if operator in _CLOSERS:
            open_brackets.append(_CLOSERS[operator])
        elif operator in _CLOSERS.values() and (not open_brackets or open_brackets.pop() != operator):
            raise self._fail(f"an unexpected {operator!r}")
        self._at += len(operator)
        self._add("operator", operator)

    def _integer(self, digits: str) -> int:
        if len(digits) > _MAX_DIGITS:
            raise self._fail("a number with too many digits")
        try:
            return int(digits.replace("_", ""), 0)
        except ValueError:
            raise self._fail("a number that is none") from None

    def _string(self, raw: str) -> str:
        """The text that Python's ``unicode-escape`` makes of it, on which Jinja relies."""
        return _ESCAPE.sub(self._escape, raw) if "\\" in raw else raw

    def _escape(self, found: re.Match[str]) -> str:
        body = found[1]
        if body in _SIMPLE:
            return _SIMPLE[body]
        if body[0] in "xuU" and len(body) > 1:
            code = int(body[1:], 16)
            if code > _LAST_CHARACTER:
                raise self._fail("a string with an escape beyond Unicode")
            return chr(code)
        if body[0] in "01234567":
            return chr(int(body, 8))
        if body[0] in "xuUN":
            raise self._fail("a string with a broken escape, or one by a character's name")
        return found[0]
