"""``assaymark submit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import (
    add_environment,
    add_key,
    add_model,
    add_parents,
    add_with,
    add_workspace,
    configurations,
    find_parents,
    find_workspace,
    passphrase_source,
)

if TYPE_CHECKING:
    import argparse

    from assaymark.core.opinion import Opinion
    from assaymark.service.verdict import Verdict

EXAMPLES = """\
  assaymark submit model/ --to production
  assaymark submit model.safetensors --config thresholds.json --to dev --format json
  assaymark submit model/ --to production --key file:bob.key     # Bob is the submitter
  assaymark submit tuned/ --to production --parent base/ --parent data/train --derivation fine-tune
  assaymark submit model.pt --to production --with picklescan,modelscan    # each opinion a statement of its own
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``submit``."""
    add_model(parser)
    add_environment(parser, "--to")
    add_workspace(parser)
    add_parents(parser)
    add_with(parser)
    add_key(parser, "key of the submitter, such as file:bob.key (default: the workspace owner's)")
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Submit, and say whether the model is admitted."""
    from assaymark.ui.cli.verdicts import answer

    return answer(args, outputs, lambda: _submit(args))


def _submit(args: argparse.Namespace) -> Verdict:
    from assaymark.api import state_folder
    from assaymark.core.decision import Scope
    from assaymark.service.scanner_places import scanner_names
    from assaymark.service.submit import submit
    from assaymark.service.workspace import open_workspace
    from assaymark.store.recall import Recall
    from assaymark.ui.cli.clock import now
    from assaymark.ui.cli.output import note
    from assaymark.ui.cli.progress import Progress
    from assaymark.ui.report.opinions import opinion_line

    workspace = open_workspace(find_workspace(args))
    submitter = workspace.signer(args.key, passphrase_source(args))
    recall = Recall(state_folder())
    parents = find_parents(args, workspace)
    names = scanner_names(args.scanners)
    heard: list[Opinion] = []
    with (
        Progress("copying") as copying,
        Progress("scanning", "files") as scanning,
        Progress("asking", "scanners") as asking,
    ):
        verdict = submit(
            workspace,
            Path(args.path),
            Scope(workspace.config.tenant, args.environment),
            submitter,
            now,
            configurations=configurations(args),
            parents=parents,
            operation=args.derivation,
            on_copy=copying.update,
            on_scan=scanning.update,
            recall=recall,
            scanners=names,
            on_asked=asking.update,
            on_opinion=heard.append,
        )
    for opinion in heard:
        note(opinion_line(opinion))
    for line in recall.notes:
        note(line)
    return verdict
