"""``read_dockerfile``: the instructions of a Dockerfile, as BuildKit splits it into them.

Source: Dockerfile reference, "Format", "Parser directives" (escape), "Here-documents". Nothing is expanded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from assaymark.core.errors import InputError
from assaymark.core.limits import DOCKERFILE_MAX_BYTES, DOCKERFILE_MAX_INSTRUCTIONS

_NAMES: Final = frozenset(
    (
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
        *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
    )
)
_DIRECTIVE: Final = re.compile(r"#\s*([A-Za-z]+)\s*=\s*(\S+)\s*")
_HERE: Final = re.compile(r"<<(-?)([\"']?)([A-Za-z_][A-Za-z0-9_]*)\2")
_FLAG: Final = re.compile(r"--([a-z][a-z0-9.-]*)(?:=(\"[^\"]*\"|'[^']*'|\S*))?(?:\s+|$)")


@dataclass(frozen=True, slots=True)
class Instruction:
    """``name`` in capitals, its ``flags`` (``--from=...``) and the rest as ``text``, lines joined by spaces.

    ``line`` is where it begins (from 1); ``parts`` has each line of it with its number, those of a here-document too,
    which are the last ``here`` of them.
    """

    name: str
    text: str
    flags: tuple[tuple[str, str], ...]
    line: int
    parts: tuple[tuple[int, str], ...]
    here: int = 0

    def flag(self, name: str) -> str:
        """The value of a flag, empty when it is not given."""
        return dict(self.flags).get(name, "")


def read_dockerfile(text: str) -> list[Instruction]:
    """The instructions in order.

    Raises:
        InputError: ``dockerfile-syntax`` with the line, ``dockerfile-limit``.
    """
    if len(text) > DOCKERFILE_MAX_BYTES:
        raise InputError("dockerfile-limit", f"more than {DOCKERFILE_MAX_BYTES} characters")
    lines = text.replace("\r\n", "\n").split("\n")
    escape = _escape(lines)
    found: list[Instruction] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        if not line.strip() or line.lstrip().startswith("#"):
            index += 1
            continue
        parts, index = _logical(lines, index, escape)
        joined = " ".join(part for _, part in parts)
        own = len(parts)
        parts, index = _here(lines, index, joined, parts)
        found.append(_instruction(joined, parts, len(parts) - own))
        if len(found) > DOCKERFILE_MAX_INSTRUCTIONS:
            raise InputError("dockerfile-limit", f"more than {DOCKERFILE_MAX_INSTRUCTIONS} instructions")
    if not any(one.name == "FROM" for one in found):
        raise InputError("dockerfile-syntax", "no FROM instruction")
    return found


def _escape(lines: list[str]) -> str:
    for line in lines:
        match = _DIRECTIVE.fullmatch(line.strip())
        if match is None:
            break
        if match[1].lower() == "escape":
            if match[2] not in ("\\", "`"):
                raise InputError("dockerfile-syntax", "the escape character is neither \\ nor `", position="line 1")
            return match[2]
    return "\\"


def _logical(lines: list[str], index: int, escape: str) -> tuple[list[tuple[int, str]], int]:
    """The lines of one instruction, which go on after an escape; comments and empty lines within are left out."""
    parts: list[tuple[int, str]] = []
    while index < len(lines):
        line = lines[index]
        index += 1
        if parts and (not line.strip() or line.lstrip().startswith("#")):
            continue
        bare = line.rstrip(" \t")
        goes_on = bare.endswith(escape)
        parts.append((index, bare[:-1].strip() if goes_on else line.strip()))
        if not goes_on:
            break
    return parts, index


def _here(
    lines: list[str], index: int, joined: str, parts: list[tuple[int, str]]
) -> tuple[list[tuple[int, str]], int]:
    if not re.match(r"\s*(?:RUN|COPY|ADD|ONBUILD)\b", joined, re.IGNORECASE):
        return parts, index
    parts = list(parts)
    for tabs, _, mark in _HERE.findall(joined):
        start = index
        while index < len(lines):
            line = lines[index]
            index += 1
            if (line.lstrip("\t") if tabs else line) == mark:
                break
            parts.append((index, line.strip()))
        else:
            raise InputError("dockerfile-syntax", f"the here-document {mark} is not closed", position=f"line {start}")
    return parts, index


def _instruction(joined: str, parts: list[tuple[int, str]], here: int) -> Instruction:
    name, _, rest = joined.strip().partition(" ")
    head, tab, tail = name.partition("\t")
    if tab:
        name, rest = head, f"{tail} {rest}"
    line = parts[0][0]
    if name.upper() not in _NAMES:
        raise InputError("dockerfile-syntax", f"no instruction: {name[:40]}", position=f"line {line}")
    rest, flags, at = rest.strip(), [], 0
    while match := _FLAG.match(rest, at):
        flags.append((match[1], (match[2] or "").strip("\"'")))
        at = match.end()
    return Instruction(name.upper(), rest[at:], tuple(flags), line, tuple(parts), here)
