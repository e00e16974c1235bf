"""``Templates``: Go's text templates, run with a bounded number of steps; each line that comes of one knows its line.

Source: the documentation of Go's package text/template. What is missing prints nothing, as with Helm. What functions
there are is the caller's to say; one with the attribute ``includes`` is given the templates, the depth and the steps.
"""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeAlias

from assaymark.core.errors import InputError
from assaymark.core.limits import TEMPLATE_MAX_DEPTH, TEMPLATE_MAX_OUTPUT, TEMPLATE_MAX_STEPS
from assaymark.formats.helm.syntax import Command, Node, Operand, Pipe, parse_go_template, wrong

if TYPE_CHECKING:
    from collections.abc import Callable

    Function: TypeAlias = Callable[..., Any]


class _Leave(Exception):  # noqa: N818 - it is no error
    """A break or continue of the loop around."""


class Templates:
    """Templates by name. ``define`` adds what a file defines; all files of a chart see all."""

    def __init__(self, functions: dict[str, Function]) -> None:
        self.functions = functions
        self.named: dict[str, list[Node]] = {}

    def parse(self, name: str, text: str) -> None:
        """Adds a file: itself under ``name``, and what it defines.

        Raises:
            InputError: ``template-go`` with the line.
        """
        try:
            self.named.update(parse_go_template(name, text))
        except RecursionError:
            raise wrong("it nests too deep", 1) from None

    def run(self, name: str, dot: Any) -> tuple[str, list[int]]:
        """What a template prints, and for each line of that the line of the template that it came from.

        Raises:
            InputError: ``template-go`` with the line, for what fails or is too much.
        """
        run = _Run(self)
        try:
            run.nodes(self.named[name], dot, Scope(root=dot), 0)
        except RecursionError:
            raise wrong("it nests too deep", 1) from None
        except _Leave as leave:
            raise wrong(f"{leave} outside of a loop", 1) from None
        return run.text(), run.lines()

    def print(self, name: str, dot: Any, depth: int, steps: list[int]) -> str:
        """The same within a run, for functions that include; ``steps`` counts on."""
        run = _Run(self, steps)
        if name not in self.named:
            raise wrong(f"no template {name}", 1)
        try:
            run.nodes(self.named[name], dot, Scope(root=dot), depth + 1)
        except _Leave as leave:
            raise wrong(f"{leave} outside of a loop", 1) from None
        return run.text()


