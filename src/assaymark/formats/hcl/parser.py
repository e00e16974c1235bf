"""``parse_hcl``: HCL's native syntax (hashicorp/hcl, spec of HCL 2) as a syntax tree.

This is one file because every production of the grammar moves the same position and calls the others.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final, TypeAlias

from assaymark.core.errors import InputError
from assaymark.core.limits import HCL_MAX_BYTES, HCL_MAX_CHAIN, HCL_MAX_DEPTH
from assaymark.formats.hcl.tree import (
    Attribute,
    Block,
    Body,
    Call,
    Expression,
    For,
    Index,
    Literal,
    Name,
    Object,
    Operation,
    Splat,
    Template,
    Tuple,
)

_BLANK: Final = re.compile(r"(?:[ \t\r]+|#[^\n]*|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_BLANK_LINES: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_WORD: Final = re.compile(r"[^\W\d][\w-]*")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_HEREDOC: Final = re.compile(r"<<(-?)([^\W\d][\w-]*)[ \t\r]*\n")
_TEXT: Final = re.compile(r"[^\"\\$%\n]+")
_RAW: Final = re.compile(r"[^$%]+")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_WORDS: Final = {"true": True, "false": False, "null": None}
_OPERATORS: Final = (("||",), ("&&",), ("==", "!="), ("<=", ">=", "<", ">"), ("+", "-"), ("*", "/", "%"))
_MAX_DIGITS: Final = 300

Spans: TypeAlias = dict[int, tuple[int, int]]  # first position and the one after the last, by the identity of a part


def parse_hcl(text: str) -> Body:
    """The body of a file.

    Raises:
        InputError: ``hcl-syntax`` with the line, ``hcl-limit``.
    """
    if len(text) > HCL_MAX_BYTES:
        raise InputError("hcl-limit", f"the file has more than {HCL_MAX_BYTES} characters")
    return _file(_Parser(text.removeprefix("\ufeff")))


def _file(parser: _Parser) -> Body:
    body = parser.body(0)
    parser.lines()
    if parser.at < len(parser.text):
        raise parser.wrong("an attribute or a block is expected")
    return body


def parse_hcl_spans(text: str) -> tuple[Body, Spans]:
    """The body of a file, and where in the text its values and its blocks' bodies stand, for who changes the text.

    Raises:
        InputError: ``hcl-syntax`` with the line, ``hcl-limit``.
    """
    if len(text) > HCL_MAX_BYTES:
        raise InputError("hcl-limit", f"the file has more than {HCL_MAX_BYTES} characters")
    parser = _Parser(text)
    parser.spans = {}
    parser.at = len(text) - len(text.removeprefix("\ufeff"))
    return _file(parser), parser.spans


def parse_value_spans(text: str) -> tuple[Expression, Spans]:
    """One expression that is the whole of a text, as JSON without escapes is one, and where its parts stand.

    Raises:
        InputError: ``hcl-syntax`` with the line, ``hcl-limit``.
    """
    if len(text) > HCL_MAX_BYTES:
        raise InputError("hcl-limit", f"the text has more than {HCL_MAX_BYTES} characters")
    parser = _Parser(text)
    parser.spans = {}
    parser.lines()
    found = parser.expression(0)
    parser.lines()
    if parser.at < len(text):
        raise parser.wrong("the end of the text is expected")
    return found, parser.spans


def parse_template(text: str, line: int = 1) -> Expression:
    """A template file's text, as ``templatefile`` reads it. ``line``: the one that it begins on.

    Raises:
        InputError: ``hcl-syntax`` with the line, ``hcl-limit``.
    """
    if len(text) > HCL_MAX_BYTES:
        raise InputError("hcl-limit", f"the template has more than {HCL_MAX_BYTES} characters")
    parser = _Parser(text)
    parser.before = line - 1
    return parser.template("", 0, line)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self.before = 0  # lines before the text
        self._inner = 0  # brackets around: line ends are blanks in them
        self.spans: Spans | None = None
        self._end = 0  # of the last operand

    def line(self) -> int:
        return self.before + (bisect_right(self._ends, self.at - 1) + 1 if self.at else 1)

    def wrong(self, message: str) -> InputError:
        return InputError("hcl-syntax", message, position=f"line {self.line()}")

    def lines(self) -> None:
        """Skips blanks, comments and line ends."""
        self.at = _BLANK_LINES.match(self.text, self.at).end()  # type: ignore[union-attr]  # it matches nothing too

    def _blank(self) -> None:
        if self._inner:
            self.lines()
        else:
            self.at = _BLANK.match(self.text, self.at).end()  # type: ignore[union-attr]  # as above

    def _sees(self, token: str) -> bool:
        self._blank()
        return self.text.startswith(token, self.at)

    def _takes(self, token: str) -> bool:
        if self._sees(token):
            self.at += len(token)
            return True
        return False

    def _needs(self, token: str) -> None:
        if not self._takes(token):
            raise self.wrong(f"{token} is expected")

    def _word(self) -> str:
        self._blank()
        match = _WORD.match(self.text, self.at)
        if match is None:
            raise self.wrong("a name is expected")
        self.at = match.end()
        return match.group()

    def _deeper(self, depth: int) -> int:
        if depth >= HCL_MAX_DEPTH:
            raise InputError("hcl-limit", "the file nests too deep", position=f"line {self.line()}")
        return depth + 1

    # bodies

    def body(self, depth: int) -> Body:
        """Attributes and blocks up to a closing brace or the end."""
        depth = self._deeper(depth)
        found = Body()
        while True:
            self.lines()
            if self.at >= len(self.text) or self.text[self.at] == "}":
                return found
            line = self.line()
            name = self._string() if self.text[self.at] == '"' else self._word()
            self._blank()
            if self.text.startswith("=", self.at) and not self.text.startswith("==", self.at):
                self.at += 1
                found.attributes[name] = self.expression(depth)
                found.lines[name] = line
                self._end_of_line()
            else:
                found.blocks.append(self._block(name, line, depth))

    def _end_of_line(self) -> None:
        self._blank()
        if self.at < len(self.text) and self.text[self.at] not in "\n}":
            raise self.wrong("the end of the line is expected")

    def _block(self, kind: str, line: int, depth: int) -> Block:
        labels = []
        while not self._takes("{"):
            labels.append(self._string() if self._sees('"') else self._word())
        inner, self._inner = self._inner, 0
        start = self.at
        body = self.body(depth)
        self.lines()
        if not self.text.startswith("}", self.at):
            raise self.wrong("a block is not closed")
        if self.spans is not None:
            self.spans[id(body)] = (start, self.at)
        self.at += 1
        self._inner = inner
        return Block(kind, tuple(labels), body, line)

    def _string(self) -> str:
        """A text without expressions, as labels and names are."""
        value = self._quoted(0)
        if not isinstance(value, Literal):
            raise self.wrong("a plain text is expected")
        return str(value.value)

    # expressions

    def expression(self, depth: int) -> Expression:
        """The next expression, conditionals included."""
        depth = self._deeper(depth)
        self._blank()
        start = self.at
        found = self._binary(0, depth)
        line = self.line()
        if self._takes("?"):
            self._inner += 1  # up to the colon a conditional may go on in the next line
            yes = self.expression(depth)
            self._needs(":")
            self._inner -= 1
            self.lines()
            no = self.expression(depth)
            found = Operation("?", (found, yes, no), line)
        if self.spans is not None:
            self.spans[id(found)] = (start, self._end)
        return found

    def _binary(self, level: int, depth: int) -> Expression:
        if level == len(_OPERATORS):
            return self._unary(depth)
        left = self._binary(level + 1, depth)
        links = 0
        while operator := self._operator(_OPERATORS[level]):
            line = self.line()
            self.lines()
            left = Operation(operator, (left, self._binary(level + 1, depth)), line)
            links += 1
            if links > HCL_MAX_CHAIN:
                raise InputError("hcl-limit", "an expression has too many operators", position=f"line {line}")
        return left

    def _operator(self, operators: tuple[str, ...]) -> str:
        self._blank()
        for operator in operators:
            if self.text.startswith(operator, self.at):
                self.at += len(operator)
                return operator
        return ""

    def _unary(self, depth: int) -> Expression:
        depth = self._deeper(depth)
        line = self.line()
        for operator in ("!", "-"):
            if self._takes(operator):
                return Operation(operator, (self._unary(depth),), line)
        return self._traversal(self._primary(depth), depth)

    def _primary(self, depth: int) -> Expression:
        self._blank()
        line = self.line()
        text = self.text
        if self.at >= len(text):
            raise self.wrong("an expression is expected")
        first = text[self.at]
        if first == '"':
            return self._quoted(depth)
        if first == "(":
            self.at += 1
            self._inner += 1
            found = self.expression(depth)
            self._needs(")")
            self._inner -= 1
            return found
        if first == "[":
            return self._tuple(depth, line)
        if first == "{":
            return self._object(depth, line)
        if first == "<" and (match := _HEREDOC.match(text, self.at)):
            return self._heredoc(match, depth, line)
        if match := _NUMBER.match(text, self.at):
            self.at = match.end()
            digits = match.group()
            if len(digits) > _MAX_DIGITS:
                raise self.wrong("a number has too many digits")
            return Literal(int(digits) if digits.isdigit() else float(digits), line)
        name = self._word()
        if name in _WORDS:
            return Literal(_WORDS[name], line)
        while text.startswith("::", self.at):  # provider::name::function
            self.at += 2
            name = f"{name}::{self._word()}"
        if text.startswith("(", self.at):
            return self._call(name, depth, line)
        return Name(name, line)

    def _call(self, name: str, depth: int, line: int) -> Expression:
        self.at += 1
        self._inner += 1
        arguments: list[Expression] = []
        expand = False
        while not self._takes(")"):
            arguments.append(self.expression(depth))
            expand = self._takes("...")
            if not self._takes(","):
                self._needs(")")
                break
        self._inner -= 1
        return Call(name, tuple(arguments), expand, line)

    def _tuple(self, depth: int, line: int) -> Expression:
        self.at += 1
        self._inner += 1
        if self._for_ahead():
            found = self._for("]", depth, line)
        else:
            items: list[Expression] = []
            while not self._takes("]"):
                items.append(self.expression(depth))
                if not self._takes(","):
                    self._needs("]")
                    break
            found = Tuple(tuple(items), line)
        self._inner -= 1
        return found

    def _object(self, depth: int, line: int) -> Expression:
        self.at += 1
        self._inner += 1
        if self._for_ahead():
            found = self._for("}", depth, line)
            self._inner -= 1
            return found
        items: list[tuple[Expression, Expression]] = []
        inner, self._inner = self._inner, 0  # a line's end ends an item
        while True:
            self.lines()
            if self._takes("}"):
                break
            key = self._key(depth)
            if not self._takes("="):
                self._needs(":")
            self.lines()
            items.append((key, self.expression(depth)))
            self._blank()
            if not self._takes(",") and not self._sees("}") and not self._sees("\n"):
                raise self.wrong("a comma or the end of the line is expected")
        self._inner = inner - 1
        return Object(tuple(items), line)

    def _key(self, depth: int) -> Expression:
        """A key: a bare word is a text, everything else an expression."""
        match = _WORD.match(self.text, self.at)
        if match:
            after = _BLANK.match(self.text, match.end()).end()  # type: ignore[union-attr]  # it matches nothing too
            if self.text[after : after + 1] in ("=", ":") and self.text[after : after + 2] != "==":
                line = self.line()
                self.at = match.end()
                return Literal(match.group(), line)
        return self._binary(0, depth)

    def _for_ahead(self) -> bool:
        self.lines()
        match = _WORD.match(self.text, self.at)
        if match is None or match.group() != "for":
            return False
        after = _BLANK_LINES.match(self.text, match.end()).end()  # type: ignore[union-attr]  # it matches nothing too
        return bool(_WORD.match(self.text, after)) and after > match.end()

    def _for(self, close: str, depth: int, line: int) -> Expression:
        self._word()
        names = [self._word()]
        if self._takes(","):
            names.append(self._word())
        if self._word() != "in":
            raise self.wrong("in is expected")
        of = self.expression(depth)
        self._needs(":")
        result = self.expression(depth)
        key = None
        group = False
        if close == "}":
            self._needs("=>")
            key, result = result, self.expression(depth)
            group = self._takes("...")
        condition = None
        self._blank()
        if (match := _WORD.match(self.text, self.at)) and match.group() == "if":
            self.at = match.end()
            condition = self.expression(depth)
        self._needs(close)
        return For(tuple(names), of, key, result, condition, group, line)

    def _traversal(self, found: Expression, depth: int) -> Expression:
        """Attributes, indices and splats after an expression."""
        while True:
            line = self.line()
            if self.text.startswith("...", self.at):
                self._end = self.at
                return found
            at = self.at
            if self._inner:
                self._blank()  # a traversal may go on in the next line within brackets
            if self.text.startswith("[*]", self.at) or self.text.startswith(".*", self.at):
                self.at += 3 if self.text[self.at] == "[" else 2
                found = Splat(found, self._traversal(Name("", line), self._deeper(depth)), line)
            elif self.text.startswith(".", self.at) and not self.text.startswith("...", self.at):
                self.at += 1
                found = self._attribute(found, line)
            elif self.text.startswith("[", self.at) and self.at == at:
                self.at += 1
                self._inner += 1
                key = self.expression(depth)
                self._needs("]")
                self._inner -= 1
                found = Index(found, key, line)
            else:
                self.at = self._end = at
                return found

    def _attribute(self, found: Expression, line: int) -> Expression:
        if match := re.compile(r"[0-9]+").match(self.text, self.at):
            self.at = match.end()
            return Index(found, Literal(int(match.group()[:_MAX_DIGITS]), line), line)
        return Attribute(found, self._word(), line)

    # templates

    def _quoted(self, depth: int) -> Expression:
        """A text in quotes, with what is in it."""
        line = self.line()
        self.at += 1
        found = self.template('"', depth, line)
        self.at += 1
        return found

    def template(self, close: str, depth: int, line: int) -> Expression:
        """The parts up to ``close``, which is left; without ``close`` to the end of the text."""
        parts, _ = self._parts(close, self._deeper(depth), ())
        if not parts:
            return Literal("", line)
        if len(parts) == 1 and isinstance(parts[0], Literal):
            return Literal(parts[0].value, line)
        return Template(tuple(parts), line)

    def _parts(self, close: str, depth: int, stops: tuple[str, ...]) -> tuple[list[Expression], str]:
        """Texts and expressions, up to ``close`` or a directive of ``stops``, whose name is returned."""
        parts: list[Expression] = []
        words: list[str] = []
        line = self.line()

        def flush() -> None:
            if words:
                parts.append(Literal("".join(words), line))
                words.clear()

        plain = _TEXT if close else _RAW
        while True:
            if self.at >= len(self.text):
                if close or stops:
                    raise self.wrong("a text is not closed")
                break
            char = self.text[self.at]
            if close and char == close:
                break
            if char in "$%" and self.text.startswith("{", self.at + 1):
                flush()
                line = self.line()
                if char == "$":
                    parts.append(self._interpolation(depth))
                    continue
                word = self._directive()
                if word in stops:
                    return parts, word
                parts.append(self._conditional(word, close, depth))
            else:
                words.append(self._plain(char, plain, close))
        flush()
        return parts, ""

    def _plain(self, char: str, plain: re.Pattern[str], close: str) -> str:
        """What stands for itself in a text: a doubled sign, an escape, a run of letters."""
        if char in "$%" and self.text.startswith(char + "{", self.at + 1):
            self.at += 3
            return char + "{"
        if close and char == "\\":
            return self._escape()
        if close and char == "\n":
            raise self.wrong("a text is not closed on its line")
        match = plain.match(self.text, self.at)
        self.at = match.end() if match else self.at + 1
        return match.group() if match else char

    def _interpolation(self, depth: int) -> Expression:
        self.at += 2
        if self.text.startswith("~", self.at):
            self.at += 1
        self._inner += 1
        found = self.expression(depth)
        self._takes("~")
        self._needs("}")
        self._inner -= 1
        return found

    def _directive(self) -> str:
        """The word of a directive; what follows is left."""
        self.at += 2
        if self.text.startswith("~", self.at):
            self.at += 1
        self._inner += 1
        word = self._word()
        if word in ("else", "endif", "endfor"):
            self._takes("~")
            self._needs("}")
            self._inner -= 1
        return word

    def _conditional(self, word: str, close: str, depth: int) -> Expression:
        """``%{ if }`` and ``%{ for }`` with what is between, as an operation or a joined ``For``."""
        depth = self._deeper(depth)
        line = self.line()
        if word == "if":
            condition = self.expression(depth)
            self._takes("~")
            self._needs("}")
            self._inner -= 1
            yes, stop = self._parts(close, depth, ("else", "endif"))
            no: list[Expression] = []
            if stop == "else":
                no, _ = self._parts(close, depth, ("endif",))
            return Operation("?", (condition, Template(tuple(yes), line), Template(tuple(no), line)), line)
        if word == "for":
            names = [self._word()]
            if self._takes(","):
                names.append(self._word())
            if self._word() != "in":
                raise self.wrong("in is expected")
            of = self.expression(depth)
            self._takes("~")
            self._needs("}")
            self._inner -= 1
            parts, _ = self._parts(close, depth, ("endfor",))
            each = For(tuple(names), of, None, Template(tuple(parts), line), None, False, line)
            return Call("join", (Literal("", line), each), False, line)
        raise self.wrong(f"a directive {word} is not known")

    def _escape(self) -> str:
        char = self.text[self.at + 1 : self.at + 2]
        if char in _ESCAPES:
            self.at += 2
            return _ESCAPES[char]
        if char in ("u", "U"):
            digits = self.text[self.at + 2 : self.at + 2 + (4 if char == "u" else 8)]
            try:
                value = chr(int(digits, 16))
            except (ValueError, OverflowError):
                raise self.wrong("an escape of a character is malformed") from None
            self.at += 2 + len(digits)
            return value
        raise self.wrong("an escape that is not known")

    def _heredoc(self, match: re.Match[str], depth: int, line: int) -> Expression:
        end = re.compile(rf"^[ \t]*{re.escape(match[2])}[ \t\r]*$", re.MULTILINE).search(self.text, match.end())
        if end is None:
            raise self.wrong("a heredoc is not closed")
        text = self.text[match.end() : end.start()]
        indent = _indent(text) if match[1] else 0
        if indent:
            text = re.sub(rf"^[ \t]{{1,{indent}}}", "", text, flags=re.MULTILINE)
        inner = _Parser(text)
        inner._ends = []
        first = self.line() + 1
        inner.line = lambda: first + text.count("\n", 0, inner.at)  # type: ignore[method-assign]
        found = inner.template("", depth, line)
        self.at = end.end()
        return found


def _indent(text: str) -> int:
    """The blanks that all lines with something on them begin with."""
    widths = [len(line) - len(line.lstrip(" \t")) for line in text.split("\n") if line.strip()]
    return min(widths, default=0)
