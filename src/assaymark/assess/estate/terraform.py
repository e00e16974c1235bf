"""What Terraform declares, whether planned or written in HCL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.values import json_of
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.assess.files import SourceFile
    from assaymark.core.graph import Because

_HEREDOC: Final = re.compile(r"=[ \t]*<<-?[\w-]+[ \t\r]*$")


@lru_cache(maxsize=64)  # resources come file by file
def _heredocs(file: SourceFile) -> frozenset[int]:
    """The lines of a file that a heredoc begins behind."""
    lines = enumerate(file.data.decode("utf-8", "replace").split("\n"), 1)
    return frozenset(number for number, line in lines if "<<" in line and _HEREDOC.search(line))


@dataclass(frozen=True, slots=True)
class TfResource:
    """A managed resource. ``values`` is what is written, with lines; a nested block is a ``Seq`` of ``Map``.

    ``account`` and ``region`` are the provider's; ``arn`` is the ARN that it has or would have, empty for none.
    """

    kind: str
    address: str
    values: Map
    file: SourceFile
    line: int
    account: str
    region: str
    arn: str
    made: Callable[[str], Any]

    def get(self, name: str) -> Any:
        """What is written for an attribute, else what is known of what it gets; None for nothing."""
        value = self.values.get(name)
        return value if value is not None else self.made(name)

    def text(self, name: str) -> str:
        """An attribute as text; empty when it is none."""
        value = self.get(name)
        return value if isinstance(value, str) else ""

    def blocks(self, name: str) -> list[Map]:
        """The nested blocks of a kind."""
        value = self.values.get(name)
        if isinstance(value, Map):
            return [value]
        return [item for item in value if isinstance(item, Map)] if isinstance(value, list) else []

    def json(self, name: str) -> Any:
        """The value of an attribute that holds JSON; None for nothing or no JSON."""
        value = self.values.get(name)
        if value is None:
            return None
        path = getattr(value, "path", "")
        return json_of(value, 1 if path else self._text_line(self.values.at(name)), path)

    def _text_line(self, line: int) -> int:
        """Where a text that is written on a line begins: a heredoc on the next one."""
        return line + 1 if line in _heredocs(self.file) else line

    def because(self, key: str = "") -> Because:
        """Where it, or one of its attributes, is written."""
        return self.file.because(self.values.at(key) if key else self.line)
