"""The syntax tree of a template. Text between tags is not kept: it runs nothing."""

from __future__ import annotations

from dataclasses import dataclass

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Const:
    """A literal; of several strings in a row, their concatenation."""

    line: int
    value: Value


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a function of the environment or a macro."""

    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Getattr:
    """``node.name``: an attribute first, then an item."""

    line: int
    node: Expr
    name: str


@dataclass(frozen=True, slots=True)
class Getitem:
    """``node[key]``: an item first, then, when the key is text, an attribute."""

    line: int
    node: Expr
    key: Expr


@dataclass(frozen=True, slots=True)
class Slice:
    """``start:stop:step`` in brackets; ``stepped`` when there is a second colon."""

    line: int
    parts: tuple[Expr, ...]
    stepped: bool = False


@dataclass(frozen=True, slots=True)
class Arguments:
    """What stands between the parentheses of a call. ``spread`` are those behind ``*`` and ``**``."""

    positional: tuple[Expr, ...] = ()
    named: tuple[tuple[str, Expr], ...] = ()
    spread: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A call."""

    line: int
    node: Expr
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Filter:
    """``node | name(arguments)``; without a node it stands at the head of a block."""

    line: int
    node: Expr | None
    name: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Test:
    """``node is name(arguments)``; ``is not`` is a ``not`` around it."""

    line: int
    node: Expr
    name: str
    arguments: Arguments


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator on its operands: ``+ - * / // % ** ~ and or not neg pos``, a comparison, ``if`` with its parts."""

    line: int
    operator: str
    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list, a tuple, or the keys and values of a dict in turn."""

    line: int
    kind: str
    items: tuple[Expr, ...]


Expr = Const | Name | Getattr | Getitem | Slice | Call | Filter | Test | Operation | Items


@dataclass(frozen=True, slots=True)
class Output:
    """``{{ value }}`` or ``{% print %}``, ``{% do %}``."""

    line: int
    value: Expr


@dataclass(frozen=True, slots=True)
class For:
    """A loop; ``condition`` filters its items."""

    line: int
    target: Target
    items: Expr
    condition: Expr | None
    body: Body
    otherwise: Body


@dataclass(frozen=True, slots=True)
class If:
    """Branches of (test, body), and what else is done."""

    line: int
    branches: tuple[tuple[Expr, Body], ...]
    otherwise: Body


@dataclass(frozen=True, slots=True)
class Assign:
    """``{% set target = value %}`` and the pairs of ``{% with %}``."""

    line: int
    target: Target
    value: Expr


@dataclass(frozen=True, slots=True)
class AssignBlock:
    """``{% set target %}text{% endset %}``: what the body prints, through the filter when there is one."""

    line: int
    target: Target
    filter: Expr | None
    body: Body


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro; of a ``{% call %}`` the nameless one that ``caller`` stands for, with the call in ``call``."""

    line: int
    name: str
    parameters: tuple[str, ...]
    defaults: tuple[Expr, ...]
    body: Body
    call: Expr | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Statements that something applies to: ``with``, ``filter``, ``generation``, ``autoescape``, ``block``."""

    line: int
    kind: str
    values: tuple[Expr, ...]
    body: Body


@dataclass(frozen=True, slots=True)
class Load:
    """``include``, ``import``, ``from`` and ``extends``: another template is read and run."""

    line: int
    kind: str
    template: Expr


@dataclass(frozen=True, slots=True)
class Jump:
    """``break`` and ``continue``."""

    line: int
    kind: str


Statement = Output | For | If | Assign | AssignBlock | Macro | Block | Load | Jump
Body = tuple[Statement, ...]
Target = Name | Getattr | Items
