"""``assaymark log``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from assaymark.core.errors import UsageError
from assaymark.core.words import counted
from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import add_action, add_workspace, completes_files, find_workspace
from assaymark.ui.cli.output import NO, YES, Result, emit
from assaymark.ui.report.style import Style, printable

if TYPE_CHECKING:
    import argparse

    from assaymark.service.log import EntryView

SHOW_EXAMPLES = """\
  assaymark log show                  # the newest 20 entries
  assaymark log show 7                # one entry, whole
  assaymark log show --limit 100 --format json
"""
PROVE_EXAMPLES = """\
  assaymark log prove 7                               # a C2SP tlog-proof on stdout
  assaymark log prove 7 --proof entry7.tlog-proof
"""
CHECK_EXAMPLES = """\
  assaymark log check                                 # exit 0: sound, 1: it says what is wrong, by index
"""
EXPORT_EXAMPLES = """\
  assaymark log export /media/usb/log-copy            # a mirror without any key, for auditors
  assaymark log check --workspace /media/usb/log-copy
"""


COLLECT_EXAMPLES = """\
  assaymark log collect                               # what `assaymark run` on this machine was asked for
  assaymark log collect /media/usb/spool              # brought from another one
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The verbs of ``log``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")
    show = _action(actions, "show", "list entries, or show one whole", SHOW_EXAMPLES, run_show)
    show.add_argument("index", metavar="INDEX", nargs="?", type=int, help="the entry to show whole")
    show.add_argument(
        "--limit", type=int, default=20, metavar="N", help="how many entries, newest last (default: 20)"
    )
    prove = _action(actions, "prove", "the inclusion proof of an entry", PROVE_EXAMPLES, run_prove)
    prove.add_argument("index", metavar="INDEX", type=int, help="the entry")
    completes_files(prove.add_argument("--proof", metavar="FILE", help="write the tlog-proof to FILE"))
    _action(actions, "check", "compute the whole log again", CHECK_EXAMPLES, run_check)
    export = _action(actions, "export", "copy the log, without keys", EXPORT_EXAMPLES, run_export)
    completes_files(export.add_argument("folder", metavar="FOLDER", help="a folder that does not exist yet"))
    collect = _action(
        actions, "collect", "log the attempts that enforcement points have spooled", COLLECT_EXAMPLES, run_collect
    )
    completes_files(
        collect.add_argument(
            "spool",
            metavar="SPOOL",
            nargs="?",
            help="the folder of `run --spool` (default: $XDG_STATE_HOME/assaymark/spool)",
        )
    )


def _action(actions: Any, name: str, summary: str, examples: str, run: Any) -> argparse.ArgumentParser:
    child = add_action(actions, name, summary, run)
    add_workspace(child)
    add_examples(child, examples)
    return child


