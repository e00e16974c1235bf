"""What an examiner is given: bytes, the name they go by, where they are, and where to write notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from assaymark.scanning.promises import PROMISES

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.view import View
    from assaymark.scanning.notes import Notes


@dataclass(frozen=True, slots=True)
class Content:
    """A file, or a member of a container. ``member`` is empty for a file, else the path within, ``!`` between levels.

    ``examine`` is how a container has its members examined; ``depth`` counts containers around this content.
    """

    view: View
    name: str
    notes: Notes
    examine: Callable[[Content], None]
    member: str = ""
    depth: int = 0

    def within(self, view: View, name: str) -> Content:
        """The member ``name`` of this content."""
        member = f"{self.member}!{name}" if self.member else name
        return Content(view, name, self.notes, self.examine, member, self.depth + 1)

    def inert(self, kind: str) -> None:
        """Note that this is recognised and never executed, unless its name promised something else."""
        if self.suffix in PROMISES:
            return
        if self.member:
            self.notes.saw(kind, self.member)
        else:
            self.notes.inert = True

    @property
    def suffix(self) -> str:
        """The last extension of the name in lower case, with its dot; empty when there is none."""
        base = self.name.replace("\\", "/").rsplit("/", 1)[-1]
        dot = base.rfind(".")
        return base[dot:].lower() if dot > 0 or (dot == 0 and len(base) > 1) else ""


class Scanner(Protocol):
    """Examines content that was recognised as its format and writes what it finds into ``content.notes``."""

    def __call__(self, content: Content) -> None:
        """Examine ``content``; malformed bytes become findings or skips, never exceptions."""
        ...
