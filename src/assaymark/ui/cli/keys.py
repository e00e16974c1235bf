"""``assaymark keys``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.errors import UsageError
from assaymark.core.names import NAME_FORM, is_name
from assaymark.ui.cli.main import add_examples
from assaymark.ui.cli.options import (
    add_action,
    add_passphrase,
    add_signing,
    add_workspace,
    completes_files,
    find_workspace,
    new_passphrase,
    passphrase_source,
)
from assaymark.ui.cli.output import YES, Result, emit, note

if TYPE_CHECKING:
    import argparse

    from assaymark.service.keys import Enrolled
    from assaymark.trust.document import Root
    from assaymark.ui.report.style import Style

GENERATE = """\
  assaymark keys generate alice                      # alice.key (keep it) and alice.pub (hand it over)
  assaymark keys generate --out /secure/alice.key --encrypt
  assaymark keys generate alice --scheme p256        # ECDSA on P-256, where Ed25519 is not allowed
"""
ADD = """\
  assaymark keys add alice --role approver           # takes alice.pub from here
  assaymark keys add bob --role approver --role policy --public keys/bob.pub
  assaymark keys add builder --role scanner --public builder.pub --registered-by alice    # a workload
"""
LIST = """\
  assaymark keys list
"""
THRESHOLD = """\
  assaymark keys threshold root 2 --sign-with file:owner.key --sign-with file:eve.key   # both, by the new threshold
"""
REMOVE = """\
  assaymark keys remove alice --role approver        # what she approved counts no more, here and elsewhere
"""
RENEW = """\
  assaymark keys renew                               # the trust root, good for another year
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The verbs of ``keys``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")
    generate = add_action(actions, "generate", "make a key pair", run_generate)
    generate.add_argument("name", metavar="NAME", nargs="?", help="whose key: NAME.key and NAME.pub are written here")
    completes_files(generate.add_argument("--out", metavar="FILE", help="where the private key goes instead"))
    completes_files(generate.add_argument("--key", metavar="URI", help="the same, as a URI: file:FILE"))
    add_passphrase(generate)
    generate.add_argument(
        "--scheme",
        choices=("ed25519", "p256"),
        default="ed25519",
        help="the kind of key (default: ed25519); p256 is ECDSA on P-256",
    )
    generate.add_argument("--encrypt", action="store_true", help="ask for a passphrase that encrypts the key")
    add_examples(generate, GENERATE)

    add = add_action(actions, "add", "enrol a principal's public key in roles", run_add)
    add.add_argument("name", metavar="NAME", help="the principal's name")
    add.add_argument("--role", action="append", required=True, metavar="ROLE", help="a role; repeatable")
    completes_files(
        add.add_argument(
            "--public", "--public-key", dest="public", metavar="FILE", help="the public key (default: NAME.pub)"
        )
    )
    completes_files(add.add_argument("file", metavar="FILE", nargs="?", help="the same, without a flag"))
    completes_files(add.add_argument("--key", metavar="URI", help="the same, as a URI: file:FILE"))
    add.add_argument("--registered-by", default="", metavar="PERSON", help="for a workload: who answers for it")
    add_signing(add)
    add_examples(add, ADD)

    listing = add_action(actions, "list", "the principals, their keys and roles, and the root digest", run_list)
    add_workspace(listing)
    add_examples(listing, LIST)

    from assaymark.ui.cli.keys_life import configure_life

    configure_life(actions)

    threshold = add_action(
        actions, "threshold", "how many of a role must sign together (root and policy)", run_threshold
    )
    threshold.add_argument("role", metavar="ROLE")
    threshold.add_argument("count", metavar="N", type=int)
    add_signing(threshold)
    add_examples(threshold, THRESHOLD)

    remove = add_action(actions, "remove", "take a principal out of a role", run_remove)
    remove.add_argument("name", metavar="NAME", help="the principal")
    remove.add_argument("--role", required=True, metavar="ROLE", help="the role")
    add_signing(remove)
    add_examples(remove, REMOVE)

    renew = add_action(actions, "renew", "make the next version of the trust root, good for a year", run_renew)
    add_signing(renew)
    add_examples(renew, RENEW)


