"""What an enforcement point knows, and when it must let go: a pure state machine over answers and time.

An answer is a ``Ruling``. PERMIT is believed until it ends; DENY acts at once; no answer (a log that cannot be
reached, a dossier half replaced) leaves the last PERMIT standing until it ends, and never longer.

The wall clock says when a decision ends, and whoever sets it back would make a decision last: so its end is also kept
on a steady clock, which nobody sets, and a wall clock that steps back against the steady one is no answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from assaymark.core.decision import Outcome, Reason
from assaymark.core.limits import ATTEMPT_MAX_REQUIREMENTS, CLOCK_SKEW_SECONDS
from assaymark.core.names import is_name
from assaymark.core.times import format_time


@dataclass(frozen=True, slots=True)
class Ruling:
    """One answer to "may it run?". ``valid_until`` in seconds, 0 unless the outcome is PERMIT."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    valid_until: int = 0

    @property
    def unmet(self) -> tuple[str, ...]:
        """The ids of the requirements that are not met: the first ones, for an attempt's record."""
        ids = dict.fromkeys(reason.requirement for reason in self.reasons if not reason.met)
        return tuple(name for name in ids if is_name(name))[:ATTEMPT_MAX_REQUIREMENTS]


@dataclass(frozen=True, slots=True)
class Standing:
    """A PERMIT in force. ``ends`` is on the steady clock; ``lead`` the most that the wall clock was ahead of it.

    ``silence`` holds why the last question had no answer, empty when it had one; ``renewals`` counts later PERMITs.
    """

    ruling: Ruling
    ends: float
    lead: float
    silence: tuple[Reason, ...] = ()
    renewals: int = 0


def begin(ruling: Ruling, wall: float, steady: float) -> Standing | Ruling:
    """The standing of a first answer; the answer itself when it is no PERMIT, or has ended."""
    if ruling.outcome is not Outcome.PERMIT:
        return ruling
    return look(Standing(ruling, steady + (ruling.valid_until - wall), wall - steady), wall, steady)


def hear(standing: Standing, answer: Ruling, wall: float, steady: float) -> Standing | Ruling:
    """The standing after another answer, or the ruling to stop with."""
    if answer.outcome is Outcome.DENY:
        return answer
    if answer.outcome is Outcome.INDETERMINATE:
        unmet = tuple(reason for reason in answer.reasons if not reason.met)
        return look(replace(standing, silence=unmet), wall, steady)
    renewed = Standing(answer, steady + (answer.valid_until - wall), standing.lead, renewals=standing.renewals + 1)
    return look(renewed, wall, steady)


def look(standing: Standing, wall: float, steady: float) -> Standing | Ruling:
    """The standing after time went by, or the ruling to stop with."""
    lead = wall - steady
    if lead < standing.lead - CLOCK_SKEW_SECONDS:
        back = round(standing.lead - lead)
        message = f"the clock of this machine went back by {back} s, so nobody knows whether the decision has ended"
        return _no_answer(Reason("clock", Outcome.INDETERMINATE, message, "set the clock and start again"))
    until = standing.ruling.valid_until
    if wall >= until or steady >= standing.ends:
        reason = Reason(
            "validity",
            Outcome.INDETERMINATE,
            f"the decision ended at {format_time(until)} and was not renewed",
            "renew it: `assaymark decide` where the workspace is, then put the dossier in place of the old one",
        )
        return _no_answer(reason, *standing.silence)
    return replace(standing, lead=max(lead, standing.lead))


def seconds_left(standing: Standing, wall: float, steady: float) -> float:
    """How long the standing lasts unless something is heard."""
    return max(0.0, min(standing.ends - steady, standing.ruling.valid_until - wall))


def _no_answer(*reasons: Reason) -> Ruling:
    return Ruling(Outcome.INDETERMINATE, reasons)
