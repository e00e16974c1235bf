"""``Patch``: a written change of one file, ``Place``: what it is written for, and how patches are applied."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.inputs import Inputs
    from assaymark.core.report import Finding


@dataclass(frozen=True, slots=True)
class Patch:
    """Replaces ``removed`` lines from ``line`` (from 1) by ``inserted``; a line after the last appends."""

    title: str
    path: str
    line: int
    removed: int
    inserted: tuple[str, ...]
    safe: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding is: its file's lines and the line."""

    finding: Finding
    path: str
    lines: list[str]
    line: int
    estates: Estates
    inputs: Inputs

    @property
    def text(self) -> str:
        """The line, empty when the file has none there."""
        return self.lines[self.line - 1] if 0 < self.line <= len(self.lines) else ""


def apply_patches(data: bytes, patches: Iterable[Patch]) -> bytes:
    """A file with patches of it applied, from the last line to the first; of two on one line the first counts.

    Lines that are added before one line stand together; what is the same is added once.
    """
    text = data.decode("utf-8", "surrogateescape")
    end = "\r\n" if "\r\n" in text else "\n"
    lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text)
    taken: set[int] = set()
    added: set[int] = set()  # lines before which something was added
    once: set[tuple[int, tuple[str, ...]]] = set()
    ordered = sorted(set(patches), key=lambda one: one.title)
    ordered = [*(one for one in ordered if one.removed), *(one for one in reversed(ordered) if not one.removed)]
    for patch in sorted(ordered, key=lambda one: (-one.line, one.removed == 0)):
        span = range(patch.line, patch.line + patch.removed)
        if not patch.removed and (patch.line, patch.inserted) in once:
            continue
        if not taken.isdisjoint(span) or not added.isdisjoint(span[1:]):
            continue
        taken |= set(span)
        if not patch.removed:
            added.add(patch.line)
            once.add((patch.line, patch.inserted))
        if patch.line > len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
            lines[-1] += end
        new = [f"{line}{end}" for line in patch.inserted]
        lines[patch.line - 1 : patch.line - 1 + patch.removed] = new
    return "".join(lines).encode("utf-8", "surrogateescape")


def unified(path: str, old: bytes, new: bytes) -> str:
    """The change as a unified diff, which ``patch`` and ``git apply`` take: a last line without an end says so."""
    before, after = (re.findall(r"[^\n]*\n|[^\n]+", data.decode("utf-8", "replace")) for data in (old, new))
    lines = difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
