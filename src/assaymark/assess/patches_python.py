"""Patches of Python source: loaders that do not execute, redaction in logs, authentication in the app's framework.

Calls are found again in the file's syntax tree, by the line that the finding names; what a patch changes is the text
of one argument, or lines that are added.
"""

from __future__ import annotations

import ast
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.patch import Patch, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Writer: TypeAlias = Callable[[Place], Iterator[Patch]]

_REDACTED: Final = "[redacted]"
_FASTAPI_GUARD: Final = '''

def require_token(authorization: str = fastapi.Header("")) -> None:
    """Refuses who does not carry the token in SERVICE_TOKEN."""
    wanted = f"Bearer {os.environ['SERVICE_TOKEN']}"
    if not hmac.compare_digest(authorization.encode(), wanted.encode()):
        raise fastapi.HTTPException(401)
'''
_FLASK_GUARD: Final = '''

def require_token(handler):
    """Refuses who does not carry the token in SERVICE_TOKEN."""

    @functools.wraps(handler)
    def checked(*args, **kwargs):
        wanted = f"Bearer {os.environ['SERVICE_TOKEN']}"
        if not hmac.compare_digest(flask.request.headers.get("Authorization", "").encode(), wanted.encode()):
            flask.abort(401)
        return handler(*args, **kwargs)

    return checked
'''
_FASTAPI_IMPORTS: Final = ("hmac", "os", "fastapi")
_FLASK_IMPORTS: Final = ("functools", "hmac", "os", "flask")


