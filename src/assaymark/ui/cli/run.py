"""``assaymark run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import UsageError
from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import (
    add_environment,
    add_key,
    add_model,
    add_workspace,
    completes_files,
    pinned_root,
)

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

EXAMPLES: Final = """\
  assaymark run model/ --for production -- python server.py --model {model}
  assaymark run model/ --for production --dossier model.dossier --root sha256:... -- ./server   # offline
  assaymark run model/ --for production --into /models          # an init container: verify, copy, exit
  assaymark run model/ --for production --interval 10s --grace 1s --key file:gpu7.key --point gpu7 -- ./server

{model} in CMD is the path of a private, verified copy; CMD also gets ASSAYMARK_MODEL, ASSAYMARK_MODEL_DIGEST,
ASSAYMARK_ENVIRONMENT and ASSAYMARK_VALID_UNTIL. stdin and stdout are CMD's.

exit code: CMD's own (128 and the signal's number when one killed it); 1 refused or stopped, 3 no answer
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``run``."""
    parser.usage = "assaymark run PATH --for ENV [options] [-- CMD ...]"
    add_model(parser)
    add_environment(parser)
    add_workspace(parser)
    completes_files(parser.add_argument("--dossier", metavar="FILE", help="decide by this dossier, offline"))
    parser.add_argument("--root", metavar="DIGEST", help="the root digest that you pinned; needed with --dossier")
    parser.add_argument(
        "--interval",
        metavar="TIME",
        default="30s",
        help="how often all is read and decided anew when nothing changes (default: 30s)",
    )
    parser.add_argument(
        "--grace", metavar="TIME", default="1s", help="from SIGTERM to SIGKILL when CMD is stopped (default: 1s)"
    )
    completes_files(
        parser.add_argument("--into", metavar="DIR", help="put the verified copy there, whole; CMD may be left out")
    )
    completes_files(
        parser.add_argument(
            "--spool",
            metavar="DIR",
            help="where attempts wait for `log collect` (default: $XDG_STATE_HOME/assaymark/spool)",
        )
    )
    parser.add_argument("--point", metavar="NAME", help="the name of this place in attempts (default: the host's)")
    parser.add_argument(
        "--ignore-source", action="store_true", help="do not stop CMD when PATH changes; it runs on a copy anyway"
    )
    add_key(parser, "key that signs attempts (default: the workspace's service key)")
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Verify a copy, and run a program on it or put it where others read it."""
    from assaymark.ui.cli.launch import run_model

    if not args.command and not args.into:
        raise UsageError(
            "run-usage",
            "there is nothing to do with the model",
            remedy="name a program after --, or a folder for the verified copy: --into DIR",
        )
    if args.dossier and not args.root:
        raise UsageError(
            "root-missing",
            "--dossier needs --root: a dossier proves nothing but under a root that you pinned",
            remedy="take the digest from whom you trust: `assaymark init` and `assaymark keys list` print it",
        )
    args.root = pinned_root(args)
    return run_model(args, outputs)
