"""The syntax tree of HCL: bodies with attributes and blocks, and expressions. ``line`` counts from 1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, text, true, false or null."""

    value: str | int | float | bool | None
    line: int


@dataclass(frozen=True, slots=True)
class Template:
    """A quoted text or heredoc with expressions in it."""

    parts: tuple[Expression, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Name:
    """A root of a traversal: ``var``, ``local``, ``aws_iam_role``, a loop's variable."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """``of.name``."""

    of: Expression
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Index:
    """``of[key]``."""

    of: Expression
    key: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Splat:
    """``of[*]`` or ``of.*``, and what is taken ``each`` element: ``Name("")`` stands for the element."""

    of: Expression
    each: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function; ``expand`` when its last argument ends in ``...``."""

    name: str
    arguments: tuple[Expression, ...]
    expand: bool
    line: int


@dataclass(frozen=True, slots=True)
class Operation:
    """A unary, binary or conditional (``?``) operator with its operands."""

    operator: str
    operands: tuple[Expression, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Tuple:
    """``[a, b]``."""

    items: tuple[Expression, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Object:
    """``{ key = value }``; a bare word as key is a ``Literal``."""

    items: tuple[tuple[Expression, Expression], ...]
    line: int


@dataclass(frozen=True, slots=True)
class For:
    """``[for value in of : result if condition]``, or with ``key`` set ``{for ... : key => result}``."""

    names: tuple[str, ...]
    of: Expression
    key: Expression | None
    result: Expression
    condition: Expression | None
    group: bool
    line: int


Expression: TypeAlias = (
    Literal | Template | Name | Attribute | Index | Splat | Call | Operation | Tuple | Object | For
)


@dataclass(frozen=True, slots=True)
class Block:
    """``kind "label" "label" { body }``."""

    kind: str
    labels: tuple[str, ...]
    body: Body
    line: int


@dataclass(slots=True)
class Body:
    """Attributes by name and blocks in their order."""

    attributes: dict[str, Expression] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
