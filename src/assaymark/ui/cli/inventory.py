"""``assaymark inventory``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.errors import InputError, UsageError
from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import add_key, add_workspace, completes_files, find_workspace, passphrase_source
from assaymark.ui.cli.output import NO, NO_ANSWER, YES, Result, emit, note

if TYPE_CHECKING:
    import argparse

    from assaymark.service.adopt import Adoption, Terms
    from assaymark.service.inventory import Inventory
    from assaymark.service.model_standing import Standings
    from assaymark.service.workspace import Workspace

EXAMPLES = """\
  assaymark inventory /srv/models                          # with the standing of each, when there is a workspace
  assaymark inventory /srv /home --no-scan --jobs 8        # where models are, quickly
  assaymark inventory /srv/models --fail-on unknown --format json --output text=inventory.txt
  assaymark inventory /srv/models --for production --adopt --dry-run --until 2026-09-30 \\
      --owner "Eve, search team" --reason "in service before there was a policy"

exit code: 0 nothing to complain about by --fail-on, 1 something, 3 something was not looked into, changed
meanwhile or, unless --fail-on none, is not examined by this version (1 wins over 3)
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``inventory``."""
    completes_files(parser.add_argument("paths", metavar="DIR", nargs="+", help="where to look: folders, or files"))
    add_workspace(parser)
    parser.add_argument(
        "--for",
        dest="environments",
        action="append",
        default=[],
        metavar="ENV",
        help="an environment to decide for (default: all of the policy); repeatable",
    )
    parser.add_argument("--no-scan", action="store_true", help="do not look for unsafe parts")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="hash and scan N at a time (default: cores)")
    parser.add_argument(
        "--fail-on",
        choices=("unsafe", "unknown", "none"),
        help="exit 1 when a model is unsafe (default), or also when one is unknown to the log, or never",
    )
    group = parser.add_argument_group("adopting", "log what is in service as it is, with exceptions that end")
    group.add_argument("--adopt", action="store_true", help="adopt each model that is unknown in --for ENV")
    group.add_argument("--until", metavar="DATE", help="the end: 2026-09-30 or 2026-09-30T12:00:00Z")
    group.add_argument("--owner", metavar="NAME", help="who sees to it that the exceptions end")
    group.add_argument("--reason", metavar="TEXT", help="why they are needed")
    group.add_argument(
        "--include-unsafe", action="store_true", help="adopt models with findings of high severity too"
    )
    group.add_argument("--dry-run", action="store_true", help="say what would be adopted, and log nothing")
    add_key(
        parser,
        "key that signs exceptions, such as file:alice.key (default: the workspace owner's); the first one submits;"
        " repeat it to sign together",
        several=True,
    )
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Look, decide, and adopt when that is asked for."""
    from assaymark.ui.report.inventory import inventory_document, inventory_text

    check(args)
    workspace = _workspace(args)
    inventory, standings = look(args, workspace)
    adoptions: list[Adoption] = []
    if args.adopt:
        if workspace is None or standings is None:
            raise UsageError("inventory-usage", "--adopt needs a workspace", remedy="--workspace W")
        adoptions = _adopt(args, workspace, inventory, standings)
    if args.adopt and not args.dry_run:
        inventory = _again(args, workspace, inventory)
    code = exit_code(inventory, args.fail_on or ("none" if args.no_scan else "unsafe"), adoptions)
    result = Result(
        code,
        inventory_document(inventory, adoptions, dry_run=args.dry_run),
        lambda style: inventory_text(inventory, adoptions, style, dry_run=args.dry_run, until=args.until or ""),
    )
    return emit(result, args.format, outputs)


def check(args: argparse.Namespace) -> None:
    """Refuse words that do not go together, before anything is read.

    Raises:
        UsageError: ``inventory-usage``.
    """
    said = {"--until": args.until, "--owner": args.owner, "--reason": args.reason, "--for": args.environments}
    if args.adopt:
        missing = [flag for flag, value in said.items() if not value or not (flag == "--for" or value.strip())]
        if missing:
            raise _usage(f"--adopt needs {', '.join(missing)}")
        if args.no_scan:
            raise _usage("--adopt logs a scan, which --no-scan leaves out")
    elif any((args.until, args.owner, args.reason, args.include_unsafe, args.dry_run, args.key)):
        raise _usage("--until, --owner, --reason, --include-unsafe, --dry-run and --key go with --adopt")
    if args.no_scan and args.fail_on == "unsafe":
        raise _usage("--fail-on unsafe needs the scan that --no-scan leaves out")
    if args.jobs < 0:
        raise _usage("--jobs is a number from 1 on")


