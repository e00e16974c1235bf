"""Scan reports as JSON values, out and strictly in.

The form is part of signed scan statements and is what the confined child sends back: no floats, ASCII keys,
printable text of bounded length. The child is untrusted, so reading checks every field.
Form: ``{"outcome", "findings", "examined", "inert", "skipped", "confinement", "unconfined"}``, and
``allowed`` when it is not empty.
"""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn

from assaymark.core.errors import InputError
from assaymark.core.limits import JSON_MAX_INTEGER, REPORT_MAX_TEXT
from assaymark.core.report import (
    Confidence,
    Examined,
    Finding,
    Location,
    Report,
    ScanOutcome,
    Severity,
    Skipped,
)

_KEYS: Final = frozenset(("outcome", "findings", "examined", "inert", "skipped", "confinement", "unconfined"))
_OPTIONAL: Final = frozenset(("allowed",))
_SEVERITIES: Final = {severity.name.lower(): severity for severity in Severity}
_CONFIDENCES: Final = {confidence.name.lower(): confidence for confidence in Confidence}
_OUTCOMES: Final = frozenset(ScanOutcome)
# Bidirectional controls re-order what a terminal shows (CVE-2021-42574, "Trojan Source").
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
_WORD: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def printable(text: str, limit: int = REPORT_MAX_TEXT) -> str:
    r"""``text`` with control characters and lone surrogates escaped (``\x1b``), cut to ``limit`` characters.

    Names out of hostile files go through this before they reach a report, a terminal or a signature.
    """
    clean = _UNPRINTABLE.sub(_escape, text[: limit + 1])
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - two digits suffice


def report_to_json(report: Report) -> dict[str, Any]:
    """``report`` as a JSON value that may be signed. Every text is made printable; ``None`` fields are left out."""
    value: dict[str, Any] = {
        "outcome": str(report.outcome()),
        "findings": [_finding_to_json(finding) for finding in report.findings],
        "examined": [
            _with_member({"path": printable(item.path), "format": printable(item.format)}, item.member)
            for item in report.examined
        ],
        "inert": [printable(path) for path in report.inert],
        "skipped": [
            _with_member({"path": printable(item.path), "reason": printable(item.reason)}, item.member)
            for item in report.skipped
        ],
        "confinement": list(report.confinement),
        "unconfined": list(report.unconfined),
    }
    if report.allowed:
        value["allowed"] = [printable(name) for name in report.allowed]
    return value


def _finding_to_json(finding: Finding) -> dict[str, Any]:
    value: dict[str, Any] = {
        "rule": finding.rule,
        "severity": finding.severity.name.lower(),
        "confidence": finding.confidence.name.lower(),
        "message": printable(finding.message),
        "locations": [_location_to_json(location) for location in finding.locations],
    }
    if finding.name:
        value["name"] = printable(finding.name)
    return value


def _location_to_json(location: Location) -> dict[str, Any]:
    value: dict[str, Any] = {"path": printable(location.path)}
    if location.offset is not None:
        value["offset"] = location.offset
    if location.line is not None:
        value["line"] = location.line
    return _with_member(value, location.member)


def _with_member(value: dict[str, Any], member: str) -> dict[str, Any]:
    if member:
        value["member"] = printable(member)
    return value


def report_from_json(value: Any) -> Report:
    """The report that ``report_to_json`` wrote; anything else is refused, an outcome that contradicts it too.

    Raises:
        InputError: ``report-form`` with the JSON path as position.
    """
    fields = _object(value, "$", _KEYS | _OPTIONAL)
    if not set(fields) >= _KEYS:
        _refuse("$", f"missing: {', '.join(sorted(_KEYS - set(fields)))}")
    report = Report(
        findings=tuple(_finding(item, at) for item, at in _items(fields, "findings")),
        examined=tuple(_examined(item, at) for item, at in _items(fields, "examined")),
        inert=tuple(_text(item, at) for item, at in _items(fields, "inert")),
        skipped=tuple(_skipped(item, at) for item, at in _items(fields, "skipped")),
        confinement=tuple(_word(item, at) for item, at in _items(fields, "confinement")),
        unconfined=tuple(_word(item, at) for item, at in _items(fields, "unconfined")),
        allowed=tuple(_text(item, at) for item, at in _items(fields, "allowed")) if "allowed" in fields else (),
    )
    if fields["outcome"] not in _OUTCOMES or fields["outcome"] != report.outcome():
        _refuse("$.outcome", "the outcome does not follow from the rest")
    return report


def _finding(item: Any, at: str) -> Finding:
    fields = _object(item, at, frozenset(("rule", "severity", "confidence", "message", "locations", "name")))
    severity, confidence = fields.get("severity"), fields.get("confidence")
    if not isinstance(severity, str) or severity not in _SEVERITIES:
        _refuse(f"{at}.severity", "not a severity")
    if not isinstance(confidence, str) or confidence not in _CONFIDENCES:
        _refuse(f"{at}.confidence", "not a confidence")
    locations = tuple(_location(place, where) for place, where in _items(fields, "locations", at))
    if not locations:
        _refuse(f"{at}.locations", "a finding has a location")
    return Finding(
        _word(fields.get("rule"), f"{at}.rule"),
        _SEVERITIES[severity],
        _CONFIDENCES[confidence],
        _text(fields.get("message"), f"{at}.message"),
        locations,
        _text(fields.get("name", ""), f"{at}.name"),
    )


def _location(item: Any, at: str) -> Location:
    fields = _object(item, at, frozenset(("path", "offset", "line", "member")))
    return Location(
        _text(fields.get("path"), f"{at}.path"),
        _count(fields, "offset", at),
        _count(fields, "line", at),
        _text(fields.get("member", ""), f"{at}.member"),
    )


def _examined(item: Any, at: str) -> Examined:
    fields = _object(item, at, frozenset(("path", "format", "member")))
    return Examined(
        _text(fields.get("path"), f"{at}.path"),
        _text(fields.get("format"), f"{at}.format"),
        _text(fields.get("member", ""), f"{at}.member"),
    )


def _skipped(item: Any, at: str) -> Skipped:
    fields = _object(item, at, frozenset(("path", "reason", "member")))
    return Skipped(
        _text(fields.get("path"), f"{at}.path"),
        _text(fields.get("reason"), f"{at}.reason"),
        _text(fields.get("member", ""), f"{at}.member"),
    )


def _object(value: Any, at: str, allowed: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(at, "expected an object")
    unknown = set(value) - allowed
    if unknown:
        _refuse(at, f"unknown field {min(map(str, unknown))[:40]!r}")
    return value


def _items(fields: dict[str, Any], key: str, at: str = "$") -> list[tuple[Any, str]]:
    value = fields.get(key)
    if not isinstance(value, list):
        _refuse(f"{at}.{key}", "expected a list")
    return [(item, f"{at}.{key}[{i}]") for i, item in enumerate(value)]


def _text(value: Any, at: str) -> str:
    if not isinstance(value, str) or len(value) > REPORT_MAX_TEXT or _UNPRINTABLE.search(value):
        _refuse(at, "expected printable text of bounded length")
    return value


def _word(value: Any, at: str) -> str:
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        _refuse(at, "expected a lower-case word")
    return value


def _count(fields: dict[str, Any], key: str, at: str) -> int | None:
    value = fields.get(key)
    if value is None and key not in fields:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= JSON_MAX_INTEGER:
        _refuse(f"{at}.{key}", "expected a whole number")
    return value


def _refuse(at: str, message: str) -> NoReturn:
    raise InputError("report-form", f"not a scan report: {message}", position=at)
