"""Scan reports as SARIF 2.1.0 (OASIS, errata 01), for code scanning and for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from assaymark import __version__
from assaymark.core.report import Severity
from assaymark.core.report_json import printable
from assaymark.scanning.rules import RULES
from assaymark.ui.report.fixes import rule_page, rule_part

if TYPE_CHECKING:
    from assaymark.core.report import Finding, Location
    from assaymark.ui.report.scan_results import ScanResults

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Final = {
    Severity.INFO: "note",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
# What code scanning sorts by: the middle of each band of CVSS.
SCORES: Final = {
    Severity.INFO: "0.0",
    Severity.LOW: "2.0",
    Severity.MEDIUM: "5.5",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}


def sarif_document(results: ScanResults) -> dict[str, Any]:
    """One run with all findings as results; what was skipped is a notification, what was ignored is suppressed."""
    rules = sorted({finding.rule for report in results.reports for finding in report.everything})
    index = {rule: number for number, rule in enumerate(rules)}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "assaymark",
                "semanticVersion": __version__,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    _skipped(report.path, item.path, item.member, item.reason)
                    for report in results.reports
                    for item in report.report.skipped
                ],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [],
    }
    for item in results.reports:
        run["results"] += [_result(item.path, finding, index) for finding in item.report.findings]
        for finding, entry in item.ignored:
            justification = f"{entry.reason} ({entry.owner})"
            suppression = {"kind": "external", "status": "accepted", "justification": justification}
            run["results"].append(_result(item.path, finding, index) | {"suppressions": [suppression]})
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: str) -> dict[str, Any]:
    known = RULES[rule]
    return {
        "id": rule,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": rule_part(rule, "What it is")},
        "help": {"text": rule_part(rule, "What to do"), "markdown": rule_page(rule)},
        "defaultConfiguration": {"level": LEVELS[known.severity]},
        "properties": {"security-severity": SCORES[known.severity], "tags": ["security", "machine-learning"]},
    }


def _result(base: str, finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    return {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": LEVELS[finding.severity],
        "message": {"text": printable(finding.message)},
        "locations": [_location(base, location) for location in finding.locations],
        "properties": {
            "severity": finding.severity.name.lower(),
            "confidence": finding.confidence.name.lower(),
        },
    }


def _location(base: str, location: Location) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": location_uri(base, location.path)}}
    # Offsets count in the member when there is one, and a region is one of the file.
    if location.line is not None:
        physical["region"] = {"startLine": location.line}
    elif location.offset is not None and not location.member:
        physical["region"] = {"byteOffset": location.offset, "byteLength": 0}
    value: dict[str, Any] = {"physicalLocation": physical}
    if location.member:
        member: dict[str, Any] = {"fullyQualifiedName": printable(location.member), "kind": "member"}
        if location.offset is not None:
            member["name"] = f"{printable(location.member)}, byte {location.offset}"
        value["logicalLocations"] = [member]
    return value


def _skipped(base: str, path: str, member: str, reason: str) -> dict[str, Any]:
    place = f"{path}!{member}" if member else path
    return {
        "level": "warning",
        "message": {"text": printable(f"not examined: {place}: {reason}")},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": location_uri(base, path)}}}],
    }


def location_uri(base: str, path: str) -> str:
    """The file from where the command ran: ``base`` is the path that was given, which a single file ends."""
    whole = base if base == path or base.endswith(f"/{path}") else f"{base.rstrip('/')}/{path}"
    return quote(whole.removeprefix("./").encode("utf-8", "surrogateescape"), safe="/:@!$&'()*+,;=~")
