"""``parse_cel`` and ``evaluate``: the subset of the Common Expression Language that conditions of IAM are written in.

Values are three-valued: what a request carries and the input does not show is ``Open`` and says what would decide
it. Source: CEL specification, "Syntax"; Google Cloud IAM, "Attribute reference for IAM Conditions".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from assaymark.assess.values import is_higher
from assaymark.core.errors import InputError
from assaymark.core.limits import CEL_MAX_CHARACTERS, CEL_MAX_DEPTH, CEL_MAX_HEIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<number>\d+(?:\.\d+)?)u?
    |(?P<text>[rRbB]?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<op>&&|\|\||==|!=|<=|>=|[<>!?:()\[\]{},.+\-*/%])
    )""",
    re.VERBOSE,
)
_SPACE: Final = re.compile(r"(?:\s|//[^\n]*)*")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}
_WORDS: Final = {"true": True, "false": False, "null": None}

Node: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """A value that the input does not show; ``decides`` says what would settle it."""

    decides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """What the request does not have: asking for it is an error, which makes no condition true."""


GONE: Final = Gone()
_OF_CALLS: Final = ("api", "resource")  # what has functions and is no value itself


def parse_cel(text: str) -> Node:
    """The expression as nested tuples: (operation, operands...).

    Raises:
        InputError: ``cel-syntax``.
    """
    if len(text) > CEL_MAX_CHARACTERS:
        raise InputError("cel-syntax", f"the condition has more than {CEL_MAX_CHARACTERS} characters")
    found = _Parser(text).whole()
    if is_higher(found, CEL_MAX_HEIGHT):
        raise InputError("cel-syntax", "the condition nests too deep")
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = _skip(text, 0)
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise InputError(
                    "cel-syntax",
                    "the condition has a character that CEL does not know",
                    position=f"character {at + 1}",
                )
            kind = str(match.lastgroup)
            self._tokens.append((kind, match[kind]))
            at = _skip(text, match.end())
        self._tokens.append(("end", ""))
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        found = self._conditional()
        if self._tokens[self._at][0] != "end":
            raise self._wrong()
        return found

    def _wrong(self) -> InputError:
        shown = self._tokens[self._at][1] or "its end"
        return InputError("cel-syntax", f"the condition cannot be read at {shown[:40]}")

    def _is(self, *operators: str) -> bool:
        kind, text = self._tokens[self._at]
        return (kind == "op" or text == "in") and text in operators

    def _take(self, *operators: str) -> str:
        if self._is(*operators):
            self._at += 1
            return self._tokens[self._at - 1][1]
        return ""

    def _expect(self, operator: str) -> None:
        if not self._take(operator):
            raise self._wrong()

    def _conditional(self) -> Node:
        self._depth += 1
        if self._depth > CEL_MAX_DEPTH:
            raise InputError("cel-syntax", "the condition nests too deep")
        found = self._binary(0)
        if self._take("?"):
            yes = self._conditional()
            self._expect(":")
            found = ("?", found, yes, self._conditional())
        self._depth -= 1
        return found

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        found = self._binary(level + 1)
        while operator := self._take(*_LEVELS[level]):
            found = (operator, found, self._binary(level + 1))
        return found

    def _unary(self) -> Node:
        signs = []
        while sign := self._take("!", "-"):
            signs.append(sign)
        found = self._member()
        if len(signs) > CEL_MAX_DEPTH:
            raise InputError("cel-syntax", "the condition nests too deep")
        for sign in reversed(signs):
            found = (f"unary{sign}", found)
        return found

    def _member(self) -> Node:
        found = self._primary()
        for _ in range(CEL_MAX_DEPTH):
            if self._take("."):
                kind, name = self._tokens[self._at]
                if kind != "name":
                    raise self._wrong()
                self._at += 1
                found = ("call", name, found, self._list(")")) if self._take("(") else ("get", found, name)
            elif self._take("["):
                key = self._conditional()
                self._expect("]")
                found = ("index", found, key)
            else:
                return found
        raise InputError("cel-syntax", "the condition nests too deep")

    def _list(self, closing: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._take(closing):
            if found:
                self._expect(",")
                if self._take(closing):
                    break
            found.append(self._conditional())
        return tuple(found)

    def _primary(self) -> Node:
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return ("value", float(text) if "." in text else int(text) if len(text) < 20 else 0)  # noqa: PLR2004 - 64 bits
        if kind == "text":
            return ("value", _unquoted(text))
        if kind == "name":
            if text in _WORDS:
                return ("value", _WORDS[text])
            return ("call", text, None, self._list(")")) if self._take("(") else ("name", text)
        if text == "(":
            found = self._conditional()
            self._expect(")")
            return found
        if text == "[":
            return ("list", self._list("]"))
        self._at -= 1
        raise self._wrong()


_LEVELS: Final = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _unquoted(text: str) -> str:
    raw = text[0] in "rR"
    inner = text.lstrip("rRbB")[1:-1]
    return inner if raw else _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), inner)


