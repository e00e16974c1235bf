"""Answers for several things at once: those that a principal's policies treat alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from assaymark.assess.aws import actions
from assaymark.assess.aws.answers import Answer, Reach, renamed
from assaymark.assess.aws.compiled import NOTHING, Span
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assaymark.assess.aws.inventory import Atom


class Alike(NamedTuple):
    """Identities on which one action is allowed alike: by the same statements, each with a trust policy of its own.

    ``answer`` is that for the first of ``arns``; ``of`` gives that for any.
    """

    arns: tuple[str, ...]
    answer: Answer
    of: Callable[[str], Answer]


def rests_on_own(answer: Answer, one: Atom) -> bool:
    """Whether an answer rests on statements of the atom's own policy."""
    own = {id(statement) for statement in one.policy.statements} if one.policy else set()
    return any(id(statement) in own for statement in answer.statements)


def by_others(atoms: list[Atom], principal_arn: str) -> list[Atom]:
    """Atoms with that of who asks last: what an answer says of it as such is not said of what it asks for."""
    return atoms if atoms[0].source != principal_arn else [*atoms[1:], atoms[0]]


def moves(answer: Answer, one: Atom) -> Callable[[Atom], Answer]:
    """Makes of an atom's answer that of another of its kind: with its own policy's statements and its own name."""
    own = {id(statement): at for at, statement in enumerate(one.policy.statements)} if one.policy else {}
    places = [own.get(id(statement), -1) for statement in answer.statements]
    same = all(place < 0 for place in places)

    def move(other: Atom) -> Answer:
        statements = answer.statements
        if not same and other.policy is not None:
            theirs = other.policy.statements
            pairs = zip(places, answer.statements, strict=True)
            statements = tuple(theirs[place] if place >= 0 else statement for place, statement in pairs)
        decides = tuple(renamed(text, one.arn, other.arn) for text in answer.decides)
        return Answer(answer.state, statements, decides, answer.assumes, answer.grants)

    return move


@dataclass(frozen=True, slots=True)
class Reached:
    """What a principal gets: a row for each resource and class, and all actions by how rows name the resource.

    ``unread``: policies apply whose text the input does not hold, which ``spans`` leave out.
    """

    rows: list[Reach]
    spans: dict[str, Span]
    unread: bool

    def state(self, action: str, shown: str) -> State:
        """Whether an action is allowed on what rows name so, as far as policies were read."""
        span, bit = self.spans.get(shown, NOTHING), actions.bit(action)
        return State.YES if span.yes & bit else State.UNKNOWN if span.maybe & bit else State.NO


class Group(NamedTuple):
    """Atoms that are treated alike: ``mask`` has their bits in the inventory, ``rows`` what is so of the first."""

    mask: int
    atoms: Sequence[Atom]
    span: Span
    rows: tuple[tuple[Reach, Answer], ...]


class Groups(NamedTuple):
    """``items``: all of a principal; ``uniform``: whether its policies treat the atoms of a mask alike."""

    items: Sequence[Group]
    uniform: Callable[[int], bool]


def is_about_itself(answer: Answer, one: Atom) -> bool:
    """Whether what an answer says is of that atom alone: it rests on its own policy, or names it."""
    return rests_on_own(answer, one) or any(one.arn in text for text in answer.decides)


def common_state(groups: Sequence[Group], mask: int, action: str) -> State | None:
    """Whether an action is allowed on all atoms of a mask; None where they differ."""
    bit = actions.bit(action)
    for group in groups:
        inside = group.mask & mask
        if inside == mask:
            return State.YES if group.span.yes & bit else State.UNKNOWN if group.span.maybe & bit else State.NO
        if inside:
            return None
    return State.NO
