"""``satisfiable``: whether something makes a formula true, asked of z3 and of cvc5."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import UsageError
from assaymark.solve.fewer import fewer_texts
from assaymark.solve.formula import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from assaymark.solve.formula import Formula, Value

SECONDS: Final = 10  # of one question to one solver
SOLVERS: Final = {
    "z3": ("z3", "assaymark.solve.z3_backend"),
    "cvc5": ("cvc5", "assaymark.solve.cvc5_backend"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """What one solver said. ``answer``: ``sat``, ``unsat`` or ``unknown``; ``model`` is that of ``sat``."""

    solver: str
    version: str
    answer: str
    model: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Answer:
    """What all said of a question. ``verdict`` is what they agree on, else ``unknown``."""

    question: str
    said: tuple[Said, ...]

    @property
    def verdict(self) -> str:
        """``sat``, ``unsat``, or ``unknown`` when one has no answer, none was asked, or they differ."""
        answers = {one.answer for one in self.said}
        return answers.pop() if len(answers) == 1 else "unknown"

    @property
    def model(self) -> Mapping[str, Value]:
        """Values that make the formula true, of the first that found some."""
        return next((one.model for one in self.said if one.answer == "sat"), {})


def installed() -> tuple[str, ...]:
    """The solvers that are there."""
    found = []
    for name, (package, _) in SOLVERS.items():
        try:
            import_module(package)
        except ImportError:
            continue
        found.append(name)
    return tuple(found)


def satisfiable(formula: Formula, solvers: tuple[str, ...] = ()) -> Answer:
    """Asks all solvers that are installed, or those that are named.

    Raises:
        UsageError: ``solver-missing`` when none is installed.
    """
    names = solvers or installed()
    if not names:
        raise UsageError(
            "solver-missing",
            "no solver is installed, so nothing can be proved",
            remedy="install assaymark[solve], which brings z3 and cvc5",
        )
    said = []
    fewer = fewer_texts(formula)
    for name in names:
        check: Callable[..., Any] = import_module(SOLVERS[name][1]).check
        version, answer, model = check(fewer.formula, SECONDS)
        said.append(Said(name, version, answer, fewer.worded(model)))
    return Answer(digest(formula), tuple(said))
