"""``assaymark digest``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.words import counted
from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import add_model, configurations
from assaymark.ui.cli.output import YES, Result, emit
from assaymark.ui.report.style import Style, printable

if TYPE_CHECKING:
    import argparse

    from assaymark.core.subject import Manifest

EXAMPLES = """\
  assaymark digest model/
  assaymark digest model/ --format json       # with every file's size and digest
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``digest``."""
    add_model(parser)
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Print the digest; nothing is written."""
    from assaymark.service.model import identify
    from assaymark.ui.cli.progress import Progress

    with Progress("hashing") as progress:
        subject, manifest = identify(Path(args.path), configurations(args), progress.update)
    document = {
        "schema": "assaymark:digest/v1",
        "subject": subject.digest,
        "name": subject.name,
        "kind": manifest.kind,
        "size": manifest.size,
        "files": [{"path": e.path, "size": e.size, "digest": e.digest} for e in manifest.files],
        "configurations": [{"path": e.path, "size": e.size, "digest": e.digest} for e in manifest.configurations],
    }
    return emit(Result(YES, document, lambda style: _text(subject.digest, manifest, style)), args.format, outputs)


def _text(digest: str, manifest: Manifest, style: Style) -> str:
    from assaymark.ui.report.style import human_size

    count = len(manifest.files) + len(manifest.configurations)
    name = printable(manifest.files[0].path) if manifest.kind == "file" else counted(count, "file")
    return f"{digest}\n" + style(f"{name}, {human_size(manifest.size)}", "dim")
