"""Answers of evaluation, and the parts that they are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from assaymark.core.graph import Because, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.estate.aws import Grant, Statement


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether, and why.

    ``statements`` are those that decided; ``decides`` what would settle an unknown one; ``assumes`` what
    the input does not show and was taken to be so.
    """

    state: State
    statements: tuple[Statement, ...] = ()
    decides: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()

    @property
    def because(self) -> tuple[Because, ...]:
        """The lines that it rests on."""
        lines = [statement.because for statement in self.statements] + [grant.because for grant in self.grants]
        return tuple(dict.fromkeys(lines))


class Reach(NamedTuple):
    """What a principal gets: an access class (``actions.CLASSES``) on a resource.

    ``resource`` is an ARN of the estate, ``<bucket's ARN>/*`` for some objects of a bucket, or ``*`` for what an
    attached policy may allow whose text the input does not hold. ``action`` is one of those that give the class.
    ``decides`` says what would settle an unknown one.
    """

    action_class: str
    resource: str
    state: State
    because: tuple[Because, ...]
    decides: tuple[str, ...]
    action: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an answer, three-valued, with what it rests on and what would decide it."""

    state: State
    statements: tuple[Statement, ...] = ()
    decides: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()

    def both(self, *others: Part) -> Part:
        """And: what says no, else all that holds it up."""
        parts = (self, *others)
        for part in parts:
            if part.state is State.NO:
                return part
        state = State.UNKNOWN if any(part.state is State.UNKNOWN for part in parts) else State.YES
        return joined(state, parts)

    def either(self, *others: Part) -> Part:
        """Or: the first that says yes, else all that may."""
        parts = (self, *others)
        for part in parts:
            if part.state is State.YES:
                return part
        open_parts = [part for part in parts if part.state is State.UNKNOWN]
        return joined(State.UNKNOWN, open_parts) if open_parts else NOT


def renamed(text: str, old: str, new: str) -> str:
    """A text with one ARN in place of another; ARNs that begin with that one are others."""
    return re.sub(rf"{re.escape(old)}(?![\w+=,.@/:-])", lambda _: new, text)


YES: Final = Part(State.YES)
NOT: Final = Part(State.NO)


def joined(state: State, parts: Iterable[Part]) -> Part:
    """The parts as one of that state: all that they rest on, and what would decide those that are unknown."""
    statements: dict[int, Statement] = {}
    decides: dict[str, None] = {}
    grants: dict[Grant, None] = {}
    for part in parts:
        statements.update({id(statement): statement for statement in part.statements})
        grants.update(dict.fromkeys(part.grants))
        if part.state is State.UNKNOWN:
            decides.update(dict.fromkeys(part.decides))
    return Part(state, tuple(statements.values()), tuple(decides), tuple(grants))
