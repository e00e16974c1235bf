"""``assaymark assess``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import UsageError
from assaymark.core.words import counted
from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import add_key, add_workspace, completes_files, find_workspace, passphrase_source
from assaymark.ui.cli.output import FORMATS, NO, NO_ANSWER, YES, Result, emit, note

if TYPE_CHECKING:
    import argparse

    from assaymark.assess.engine import Assessment
    from assaymark.assess.measures import Measures
    from assaymark.assess.reviews import AssessConfig
    from assaymark.assess.rewrite import Rewrite
    from assaymark.service.assess_review import Standing
    from assaymark.ui.report.style import Style

EXAMPLES = """\
  assaymark assess infrastructure/
  assaymark assess . --format json --output html=assessment.html --output sarif=assessment.sarif
  assaymark assess . --isolated k8s:team-a/serviceaccount/trainer weights-of-team-b
  assaymark assess . --config assess.toml --new-only last.json      # fail on what is new and not accepted
  assaymark assess . --diff                                         # written fixes; --fix applies the safe ones
  assaymark assess after/ --baseline before/ --config assess.toml   # how much access went, and that no need did

exit code: 0 nothing at or above --fail-on, 1 a finding or an attack path at or above it, or with --baseline a needed
access that was lost, 3 something was not read (1 wins over 3).
With --isolated: 0 no path, and the closed set shows it, 1 the path, 3 an unknown condition or an unread file decides
"""
_NOT_ISOLATED: Final = ("attest", "baseline", "diff", "fix", "new_only")
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
    completes_files(
        parser.add_argument(
            "--config", metavar="FILE", help="what was decided of findings, and which access is needed (TOML)"
        )
    )
    completes_files(
        parser.add_argument(
            "--new-only", metavar="FILE", help="an earlier --format json: fail on what is not in it only"
        )
    )
    completes_files(
        parser.add_argument(
            "--baseline", metavar="OLD", help="the files as they were: measure what the change took away"
        )
    )
    parser.add_argument(
        "--diff",
        action="store_true",
        help="show written fixes: patches of the files, and least-privilege policies of AWS, RBAC, Azure and Google"
        " Cloud for needs of --config, or for what logs and source in DIR show in use, which solvers attest (with"
        " assaymark[solve])",
    )
    parser.add_argument(
        "--fix", action="store_true", help="apply the patches that are safe: what ran still runs as it did"
    )
    group = parser.add_argument_group("attesting", "log what was found, for policies that ask for it")
    group.add_argument(
        "--attest",
        action="store_true",
        help="sign and log the result about the exact files of DIR (assaymark:assessment/v1); needs a workspace",
    )
    add_workspace(parser)
    add_key(parser, "with --attest: the signer's key, such as file:alice.key (default: the workspace owner's)")
    parser.set_defaults(run=run, formats=(*FORMATS, "sarif", "github", "html"))
    add_examples(parser, EXAMPLES)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Assess the folder; nothing is signed or logged."""
    from assaymark.assess.reviews import AssessConfig
    from assaymark.core.report import Severity
    from assaymark.service.assess import assess_path
    from assaymark.service.assess_review import load_assess_config, load_known, standing, worst_that_counts
    from assaymark.ui.cli.clock import now

    if args.isolated:
        _alone(args, outputs)
    config = load_assess_config(Path(args.config)) if args.config else AssessConfig()
    known = load_known(Path(args.new_only)) if args.new_only else None
    at = now()
    found, _ = assess_path(Path(args.folder), at)
    if args.isolated:
        result = _isolation(found, *args.isolated)
        if found.reading.skipped:
            what = counted(len(found.reading.skipped), "thing")
            note(f"{what} could not be read or resolved (without --isolated: which and why)")
        return emit(result, args.format, outputs)
    before = assess_path(Path(args.baseline), at)[0] if args.baseline else None
    how = standing(found, config, known, at)
    for line in how.notes:
        note(line)
    measures = _measured(before, found, config)
    code = YES
    if args.fail_on != "none":
        least = Severity[args.fail_on.upper()]
        code = NO if any(severity >= least for severity in worst_that_counts(found, how)) else YES
    if measures is not None and measures.lost:
        code = NO
    if code == YES and (found.reading.skipped or not found.reading.read):
        code = NO_ANSWER
    fixes = _fixes(found, config) if args.diff else []
    if args.fix:
        from assaymark.service.assess_fix import apply_safe

        for path in apply_safe(found, Path(args.folder)):
            note(f"fixed {path}; assess again")
    if args.attest:
        _attest(args, found, how, code, measures, fixes)
    return emit(_result(code, found, how, args.folder, before, measures, fixes, diff=args.diff), args.format, outputs)


