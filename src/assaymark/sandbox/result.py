"""Reads what a worker wrote. The worker met hostile bytes, so nothing of it is taken on trust."""

from __future__ import annotations

import signal
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from assaymark.core.canonical import parse_json, parse_object
from assaymark.core.errors import InputError
from assaymark.core.limits import REPORT_MAX_NAME, SANDBOX_OUTPUT_BYTES
from assaymark.core.report import Confidence, Examined, Finding, Location, Report, Skipped, relabelled
from assaymark.core.report_json import printable, report_from_json
from assaymark.sandbox.confine import HOLDS
from assaymark.sandbox.wire import EXITED, SIGNALLED, TIMED_OUT
from assaymark.sandbox.worker import EXIT_DONE, EXIT_MEMORY
from assaymark.scanning.rules import RULES

if TYPE_CHECKING:
    from assaymark.sandbox.limits import SandboxLimits


def read_result(path: str, header: bytes, body: bytes) -> Report:
    """The report on the file shown as ``path``. Every entry must be about that file.

    What held comes from ``header``, which was written before the worker read the file.

    Raises:
        InputError: a ``json-*`` code, ``report-form`` or ``report-path``.
    """
    if body == b'"inert"':
        return Report((), (), (path,), (), confinement=held(header))
    if body.startswith(b"["):
        examined = tuple(Examined(path, word) for word in _formats(body))
        return Report((), examined, (), (), confinement=held(header))
    result = parse_object(body, limit=SANDBOX_OUTPUT_BYTES)
    if "error" in result:
        name = printable(str(result["error"]), 80)
        return failed_report(path, f"the scanner failed on it ({name}): please report this as a bug", header)
    report = report_from_json(result.get("report"))
    shown = printable(path)
    named = {location.path for finding in report.findings for location in finding.locations}
    named |= {item.path for item in report.examined} | {item.path for item in report.skipped} | set(report.inert)
    if not named <= {shown} or any(finding.rule not in RULES for finding in report.findings):
        raise InputError("report-path", "it speaks of another file or of a rule that does not exist")
    return replace(relabelled(report, path), confinement=held(header), unconfined=())


@lru_cache(maxsize=256)  # thousands of files say the same
def _formats(body: bytes) -> tuple[str, ...]:
    words = parse_json(body, limit=SANDBOX_OUTPUT_BYTES)
    if not all(isinstance(word, str) and printable(word, REPORT_MAX_NAME) == word for word in words):
        raise InputError("report-form", "a format that is not printable")
    return tuple(words)


@lru_cache(maxsize=16)
def held(header: bytes | None) -> tuple[str, ...]:
    """What held the worker, by its first line; nothing when the line is not there."""
    try:
        names = parse_object(header or b"").get("confinement")
    except InputError:
        return ()
    return tuple(name for name in HOLDS if isinstance(names, list) and name in names)


def failed_report(path: str, why: str, header: bytes | None, *, hostile: bool = False) -> Report:
    """A report on a file that could not be examined to the end; ``hostile`` when that is the file's doing."""
    rule = RULES["scan-resource"]
    finding = Finding(rule.id, rule.severity, Confidence.MEDIUM, why, (Location(path, offset=0),))
    return Report((finding,) if hostile else (), (), (), (Skipped(path, why),), confinement=held(header))


def judged_result(path: str, data: bytes, complaint: str, status: tuple[int, int], limits: SandboxLimits) -> Report:
    """The report that the worker wrote, or one that says how it failed."""
    header, _, body = data.partition(b"\n")
    complaint = complaint or failure(status, limits)
    if complaint:
        return failed_report(path, f"examining it {complaint}", header, hostile=True)
    try:
        return read_result(path, header, body)
    except InputError as error:
        return failed_report(path, f"its reader gave no proper report: {error.message}", header, hostile=True)


def failure(status: tuple[int, int], limits: SandboxLimits) -> str:
    """How a worker failed, by how it ended; empty when it did not."""
    kind, value = status
    if kind == TIMED_OUT:
        return f"took more than {limits.wall_seconds:g} seconds"
    if kind == SIGNALLED and value == signal.SIGXCPU:
        return f"took more than {limits.cpu_seconds} seconds of CPU"
    if kind == SIGNALLED:
        return f"crashed its reader (signal {value})"
    if kind == EXITED and value == EXIT_MEMORY:
        return f"took more than {limits.memory_bytes // 2**20} MiB of memory"
    return "" if value == EXIT_DONE else f"ended its reader (status {value})"
