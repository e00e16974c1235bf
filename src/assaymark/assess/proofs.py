"""What is shown of a rewritten policy, whatever the platform: new within old, needed within new, nothing to drop.

A platform gives its grants as formulas over a request, and its own evaluator. What solvers find is replayed through
the evaluator before anyone sees it: a request that it does not tell apart makes the answer ``unknown``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from assaymark.assess.rewrite import CONTAINED, NOT_CONTAINED, UNKNOWN, Containment, Rewrite
from assaymark.core.graph import State
from assaymark.solve.ask import satisfiable
from assaymark.solve.formula import FALSE, TRUE, And, Flag, Not, Or

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from assaymark.assess.rewrite import Example, Replaced
    from assaymark.solve.ask import Answer
    from assaymark.solve.formula import Formula, Value

Grant = TypeVar("Grant")
Request = TypeVar("Request")


@dataclass(frozen=True, slots=True)
class Needed(Generic[Grant]):
    """Needs as grants, each under the conditions that allow it, and those that the old policies do not allow.

    ``undecided``: those of which the input does not show whether they do.
    """

    grants: tuple[Grant, ...] = ()
    uncovered: tuple[tuple[str, str], ...] = ()
    undecided: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Language(Generic[Grant, Request]):
    """How a platform's grants are asked about.

    ``allows``: when one of some grants allows a request; its flags are what is left open. ``form``: what all requests
    are like. ``readable``: requests with real names, of which examples are made where there are some. ``requests``:
    those that a model may mean. ``state``: what the evaluator says. ``smaller``: a grant with one part less each,
    None for nothing left, and the part's name.
    """

    allows: Callable[[Sequence[Grant]], Formula]
    form: Formula
    readable: Formula
    requests: Callable[[Mapping[str, Value]], Iterable[Request]]
    state: Callable[[Sequence[Grant], Request], State]
    shown: Callable[[Request], Example]
    smaller: Callable[[Grant], Iterable[tuple[str, Grant | None]]]


def contained(
    new: Sequence[Grant], old: Sequence[Grant], how: Language[Grant, Request], *, likely: bool = True
) -> Containment:
    """Whether what ``new`` allows ``old`` allows too. Unless ``likely``, a counter-example is looked for first.

    Raises:
        UsageError: ``solver-missing``.
    """
    now, before = how.allows(new), how.allows(old)
    question = And((how.form, now, Not(before)))
    sure = [And((how.form, one, Not(_at_most(before)))) for one in (_at_most(now, largest=False), now)]
    tries = list(dict.fromkeys(part for one in sure for part in (And((how.readable, one)), one)))
    answers: list[Answer] = []
    last: Example | None = None  # of what is left open in the old ones, where nothing else shows it
    for formula in (question, *tries) if likely else (*tries, question):
        answer = satisfiable(formula)
        answers.append(answer)
        if formula is question and answer.verdict == "unsat":
            return Containment(CONTAINED, tuple(answers))
        example = _repeated(answer, new, old, how)
        if example is not None and formula is not question:
            return Containment(NOT_CONTAINED, tuple(answers), example)
        last = last or example
    return Containment(NOT_CONTAINED if last else UNKNOWN, tuple(answers), last)


def _at_most(formula: Formula, *, largest: bool = True) -> Formula:
    """A formula with what is left open as large as it may be, or as small: what it excludes, it does for certain."""
    match formula:
        case Flag():
            return TRUE if largest else FALSE
        case Not(of):
            return Not(_at_most(of, largest=not largest))
        case And(parts):
            return And(tuple(_at_most(one, largest=largest) for one in parts))
        case Or(parts):
            return Or(tuple(_at_most(one, largest=largest) for one in parts))
    return formula


def _repeated(
    answer: Answer, new: Sequence[Grant], old: Sequence[Grant], how: Language[Grant, Request]
) -> Example | None:
    """The first request of a model that the evaluator tells apart too."""
    for request in how.requests(answer.model) if answer.verdict == "sat" else ():
        if how.state(new, request) is not State.NO and how.state(old, request) is State.NO:
            return how.shown(request)
    return None


def least_rewrite(
    about: str,
    replaces: Sequence[Replaced],
    policy: object,
    sides: tuple[Sequence[Grant], Sequence[Grant]],
    how: Language[Grant, Request],
    needs: Needed[Grant],
) -> Rewrite:
    """The rewrite with all three questions asked. ``sides``: the new grants and the old ones.

    Raises:
        UsageError: ``solver-missing``.
    """
    new, old = sides
    droppable, minimality = _droppable(new, needs.grants, how)
    return Rewrite(
        "least",
        about,
        tuple(replaces),
        policy,
        contained(new, old, how),
        contained(needs.grants, new, how),
        droppable,
        uncovered=needs.uncovered,
        undecided=needs.undecided,
        minimality=minimality,
    )


def patched_rewrite(
    about: str,
    replaces: Sequence[Replaced],
    policy: object,
    sides: tuple[Sequence[Grant], Sequence[Grant]],
    how: Language[Grant, Request],
    needs: Needed[Grant],
) -> Rewrite:
    """What patches make of policies: whether they allow no more, keep what is needed, and what they take away.

    ``sides``: the new grants and the old ones.

    Raises:
        UsageError: ``solver-missing``.
    """
    new, old = sides
    return Rewrite(
        "patched",
        about,
        tuple(replaces),
        policy,
        contained(new, old, how),
        contained(needs.grants, new, how) if needs.grants else None,
        takes=contained(old, new, how, likely=False).example,
        uncovered=needs.uncovered,
        undecided=needs.undecided,
    )


def _droppable(
    new: Sequence[Grant], needed: Sequence[Grant], how: Language[Grant, Request]
) -> tuple[tuple[str, ...], tuple[Answer, ...]]:
    """What can be dropped with all that is needed still allowed, and what was asked."""
    found: list[str] = []
    asked: list[Answer] = []
    for index, grant in enumerate(new):
        for what, smaller in how.smaller(grant):
            rest = [*new[:index], *([smaller] if smaller is not None else []), *new[index + 1 :]]
            answer = contained(needed, rest, how, likely=False)
            asked += answer.answers
            if answer.verdict != NOT_CONTAINED:
                found.append(f"grant {index + 1}: {what}")
    return tuple(found), tuple(asked)