def _usage(message: str) -> UsageError:
    return UsageError("inventory-usage", message, remedy="`assaymark inventory --help`")


def _workspace(args: argparse.Namespace) -> Workspace | None:
    """The workspace; none when none is named, none is around and no standing is asked for."""
    from assaymark.service.workspace import open_workspace

    try:
        folder = find_workspace(args)
    except UsageError as error:
        if error.code != "workspace-missing" or args.environments or args.adopt:
            raise
        note("note: no workspace is named and none lies here or above, so nothing is said of standing")
        return None
    return open_workspace(folder)


def look(args: argparse.Namespace, workspace: Workspace | None) -> tuple[Inventory, Standings | None]:
    """The inventory, with progress on stderr."""
    from assaymark.service.inventory import Progresses, take_inventory
    from assaymark.ui.cli.progress import Progress

    standings = _standings(args, workspace)
    with (
        Progress("looking", "files") as finding,
        Progress("hashing", "models") as hashing,
        Progress("scanning", "models") as scanning,
    ):
        inventory = take_inventory(
            [Path(path) for path in args.paths],
            standings=standings,
            workspace_folder=workspace.folder if workspace is not None else None,
            scan=not args.no_scan,
            jobs=args.jobs,
            progress=Progresses(finding.count, hashing.update, scanning.update),
        )
    if standings is not None and standings.truncated:
        note("note: there are too many releases to compare unknown models with the files of each; the newest were")
    return inventory, standings


def _standings(args: argparse.Namespace, workspace: Workspace | None) -> Standings | None:
    if workspace is None:
        return None
    from assaymark.api import state_folder
    from assaymark.service.model_standing import Standings
    from assaymark.store.recall import Recall
    from assaymark.ui.cli.clock import now

    return Standings(workspace, tuple(dict.fromkeys(args.environments)), now(), Recall(state_folder()))


def _adopt(
    args: argparse.Namespace, workspace: Workspace, inventory: Inventory, standings: Standings
) -> list[Adoption]:
    from assaymark.service.adopt import adopt, plan_adoption
    from assaymark.ui.cli.clock import now

    terms = _terms(args)
    signers = [workspace.signer(uri, passphrase_source(args)) for uri in (args.key or [None])]
    plans = plan_adoption(inventory.models, standings, signers, terms, now())
    if args.dry_run:
        return plans
    return adopt(workspace, plans, standings, signers, terms, now)


def _terms(args: argparse.Namespace) -> Terms:
    from assaymark.core.times import parse_time
    from assaymark.service.adopt import Terms

    try:
        until = parse_time(args.until if "T" in args.until else f"{args.until}T00:00:00Z")
    except InputError as error:
        raise _usage(f"--until: {error.message}") from None
    return Terms(args.owner, args.reason, until, include_unsafe=args.include_unsafe)


def _again(args: argparse.Namespace, workspace: Workspace | None, inventory: Inventory) -> Inventory:
    """The same models with the standing that they have now."""
    from dataclasses import replace

    from assaymark.service.inventoried import risk

    standings = _standings(args, workspace)
    if standings is None:
        return inventory
    models = sorted(standings.add(inventory.models), key=lambda item: (risk(item), item.places[0]))
    return replace(inventory, models=tuple(models))


def exit_code(inventory: Inventory, fail_on: str, adoptions: list[Adoption]) -> int:
    """Worst first: something to complain about, or a refused adoption; then what is not known."""
    from assaymark.service.inventoried import UNKNOWN

    if any(item.action == "refuse" for item in adoptions):
        return NO
    if fail_on != "none" and any(model.unsafe for model in inventory.models):
        return NO
    if fail_on == "unknown" and any(
        m.known in ("", UNKNOWN, "part") and m.found.kind == "model" for m in inventory.models
    ):
        return NO
    if inventory.unread or any(model.problem for model in inventory.models):
        return NO_ANSWER
    return NO_ANSWER if fail_on != "none" and any(model.unexamined for model in inventory.models) else YES
