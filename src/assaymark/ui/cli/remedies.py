"""Remedies that can be pasted: a decision knows the model's name, the command line knows where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.policy.remedies import quoted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from assaymark.core.decision import Reason

_WITHOUT_WORKSPACE = ("assaymark scan", "assaymark digest")


def complete(reasons: Iterable[Reason], name: str, args: argparse.Namespace) -> tuple[Reason, ...]:
    """The reasons with the path, configurations and workspace of this command line in their commands."""
    from dataclasses import replace

    return tuple(replace(reason, remedy=complete_command(reason.remedy, name, args)) for reason in reasons)


def complete_command(remedy: str, name: str, args: argparse.Namespace) -> str:
    """One remedy: the first word that is the model's name becomes its path; flags follow the command."""
    command, hash_sign, comment = remedy.partition("  # ")
    if not command.startswith("assaymark "):
        return remedy
    words = command.split(f" {quoted(name)}", 1) if name else [command]
    path = getattr(args, "path", None)
    if len(words) == 2 and path and (words[1][:1] in {"", " "}):  # noqa: PLR2004 - found once
        configurations = "".join(f" --config {quoted(file)}" for file in getattr(args, "config", []))
        if command.startswith("assaymark scan"):
            configurations = ""
        command = f"{words[0]} {quoted(str(path))}{words[1]}{configurations}"
    if getattr(args, "workspace", None) and not command.startswith(_WITHOUT_WORKSPACE):
        command += f" --workspace {quoted(str(args.workspace))}"
    return f"{command}{hash_sign}{comment}"
