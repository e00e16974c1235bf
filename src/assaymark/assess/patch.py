"""``Patch``: a written change of one file, ``Place``: what it is written for, and how patches are applied."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.estate.estates import Estates
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

    @property
    def text(self) -> str:
        """The line, empty when the file has none there."""
        return self.lines[self.line - 1] if 0 < self.line <= len(self.lines) else ""


def apply_patches(data: bytes, patches: Iterable[Patch]) -> bytes:
    """A file with patches of it applied, from the last line to the first; of two on one line the first counts."""
    text = data.decode("utf-8", "surrogateescape")
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    taken: set[int] = set()
    for patch in sorted(set(patches), key=lambda one: (-one.line, one.title)):
        span = set(range(patch.line, patch.line + max(patch.removed, 1)))
        if patch.line <= len(lines) and span & taken:
            continue
        taken |= span
        lines[patch.line - 1 : patch.line - 1 + patch.removed] = patch.inserted
    return (end.join(lines) + end).encode("utf-8", "surrogateescape")


def unified(path: str, old: bytes, new: bytes) -> str:
    """The change as a unified diff."""
    before, after = (data.decode("utf-8", "replace").splitlines(keepends=True) for data in (old, new))
    return "".join(difflib.unified_diff(before, after, f"a/{path}", f"b/{path}"))
