"""The language of questions: boolean combinations of facts about texts, numbers and flags.

Variables are named and typed by their first use; a choice is a text of few. Everything is finite and hashable, so
that the same question has the same digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean variable is true."""

    name: str


@dataclass(frozen=True, slots=True)
class Like:
    """A text variable matches a pattern: ``*`` any text, ``?`` one character, else itself; ``plain``: all is."""

    name: str
    pattern: str
    plain: bool = False


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


Formula: TypeAlias = Flag | Like | Within | Not | And | Or
TRUE = And(())
FALSE = Or(())
Value: TypeAlias = str | int | bool


def digest(formula: Formula) -> str:
    """SHA-256 in hexadecimal of a question, whatever the process."""
    return sha256(repr(formula).encode("utf-8", "surrogatepass")).hexdigest()