@lru_cache(maxsize=4)  # findings come file by file
def _parsed(text: str) -> tuple[ast.Module | None, tuple[ast.Call, ...]]:
    """The syntax tree of a file and its calls, outer ones before those in them."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None, ()
    return tree, tuple(node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _tree(place: Place) -> ast.Module | None:
    return _parsed("\n".join(place.lines) + "\n")[0]


def _around(place: Place) -> list[ast.Call]:
    """The calls that the line is part of, outer ones first."""
    calls = _parsed("\n".join(place.lines) + "\n")[1]
    return [node for node in calls if node.lineno <= place.line <= (node.end_lineno or node.lineno)]


def _calls(place: Place) -> list[ast.Call]:
    """The calls that the line is part of, the innermost first."""
    return sorted(_around(place), key=lambda node: ((node.end_lineno or 0) - node.lineno, -node.col_offset))


def _replaced(place: Place, node: ast.expr, text: str, title: str) -> Patch:
    """The lines of an expression with a text in its stead."""
    return _spliced(place, [(node, text)], title)


def _spliced(place: Place, changes: list[tuple[ast.expr, str]], title: str) -> Patch:
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


def _argument(name: str, value: str, title: str) -> Writer:
    """Gives a keyword argument that is written another value."""

    def write(place: Place) -> Iterator[Patch]:
        for call in _calls(place):
            for item in call.keywords:
                if item.arg == name and isinstance(item.value, ast.Constant) and repr(item.value.value) != value:
                    yield _replaced(place, item.value, value, title)
                    return

    return write


def _yaml(place: Place) -> Iterator[Patch]:
    title = "load plain data only"
    for call in _calls(place):
        loader = next((item.value for item in call.keywords if item.arg == "Loader"), None)
        if (
            loader is None
            and isinstance(call.func, ast.Attribute)
            and len(call.args) > 1
            and call.func.attr == "load"
        ):
            loader = call.args[1]
        if isinstance(loader, ast.Attribute):
            yield _replaced(place, loader, f"{ast.unparse(loader.value)}.SafeLoader", title)
            return
        if loader is None and isinstance(call.func, ast.Attribute) and call.func.attr in ("load", "unsafe_load"):
            yield _replaced(place, call.func, f"{ast.unparse(call.func.value)}.safe_load", title)
            return


def _redact(place: Place) -> Iterator[Patch]:
    """Replaces what a call of a logger or ``print`` is given beside its constant texts."""
    for node in _around(place):
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name not in ("debug", "info", "warning", "error", "critical", "exception", "log", "print", "warn"):
            continue
        changes = [
            (one, _hidden(one))
            for index, one in enumerate(node.args)
            if not (isinstance(one, ast.Constant) or (name == "log" and index == 0))
        ]
        changes += [(item.value, "None") for item in node.keywords if item.arg == "extra"]
        if changes:
            yield _spliced(place, changes, "keep what clients send out of the log")
        return


def _hidden(node: ast.expr) -> str:
    """The expression with what varies in it replaced."""
    if not isinstance(node, ast.JoinedStr):
        return f'"{_REDACTED}"'
    parts = [str(one.value) if isinstance(one, ast.Constant) else _REDACTED for one in node.values]
    return json.dumps("".join(parts), ensure_ascii=False)


def _authenticate(place: Place) -> Iterator[Patch]:
    """Asks for a token, in FastAPI by a dependency of the route and in Flask by a decorator below the route's."""
    tree = _tree(place)
    names = {
        alias.name.partition(".")[0] if isinstance(node, ast.Import) else (node.module or "").partition(".")[0]
        for node in (tree.body if tree is not None else ())
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    route = _route(tree, place.line) if tree is not None else None
    if tree is None or route is None or len(names & {"fastapi", "flask"}) != 1:
        return
    function, decorator = route
    if function.name == "require_token" or any(
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == "require_token"
        for node in tree.body
    ):
        return
    title = "ask for a token"
    if "fastapi" in names:
        if any(item.arg == "dependencies" for item in decorator.keywords):
            return
        given = [*decorator.args, *(item.value for item in decorator.keywords)]
        last = max(given, key=lambda node: (node.lineno, node.col_offset), default=None)
        text = ast.get_source_segment("\n".join(place.lines), last) if last is not None else None
        if last is None or text is None:
            return
        yield _replaced(place, last, f"{text}, dependencies=[fastapi.Depends(require_token)]", title)
    elif isinstance(function, ast.FunctionDef):
        indent = " " * function.col_offset
        line = (decorator.end_lineno or decorator.lineno) + 1
        yield Patch(title, place.path, line, 0, (f"{indent}@require_token",), safe=False)
    else:
        return
    guard, modules = (_FASTAPI_GUARD, _FASTAPI_IMPORTS) if "fastapi" in names else (_FLASK_GUARD, _FLASK_IMPORTS)
    yield from _added(place, tree, guard, modules, title)


def _route(tree: ast.Module, line: int) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ast.Call] | None:
    """The handler on a line and the decorator that makes it a route."""
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        calls = [
            one for one in node.decorator_list if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)
        ]
        begin = min((one.lineno for one in node.decorator_list), default=node.lineno)
        if len(calls) == 1 and begin <= line <= node.lineno:
            return node, calls[0]
    return None


def _added(place: Place, tree: ast.Module, guard: str, modules: tuple[str, ...], title: str) -> Iterator[Patch]:
    """The guard behind the last import at the file's head, with the imports that it needs."""
    last = 0
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            last = node.end_lineno or node.lineno
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            break
    if not last:
        return
    known = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname is None
    }
    imports = [f"import {name}" for name in modules if name not in known]
    inserted = (*imports, *guard.rstrip().split("\n"), "")
    yield Patch(f"{title}: the check", place.path, last + 1, 0, inserted, safe=False)


PYTHON_WRITERS: Final[dict[str, Writer]] = {
    "load-keras": _argument("safe_mode", "True", "load no code"),
    "load-pickle": _argument("allow_pickle", "False", "load plain arrays only"),
    "load-remote-code": _argument("trust_remote_code", "False", "run no code of the model's repository"),
    "load-torch": _argument("weights_only", "True", "load weights only"),
    "load-yaml": _yaml,
    "log-prediction": _redact,
    "log-request": _redact,
    "source-tls-unverified": _argument("verify", "True", "check whom is spoken to"),
    "web-debug": _argument("debug", "False", "start without the debugger"),
    "web-no-authentication": _authenticate,
    "web-public-share": _argument("share", "False", "keep the demonstration where it runs"),
}
