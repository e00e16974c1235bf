"""Expressions of a template, with the precedence that Jinja 3 gives them (jinja2/parser.py).

This is one file because each level of precedence is a few lines that call the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import JINJA_MAX_CHAIN, JINJA_MAX_DEPTH
from assaymark.formats.jinja.nodes import (
    Arguments,
    Call,
    Const,
    Expr,
    Filter,
    Getattr,
    Getitem,
    Items,
    Name,
    Operation,
    Slice,
    Test,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.formats.jinja.lexer import Token

_LITERALS: Final = {
    "true": True,
    "false": False,
    "True": True,
    "False": False,
    "none": None,
    "None": None,
}
_COMPARISONS: Final = frozenset(("==", "!=", "<", "<=", ">", ">="))
_NO_ARGUMENT: Final = frozenset(("else", "or", "and"))


class Expressions:
    """A reader of tokens; ``Parser`` adds the statements."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    # -- tokens

    @property
    def now(self) -> Token:
        """The token to be read."""
        return self._tokens[self._at]

    def next(self) -> Token:
        """Read one token; the last one stays."""
        token = self._tokens[self._at]
        if token.kind != "eof":
            self._at += 1
        return token

    def fail(self, message: str = "") -> InputError:
        """The error that stands for the current token."""
        token = self.now
        said = message or (f"an unexpected {str(token.value)[:40]!r}" if token.value != "" else "an unexpected end")
        return InputError("jinja-syntax", said, position=f"line {token.line}")

    def sees(self, kind: str, *values: str) -> bool:
        """Whether the current token is one of these."""
        return self.now.kind == kind and (not values or self.now.value in values)

    def skip(self, kind: str, value: str) -> bool:
        """Read the token when it is this one; whether it was."""
        if self.sees(kind, value):
            self.next()
            return True
        return False

    def expect(self, kind: str, *values: str) -> Token:
        """Read the token, which must be one of these."""
        if not self.sees(kind, *values):
            raise self.fail()
        return self.next()

    def word(self) -> str:
        """Read a name."""
        return str(self.expect("name").value)

    def deeper(self) -> None:
        """Go one level down; ``shallower`` comes back."""
        self._depth += 1
        if self._depth > JINJA_MAX_DEPTH:
            raise InputError("jinja-limit", "nested too deeply", position=f"line {self.now.line}")

    def shallower(self) -> None:
        """Come back from one level."""
        self._depth -= 1

    def chained(self, length: int) -> None:
        """Refuse a chain that a recursive walk would not survive."""
        if length > JINJA_MAX_CHAIN:
            raise InputError("jinja-limit", "too long a chain of operators", position=f"line {self.now.line}")

    # -- from the weakest operator to the strongest

    def expression(self, *, conditional: bool = True) -> Expr:
        """One expression; ``conditional`` takes ``a if b else c``."""
        self.deeper()
        result = self._conditional() if conditional else self._left("name", ("or",), self._and)
        self.shallower()
        return result

    def _conditional(self) -> Expr:
        line = self.now.line
        result = self._left("name", ("or",), self._and)
        length = 0
        while self.skip("name", "if"):
            length += 1
            self.chained(length)
            test = self._left("name", ("or",), self._and)
            if self.skip("name", "else"):
                self.deeper()
                otherwise = self._conditional()
                self.shallower()
                result = Operation(line, "if", (test, result, otherwise))
            else:
                result = Operation(line, "if", (test, result))
        return result

    def _left(self, kind: str, operators: tuple[str, ...], operand: Callable[[], Expr]) -> Expr:
        line = self.now.line
        result = operand()
        length = 0
        while self.sees(kind, *operators):
            length += 1
            self.chained(length)
            operator = str(self.next().value)
            result = Operation(line, operator, (result, operand()))
        return result

    def _and(self) -> Expr:
        return self._left("name", ("and",), self._not)

    def _not(self) -> Expr:
        if self.sees("name", "not"):
            line = self.next().line
            self.deeper()
            result = self._not()
            self.shallower()
            return Operation(line, "not", (result,))
        return self._compare()

    def _compare(self) -> Expr:
        line = self.now.line
        operands = [self._sum()]
        while True:
            if self.sees("operator", *_COMPARISONS) or self.sees("name", "in"):
                self.next()
            elif self.sees("name", "not") and self._follows("in"):
                self.next()
                self.next()
            else:
                break
            operands.append(self._sum())
        return operands[0] if len(operands) == 1 else Operation(line, "compare", tuple(operands))

    def _follows(self, value: str) -> bool:
        token = self._tokens[min(self._at + 1, len(self._tokens) - 1)]
        return token.kind == "name" and token.value == value

    def _sum(self) -> Expr:
        return self._left("operator", ("+", "-"), self._concat)

    def _concat(self) -> Expr:
        line = self.now.line
        operands = [self._product()]
        while self.skip("operator", "~"):
            operands.append(self._product())
        return operands[0] if len(operands) == 1 else Operation(line, "~", tuple(operands))

    def _product(self) -> Expr:
        return self._left("operator", ("*", "/", "//", "%"), self._power)

    def _power(self) -> Expr:
        return self._left("operator", ("**",), self._unary)

    def _unary(self, *, filters: bool = True) -> Expr:
        line = self.now.line
        if self.sees("operator", "-", "+"):
            operator = "neg" if self.next().value == "-" else "pos"
            self.deeper()
            node: Expr = Operation(line, operator, (self._unary(filters=False),))
            self.shallower()
        else:
            node = self._primary()
        node = self.postfix(node)
        return self._filtered(node) if filters else node

    def _primary(self) -> Expr:
        token = self.now
        if token.kind == "name":
            self.next()
            name = str(token.value)
            return Const(token.line, _LITERALS[name]) if name in _LITERALS else Name(token.line, name)
        if token.kind == "string":
            parts: list[str] = []
            while self.sees("string"):
                parts.append(str(self.next().value))
            return Const(token.line, "".join(parts))
        if token.kind == "number":
            self.next()
            return Const(token.line, token.value)
        if self.skip("operator", "("):
            inner = self.tuple(parenthesised=True)
            self.expect("operator", ")")
            return inner
        if self.skip("operator", "["):
            return Items(token.line, "list", self._listed("]"))
        if self.skip("operator", "{"):
            return self._dict(token.line)
        raise self.fail()

    def _listed(self, closing: str) -> tuple[Expr, ...]:
        items: list[Expr] = []
        while not self.sees("operator", closing):
            if items:
                self.expect("operator", ",")
                if self.sees("operator", closing):
                    break
            items.append(self.expression())
        self.expect("operator", closing)
        return tuple(items)

    def _dict(self, line: int) -> Expr:
        items: list[Expr] = []
        while not self.sees("operator", "}"):
            if items:
                self.expect("operator", ",")
                if self.sees("operator", "}"):
                    break
            items.append(self.expression())
            self.expect("operator", ":")
            items.append(self.expression())
        self.expect("operator", "}")
        return Items(line, "dict", tuple(items))

    def tuple(self, *, conditional: bool = True, parenthesised: bool = False, stop: tuple[str, ...] = ()) -> Expr:
        """Expressions with commas between them, or a single one; ``stop`` are names that end it."""
        line = self.now.line
        items: list[Expr] = []
        many = False
        while True:
            if items:
                self.expect("operator", ",")
            if self.now.kind == "end" or self.sees("operator", ")") or (stop and self.sees("name", *stop)):
                break
            items.append(self.expression(conditional=conditional))
            if not self.sees("operator", ","):
                break
            many = True
        if not many:
            if items:
                return items[0]
            if not parenthesised:
                raise self.fail("an expression is missing")
        return Items(line, "tuple", tuple(items))

    # -- what follows a value

    def postfix(self, node: Expr) -> Expr:
        """Attributes, subscripts and calls."""
        length = 0
        while self.sees("operator", ".", "[", "("):
            length += 1
            self.chained(length)
            if self.sees("operator", "("):
                node = Call(self.now.line, node, self.arguments())
            elif self.skip("operator", "."):
                node = self._attribute(node)
            else:
                node = self._subscript(node)
        return node

    def _attribute(self, node: Expr) -> Expr:
        token = self.next()
        if token.kind == "name":
            return Getattr(token.line, node, str(token.value))
        if token.kind == "number" and isinstance(token.value, int):
            return Getitem(token.line, node, Const(token.line, token.value))
        self._at -= token.kind != "eof"
        raise self.fail("a name or a number is missing behind the dot")

    def _subscript(self, node: Expr) -> Expr:
        line = self.expect("operator", "[").line
        keys: list[Expr] = []
        while not self.sees("operator", "]"):
            if keys:
                self.expect("operator", ",")
            keys.append(self._key())
        self.expect("operator", "]")
        return Getitem(line, node, keys[0] if len(keys) == 1 else Items(line, "tuple", tuple(keys)))

    def _key(self) -> Expr:
        line = self.now.line
        parts: list[Expr] = []
        colons = 0
        while colons < 3:  # noqa: PLR2004 - start, stop, step
            if self.skip("operator", ":"):
                colons += 1
            elif self.sees("operator", "]", ",") or (parts and not colons) or len(parts) > colons:
                break
            else:
                parts.append(self.expression())
                if not self.sees("operator", ":"):
                    break
        if colons > 2 or (not colons and not parts):  # noqa: PLR2004
            raise self.fail()
        return Slice(line, tuple(parts), colons > 1) if colons else parts[0]

    def arguments(self) -> Arguments:
        """The arguments of a call, with its parentheses."""
        self.expect("operator", "(")
        positional: list[Expr] = []
        named: list[tuple[str, Expr]] = []
        spread: list[Expr] = []
        first = True
        while not self.sees("operator", ")"):
            if not first:
                self.expect("operator", ",")
                if self.sees("operator", ")"):
                    break
            first = False
            if self.skip("operator", "*") or self.skip("operator", "**"):
                spread.append(self.expression())
            elif self.now.kind == "name" and self._assigns():
                name = self.word()
                self.next()
                named.append((name, self.expression()))
            elif named:
                raise self.fail("an argument without a name behind one with a name")
            else:
                positional.append(self.expression())
        self.expect("operator", ")")
        return Arguments(tuple(positional), tuple(named), tuple(spread))

    def _assigns(self) -> bool:
        token = self._tokens[self._at + 1]
        return token.kind == "operator" and token.value == "="

    def _filtered(self, node: Expr) -> Expr:
        length = 0
        while True:
            length += 1
            self.chained(length)
            if self.sees("operator", "|"):
                self.next()
                node = self.filter(node)
            elif self.sees("name", "is"):
                node = self._test(node)
            elif self.sees("operator", "("):
                node = Call(self.now.line, node, self.arguments())
            else:
                return node

    def _dotted(self) -> str:
        name = self.word()
        while self.skip("operator", "."):
            name += "." + self.word()
        return name

    def filter(self, node: Expr | None) -> Filter:
        """One filter behind its ``|``."""
        line = self.now.line
        name = self._dotted()
        return Filter(line, node, name, self.arguments() if self.sees("operator", "(") else Arguments())

    def filters(self, node: Filter) -> Filter:
        """More filters behind one at the head of a block."""
        length = 0
        while self.skip("operator", "|"):
            length += 1
            self.chained(length)
            node = self.filter(node)
        return node

    def _test(self, node: Expr) -> Expr:
        line = self.next().line
        negated = self.skip("name", "not")
        name = self._dotted()
        arguments = Arguments()
        if self.sees("operator", "("):
            arguments = self.arguments()
        elif self._starts_argument():
            if self.sees("name", "is"):
                raise self.fail("tests with 'is' in a chain")
            arguments = Arguments((self.postfix(self._primary()),))
        result: Expr = Test(line, node, name, arguments)
        return Operation(line, "not", (result,)) if negated else result

    def _starts_argument(self) -> bool:
        kind, value = self.now.kind, self.now.value
        if kind == "name":
            return value not in _NO_ARGUMENT
        return kind in ("string", "number") or (kind == "operator" and value in ("[", "{"))
