"""picklescan 1.0: lines of text and an exit code; 0 clean, 1 dangerous, 2 an error. It has no report to read.

A file that it could not parse it only warns of, and exits with 0: that is no answer. A member's name may hold line
ends, so lines can be made up but none taken away: what counts is the exit code, the last summary and any warning.
"""

from __future__ import annotations

import re
from typing import Final

from assaymark.core.opinion import OpinionFinding
from assaymark.scanning.opinions.reading import (
    PATH,
    Reading,
    Run,
    SecondScanner,
    failed,
    incomplete,
    passed,
)

_FOUND: Final = re.compile(
    r"^(?P<place>.{1,4096}?): (?P<message>dangerous import '(?P<name>[^'\n]*)' FOUND)$", re.MULTILINE
)
_SCANNED: Final = re.compile(r"^Scanned files: ([0-9]{1,9})$", re.MULTILINE)
_INFECTED: Final = re.compile(r"^Infected files: ([0-9]{1,9})$", re.MULTILINE)
_DOUBT: Final = re.compile(r"^(?:WARNING|ERROR)\b.*$", re.MULTILINE)
_CLEAN: Final = 0
_DANGEROUS: Final = 1
_FAILED: Final = 2


def read(run: Run) -> Reading:
    """What it says of one file."""
    scanned, infected = _SCANNED.findall(run.stdout), _INFECTED.findall(run.stdout)
    if not scanned or not infected:
        return incomplete(f"it printed no summary and ended with {run.exit_code}")
    findings = tuple(
        OpinionFinding(match["name"].replace(" ", "."), "dangerous", run.place(match["place"]), match["message"])
        for match in _FOUND.finditer(run.stdout)
    )
    if run.exit_code == _DANGEROUS or (run.exit_code == _FAILED and int(infected[-1])):
        return failed(findings)
    doubt = _DOUBT.search(run.stdout) or _DOUBT.search(run.stderr)
    if doubt is not None:
        return incomplete(doubt[0].replace(run.root, run.place(run.root)))
    if run.exit_code != _CLEAN:
        return incomplete(f"it ended with {run.exit_code}")
    if not int(scanned[-1]):
        return incomplete("it does not look at such a file")
    if int(infected[-1]) or findings:
        return failed(findings, "its summary and its exit code differ")
    return passed()


SCANNER: Final = SecondScanner(("-l", "INFO", "-p", PATH), read, each=True)
