"""What other scanners print is read as they mean it, and doubt is no answer. The texts and reports are real ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assaymark.core.errors import InputError
from assaymark.core.opinion import OpinionOutcome
from assaymark.core.part import load_part
from assaymark.scanning.opinions.reading import Reading, Run
from assaymark.scanning.opinions.second_scanners import SECOND_SCANNERS

VECTORS = Path(__file__).parents[2] / "vectors" / "opinions"
SCANNERS = {part.id: load_part(part) for part in SECOND_SCANNERS}
PASS, FAIL, INCOMPLETE = OpinionOutcome.PASS, OpinionOutcome.FAIL, OpinionOutcome.INCOMPLETE

SUMMARY = """\
----------- SCAN SUMMARY -----------
Scanned files: {}
Infected files: {}
Suspicious globals: 0
Dangerous globals: {}
"""
CLEAN = SUMMARY.format(1, 0, 0)
DANGEROUS = "/model/bad.pkl: dangerous import 'posix system' FOUND\n" + SUMMARY.format(1, 1, 1)
UNPARSED = "WARNING: could not parse /model/bad.pkl as pickle: at position 0, opcode b'#' unknown\n" + CLEAN
SUSPICIOUS = """\
`from posix import system` is suspicious and indicative of an overtly malicious pickle file
Variable `_var0` is assigned value `system('echo hi')` but unused afterward; this is suspicious
"""
UNSAFE = """\
Warning: Fickling detected that the pickle file may be unsafe.

Do not unpickle this file if it is from an untrusted source!

