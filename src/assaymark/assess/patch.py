"""``Patch``: a written change of one file, ``Place``: what it is written for, and how patches are applied."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs
    from assaymark.core.report import Finding

_ODD_NAME: Final = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\udc80-\udcff]')
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
    """A file with patches of it applied; lines that none is about keep their bytes, a last one without an end too.

    Several that replace the same lines are put together where they change different parts of them. Else, of two on
    one line the first counts, from the last line to the first and then by title; what may stand beside others does.
    """
    lines, ends = _split(data)
    end = "\r\n" if "\r\n" in ends else "\n"
    kept = _without_conflicts(_together(patches, lines), len(lines))
    open_end = bool(kept and ends and not ends[-1])
    stays = open_end and all(patch.line + patch.removed <= len(lines) for patch in kept)
    if open_end:
        ends[-1] = end
    for patch in sorted(kept, key=lambda one: (-one.line, not one.removed, one.beside)):
        span = slice(patch.line - 1, patch.line - 1 + patch.removed)
        lines[span], ends[span] = patch.inserted, [end] * len(patch.inserted)
    if stays and ends:
        ends[-1] = ""
    return "".join(map("".join, zip(lines, ends, strict=True))).encode("utf-8", "surrogateescape")


def _together(patches: Iterable[Patch], lines: list[str]) -> list[Patch]:
    """Each patch once, whoever asks for it, and one in place of those that replace the same lines."""
    unique = {(one.line, one.removed, one.inserted): one for one in sorted(set(patches), key=lambda one: one.title)}
    same: dict[tuple[int, int], list[Patch]] = {}
    for one in unique.values():
        same.setdefault((one.line, one.removed), []).append(one)
    found: list[Patch] = []
    for (line, removed), some in same.items():
        if removed and len(some) > 1:
            found.append(_merged(some, "\n".join(lines[line - 1 : line - 1 + removed])))
        else:
            found += some
    return found


def _merged(patches: list[Patch], old: str) -> Patch:
    """The first, and of the others those whose changes touch none that was taken."""
    first = patches[0]
    taken: list[tuple[int, int, str]] = []
    for patch in patches:
        change = _change(old, "\n".join(patch.inserted))
        whole = not patch.inserted  # lines that go leave nothing to change
        if not (whole and taken) and all(change[1] < start or change[0] > stop for start, stop, _ in taken):
            taken.append(change)
        if whole and patch is first:
            return first
    for start, stop, text in sorted(taken, reverse=True):
        old = old[:start] + text + old[stop:]
    return replace(first, inserted=tuple(old.split("\n")), safe=all(one.safe for one in patches))


def _change(old: str, new: str) -> tuple[int, int, str]:
    """The one stretch of a text that another one has otherwise: from, to, and what stands there."""
    start = _shared(old, new, min(len(old), len(new)), lambda text, count: text[:count])
    tail = _shared(old, new, min(len(old), len(new)) - start, lambda text, count: text[len(text) - count :])
    return start, len(old) - tail, new[start : len(new) - tail]


def _shared(old: str, new: str, most: int, part: Callable[[str, int], str]) -> int:
    """How many characters of a part of two texts are the same, by halving: lines may be long."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        if part(old, middle) == part(new, middle):
            least = middle
        else:
            most = middle - 1
    return least


def _without_conflicts(patches: list[Patch], last: int) -> list[Patch]:
    """Those that can be applied together: imports and functions in the order of their titles, above others."""
    taken: set[int] = set()
    kept: list[Patch] = []
    for patch in sorted((one for one in patches if not one.beside), key=lambda one: (-one.line, one.title)):
        span = set(range(patch.line, patch.line + max(patch.removed, 1)))
        if patch.line > last or not span & taken:
            taken |= span
            kept.append(patch)
    beside = sorted((one for one in patches if one.beside), key=lambda one: (one.line, one.title), reverse=True)
    replaced = [one for one in kept if one.removed > 1]
    return kept + [one for one in beside if not any(two.line < one.line < two.line + two.removed for two in replaced)]


def unified(path: str, old: bytes, new: bytes) -> str:
    """The change as a unified diff, which ``patch`` and ``git apply`` take: a last line without an end says so."""
    before, after = (re.findall(r"[^\n]*\n|[^\n]+", data.decode("utf-8", "replace")) for data in (old, new))
    lines = list(difflib.unified_diff(before, after))
    heads = [f"--- {_name(f'a/{path}')}\n", f"+++ {_name(f'b/{path}')}\n"] if lines else []
    body = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines[2:])
    return "".join((*heads, *body))


def _name(path: str) -> str:
    """A path in the head of a diff: git quotes odd characters as C does, and a tab ends a name with spaces."""
    if _ODD_NAME.search(path):
        return f'"{_ODD_NAME.sub(_octal, path)}"'
    return f"{path}\t" if " " in path else path


def _octal(match: re.Match[str]) -> str:
    if match[0] in '"\\':
        return f"\\{match[0]}"
    return "".join(f"\\{byte:03o}" for byte in match[0].encode("utf-8", "surrogateescape"))
