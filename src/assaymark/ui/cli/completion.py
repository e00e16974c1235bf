"""``assaymark completion``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from assaymark.ui.cli.main import build_parser

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

EXAMPLES = """\
examples:
  assaymark completion bash > ~/.local/share/bash-completion/completions/assaymark
  assaymark completion zsh > ~/.zfunc/_assaymark      # with ~/.zfunc in your fpath
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``completion``."""
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="the shell")
    parser.epilog = EXAMPLES
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, _outputs: list[tuple[str, Path]]) -> int:
    """Print the script."""
    import shtab

    sys.stdout.write(shtab.complete(build_parser(everything=True), shell=args.shell) + "\n")
    return 0
