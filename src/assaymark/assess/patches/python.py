"""Patches of Python source: loaders that do not execute, redaction in logs, servers without debuggers.

Calls are found again in the file's syntax tree, by the line that the finding names; what a patch changes is the text
of one argument, or lines that are added.
"""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.patches.tree import calls_around, calls_at, parsed, source_of, spliced, with_argument
from assaymark.assess.source.modules import keyword, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.assess.patch import Patch, Place

    Writer: TypeAlias = Callable[[Place], Iterator[Patch]]

_REDACTED: Final = "[redacted]"
_KINDS: Final = {
    "log-credential": "credentials",
    "log-prediction": "what the model answers",
    "log-request": "what clients send",
}
_KEPT: Final = ("exc_info", "stack_info", "stacklevel", "file", "sep", "end", "flush")
_CONVERSION: Final = re.compile(r"%[-+ #0]{0,4}[\d*]{0,4}(?:\.[\d*]{1,4})?[diouxXeEfFgGcrsa]")
_NUMBERS: Final = "diouxXeEfFgGc"
_COUNTS: Final = frozenset(("len", "type", "bool", "isinstance"))
_PLAIN_LOADERS: Final = frozenset(("SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader"))
_YAML: Final = {
    "load": "safe_load",
    "load_all": "safe_load_all",
    "full_load": "safe_load",
    "full_load_all": "safe_load_all",
    "unsafe_load": "safe_load",
    "unsafe_load_all": "safe_load_all",
}


def given(names: str | tuple[str, ...], value: str, title: str) -> Writer:
    """Gives a keyword argument that is written another value."""
    wanted = (names,) if isinstance(names, str) else names

    def write(place: Place) -> Iterator[Patch]:
        for call in calls_at(place):
            for item in call.keywords:
                if item.arg in wanted and isinstance(item.value, ast.Constant) and repr(item.value.value) != value:
                    yield spliced(place, [(item.value, value)], title)
                    return

    return write


def added(name: str, value: str, title: str) -> Writer:
    """Gives a keyword argument that is written another value, or one that is not written its value.

    The latter where no version of the library is known that makes it void.
    """
    other = given(name, value, title)

    def write(place: Place) -> Iterator[Patch]:
        patches = tuple(other(place))
        yield from patches
        if patches or "no version is required here" not in place.finding.message:
            return
        for call in calls_at(place):
            called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if call.lineno == place.line and called == "load" and keyword(call, name) is None:
                if call.args and all(item.arg is not None for item in call.keywords):
                    written = with_argument(place, call, f"{name}={value}", title)
                    yield from (written,) if written is not None else ()
                return

    return write


def safe_yaml(place: Place) -> Iterator[Patch]:
    """Loads plain data only."""
    title = "load plain data only"
    for call in calls_at(place):
        function = call.func
        called = function.attr if isinstance(function, ast.Attribute) else ""
        kind = keyword(call, "typ")
        if text_of(kind) == "unsafe" and kind is not None:
            yield spliced(place, [(kind, '"safe"')], title)
            return
        loader = keyword(call, "Loader")
        if loader is None and called in ("load", "load_all") and len(call.args) > 1:
            loader = call.args[1]
        if isinstance(loader, ast.Attribute) and loader.attr not in _PLAIN_LOADERS:
            yield spliced(place, [(loader, f"{source_of(place, loader.value)}.SafeLoader")], title)
            return
        if isinstance(loader, ast.Name) and isinstance(function, ast.Attribute) and called in ("load", "load_all"):
            if loader.id in ("Loader", "UnsafeLoader", "FullLoader", "CLoader"):
                yield spliced(place, [(loader, f"{source_of(place, function.value)}.SafeLoader")], title)
            return
        if loader is None and isinstance(function, ast.Attribute) and called in _YAML:
            yield spliced(place, [(function, f"{source_of(place, function.value)}.{_YAML[called]}")], title)
            return


