"""``assaymark policy``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.errors import InputError
from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import (
    add_action,
    add_environment,
    add_key,
    add_passphrase,
    add_workspace,
    completes_files,
    find_workspace,
    passphrase_source,
)
from assaymark.ui.cli.output import NO, NO_ANSWER, YES, Result, emit
from assaymark.ui.report.style import Style, printable

if TYPE_CHECKING:
    import argparse

    from assaymark.service.policy import PolicyView

SHOW = """\
  assaymark policy show > policy.toml
"""
CHECK = """\
  assaymark policy check policy.toml           # exit 0: well formed, 1: it says where it is not
"""
EXPLAIN = """\
  assaymark policy explain                     # the policy in force, in words
  assaymark policy explain policy.toml --for production
"""
DIFF = """\
  assaymark policy diff current new.toml       # exit 0: no decision would change, 1: it says which and why
  assaymark policy diff entry:1 current --all  # every logged decision, not the newest of each model
"""
TEST = """\
  assaymark policy test cases.toml             # exit 0: all pass, 1: it says which differ
  assaymark policy test cases/*.toml --policy new.toml
"""
APPROVE = """\
  assaymark policy approve new.toml --key file:alice.key      # then: assaymark policy set new.toml
"""
SET = """\
  assaymark policy set policy.toml             # signed by the owner, logged, in force at once
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The verbs of ``policy``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")
    show = add_action(actions, "show", "the policy in force, as TOML", run_show)
    add_workspace(show)
    add_examples(show, SHOW)
    check = add_action(actions, "check", "check a policy file; needs no workspace", run_check)
    completes_files(check.add_argument("file", metavar="FILE", help="the policy, in TOML"))
    add_examples(check, CHECK)
    explain = add_action(actions, "explain", "what a policy demands, in words", run_explain)
    completes_files(
        explain.add_argument("file", metavar="FILE", nargs="?", help="a policy file (default: the one in force)")
    )
    add_environment(explain, required=False)
    add_workspace(explain)
    add_examples(explain, EXPLAIN)
    diff = add_action(
        actions, "diff", "which logged decisions would come out otherwise under another policy", run_diff
    )
    for name in ("old", "new"):
        help_text = "a policy file, `current` for the one in force, or `entry:N` for one of the log"
        completes_files(diff.add_argument(name, metavar=name.upper(), help=help_text))
    diff.add_argument(
        "--all", action="store_true", help="every decision, not the newest of each model and environment"
    )
    add_workspace(diff)
    add_examples(diff, DIFF)
    test = add_action(actions, "test", "run a team's own cases against its policy; needs no workspace", run_test)
    completes_files(test.add_argument("cases", metavar="CASES", nargs="+", help="files of cases, in TOML"))
    completes_files(
        test.add_argument("--policy", metavar="FILE", help="the policy (default: the one that CASES names)")
    )
    add_examples(test, TEST)
    approve = add_action(
        actions,
        "approve",
        "approve a policy that shall replace the one in force",
        run_approve,
    )
    completes_files(approve.add_argument("file", metavar="FILE", help="the policy, in TOML"))
    approve.add_argument("--comment", default="", metavar="TEXT", help="a remark that is signed too")
    add_workspace(approve)
    add_key(approve, "the signer's key (default: the workspace owner's); repeat it to sign together", several=True)
    add_examples(approve, APPROVE)
    put = add_action(actions, "set", "put a policy in force", run_set)
    completes_files(put.add_argument("file", metavar="FILE", help="the policy, in TOML"))
    add_workspace(put)
    completes_files(
        put.add_argument(
            "--key", action="append", default=[], metavar="URI", help="signing key (default: the owner's); repeatable"
        )
    )
    add_passphrase(put)
    add_examples(put, SET)


def run_show(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Print the policy in force."""
    from assaymark.service.policy import current_policy
    from assaymark.service.workspace import open_workspace

    view = current_policy(open_workspace(find_workspace(args)))
    return emit(Result(YES, _document(view), lambda _: view.text.decode()), args.format, outputs)


def run_check(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Say whether a policy file is well formed."""
    from assaymark.service.policy import read_policy
    from assaymark.ui.cli.main import error_document

    try:
        view = read_policy(Path(args.file))
    except InputError as error:
        document = {"schema": "assaymark:policy-check/v1", "valid": False, "error": error_document(error)}
        remedy = f"\n  {printable(error.remedy)}" if error.remedy else ""
        message = printable(str(error))
        return emit(
            Result(NO, document, lambda style: f"{style('NOT VALID', 'red', 'bold')}  {message}{remedy}"),
            args.format,
            outputs,
        )
    document = {"schema": "assaymark:policy-check/v1", "valid": True, **_document(view)}
    names = ", ".join(environment.name for environment in view.policy.environments) or "no environment: it denies all"
    return emit(
        Result(
            YES, document, lambda style: f"{style('VALID', 'green', 'bold')}  {args.file}: {names}\n{view.digest}"
        ),
        args.format,
        outputs,
    )


def run_explain(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Say in words what a policy demands."""
    from assaymark.core.errors import UsageError
    from assaymark.policy.explain import explain_change, explain_environment
    from assaymark.service.policy import current_policy, read_policy
    from assaymark.service.workspace import open_workspace

    view = read_policy(Path(args.file)) if args.file else current_policy(open_workspace(find_workspace(args)))
    known = [environment.name for environment in view.policy.environments]
    if args.environment and args.environment not in known:
        raise UsageError(
            "environment-unknown",
            f"the policy has no environment {args.environment!r}; nothing may run there",
            remedy="it has: " + ", ".join(known),
        )
    names = [args.environment] if args.environment else known
    blocks = {name: list(explain_environment(view.policy, name)) for name in names}
    change = [] if args.environment else explain_change(view.policy)
    document = {
        "schema": "assaymark:policy-explain/v1",
        "policy": view.digest,
        "environments": blocks,
        "change": change,
    }
    shown = blocks | ({"A change of the policy": change} if blocks and change else {})
    return emit(Result(YES, document, lambda style: _explained(shown, style)), args.format, outputs)


def run_diff(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Say which logged decisions another policy would change."""
    from assaymark.service.policy_diff import policy_diff, policy_named
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.progress import Progress
    from assaymark.ui.report.policies import diff_document, diff_text

    workspace = open_workspace(find_workspace(args))
    old, new = (policy_named(name, workspace) for name in (args.old, args.new))
    with Progress("Deciding again", "decisions") as progress:
        found = policy_diff(workspace, old, new, every=args.all, on_progress=progress.update)
    code = NO if found.changes else NO_ANSWER if found.unread else YES
    return emit(Result(code, diff_document(found), lambda style: diff_text(found, style)), args.format, outputs)


def run_test(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Run cases."""
    from assaymark.service.policy_cases import run_policy_cases
    from assaymark.ui.report.policies import cases_document, cases_text

    policy = Path(args.policy) if args.policy else None
    tested = [run_policy_cases(Path(file), policy) for file in args.cases]
    passed = all(result.passed for one in tested for result in one.results)
    return emit(
        Result(YES if passed else NO, cases_document(tested), lambda style: cases_text(tested, style)),
        args.format,
        outputs,
    )


def run_approve(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Approve a policy that shall be set."""
    from assaymark.service.policy import approve_policy, change_needs, read_policy
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.clock import now
    from assaymark.ui.report.documents import receipt_document
    from assaymark.ui.report.text import reason_line, receipt_line

    workspace = open_workspace(find_workspace(args))
    view = read_policy(Path(args.file))
    signers = [workspace.signer(uri, passphrase_source(args)) for uri in (args.key or [None])]
    receipt = approve_policy(workspace, view, signers, now, args.comment)
    needs = change_needs(workspace, view, now())
    document = {
        "schema": "assaymark:policy-approval/v1",
        "policy": view.digest,
        "receipt": receipt_document(receipt),
        "missing": [{"requirement": reason.requirement, "message": reason.message} for reason in needs],
    }

    def text(style: Style) -> str:
        lines = [f"{style('Approved', 'green', 'bold')} the policy {view.digest}", receipt_line(receipt, style)]
        if needs:
            return "\n".join([*lines, "Still missing before it can be set:", *(reason_line(r, style) for r in needs)])
        return "\n".join([*lines, f"It can be set: assaymark policy set {args.file}"])

    return emit(Result(YES, document, text), args.format, outputs)


def run_set(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Sign a policy and put it in force."""
    from assaymark.service.policy import environments_in_force, read_policy, set_policy
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.clock import now
    from assaymark.ui.report.documents import receipt_document
    from assaymark.ui.report.text import receipt_line

    view = read_policy(Path(args.file))
    workspace = open_workspace(find_workspace(args))
    signers = [workspace.signer(uri, passphrase_source(args)) for uri in (args.key or [None])]
    before = environments_in_force(workspace)
    receipt = set_policy(workspace, view, signers, now)
    after = [environment.name for environment in view.policy.environments]
    gone = [name for name in before if name not in after]
    document = {"schema": "assaymark:policy-set/v1", **_document(view), "receipt": receipt_document(receipt)}
    return emit(
        Result(
            YES,
            document,
            lambda style: "\n".join(
                [
                    f"{style('In force', 'green', 'bold')}  {view.digest}",
                    f"  environments: {', '.join(after) or 'none: it denies all'}",
                    *([f"  no longer there, so nothing may run in them: {', '.join(gone)}"] if gone else []),
                    receipt_line(receipt, style),
                ]
            ),
        ),
        args.format,
        outputs,
    )


def _document(view: PolicyView) -> dict[str, object]:
    return {
        "policy": view.digest,
        "index": view.index,
        "environments": [environment.name for environment in view.policy.environments],
        "toml": view.text.decode(),
    }


def _explained(blocks: dict[str, list[str]], style: Style) -> str:
    if not blocks:
        return "The policy has no environment, so it denies everything."
    lines = []
    for name, block in blocks.items():
        lines += [style(name, "bold"), *(f"  {printable(line)}" for line in block), ""]
    return "\n".join(lines)
