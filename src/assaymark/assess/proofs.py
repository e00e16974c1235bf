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
from assaymark.solve.formula import TRUE, And, Not

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

    ``allows``: when one of some grants allows a request. ``form``: what all requests are like. ``readable``: requests
    with real names, of which examples are made where there are some. ``requests``: those that a model may mean.
    ``state``: what the evaluator says. ``smaller``: a grant with one part less each, None for nothing left, and the
    part's name.
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
    question = And((how.form, how.allows(new), Not(how.allows(old))))
    named = And((how.readable, question)) if how.readable != TRUE else question
    answers: list[Answer] = []
    for formula in (question, named) if likely else (named, question):
        answer = satisfiable(formula)
        answers.append(answer)
        if formula is question and answer.verdict == "unsat":
            return Containment(CONTAINED, tuple(answers))
        example = _repeated(answer, new, old, how) if answer.verdict == "sat" else None
        if example is not None and (formula is named or not likely):
            return Containment(NOT_CONTAINED, tuple(answers), example)
    first = _repeated(answers[0], new, old, how) if likely else None  # no readable one: then what there is
    return Containment(NOT_CONTAINED if first else UNKNOWN, tuple(answers), first)


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