def verified_context(place: Place) -> Iterator[Patch]:
    """Looks at the certificate of whom is spoken to."""
    title = "check whom is spoken to"
    for call in calls_at(place):
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr == "_create_unverified_context":
            yield spliced(place, [(function, f"{source_of(place, function.value)}.create_default_context")], title)
            return
    yield from given(("verify", "verify_ssl", "verify_certs"), "True", title)(place)


def started(place: Place) -> Iterator[Patch]:
    """Starts without the debugger: an argument, an attribute, a setting."""
    title = "start without the debugger"
    patches = tuple(given(("debug", "use_debugger"), "False", title)(place))
    yield from patches
    file = parsed(place)
    if patches or file is None:
        return
    tree = file.tree
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and node.lineno == place.line and _true(node.value):
            names = [one.id for one in node.targets if isinstance(one, ast.Name)]
            if not names or (names == ["DEBUG"] and _hosts(tree)):
                yield spliced(place, [(node.value, "False")], title)
            return


def _true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _hosts(tree: ast.Module) -> bool:
    """Whether settings of Django name the hosts that are asked for; without, all is refused when ``DEBUG`` is off."""
    return any(
        isinstance(node, ast.Assign)
        and any(isinstance(one, ast.Name) and one.id == "ALLOWED_HOSTS" for one in node.targets)
        and not (isinstance(node.value, (ast.List, ast.Tuple)) and not node.value.elts)
        for node in tree.body
    )


def redacted(place: Place) -> Iterator[Patch]:
    """Replaces what a call of a logger or ``print`` is given beside its constant texts."""
    for node in calls_around(place):
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name not in ("debug", "info", "warning", "error", "critical", "exception", "log", "print", "warn"):
            continue
        changes = [
            (one, _hidden(one))
            for index, one in enumerate(node.args)
            if not (_says_nothing(one) or (name == "log" and index == 0))
        ]
        changes += [
            (item.value, "None" if item.arg == "extra" else _hidden(item.value))
            for item in node.keywords
            if item.arg not in (None, *_KEPT) and not _says_nothing(item.value)
        ]
        if changes and not _numbers(node, {one for one, _ in changes}):
            yield spliced(place, changes, f"keep {_KINDS[place.finding.rule]} out of the log")
        return


def _numbers(node: ast.Call, hidden: set[ast.expr]) -> bool:
    """Whether what is hidden stands where the message has a place for a number."""
    for index, text in enumerate(text_of(one) for one in node.args[:2]):
        places, given = _CONVERSION.findall(text.replace("%%", "")), node.args[index + 1 :]
        plain = len(places) == len(given) and not any("*" in one for one in places)
        if "%(" in text and given:
            return True
        if any(
            place[-1] in _NUMBERS and (not plain or one in hidden)
            for place, one in zip(places, given if plain else [node] * len(places), strict=True)
        ):
            return True
    return False


def _says_nothing(node: ast.expr) -> bool:
    """Whether an expression keeps nothing of the content: a constant, or how much of it there is."""
    called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    return isinstance(node, ast.Constant) or called in _COUNTS


def _hidden(node: ast.expr) -> str:
    """The expression with what varies in it replaced."""
    if not isinstance(node, ast.JoinedStr):
        return f'"{_REDACTED}"'
    kept = {one: ast.unparse(ast.JoinedStr([one])) for one in node.values if _shows_count(one)}
    kept = {one: text[2:-1] for one, text in kept.items() if not {'"', "\\"} & set(text[2:-1])}
    if not kept:
        parts = [str(one.value) if isinstance(one, ast.Constant) else _REDACTED for one in node.values]
        return json.dumps("".join(parts), ensure_ascii=False)
    parts = [
        kept.get(one)
        or (json.dumps(str(one.value), ensure_ascii=False)[1:-1] if isinstance(one, ast.Constant) else _REDACTED)
        .replace("{", "{{")
        .replace("}", "}}")
        for one in node.values
    ]
    return f'f"{"".join(parts)}"'


def _shows_count(node: ast.expr) -> bool:
    return isinstance(node, ast.FormattedValue) and _says_nothing(node.value)