class _Run:
    """One run: what it prints, in pieces that know their line."""

    def __init__(self, templates: Templates, steps: list[int] | None = None) -> None:
        self._templates = templates
        self._steps = steps if steps is not None else [0]
        self._pieces: list[tuple[str, int, bool]] = []
        self._size = 0

    def text(self) -> str:
        return "".join(piece for piece, _, _ in self._pieces)

    def lines(self) -> list[int]:
        """For each line of the text the line of the first piece that prints something on it."""
        found: list[int] = []
        current, shown = 0, False
        for piece, line, written in self._pieces:
            for number, part in enumerate(piece.split("\n")):
                if number:
                    found.append(current or line)
                    current, shown = 0, False
                here = line + number if written else line
                if not current or (not shown and part.strip()):
                    current, shown = here, bool(part.strip())
        return [*found, current or 1]

    def _out(self, text: str, line: int, *, written: bool) -> None:
        self._size += len(text)
        if self._size > TEMPLATE_MAX_OUTPUT:
            raise wrong(f"more than {TEMPLATE_MAX_OUTPUT} characters come of it", line)
        if text:
            self._pieces.append((text, line, written))

    def nodes(self, nodes: list[Node], dot: Any, scope: Scope, depth: int) -> None:
        """Runs them with ``dot``; variables that they declare end with them."""
        names = Scope(scope)
        for node in nodes:
            self._step(node.line, depth)
            if node.kind == "text":
                self._out(node.text, node.line, written=True)
            elif node.kind == "print" and node.pipe is not None:
                value = self._pipe(node.pipe, dot, names, depth, node.line)
                if not node.pipe.names:
                    self._out(shown(value), node.line, written=False)
            elif node.kind in ("if", "with") and node.pipe is not None:
                inner = Scope(names)
                value = self._pipe(node.pipe, dot, inner, depth, node.line)
                inside = value if node.kind == "with" and truth(value) else dot
                self.nodes(node.body if truth(value) else node.other, inside, inner, depth + 1)
            elif node.kind == "range" and node.pipe is not None:
                self._range(node, node.pipe, dot, names, depth)
            elif node.kind == "template":
                value = self._pipe(node.pipe, dot, names, depth, node.line) if node.pipe is not None else None
                text = self._templates.print(node.text, value, depth, self._steps)
                self._out(text, node.line, written=False)
            else:
                raise _Leave(node.kind)

    def _step(self, line: int, depth: int) -> None:
        self._steps[0] += 1
        if self._steps[0] > TEMPLATE_MAX_STEPS or depth > TEMPLATE_MAX_DEPTH:
            raise wrong("it takes more steps, or nests deeper, than are followed", line)

    def _range(self, node: Node, pipe: Pipe, dot: Any, scope: Scope, depth: int) -> None:
        value = self._pipe(Pipe(pipe.commands), dot, Scope(scope), depth, node.line)
        items: list[tuple[Any, Any]]
        if isinstance(value, dict):
            items = sorted(value.items(), key=lambda item: str(item[0]))
        elif isinstance(value, bool) or not isinstance(value, (list, int, type(None))):
            raise wrong("range over what is no list", node.line)
        elif isinstance(value, int):
            items = [(index, index) for index in range(min(value, TEMPLATE_MAX_STEPS))]
        else:
            items = list(enumerate(value or ()))
        for key, item in items:
            self._step(node.line, depth)
            inner = Scope(scope)
            for name, given in zip(pipe.names, (key, item) if len(pipe.names) > 1 else (item,), strict=False):
                if pipe.declares:
                    inner.declare(name, given)
                else:
                    inner.assign(name, given)
            try:
                self.nodes(node.body, item, inner, depth + 1)
            except _Leave as leave:
                if str(leave) == "break":
                    break
        if not items:
            self.nodes(node.other, dot, scope, depth + 1)

    def _pipe(self, pipe: Pipe, dot: Any, scope: Scope, depth: int, line: int) -> Any:
        self._step(line, depth)
        value: Any = None
        for index, command in enumerate(pipe.commands):
            value = self._command(command, dot, scope, depth, line, (value,) if index else ())
        for name in pipe.names:
            if pipe.declares:
                scope.declare(name, value)
            elif not scope.assign(name, value):
                raise wrong(f"no variable {name}", line)
        return value

    def _command(self, command: Command, dot: Any, scope: Scope, depth: int, line: int, last: tuple[Any, ...]) -> Any:
        first, rest = command[0], command[1:]
        if first.kind == "name":
            name = str(first.value)
            if name in ("and", "or") and not last:
                return self._logic(name, rest, dot, scope, depth, line)
            function = self._templates.functions.get(name)
            if function is None:
                raise wrong(f"the function {name} is not known here", line)
            arguments = [self._operand(one, dot, scope, depth, line) for one in rest]
            return self._taken(self._call(function, (*arguments, *last), depth, line), first.fields, (), line)
        value = self._operand(Operand(first.kind, first.value), dot, scope, depth, line)
        if value is None and first.kind in ("variable", "pipe"):
            return None
        arguments = [self._operand(one, dot, scope, depth, line) for one in rest]
        return self._taken(value, first.fields, (*arguments, *last), line)

    def _logic(self, name: str, operands: list[Operand], dot: Any, scope: Scope, depth: int, line: int) -> Any:
        value: Any = None
        for one in operands:
            value = self._operand(one, dot, scope, depth, line)
            if truth(value) is (name == "or"):
                break
        return value

    def _call(self, function: Function, arguments: tuple[Any, ...], depth: int, line: int) -> Any:
        self._step(line, depth)
        self._weigh(arguments, line)
        try:
            if getattr(function, "includes", False):
                return function(self._templates, depth, self._steps, *arguments)
            found = function(*arguments)
        except InputError as error:
            raise wrong(error.message, line) from None
        except (
            TypeError,
            ValueError,
            KeyError,
            IndexError,
            AttributeError,
            ArithmeticError,
            MemoryError,
            re.error,
        ) as error:
            raise wrong(f"a function refuses what it is given: {type(error).__name__}", line) from None
        self._weigh((found,), line)
        return found

    def _weigh(self, values: tuple[Any, ...], line: int) -> None:
        """Counts what values are made of, each part as often as it is met, so that none grows out of sight."""
        size, pending = 0, list(values)
        while pending:
            item = pending.pop()
            size += len(item) + 1 if isinstance(item, (str, list, dict)) else 1
            if size > TEMPLATE_MAX_OUTPUT:
                raise wrong("a value that is too large", line)
            if isinstance(item, dict):
                pending += item.values()
            elif isinstance(item, list):
                pending += item
        self._steps[0] += size // 100

    def _operand(self, one: Operand, dot: Any, scope: Scope, depth: int, line: int) -> Any:
        if one.kind == "constant":
            value = one.value
        elif one.kind == "dot":
            value = dot
        elif one.kind == "variable":
            value = scope.get(str(one.value), line)
        elif one.kind == "pipe":
            value = self._pipe(one.value, dot, Scope(scope), depth, line)
        else:
            return self._command([one], dot, scope, depth, line, ())
        if value is None and one.kind in ("variable", "pipe"):
            return None  # what a pipeline gave has no fields, and Go asks it for none
        return self._taken(value, one.fields, (), line)

    def _taken(self, value: Any, fields: tuple[str, ...], arguments: tuple[Any, ...], line: int) -> Any:
        """Fields of a value, and the last one called where it can be."""
        for name in fields:
            if value is None:
                raise wrong(f"nothing has the field {name}", line)
            if not isinstance(value, dict):
                raise wrong(f"what is asked for {name} has no fields", line)
            own = value.methods.get(name) if isinstance(value, Methods) else None
            value = own if own is not None else value.get(name)
        if callable(value):
            return self._call(value, arguments, 0, line)
        if arguments:
            raise wrong("what is no function is given arguments", line)
        return value


