"""``Told``: what a workload tells a program that it starts: variables and the words of its command."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.loads import Given
from assaymark.assess.kubernetes.ports import expanded
from assaymark.assess.source.addresses import joined
from assaymark.assess.source.matching import importable
from assaymark.assess.unresolved import Unresolved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.estate.loads import Words

_HOPS: Final = 3  # of an option whose default is a variable whose default is a text


class Told:
    """The command and environment of one program. ``open_``: more variables come from where they are not shown."""

    def __init__(self, command: str, variables: Mapping[str, str], *, open_: bool = False) -> None:
        self._variables = variables
        self._open = open_
        self._words = _split(expanded(command, variables))

    def variable(self, name: str) -> Given:
        """A variable, to be looked up."""
        return Given("variable", name)

    def words(self, words: Words, path: str) -> tuple[Words, tuple[str, ...]]:
        """A text with what the program of a path is told, and what would decide that it is that."""
        found: list[Words] = []
        decides: list[str] = []
        for part in words:
            if not isinstance(part, Given):
                found.append((part,))
                continue
            value, unsure = self._value(part, path, _HOPS)
            found.append((value,))
            decides += unsure
        return joined(*found), tuple(decides)

    def _value(self, given: Given, path: str, hops: int) -> tuple[str | None, list[str]]:
        value = self._said(given, path)
        if value is not None:
            hidden = value == "<set>" or (isinstance(value, Unresolved) and "${" in value)
            return (None, []) if hidden else (value, [])
        if isinstance(given.default, Given) and hops:
            return self._value(given.default, path, hops - 1)
        if not isinstance(given.default, str):
            return None, []
        hidden = self._open if given.kind == "variable" else not self._words
        return given.default, [f"{given.shown} is not set otherwise where it runs"] if hidden else []

    def _said(self, given: Given, path: str) -> str | None:
        if given.kind == "variable":
            return self._variables.get(given.name)
        if given.kind == "option":
            return self._option(given.name.split())
        after = self._after(path)
        plain = [word for index, word in enumerate(after) if not word.startswith("-") and not _valued(after, index)]
        number = int(given.name) - 1 if given.name.isdecimal() else len(plain)
        return plain[number] if number < len(plain) else None

    def _option(self, names: list[str]) -> str | None:
        for index, word in enumerate(self._words):
            name, equals, value = word.partition("=")
            if name in names or (names and f"--{name}" in names and index and self._words[index - 1] == "--conf"):
                if equals:
                    return value
                after = self._words[index + 1] if index + 1 < len(self._words) else ""
                return None if after.startswith("--") else after
        return None

    def _after(self, path: str) -> list[str]:
        """The words behind the program's own name."""
        name = importable(path).rpartition("/")[2]
        for index, word in enumerate(self._words):
            last = word.rpartition("/")[2]
            if last in (name, f"{name}.py") or (word.rpartition(".")[2] == name and "." in word):
                return self._words[index + 1 :]
        return []


def _valued(words: list[str], index: int) -> bool:
    """Whether a word is the value of an option before it."""
    before = words[index - 1] if index else ""
    return before.startswith("--") and "=" not in before


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()
