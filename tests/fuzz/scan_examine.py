"""Fuzz target: a whole examination, by every kind of name."""

from assaymark.core.canonical import canonical_json
from assaymark.core.report_json import report_from_json, report_to_json
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

NAMES = ("m.pt", "m.pkl", "m.safetensors", "README.md", "config.json", "c.yaml", "logo.png", "x.zip", "model")


def fuzz(data: bytes) -> None:
    """Nothing is raised, and the report can be signed and read again."""
    name = NAMES[len(data) % len(NAMES)]
    report = examine(BytesView(data), name)
    value = report_to_json(report)
    canonical_json(value)
    again = report_from_json(value)
    if again.outcome() is not report.outcome() or len(again.findings) != len(report.findings):
        raise AssertionError("a report that does not come back")
