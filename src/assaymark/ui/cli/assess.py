"""``assaymark assess``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import UsageError
from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import completes_files
from assaymark.ui.cli.output import FORMATS, NO, NO_ANSWER, YES, Result, emit

if TYPE_CHECKING:
    import argparse

    from assaymark.assess.engine import Assessment

EXAMPLES = """\
  assaymark assess infrastructure/
  assaymark assess . --format json --output html=assessment.html
  assaymark assess . --isolated k8s:team-a/serviceaccount/trainer s3-bucket-of-team-b

exit code: 0 nothing at or above --fail-on, 1 a finding or an attack path at or above it, 3 something was not read
(1 wins over 3). With --isolated: 0 no path, and the closed set shows it, 1 the path, 3 an unknown condition decides
"""
_LEVELS: Final = ("low", "medium", "high", "critical", "none")


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``assess``."""
    completes_files(
        parser.add_argument("folder", metavar="DIR", help="what the team has: exports, manifests, Terraform, source")
    )
    parser.add_argument(
        "--fail-on",
        choices=_LEVELS,
        default="high",
        help="the severity from which a finding or path fails (default: high)",
    )
    parser.add_argument(
        "--isolated",
        nargs=2,
        metavar=("FROM", "TO"),
        help="answer one question: does anything lead from FROM to TO (ids of nodes, or names that are unique)",
    )
    parser.set_defaults(run=run, formats=(*FORMATS, "sarif", "github", "html"))
    add_examples(parser, EXAMPLES)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Assess the folder; nothing is signed or logged."""
    from assaymark.core.report import Severity
    from assaymark.service.assess import assess_path
    from assaymark.ui.cli.clock import now
    from assaymark.ui.report.assessment import assessment_document
    from assaymark.ui.report.assessment_text import assessment_text

    found, _ = assess_path(Path(args.folder), now())
    if args.isolated:
        return emit(_isolation(found, *args.isolated), args.format, outputs)
    code = YES
    if args.fail_on != "none":
        least = Severity[args.fail_on.upper()]
        worst = [finding.severity for finding in found.findings] + [path.severity for path in found.ranked.paths]
        code = NO if any(severity >= least for severity in worst) else YES
    if code == YES and (found.reading.skipped or not found.reading.read):
        code = NO_ANSWER
    more = {
        "sarif": lambda: _sarif(found, args.folder),
        "github": lambda: _github(found, args.folder),
        "html": lambda: _page(found, args.folder),
    }
    document = assessment_document(found)
    result = Result(code, document, lambda style: assessment_text(found, style), more, large=True)
    return emit(result, args.format, outputs)


def _sarif(found: Assessment, folder: str) -> str:
    import json

    from assaymark.ui.report.assessment_sarif import assessment_sarif

    return json.dumps(assessment_sarif(found, folder), indent=2) + "\n"


def _github(found: Assessment, folder: str) -> str:
    from assaymark.ui.report.assessment_sarif import assessment_annotations

    return assessment_annotations(found, folder)


def _page(found: Assessment, folder: str) -> str:
    from assaymark.ui.report.assessment_page import assessment_page

    return assessment_page(found, Path(folder).resolve().name or folder)


def _isolation(found: Assessment, source: str, target: str) -> Result:
    from assaymark.assess.paths.isolation import isolated
    from assaymark.core.graph import State
    from assaymark.ui.report.assessment import isolation_document
    from assaymark.ui.report.assessment_text import isolation_text

    answer = isolated(found.states, _node(found, source), _node(found, target))
    code = {State.YES: YES, State.NO: NO, State.UNKNOWN: NO_ANSWER}[answer.state]
    return Result(code, isolation_document(answer), lambda style: isolation_text(answer, found, style))


def _node(found: Assessment, text: str) -> str:
    """The node that a person means: its id, else its name, else the end of its id, when only one fits.

    Raises:
        UsageError: ``node-unknown``, ``node-ambiguous``.
    """
    nodes = found.graph.nodes
    if text in nodes:
        return text
    ways = (
        [node.id for node in nodes.values() if node.name == text],
        [node.id for node in nodes.values() if node.id.endswith((f"/{text}", f":{text}"))],
        [node.id for node in nodes.values() if text.lower() in node.id.lower()],
    )
    for fits in ways:
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise UsageError(
                "node-ambiguous",
                f"{text!r} fits {len(fits)} nodes",
                remedy="name one of " + ", ".join(fits[:10]) + (" ..." if len(fits) > 10 else ""),  # noqa: PLR2004
            )
    raise UsageError("node-unknown", f"no node of the graph is called {text!r}", remedy="--format json lists nodes")
