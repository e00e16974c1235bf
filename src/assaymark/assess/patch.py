"""``Patch``: a written change of one file, ``Place``: what it is written for, and how patches are applied."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs
    from assaymark.core.report import Finding

_END: Final = re.compile(r"(\r\n|\n|\r)")  # what Python, YAML and TOML end lines with; a form feed is a character


@dataclass(frozen=True, slots=True)
class Patch:
    """Replaces ``removed`` lines from ``line`` (from 1) by ``inserted``; a line after the last appends.

    ``beside``: what is inserted stands by itself, as imports and functions do, so that others may insert there too.
    """

    title: str
    path: str
    line: int
    removed: int
    inserted: tuple[str, ...]
    safe: bool
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding is: its file with its lines, and the line."""

    finding: Finding
    file: SourceFile
    line: int
    inputs: Inputs
    estates: Estates

    @property
    def path(self) -> str:
        """The file's path."""
        return self.file.path

    @property
    def lines(self) -> tuple[str, ...]:
        """The file's lines, without what ends them."""
        return lines_of(self.file)

    @property
    def text(self) -> str:
        """The line, empty when the file has none there."""
        return self.at(self.line)

    @property
    def at_lines(self) -> tuple[int, ...]:
        """All lines of the file that the finding names, in their order."""
        found = {one.line for one in self.finding.locations if one.path == self.path and one.line is not None}
        return tuple(sorted(found))

    def at(self, line: int) -> str:
        """A line (from 1), empty when the file has none there."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ""


@lru_cache(maxsize=64)  # a file has many findings, and is split once for those that come near each other
def lines_of(file: SourceFile) -> tuple[str, ...]:
    """The lines of a file without what ends them; bytes that are no UTF-8 stay."""
    return tuple(_split(file.data)[0])


def _split(data: bytes) -> tuple[list[str], list[str]]:
    """The lines of a file, and what ends each; empty for a last line that nothing ends."""
    parts = _END.split(data.decode("utf-8", "surrogateescape"))
    lines, ends = parts[::2], [*parts[1::2], ""]
    return (lines[:-1], ends[:-1]) if not lines[-1] else (lines, ends)


def apply_patches(data: bytes, patches: Iterable[Patch]) -> bytes:
    """A file with patches of it applied; lines that none is about keep their bytes.

    Of two on one line the first counts, from the last line to the first and then by title, but for what may stand
    beside others.
    """
    lines, ends = _split(data)
    end = "\r\n" if "\r\n" in ends else "\n"
    kept = _without_conflicts(patches, len(lines))
    if kept and ends and not ends[-1]:
        ends[-1] = end
    # At one line what replaces it comes before what is inserted above it.
    for patch in sorted(kept, key=lambda one: (-one.line, not one.removed, one.title)):
        span = slice(patch.line - 1, patch.line - 1 + patch.removed)
        lines[span], ends[span] = patch.inserted, [end] * len(patch.inserted)
    return "".join(map("".join, zip(lines, ends, strict=True))).encode("utf-8", "surrogateescape")


def _without_conflicts(patches: Iterable[Patch], last: int) -> list[Patch]:
    """Those that can be applied together, each once whoever asks for it."""
    unique = {(one.line, one.removed, one.inserted): one for one in sorted(set(patches), key=lambda one: one.title)}
    taken: set[int] = set()
    kept: list[Patch] = []
    for patch in sorted(unique.values(), key=lambda one: (one.beside, -one.line, one.title)):
        span = set(range(patch.line, patch.line + max(patch.removed, 1)))
        if patch.beside:
            if any(one.line < patch.line < one.line + one.removed for one in kept):
                continue
        elif patch.line <= last and span & taken:
            continue
        else:
            taken |= span
        kept.append(patch)
    return kept


def unified(path: str, old: bytes, new: bytes) -> str:
    """The change as a unified diff, which ``patch`` and ``git apply`` take: a last line without an end says so."""
    before, after = (re.findall(r"[^\n]*\n|[^\n]+", data.decode("utf-8", "replace")) for data in (old, new))
    lines = difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
