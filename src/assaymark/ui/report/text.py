"""Results as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.decision import Mode, Outcome
from assaymark.core.report import ScanOutcome, Severity
from assaymark.core.times import format_time
from assaymark.core.words import counted
from assaymark.scanning.rules import RULES
from assaymark.ui.report.fixes import fix
from assaymark.ui.report.opinions import opinion_lines
from assaymark.ui.report.style import printable

if TYPE_CHECKING:
    from assaymark.core.attestation import Receipt
    from assaymark.core.decision import Reason
    from assaymark.core.report import Finding, Location, Report
    from assaymark.core.subject import Difference
    from assaymark.service.verdict import Verdict
    from assaymark.ui.report.scan_results import ScanResults
    from assaymark.ui.report.style import Style

_COLOUR: Final = {Outcome.PERMIT: "green", Outcome.DENY: "red", Outcome.INDETERMINATE: "yellow"}
_SCAN_COLOUR: Final = {ScanOutcome.PASS: "green", ScanOutcome.FAIL: "red", ScanOutcome.INCOMPLETE: "yellow"}
_SEVERITY_COLOUR: Final = {
    Severity.CRITICAL: "red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "cyan",
}
_MARK: Final = {Outcome.PERMIT: "✓", Outcome.DENY: "✗", Outcome.INDETERMINATE: "?"}
_MODE: Final = {Mode.WARN: "warning", Mode.AUDIT: "audit", Mode.ENFORCE: ""}
_SHOWN: Final = 20


def verdict_text(verdict: Verdict, style: Style) -> str:
    """Outcome first, then each requirement, what differs, what to do, and the receipt."""
    colour = _COLOUR[verdict.outcome]
    lines = [
        (
            f"{style(str(verdict.outcome), colour, 'bold')}  {printable(verdict.subject.name)}"
            + (f" for {printable(verdict.scope.environment)}" if verdict.scope.environment else "")
        ),
    ]
    if verdict.subject.digest:
        lines.append(style(f"  {verdict.subject.digest}", "dim"))
    lines += [reason_line(reason, style) for reason in verdict.reasons]
    if verdict.lineage is not None and len(verdict.lineage.lineage.links):
        from assaymark.ui.report.lineage import tree_lines

        lines += ["", *tree_lines(verdict.lineage, style)]
    if verdict.differences:
        lines += ["", "What differs from the release:"]
        lines += difference_lines(verdict.differences, style)
    if verdict.report is not None and verdict.report.outcome() is not ScanOutcome.PASS:
        lines += ["", "What the scan found:", *_report_lines(verdict.report, style)]
    lines += _remedy_lines("To change this:", [reason for reason in verdict.reasons if reason.stops], style)
    lines += _remedy_lines("To settle the warnings:", [item for item in verdict.reasons if _warns(item)], style)
    lines += ["", *_footer(verdict, style)]
    return "\n".join(lines)


def reason_line(reason: Reason, style: Style) -> str:
    """One requirement: mark, name, message; what is not met and stops nothing says why."""
    colour, mark, name = _COLOUR[reason.outcome], _MARK[reason.outcome], printable(reason.requirement)
    if not reason.met and not reason.stops:
        colour, mark = "yellow", "!"
        name = f"{'exception' if reason.exception is not None else _MODE[reason.mode]}: {name}"
    return f"  {style(mark, colour, 'bold')} {name}: {printable(reason.message)}"


def _warns(reason: Reason) -> bool:
    """Unmet, and someone should see to it although it stops nothing: a warning, or an exception that will end."""
    return not reason.met and not reason.stops and reason.mode is not Mode.AUDIT


def _remedy_lines(title: str, reasons: list[Reason], style: Style) -> list[str]:
    remedies = list(dict.fromkeys(reason.remedy for reason in reasons if reason.remedy))
    return ["", style(title, "bold"), *(f"  {printable(remedy)}" for remedy in remedies)] if remedies else []


def difference_lines(differences: tuple[Difference, ...], style: Style) -> list[str]:
    """The first differences, and how many more there are."""
    lines = [f"  {style('≠', 'red')} {printable(item.path)}: {printable(item.what)}" for item in differences[:_SHOWN]]
    if len(differences) > _SHOWN:
        lines.append(f"  and {len(differences) - _SHOWN} more (--format json lists all)")
    return lines


def receipt_line(receipt: Receipt, style: Style) -> str:
    """Where an entry stands, and who else has seen it."""
    return style(
        f"entry {receipt.index} of {receipt.tree_size} in {receipt.origin} ({receipt.witnessed})",
        "dim",
    )


def scan_text(results: ScanResults, style: Style) -> str:
    """A block for each path: outcome, findings with their places and what to do, what was skipped or let pass."""
    lines: list[str] = []
    for item in results.reports:
        report = item.report
        outcome = report.outcome(results.threshold)
        lines.append(f"{style(str(outcome).upper(), _SCAN_COLOUR[outcome], 'bold')}  {printable(item.path)}")
        lines += _report_lines(report, style)
        lines += [
            style(
                f"  ignored {printable(finding.message)} [{finding.rule}] at {place_text(finding.locations[0])}:"
                f" {printable(entry.reason)} ({printable(entry.owner)})",
                "dim",
            )
            for finding, entry in item.ignored[:_SHOWN]
        ]
        if report.allowed:
            lines.append(style(f"  allowed by configuration: {printable(', '.join(report.allowed))}", "dim"))
        counts = (
            f"  {len(report.examined)} examined, {len(report.inert)} inert, {len(report.skipped)} skipped,"
            f" {counted(len(report.findings), 'finding')}"
        )
        lines.append(style(counts, "dim"))
        if not (report.examined or report.inert or report.skipped or report.findings):
            lines.append("  there is no file to look at")
        lines += opinion_lines(item, results.threshold, style)
        if item.unsigned:
            lines.append(style("  only parts were read: no digest names what was looked at", "yellow"))
        if report.confinement or report.unconfined:
            held = f"  held by: {', '.join(report.confinement) or 'nothing'}"
            lines.append(
                style(held, "dim")
                if not report.unconfined
                else style(f"{held}; not held: {', '.join(report.unconfined)}", "yellow")
            )
        lines.append("")
    rules = sorted({finding.rule for item in results.reports for finding in item.report.findings})
    if rules:
        lines.append(style(f"more on a finding: assaymark explain {rules[0]}", "dim"))
    return "\n".join(lines)


def _report_lines(report: Report, style: Style) -> list[str]:
    ordered = sorted(report.findings, key=lambda finding: -finding.severity)
    lines = [line for finding in ordered[:_SHOWN] for line in _finding_lines(finding, style)]
    if len(ordered) > _SHOWN:
        lines.append(f"  and {counted(len(ordered) - _SHOWN, 'more finding')} (--format json lists all)")
    for item in report.skipped[:_SHOWN]:
        place = f"{item.path}!{item.member}" if item.member else item.path
        lines.append(f"  {style('skipped', 'yellow')} {printable(place)}: {printable(item.reason)}")
    if len(report.skipped) > _SHOWN:
        lines.append(f"  and {len(report.skipped) - _SHOWN} more skipped (--format json lists all)")
    return lines


def _finding_lines(finding: Finding, style: Style) -> list[str]:
    severity = style(finding.severity.name.lower(), _SEVERITY_COLOUR[finding.severity], "bold")
    lines = [f"  {severity} {printable(finding.message)} {style(f'[{finding.rule}]', 'dim')}"]
    lines += [f"      at {place_text(location)}" for location in finding.locations[:3]]
    if RULES[finding.rule].unknown and finding.name:
        lines.append(
            style(f"      if it is yours: assaymark explain {finding.rule} says how to allow it by name", "dim")
        )
    advice = fix(finding.rule)
    if advice:
        lines.append(style(f"      fix: {advice}", "dim"))
    return lines


def place_text(location: Location) -> str:
    """``model.pt!archive/data.pkl byte 37``."""
    place = f"{location.path}!{location.member}" if location.member else location.path
    if location.offset is not None:
        place += f" byte {location.offset}"
    if location.line is not None:
        place += f" line {location.line}"
    return printable(place)


def _footer(verdict: Verdict, style: Style) -> list[str]:
    lines = [style(printable(note), "dim") for note in verdict.notes]
    decision = verdict.decision
    if decision is not None:
        lines.append(
            style(
                f"decided {format_time(decision.decided_at)}, valid until {format_time(decision.valid_until)},"
                f" on {counted(len(decision.inputs), 'entry', 'entries')} below {decision.position.tree_size}",
                "dim",
            )
        )
    if verdict.receipt is not None:
        earlier = decision is not None and verdict.receipt.index < decision.position.tree_size
        lines.append(style("last logged decision: ", "dim") * earlier + receipt_line(verdict.receipt, style))
    return lines
