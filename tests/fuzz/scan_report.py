"""Fuzz target: scan reports as they come back from a confined child."""

import contextlib

from assaymark.core.canonical import parse_json
from assaymark.core.errors import InputError
from assaymark.core.report_json import report_from_json, report_to_json
from assaymark.sandbox.result import held, read_result


def fuzz(data: bytes) -> None:
    """What is read is written again as it was; anything else is an InputError."""
    header, _, body = data.partition(b"\n")
    held(header)
    with contextlib.suppress(InputError):
        read_result("m.pt", header, body)
    try:
        value = parse_json(data)
        report = report_from_json(value)
    except InputError:
        return
    if report_to_json(report) != value:
        raise AssertionError("a report with two spellings")
