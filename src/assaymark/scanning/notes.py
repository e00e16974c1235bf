"""What examiners write down while they work, and the report that it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field

from assaymark.core.limits import (
    JSON_MAX_INTEGER,
    REPORT_MAX_NAME,
    SCAN_MAX_FINDINGS,
    SCAN_MAX_LISTED,
    SCAN_MAX_OPCODES,
)
from assaymark.core.report import Confidence, Examined, Finding, Location, Report, Severity, Skipped
from assaymark.core.report_json import printable
from assaymark.scanning.rules import RULES


def shown(name: str) -> str:
    """A name out of a hostile file, fit for a message."""
    return printable(name, REPORT_MAX_NAME)


@dataclass(slots=True)
class Notes:
    """Notes on one file. ``opcodes_left`` is shared by all pickles in it."""

    path: str
    findings: list[Finding] = field(default_factory=list)
    examined: list[Examined] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    inert: bool = False
    opcodes_left: int = SCAN_MAX_OPCODES
    _more_findings: int = 0
    _more_skipped: int = 0

    def finding(
        self,
        rule: str,
        message: str,
        *,
        member: str = "",
        offset: int | None = None,
        line: int | None = None,
        confidence: Confidence = Confidence.HIGH,
        severity: Severity | None = None,
    ) -> None:
        """Write down a finding; its severity is the rule's unless given."""
        if len(self.findings) >= SCAN_MAX_FINDINGS:
            self._more_findings += 1
            return
        if offset is not None and not 0 <= offset <= JSON_MAX_INTEGER:
            offset = None  # a place that a hostile header made up
        location = Location(self.path, offset=offset, line=line, member=member)
        severity = RULES[rule].severity if severity is None else severity
        self.findings.append(Finding(rule, severity, confidence, message, (location,)))

    def saw(self, format_name: str, member: str = "") -> None:
        """Write down that the file, or a member of it, was understood whole."""
        if len(self.examined) < SCAN_MAX_LISTED:
            self.examined.append(Examined(self.path, format_name, member))

    def skip(self, reason: str, member: str = "") -> None:
        """Write down that something was not looked at."""
        if len(self.skipped) >= SCAN_MAX_LISTED:
            self._more_skipped += 1
        else:
            self.skipped.append(Skipped(self.path, reason, member))

    def report(self) -> Report:
        """The report on the file."""
        skipped = list(self.skipped)
        if self._more_findings:
            skipped.append(Skipped(self.path, f"{self._more_findings} more findings are not listed"))
        if self._more_skipped:
            skipped.append(Skipped(self.path, f"{self._more_skipped} more members were not examined"))
        return Report(
            findings=tuple(self.findings),
            examined=tuple(self.examined),
            inert=(self.path,) if self.inert else (),
            skipped=tuple(skipped),
        )
