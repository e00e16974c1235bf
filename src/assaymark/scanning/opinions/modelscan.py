"""modelscan 0.8: a JSON report and an exit code; 0 clean, 1 issues, 2 errors, 3 nothing that it can scan.

It names what it scanned and what it skipped, and exits with 0 when it scanned one file and skipped all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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

if TYPE_CHECKING:
    from collections.abc import Iterable

_CLEAN: Final = 0
_KNOWN: Final = (0, 1, 2, 3)


def read(run: Run) -> Reading:
    """What it says of the files of a folder.

    Raises:
        InputError: ``opinion-form``, or a ``json-*`` code.
    """
    if run.exit_code not in _KNOWN:
        return incomplete(f"it ended with {run.exit_code}")
    document = report_object(run)
    issues = objects(document.get("issues"), "$.issues")
    if issues:
        return failed(tuple(_finding(run, item) for item in issues))
    errors = objects(document.get("errors"), "$.errors")
    # A member of an archive that it skips is one that it takes for data.
    unread = {text(item.get("source")) for item in errors}
    seen = _scanned(document)
    missing = [name for name in run.files if name not in seen or name in unread]
    if missing:
        return not_seen(missing)
    if any(":" in name and name.split(":", 1)[0] in run.files for name in unread) or run.exit_code != _CLEAN:
        return incomplete(text(errors[0].get("description")) if errors else f"it ended with {run.exit_code}")
    return passed()


def _scanned(document: dict[str, Any]) -> set[str]:
    """The files that it looked at: itself, or a member (``file:member``)."""
    summary = document.get("summary")
    scanned = summary.get("scanned") if isinstance(summary, dict) else None
    names: Iterable[Any] = scanned.get("scanned_files", []) if isinstance(scanned, dict) else ()
    if not isinstance(scanned, dict) or not isinstance(names, list):
        raise InputError("opinion-form", "the report does not say what was scanned", position="$.summary.scanned")
    found = {text(name) for name in names}
    return found | {name.split(":", 1)[0] for name in found}


def _finding(run: Run, item: dict[str, Any]) -> OpinionFinding:
    name = ".".join(filter(None, (text(item.get("module")), text(item.get("operator")))))
    rule = name or text(item.get("scanner"))
    place = run.place(text(item.get("source")))
    return OpinionFinding(rule, text(item.get("severity")).lower(), place, text(item.get("description")))


SCANNER: Final = SecondScanner(("scan", "-p", PATH, "-r", "json", "-o", REPORT, "--show-skipped"), read)
