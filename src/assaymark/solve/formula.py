"""The language of questions: boolean combinations of facts about texts, numbers and flags.

Variables are named and typed by their first use; a choice is a text of few. Everything is finite and hashable, so
that the same question has the same digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STAR: Final = "\ue000"  # in a pattern: the character ``*`` itself
MARK: Final = "\ue001"  # in a pattern: the character ``?`` itself
SEGMENTS: Final = 6  # of an ARN
_ITSELF: Final = str.maketrans({STAR: "*", MARK: "?"})
_LITERAL: Final = str.maketrans({"*": STAR, "?": MARK})


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean variable is true."""

    name: str


@dataclass(frozen=True, slots=True)
class Like:
    """A text variable matches a pattern: ``*`` any text, ``?`` one character, else itself; ``plain``: all is.

    ``STAR`` and ``MARK`` in a pattern that is not plain stand for these characters.
    """

    name: str
    pattern: str
    plain: bool = False


@dataclass(frozen=True, slots=True)
class LikeArn:
    """A text variable matches a pattern of ARNs: of six parts, of which ``*`` and ``?`` leave the last one alone."""

    name: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Text:
    """What another text variable is, as a part of a text."""

    name: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A text variable is its parts, one after the other; ``more``: and whatever follows."""

    name: str
    parts: tuple[str | Text, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Within:
    """A number variable lies between two bounds, both included; None is no bound."""

    name: str
    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class Not:
    """Not so."""

    of: Formula


@dataclass(frozen=True, slots=True)
class And:
    """All are so; of none, true."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One is so; of none, false."""

    parts: tuple[Formula, ...]


Formula: TypeAlias = Flag | Like | LikeArn | Joined | Within | Not | And | Or
TRUE = And(())
FALSE = Or(())
Value: TypeAlias = str | int | bool


def literal(text: str) -> str:
    """A text as a pattern that nothing else matches."""
    return text.translate(_LITERAL)


def plainly(piece: str) -> str:
    """A piece of a pattern between its marks, as the text that it stands for."""
    return piece.translate(_ITSELF)


def both(one: Formula, other: Formula) -> Formula:
    """Both are so, in one list with what they join already: long chains stay flat."""
    return And((*_of(And, one), *_of(And, other)))


def either(one: Formula, other: Formula) -> Formula:
    """One of both is so, as flat."""
    return Or((*_of(Or, one), *_of(Or, other)))


def _of(kind: type[And | Or], formula: Formula) -> tuple[Formula, ...]:
    return formula.parts if isinstance(formula, kind) else (formula,)


def one_of(name: str, values: Iterable[str]) -> Formula:
    """A text variable is one of some texts."""
    return Or(tuple(Like(name, value, plain=True) for value in values))


def atoms(formula: Formula) -> Iterator[Flag | Like | LikeArn | Joined | Within]:
    """The facts that a formula combines, as often as they stand in it."""
    match formula:
        case Not(of):
            yield from atoms(of)
        case And(parts) | Or(parts):
            for one in parts:
                yield from atoms(one)
        case _:
            yield formula


def digest(formula: Formula) -> str:
    """SHA-256 in hexadecimal of a question, whatever the process."""
    return sha256(repr(formula).encode("utf-8", "surrogatepass")).hexdigest()
