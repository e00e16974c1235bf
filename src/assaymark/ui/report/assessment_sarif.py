"""An assessment as SARIF 2.1.0 and as GitHub's annotations: findings, and attack paths as code flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark import __version__
from assaymark.assess.fingerprints import finding_fingerprint, path_fingerprint
from assaymark.assess.kinds import RELATIONS
from assaymark.assess.rules import RULES
from assaymark.core.report import Severity
from assaymark.core.report_json import printable
from assaymark.ui.report.fixes import rule_page, rule_part
from assaymark.ui.report.sarif import LEVELS, SCHEMA, SCORES, location_uri
from assaymark.ui.report.scans import annotation

if TYPE_CHECKING:
    from assaymark.assess.engine import Assessment
    from assaymark.assess.paths.ranked import Path
    from assaymark.core.graph import Because
    from assaymark.service.assess_review import Standing

PATH_RULE: Final = "attack-path"


def assessment_sarif(found: Assessment, base: str, how: Standing) -> dict[str, Any]:
    """One run: findings, then paths, each with its steps as a code flow; what was not read are notifications.

    ``base``: the folder that was assessed, as the command names it.
    """
    used = sorted({finding.rule for finding in found.findings})
    index = {rule: number for number, rule in enumerate((*used, PATH_RULE))}
    results = [
        {
            "ruleId": finding.rule,
            "ruleIndex": index[finding.rule],
            "level": LEVELS[finding.severity],
            "message": {"text": printable(finding.message)},
            "locations": [_location(base, place.path, place.line or 1) for place in finding.locations[:1]],
            "relatedLocations": [_location(base, place.path, place.line or 1) for place in finding.locations[1:]],
            "partialFingerprints": {"assaymark/v1": finding_fingerprint(finding)},
            "properties": {
                "confidence": finding.confidence.name.lower(),
                "references": list(RULES[finding.rule].refs),
            },
        }
        | _standing(how, finding_fingerprint(finding))
        for finding in found.findings
    ]
    results += [
        _path(path, index[PATH_RULE], found, base) | _standing(how, path_fingerprint(path))
        for path in found.ranked.paths
    ]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "assaymark",
                        "semanticVersion": __version__,
                        "rules": [*map(_rule, used), _path_rule()],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [
                            {
                                "level": "warning",
                                "message": {"text": f"not read: {printable(item.reason)}"},
                                "locations": [_location(base, item.path, 1)],
                            }
                            for item in found.reading.skipped
                        ],
                    }
                ],
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _standing(how: Standing, fingerprint: str) -> dict[str, Any]:
    """Whether it is new, where an earlier assessment was given; what is accepted is shown, and suppressed."""
    said: dict[str, Any] = {}
    if how.known is not None:
        said["baselineState"] = "unchanged" if fingerprint in how.known else "new"
    review = how.accepted.get(fingerprint)
    if review is not None:
        reason = printable(f"{review.reason} ({review.owner})")
        said["suppressions"] = [{"kind": "external", "status": "accepted", "justification": reason}]
    return said


def _rule(rule: str) -> dict[str, Any]:
    about = RULES[rule]
    page = rule_page(rule)
    return {
        "id": rule,
        "shortDescription": {"text": about.title},
        "fullDescription": {"text": rule_part(rule, "What it is") or about.title},
        "help": {"text": rule_part(rule, "What to do") or about.title, **({"markdown": page} if page else {})},
        "defaultConfiguration": {"level": LEVELS[about.severity]},
        "properties": {
            "security-severity": SCORES[about.severity],
            "tags": ["security", about.case, *about.refs],
        },
    }


def _path_rule() -> dict[str, Any]:
    return {
        "id": PATH_RULE,
        "shortDescription": {"text": "An attack path"},
        "fullDescription": {"text": "Steps that lead from what an attacker may hold to what must be kept."},
        "help": {"text": "Remove one of the steps; the assessment names the fewest that are enough."},
        "defaultConfiguration": {"level": "error"},
        "properties": {"security-severity": SCORES[Severity.HIGH], "tags": ["security", "attack-path"]},
    }


def _path(path: Path, index: int, found: Assessment, base: str) -> dict[str, Any]:
    nodes = found.graph.nodes
    steps = [
        (place, f"{nodes[step.source].name} {RELATIONS[step.relation].verb} {nodes[step.target].name}: {step.how}")
        for step in path.steps
        for place in step.because[:1]
    ]
    return {
        "ruleId": PATH_RULE,
        "ruleIndex": index,
        "level": LEVELS[path.severity],
        "message": {"text": printable(f"{path.source.name} leads to {path.target.name} in {len(path.steps)} steps")},
        "locations": [_at(base, steps[0][0])],
        "codeFlows": [
            {
                "threadFlows": [
                    {
                        "locations": [
                            {"location": {**_at(base, place), "message": {"text": printable(text)}}}
                            for place, text in steps
                        ]
                    }
                ]
            }
        ],
        "partialFingerprints": {"assaymark/v1": path_fingerprint(path)},
        "properties": {"boundary": "; ".join(path.crosses), "certain": not path.decides},
    }


def _at(base: str, place: Because) -> dict[str, Any]:
    return _location(base, place.path, place.line)


def _location(base: str, path: str, line: int) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": location_uri(base, path)},
            "region": {"startLine": max(line, 1)},
        }
    }


def assessment_annotations(found: Assessment, base: str, how: Standing) -> str:
    """Workflow commands of GitHub Actions: a line for each finding and each path."""
    lines = [
        annotation(
            finding.severity,
            finding.rule,
            _joined(base, finding.locations[0].path),
            finding.locations[0].line,
            f"{finding.message}\n{rule_part(finding.rule, 'What to do')}",
        )
        for finding in found.findings
        if how.counts(finding_fingerprint(finding))
    ]
    for path in found.ranked.paths:
        if not how.counts(path_fingerprint(path)):
            continue
        place = path.steps[0].because[0]
        words = "\n".join(
            f"{step.source} {RELATIONS[step.relation].verb} {step.target}: {step.how}" for step in path.steps
        )
        lines.append(annotation(path.severity, PATH_RULE, _joined(base, place.path), place.line, words))
    return "".join(f"{line}\n" for line in lines)


def _joined(base: str, path: str) -> str:
    return base if base == path or base.endswith(f"/{path}") else f"{base.rstrip('/')}/{path}".removeprefix("./")
