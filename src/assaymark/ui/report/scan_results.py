"""What a scan of some paths found: the value that every form of its report is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.core.opinion import OpinionOutcome
from assaymark.core.report import ScanOutcome

if TYPE_CHECKING:
    from assaymark.core.opinion import Opinion
    from assaymark.core.report import Finding, Report, Severity
    from assaymark.scanning.config import Ignore


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The report on one path that was given; ``ignored`` findings are no part of it any more.

    ``unsigned`` says that not all bytes were read, so that no digest names what was looked at. ``opinions`` are what
    other scanners say, when they were asked.
    """

    path: str
    report: Report
    ignored: tuple[tuple[Finding, Ignore], ...] = ()
    unsigned: bool = False
    opinions: tuple[Opinion, ...] = ()

    @property
    def everything(self) -> tuple[Finding, ...]:
        """All findings, those that are ignored too."""
        return (*self.report.findings, *(finding for finding, _ in self.ignored))


@dataclass(frozen=True, slots=True)
class ScanResults:
    """What a scan of some paths found, and from which severity on a finding fails.

    ``agree`` is how many other scanners must say that it is clean; None when it does not matter what they say.
    """

    reports: tuple[ScanResult, ...]
    threshold: Severity
    agree: int | None = None

    @property
    def outcomes(self) -> frozenset[ScanOutcome]:
        """The outcomes of the reports."""
        return frozenset(item.report.outcome(self.threshold) for item in self.reports)

    @property
    def agreement(self) -> frozenset[ScanOutcome]:
        """What the opinions on each path come to: who could not be asked gave no answer; ``agree`` must say yes."""
        return frozenset(outcome for item in self.reports for outcome in _agreement(item.opinions, self.agree))


def _agreement(opinions: tuple[Opinion, ...], agree: int | None) -> set[ScanOutcome]:
    found = {
        ScanOutcome.INCOMPLETE
        for opinion in opinions
        if opinion.outcome in (OpinionOutcome.ABSENT, OpinionOutcome.ERROR)
    }
    if agree is not None:
        yes = sum(opinion.outcome is OpinionOutcome.PASS for opinion in opinions)
        no = sum(opinion.outcome is OpinionOutcome.FAIL for opinion in opinions)
        if len(opinions) - no < agree:
            found.add(ScanOutcome.FAIL)
        elif yes < agree:
            found.add(ScanOutcome.INCOMPLETE)
    return found
