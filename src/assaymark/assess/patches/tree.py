"""Python source found again in its syntax tree, by the line that a finding names, and what replaces parts of it."""

from __future__ import annotations

import ast
import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, TypeAlias

from assaymark.assess.patch import Patch, Place, lines_of

if TYPE_CHECKING:
    from assaymark.assess.files import SourceFile

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Parsed:
    """A file's syntax tree, and what writers ask of it: of a line, or of the whole file, each looked for once."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree

    @cached_property
    def calls(self) -> dict[int, list[ast.Call]]:
        """Line to the calls that it is part of, outer ones first."""
        found: dict[int, list[ast.Call]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                    found.setdefault(line, []).append(node)
        return found

    @cached_property
    def functions(self) -> dict[int, tuple[Function, ast.ClassDef | None]]:
        """Line to the function whose head it is part of, with the class that it is a method of."""
        found: dict[int, tuple[Function, ast.ClassDef | None]] = {}
        owners: dict[int, ast.ClassDef] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                owners |= {id(one): node for one in node.body}
            elif isinstance(node, Function):
                begin = min((one.lineno for one in node.decorator_list), default=node.lineno)
                for line in range(begin, node.lineno + 1):
                    found.setdefault(line, (node, owners.get(id(node))))
        return found

    @cached_property
    def bound(self) -> frozenset[str]:
        """The names that the file uses for something of its own; an import of a module so called is none."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.ImportFrom):
                found |= {one.asname or one.name for one in node.names}
            elif isinstance(node, ast.Import):
                found |= {one.asname for one in node.names if one.asname}
        return frozenset(found)

    @cached_property
    def packages(self) -> frozenset[str]:
        """The top packages that statements of the module itself import."""
        names = [one.name for node in self.tree.body if isinstance(node, ast.Import) for one in node.names]
        names += [node.module or "" for node in self.tree.body if isinstance(node, ast.ImportFrom)]
        return frozenset(name.partition(".")[0] for name in names)

    @cached_property
    def head(self) -> tuple[int, frozenset[str]]:
        """The last line of the imports that the file begins with, 0 without any, and the modules that they import."""
        last, known = 0, set()
        for node in self.tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                last = node.end_lineno or node.lineno
                if isinstance(node, ast.Import):
                    known |= {one.name for one in node.names if one.asname is None}
            elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                break
        return last, frozenset(known)


@lru_cache(maxsize=16)  # trees are large, and findings of a file mostly follow each other
def _parsed(file: SourceFile) -> Parsed | None:
    try:
        return Parsed(ast.parse("\n".join(lines_of(file)) + "\n"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def parsed(place: Place) -> Parsed | None:
    """The file as Python; None for what is none."""
    return _parsed(place.file)


def calls_around(place: Place) -> list[ast.Call]:
    """The calls that the line is part of, outer ones first."""
    found = _parsed(place.file)
    return found.calls.get(place.line, []) if found is not None else []


def calls_at(place: Place) -> list[ast.Call]:
    """The calls that the line is part of, the innermost first."""
    return sorted(calls_around(place), key=lambda node: ((node.end_lineno or 0) - node.lineno, -node.col_offset))


def function_at(place: Place) -> tuple[Function, ast.ClassDef | None] | None:
    """The function whose head the line is part of, with the class that it is a method of."""
    found = _parsed(place.file)
    return found.functions.get(place.line) if found is not None else None


def spliced(place: Place, changes: list[tuple[ast.expr, str]], title: str) -> Patch:
    """The lines of expressions, of which none holds another, each with a text in its stead."""
    first = min(node.lineno for node, _ in changes)
    last = max(node.end_lineno or node.lineno for node, _ in changes)
    lines = [line.encode("utf-8", "surrogateescape") for line in place.lines[first - 1 : last]]
    for node, text in sorted(changes, key=lambda change: (-change[0].lineno, -change[0].col_offset)):
        start, stop = node.lineno - first, (node.end_lineno or node.lineno) - first
        whole = lines[start][: node.col_offset] + text.encode() + lines[stop][node.end_col_offset or 0 :]
        lines[start : stop + 1] = [whole]
    inserted = tuple(line.decode("utf-8", "surrogateescape") for line in lines)
    return Patch(title, place.path, first, last - first + 1, inserted, safe=False)


def source_of(place: Place, node: ast.expr) -> str:
    """The text of an expression."""
    return _between(place, (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))


def _between(place: Place, start: tuple[int, int], stop: tuple[int, int]) -> str:
    """The text from one place (line and byte of it) to another."""
    lines = [line.encode("utf-8", "surrogateescape") for line in place.lines[start[0] - 1 : stop[0]]]
    lines[-1] = lines[-1][: stop[1]]
    lines[0] = lines[0][start[1] :]
    return b"\n".join(lines).decode("utf-8", "surrogateescape")


def with_argument(place: Place, call: ast.Call, text: str, title: str) -> Patch | None:
    """A call with one argument more, at the end."""
    end = (call.end_lineno or call.lineno, (call.end_col_offset or 0) - 1)
    given = [*call.args, *(item.value for item in call.keywords)]
    if not given:
        return _put(place, end, text, title)
    last = max(given, key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0))
    if isinstance(last, ast.GeneratorExp):
        return None  # it may stand without parentheses only where it is the one argument
    rest = re.sub(r"#[^\n]*", "", _between(place, (last.end_lineno or 0, last.end_col_offset or 0), end))
    if "," not in rest:
        if ")" in rest:
            return _put(place, end, f", {text}", title)
        return spliced(place, [(last, f"{source_of(place, last)}, {text}")], title)
    if not place.at(end[0])[: end[1]].strip():
        indent = re.match(r"\s*", place.at(last.lineno))
        return Patch(title, place.path, end[0], 0, (f"{indent[0] if indent else ''}{text},",), safe=False)
    return _put(place, end, f"{'' if rest[-1:].isspace() else ' '}{text}", title)


def _put(place: Place, where: tuple[int, int], text: str, title: str) -> Patch:
    """A text inserted at a line and a byte of it."""
    data = place.at(where[0]).encode("utf-8", "surrogateescape")
    changed = data[: where[1]] + text.encode() + data[where[1] :]
    return Patch(title, place.path, where[0], 1, (changed.decode("utf-8", "surrogateescape"),), safe=False)


def indent_at(place: Place, line: int) -> str:
    """The blanks that a line begins with."""
    text = place.at(line)
    return text[: len(text) - len(text.lstrip(" \t"))]


def inserted_imports(place: Place, modules: tuple[str, ...]) -> tuple[int, list[str]] | None:
    """The line after the last import at the file's head, and the imports that are not there yet; None without any."""
    found = _parsed(place.file)
    last, known = found.head if found is not None else (0, frozenset[str]())
    if not last or place.at(last).rstrip().endswith(("\\", ";")):
        return None
    return last + 1, [f"import {name}" for name in modules if name not in known]
