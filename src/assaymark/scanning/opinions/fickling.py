"""fickling 0.1: text and an exit code; 0 nothing found, 1 unsafe, 2 not parsed. A crash of Python ends with 1 too.

It reads bare pickles, one file at a time. It objects to most ordinary model pickles too.
"""

from __future__ import annotations

from typing import Final

from assaymark.core.opinion import OpinionFinding
from assaymark.scanning.opinions.reading import PATH, REPORT, Reading, Run, SecondScanner, failed, incomplete, passed

_CLEAN: Final = 0
_UNSAFE: Final = 1
_CRASH: Final = "Traceback "
_SAYS_SO: Final = "Warning: Fickling detected that the pickle file may be unsafe."


def read(run: Run) -> Reading:
    """What it says of one file."""
    unsafe = any(line == _SAYS_SO for line in run.stderr.splitlines())
    if run.exit_code == _UNSAFE and unsafe:
        name = run.place(run.root)
        lines = [line.strip() for line in run.stdout.splitlines()]
        return failed(tuple(OpinionFinding("check-safety", "unsafe", name, line) for line in lines if line))
    if run.exit_code == _CLEAN and not run.stderr.strip() and run.report is not None:
        return passed()
    lines = [line.strip() for line in run.stderr.splitlines() if line.strip()]
    if not lines or unsafe:
        return incomplete(f"it ended with {run.exit_code}")
    return incomplete(f"it crashed: {lines[-1]}" if lines[0].startswith(_CRASH) else lines[0])


SCANNER: Final = SecondScanner(("--check-safety", "--print-results", "--json-output", REPORT, PATH), read, each=True)
