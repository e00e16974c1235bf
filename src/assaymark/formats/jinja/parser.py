"""``parse_template``: the statements of a template, as Jinja 3 takes them with the extensions of transformers.

Those are ``break`` and ``continue``, ``{% generation %}``, and ``{% do %}``, which other programs switch on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.formats.jinja.expressions import Expressions
from assaymark.formats.jinja.lexer import tokens
from assaymark.formats.jinja.nodes import (
    Assign,
    AssignBlock,
    Block,
    Body,
    Call,
    Expr,
    For,
    Getattr,
    If,
    Items,
    Jump,
    Load,
    Macro,
    Name,
    Output,
    Statement,
    Target,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_CONSTANTS: Final = frozenset(("true", "false", "none", "True", "False", "None"))


def parse_template(text: str) -> Body:
    """The statements of the template; text between tags is left out.

    Raises:
        InputError: ``jinja-syntax`` with the line, ``jinja-limit`` above our limits.
    """
    return _Parser(tokens(text)).template()


class _Parser(Expressions):
    def template(self) -> Body:
        body = self._body(())
        if self.now.kind != "eof":
            raise self.fail()
        return body

    def _body(self, until: tuple[str, ...]) -> Body:
        """Statements up to a tag of ``until``, whose name is the next token then; or up to the end."""
        self.deeper()
        statements: list[Statement] = []
        while self.now.kind != "eof":
            if self.now.kind == "text":
                self.next()
                continue
            opening = self.expect("begin")
            if opening.value == "{{":
                statements.append(Output(opening.line, self.tuple()))
                self.expect("end", "}}")
                continue
            if until and self.sees("name", *until):
                break
            statements.extend(self._statement())
            self.expect("end", "%}")
        else:
            if until:
                raise self.fail(f"the end without {until[-1]!r}")
        self.shallower()
        return tuple(statements)

    def _block(self, *until: str) -> Body:
        """The end of this tag, a body, and the name of the tag that ends it."""
        self.expect("end", "%}")
        body = self._body(until)
        if len(until) == 1:
            self.next()
        return body

    def _statement(self) -> list[Statement]:
        line = self.now.line
        name = self.word()
        reader = _STATEMENTS.get(name)
        if reader is None:
            raise self.fail(f"an unknown tag {name[:40]!r}")
        return reader(self, line)

    def output(self, line: int) -> list[Statement]:
        """``print`` and ``do``; the former may list several."""
        return [Output(line, self.tuple())]

    def for_(self, line: int) -> list[Statement]:
        """A loop."""
        target = self._target(stop=("in",))
        self.expect("name", "in")
        items = self.tuple(conditional=False, stop=("recursive",))
        condition = self.expression() if self.skip("name", "if") else None
        self.skip("name", "recursive")
        body = self._block("else", "endfor")
        otherwise: Body = ()
        if self.next().value == "else":
            otherwise = self._block("endfor")
        return [For(line, target, items, condition, body, otherwise)]

    def if_(self, line: int) -> list[Statement]:
        """Branches."""
        branches: list[tuple[Expr, Body]] = []
        while True:
            test = self.tuple(conditional=False)
            branches.append((test, self._block("elif", "else", "endif")))
            tag = self.next().value
            if tag == "elif":
                continue
            otherwise = self._block("endif") if tag == "else" else ()
            return [If(line, tuple(branches), otherwise)]

    def set_(self, line: int) -> list[Statement]:
        """An assignment of a value or of a printed block."""
        target = self._target(namespaces=True)
        if self.skip("operator", "="):
            return [Assign(line, target, self.tuple())]
        head = self.filters(self.filter(None)) if self.skip("operator", "|") else None
        return [AssignBlock(line, target, head, self._block("endset"))]

    def with_(self, line: int) -> list[Statement]:
        """Assignments for a block."""
        pairs: list[Statement] = []
        while self.now.kind != "end":
            if pairs:
                self.expect("operator", ",")
            at = self.now.line
            target = self._target()
            self.expect("operator", "=")
            pairs.append(Assign(at, target, self.expression()))
        return [*pairs, Block(line, "with", (), self._block("endwith"))]

    def macro(self, line: int) -> list[Statement]:
        """A macro."""
        name = self._name().name
        parameters, defaults = self._signature()
        return [Macro(line, name, parameters, defaults, self._block("endmacro"))]

    def call(self, line: int) -> list[Statement]:
        """A call of a macro, whose ``caller`` is the body."""
        parameters, defaults = self._signature() if self.sees("operator", "(") else ((), ())
        called = self.expression()
        if not isinstance(called, Call):
            raise self.fail("'call' takes a call")
        return [Macro(line, "caller", parameters, defaults, self._block("endcall"), called)]

    def filter_block(self, line: int) -> list[Statement]:
        """A block whose text goes through filters."""
        return [Block(line, "filter", (self.filters(self.filter(None)),), self._block("endfilter"))]

    def named_block(self, line: int) -> list[Statement]:
        """A block that a template which extends this one may replace."""
        name = self.word()
        while self.sees("name", "scoped", "required"):
            self.next()
        body = self._block("endblock")
        self.skip("name", name)
        return [Block(line, "block", (), body)]

    def generation(self, line: int) -> list[Statement]:
        """What the assistant says, for the mask of training."""
        return [Block(line, "generation", (), self._block("endgeneration"))]

    def autoescape(self, line: int) -> list[Statement]:
        """A block with escaping on or off."""
        return [Block(line, "autoescape", (self.expression(),), self._block("endautoescape"))]

    def load(self, line: int) -> list[Statement]:
        """Another template; what is imported from it does not matter."""
        kind = str(self._tokens[self._at - 1].value)
        template = self.expression()
        while self.now.kind in ("name", "operator"):
            self.next()
        return [Load(line, kind, template)]

    def jump(self, line: int) -> list[Statement]:
        """``break`` and ``continue``."""
        return [Jump(line, str(self._tokens[self._at - 1].value))]

    def _signature(self) -> tuple[tuple[str, ...], tuple[Expr, ...]]:
        self.expect("operator", "(")
        parameters: list[str] = []
        defaults: list[Expr] = []
        while not self.sees("operator", ")"):
            if parameters:
                self.expect("operator", ",")
            parameters.append(self._name().name)
            if self.skip("operator", "="):
                defaults.append(self.expression())
            elif defaults:
                raise self.fail("a parameter without a default behind one with a default")
        self.expect("operator", ")")
        return tuple(parameters), tuple(defaults)

    def _name(self) -> Name:
        line = self.now.line
        name = self.word()
        if name in _CONSTANTS:
            raise self.fail(f"{name!r} cannot be assigned")
        return Name(line, name)

    def _target(self, *, stop: tuple[str, ...] = (), namespaces: bool = False) -> Target:
        """What is assigned to: a name, an attribute of a namespace, or several names."""
        target = self._assignable(self._targets(stop), namespaces)
        if isinstance(target, Items) and not target.items:
            raise self.fail("nothing is assigned to")
        return target

    def _targets(self, stop: tuple[str, ...] = ()) -> Expr:
        line = self.now.line
        items: list[Expr] = []
        while True:
            items.append(self._one_target())
            if not self.sees("operator", ","):
                break
            self.next()
            if self.sees("operator", "=", ")") or self.now.kind == "end" or (stop and self.sees("name", *stop)):
                return Items(line, "tuple", tuple(items))
        return items[0] if len(items) == 1 else Items(line, "tuple", tuple(items))

    def _one_target(self) -> Expr:
        if self.skip("operator", "("):
            inner = self._targets()
            self.expect("operator", ")")
            return inner
        name = self._name()
        if self.skip("operator", "."):
            return Getattr(name.line, name, self.word())
        return name

    def _assignable(self, target: Expr, namespaces: bool) -> Target:
        if isinstance(target, Name):
            return target
        if isinstance(target, Getattr) and namespaces and isinstance(target.node, Name):
            return target
        if isinstance(target, Items) and target.kind == "tuple":
            return Items(target.line, "tuple", tuple(self._assignable(item, namespaces) for item in target.items))
        raise self.fail("this cannot be assigned to")


_STATEMENTS: Final[dict[str, Callable[[_Parser, int], list[Statement]]]] = {
    "for": _Parser.for_,
    "if": _Parser.if_,
    "set": _Parser.set_,
    "with": _Parser.with_,
    "macro": _Parser.macro,
    "call": _Parser.call,
    "filter": _Parser.filter_block,
    "block": _Parser.named_block,
    "generation": _Parser.generation,
    "autoescape": _Parser.autoescape,
    "print": _Parser.output,
    "do": _Parser.output,
    "include": _Parser.load,
    "import": _Parser.load,
    "from": _Parser.load,
    "extends": _Parser.load,
    "break": _Parser.jump,
    "continue": _Parser.jump,
}
