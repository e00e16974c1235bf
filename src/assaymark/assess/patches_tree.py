"""Python source found again in its syntax tree, by the line that a finding names, and what replaces parts of it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from assaymark.assess.patch import Patch, Place, lines_of

if TYPE_CHECKING:
    from assaymark.assess.files import SourceFile

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's syntax tree, its calls, outer ones before those in them, and its functions, each with its class."""

    tree: ast.Module
    calls: tuple[ast.Call, ...]
    functions: tuple[tuple[Function, ast.ClassDef | None], ...]


@lru_cache(maxsize=16)  # trees are large, and findings of a file mostly follow each other
def _parsed(file: SourceFile) -> Parsed | None:
    try:
        tree = ast.parse("\n".join(lines_of(file)) + "\n")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    nodes = list(ast.walk(tree))
    owners = {id(one): node for node in nodes if isinstance(node, ast.ClassDef) for one in node.body}
    return Parsed(
        tree,
        tuple(node for node in nodes if isinstance(node, ast.Call)),
        tuple((node, owners.get(id(node))) for node in nodes if isinstance(node, Function)),
    )


def tree_of(place: Place) -> ast.Module | None:
    """The file's syntax tree; None for what is no Python."""
    parsed = _parsed(place.file)
    return parsed.tree if parsed is not None else None


def calls_around(place: Place) -> list[ast.Call]:
    """The calls that the line is part of, outer ones first."""
    parsed = _parsed(place.file)
    calls = parsed.calls if parsed is not None else ()
    return [node for node in calls if node.lineno <= place.line <= (node.end_lineno or node.lineno)]


def calls_at(place: Place) -> list[ast.Call]:
    """The calls that the line is part of, the innermost first."""
    return sorted(calls_around(place), key=lambda node: ((node.end_lineno or 0) - node.lineno, -node.col_offset))


def function_at(place: Place) -> tuple[Function, ast.ClassDef | None] | None:
    """The function whose head the line is part of, with the class that it is a method of."""
    parsed = _parsed(place.file)
    for node, owner in parsed.functions if parsed is not None else ():
        begin = min((one.lineno for one in node.decorator_list), default=node.lineno)
        if begin <= place.line <= node.lineno:
            return node, owner
    return None


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


def binds(tree: ast.Module, names: frozenset[str]) -> bool:
    """Whether a file uses one of these names for something of its own; an import of a module so called is none."""
    for node in ast.walk(tree):
        found: object = ""
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found = node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found = node.id
        elif isinstance(node, ast.arg):
            found = node.arg
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            plain = isinstance(node, ast.ImportFrom)
            found = next((name for one in node.names if (name := one.asname or (plain and one.name)) in names), "")
        if found in names:
            return True
    return False


def inserted_imports(place: Place, tree: ast.Module, modules: tuple[str, ...]) -> tuple[int, list[str]] | None:
    """The line after the last import at the file's head, and the imports that are not there yet; None without any."""
    last = 0
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            last = node.end_lineno or node.lineno
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            break
    if not last or place.at(last).rstrip().endswith(("\\", ";")):
        return None
    known = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname is None
    }
    return last + 1, [f"import {name}" for name in modules if name not in known]