def run_generate(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Make a key pair."""
    from assaymark.keys.file import generate, public_path
    from assaymark.trust.public_key import ED25519, P256

    named = [place for place in (args.out, args.key) if place]
    if len(named) > 1 or (not named and not args.name):
        raise UsageError("keys-usage", "name the key once: NAME, --out FILE or --key file:FILE")
    place = Path((named[0] if named else args.name).removeprefix("file:"))
    if not named and place.suffix != ".key":
        place = place.with_name(f"{place.name}.key")
    name = args.name if named and args.name else place.stem
    if args.name and not is_name(name):
        raise UsageError("name-form", f"{name!r} is not a name", remedy=f"names have the form {NAME_FORM}")
    public = generate(place, new_passphrase(args), scheme=P256 if args.scheme == "p256" else ED25519)
    document = {
        "schema": "assaymark:key/v1",
        "key": f"file:{place}",
        "public": str(public_path(place)),
        "key_id": public.key_id,
        "scheme": public.scheme,
    }
    shown = name if is_name(name) else "NAME"
    return emit(
        Result(
            YES,
            document,
            lambda style: _made(shown, place, public_path(place), public.key_id, style),
        ),
        args.format,
        outputs,
    )


def _made(name: str, private: Path, public: Path, key_id: str, style: Style) -> str:
    from assaymark.policy.remedies import quoted

    return "\n".join(
        [
            f"{style('Made', 'green', 'bold')} {private} (private, mode 0600) and {public}",
            style(f"  key id {key_id}", "dim"),
            f"The workspace's owner enrols it: assaymark keys add {name} --role ROLE --public {quoted(str(public))}",
        ]
    )


def run_add(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Enrol a principal."""
    from assaymark.service.keys import add_principal, find_public_key, unused_roles
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.clock import now

    named = [place for place in (args.public, args.key, args.file) if place]
    if len(named) > 1:
        raise UsageError("keys-usage", "name the public key once: FILE, --public FILE or --key file:FILE")
    workspace = open_workspace(find_workspace(args))
    public = find_public_key(args.name, named[0] if named else None, workspace)
    signers = [workspace.signer(uri, passphrase_source(args)) for uri in (args.sign_with or [None])]
    done = add_principal(workspace, args.name, args.role, public, signers, now, registered_by=args.registered_by)
    for role in unused_roles(workspace, args.role):
        note(f"note: neither the policy in force nor the trust root asks for role {role}; is it spelled right?")
    head = f"{args.name} is enrolled as {', '.join(args.role)}"
    return emit(
        Result(YES, _document(done), lambda style: _changed(head, done, style)),
        args.format,
        outputs,
    )


def run_threshold(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Set the threshold of a role."""
    from assaymark.service.keys import set_threshold
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.clock import now

    workspace = open_workspace(find_workspace(args))
    signers = [workspace.signer(uri, passphrase_source(args)) for uri in (args.sign_with or [None])]
    done = set_threshold(workspace, args.role, args.count, signers, now)
    head = f"{args.count} of role {args.role} sign together"
    return emit(Result(YES, _document(done), lambda style: _changed(head, done, style)), args.format, outputs)


def run_remove(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Take somebody out of a role."""
    from assaymark.service.keys import leave_role
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.clock import now

    workspace = open_workspace(find_workspace(args))
    signers = [workspace.signer(uri, passphrase_source(args)) for uri in (args.sign_with or [None])]
    done = leave_role(workspace, args.name, args.role, signers, now)
    head = f"{args.name} is no longer in role {args.role}"
    return emit(Result(YES, _document(done), lambda style: _changed(head, done, style)), args.format, outputs)


def run_renew(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Renew the trust root."""
    from assaymark.service.keys import renew_root
    from assaymark.service.workspace import open_workspace
    from assaymark.ui.cli.clock import now

    workspace = open_workspace(find_workspace(args))
    signers = [workspace.signer(uri, passphrase_source(args)) for uri in (args.sign_with or [None])]
    done = renew_root(workspace, signers, now)
    return emit(
        Result(YES, _document(done), lambda style: _changed("The trust root is renewed", done, style)),
        args.format,
        outputs,
    )


def run_list(args: argparse.Namespace, outputs: list[tuple[str, Path]]) -> int:
    """Show who is enrolled."""
    from assaymark.service.workspace import open_workspace

    workspace = open_workspace(find_workspace(args))
    root = workspace.trust().root
    document = _root_document(root) | {"root": workspace.config.root}
    return emit(
        Result(YES, document, lambda style: _listing(root, workspace.config.root, style)), args.format, outputs
    )


def _root_document(root: Root) -> dict[str, object]:
    from assaymark.core.times import format_time

    return {
        "schema": "assaymark:keys/v1",
        "version": root.version,
        "newest_root": root.digest,
        "expires": format_time(root.expires),
        "principals": [
            {
                "name": principal.name,
                "kind": principal.kind,
                "keys": list(principal.keys),
                "former_keys": list(principal.former),
                "roles": sorted(root.roles_of(principal.name)),
                "registered_by": principal.registered_by,
            }
            for principal in root.principals.values()
        ],
        "thresholds": {role.name: role.threshold for role in root.roles.values() if role.threshold is not None},
    }


def _document(done: Enrolled) -> dict[str, object]:
    from assaymark.ui.report.documents import receipt_document

    return _root_document(done.root) | {
        "changed": done.receipt is not None,
        "receipt": receipt_document(done.receipt),
    }


def _changed(head: str, done: Enrolled, style: Style) -> str:
    from assaymark.core.times import format_time
    from assaymark.ui.report.text import receipt_line

    if done.receipt is None:
        return f"{head}; nothing had to change"
    return "\n".join(
        [
            f"{style(head, 'green', 'bold')}: root {done.root.version}, until {format_time(done.root.expires)}",
            receipt_line(done.receipt, style),
        ]
    )


def _listing(root: Root, pinned: str, style: Style) -> str:
    from assaymark.core.times import format_time

    lines = [
        f"{style('Pin this root:', 'bold')} {pinned}",
        style(f"newest version {root.version}, until {format_time(root.expires)}", "dim"),
    ]
    for principal in root.principals.values():
        roles = ", ".join(sorted(root.roles_of(principal.name))) or "no role"
        by = f", registered by {principal.registered_by}" if principal.registered_by else ""
        lines.append(f"  {style(principal.name, 'bold')} ({principal.kind}{by}): {roles}")
        lines += [style(f"      {key}  {root.keys[key].scheme}", "dim") for key in principal.keys]
        lines += [style(f"      {key}  {root.keys[key].scheme}, former", "dim") for key in principal.former]
    return "\n".join(lines)
