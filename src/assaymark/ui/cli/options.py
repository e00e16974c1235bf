"""Options that several verbs share, so that they mean the same everywhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assaymark.core.errors import UsageError
from assaymark.ui.cli.output import FORMATS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from assaymark.core.provenance import Material
    from assaymark.service.workspace import Workspace


def completes_files(action: argparse.Action) -> argparse.Action:
    """Let a shell complete file names for this argument."""
    action.complete = {"bash": "_shtab_compgen_files", "zsh": "_files", "tcsh": "f"}  # type: ignore[attr-defined]
    return action


def add_action(actions: Any, name: str, summary: str, run: Callable[..., int]) -> argparse.ArgumentParser:
    """A verb below a verb, such as ``log show``."""
    import argparse

    child: argparse.ArgumentParser = actions.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    child.set_defaults(run=run)
    return child


def add_format(parser: argparse.ArgumentParser) -> None:
    """``--format`` and ``--output``, unless the verb has an ``--output`` of its own that does more."""
    group = parser.add_argument_group("output")
    formats = parser.get_default("formats") or FORMATS
    group.add_argument("--format", choices=formats, default="text", help="what stdout gets (default: text)")
    if any("--output" in action.option_strings for action in parser._actions):  # noqa: SLF001 - no public way
        return
    completes_files(
        group.add_argument(
            "--output",
            action="append",
            default=[],
            metavar="FORMAT=FILE",
            help="also write the result to FILE; may be given several times",
        )
    )


def add_workspace(parser: argparse.ArgumentParser) -> None:
    """``--workspace``."""
    completes_files(
        parser.add_argument(
            "--workspace",
            metavar="W",
            help="the workspace folder (default: $ASSAYMARK_WORKSPACE, else .assaymark here or above)",
        )
    )


def add_model(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """PATH and ``--config``."""
    completes_files(
        parser.add_argument(
            "path",
            metavar="PATH",
            nargs="?" if optional else None,
            help="the model: a file or a folder",
        )
    )
    completes_files(
        parser.add_argument(
            "--config",
            action="append",
            default=[],
            metavar="FILE",
            help="a configuration outside the folder that is bound to the model (pre-processing, thresholds)",
        )
    )


def add_with(parser: argparse.ArgumentParser) -> None:
    """``--with``."""
    parser.add_argument(
        "--with",
        dest="scanners",
        action="append",
        default=[],
        metavar="SCANNER,...",
        help="ask these scanners too: picklescan, modelscan, fickling, modelaudit, or all (`assaymark scanners`)",
    )


def add_parents(parser: argparse.ArgumentParser) -> None:
    """``--parent``, ``--data`` and ``--derivation``."""
    from assaymark.core.provenance import OPERATIONS

    completes_files(
        parser.add_argument(
            "--parent",
            action="append",
            default=[],
            metavar="PATH-OR-DIGEST",
            help="what it was made from: a base model, an adapter, a data set; repeatable",
        )
    )
    completes_files(
        parser.add_argument(
            "--data",
            action="append",
            default=[],
            metavar="PATH-OR-DIGEST",
            help="a data set that it was made from, also when the log does not know it as one; repeatable",
        )
    )
    parser.add_argument(
        "--derivation",
        choices=OPERATIONS,
        default="derive",
        help="how it was made from its parents (default: derive)",
    )


def find_parents(args: argparse.Namespace, workspace: Workspace) -> tuple[Material, ...]:
    """The parents that the command line names; a note on each of which the log says nothing.

    Raises:
        UsageError, InputError: as the intake of a path raises.
    """
    from assaymark.service.derive import DATA, find_parent, unknown_parents
    from assaymark.ui.cli.output import note

    found = [find_parent(workspace, Path(place)) for place in args.parent]
    found += [find_parent(workspace, Path(place), DATA) for place in args.data]
    parents = tuple({parent.digest: parent for parent in found}.values())
    for parent in unknown_parents(workspace, parents):
        note(
            f"note: nobody says anything of {parent.name} yet, so the lineage ends there as missing: {parent.digest}"
        )
    return parents


def add_environment(parser: argparse.ArgumentParser, flag: str = "--for", *, required: bool = True) -> None:
    """``--for ENV``."""
    parser.add_argument(
        flag, dest="environment", metavar="ENV", required=required, help="the environment, as the policy names it"
    )


def add_key(parser: argparse.ArgumentParser, help_text: str, *, several: bool = False) -> None:
    """``--key`` (a list with ``several``) and ``--passphrase-file``."""
    if several:
        action = parser.add_argument("--key", metavar="URI", action="append", default=[], help=help_text)
    else:
        action = parser.add_argument("--key", metavar="URI", help=help_text)
    completes_files(action)
    add_passphrase(parser)


def add_passphrase(parser: argparse.ArgumentParser) -> None:
    """``--passphrase-file``: never the passphrase itself, which a process list would show."""
    completes_files(
        parser.add_argument(
            "--passphrase-file",
            metavar="FILE",
            help="file that holds the private key's passphrase (default: $ASSAYMARK_PASSPHRASE_FILE, else asked for"
            " at the terminal)",
        )
    )


def add_signing(parser: argparse.ArgumentParser) -> None:
    """``--workspace``, ``--sign-with`` and ``--passphrase-file``."""
    add_workspace(parser)
    completes_files(
        parser.add_argument(
            "--sign-with",
            action="append",
            default=[],
            metavar="URI",
            help="key of the root role that signs the change (default: the owner's); repeatable",
        )
    )
    add_passphrase(parser)


def find_workspace(args: argparse.Namespace) -> Path:
    """The workspace named by flag, environment or place.

    One that merely lies in a folder above must be this user's, or root's: anybody may leave one in a shared folder,
    and in their own workspace everybody is the owner and approves what they like.

    Raises:
        UsageError: ``workspace-missing`` or ``workspace-foreign``.
    """
    named = args.workspace or os.environ.get("ASSAYMARK_WORKSPACE")
    if named:
        return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".assaymark" / "assaymark.toml").is_file():
            return _own(folder / ".assaymark")
    raise UsageError(
        "workspace-missing",
        "no workspace is named and none lies here or above",
        remedy="make one with `assaymark init`, or name it: --workspace W or ASSAYMARK_WORKSPACE=W",
    )


def _own(workspace: Path) -> Path:
    owners = {path.stat().st_uid for path in (workspace, workspace / "assaymark.toml")}
    if owners <= {0, os.geteuid()}:
        return workspace
    raise UsageError(
        "workspace-foreign",
        "this workspace lies here or above, and is another user's",
        source=str(workspace),
        remedy="name it if you trust it: --workspace W or ASSAYMARK_WORKSPACE=W",
    )


def pinned_root(args: argparse.Namespace) -> str | None:
    """The digest of ``--root``, if it is given.

    Raises:
        UsageError: ``root-digest``.
    """
    if args.root is None:
        return None
    from assaymark.core.digest import parse_digest
    from assaymark.core.errors import InputError

    try:
        return parse_digest(args.root)
    except InputError as error:
        raise UsageError("root-digest", f"--root: {error.message}", remedy=error.remedy) from None


def passphrase_source(args: argparse.Namespace) -> Callable[[], bytes] | None:
    """Where a passphrase comes from when a key needs one: a file, else the terminal, else nowhere."""
    file = getattr(args, "passphrase_file", None) or os.environ.get("ASSAYMARK_PASSPHRASE_FILE")
    if file:
        return lambda: _read_passphrase(Path(file))
    import sys

    if sys.stdin.isatty():
        return _ask_passphrase
    return None


def _read_passphrase(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError("passphrase-file", f"cannot read: {error.strerror}", source=str(file)) from None
    return content.removesuffix(b"\n").removesuffix(b"\r")


def _ask_passphrase() -> bytes:
    import getpass

    return getpass.getpass("Passphrase of the private key: ").encode()


def configurations(args: argparse.Namespace) -> tuple[Path, ...]:
    """The files of ``--config``."""
    return tuple(Path(file) for file in args.config)


def new_passphrase(args: argparse.Namespace) -> bytes | None:
    """The passphrase for a new private key: from a file, asked for twice with ``--encrypt``, or none.

    Raises:
        UsageError: ``passphrase-mismatch``, ``passphrase-empty`` or ``passphrase-terminal``.
    """
    file = args.passphrase_file or (os.environ.get("ASSAYMARK_PASSPHRASE_FILE") if args.encrypt else None)
    if file:
        passphrase = _read_passphrase(Path(file))
    elif args.encrypt:
        import getpass
        import sys

        if not sys.stdin.isatty():
            raise UsageError(
                "passphrase-terminal",
                "--encrypt asks at a terminal, and there is none",
                remedy="use --passphrase-file",
            )
        passphrase = getpass.getpass("New passphrase: ").encode()
        if getpass.getpass("The same again: ").encode() != passphrase:
            raise UsageError("passphrase-mismatch", "the two passphrases differ; no key was made")
    else:
        return None
    if not passphrase:
        raise UsageError("passphrase-empty", "the passphrase is empty; no key was made")
    return passphrase


def duration(flag: str, text: str) -> int:
    """Seconds of a duration on the command line.

    Raises:
        UsageError: ``duration-form``: what was typed is wrong, which is no answer about a model.
    """
    from assaymark.core.errors import InputError
    from assaymark.core.times import parse_duration

    try:
        return parse_duration(text)
    except InputError as error:
        raise UsageError("duration-form", f"{flag}: {error.message}", remedy=error.remedy) from None