def show(node: Node) -> str:
    """An expression as text, for saying what would decide it."""
    match node:
        case ("value", value):
            return f"'{value}'" if isinstance(value, str) else str(value).lower()
        case ("name", name):
            return str(name)
        case ("get", of, name):
            return f"{show(of)}.{name}"
        case ("index", of, key):
            return f"{show(of)}[{show(key)}]"
        case ("list", items):
            return f"[{', '.join(map(show, items))}]"
        case ("call", name, of, arguments):
            prefix = f"{show(of)}." if of is not None else ""
            return f"{prefix}{name}({', '.join(map(show, arguments))})"
        case ("?", test, yes, no):
            return f"{show(test)} ? {show(yes)} : {show(no)}"
        case (operator, inner):
            return f"{str(operator).removeprefix('unary')}{show(inner)}"
        case (operator, left, right):
            return f"{show(left)} {operator} {show(right)}"
    return "..."


def evaluate(node: Node, look: Callable[[str], Any], call: Callable[[str, Any, list[Any]], Any]) -> Any:
    """The value of an expression, or ``Open``.

    Args:
        node: what ``parse_cel`` gave.
        look: the value of a dotted name such as ``resource.name``; ``Open`` or None for what it does not know.
        call: a function or method: its name, what it is called on (None for none) and arguments, none of them open.
    """
    return _Evaluation(look, call).value(node)


class _Evaluation:
    def __init__(self, look: Callable[[str], Any], call: Callable[[str, Any, list[Any]], Any]) -> None:
        self._look = look
        self._call = call

    def value(self, node: Node) -> Any:
        match node[0]:
            case "value":
                return node[1]
            case "name" | "get" | "index":
                return self._named(node)
            case "list":
                items = [self.value(item) for item in node[1]]
                return _opened(*items) or (GONE if GONE in items else items)
            case "call":
                return self._called(node)
            case "&&" | "||":
                return self._logical(node)
            case "?":
                test = self.value(node[1])
                return test if isinstance(test, (Open, Gone)) else self.value(node[2] if test is True else node[3])
            case "unary!" | "unary-":
                inner = self.value(node[1])
                if isinstance(inner, bool) and node[0] == "unary!":
                    return not inner
                if isinstance(inner, (int, float)) and not isinstance(inner, bool) and node[0] == "unary-":
                    return -inner
                return inner if isinstance(inner, (Open, Gone)) else self._undecided(node)
        return self._binary(node)

    def _undecided(self, node: Node) -> Open:
        return Open((show(node),))

    def _named(self, node: Node) -> Any:
        name = dotted(node)
        found = self._look(name) if name else None
        return self._undecided(node) if found is None else found

    def _called(self, node: Node) -> Any:
        _, name, of, arguments = node
        on = None if of is None or (of[0] == "name" and of[1] in _OF_CALLS) else self.value(of)
        values = [self.value(argument) for argument in arguments]
        if isinstance(on, Open) or _opened(*values):
            return self._undecided(node)
        if on is GONE or GONE in values:
            return GONE
        found = self._call(name, on, values)
        return self._undecided(node) if found is None or isinstance(found, Open) else found

    def _logical(self, node: Node) -> Any:
        settles = node[0] == "||"
        values = [self.value(operand) for operand in node[1:]]
        if any(value is settles for value in values):
            return settles
        opened = [
            value if isinstance(value, Open) else self._undecided(operand)
            for value, operand in zip(values, node[1:], strict=True)
            if not isinstance(value, (bool, Gone))
        ]
        return _opened(*opened) or (GONE if GONE in values else not settles)

    def _binary(self, node: Node) -> Any:
        operator, left, right = node[0], self.value(node[1]), self.value(node[2])
        if isinstance(left, Open) or isinstance(right, Open):
            return self._undecided(node)
        if GONE in (left, right):
            return GONE
        found = self._call(operator, left, [right])
        return self._undecided(node) if found is None or isinstance(found, Open) else found


def dotted(node: Node) -> str:
    """A name with dots, ``resource.name``; empty for another expression."""
    match node:
        case ("name", name):
            return str(name)
        case ("get", of, name):
            inner = dotted(of)
            return f"{inner}.{name}" if inner else ""
        case ("index", of, ("value", str() as key)):
            inner = dotted(of)
            return f"{inner}.{key}" if inner else ""
    return ""


def _opened(*values: Any) -> Open | None:
    texts = [text for value in values if isinstance(value, Open) for text in value.decides]
    return Open(tuple(dict.fromkeys(texts))) if texts else None
