"""``assaymark contain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.errors import UsageError
from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import (
    add_environment,
    add_key,
    add_model,
    add_workspace,
    configurations,
    find_workspace,
    passphrase_source,
)
from assaymark.ui.cli.output import NO, YES, Result, emit
from assaymark.ui.report.style import Style, printable

if TYPE_CHECKING:
    import argparse

    from assaymark.service.contain import Containment

EXAMPLES = """\
  assaymark contain model/ --for production --reason "drift alarm 2041: error rate doubled"
  assaymark contain sha256:... --for production --reason "weights leaked"
  assaymark contain model/ --for production --lift     # needs the evidence that the policy asks for, anew

exit code: 0 done, 1 the lift was refused (the answer says what is missing)
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``contain``."""
    add_model(parser)
    add_environment(parser)
    add_workspace(parser)
    parser.add_argument("--reason", metavar="TEXT", help="why; signed and shown wherever the model is refused")
    parser.add_argument("--lift", action="store_true", help="lift the containment")
    add_key(parser, "the signer's key (default: the workspace owner's)")
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Contain, or lift."""
    from dataclasses import replace

    from assaymark.service.contain import contain, lift
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.clock import now
    from assaymark.ui.cli.remedies import complete

    if not args.lift and not (args.reason or "").strip():
        raise UsageError("contain-usage", "a containment has a --reason TEXT: people will ask")
    workspace = open_workspace(find_workspace(args))
    signer = workspace.signer(args.key, passphrase_source(args))
    act = lift if args.lift else contain
    done = act(
        workspace,
        Path(args.path),
        args.environment,
        args.reason or "",
        signer,
        now,
        configurations=configurations(args),
    )
    done = replace(done, reasons=complete(done.reasons, done.subject.name, args))
    refused = done.contained if args.lift else not done.contained
    result = Result(NO if refused else YES, _document(done), lambda style: _text(done, style, lifting=args.lift))
    return emit(result, args.format, outputs)


def _document(done: Containment) -> dict[str, object]:
    from assaymark.ui.report.documents import reason_document, receipt_document

    return {
        "schema": "assaymark:containment-output/v1",
        "subject": done.subject.digest,
        "name": done.subject.name,
        "environment": done.scope.environment,
        "contained": done.contained,
        "changed": done.changed,
        "outcome": None if done.outcome is None else str(done.outcome),
        "reasons": [reason_document(reason) for reason in done.reasons],
        "receipt": receipt_document(done.receipt),
        "notes": list(done.notes),
    }


def _text(done: Containment, style: Style, *, lifting: bool) -> str:
    from assaymark.ui.report.text import reason_line, receipt_line

    name = f"{printable(done.subject.name)} in {printable(done.scope.environment)}"
    if lifting and done.contained:
        head = f"{style('NOT LIFTED', 'red', 'bold')}  {name} stays contained"
    elif done.contained:
        head = f"{style('CONTAINED', 'red', 'bold')}  {name}: every decision on it is DENY from now on"
    else:
        head = f"{style('NOT CONTAINED', 'green', 'bold')}  {name}"
    lines = [head, style(f"  {done.subject.digest}", "dim")]
    if done.reasons:
        title = "What the lift needs, logged after the containment:" if done.contained else "The decision now:"
        lines += [title, *(reason_line(reason, style) for reason in done.reasons)]
    remedies = list(dict.fromkeys(reason.remedy for reason in done.reasons if reason.stops and reason.remedy))
    if remedies:
        lines += ["", style("To change this:", "bold"), *(f"  {printable(remedy)}" for remedy in remedies)]
    lines += [style(printable(line), "dim") for line in done.notes]
    if done.receipt is not None:
        lines.append(receipt_line(done.receipt, style))
    return "\n".join(lines)
