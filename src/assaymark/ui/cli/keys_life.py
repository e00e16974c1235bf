"""``assaymark keys rotate``, ``retire`` and ``compromise``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import add_action, add_signing, completes_files, find_workspace, passphrase_source
from assaymark.ui.cli.output import YES, Result, emit, note

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from assaymark.keys.signers import Signer
    from assaymark.service.key_life import KeyChange
    from assaymark.service.workspace import Workspace
    from assaymark.ui.report.style import Style

ROTATE = """\
  assaymark keys rotate alice --public alice-2027.pub         # what alice signed so far stands
  assaymark keys rotate owner                                 # a key of the workspace's own: a new one is made
  assaymark keys rotate bob --public bob2.pub --sign-with file:alice.key --sign-with file:carol.key
"""
RETIRE = """\
  assaymark keys retire 06e3fd8fda29bb60 --reason "left the team"
"""
COMPROMISE = """\
  assaymark keys compromise bob --since 1042 --reason "laptop stolen"   # from entry 1042 on nothing counts
  assaymark keys compromise 06e3fd8fda29bb60 --reason "leaked"          # nothing that it ever signed counts
"""


def configure_life(actions: Any) -> None:
    """The actions of ``keys`` that end a key."""
    rotate = add_action(actions, "rotate", "replace a key: what the old one signed so far stands", run_rotate)
    _key(rotate)
    completes_files(
        rotate.add_argument(
            "--public", metavar="FILE", help="the new public key (default, for a key of the workspace: one is made)"
        )
    )
    _finish(rotate, ROTATE, reason="rotated")
    retire = add_action(actions, "retire", "end a key: what it signed so far stands", run_retire)
    _key(retire)
    _finish(retire, RETIRE, reason="retired")
    compromise = add_action(
        actions, "compromise", "declare a key stolen: nothing that it signed since then counts", run_compromise
    )
    _key(compromise)
    compromise.add_argument(
        "--since",
        type=int,
        default=0,
        metavar="INDEX",
        help="the first entry that may be the thief's (default: 0, so nothing that it ever signed counts)",
    )
    _finish(compromise, COMPROMISE, reason=None)


def _key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "named", metavar="KEY", help="a key id, the first 8 or more digits of one, or a principal with one key"
    )


def _finish(parser: argparse.ArgumentParser, examples: str, *, reason: str | None) -> None:
    parser.add_argument(
        "--reason", metavar="TEXT", required=reason is None, default=reason, help="why, for whoever asks later"
    )
    add_signing(parser)
    add_examples(parser, examples)


def run_rotate(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Replace a key."""
    from assaymark.core.errors import UsageError
    from assaymark.keys.file import generate, is_encrypted, public_path
    from assaymark.service.key_life import find_key, own_key_name, rotate_key, successor_path, use_key
    from assaymark.ui.cli.clock import now
    from assaymark.ui.cli.options import new_passphrase

    workspace, signers = _open(args)
    key = find_key(workspace, args.named)
    if args.public:
        public = args.public if args.public.startswith("file:") else f"file:{args.public}"
        return _emit(rotate_key(workspace, key, public, args.reason, signers, now), args, outputs)
    name = own_key_name(workspace, key)
    if not name:
        raise UsageError(
            "key-not-found",
            "the new public key is not named, and this key is not one of the workspace's own",
            remedy="let its owner make one with `assaymark keys generate`, and name it: --public FILE",
        )
    root = workspace.trust().root
    path = successor_path(workspace, name, root.version + 1)
    args.encrypt = is_encrypted(workspace.folder / workspace.config.keys[name].removeprefix("file:"))
    secret = new_passphrase(args) if name == "owner" else None
    generate(path, secret, scheme=root.keys[key].scheme)
    if name == "owner":  # the next root is signed by the old key and by the new one
        signers = [*signers, workspace.signer(f"file:{path}", passphrase_source(args))]
    try:
        change = rotate_key(workspace, key, f"file:{public_path(path)}", args.reason, signers, now)
    except BaseException:
        path.unlink(missing_ok=True)
        public_path(path).unlink(missing_ok=True)
        raise
    use_key(workspace, name, path)
    note(f"the workspace signs with {path} now; the old key file may be destroyed")
    return _emit(change, args, outputs)


def run_retire(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """End a key."""
    from assaymark.service.key_life import find_key, retire_key
    from assaymark.ui.cli.clock import now

    workspace, signers = _open(args)
    change = retire_key(workspace, find_key(workspace, args.named), args.reason, signers, now)
    return _emit(change, args, outputs)


def run_compromise(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Declare a key stolen, and decide again what rested on it."""
    from assaymark.service.key_life import compromise_key, find_key
    from assaymark.ui.cli.clock import now

    workspace, signers = _open(args)
    change = compromise_key(workspace, find_key(workspace, args.named), args.since, args.reason, signers, now)
    return _emit(change, args, outputs)


def _open(args: argparse.Namespace) -> tuple[Workspace, list[Signer]]:
    from assaymark.service.workspace import open_workspace

    workspace = open_workspace(find_workspace(args))
    return workspace, [workspace.signer(uri, passphrase_source(args)) for uri in (args.sign_with or [None])]


def _emit(change: KeyChange, args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    from assaymark.ui.report.documents import receipt_document

    document = {
        "schema": "assaymark:key-change/v1",
        "key": change.key,
        "owner": change.owner,
        "event": change.event,
        "cut": change.cut,
        "new_key": change.new_key,
        "root_version": change.root.version,
        "receipt": receipt_document(change.receipt),
        "decided_again": [
            {
                "subject": verdict.subject.digest,
                "name": verdict.subject.name,
                "environment": verdict.scope.environment,
                "outcome": str(verdict.outcome),
            }
            for verdict in change.again
        ],
    }
    return emit(Result(YES, document, lambda style: _text(change, style)), args.format, outputs)


def _text(change: KeyChange, style: Style) -> str:
    from assaymark.ui.report.text import receipt_line

    head = style(f"The key of {change.owner} is {change.event}", "yellow", "bold")
    lines = [
        f"{head}: what it signed in entry {change.cut} or later does not count",
        style(f"  key id {change.key}", "dim"),
    ]
    if change.new_key:
        lines.append(style(f"  its successor is {change.new_key}", "dim"))
    lines += [
        f"  {style(str(verdict.outcome), 'red', 'bold')} {verdict.subject.name} for {verdict.scope.environment}: "
        "its permit rested on this key"
        for verdict in change.again
    ]
    return "\n".join([*lines, receipt_line(change.receipt, style)])
