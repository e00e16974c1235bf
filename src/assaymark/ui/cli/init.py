"""``assaymark init``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import add_passphrase, add_workspace, completes_files
from assaymark.ui.cli.output import YES, Result, emit

if TYPE_CHECKING:
    import argparse

    from assaymark.service.setup import Initialised
    from assaymark.ui.report.style import Style

EXAMPLES = """\
  assaymark init                                       # in ./.assaymark
  assaymark init --workspace /srv/assaymark --owner ada --passphrase-file ada.txt
  assaymark init --policy our-policy.toml
  assaymark init --store folder                        # a log that a web server can show as it lies
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``init``."""
    add_workspace(parser)
    parser.add_argument("--owner", default="owner", metavar="NAME", help="name of the owner (default: owner)")
    parser.add_argument("--tenant", default="default", metavar="NAME", help="name of the tenant (default: default)")
    completes_files(
        parser.add_argument("--policy", metavar="FILE", help="evidence policy in TOML (default: the starter policy)")
    )
    add_passphrase(parser)
    parser.add_argument(
        "--encrypt", action="store_true", help="ask for a passphrase that encrypts the owner's private key"
    )
    parser.add_argument(
        "--store",
        choices=("sqlite", "folder"),
        default="sqlite",
        help="where the log lies: in one SQLite file, or in a folder of tiles (default: sqlite)",
    )
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Make the workspace."""
    from assaymark.core.times import format_time
    from assaymark.service.policy import read_policy
    from assaymark.service.setup import init_workspace
    from assaymark.ui.cli.clock import now
    from assaymark.ui.cli.options import new_passphrase

    folder = Path(args.workspace or os.environ.get("ASSAYMARK_WORKSPACE") or ".assaymark")
    made = init_workspace(
        folder,
        now(),
        owner=args.owner,
        tenant=args.tenant,
        passphrase=new_passphrase(args),
        policy=read_policy(Path(args.policy)).text if args.policy else None,
        store=args.store,
    )
    document = {
        "schema": "assaymark:init/v1",
        "workspace": str(made.folder),
        "owner": made.owner,
        "root": made.root_digest,
        "root_expires": format_time(made.root_expires),
        "origin": made.origin,
        "environments": list(made.environments),
        "owner_key": f"file:{made.owner_key}",
    }
    return emit(Result(YES, document, lambda style: _text(made, style)), args.format, outputs)


def _text(made: Initialised, style: Style) -> str:
    return "\n".join(
        [
            f"{style('Workspace', 'bold')} {made.folder}, environments: {', '.join(made.environments)}",
            f"  root      {made.root_digest}",
            f"  log       {made.origin}",
            f"  owner     {made.owner}, key file:{made.owner_key}",
            "",
            "Give the root digest to everyone who verifies: it is what they pin. Keep the owner's key safe:",
            "with it, and only with it, people are enrolled and the policy changes.",
            "",
            style("Next:", "bold"),
            "  assaymark submit MODEL --to dev",
            "  assaymark keys generate NAME; assaymark keys add NAME --role approver",
        ]
    )
