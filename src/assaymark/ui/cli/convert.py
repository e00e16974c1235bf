"""``assaymark convert``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import add_environment, add_key, add_workspace, completes_files
from assaymark.ui.cli.output import YES, Result, emit, note

if TYPE_CHECKING:
    import argparse

    from assaymark.service.convert import Conversion
    from assaymark.service.verdict import Verdict
    from assaymark.ui.report.style import Style

EXAMPLES: Final = """\
  assaymark convert model.pt model.safetensors
  assaymark convert model.h5 model.keras            # Keras HDF5 to Keras 3, without its code
  assaymark convert model.pt model.safetensors --format json
  assaymark convert model.pt model.safetensors --to production    # and log, submit and decide

exit code: 0 converted and equal (with --to: and admitted), 1 not admitted, 3 cannot be converted
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``convert``."""
    completes_files(parser.add_argument("source", metavar="IN", help="the model file; it is read and not executed"))
    completes_files(
        parser.add_argument("target", metavar="OUT", help="the new file, .safetensors or .keras; never overwritten")
    )
    add_environment(parser, "--to", required=False)
    add_workspace(parser)
    add_key(parser, "key of the submitter, such as file:bob.key (default: the workspace owner's)")
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Convert, and say what was compared and what was left behind."""
    from assaymark.ui.cli.verdicts import EXIT
    from assaymark.ui.report.conversions import CONVERSION_SCHEMA, conversion_output, conversion_text
    from assaymark.ui.report.documents import verdict_document
    from assaymark.ui.report.text import verdict_text

    done, verdict = _convert(args)
    if done.unconfined:
        note(f"the reader was not confined in: {', '.join(done.unconfined)}")
    document: dict[str, Any] = {"schema": CONVERSION_SCHEMA, "conversions": [conversion_output(done)]}
    if verdict is not None:
        document["verdict"] = verdict_document(verdict)

    def text(style: Style) -> str:
        said = conversion_text(done, style)
        return said if verdict is None else f"{said}\n{verdict_text(verdict, style)}"

    result = Result(YES if verdict is None else EXIT[verdict.outcome], document, text)
    return emit(result, args.format, outputs)


def _convert(args: argparse.Namespace) -> tuple[Conversion, Verdict | None]:
    from assaymark.service.convert import convert_file, convert_into
    from assaymark.ui.cli.progress import Progress

    source, target = Path(args.source), Path(args.target)
    args.path = args.target  # of which the verdict speaks
    if args.environment is None:
        with Progress("converting") as progress:
            return convert_file(source, target, progress.update), None

    from dataclasses import replace

    from assaymark.api import state_folder
    from assaymark.core.decision import Scope
    from assaymark.service.workspace import open_workspace
    from assaymark.store.recall import Recall
    from assaymark.ui.cli.clock import now
    from assaymark.ui.cli.options import find_workspace, passphrase_source
    from assaymark.ui.cli.remedies import complete

    workspace = open_workspace(find_workspace(args))
    submitter = workspace.signer(args.key, passphrase_source(args))
    recall = Recall(state_folder())
    with Progress("converting") as progress, Progress("scanning", "files") as scanning:
        done, verdict = convert_into(
            workspace,
            source,
            target,
            Scope(workspace.config.tenant, args.environment),
            submitter,
            now,
            on_progress=progress.update,
            on_scan=scanning.update,
            recall=recall,
        )
    for line in recall.notes:
        note(line)
    return done, replace(verdict, reasons=complete(verdict.reasons, verdict.subject.name, args))
