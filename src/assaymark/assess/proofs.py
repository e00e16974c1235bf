"""What is shown of a rewritten policy, whatever the platform: new within old, needed within new, nothing to drop.

A platform gives its grants as formulas over a request, and its own evaluator. What solvers find is replayed through
the evaluator before anyone sees it: a request that it does not tell apart makes the answer ``unknown``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from assaymark.assess.rewrite import CONTAINED, NOT_CONTAINED, UNKNOWN, Containment, Rewrite
from assaymark.core.graph import State
from assaymark.solve.ask import satisfiable
from assaymark.solve.formula import FALSE, TRUE, And, Flag, Not, Or

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from assaymark.assess.rewrite import Example, Replaced
    from assaymark.solve.ask import Answer
    from assaymark.solve.formula import Formula, Value

_ODD: Final = re.compile(r"(?:\\u\{[0-9a-fA-F]+\}|[^ -~\n]|\b[A-Z]\b)+")
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
    about: Callable[[Formula], Formula] = field(default=lambda _: TRUE)
    looser: Callable[[Grant], Iterable[tuple[str, Grant]]] = field(default=lambda _: ())
    merged: Callable[[Sequence[Grant]], Sequence[Grant]] = field(default=lambda grants: grants)
    weight: Callable[[Grant], int] = field(default=lambda _: 0)
    need: Callable[[Grant], tuple[str, str]] = field(default=lambda _: ("", ""))


def contained(
    new: Sequence[Grant], old: Sequence[Grant], how: Language[Grant, Request], *, likely: bool = True
) -> Containment:
    """Whether what ``new`` allows ``old`` allows too. Unless ``likely``, a counter-example is looked for first.

    Raises:
        UsageError: ``solver-missing``.
    """
    now, before = how.allows(new), how.allows(old)
    form = And((how.form, how.about(Or((now, before)))))
    question = And((form, now, Not(before)))
    sure = [And((form, one, Not(_at_most(before)))) for one in (_at_most(now, largest=False), now)]
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


def readable(model: Mapping[str, Value]) -> dict[str, Value]:
    """A model with words in place of the odd letters that solvers take for any text."""
    return {name: _ODD.sub("example", value) if isinstance(value, str) else value for name, value in model.items()}


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


def least_rewrite(  # what is asked about, and how it is written
    about: str,
    replaces: Sequence[Replaced],
    written: Callable[[Sequence[Grant]], object],
    sides: tuple[Sequence[Grant], Sequence[Grant]],
    how: Language[Grant, Request],
    needs: Needed[Grant],
) -> Rewrite:
    """The rewrite with all three questions asked, and without what can go. ``sides``: the new grants, the old ones.

    First every part of a condition goes without which the new ones allow nothing that the old ones do not: it keeps
    nobody out. Then all goes without which all that is needed is still allowed. ``written``: grants as a policy.

    Raises:
        UsageError: ``solver-missing``.
    """
    first, old = sides
    asked: list[Answer] = []
    never = _never(needs, how, asked)
    loosened, open_conditions = _loosened(first, old, how, asked)
    new, open_parts = _fewest(how.merged(loosened), needs.grants, how, asked)
    return Rewrite(
        "least",
        about,
        tuple(replaces),
        written(new),
        contained(new, old, how),
        contained(needs.grants, new, how),
        (*open_conditions, *open_parts),
        uncovered=(*needs.uncovered, *never),
        undecided=needs.undecided,
        minimality=tuple(asked),
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


def _never(needs: Needed[Grant], how: Language[Grant, Request], asked: list[Answer]) -> tuple[tuple[str, str], ...]:
    """Needs under conditions that no request meets, each of them."""
    possible, impossible = set[tuple[str, str]](), dict[tuple[str, str], None]()
    for grant in needs.grants:
        if not how.weight(grant):
            possible.add(how.need(grant))
            continue
        answer = contained([grant], [], how, likely=False)
        asked += answer.answers
        if answer.verdict == CONTAINED:
            impossible[how.need(grant)] = None
        else:
            possible.add(how.need(grant))
    return tuple(one for one in impossible if one not in possible)


def _loosened(
    new: Sequence[Grant], old: Sequence[Grant], how: Language[Grant, Request], asked: list[Answer]
) -> tuple[list[Grant], list[str]]:
    """The grants without parts of conditions that keep nobody out, and the parts of which that is not told."""
    found: list[Grant] = []
    left: list[str] = []
    for index, grant in enumerate(new, 1):
        current, kept = grant, set[str]()
        while True:
            for what, looser in how.looser(current):
                if what in kept:
                    continue
                answer = contained([looser], old, how, likely=False)
                asked += answer.answers
                if answer.verdict == CONTAINED:
                    current = looser
                    break
                kept.add(what)
                left += [f"grant {index}: the condition {what}"] if answer.verdict == UNKNOWN else []
            else:
                break
        found.append(current)
    return found, left


def _fewest(
    new: Sequence[Grant], needed: Sequence[Grant], how: Language[Grant, Request], asked: list[Answer]
) -> tuple[list[Grant], list[str]]:
    """The grants without what can be dropped with all that is needed still allowed, and what may be another such."""
    found: dict[int, Grant] = dict(enumerate(new))
    left: list[str] = []
    for index in sorted(found, key=lambda one: (-how.weight(found[one]), -one)):
        kept: set[str] = set()
        while index in found:
            for what, smaller in how.smaller(found[index]):
                if what in kept:
                    continue
                rest = [one for key, one in found.items() if key != index]
                answer = contained(needed, [*rest, *([smaller] if smaller is not None else [])], how, likely=False)
                asked += answer.answers
                if answer.verdict == CONTAINED:
                    del found[index]
                    found |= {index: smaller} if smaller is not None else {}
                    break
                kept.add(what)
                left += [f"grant {index + 1}: {what}"] if answer.verdict == UNKNOWN else []
            else:
                break
    return [found[key] for key in sorted(found)], left
