"""Any bytes as the report of a confined scanner that was taken over: refused, or a report that a terminal may show."""

from tests.support.evidence import scan_predicate

from assaymark.core.canonical import canonical_json, parse_json
from assaymark.core.errors import InputError
from assaymark.core.report_json import report_from_json, report_to_json

_FINDING = {
    "rule": "pickle-dangerous-global",
    "severity": "critical",
    "confidence": "high",
    "message": "calls posix.system",
    "locations": [{"path": "model.pkl", "member": "data.pkl", "offset": 12}, {"path": "model.pkl", "line": 3}],
}
_KEYS = ("outcome", "findings", "examined", "inert", "skipped", "confinement", "unconfined")
_GOOD = {key: scan_predicate(confinement=["memory"], unconfined=["network"])[key] for key in _KEYS}

SEEDS = [
    canonical_json(_GOOD),
    canonical_json(
        _GOOD | {"outcome": "fail", "findings": [_FINDING], "skipped": [{"path": "b", "reason": "unknown"}]}
    ),
]


def fuzz(data: bytes) -> None:
    try:
        report = report_from_json(parse_json(data))
    except InputError:
        return
    written = report_to_json(report)
    assert report_from_json(written) == report
    assert parse_json(canonical_json(written)) == written
