"""Patches of web applications: a check of who calls in the framework's own way, and a bound of what they send.

The framework is the one that the route was found for. A check is named ``require_token`` or ``RequireToken``; where
a file has such a name already, or parts of two frameworks, nothing is written.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from assaymark.assess.patch import Patch, Place
from assaymark.assess.patches.django import signed_in
from assaymark.assess.patches.guards import GUARDS, Guard
from assaymark.assess.patches.tree import (
    Function,
    Parsed,
    calls_at,
    function_at,
    indent_at,
    inserted_imports,
    parsed,
    source_of,
    spliced,
    with_argument,
)
from assaymark.assess.source.modules import keyword

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TITLE: Final = "ask for a token"
_CHECK: Final = "the check of the token"  # behind the imports, which are called what they are
_FRAMEWORKS: Final = frozenset(("fastapi", "flask", "quart", "sanic", "bottle", "tornado", "django"))
_BY_CLASS: Final = frozenset(("BentoML", "Ray Serve", "http.server"))  # whose handlers no other could be
_NAMES: Final = frozenset(("require_token", "RequireToken", "SERVICE_TOKEN"))
_REGISTERS: Final = frozenset(
    ("get", "post", "put", "delete", "patch", "route", "api_route", "websocket", "websocket_route", "view", "api")
)
_MOST: Final = 16  # MiB


@dataclass(frozen=True, slots=True)
class _Asked:
    """A handler without a check, and the check that its framework has."""

    place: Place
    function: Function
    owner: ast.ClassDef | None
    guard: Guard
    framework: str


def authenticated(place: Place) -> Iterator[Patch]:
    """A check of who calls the route."""
    framework = place.finding.message.partition(" route ")[0]
    file = parsed(place)
    if file is None:
        return
    if framework == "Gradio":
        yield from _gradio(place, file)
    elif framework == "Django":
        yield from signed_in(place, file)
    elif framework in _BY_CLASS or (framework in GUARDS and not file.packages & _FRAMEWORKS - {framework.lower()}):
        yield from _guarded(place, file, framework)


def _guarded(place: Place, file: Parsed, framework: str) -> Iterator[Patch]:
    found = function_at(place)
    if found is None:
        return
    function, owner = found
    waits = isinstance(function, ast.AsyncFunctionDef)
    guard = next((one for one in GUARDS[framework] if one.asynchronous in (None, waits)), None)
    imports = inserted_imports(place, guard.modules) if guard is not None else None
    if guard is None or imports is None or imports[0] > function.lineno:
        return
    if file.bound & (_NAMES | {name.partition(".")[0] for name in guard.modules}):
        return
    patch = _WAYS[guard.way](_Asked(place, function, owner, guard, framework))
    if patch is not None:
        line, missing = imports
        yield patch
        for one in missing:
            yield Patch(one, place.path, line, 0, (one,), safe=False, beside=True)
        below = ("",) if place.at(line).strip() else ()
        inserted = (*guard.text.rstrip().split("\n"), *below)
        yield Patch(_CHECK, place.path, line, 0, inserted, safe=False, beside=True)


def _registered(function: Function) -> ast.Call | None:
    """The one decorator that makes a handler of a function."""
    calls = [
        one
        for one in function.decorator_list
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in _REGISTERS
    ]
    return calls[0] if len(calls) == 1 else None


def _dependency(asked: _Asked) -> Patch | None:
    call = _registered(asked.function)
    if call is None:
        return None
    given = keyword(call, "dependencies")
    if given is None:
        text = "dependencies=[fastapi.Depends(require_token)]"
        return with_argument(asked.place, call, text, _TITLE) if call.args or call.keywords else None
    if not isinstance(given, ast.List) or not given.elts:
        return None
    last = given.elts[-1]
    return spliced(asked.place, [(last, f"{source_of(asked.place, last)}, fastapi.Depends(require_token)")], _TITLE)


def _decorator(asked: _Asked) -> Patch | None:
    """Below the decorator that registers the handler; above all of one that is registered elsewhere."""
    function = asked.function
    own = asked.owner is not None
    count = len(function.args.posonlyargs) + len(function.args.args) - own
    fits = {"Starlette": count == 1, "aiohttp": count == 1, "Sanic": count > 0 and not own}.get(asked.framework, True)
    names = {getattr(one, "id", "") for one in function.decorator_list}
    if not fits or names & {"staticmethod", "classmethod"}:
        return None
    call = _registered(function)
    if call is not None:
        line = (call.end_lineno or call.lineno) + 1
    elif any(isinstance(one, ast.Call) and not isinstance(one.func, ast.Name) for one in function.decorator_list):
        return None  # what registers it is not known
    else:
        line = min((one.lineno for one in function.decorator_list), default=function.lineno)
    text = f"{indent_at(asked.place, function.lineno)}@require_token"
    return Patch(_TITLE, asked.place.path, line, 0, (text,), safe=False)


def _method(asked: _Asked) -> Patch | None:
    owner = asked.owner
    if owner is None or any(isinstance(one, Function) and one.name == "prepare" for one in owner.body):
        return None
    return _first(asked.place, owner.body, asked.guard.lines)


def _body(asked: _Asked) -> Patch | None:
    function = asked.function
    arguments = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    request = arguments[1] if len(arguments) > 1 else ""
    serves = asked.framework != "Ray Serve" or "request" in request
    if asked.owner is None or function.decorator_list or not serves:
        return None
    lines = tuple(line.replace("{request}", request) for line in asked.guard.lines)
    return _first(asked.place, function.body, lines)


def _first(place: Place, body: list[ast.stmt], lines: tuple[str, ...]) -> Patch | None:
    """Lines before the first statement of a body, behind its docstring."""
    documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    if documented and len(body) == 1:
        return None
    statement = body[1 if documented else 0]
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    line = min((statement.lineno, *(one.lineno for one in decorators)))
    indent = indent_at(place, line)
    # A body that stands on the line of its head has no place for more.
    if len(indent) != statement.col_offset or (documented and (body[0].end_lineno or 0) >= line):
        return None
    inserted = tuple(f"{indent}{one}" if one else "" for one in lines)
    return Patch(_TITLE, place.path, line, 0, inserted, safe=False)


def _middleware(asked: _Asked) -> Patch | None:
    """What BentoML runs before each request, behind the class of the service."""
    owner = asked.owner
    if owner is None or owner.col_offset or owner.end_lineno is None:
        return None
    inserted = ("", "", f"{owner.name}.add_asgi_middleware(RequireToken)")
    return Patch(_TITLE, asked.place.path, owner.end_lineno + 1, 0, inserted, safe=False, beside=True)


_WAYS: Final[dict[str, Callable[[_Asked], Patch | None]]] = {
    "dependency": _dependency,
    "decorator": _decorator,
    "method": _method,
    "body": _body,
    "middleware": _middleware,
}


def _gradio(place: Place, file: Parsed) -> Iterator[Patch]:
    """A name and password of the environment, which Gradio asks for."""
    for call in calls_at(place):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if call.lineno != place.line or name not in ("launch", "mount_gradio_app"):
            continue
        imports = inserted_imports(place, ("os",))
        if (
            any(item.arg is None for item in call.keywords)
            or imports is None
            or imports[0] > call.lineno
            or "os" in file.bound
        ):
            return
        title = "ask for a name and a password, which are GRADIO_USER and GRADIO_PASSWORD of the environment"
        text = '(os.environ["GRADIO_USER"], os.environ["GRADIO_PASSWORD"])'
        given = keyword(call, "auth")
        patch = (
            spliced(place, [(given, text)], title)
            if given is not None
            else with_argument(place, call, f"auth={text}", title)
        )
        if patch is not None:
            yield patch
            for one in imports[1]:
                yield Patch(one, place.path, imports[0], 0, (one,), safe=False, beside=True)
        return


def limited(place: Place) -> Iterator[Patch]:
    """The bound of Flask and Quart, behind the application that the same file makes."""
    framework = place.finding.message.partition(" route ")[0]
    file = parsed(place) if framework in ("Flask", "Quart") else None
    made = _made(file)[framework] if file is not None else []
    if len(made) == 1:
        (line, name), title = made[0], "take at most 16 MiB"
        text = f'{name}.config["MAX_CONTENT_LENGTH"] = {_MOST} * 1024 * 1024'
        yield Patch(title, place.path, line + 1, 0, (text,), safe=False, beside=True)


@lru_cache(maxsize=16)
def _made(file: Parsed) -> dict[str, list[tuple[int, str]]]:
    """Framework to the applications that a module makes: last line and name of each."""
    found: dict[str, list[tuple[int, str]]] = {"Flask": [], "Quart": []}
    for node in file.tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            maker = ast.unparse(node.value.func).rpartition(".")[2]
            target = node.targets[0]
            if maker in found and len(node.targets) == 1 and isinstance(target, ast.Name):
                found[maker].append((node.end_lineno or node.lineno, target.id))
    return found