class Methods(dict[str, Any]):
    """A mapping that has methods besides: ``methods`` are no entries of it."""

    def __init__(self, entries: dict[str, Any], methods: dict[str, Any]) -> None:
        super().__init__(entries)
        self.methods = methods


class Scope:
    """Variables, within those around them. ``$`` is what the template was given."""

    def __init__(self, around: Scope | None = None, root: Any = None) -> None:
        self._around = around
        self._names: dict[str, Any] = {} if around is not None else {"$": root}

    def declare(self, name: str, value: Any) -> None:
        """Adds a variable."""
        self._names[name] = value

    def assign(self, name: str, value: Any) -> bool:
        """Changes one, wherever it was declared; whether there is one."""
        place: Scope | None = self
        while place is not None:
            if name in place._names:  # noqa: SLF001 - its own class
                place._names[name] = value  # noqa: SLF001
                return True
            place = place._around  # noqa: SLF001
        return False

    def get(self, name: str, line: int) -> Any:
        """The value of one.

        Raises:
            InputError: ``template-go``: there is none.
        """
        place: Scope | None = self
        while place is not None:
            if name in place._names:  # noqa: SLF001
                return place._names[name]  # noqa: SLF001
            place = place._around  # noqa: SLF001
        raise wrong(f"no variable {name}", line)


def truth(value: Any) -> bool:
    """Whether Go's templates take it for true: what is not empty or zero."""
    return bool(value) if not callable(value) else True


def _floating(value: float) -> str:
    """As Go prints it: what is read back, with an exponent from a million on and below a ten thousandth."""
    if not isfinite(value):
        return {"inf": "+Inf", "-inf": "-Inf"}.get(str(value), "NaN")
    if value == 0 or 1e-4 <= abs(value) < 1e6:  # noqa: PLR2004
        return str(int(value)) if value.is_integer() else repr(value)
    digits, _, exponent = format(Decimal(repr(value)).normalize(), "e").partition("e")
    return f"{digits}e{exponent[0]}{exponent[1:].zfill(2)}"


def shown(value: Any) -> str:
    """A value as it is printed; what is missing prints nothing, as with Helm."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _floating(value)
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{shown(item)}' for key, item in sorted(value.items(), key=str))}]"
    if isinstance(value, list):
        return f"[{' '.join(shown(item) for item in value)}]"
    return str(value)
