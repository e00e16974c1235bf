"""``assaymark decide``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.errors import UsageError
from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import (
    add_environment,
    add_model,
    add_workspace,
    completes_files,
    configurations,
    find_workspace,
    pinned_root,
)

if TYPE_CHECKING:
    import argparse

    from assaymark.service.verdict import Verdict

EXAMPLES = """\
  assaymark decide model/ --for production
  assaymark decide model/ --for production --dossier model.dossier   # the offline file of the decision
  assaymark decide --replay model.dossier --root sha256:...          # the same bytes on any machine
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``decide``."""
    add_model(parser, optional=True)
    add_environment(parser, required=False)
    add_workspace(parser)
    completes_files(
        parser.add_argument("--dossier", metavar="FILE", help="write the decision with all it rests on to FILE")
    )
    completes_files(
        parser.add_argument(
            "--replay",
            metavar="DOSSIER",
            help="make a dossier's decision again, at its own time and from it alone; whether it stands now is"
            " `verify --dossier`",
        )
    )
    parser.add_argument("--root", metavar="DIGEST", help="with --replay: the root digest that you pinned")
    completes_files(
        parser.add_argument(
            "--payload", metavar="FILE", help="write the decision's payload, the bytes that are signed, to FILE"
        )
    )
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Decide and log, or replay."""
    from assaymark.ui.cli.verdicts import answer

    if args.replay is not None:
        if args.path is not None or args.environment is not None or args.dossier is not None:
            raise UsageError("replay-usage", "--replay takes no PATH, --for or --dossier: the dossier names all")
        args.path, args.environment = args.replay, ""
        args.root = pinned_root(args)
        return answer(args, outputs, lambda: _replay(args))
    if args.root is not None:
        raise UsageError(
            "root-alone",
            "--root is for --replay; a decision follows the root that the workspace pins",
            remedy="leave --root out, or ask `assaymark verify`",
        )
    if args.path is None or args.environment is None:
        raise UsageError(
            "decide-usage", "decide needs a PATH and --for ENV", remedy="`assaymark decide --help` shows examples"
        )
    return answer(args, outputs, lambda: _decide(args))


def _decide(args: argparse.Namespace) -> Verdict:
    from assaymark.api import state_folder
    from assaymark.policy.statement import decision_payload
    from assaymark.service.decide import decide_path
    from assaymark.service.workspace import open_workspace
    from assaymark.store.files import write_durable
    from assaymark.store.recall import Recall
    from assaymark.ui.cli.clock import now
    from assaymark.ui.cli.output import note, writable

    for file in filter(None, (args.dossier, args.payload)):
        writable(Path(file))
    workspace = open_workspace(find_workspace(args))
    recall = Recall(state_folder())
    verdict, dossier = decide_path(
        workspace,
        Path(args.path),
        args.environment,
        now,
        configurations=configurations(args),
        need_dossier=bool(args.dossier),
        recall=recall,
    )
    for line in recall.notes:
        note(line)
    if args.dossier and dossier is not None:
        write_durable(Path(args.dossier), dossier)
        note(f"dossier: {args.dossier}; verify with --root {workspace.config.root}")
    if args.payload and verdict.decision is not None:
        write_durable(Path(args.payload), decision_payload(verdict.decision))
    return verdict


def _replay(args: argparse.Namespace) -> Verdict:
    from assaymark.core.errors import InputError, VerificationError
    from assaymark.service.verdict import Verdict
    from assaymark.service.verify import read_dossier, replay
    from assaymark.store.files import write_durable
    from assaymark.ui.cli.output import note

    pinned = args.root
    if pinned is None:
        note("no --root: the dossier is held against its own first root, so anyone may have made it")
    try:
        verified = replay(read_dossier(Path(args.replay)), pinned)
    except (InputError, VerificationError) as error:
        raise error.at(args.replay) from None
    if args.payload:
        write_durable(Path(args.payload), verified.payload)
    decision = verified.decision
    return Verdict(
        decision.outcome,
        decision.request.subject,
        decision.request.scope,
        decision.reasons,
        receipt=verified.receipt,
        decision=decision,
        root_digest=pinned or "",
        notes=("the decision was made again from the dossier, with the same bytes",),
    )