def _alone(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> None:
    """Refuse what the answer to one question has no place for, and would be left out in silence."""
    given = [f"--{name.replace('_', '-')}" for name in _NOT_ISOLATED if getattr(args, name)]
    given += [f"the format {form}" for form in (args.format, *(name for name, _ in outputs)) if form not in FORMATS]
    if given:
        raise UsageError(
            "assess-usage",
            f"--isolated answers one question, and {given[0]} has no part in it",
            remedy="leave it out, or ask in a run of its own",
        )


def _attest(
    args: argparse.Namespace,
    found: Assessment,
    how: Standing,
    code: int,
    measures: Measures | None,
    fixes: list[Rewrite],
) -> None:
    """Sign and log, and say where."""
    from assaymark.service.assess_review import assessment_predicate
    from assaymark.service.attest import attest_assessment
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.clock import now

    outcome = {YES: "pass", NO: "fail"}.get(code, "incomplete")
    predicate = assessment_predicate(found, how, outcome, args.fail_on, measures, fixes)
    workspace = open_workspace(find_workspace(args))
    signer = workspace.signer(args.key, passphrase_source(args))
    done = attest_assessment(workspace, Path(args.folder), predicate, [signer], now)
    where = f"entry {done.receipt.index}" + ("" if done.new else ", which was there before")
    note(f"assessment of {done.subject.digest} logged: {where}")


def _fixes(found: Assessment, config: AssessConfig) -> list[Rewrite]:
    from assaymark.service.assess_rewrites import rewrites, unasked

    if unasked(found):
        note("what patches do to policies was put to no solver: install assaymark[solve]")
    return rewrites(found, config)


def _measured(before: Assessment | None, found: Assessment, config: AssessConfig) -> Measures | None:
    if before is None:
        return None
    from assaymark.service.assess_review import measured

    return measured(before, found, config)


def _result(
    code: int,
    found: Assessment,
    how: Standing,
    folder: str,
    before: Assessment | None,
    measures: Measures | None,
    fixes: list[Rewrite],
    *,
    diff: bool,
) -> Result:
    import json

    from assaymark.ui.report.assessment import assessment_document
    from assaymark.ui.report.assessment_fixes import fix_lines, patch_lines
    from assaymark.ui.report.assessment_page import assessment_page
    from assaymark.ui.report.assessment_sarif import assessment_annotations, assessment_sarif
    from assaymark.ui.report.assessment_text import assessment_text

    title = Path(folder).resolve().name or folder
    more = {
        "sarif": lambda: json.dumps(assessment_sarif(found, folder, how), indent=2) + "\n",
        "github": lambda: assessment_annotations(found, folder, how),
        "html": lambda: assessment_page(found, title, how, before, measures, fixes),
    }
    document = assessment_document(found, how, measures, fixes)

    def text(style: Style) -> str:
        shown = "".join(patch_lines(found, style)) + "".join(fix_lines(fixes, style)) if diff else ""
        return shown + assessment_text(found, style, how, measures)

    return Result(code, document, text, more, large=True)


def _isolation(found: Assessment, source: str, target: str) -> Result:
    from assaymark.assess.names import find_node
    from assaymark.assess.paths.isolation import isolated
    from assaymark.core.graph import State
    from assaymark.ui.report.assessment import isolation_document
    from assaymark.ui.report.assessment_text import isolation_text

    graph = found.graph
    answer = isolated(found.states, find_node(graph, source), find_node(graph, target), found.reading.unread)
    code = {State.YES: YES, State.NO: NO, State.UNKNOWN: NO_ANSWER}[answer.state]
    return Result(code, isolation_document(answer), lambda style: isolation_text(answer, found, style))
