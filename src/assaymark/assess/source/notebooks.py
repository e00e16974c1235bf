"""The cells of Jupyter notebooks as one module, each line of it at its line of the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC: Final = re.compile(r"^(\s*)(?:[!%?]|\w+\s*=\s*[!%])")
_OTHER_LANGUAGE: Final = re.compile(r"\s*%%(?!time|timeit|capture|prun)")


def is_notebook(value: Any) -> bool:
    """Whether a JSON value is a notebook of format 4."""
    return isinstance(value, Map) and isinstance(value.get("cells"), list) and "nbformat" in value


def code_of(value: Map) -> tuple[str, list[int], list[tuple[int, str]]]:
    """The source of all code cells, the line of the file of each of its lines, and the shell commands with theirs."""
    text: list[str] = []
    lines: list[int] = []
    commands: list[tuple[int, str]] = []
    for cell in value["cells"]:
        if not isinstance(cell, Map) or cell.get("cell_type") != "code":
            continue
        written = list(_lines(cell))
        foreign = bool(written) and bool(_OTHER_LANGUAGE.match(written[0][1]))
        shell = foreign and re.match(r"\s*%%(?:bash|sh|script)", written[0][1]) is not None
        for number, line in written:
            if foreign:
                if shell:
                    commands.append((number, line))
                continue
            match = _MAGIC.match(line)
            if match:
                commands.append((number, line.strip().lstrip("!%")))
                line = f"{match[1]}pass"  # noqa: PLW2901 - the rest of the cell stays parseable
            text.append(line)
            lines.append(number)
    return "\n".join(text) + "\n", lines, commands


def _lines(cell: Map) -> Iterator[tuple[int, str]]:
    source = cell.get("source")
    if isinstance(source, str):
        yield from ((cell.at("source"), line) for line in source.split("\n"))
    elif isinstance(source, Seq):
        for index, item in enumerate(source):
            if isinstance(item, str):
                yield from ((source.at(index), line) for line in item.removesuffix("\n").split("\n"))
