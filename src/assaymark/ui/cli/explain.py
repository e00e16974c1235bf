"""``assaymark explain``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import add_workspace
from assaymark.ui.cli.output import YES, Result, emit

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = """\
  assaymark explain pickle-dangerous-global    # a rule of the scanner
  assaymark explain link-leaves                # an error's code
  assaymark explain approval                   # a predicate
  assaymark explain 7                          # an entry of the log, as `assaymark log show 7`
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``explain``."""
    parser.add_argument(
        "id", metavar="ID", help="a rule, an error code, a predicate, a page of docs/spec, or an index"
    )
    add_workspace(parser)
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Print the page."""
    from assaymark.service.explain import explain

    if args.id.isdecimal() and args.id.isascii():
        from assaymark.ui.cli.log import run_show

        return run_show(argparse.Namespace(**vars(args), index=int(args.id), limit=1), outputs)
    page = explain(args.id)
    document = {"schema": "assaymark:explain/v1", "id": args.id, "kind": page.kind, "text": page.text}
    return emit(Result(YES, document, lambda _: page.text), args.format, outputs)
