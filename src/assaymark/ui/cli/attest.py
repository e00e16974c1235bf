"""``assaymark attest``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.errors import InputError, UsageError
from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import (
    add_environment,
    add_key,
    add_model,
    add_parents,
    add_workspace,
    completes_files,
    configurations,
    find_parents,
    find_workspace,
    passphrase_source,
)
from assaymark.ui.cli.output import YES, Result, emit, note

if TYPE_CHECKING:
    import argparse

    from assaymark.service.attest import Attested
    from assaymark.ui.report.style import Style

EXAMPLES = """\
  assaymark attest approval model/ --for production --key file:alice.key
  assaymark attest approval sha256:... --for production --key file:alice.key --comment "reviewed the card"
  assaymark attest dataset data/train --source https://example.com/corpus --key file:dana.key
  assaymark attest derivation small/ --parent base/ --derivation quantise --key file:dana.key
  assaymark attest https://example.com/review/v1 model/ --predicate review.json --key file:alice.key
  assaymark attest exception model/ --for production --requirement approvals --owner "Eve, search team" \\
      --reason "in service before there was a policy" --until 2026-09-30

TYPE is approval, configuration, containment, dataset, derivation, exception,
opinion, provenance, release, scan, or the URI of a predicate of your own.
A signed predicate holds no floating-point numbers: write them as decimal strings.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``attest``."""
    parser.add_argument("type", metavar="TYPE", help="what is attested: a short name or a predicate's URI")
    add_model(parser)
    add_environment(parser, required=False)
    add_workspace(parser)
    completes_files(parser.add_argument("--predicate", metavar="FILE", help="JSON object with the predicate"))
    parser.add_argument("--comment", default="", metavar="TEXT", help="a remark that is signed too")
    parser.add_argument("--source", default="", metavar="TEXT", help="with dataset: where the data is from")
    add_parents(parser)
    group = parser.add_argument_group("with exception", "a model may run for a time without some requirement")
    group.add_argument(
        "--requirement",
        nargs="+",
        action="extend",
        default=[],
        metavar="ID",
        help="the requirements' ids; repeatable",
    )
    group.add_argument("--owner", metavar="NAME", help="who sees to it that the exception ends")
    group.add_argument("--reason", metavar="TEXT", help="why it is needed")
    group.add_argument("--until", metavar="DATE", help="its end: 2026-09-30 or 2026-09-30T12:00:00Z")
    add_key(
        parser,
        "the signer's key, such as file:alice.key (default: the workspace owner's); repeat it to sign together",
        several=True,
    )
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Sign and log a statement."""
    from assaymark.service.attest import approve, attest, read_predicate
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.clock import now

    if args.type == "derivation" or (args.type == "dataset" and not args.predicate):
        return _origin(args, outputs)
    if args.type == "exception" and not args.predicate:
        return _run_exception(args, outputs)
    plain_approval = args.type == "approval" and not args.predicate
    if plain_approval and not args.environment:
        raise UsageError("attest-usage", "an approval is --for ENV", remedy="`assaymark attest --help`")
    if not plain_approval and not args.predicate:
        raise UsageError("attest-usage", f"{args.type} needs --predicate FILE", remedy="`assaymark attest --help`")
    workspace = open_workspace(find_workspace(args))
    signers = [workspace.signer(uri, passphrase_source(args)) for uri in (args.key or [None])]
    place = Path(args.path)
    if plain_approval:
        done = approve(
            workspace,
            place,
            args.environment,
            signers,
            now,
            configurations=configurations(args),
            comment=args.comment,
        )
    else:
        predicate = read_predicate(Path(args.predicate))
        if args.environment is not None and predicate.get("environment") != args.environment:
            raise UsageError(
                "attest-usage",
                f"--for {args.environment}, but the predicate does not say so: it would count in other environments",
                source=args.predicate,
                remedy=f'write "environment": "{args.environment}" into it, or leave --for out',
            )
        try:
            done = attest(workspace, place, args.type, predicate, signers, now, configurations=configurations(args))
        except InputError as error:
            raise error.at(args.predicate) from None
    return _answer(done, args, outputs)


def _run_exception(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    from assaymark.service.attest import grant_exception
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.clock import now

    flags = {
        "--for": args.environment,
        "--requirement": args.requirement,
        "--owner": args.owner,
        "--reason": args.reason,
        "--until": args.until,
    }
    missing = [flag for flag, value in flags.items() if not value]
    if missing:
        raise UsageError(
            "attest-usage", f"an exception needs {', '.join(missing)}", remedy="`assaymark attest --help`"
        )
    until = _end(args.until)
    workspace = open_workspace(find_workspace(args))
    signers = [workspace.signer(uri, passphrase_source(args)) for uri in (args.key or [None])]
    done = grant_exception(
        workspace,
        Path(args.path),
        args.environment,
        tuple(dict.fromkeys(args.requirement)),
        signers,
        now,
        owner=args.owner,
        reason=args.reason,
        until=until,
        configurations=configurations(args),
    )
    return _answer(done, args, outputs)


def _end(text: str) -> int:
    from assaymark.core.times import parse_time

    try:
        return parse_time(text if "T" in text else f"{text}T00:00:00Z")
    except InputError as error:
        raise UsageError("attest-usage", f"--until: {error.message}", remedy="write it as 2026-09-30") from None


def _answer(done: Attested, args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    for line in done.notes:
        note(f"note: {line}")
    return emit(Result(YES, _document(done), lambda style: _text(done, style)), args.format, outputs)


def _origin(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Describe a data set, or say what a model was made from."""
    from assaymark.service.derive import attest_dataset, attest_derivation
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.clock import now
    from assaymark.ui.cli.progress import Progress

    workspace = open_workspace(find_workspace(args))
    signers = [workspace.signer(uri, passphrase_source(args)) for uri in (args.key or [None])]
    place = Path(args.path)
    if args.type == "dataset":
        with Progress("hashing") as progress:
            done = attest_dataset(
                workspace,
                place,
                signers,
                now,
                source=args.source,
                description=args.comment,
                on_progress=progress.update,
            )
    else:
        done = attest_derivation(
            workspace,
            place,
            args.derivation,
            find_parents(args, workspace),
            signers,
            now,
            configurations=configurations(args),
            comment=args.comment,
        )
    return emit(Result(YES, _document(done), lambda style: _text(done, style)), args.format, outputs)


def _document(done: Attested) -> dict[str, object]:
    from assaymark.ui.report.documents import receipt_document

    return {
        "schema": "assaymark:attested/v1",
        "subject": done.subject.digest,
        "name": done.subject.name,
        "predicate_type": done.predicate_type,
        "principal": ", ".join(done.principals),
        "principals": list(done.principals),
        "new": done.new,
        "receipt": receipt_document(done.receipt),
        "notes": list(done.notes),
    }


def _text(done: Attested, style: Style) -> str:
    from assaymark.ui.report.text import receipt_line

    what = done.predicate_type
    if what.startswith("assaymark:"):
        what = what.removeprefix("assaymark:").removesuffix("/v1")
    by = ", ".join(done.principals)
    already = "" if done.new else " (the log held this very statement already)"
    return "\n".join(
        [
            f"{style('Logged', 'green', 'bold')} {what} of {done.subject.name} by {by}{already}",
            style(f"  {done.subject.digest}", "dim"),
            receipt_line(done.receipt, style),
        ]
    )
