"""``Rewrite``: a policy that was written anew, whatever the platform, and what solvers say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assaymark.core.graph import Because
    from assaymark.solve.ask import Answer

CONTAINED: Final = "contained"
NOT_CONTAINED: Final = "not contained"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Example:
    """A request that one set of policies allows and the other does not.

    ``context``: condition keys that it carries, ``absent`` such that it does not. ``principal``: who asks, where the
    policies say whom they are for.
    """

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    principal: str = ""


@dataclass(frozen=True, slots=True)
class Containment:
    """What solvers attest.

    ``verdict``: ``contained`` (no solver found a counter-example to any question), ``not contained`` with the
    example, or ``unknown``. ``answers``: what was asked and said.
    """

    verdict: str
    answers: tuple[Answer, ...]
    example: Example | None = None

    @property
    def solvers(self) -> tuple[str, ...]:
        """Who attests, with versions."""
        return solvers_of(self.answers)


@dataclass(frozen=True, slots=True)
class Replaced:
    """A policy that a rewrite replaces: its name, where it stands, and itself as JSON."""

    name: str
    because: Because
    policy: Any


@dataclass(frozen=True, slots=True)
class Rewrite:
    """``policy`` (JSON, as the platform takes it) in the place of ``replaces``.

    ``kind``: ``least`` (the smallest for its needs) or ``patched`` (what patches of files leave of it). ``about``:
    the principal or resource whose policy it is. ``within``: new in old. ``covers``: needed in new, None where nobody
    says what is needed. ``droppable``: what is not shown to be needed, or of a condition to keep somebody out, empty
    when it is minimal, None where it was not asked. ``takes``: a request that only the old ones allow.
    ``uncovered``: needs, as action and resource, that the old ones do not allow; ``undecided``: those of which the
    input does not show whether they do. Neither is granted. ``name``: what people call ``about``, where that is but
    an id. ``minimality``: what was asked and said about dropping.
    """

    kind: str
    about: str
    replaces: tuple[Replaced, ...]
    policy: Any
    within: Containment
    covers: Containment | None = None
    droppable: tuple[str, ...] | None = None
    takes: Example | None = None
    uncovered: tuple[tuple[str, str], ...] = ()
    undecided: tuple[tuple[str, str], ...] = ()
    minimality: tuple[Answer, ...] = ()
    name: str = ""

    @property
    def proved(self) -> bool:
        """Whether all that was to be shown holds: for a least policy all three, for a patched one that it is within.

        Needs that are known must be covered by either.
        """
        if self.within.verdict != CONTAINED or self.uncovered or self.undecided:
            return False
        if self.kind != "least":
            return self.covers is None or self.covers.verdict == CONTAINED
        return self.covers is not None and self.covers.verdict == CONTAINED and self.droppable == ()

    @property
    def title(self) -> str:
        """What it is, for people."""
        who = f"{self.name} ({self.about})" if self.name else self.about
        return f"least privilege for {who}" if self.kind == "least" else f"patched policy of {who}"

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What was asked and said of ``within`` and ``covers``."""
        return (*self.within.answers, *(self.covers.answers if self.covers else ()))


def solvers_of(answers: Iterable[Answer]) -> tuple[str, ...]:
    """Who said something, with versions."""
    return tuple(sorted({f"{one.solver} {one.version}" for answer in answers for one in answer.said}))
