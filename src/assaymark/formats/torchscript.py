"""Reader of TorchScript source: the operators that it calls and the native classes that it names.

TorchScript is written in Python's syntax and never run by Python: torch/csrc/jit/frontend parses it and looks each
name up among torch's operators (docs/serialization.md of torch/csrc/jit). So Python's own parser serves, and
nothing more.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from assaymark.core.errors import InputError
from assaymark.core.limits import TORCHSCRIPT_MAX_BYTES


@dataclass(frozen=True, slots=True)
class Call:
    """A name that code calls or refers to, dotted, with its line."""

    name: str
    line: int


def read_torchscript(source: bytes) -> tuple[Call, ...]:
    """The dotted names in ``source``, and the functions that it calls.

    Methods of values (``(x).forward(...)``) are not among them: they are defined in the same archive.

    Raises:
        InputError: ``torchscript-syntax`` with the line, ``graph-size``.
    """
    if len(source) > TORCHSCRIPT_MAX_BYTES:
        raise InputError("graph-size", f"{len(source)} bytes of code, above the limit of {TORCHSCRIPT_MAX_BYTES}")
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise InputError(
            "torchscript-syntax", "this is no TorchScript", position=f"line {error.lineno or 1}"
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise InputError("torchscript-syntax", "this is no TorchScript that can be parsed") from None
    found: list[Call] = []
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Attribute):
            name = _dotted(node)
            if name:
                found.append(Call(name, node.lineno))
                continue
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.append(Call(node.func.id, node.lineno))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.extend(Call(f"import {alias.name}", node.lineno) for alias in node.names)
        stack.extend(ast.iter_child_nodes(node))
    return tuple(found)


def _dotted(node: ast.Attribute) -> str:
    """``a.b.c`` written out; empty when it begins with anything else than a name."""
    parts: list[str] = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    return ".".join([inner.id, *reversed(parts)]) if isinstance(inner, ast.Name) else ""
