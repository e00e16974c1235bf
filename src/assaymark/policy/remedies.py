"""The exact commands that would supply missing evidence, and words for people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.statement import APPROVAL, OPINION, PROVENANCE, RELEASE, SCAN

if TYPE_CHECKING:
    from assaymark.core.decision import Request

_SHELL_SAFE: Final = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_MAX_TEXT: Final = 300

_COMMANDS: Final[dict[str, str]] = {
    SCAN: "assaymark submit {path} --to {environment}",
    RELEASE: "assaymark submit {path} --to {environment}",
    OPINION: "assaymark submit {path} --to {environment} --with SCANNERS",
    PROVENANCE: "assaymark record --data DATA --output {path} -- COMMAND",
    APPROVAL: "assaymark attest approval {path} --for {environment} --key file:KEY",
}
_OTHER: Final = "assaymark attest {predicate} {path} --predicate FILE --key file:KEY"


def supply(predicate: str, request: Request) -> str:
    """The command that makes a statement of this predicate type about the request's subject."""
    return _COMMANDS.get(predicate, _OTHER).format(
        path=path_of(request), environment=quoted(request.scope.environment), predicate=quoted(predicate)
    )


def look(request: Request) -> str:
    """The command that shows what a scan of the request's subject finds."""
    return f"assaymark scan {path_of(request)}"


def lift(request: Request) -> str:
    """The command that lifts a containment."""
    return f"assaymark contain {path_of(request)} --for {quoted(request.scope.environment)} --lift"


def decide_command(name: str, environment: str) -> str:
    """The command that decides anew and writes the dossier."""
    return f"assaymark decide {quoted(name)} --for {quoted(environment)} --dossier FILE"


def path_of(request: Request) -> str:
    """The subject's name as a shell word; ``PATH`` when it has none that can be shown."""
    name = request.subject.name
    return quoted(name) if name and name.isprintable() else "PATH"


def quoted(word: str) -> str:
    """``word`` quoted for a POSIX shell: a command that we print can be pasted whatever a folder is called."""
    return (
        word if _SHELL_SAFE.fullmatch(word) and not word.startswith("-") else "'" + word.replace("'", "'\\''") + "'"
    )


def shown(value: Any) -> str:
    """A predicate's value for a message: bounded and printable."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{printable(value)}"'
    if isinstance(value, int):
        return str(value)
    if value is None:
        return "null"
    return "an object" if isinstance(value, dict) else "an array"


def printable(text: str) -> str:
    """Text of a statement for a terminal: control characters become ``?``, long text is cut."""
    cut = text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "..."
    return "".join(character if character.isprintable() else "?" for character in cut)


def listed(words: list[str], last: str = "or") -> str:
    """``a, b or c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
