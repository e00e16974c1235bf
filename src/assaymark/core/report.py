"""What a scan says: findings, what was examined, what is inert, what was skipped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """How bad a finding is. ``HIGH`` and above means that loading the file may run code or mislead a reader."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Confidence(IntEnum):
    """How sure the scanner is that the finding is what it says."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


class ScanOutcome(StrEnum):
    """``INCOMPLETE`` is no answer: something was not looked at."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Location:
    """Where: a file of the subject, a member of a container in it, and a byte offset or a line (from 1)."""

    path: str
    offset: int | None = None
    line: int | None = None
    member: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person must look at. One without a location cannot be built.

    ``name`` is what it is about, where that has a name of its own: the class or function that a pickle imports.
    """

    rule: str
    severity: Severity
    confidence: Confidence
    message: str
    locations: tuple[Location, ...]
    name: str = ""

    def __post_init__(self) -> None:
        if not self.locations:
            raise ValueError("a finding has a location")


@dataclass(frozen=True, slots=True)
class Examined:
    """A file, or a member of one, that a scanner understood whole. ``format``: ``pickle``, ``safetensors``, ..."""

    path: str
    format: str
    member: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was not looked at, and why; it makes a report incomplete."""

    path: str
    reason: str
    member: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of scanning one subject. ``inert``: recognised and never executed; it counts as examined.

    ``confinement`` names what held the parser: ``memory``, ``time``, ``output``, ``network``, ``files``,
    ``processes``; ``unconfined`` what this platform could not hold. ``allowed``: names that the files use and
    that whoever asked for the scan vouches for.
    """

    findings: tuple[Finding, ...]
    examined: tuple[Examined, ...]
    inert: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    confinement: tuple[str, ...] = ()
    unconfined: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    def outcome(self, threshold: Severity = Severity.HIGH) -> ScanOutcome:
        """``FAIL`` when a finding reaches the threshold, else ``INCOMPLETE`` when something was skipped.

        A report that examined nothing is incomplete: no result is not a good result.
        """
        if any(finding.severity >= threshold for finding in self.findings):
            return ScanOutcome.FAIL
        if self.skipped or not (self.examined or self.inert):
            return ScanOutcome.INCOMPLETE
        return ScanOutcome.PASS


def merge_reports(reports: list[Report]) -> Report:
    """One report of several files of the same subject, in the order given."""
    return Report(
        findings=tuple(finding for report in reports for finding in report.findings),
        examined=tuple(item for report in reports for item in report.examined),
        inert=tuple(path for report in reports for path in report.inert),
        skipped=tuple(item for report in reports for item in report.skipped),
        confinement=tuple(sorted(set.intersection(*(set(r.confinement) for r in reports)))) if reports else (),
        unconfined=tuple(sorted({name for report in reports for name in report.unconfined})),
        allowed=tuple(sorted({name for report in reports for name in report.allowed})),
    )


def relabelled(report: Report, path: str) -> Report:
    """A report on one file, shown under another path."""
    return replace(
        report,
        findings=tuple(
            replace(finding, locations=tuple(replace(place, path=path) for place in finding.locations))
            for finding in report.findings
        ),
        examined=tuple(replace(item, path=path) for item in report.examined),
        inert=tuple(path for _ in report.inert),
        skipped=tuple(replace(item, path=path) for item in report.skipped),
    )
