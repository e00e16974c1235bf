"""``assaymark lineage``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import (
    add_action,
    add_model,
    add_workspace,
    completes_files,
    configurations,
    find_workspace,
)
from assaymark.ui.cli.output import NO, YES, Result, emit, note, writable

if TYPE_CHECKING:
    import argparse

SHOW = """\
  assaymark lineage show model/                       # what it was made from, to the first ancestors
  assaymark lineage show sha256:... --svg lineage.svg
  assaymark lineage show model/ --format json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The verbs of ``lineage``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")
    show = add_action(actions, "show", "draw what a model was made from; exits with 1 when a link does not hold", run)
    add_model(show)
    add_workspace(show)
    completes_files(show.add_argument("--svg", metavar="FILE", help="also write the lineage as a picture"))
    add_examples(show, SHOW)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Show a lineage."""
    from assaymark.api import state_folder
    from assaymark.service.lineage import lineage_in
    from assaymark.service.model import subject_at
    from assaymark.service.workspace import open_workspace
    from assaymark.store.files import write_durable
    from assaymark.store.recall import Recall
    from assaymark.ui.report.lineage import lineage_document, lineage_svg, lineage_text

    if args.svg:
        writable(Path(args.svg))
    workspace = open_workspace(find_workspace(args))
    subject, _ = subject_at(workspace, Path(args.path), configurations(args))
    recall = Recall(state_folder())
    view = lineage_in(workspace, subject, recall)
    for line in recall.notes:
        note(line)
    if args.svg:
        write_durable(Path(args.svg), lineage_svg(view).encode())
    return emit(
        Result(YES if view.reason.met else NO, lineage_document(view), lambda style: lineage_text(view, style)),
        args.format,
        outputs,
    )
