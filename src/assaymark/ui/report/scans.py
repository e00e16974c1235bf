"""The results of a scan in the forms that other tools and browsers take: GitHub's annotations, a page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.opinion import opinion_to_json
from assaymark.core.report import Severity
from assaymark.core.report_json import printable, report_to_json
from assaymark.core.times import format_time
from assaymark.scanning.rules import RULES
from assaymark.ui.report.fixes import fix
from assaymark.ui.report.opinions import opinion_rows
from assaymark.ui.report.text import place_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.core.report import Finding
    from assaymark.ui.report.scan_results import ScanResult, ScanResults

SCAN_SCHEMA: Final = "assaymark:scan-output/v1"
_COMMANDS: Final = {Severity.INFO: "notice", Severity.LOW: "notice", Severity.MEDIUM: "warning"}
_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1d2327; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; overflow-wrap: anywhere; }
.outcome, .severity { font-weight: 600; padding: .1rem .5rem; border-radius: .25rem; font-size: .85rem; }
.pass { background: #dff3e4; color: #0b5d1e; } .incomplete, .medium { background: #fdf0d2; color: #6b4a00; }
.fail, .critical, .high { background: #fbe0df; color: #8c1510; } .low, .info { background: #e6edf5; color: #274263; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .5rem; }
tr { border-top: 1px solid #d9dde1; } code { font-size: .9em; overflow-wrap: anywhere; } .fix { color: #50575e; }
@media (prefers-color-scheme: dark) { body { background: #16191d; color: #e4e7ea; } .fix { color: #a7adb4; }
  tr { border-color: #343a41; } }
"""


def scan_document(results: ScanResults) -> dict[str, Any]:
    """The contract of ``scan``: one report for each path given; ``outcome`` by the threshold asked for."""
    return {
        "schema": SCAN_SCHEMA,
        "fail_on": results.threshold.name.lower(),
        "reports": [_document(item, results.threshold) for item in results.reports],
    }


def _document(item: ScanResult, threshold: Severity) -> dict[str, Any]:
    value = {"path": item.path, **report_to_json(item.report), "outcome": str(item.report.outcome(threshold))}
    value["unsigned"] = item.unsigned
    value["ignored"] = [
        {
            "rule": finding.rule,
            "path": printable(finding.locations[0].path),
            "message": printable(finding.message),
            "owner": entry.owner,
            "reason": entry.reason,
            "until": format_time(entry.until),
        }
        for finding, entry in item.ignored
    ]
    if item.opinions:
        value["opinions"] = [opinion_to_json(opinion) for opinion in item.opinions]
    return value


def github_annotations(results: ScanResults) -> str:
    """Workflow commands of GitHub Actions, one line for each finding and skip, which show on the changed files."""
    return "".join(f"{line}\n" for line in _annotations(results))


def _annotations(results: ScanResults) -> Iterator[str]:
    for item in results.reports:
        for finding in item.report.findings:
            place = finding.locations[0]
            message = f"{finding.message}\nat {place_text(place)}\n{fix(finding.rule)}"
            yield annotation(finding.severity, finding.rule, _joined(item.path, place.path), place.line, message)
        for skip in item.report.skipped:
            where = f"{skip.path}!{skip.member}" if skip.member else skip.path
            file = _property(_joined(item.path, skip.path))
            yield f"::warning file={file},title=not examined::{_data(f'{where}: {skip.reason}')}"


def annotation(severity: Severity, rule: str, file: str, line: int | None, message: str) -> str:
    """One workflow command: an error, a warning or a notice on a line of a file."""
    command = _COMMANDS.get(severity, "error")
    where = f",line={line}" if line is not None else ""
    title = _property(f"{rule} ({severity.name.lower()})")
    return f"::{command} file={_property(file)}{where},title={title}::{_data(message)}"


def _joined(base: str, path: str) -> str:
    return base if base == path or base.endswith(f"/{path}") else f"{base.rstrip('/')}/{path}"


def _data(text: str) -> str:
    lines = "\n".join(printable(line) for line in text.split("\n"))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def scan_page(results: ScanResults) -> str:
    """One HTML page that needs nothing else: no script, no font, no address."""
    body = "".join(_section(item, results.threshold) for item in results.reports)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>Scan of model files</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>Scan of model files</h1>\n{body}</body>\n</html>\n"
    )


def _section(item: ScanResult, threshold: Severity) -> str:
    report, outcome = item.report, item.report.outcome(threshold)
    counts = f"{len(report.examined)} examined, {len(report.inert)} inert, {len(report.skipped)} skipped"
    title = f'<h2>{_html(item.path)} <span class="outcome {outcome}">{outcome}</span></h2>\n'
    parts = [f"{title}<p>{counts}. A finding of severity {threshold.name.lower()} or above fails.</p>\n"]
    if item.unsigned:
        parts.append("<p>Only parts of it were read, so no digest names what was looked at.</p>\n")
    if report.findings:
        rows = "".join(_row(finding) for finding in sorted(report.findings, key=lambda one: -one.severity))
        head = "<tr><th>severity</th><th>what, and what to do</th><th>where</th></tr>"
        parts.append(f"<table>\n{head}\n{rows}</table>\n")
    skipped = [f"{f'{one.path}!{one.member}' if one.member else one.path}: {one.reason}" for one in report.skipped]
    ignored = [
        f"{finding.rule}: {finding.message} ({entry.owner}: {entry.reason}, until {format_time(entry.until)})"
        for finding, entry in item.ignored
    ]
    parts += [_list("Not examined", skipped), _list("Ignored", ignored)]
    parts.append(_list("Allowed by configuration", list(report.allowed)))
    if item.opinions:
        rows = "".join(
            f'<tr><td>{_html(name)} {_html(version)}</td><td><span class="outcome {said}">{said}</span></td>'
            f"<td>{_html(words)}</td></tr>\n"
            for name, version, said, words in opinion_rows(item, threshold)
        )
        head = "<tr><th>scanner</th><th>says</th><th></th></tr>"
        parts.append(f"<h3>Opinions</h3>\n<table>\n{head}\n{rows}</table>\n")
    return "".join(parts)


def _list(title: str, lines: list[str]) -> str:
    items = "".join(f"<li>{_html(line)}</li>\n" for line in lines)
    return f"<h3>{title}</h3>\n<ul>\n{items}</ul>\n" if lines else ""


def _row(finding: Finding) -> str:
    severity = finding.severity.name.lower()
    places = "<br>".join(f"<code>{_html(place_text(place))}</code>" for place in finding.locations[:3])
    return (
        f'<tr><td><span class="severity {severity}">{severity}</span></td>'
        f"<td>{_html(RULES[finding.rule].title)} <code>{_html(finding.rule)}</code><br>{_html(finding.message)}"
        f'<br><span class="fix">{_html(fix(finding.rule))}</span></td><td>{places}</td></tr>\n'
    )


def _html(text: str) -> str:
    return escape(printable(text))
