"""modelaudit 0.2: a JSON report and an exit code; 0 nothing found, 1 issues, 2 errors.

A file that it does not know it calls clean: which of its scanners looked at a file is in the file's metadata. Unless
it is told not to, it reports each run to its maker over the network. A link is a finding to it.
"""

from __future__ import annotations

from typing import Any, Final

from assaymark.core.errors import InputError
from assaymark.core.opinion import OpinionFinding
from assaymark.scanning.opinions.reading import (
    PATH,
    REPORT,
    Reading,
    Run,
    SecondScanner,
    failed,
    incomplete,
    not_seen,
    objects,
    passed,
    report_object,
    text,
)

_KNOWN: Final = (0, 1)
_ISSUES: Final = 1
_OBJECTS: Final = ("warning", "error", "critical")
_UNKNOWN: Final = "unknown"


def read(run: Run) -> Reading:
    """What it says of the files of a folder.

    Raises:
        InputError: ``opinion-form``, or a ``json-*`` code.
    """
    document = report_object(run)
    issues = objects(document.get("issues"), "$.issues")
    findings = tuple(_finding(run, item) for item in issues if text(item.get("severity")).lower() in _OBJECTS)
    if findings:
        return failed(findings)
    if run.exit_code not in _KNOWN or document.get("has_errors") is not False:
        return incomplete(f"it ended with {run.exit_code}")
    metadata = document.get("file_metadata")
    if not isinstance(metadata, dict) or not all(isinstance(item, dict) for item in metadata.values()):
        raise InputError("opinion-form", "expected an object of objects", position="$.file_metadata")
    by_file = {run.place(path): item for path, item in metadata.items()}
    missing = [name for name in run.files if name not in by_file or not _seen(by_file[name])]
    if missing:
        return not_seen(missing)
    # Exit code 1 without an issue that we know: it objects to something, in words that we do not.
    return incomplete("it objects without saying to what") if run.exit_code == _ISSUES else passed()


def _seen(item: dict[str, Any]) -> bool:
    """Whether one of its scanners looked at the whole of a file."""
    by = item.get("scanner_dependency_ids")
    if not isinstance(by, list) or not by or _UNKNOWN in by:
        return False
    return not item.get("analysis_incomplete") and item.get("scan_outcome") in (None, "complete")


def _finding(run: Run, item: dict[str, Any]) -> OpinionFinding:
    rule = text(item.get("rule_code")) or text(item.get("type"))
    return OpinionFinding(
        rule, text(item.get("severity")).lower(), run.place(text(item.get("location"))), text(item.get("message"))
    )


SCANNER: Final = SecondScanner(
    ("scan", "--quiet", "--no-cache", "--format", "json", "--output", REPORT, PATH),
    read,
    links=False,
    environment=(("PROMPTFOO_DISABLE_TELEMETRY", "1"),),
)
