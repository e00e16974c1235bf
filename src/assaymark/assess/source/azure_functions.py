"""Routes of Azure Functions: which keys they ask for, as decorators or as ``function.json`` say.

Sources: Azure Functions documentation, "Python developer reference" (both programming models), "HTTP trigger": the
level is ``function`` unless something else is said, and then callers need a key; the path begins with ``/api``.
"""

from __future__ import annotations

import ast
import posixpath
from typing import TYPE_CHECKING, Final, NamedTuple

from assaymark.assess.source.modules import keyword, text_of, texts_of
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.inputs import Inputs

FRAMEWORK: Final = "Azure Functions"
_ANYONE: Final = "anonymous"
_CODE: Final = "__init__.py"


class Trigger(NamedTuple):
    """An HTTP trigger: its path, the methods that it names, and whether callers need a key."""

    path: str
    methods: tuple[str, ...]
    guarded: bool


def triggered(call: ast.Call, name: str, makers: Iterable[ast.Call]) -> Trigger:
    """What a decorator ``route`` makes of the function of this name.

    ``makers``: the calls that make what it is a part of, the innermost first.
    """
    said = [keyword(call, "auth_level"), *(keyword(one, "http_auth_level") for one in makers)]
    level = next((found for one in said if (found := level_of(one))), "")
    path = f"/api/{text_of(keyword(call, 'route')) or name}"
    methods = tuple(one.upper() for one in texts_of(keyword(call, "methods")))
    return Trigger(path, methods, level != _ANYONE)


def level_of(node: ast.expr | None) -> str:
    """``AuthLevel.ANONYMOUS`` or ``"anonymous"`` as a word; empty for none."""
    return node.attr.lower() if isinstance(node, ast.Attribute) else text_of(node).lower()


def triggers(inputs: Inputs) -> dict[tuple[str, str], Trigger]:
    """By the path of a module and the name of its function, what ``function.json`` beside it says."""
    found = {}
    for file, value in inputs.maps():
        if posixpath.basename(file.path) != "function.json":
            continue
        folder = posixpath.dirname(file.path)
        code = posixpath.normpath(posixpath.join(folder, str(value.get("scriptFile") or _CODE)))
        for one in listed(value.get("bindings")):
            if isinstance(one, Map) and str(one.get("type")).lower() == "httptrigger":
                inputs.reading.read.add(file.path)
                path = f"/api/{one.get('route') or posixpath.basename(folder)}"
                methods = tuple(str(method).upper() for method in listed(one.get("methods")))
                guarded = str(one.get("authLevel") or "function").lower() != _ANYONE
                found[code, str(value.get("entryPoint") or "main")] = Trigger(path, methods, guarded)
    return found
