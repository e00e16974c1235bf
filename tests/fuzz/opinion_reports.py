"""Fuzz target: what other scanners print and write. Whatever it is, it is a reading or an InputError."""

import contextlib

from assaymark.core.errors import InputError
from assaymark.core.opinion import Opinion, OpinionOutcome, opinion_to_json
from assaymark.core.part import load_part
from assaymark.scanning.opinions.reading import Run
from assaymark.scanning.opinions.second_scanners import SECOND_SCANNERS

_SUMMARY = b"----------- SCAN SUMMARY -----------\nScanned files: 1\nInfected files: 0\n"
SEEDS = [
    b"\0" + _SUMMARY + b"\0\0",
    b"\1/model: dangerous import 'posix system' FOUND\n" + _SUMMARY + b"\0\0",
    (
        b"\1`from posix import system` is suspicious\0"
        b"Warning: Fickling detected that the pickle file may be unsafe.\n\0{}"
    ),
    b'\0\0\0{"issues": [], "errors": [], "summary": {"scanned": {"scanned_files": ["good.pkl"]}}}',
    (
        b'\0\0\0{"issues": [], "has_errors": false, "file_metadata": '
        b'{"/model/good.pkl": {"scanner_dependency_ids": ["pickle"]}}}'
    ),
]
_SCANNERS = [load_part(part) for part in SECOND_SCANNERS]


def fuzz(data: bytes) -> None:
    """The first byte is the exit code, then come standard output, error and the report, parted by a zero byte."""
    code, rest = data[:1], data[1:]
    out, _, rest = rest.partition(b"\0")
    err, _, report = rest.partition(b"\0")
    for scanner in _SCANNERS:
        run = Run(
            code[0] % 4 if code else 0,
            out.decode(errors="replace"),
            err.decode(errors="replace"),
            report,
            "/model",
            ("good.pkl",),
        )
        with contextlib.suppress(InputError):
            reading = scanner.read(run)
            opinion = Opinion("fuzzed", "1", reading.outcome, reading.findings, reading.detail)
            opinion_to_json(opinion)
            if reading.outcome is OpinionOutcome.PASS and (reading.findings or run.exit_code != 0):
                raise AssertionError("a pass with findings, or in spite of the exit code")
