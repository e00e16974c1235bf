"""``assaymark impact``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import add_workspace, completes_files, find_workspace
from assaymark.ui.cli.output import YES, Result, emit
from assaymark.ui.report.style import printable

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from assaymark.service.impact import Affected, Impact
    from assaymark.ui.report.style import Style

EXAMPLES = """\
  assaymark impact data/train                        # a poisoned data set: which models and decisions rest on it
  assaymark impact sha256:...                        # a bad base model
  assaymark impact numpy==2.3.1                      # a vulnerable distribution; without a version: all of them
  assaymark impact bob --as key --since 1042         # a stolen key, from entry 1042 on
"""
_SHOWN = 40


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``impact``."""
    completes_files(
        parser.add_argument(
            "cause",
            metavar="SUBJECT|PACKAGE|KEY",
            help="a path or digest, a distribution (NAME, NAME==VERSION, package URL), a key id or a principal",
        )
    )
    parser.add_argument(
        "--as", dest="kind", choices=("subject", "package", "key"), help="what the name is, where it could be several"
    )
    parser.add_argument("--since", type=int, default=0, metavar="INDEX", help="with a key: from which entry on")
    parser.add_argument(
        "--check", action="store_true", help="hold each link against its signatures too (slower; marks forged ones)"
    )
    add_workspace(parser)
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Answer which models and decisions rest on something."""
    from assaymark.service.impact import check, find_cause, impact
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.clock import now
    from assaymark.ui.cli.progress import Progress

    workspace = open_workspace(find_workspace(args))
    found = impact(workspace, find_cause(workspace, args.cause, args.kind), now(), since=args.since)
    if args.check:
        with Progress("checking", "links") as progress:
            found = check(workspace, found, progress.update)
    return emit(Result(YES, _document(found), lambda style: _text(found, style)), args.format, outputs)


def _document(found: Impact) -> dict[str, Any]:
    return {
        "schema": "assaymark:impact/v1",
        "cause": {"kind": found.cause.kind, "id": found.cause.id, "name": found.cause.name},
        "tree_size": found.tree_size,
        "subjects": [
            {
                "digest": item.subject.digest,
                "name": item.subject.name,
                "kind": item.subject.kind,
                "via": item.via,
                "entry": item.entry,
                "depth": item.depth,
                "holds": item.holds,
            }
            for item in found.subjects
        ],
        "decisions": [
            {
                "index": item.index,
                "subject": item.subject,
                "outcome": item.outcome,
                "environment": item.environment,
                "valid_until": item.valid_until,
                "stands": item.stands,
            }
            for item in found.decisions
        ],
        "standing_permits": len(found.standing),
    }


def _text(found: Impact, style: Style) -> str:
    cause = found.cause
    models = [item for item in found.subjects if item.subject.kind == "model"]
    models_rest = "model rests" if len(models) == 1 else "models rest"
    decisions = "decision" if len(found.decisions) == 1 else "decisions"
    permits = "a permit that stands" if len(found.standing) == 1 else "permits that stand"
    head = (
        f"{style(str(len(models)), 'bold')} {models_rest} on {cause.kind} {style(printable(cause.name), 'bold')}, "
        f"with {len(found.decisions)} {decisions}, "
        f"{style(str(len(found.standing)), 'red' if found.standing else 'green', 'bold')} of them {permits}"
    )
    names = {item.subject.digest: item.subject.name for item in found.subjects}
    lines = [head, *(_line(item, names, style) for item in found.subjects[:_SHOWN])]
    if len(found.subjects) > _SHOWN:
        lines.append(f"  and {len(found.subjects) - _SHOWN} more (--format json lists all)")
    if found.standing:
        lines += ["", style("Standing permits:", "bold")]
        for item in found.standing[:_SHOWN]:
            name = printable(names.get(item.subject, cause.name))
            lines.append(f"  {name} for {printable(item.environment)} until {item.valid_until} (entry {item.index})")
            lines.append(
                style(f"      assaymark contain {item.subject} --for {item.environment} --reason ...", "dim")
            )
        if len(found.standing) > _SHOWN:
            lines.append(f"  and {len(found.standing) - _SHOWN} more (--format json lists all)")
    return "\n".join(lines)


def _line(item: Affected, names: dict[str, str], style: Style) -> str:
    via = f" via {printable(names[item.via])}" if item.via in names else ""
    holds = {None: "", True: style(" ✓", "green"), False: style(" signed by nobody whose key counts", "yellow")}
    place = style(f"entry {item.entry}, {item.subject.digest}", "dim")
    return f"  {printable(item.subject.name)} ({item.subject.kind}){via}{holds[item.holds]}  {place}"
