"""What another scanner says of a model: an opinion, kept apart from what we found ourselves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from assaymark.core.limits import OPINION_MAX_FINDINGS, OPINION_MAX_TEXT
from assaymark.core.report_json import printable


class OpinionOutcome(StrEnum):
    """What it comes to. Only ``PASS`` is a yes, and only ``FAIL`` a no.

    ``INCOMPLETE``: it skipped a file, crashed, took too long or printed what nobody knows. ``ABSENT``: it is not
    installed. ``ERROR``: it could not be started.
    """

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    INCOMPLETE = "incomplete"
    ABSENT = "absent"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class OpinionFinding:
    """One thing that a scanner objects to, in its own words: its rule, its word for how bad, and where."""

    rule: str
    severity: str
    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one scanner says. ``detail`` says why there is no better answer; ``confinement`` what held it."""

    scanner: str
    version: str
    outcome: OpinionOutcome
    findings: tuple[OpinionFinding, ...] = ()
    detail: str = ""
    confinement: tuple[str, ...] = ()

    @property
    def signed_outcome(self) -> OpinionOutcome:
        """The outcome that is signed: who could not be asked has given no answer."""
        answers = (OpinionOutcome.PASS, OpinionOutcome.FAIL)
        return self.outcome if self.outcome in answers else OpinionOutcome.INCOMPLETE


def findings_to_json(opinion: Opinion) -> list[dict[str, str]]:
    """The findings as values that may be signed: printable, and no more than a person reads."""
    return [
        {
            "message": printable(item.message, OPINION_MAX_TEXT),
            "place": printable(item.place, OPINION_MAX_TEXT),
            "rule": printable(item.rule, OPINION_MAX_TEXT),
            "severity": printable(item.severity, OPINION_MAX_TEXT),
        }
        for item in opinion.findings[:OPINION_MAX_FINDINGS]
    ]


def opinion_to_json(opinion: Opinion) -> dict[str, Any]:
    """The contract of an opinion in the output of ``scan``; ``findings`` is their number."""
    return {
        "scanner": opinion.scanner,
        "version": opinion.version,
        "outcome": str(opinion.outcome),
        "findings": len(opinion.findings),
        "details": findings_to_json(opinion),
        "detail": printable(opinion.detail, OPINION_MAX_TEXT),
        "confinement": list(opinion.confinement),
    }
