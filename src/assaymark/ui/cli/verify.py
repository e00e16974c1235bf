"""``assaymark verify``."""

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
    from assaymark.service.workspace import Workspace

EXAMPLES = """\
  assaymark verify model/ --for production                       # anew, from what the log holds now
  assaymark verify model/ --for production --dossier model.dossier --root sha256:...
  assaymark verify model/ --lineage                               # every link, back to the first ancestors
  assaymark verify model/ --for production --dossier model.dossier --root sha256:... --workspace W
      # also: did the dossier leave anything out, and was the model contained since?
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``verify``."""
    add_model(parser)
    add_environment(parser, required=False)
    add_workspace(parser)
    completes_files(parser.add_argument("--dossier", metavar="FILE", help="the dossier to replay, offline"))
    parser.add_argument(
        "--lineage",
        action="store_true",
        help="also follow what the model was made from to the first ancestors, and name the first link that does not"
        " hold; without --for it is all that is asked",
    )
    parser.add_argument("--root", metavar="DIGEST", help="the root digest that you pinned; needed with --dossier")
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Verify; nothing is written to the log."""
    from assaymark.ui.cli.verdicts import answer

    if args.dossier and not args.root:
        raise UsageError(
            "root-missing",
            "--dossier needs --root: a dossier proves nothing but under a root that you pinned",
            remedy="take the digest from whom you trust: `assaymark init` and `assaymark keys list` print it",
        )
    if args.environment is None and (not args.lineage or args.dossier):
        raise UsageError(
            "verify-usage",
            "verify needs --for ENV: whether a model may run is asked for an environment",
            remedy="`assaymark verify --help` shows examples; --lineage alone does without it",
        )
    args.root = pinned_root(args)
    return answer(args, outputs, lambda: _verify(args))


def _verify(args: argparse.Namespace) -> Verdict:
    from assaymark.api import state_folder
    from assaymark.service.model import identify
    from assaymark.service.verify import read_dossier, verify_in_workspace, verify_lineage, verify_with_dossier
    from assaymark.store.recall import Recall
    from assaymark.ui.cli.clock import now
    from assaymark.ui.cli.output import note
    from assaymark.ui.cli.progress import Progress

    workspace = evidence_workspace(args)
    data = read_dossier(Path(args.dossier)) if args.dossier else b""  # said before a large model is hashed
    with Progress("hashing") as progress:
        subject, manifest = identify(Path(args.path), configurations(args), progress.update, workspace)
    recall = Recall(state_folder())
    if args.environment is None and workspace is not None:
        verdict = verify_lineage(workspace, subject, recall)
    elif workspace is None or args.dossier:
        verdict = verify_with_dossier(
            data,
            args.root,
            subject,
            manifest,
            args.environment,
            now(),
            recall=recall,
            log_copy=workspace,
            source=args.dossier,
            lineage=args.lineage,
        )
    else:
        verdict = verify_in_workspace(
            workspace, subject, manifest, args.environment, now(), recall, lineage=args.lineage
        )
    for line in recall.notes:
        note(line)
    return verdict


def evidence_workspace(args: argparse.Namespace) -> Workspace | None:
    """The workspace to decide from; with a dossier only one that the command line names."""
    from assaymark.service.workspace import open_workspace

    if args.dossier and not args.workspace:
        return None
    workspace = open_workspace(find_workspace(args))
    if args.root and not args.dossier:
        workspace.hold_to(args.root)
    return workspace
