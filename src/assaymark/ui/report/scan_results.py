"""What a scan of some paths found: the value that every form of its report is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assaymark.core.report import Finding, Report, ScanOutcome, Severity
    from assaymark.scanning.config import Ignore


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The report on one path that was given; ``ignored`` findings are no part of it any more.

    ``unsigned`` says that not all bytes were read, so that no digest names what was looked at.
    """

    path: str
    report: Report
    ignored: tuple[tuple[Finding, Ignore], ...] = ()
    unsigned: bool = False

    @property
    def everything(self) -> tuple[Finding, ...]:
        """All findings, those that are ignored too."""
        return (*self.report.findings, *(finding for finding, _ in self.ignored))


@dataclass(frozen=True, slots=True)
class ScanResults:
    """What a scan of some paths found, and from which severity on a finding fails."""

    reports: tuple[ScanResult, ...]
    threshold: Severity

    @property
    def outcomes(self) -> frozenset[ScanOutcome]:
        """The outcomes of the reports."""
        return frozenset(item.report.outcome(self.threshold) for item in self.reports)
