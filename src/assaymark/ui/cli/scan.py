"""``assaymark scan``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import completes_files
from assaymark.ui.cli.output import NO, NO_ANSWER, YES, Result, emit

if TYPE_CHECKING:
    import argparse

    from assaymark.core.report import Report

EXAMPLES = """\
  assaymark scan model.pt
  assaymark scan models/ --format json --output text=report.txt
  assaymark scan model/ --fail-on medium

exit code: 0 all clean, 1 a finding at or above --fail-on, 3 something was not examined (1 wins over 3)
"""
_LARGE: Final = 1_000  # files in one report
_LEVELS: Final = ("low", "medium", "high", "critical")


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``scan``."""
    completes_files(parser.add_argument("paths", metavar="PATH", nargs="+", help="a model file or folder"))
    parser.add_argument(
        "--fail-on", choices=_LEVELS, default="high", help="the severity from which a finding fails (default: high)"
    )
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Scan each path; nothing is signed or logged."""
    from assaymark.core.report import ScanOutcome, Severity
    from assaymark.sandbox.pool import Sandbox
    from assaymark.service.scan import scan_with
    from assaymark.ui.cli.progress import Progress
    from assaymark.ui.report.documents import scan_document
    from assaymark.ui.report.text import scan_text

    reports: list[tuple[str, Report]] = []
    with Sandbox(batch=True) as sandbox, Progress("scanning", "files") as progress:
        reports.extend((path, scan_with(sandbox, Path(path), progress.update)) for path in args.paths)
    threshold = Severity[args.fail_on.upper()]
    outcomes = {report.outcome(threshold) for _, report in reports}
    code = NO if ScanOutcome.FAIL in outcomes else NO_ANSWER if ScanOutcome.INCOMPLETE in outcomes else YES
    large = sum(len(report.examined) + len(report.inert) for _, report in reports) > _LARGE
    result = Result(
        code, scan_document(reports, threshold), lambda style: scan_text(reports, style, threshold), large=large
    )
    return emit(result, args.format, outputs)
