"""``assaymark convert``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import completes_files
from assaymark.ui.cli.output import YES, Result, emit, note

if TYPE_CHECKING:
    import argparse

    from assaymark.service.convert import Conversion
    from assaymark.ui.report.style import Style

EXAMPLES: Final = """\
  assaymark convert model.pt model.safetensors
  assaymark convert model.pt model.safetensors --format json
"""
_SHOWN: Final = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``convert``."""
    completes_files(parser.add_argument("source", metavar="IN", help="the model file to convert; it is not executed"))
    completes_files(
        parser.add_argument("target", metavar="OUT", help="the new file, *.safetensors; never overwritten")
    )
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Convert, and say what was compared and what was left behind."""
    from assaymark.service.convert import convert_file
    from assaymark.ui.cli.progress import Progress

    with Progress("converting") as progress:
        done = convert_file(Path(args.source), Path(args.target), progress.update)
    if done.unconfined:
        note(f"the reader was not confined in: {', '.join(done.unconfined)}")
    result = Result(YES, document(done), lambda style: text(done, style))
    return emit(result, args.format, outputs)


def document(done: Conversion) -> dict[str, Any]:
    """docs/spec/output.md."""
    from assaymark.service.convert import conversion_document

    return {
        "conversion": conversion_document(done),
        "source": {"path": str(done.source), "digest": done.parent.digest},
        "target": {"path": str(done.target), "digest": done.child.digest},
        "aliases": [list(pair) for pair in done.plan.aliases],
    }


def text(done: Conversion, style: Style) -> str:
    """For people."""
    from assaymark.ui.report.style import printable

    plan, compared = done.plan, done.compared
    source, target = printable(str(done.source)), printable(str(done.target))
    equal = f"{compared.tensors} of {len(plan.tensors)} tensors compared byte by byte, all equal"
    lines = [
        f"{style('converted', 'green', 'bold')} {source} ({plan.source}) to {target}",
        f"  {equal}: {compared.size} bytes",
        f"  from {done.parent.digest}",
        f"  to   {done.child.digest}",
    ]
    if plan.aliases:
        lines.append(f"  {len(plan.aliases)} tensors lie in bytes that another has too; each is written in full")
        lines += [f"    {printable(one)} and {printable(two)}" for one, two in plan.aliases[:_SHOWN]]
    if plan.dropped:
        lines.append(f"  left behind ({len(plan.dropped)}):")
        lines += [f"    {printable(what)}" for what in plan.dropped[:_SHOWN]]
        if len(plan.dropped) > _SHOWN:
            lines.append(f"    and {len(plan.dropped) - _SHOWN} more: --format json lists all")
    return "\n".join(lines)
