from __future__ import annotations

import json
from typing import Any

import pytest

from assaymark.core.canonical import canonical_json
from assaymark.core.errors import InputError
from assaymark.core.report import Confidence, Examined, Finding, Location, Report, Severity, Skipped
from assaymark.core.report_json import printable, report_from_json, report_to_json

REPORT = Report(
    findings=(
        Finding(
            "pickle-unknown-global",
            Severity.HIGH,
            Confidence.LOW,
            "GLOBAL at byte 2 imports a.b",
            (Location("m.pt", 2, None, "archive/data.pkl"), Location("n.txt", line=3)),
        ),
    ),
    examined=(Examined("m.pt", "torch-zip"), Examined("m.pt", "pickle", "archive/data.pkl")),
    inert=("README.md",),
    skipped=(Skipped("a.onnx", "not examined"), Skipped("z.zip", "encrypted", "x")),
    confinement=("files", "memory"),
    unconfined=("network",),
)


def test_the_form_is_the_documented_one() -> None:
    value = report_to_json(REPORT)
    assert value == {
        "outcome": "fail",
        "findings": [
            {
                "rule": "pickle-unknown-global",
                "severity": "high",
                "confidence": "low",
                "message": "GLOBAL at byte 2 imports a.b",
                "locations": [
                    {"path": "m.pt", "offset": 2, "member": "archive/data.pkl"},
                    {"path": "n.txt", "line": 3},
                ],
            }
        ],
        "examined": [
            {"path": "m.pt", "format": "torch-zip"},
            {"path": "m.pt", "format": "pickle", "member": "archive/data.pkl"},
        ],
        "inert": ["README.md"],
        "skipped": [
            {"path": "a.onnx", "reason": "not examined"},
            {"path": "z.zip", "reason": "encrypted", "member": "x"},
        ],
        "confinement": ["files", "memory"],
        "unconfined": ["network"],
    }
    assert canonical_json(value), "it can be signed"


def test_a_report_comes_back_the_same() -> None:
    assert report_from_json(json.loads(json.dumps(report_to_json(REPORT)))) == REPORT
    empty = Report((), (), (), ())
    assert report_from_json(report_to_json(empty)) == empty


def test_hostile_text_is_escaped_and_can_be_signed() -> None:
    text = "a\x1b[2J\udcff\u202e\x85" + "b" * 10_000
    report = Report((), (Examined(text, "text"),), (text,), (Skipped(text, text, text),))
    value = report_to_json(report)
    assert canonical_json(value)
    assert report_from_json(value).inert[0].startswith("a\\x1b[2J\\udcff\\u202e\\x85b")
    assert len(value["inert"][0]) == 4096
    assert printable("line\nbreak") == "line\\x0abreak"


def change(path: str, value: Any) -> dict[str, Any]:
    document: Any = json.loads(json.dumps(report_to_json(REPORT)))
    *parents, last = path.split("/")
    item = document
    for part in parents:
        item = item[int(part)] if isinstance(item, list) else item[part]
    if value is ...:
        del item[last]
    else:
        item[int(last) if isinstance(item, list) else last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("outcome", "pass"),
        ("outcome", "maybe"),
        ("outcome", ...),
        ("findings", ...),
        ("findings", {}),
        ("extra", 1),
        ("findings/0", "text"),
        ("findings/0/rule", "Not A Word"),
        ("findings/0/rule", ...),
        ("findings/0/severity", "dire"),
        ("findings/0/severity", 3),
        ("findings/0/confidence", None),
        ("findings/0/message", 5),
        ("findings/0/message", "x" * 5000),
        ("findings/0/message", "\x1b[31m"),
        ("findings/0/locations", []),
        ("findings/0/locations/0/offset", -1),
        ("findings/0/locations/0/offset", 1.5),
        ("findings/0/locations/0/offset", True),
        ("findings/0/locations/0/offset", 2**60),
        ("findings/0/locations/0/line", "3"),
        ("findings/0/locations/0/path", ...),
        ("findings/0/locations/0/member", None),
        ("findings/0/surprise", 1),
        ("examined/0/format", ...),
        ("inert/0", 7),
        ("inert/0", "\udcff"),
        ("skipped/0/reason", ["x"]),
        ("confinement/0", "FILES"),
        ("unconfined", "network"),
    ],
)
def test_anything_else_is_refused_with_its_place(path: str, value: Any) -> None:
    with pytest.raises(InputError) as error:
        report_from_json(change(path, value))
    assert error.value.code == "report-form"
    assert error.value.position.startswith("$")


@pytest.mark.parametrize("value", [None, [], "x", 1, {}])
def test_what_is_no_report_is_refused(value: Any) -> None:
    with pytest.raises(InputError):
        report_from_json(value)
