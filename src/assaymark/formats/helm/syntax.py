"""The syntax of Go's text templates: a file as nodes, each with its line.

Source: the documentation of Go's packages text/template and text/template/parse: actions, pipelines, variables,
trimming of blanks, comments.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from assaymark.core.errors import InputError
from assaymark.core.limits import TEMPLATE_MAX_DEPTH

_ACTION: Final = re.compile(r"\{\{(-(?=\s))?((?:`[^`]*`|\"(?:[^\"\\\n]|\\.)*\"|[^`\"}]|\}(?!\}))*?)((?<=\s)-)?\}\}")
_COMMENT: Final = re.compile(r"\{\{(-\s)?\s*/\*.*?\*/\s*(\s-)?\}\}", re.DOTALL)
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<raw>`[^`]*`)|(?P<text>\"(?:[^\"\\\n]|\\.)*\")|(?P<char>'(?:[^'\\]|\\.)+')"
    r"|(?P<number>[-+]?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?))"
    r"|(?P<variable>\$[A-Za-z0-9_]*)|(?P<field>\.[A-Za-z_][\w]*)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<mark>:=|[|()=,.]))"
)
_HEXADECIMAL: Final = re.compile(r"\\x([0-9a-fA-F]{2})")
_FOUR_DIGITS: Final = r"\\u00\1"
_ENDS: Final = frozenset(("end", "else"))


@dataclass(frozen=True, slots=True)
class Operand:
    """``kind``: constant, dot, variable, name or pipe; ``fields`` are taken of it one after the other."""

    kind: str
    value: Any = None
    fields: tuple[str, ...] = ()


Command: TypeAlias = "list[Operand]"


@dataclass(slots=True)
class Pipe:
    """Commands, each of which is given what the one before gives, and the variables that get the result."""

    commands: list[Command]
    names: tuple[str, ...] = ()
    declares: bool = False


@dataclass(slots=True)
class Node:
    """``kind``: text, print, if, with, range, template, break or continue."""

    kind: str
    line: int
    text: str = ""
    pipe: Pipe | None = None
    body: list[Node] = field(default_factory=list)
    other: list[Node] = field(default_factory=list)


def wrong(message: str, line: int) -> InputError:
    """The error of a template."""
    return InputError("template-go", message, position=f"line {line}")


def parse_go_template(name: str, text: str) -> dict[str, list[Node]]:
    """The templates of a file by name: itself under ``name``, and what it defines.

    Raises:
        InputError: ``template-go`` with the line.
    """
    return _Parser(text).file(name)


class _Parser:
    def __init__(self, text: str) -> None:
        self._defined: dict[str, list[Node]] = {}
        self._pieces = list(_pieces(text))
        self._at = 0

    def file(self, name: str) -> dict[str, list[Node]]:
        found, end, _ = self._list(0)
        if end:
            raise wrong(f"unexpected {end}", self._pieces[self._at - 1][0])
        return {**self._defined, name: found}

    def _list(self, depth: int) -> tuple[list[Node], str, list[str]]:
        """Nodes up to what ends them: end, else (with the words behind it), or the end of the file."""
        if depth > TEMPLATE_MAX_DEPTH:
            raise wrong("it nests too deep", self._pieces[self._at - 1][0])
        found: list[Node] = []
        while self._at < len(self._pieces):
            line, text, action = self._pieces[self._at]
            self._at += 1
            if not action:
                found.append(Node("text", line, text))
                continue
            word = (re.match(r"\s*([a-z]+)", text) or [""])[0].strip()
            if word in _ENDS:
                return found, word, [text.strip().removeprefix(word).strip()]
            found += self._action(word, text, line, depth)
        return found, "", []

    def _action(self, word: str, text: str, line: int, depth: int) -> list[Node]:
        rest = text.strip().removeprefix(word)
        if word in ("if", "with", "range"):
            return [self._block(word, rest, line, depth)]
        if word in ("define", "block"):
            tokens = _Words(rest, line)
            name = tokens.constant()
            body, end, _ = self._list(depth + 1)
            if end != "end":
                raise wrong(f"{word} without end", line)
            self._defined[name] = body
            return [] if word == "define" else [Node("template", line, name, tokens.pipe())]
        if word == "template":
            tokens = _Words(rest, line)
            return [Node("template", line, tokens.constant(), tokens.pipe() if tokens.more() else None)]
        if word in ("break", "continue") and not rest.strip():
            return [Node(word, line)]
        return [Node("print", line, "", _Words(text, line).pipe())]

    def _block(self, word: str, rest: str, line: int, depth: int) -> Node:
        found = Node(word, line, "", _Words(rest, line).pipe())
        found.body, end, words = self._list(depth + 1)
        if end == "else":
            inner = re.match(r"(if|with)\b(.*)", words[0], re.DOTALL)
            if inner:
                found.other = [self._block(inner[1], inner[2], line, depth + 1)]
                return found
            found.other, end, _ = self._list(depth + 1)
        if end != "end":
            raise wrong(f"{word} without end", line)
        return found


def _pieces(text: str) -> list[tuple[int, str, bool]]:
    """Line, content and whether it is an action; blanks are trimmed where an action asks for it."""
    found: list[tuple[int, str, bool]] = []
    position, line, trim = 0, 1, False
    while position <= len(text):
        start = text.find("{{", position)
        plain = text[position : start if start >= 0 else len(text)]
        match = None
        if start >= 0:
            match = _COMMENT.match(text, start) or _ACTION.match(text, start)
            if match is None:
                raise wrong("an action that does not end", line + plain.count("\n"))
        first = line
        if trim:
            kept = plain.lstrip(" \t\r\n")
            first += plain[: len(plain) - len(kept)].count("\n")
            shown = kept
        else:
            shown = plain
        shown = shown.rstrip(" \t\r\n") if match is not None and match[1] else shown
        if shown:
            found.append((first, shown, False))
        line += plain.count("\n")
        if match is None:
            break
        if match.re is _ACTION:
            found.append((line, match[2], True))
            trim = bool(match[3])
        else:
            trim = bool(match[2])
        line += match[0].count("\n")
        position = match.end()
    return found


class _Words:
    """The tokens of an action."""

    def __init__(self, text: str, line: int) -> None:
        self._line = line
        self._tokens: list[tuple[str, str, bool]] = []  # kind, text, whether a blank stands before it
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise wrong(f"what is {text[position:].strip()[:30]}", line)
            word = match[match.lastgroup]
            self._tokens.append((match.lastgroup, word, match.start(match.lastgroup) > position or position == 0))
            position = match.end()
        self._at = 0

    def more(self) -> bool:
        return self._at < len(self._tokens)

    def _peek(self, ahead: int = 0) -> tuple[str, str, bool]:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ("", "", True)

    def constant(self) -> str:
        kind, word, _ = self._peek()
        self._at += 1
        if kind not in ("text", "raw"):
            raise wrong("a template is named by a text", self._line)
        return str(_constant(kind, word, self._line))

    def pipe(self, closing: str = "") -> Pipe:
        """A pipeline, up to ``)`` or the end."""
        found = Pipe([])
        marks = [self._peek(ahead)[1] for ahead in range(4)]
        if self._peek()[0] == "variable" and (
            marks[1] in (":=", "=") or (marks[1] == "," and marks[3] in (":=", "="))
        ):
            two = marks[1] == ","
            found.names = (marks[0], marks[2]) if two else (marks[0],)
            found.declares = marks[3 if two else 1] == ":="
            self._at += 4 if two else 2
        while True:
            found.commands.append(self._command())
            kind, word, _ = self._peek()
            self._at += 1
            if kind == "mark" and word == "|":
                continue
            if word == closing and (kind == "mark" or not closing):
                return found
            raise wrong(f"unexpected {word or 'end'} in an action", self._line)

    def _command(self) -> Command:
        found: Command = []
        while self.more() and self._peek()[1] not in ("|", ")"):
            found.append(self._operand())
        if not found:
            raise wrong("an action without a command", self._line)
        return found

    def _operand(self) -> Operand:
        kind, word, _ = self._peek()
        self._at += 1
        if kind == "mark" and word == "(":
            found = Operand("pipe", self.pipe(")"))
        elif kind == "mark" and word == ".":
            found = Operand("dot")
        elif kind == "field":
            found = Operand("dot", None, (word[1:],))
        elif kind in ("variable", "name"):
            known = {"true": True, "false": False, "nil": None}
            found = Operand("constant", known[word]) if word in known else Operand(kind, word)
        elif kind in ("raw", "text", "char", "number"):
            found = Operand("constant", _constant(kind, word, self._line))
        else:
            raise wrong(f"unexpected {word}", self._line)
        fields = list(found.fields)
        while self._peek()[0] == "field" and not self._peek()[2]:
            fields.append(self._peek()[1][1:])
            self._at += 1
        return Operand(found.kind, found.value, tuple(fields))


def _constant(kind: str, word: str, line: int) -> Any:
    if kind == "raw":
        return word[1:-1]
    try:
        if kind == "number":
            return float(word) if re.search(r"[.eE]", word) and not word.lower().startswith("0x") else int(word, 0)
        text = word[1:-1]
        if kind == "char":
            return ord(json.loads(f'"{text}"'))
        return json.loads(f'"{_HEXADECIMAL.sub(_FOUR_DIGITS, text)}"', strict=False)
    except (ValueError, TypeError):
        raise wrong(f"no constant: {word[:30]}", line) from None
