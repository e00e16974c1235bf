"""``assaymark record``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.provenance import OPERATIONS
from assaymark.core.words import counted
from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import add_key, add_workspace, completes_files, find_workspace, passphrase_source
from assaymark.ui.cli.output import FORMATS, Result, note, render, writable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assaymark.service.record import Recorded
    from assaymark.ui.report.style import Style

EXAMPLES: Final = """\
  assaymark record --data data/train --output model/ -- python train.py data/train model/
  assaymark record --parent base/ --data data/qa --output tuned/ --operation fine-tune -- python tune.py
  assaymark record --input vocabulary.txt --output model/ --env SEED --key file:ci.key -- ./train.sh
  assaymark record --data d/ --output m/ --output json=record.json -- python train.py   # the result as JSON too

The program runs as if you had started it: its streams are its own, our talk is on stderr.
An input that somebody writes to while it runs, even if put back, fails the record, and so does an output that the
program did not write.

exit code: the program's own when it fails (nothing is claimed then), 0 recorded, 1 refused, 3 no answer
"""


class _Output(argparse.Action):
    """``--output PATH`` is what the program writes; ``--output json=FILE`` takes our result, as everywhere."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        _option: str | None = None,
    ) -> None:
        """Sort one word."""
        text = str(values)
        target = "output" if text.partition("=")[0] in FORMATS and "=" in text else "produced"
        setattr(namespace, target, [*getattr(namespace, target), text])


class _Input(argparse.Action):
    """``--input``, ``--data`` and ``--parent``, kept together in their order."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        _option: str | None = None,
    ) -> None:
        """Keep the role and the path."""
        namespace.inputs = [*namespace.inputs, (self.dest, Path(str(values)))]


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``record``."""
    parser.usage = "assaymark record [--data PATH ...] [--parent PATH ...] --output PATH ... [options] -- CMD ..."
    for flag, text in (
        ("--data", "a data set that the program reads"),
        ("--parent", "a model that the new one is made from"),
        ("--input", "anything else that it reads: what the log knows it by, else a data set (folder) or a file"),
    ):
        completes_files(
            parser.add_argument(
                flag, action=_Input, default=argparse.SUPPRESS, metavar="PATH", help=f"{text}; repeatable"
            )
        )
    completes_files(
        parser.add_argument(
            "--output",
            action=_Output,
            default=[],
            metavar="PATH",
            help="what the program writes; repeatable. As FORMAT=FILE: write the result to FILE, as everywhere",
        )
    )
    parser.add_argument(
        "--operation", choices=OPERATIONS, default="train", help="what the program does (default: train)"
    )
    parser.add_argument(
        "--env", action="append", default=[], metavar="NAME", help="record this variable too; repeatable"
    )
    parser.add_argument("--no-observe", action="store_true", help="do not watch which files the program opens")
    parser.add_argument(
        "--no-describe", action="store_true", help="do not log a description of data sets that the log does not know"
    )
    completes_files(
        parser.add_argument("--statement", metavar="FILE", help="also write the signed statement to FILE (DSSE)")
    )
    add_workspace(parser)
    add_key(parser, "key that signs the record (default: the workspace's service key)")
    add_examples(parser, EXAMPLES)
    parser.set_defaults(run=run, inputs=[], produced=[])


def run(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Run a program, and log what it was made of."""
    from assaymark.service.record import Run, record
    from assaymark.service.workspace import open_workspace
    from assaymark.store.files import write_durable
    from assaymark.ui.cli.clock import now
    from assaymark.ui.cli.progress import Progress
    from assaymark.ui.report.style import Style, style_for

    statement = None if args.statement is None else writable(Path(args.statement))
    workspace = open_workspace(find_workspace(args))
    signer = workspace.signer(args.key, passphrase_source(args), name="service")
    asked = Run(
        tuple(args.command),
        tuple(Path(place) for place in args.produced),
        tuple(args.inputs),
        operation=args.operation,
        variables=tuple(args.env),
        observe=not args.no_observe,
        describe=not args.no_describe,
        statement=statement,
    )
    with Progress("hashing") as progress:

        def count(done: int, total: int) -> None:
            progress.update(done, total)
            if done == total:
                progress.clear()  # the terminal is the program's from here on

        done = record(workspace, asked, signer, now, count)
    for line in done.notes:
        note(f"note: {line}")
    result = Result(done.code, _document(done), lambda style: _text(done, style))
    for name, file in outputs:
        write_durable(file, render(result, name, Style()).encode())
    sys.stderr.write(render(result, args.format, style_for(sys.stderr)))
    sys.stderr.flush()
    return done.code


def _document(done: Recorded) -> dict[str, Any]:
    from assaymark.ui.report.documents import receipt_document

    return {
        "schema": "assaymark:recorded/v1",
        "action": "failed" if done.receipt is None else "recorded",
        "exit_code": done.code,
        "outputs": [{"name": item.name, "digest": item.digest} for item in done.subjects],
        "inputs": [{"name": item.name, "digest": item.digest, "kind": item.kind} for item in done.materials],
        "principal": done.principal,
        "described": [item.digest for item in done.described],
        "predicate": dict(done.predicate),
        "receipt": None if done.receipt is None else receipt_document(done.receipt),
        "notes": list(done.notes),
    }


def _text(done: Recorded, style: Style) -> str:
    from assaymark.ui.report.style import printable
    from assaymark.ui.report.text import receipt_line

    if done.receipt is None:
        return f"{style('NOT RECORDED', 'red', 'bold')}  the program ended with {done.code}; nothing is claimed"
    ours = done.predicate["assaymark"]
    names = printable(", ".join(item.name for item in done.subjects))
    lines = [f"{style('Recorded', 'green', 'bold')} {names} by {printable(done.principal)}"]
    lines += [style(f"  {item.digest}", "dim") for item in done.subjects]
    made_from = ", ".join(f"{item.name} ({item.kind})" for item in done.materials) or "nothing that was declared"
    lines.append(f"  from       {printable(made_from)}")
    lines.append(f"  code       {printable(_code(ours['code']))}")
    lines.append(f"  installed  {printable(_installed(ours['distributions']))}")
    lines.append(f"  observed   {printable(_observed(ours))}")
    if ours.get("entryScript", {}).get("changedMeanwhile"):
        lines.append("  the script was changed while it ran; its digest is of before")
    if ours["redacted"]:
        lines.append(f"  {ours['redacted']} of the command's words look like secrets and are not recorded")
    lines += [f"  described  {printable(item.name)}, which nobody had described" for item in done.described]
    return "\n".join([*lines, receipt_line(done.receipt, style)])


def _code(code: dict[str, Any]) -> str:
    if "absent" in code:
        return f"not known: {code['absent']}"
    state = (
        f"{code['changed']} changed and {counted(code['untracked'], 'untracked file')}" if code["dirty"] else "clean"
    )
    return f"{code['revision'][:12]}, {state}"


def _installed(found: dict[str, Any]) -> str:
    if "absent" in found:
        return f"not known: {found['absent']}"
    without = f", {found['withoutRecord']} without a RECORD" if found["withoutRecord"] else ""
    return f"{counted(found['installed'], 'distribution')}{without}"


def _observed(ours: dict[str, Any]) -> str:
    seen = ours["observation"]
    if seen["how"] == "none":
        return f"nothing: {seen['why']}"
    text = f"{counted(seen['files'], 'other file that was', 'other files that were')} opened"
    idle = ours["declaredNotOpened"]
    return text + (f"; declared and never opened: {', '.join(idle)}" if idle else "")
