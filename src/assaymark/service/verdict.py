"""The answer to "may this model run?", as every face and the public API give it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.core.decision import Outcome, Reason

if TYPE_CHECKING:
    from assaymark.core.attestation import Receipt
    from assaymark.core.decision import Decision, Scope
    from assaymark.core.errors import AssaymarkError
    from assaymark.core.report import Report
    from assaymark.core.subject import Difference, Subject
    from assaymark.service.lineage import LineageView


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome with all that explains it.

    ``differences`` say where the files at hand differ from the release that is compared with; ``receipt`` is
    of the logged decision, None when none is logged. ``decision`` is None when nothing could be decided.
    ``report`` is the scan of this submission, when there was one;
    ``lineage`` is there when it was asked for. ``notes`` are for people.
    """

    outcome: Outcome
    subject: Subject
    scope: Scope
    reasons: tuple[Reason, ...]
    differences: tuple[Difference, ...] = ()
    receipt: Receipt | None = None
    decision: Decision | None = None
    report: Report | None = None
    root_digest: str = ""
    notes: tuple[str, ...] = ()
    lineage: LineageView | None = None


def refused(error: AssaymarkError, outcome: Outcome, subject: Subject, scope: Scope) -> Verdict:
    """The verdict of a question that ended in an error: never a PERMIT."""
    if outcome is Outcome.PERMIT:
        raise ValueError("an error permits nothing")
    reason = Reason(error.code, outcome, str(error), error.remedy)
    return Verdict(outcome, subject, scope, (reason,))
