"""``told_places``: the addresses of stores that a workload is told, and whether what lies there runs in it.

What is called a model, code or a package is loaded, and whoever writes it decides what runs. What is called an output
is written there and not read. Of all else nobody knows from the name: reading data runs nothing, unpickling it does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.graph import Because, State
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ADDRESS: Final = re.compile(
    r"(?:s3a?|gs|abfss?|wasbs?)://[^\s\"',;|)]+|https://[a-z0-9]+\.(?:blob|dfs)\.[a-z.]+/[^\s\"',;|)]*"
)
_WRITTEN: Final = re.compile(
    r"(?:^|_)(?:out|output|outputs|result|results|log|logs|logging|report|reports|export|exports|backup|backups|metric"
    r"|metrics|dest|destination|upload|uploads|save|saved|staging|temp|tmp|event|events|history|write|sink)(?:_|$)"
)
_RUN: Final = re.compile(
    r"model|weight|checkpoint|adapter|lora|artifact|storage_?uri|code|script|module|plugin|dags?(?:_|$)|jar|py_?files?|entry"
    r"|application_file|package|bundle|runtime_env|working_dir|init_action|archive|^serve$|python_file|prefix_uri"
)
_BEFORE: Final = 500  # characters in which an option or a command before an address stands
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_COPIES_OUT: Final = re.compile(
    r"\b(?:cp|sync|mv|rsync|copy|put|upload)\s+(?:-\S+\s+){0,9}[^-\s]\S*\s+(?:-\S+\s+){0,9}$"
)


@dataclass(frozen=True, slots=True)
class ToldPlace:
    """An address, what it is called where it stands, and the line."""

    address: str
    name: str
    because: Because

    @property
    def state(self) -> State:
        """Whether what lies there runs in who is told it: as far as its name tells."""
        name = "_".join(one.lower() for one in _WORDS.split(self.name) if one)
        if _WRITTEN.search(name):
            return State.NO
        return State.YES if _RUN.search(name) else State.UNKNOWN

    @property
    def decides(self) -> tuple[str, ...]:
        """What would decide it."""
        called = f" ({self.name})" if self.name else ""
        return () if self.state is State.YES else (f"what lies at {self.address}{called} is run by who reads it",)


def told_places(value: Any, because: Because | Callable[[Any, str], Because]) -> Iterator[ToldPlace]:
    """Those within a value, in its order.

    Args:
        value: mappings and lists, as a manifest or a resource has them.
        because: where all of it stands, or the line of a key in a mapping.
    """
    yield from _within(value, value, "", "", because)


def _within(
    value: Any, holder: Any, key: str, name: str, because: Because | Callable[[Any, str], Because]
) -> Iterator[ToldPlace]:
    if isinstance(value, dict):
        called = value.get("name")
        for inner, item in value.items():
            own = str(called) if inner == "value" and isinstance(called, str) else str(inner)
            yield from _within(item, value, str(inner), own, because)
    elif isinstance(value, list):
        before = name
        for item in value:
            yield from _within(item, holder, key, before, because)
            before = item if isinstance(item, str) and item.startswith("-") else name
    elif isinstance(value, str) and "://" in value:
        for match in _ADDRESS.finditer(value):
            place = holder if isinstance(holder, Map) else None
            where = because if isinstance(because, Because) else because(place, key if place is not None else "")
            yield ToldPlace(match[0], _called(value[max(0, match.start() - _BEFORE) : match.start()], name), where)


def _called(before: str, name: str) -> str:
    """What stands before an address in its text: an option, an assignment, or a command that copies out to it."""
    words = before.split()
    if _COPIES_OUT.search(before):
        return "upload"
    if not words:
        return name
    last = words[-1].rstrip("=").removesuffix(":").strip("\"'")
    option = last.startswith("-") or before.endswith(("=", '="', "='"))
    return last if option or last == "serve" else ""
