"""Python that stands in manifests: scripts of Argo, files in ConfigMaps, ``python -c``, compiled pipelines.

Sources: Argo Workflows documentation, "Scripts and results"; Kubeflow Pipelines, the compiled pipeline's
``deploymentSpec.executors``; Kubernetes, "ConfigMaps".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.source.modules import parse_module
from assaymark.core.errors import InputError
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.inputs import Inputs
    from assaymark.assess.source.modules import Module

_PYTHON: Final = re.compile(r"(?:^|/)python[\d.]*$")
_CODE: Final = re.compile(r"^(?:from [\w.]+ import |import \w|def \w+\(|async def \w+\(|@\w)", re.MULTILINE)
_SHELL: Final = re.compile(r"\s*(?:#!/bin|set -)")
_DEEPEST: Final = 48


def inline_modules(inputs: Inputs) -> list[Module]:
    """The Python of manifests, with the lines that it has there; what is no Python 3 is left alone."""
    found = []
    for file, value in inputs.maps():
        if "apiVersion" not in value and "deploymentSpec" not in value:
            continue
        for text, line in _texts(value, 0):
            numbers = range(line, line + text.count("\n") + 1)
            try:
                found.append(parse_module(file, text, numbers))
            except InputError:
                continue  # another language, or a template
    return found


def _texts(value: Any, depth: int) -> Iterator[tuple[str, int]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, Map):
        yield from _of_map(value)
        for inner in value.values():
            yield from _texts(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, depth + 1)


def _of_map(value: Map) -> Iterator[tuple[str, int]]:
    source, command = value.get("source"), value.get("command")
    words = [one for one in command if isinstance(one, str)] if isinstance(command, list) else []
    if isinstance(source, str) and words and _PYTHON.search(words[0]):
        yield source, _first(value, "source", source)
    if value.get("kind") == "ConfigMap" and isinstance(value.get("data"), Map):
        data = value["data"]
        for name, text in data.items():
            if name.endswith(".py") and isinstance(text, str):
                yield text, _first(data, name, text)
    before: list[Any] = []
    for key in ("command", "args"):
        given = value.get(key)
        for number, text in enumerate(given if isinstance(given, list) else ()):
            last = [str(one) for one in before[-2:]]
            asked = len(last) == 2 and last[1] == "-c" and _PYTHON.search(last[0]) is not None  # noqa: PLR2004
            before.append(text)
            if isinstance(text, str) and (asked or ("\n" in text and _CODE.search(text) and not _SHELL.match(text))):
                yield text, _line_of(given, number, value.at(key)) + ("\n" in text)


def _first(value: Map, key: str, text: str) -> int:
    """The line that a text begins on: a block begins on the one after its key."""
    return value.at(key) + ("\n" in text)


def _line_of(words: Any, number: int, otherwise: int) -> int:
    lines = getattr(words, "lines", [])
    return lines[number] if number < len(lines) else otherwise