"""
UNREAD = """\
Fickling failed to parse this pickle file. Error: No pickle files detected
Parsing errors might be indicative of a maliciously crafted pickle file.
"""
CRASH = 'Traceback (most recent call last):\n  File "fickling/cli.py", line 1, in main\nRecursionError\n'


def read(name: str, code: int, out: str = "", err: str = "", report: bytes | None = None, *files: str) -> Reading:
    root = "/model/bad.pkl" if SCANNERS[name].each else "/model"
    return SCANNERS[name].read(Run(code, out, err, report, root, files or ("bad.pkl",)))


def vector(name: str) -> bytes:
    return (VECTORS / f"{name}.json").read_bytes()


@pytest.mark.parametrize(
    ("code", "out", "outcome"),
    [
        (0, CLEAN, PASS),
        (1, DANGEROUS, FAIL),
        (2, DANGEROUS, FAIL),
        (0, UNPARSED, INCOMPLETE),
        (0, SUMMARY.format(0, 0, 0), INCOMPLETE),
        (2, CLEAN, INCOMPLETE),
        (0, "", INCOMPLETE),
        (7, CLEAN, INCOMPLETE),
        (0, DANGEROUS, FAIL),
        # A member of an archive may be called like lines of a summary.
        (0, CLEAN + "ERROR: parsing zip member\n" + SUMMARY.format(0, 0, 0), INCOMPLETE),
        (0, CLEAN + SUMMARY.format(0, 0, 0), INCOMPLETE),
    ],
)
def test_picklescan(code: int, out: str, outcome: OpinionOutcome) -> None:
    assert read("picklescan", code, out).outcome is outcome


def test_picklescan_names_what_it_found_and_where() -> None:
    (finding,) = read("picklescan", 1, DANGEROUS).findings
    assert (finding.rule, finding.place) == ("posix.system", "bad.pkl")
    assert read("picklescan", 0, UNPARSED).detail.startswith("WARNING: could not parse bad.pkl")


@pytest.mark.parametrize(
    ("code", "out", "err", "report", "outcome"),
    [
        (0, "\n", "", b"{}", PASS),
        (1, SUSPICIOUS, UNSAFE, b"{}", FAIL),
        (2, "", UNREAD, None, INCOMPLETE),
        (1, "", CRASH, None, INCOMPLETE),
        (0, "", "", None, INCOMPLETE),
        (0, "", "a warning of tomorrow\n", b"{}", INCOMPLETE),
        (0, "", UNSAFE, b"{}", INCOMPLETE),
    ],
)
def test_fickling(code: int, out: str, err: str, report: bytes | None, outcome: OpinionOutcome) -> None:
    reading = read("fickling", code, out, err, report)
    assert reading.outcome is outcome
    assert (reading.outcome is PASS) is not bool(reading.detail or reading.findings)


def test_modelscan() -> None:
    assert read("modelscan", 0, "", "", vector("modelscan-clean"), "good.pkl").outcome is PASS
    mixed = read("modelscan", 2, "", "", vector("modelscan-mixed"), "bad.pkl", "broken.pkl", "good.pkl")
    assert mixed.outcome is FAIL
    assert [(f.rule, f.severity, f.place) for f in mixed.findings] == [("posix.system", "critical", "bad.pkl")]
    nothing = read("modelscan", 3, "", "", vector("modelscan-nothing"), "odd.xyz")
    assert (nothing.outcome, nothing.detail) == (INCOMPLETE, "it did not look at odd.xyz")


def test_modelscan_that_skipped_a_file_or_could_not_read_it_has_no_answer() -> None:
    clean = vector("modelscan-clean")
    assert read("modelscan", 0, "", "", clean, "good.pkl", "model.bin").outcome is INCOMPLETE
    assert read("modelscan", 2, "", "", clean, "good.pkl").outcome is INCOMPLETE
    assert read("modelscan", 9, "", "", clean, "good.pkl").outcome is INCOMPLETE
    mixed = json.loads(vector("modelscan-mixed"))
    mixed["issues"] = []
    unread = read("modelscan", 2, "", "", json.dumps(mixed).encode(), "broken.pkl", "good.pkl")
    assert (unread.outcome, unread.detail) == (INCOMPLETE, "it did not look at broken.pkl")
    mixed["errors"] = [{"description": "a member", "source": "good.pkl:data.pkl"}]
    assert read("modelscan", 0, "", "", json.dumps(mixed).encode(), "good.pkl").outcome is INCOMPLETE


def test_modelscan_knows_a_member_as_part_of_its_file() -> None:
    report = {"issues": [], "errors": [], "summary": {"scanned": {"scanned_files": ["m.pt:m/data.pkl"]}}}
    assert read("modelscan", 0, "", "", json.dumps(report).encode(), "m.pt").outcome is PASS


def test_modelaudit() -> None:
    assert read("modelaudit", 0, "", "", vector("modelaudit-clean"), "good.pkl").outcome is PASS
    mixed = read("modelaudit", 1, "", "", vector("modelaudit-mixed"), "bad.pkl", "broken.pkl", "good.pkl")
    assert mixed.outcome is FAIL
    assert [(f.rule, f.severity, f.place) for f in mixed.findings] == [
        ("S201", "critical", "bad.pkl (pos 42)"),
        ("S901", "warning", "broken.pkl (pos 9)"),
    ]
    unknown = read("modelaudit", 0, "", "", vector("modelaudit-unknown"), "odd.xyz")
    assert (unknown.outcome, unknown.detail) == (INCOMPLETE, "it did not look at odd.xyz")


def test_modelaudit_that_did_not_read_to_the_end_has_no_answer() -> None:
    clean = vector("modelaudit-clean")
    assert read("modelaudit", 0, "", "", clean, "good.pkl", "other.pkl").outcome is INCOMPLETE
    assert read("modelaudit", 1, "", "", clean, "good.pkl").outcome is INCOMPLETE
    assert read("modelaudit", 2, "", "", clean, "good.pkl").outcome is INCOMPLETE
    for change in ({"analysis_incomplete": True}, {"scan_outcome": "inconclusive"}, {"scanner_dependency_ids": []}):
        document = json.loads(clean)
        document["file_metadata"]["/model/good.pkl"] |= change
        assert read("modelaudit", 0, "", "", json.dumps(document).encode(), "good.pkl").outcome is INCOMPLETE


@pytest.mark.parametrize("name", ["modelscan", "modelaudit"])
@pytest.mark.parametrize(
    "report", [None, b"", b"[]", b"{}", b"not JSON", b'{"issues": [1]}', b'{"issues": [], "issues": []}']
)
def test_a_report_that_is_none_is_refused(name: str, report: bytes | None) -> None:
    with pytest.raises(InputError):
        read(name, 0, "", "", report)


def test_each_scanner_has_a_lock_that_pins_it_with_hashes() -> None:
    from assaymark.service.scanner_install import lock_of

    for part in SECOND_SCANNERS:
        lock = lock_of(part.id)
        assert f"{part.id}==" in lock
        assert "--hash=sha256:" in lock
        assert "://" not in lock
