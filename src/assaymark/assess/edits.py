"""``Text``: a file's text whose parts are replaced by position, and the patches of whole lines that this comes to."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING

from assaymark.assess.patch import Patch, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.files import SourceFile


class Text:
    """A file as one text whose lines end in a line feed each, whatever ends them in the file."""

    def __init__(self, file: SourceFile) -> None:
        self.path = file.path
        self.lines = lines_of(file)
        self.text = "\n".join([*self.lines, ""])
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def line_at(self, position: int) -> int:
        """The line, from 1, that a position is in."""
        return bisect_right(self._starts, position)

    def start_of(self, line: int) -> int:
        """The position that a line begins at; of the line after the last the end of the text."""
        return self._starts[min(max(line, 1), len(self._starts)) - 1]

    def indent(self, line: int) -> str:
        """The blanks that a line begins with."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        return text[: len(text) - len(text.lstrip(" \t"))]

    def replaced(self, changes: Iterable[tuple[int, int, str]], title: str, *, safe: bool = False) -> Iterator[Patch]:
        """The patches that put texts in the place of others, which do not overlap: from, to and what instead."""
        groups: list[list[tuple[int, int, str]]] = []
        last = 0
        for change in sorted(changes):
            first = self.line_at(change[0])
            if groups and first <= last:
                groups[-1].append(change)
            else:
                groups.append([change])
            last = max(last if groups else 0, self.line_at(max(change[0], change[1])))
        for group in groups:
            start, end, new = group[0]
            if len(group) == 1 and start == end == self.start_of(self.line_at(start)) and new.endswith("\n"):
                added = tuple(new.removesuffix("\n").split("\n"))
                yield Patch(title, self.path, self.line_at(start), 0, added, safe, beside=True)
                continue
            first = self.line_at(group[0][0])
            stop = max(self.line_at(max(start, end)) for start, end, _ in group)
            begin, end_ = self.start_of(first), self.start_of(stop + 1)
            text = self.text[begin:end_]
            for start, end, new in reversed(group):
                text = text[: start - begin] + new + text[end - begin :]
            inserted = tuple(text.removesuffix("\n").split("\n")) if text else ()
            yield Patch(title, self.path, first, stop - first + 1, inserted, safe)

    def appended(self, lines: Iterable[str], title: str) -> Patch:
        """The patch that adds lines at the end of the file."""
        return Patch(title, self.path, len(self.lines) + 1, 0, tuple(lines), safe=False, beside=True)

    def without(self, first: int, last: int, title: str) -> Patch:
        """The patch that takes lines away."""
        return Patch(title, self.path, first, last - first + 1, (), safe=False)


@lru_cache(maxsize=64)  # findings come file by file, and patches of one may be in several
def text_of_file(file: SourceFile) -> Text:
    """The text of a file, once."""
    return Text(file)
