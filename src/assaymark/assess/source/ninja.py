"""Routes of Django Ninja: operations of an API and its routers, and what these ask a caller for.

What an operation says of ``auth`` counts, ``None`` too; else what its router says, or where that is added; else
the API. Sources: Django Ninja's documentation, "Authentication", "Routers", "Operations".
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import Route
from assaymark.assess.source.modules import argument, keyword, text_of, texts_of
from assaymark.assess.source.request_bodies import NINJA, inert, limited, reads_body
from assaymark.assess.source.routes import VERBS, purpose_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.source.auth import Guards
    from assaymark.assess.source.django import Django
    from assaymark.assess.source.modules import Function, Module, Project

_MAKERS: Final = frozenset(
    (
        *(
            "ninja.NinjaAPI",
            "ninja.main.NinjaAPI",
            "ninja_extra.NinjaExtraAPI",
            "ninja.Router",
            "ninja.router.Router",
        ),
        *("ninja_extra.Router",),
    )
)
_PATHS: Final = frozenset(("django.urls.path", "django.urls.re_path"))
_DEPTH: Final = 5  # routers in routers
_Said = tuple["Module", ast.expr]  # what ``auth`` is, and where that is written


@dataclass(slots=True)
class _Holder:
    """An API or a router. ``within``: what it is added to, each with the prefix and what ``auth`` is there."""

    said: _Said | None = None
    within: list[tuple[_Holder, str, _Said | None]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)  # of an API, by the lists of Django

    def ways(self, depth: int = _DEPTH) -> Iterator[tuple[str, _Said | None]]:
        """What stands before its operations, with what is said of ``auth``, for each way that leads to it."""
        if not self.within or not depth:
            yield from ((path, self.said) for path in self.paths or [""])
        for whole, prefix, said in self.within if depth else ():
            for before, outer in whole.ways(depth - 1):
                yield f"{before}/{prefix}", said or self.said or outer


class Ninja:
    """Finds them. ``handlers``: the functions with the framework that calls them and the path."""

    def __init__(self, project: Project, guards: Guards, django: Django) -> None:
        self._project = project
        self._guards = guards
        self._django = django
        self.handlers: dict[int, tuple[str, str]] = {}
        self._holders: dict[tuple[str, str], _Holder] = {}
        for module in project.modules:
            for name, value in module.values.items():
                if isinstance(value, ast.Call) and module.dotted(value.func) in _MAKERS:
                    self._holders[module.path, name] = _Holder(_said(module, value))
        for module in project.modules if self._holders else ():
            for call, _ in module.calls:
                self._added(module, call)

    def _find(self, module: Module, node: ast.expr | None) -> _Holder | None:
        """What an expression names; routers may be named by a text, too."""
        if text_of(node):
            path, _, name = text_of(node).rpartition(".")
            named = self._project.module(path, module)
            return self._holders.get((named.path, name)) if named is not None else None
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return None
        where, rest = self._project.where(module, node)
        return self._holders.get((module.path, ast.unparse(node))) or self._holders.get((where.path, rest))

    def _added(self, module: Module, call: ast.Call) -> None:
        """``api.add_router("/x", router)``, and ``path("api/", api.urls)``."""
        if isinstance(call.func, ast.Attribute) and call.func.attr == "add_router":
            whole = self._find(module, call.func.value)
            part = self._find(module, argument(call, 1, "router"))
            if whole is not None and part is not None and whole is not part:
                prefix = module.constant(argument(call, 0, "prefix"))
                shown = prefix if isinstance(prefix, str) else "{prefix}"
                part.within.append((whole, shown, _said(module, call)))
        elif module.dotted(call.func) in _PATHS:
            view = argument(call, 1, "view")
            if isinstance(view, ast.Attribute) and view.attr == "urls":
                found = self._find(module, view.value)
                if found is not None:
                    route = text_of(argument(call, 0, "route"))
                    found.paths += [f"{before}{route}" for before in self._django.before(module)]

    def collect(self, module: Module) -> Iterator[Route]:
        """The routes that a module registers."""
        for function in module.all_functions if self._holders else ():
            for index, one in enumerate(function.decorator_list):
                if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
                    found = self._find(module, one.func.value)
                    if found is not None and one.func.attr in (*VERBS, "api_operation"):
                        inner = function.decorator_list[index + 1 :]
                        yield from self._operation(module, function, one, one.func.attr, found, inner)

    def _operation(
        self, module: Module, function: Function, call: ast.Call, verb: str, found: _Holder, inner: list[ast.expr]
    ) -> Iterator[Route]:
        several = verb == "api_operation"
        methods = tuple(texts_of(argument(call, 0, "methods"))) if several else (verb.upper(),)
        path = text_of(argument(call, 1 if several else 0, "path"))
        guarded = self._django.guarded or self._guards.refuses(module, function)
        guarded = guarded or any(self._guards.expression(module, one) for one in inner)
        body = reads_body(self._project, module, function, NINJA, methods)
        for before, outer in dict(found.ways()).items():
            said = _said(module, call) or outer
            refuses, asks = self._asked(*said) if said is not None else (False, "")
            whole = "/" + "/".join(part for part in f"{before}/{path}".split("/") if part)
            whole += "/" if path.endswith("/") and whole != "/" else ""
            self.handlers[id(function)] = (NINJA, whole)
            yield Route(
                NINJA,
                methods,
                whole,
                function.name,
                module.because(function),
                guarded or refuses,
                "" if guarded else asks,
                purpose_of(whole, methods),
                body,
                not body or limited(self._project, module, function, NINJA),
                inert(function, methods) and not body,
            )

    def _asked(self, module: Module, node: ast.expr) -> tuple[bool, str]:
        """Whether what ``auth`` is refuses callers, else what it asks for. Of several one that lets in is enough."""
        if isinstance(node, ast.Constant):
            return False, ""
        if isinstance(node, (ast.List, ast.Tuple)):
            every = [self._asked(module, one) for one in node.elts]
            asks = next((asks for refuses, asks in every if not refuses), "")
            return bool(every) and all(refuses for refuses, _ in every), asks
        where, rest = self._project.where(module, node)
        meant = where.values.get(rest)
        if isinstance(node, (ast.Name, ast.Attribute)) and meant is not None and meant is not node:
            return self._asked(where, meant)
        called = node.func if isinstance(node, ast.Call) else node
        known = self._project.function(module, called)
        owner = self._project.class_of(module, called) if known is None else None
        if owner is not None:
            methods = self._project.methods_of(*owner)
            known = next((methods[name] for name in ("authenticate", "__call__") if name in methods), None)
        if known is None:
            return self._guards.expression(module, node), ""
        refuses = _may_refuse(known[1]) or self._guards.refuses(*known)
        bases = [base.rpartition(".")[2] for base in self._project.bases(*owner) if "ninja" in base] if owner else []
        return refuses, "" if refuses else (bases[0] if bases else known[1].name)


def _said(module: Module, call: ast.Call) -> _Said | None:
    """What a call says of ``auth``; None where it says nothing."""
    node = keyword(call, "auth")
    if node is None or module.dotted(node).endswith("NOT_SET"):
        return None
    return module, node


def _may_refuse(function: Function) -> bool:
    """Whether what a function gives depends on anything: one that always gives what it is given lets everybody in."""
    parts = [node for line in function.body for node in ast.walk(line)]
    given = {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}
    returns = [node for node in parts if isinstance(node, ast.Return)]
    trivial = all(
        (isinstance(one.value, ast.Name) and one.value.id in given)
        or (isinstance(one.value, ast.Constant) and bool(one.value.value))
        for one in returns
    )
    ends = bool(function.body) and isinstance(function.body[-1], ast.Return)
    return not (trivial and ends) or any(isinstance(node, ast.Raise) for node in parts)