def run_show(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """List the newest entries, or one whole."""
    from assaymark.service.log import entry_view
    from assaymark.service.workspace import open_workspace

    if args.limit < 1:
        raise UsageError("log-limit", "--limit is a whole number from 1")
    workspace = open_workspace(find_workspace(args))
    tree = workspace.trust()
    size = tree.checkpoint.size
    indices = range(max(0, size - args.limit), size) if args.index is None else [args.index]
    views = [entry_view(workspace, tree, index) for index in indices]
    document = {
        "schema": "assaymark:log/v1",
        "origin": tree.checkpoint.origin,
        "tree_size": size,
        "root_hash": tree.checkpoint.root_hash.hex(),
        "witness": "unwitnessed",
        "entries": [_entry_document(view, whole=args.index is not None) for view in views],
    }
    whole = views[0] if args.index is not None else None
    head = f"{tree.checkpoint.origin}, {counted(size, 'entry', 'entries')} (unwitnessed)"
    return emit(
        Result(YES, document, lambda style: _whole(whole, style) if whole else _list(head, views, style)),
        args.format,
        outputs,
    )


def _entry_document(view: EntryView, *, whole: bool) -> dict[str, object]:
    from assaymark.core.times import format_time

    document: dict[str, object] = {
        "index": view.index,
        "time": format_time(view.logged_at),
        "kind": view.kind,
        "subjects": [
            {"name": name, "digest": digest} for name, digest in zip(view.subjects, view.digests, strict=True)
        ],
        "principals": list(view.principals),
        "summary": view.summary,
        "envelope": view.envelope_digest,
    }
    return document | {"predicate": view.detail} if whole else document


def _list(head: str, views: list[EntryView], style: Style) -> str:
    from assaymark.core.times import format_time

    lines = [style(head, "dim")]
    for view in views:
        who = ", ".join(view.principals) or style("nobody in the root", "red")
        name = printable(view.subjects[0]) if view.subjects else ""
        lines.append(
            f"{view.index:>6}  {format_time(view.logged_at)}  {style(f'{view.kind:<13}', 'cyan')} "
            f"{name}  {style(printable(view.summary), 'bold')}  by {who}"
        )
    return "\n".join(lines)


def _whole(view: EntryView, style: Style) -> str:
    import json

    from assaymark.core.times import format_time

    lines = [
        f"{style(f'entry {view.index}', 'bold')}  {view.kind}  {format_time(view.logged_at)} (log-claimed)",
        f"  envelope  {view.envelope_digest}",
        *(
            f"  subject   {printable(name)}  {digest}"
            for name, digest in zip(view.subjects, view.digests, strict=True)
        ),
        f"  signed by {', '.join(view.principals) or 'nobody in the trust root'}",
        json.dumps(view.detail, indent=2, ensure_ascii=True),
    ]
    return "\n".join(lines)


def run_prove(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Print or write the tlog-proof of an entry."""
    from assaymark.service.log import prove
    from assaymark.service.workspace import open_workspace
    from assaymark.store.files import write_durable
    from assaymark.tlog.proof import format_receipt
    from assaymark.ui.report.documents import receipt_document

    receipt = prove(open_workspace(find_workspace(args)), args.index)
    proof = format_receipt(receipt)
    if args.proof:
        write_durable(Path(args.proof), proof)
    document = {"schema": "assaymark:receipt/v1", "receipt": receipt_document(receipt)}
    return emit(Result(YES, document, lambda _: proof.decode()), args.format, outputs)


def run_check(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Check all of the log."""
    from assaymark.core.errors import AssaymarkError
    from assaymark.service.log import check
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.progress import Progress

    folder = find_workspace(args)
    size = 0
    try:
        workspace = open_workspace(folder)
        with Progress("checking", "entries") as progress:
            size, problems = check(workspace, progress.update)
        wrong = [{"index": problem.index, "what": problem.what} for problem in problems]
    except UsageError:
        raise
    except AssaymarkError as error:  # a log that cannot even be opened is not sound
        wrong = [{"index": None, "what": str(error)}]
    document = {"schema": "assaymark:log-check/v1", "entries": size, "sound": not wrong, "problems": wrong}
    return emit(
        Result(NO if wrong else YES, document, lambda style: _check_text(size, wrong, style)), args.format, outputs
    )


def _check_text(size: int, wrong: list[dict[str, Any]], style: Style) -> str:
    if not wrong:
        sound = f"{style('SOUND', 'green', 'bold')}  {counted(size, 'entry', 'entries')}"
        return f"{sound}: tree, signatures and references computed again"
    lines = [f"{style('NOT SOUND', 'red', 'bold')}  {counted(len(wrong), 'problem')}"]
    for item in wrong:
        place = "the log" if item["index"] is None else f"entry {item['index']}"
        lines.append(f"  {place}: {printable(str(item['what']))}")
    return "\n".join(lines)


def run_export(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Copy the log to a folder."""
    from assaymark.service.log import export
    from assaymark.service.workspace import open_workspace

    target = Path(args.folder)
    size = export(open_workspace(find_workspace(args)), target)
    document = {"schema": "assaymark:log-export/v1", "folder": str(target), "entries": size}
    return emit(
        Result(
            YES,
            document,
            lambda _: (
                f"{counted(size, 'entry', 'entries')} copied to {target};"
                f" check them: assaymark log check --workspace {target}"
            ),
        ),
        args.format,
        outputs,
    )


def run_collect(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Log what a spool holds."""
    from assaymark.api import state_folder
    from assaymark.service.spool import collect_spool
    from assaymark.service.workspace import open_workspace
    from assaymark.store.spool import existing_spool
    from assaymark.ui.cli.clock import now
    from assaymark.ui.cli.progress import Progress

    workspace = open_workspace(find_workspace(args))
    state = state_folder()
    if args.spool is None and state is None:
        raise UsageError("spool-missing", "no spool is named, and there is no home folder", remedy="name the folder")
    folder = Path(args.spool) if args.spool else Path(str(state)) / "spool"
    with Progress("collecting", "records") as progress:
        done = collect_spool(workspace, existing_spool(folder), now, progress.update)
    document = {
        "schema": "assaymark:log-collect/v1",
        "spool": str(folder),
        "attempts": done.attempts,
        "new": done.new,
        "known": done.known,
        "refused": [{"record": name, "why": why} for name, why in done.refused],
    }

    def text(style: Style) -> str:
        lines = [
            (
                f"{counted(done.attempts, 'attempt')} in {counted(done.new + done.known, 'record')},"
                f" {done.new} of them new in the log"
            )
        ]
        lines += [f"  {style('refused', 'red')} {printable(name)}: {printable(why)}" for name, why in done.refused]
        return "\n".join(lines)

    return emit(Result(NO if done.refused else YES, document, text), args.format, outputs)
