"""Routes of Django and its REST framework: ``urls.py`` names views, settings say what holds for all."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import Remark, Route
from assaymark.assess.source.auth import named_guard
from assaymark.assess.source.modules import argument, text_of, texts_of
from assaymark.assess.source.request_bodies import inert, reads_body
from assaymark.assess.source.routes import VERBS, purpose_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.source.auth import Guards
    from assaymark.assess.source.modules import Function, Module, Project

_PATHS: Final = frozenset(("django.urls.path", "django.urls.re_path", "django.conf.urls.url"))
_PATTERN: Final = re.compile(r"[(\[\\*+?|]")
_DEPTH: Final = 8  # modules of paths that include each other
_WAYS: Final = 64  # places of one module of paths
_OPEN: Final = frozenset(("AllowAny", "IsAuthenticatedOrReadOnly", "DjangoModelPermissionsOrAnonReadOnly"))
_REST: Final = ("rest_framework.views.APIView", "rest_framework.generics.", "rest_framework.viewsets.")
_SETS: Final = {"list": "GET", "retrieve": "GET", "create": "POST", "update": "PUT", "destroy": "DELETE"}
_SETTINGS: Final = re.compile(r"(?:^|/)(?:settings|config)(?:/[\w]+)?\.py$|(?:^|/)settings[\w]*\.py$")


def _exempts(module: Module, decorator: ast.expr) -> bool:
    """Whether a decorator takes a view out of what Django's LoginRequiredMiddleware guards."""
    return module.dotted(decorator).removesuffix("()").rpartition(".")[2] == "login_not_required"


class Django:
    """Finds routes of ``urlpatterns`` and of routers."""

    def __init__(self, project: Project, guards: Guards) -> None:
        self._project = project
        self._guards = guards
        self.settings = [
            module for module in project.modules if _SETTINGS.search(module.path) and _is_settings(module)
        ]
        self.guarded = any(
            re.search(r"LoginRequiredMiddleware|RequireLogin|login_required", one)
            for module in self.settings
            for one in texts_of(module.values.get("MIDDLEWARE"))
        )
        self.rest_guarded = any(self._default(module) for module in self.settings)
        self._under: dict[str, list[tuple[Module, str]]] = {}
        self._routers: dict[tuple[str, str], list[str]] = {}
        for module in project.modules:
            for call, _ in module.calls:
                if module.dotted(call.func) in _PATHS:
                    self._includes(module, call)

    def _includes(self, module: Module, call: ast.Call) -> None:
        """``path("api/", include("scores.urls"))``, ``include(router.urls)``: what stands before others' paths."""
        view, route = argument(call, 1, "view"), text_of(argument(call, 0, "route"))
        if (
            not isinstance(view, ast.Call)
            or module.dotted(view.func).rpartition(".")[2] != "include"
            or not view.args
        ):
            return
        given = view.args[0].elts[0] if isinstance(view.args[0], ast.Tuple) and view.args[0].elts else view.args[0]
        if isinstance(given, ast.Attribute) and given.attr == "urls" and isinstance(given.value, ast.Name):
            where, rest = self._project.where(module, given.value)
            self._routers.setdefault((where.path, rest), []).append(route)
        named = self._project.module(text_of(given) or module.dotted(given), module)
        if named is not None and named is not module:
            self._under.setdefault(named.path, []).append((module, route))

    def before(self, module: Module, depth: int = _DEPTH) -> list[str]:
        """What stands before the paths of a module, for each of the ways that it is included."""
        ways = self._under.get(module.path, ()) if depth else ()
        found = [f"{one}{route.lstrip('^/')}" for whole, route in ways for one in self.before(whole, depth - 1)]
        return list(dict.fromkeys(found))[:_WAYS] or [""]

    def _default(self, module: Module) -> bool:
        """Whether the REST framework's default permission refuses strangers; without a setting it does not."""
        value = module.values.get("REST_FRAMEWORK")
        if isinstance(value, ast.Dict):
            for key, item in zip(value.keys, value.values, strict=True):
                if text_of(key) == "DEFAULT_PERMISSION_CLASSES":
                    names = [one.rpartition(".")[2] for one in texts_of(item)]
                    return bool(names) and not set(names) & _OPEN
        return False

    def collect(self, module: Module) -> Iterator[Route]:
        """The routes that a module names."""
        for call, _ in module.calls:
            name = module.dotted(call.func)
            if name in _PATHS:
                view = argument(call, 1, "view")
                if view is not None:
                    yield from self._view(module, text_of(argument(call, 0, "route")), view)
            elif (
                isinstance(call.func, ast.Attribute)
                and call.func.attr == "register"
                and len(call.args) > 1
                and module.meaning(call.func.value).startswith("rest_framework.routers.")
            ):
                for router in self._routers.get((module.path, ast.unparse(call.func.value)), [""]):
                    yield from self._view(module, router.lstrip("^/") + text_of(call.args[0]) + "/", call.args[1])

    def _view(self, module: Module, path: str, node: ast.expr) -> Iterator[Route]:
        guarded = self.guarded
        while isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr == "as_view":
                node = node.func.value
            elif module.dotted(node.func).rpartition(".")[2] == "include" or not node.args:
                return
            else:
                exempt = _exempts(module, node.func)
                guarded = not exempt and (guarded or self._guards.expression(module, node.func))
                node = node.args[0]
        known = self._project.function(module, node)
        owner = self._project.class_of(module, node) if known is None else None
        for before in self.before(module):
            whole = before + path.lstrip("^/").rstrip("$")
            shown = ("^" if _PATTERN.search(whole) else "/") + whole
            if known is not None:
                yield self._function(shown, *known, guarded)
            elif owner is not None:
                yield from self._class(shown, *owner, guarded)

    def _function(self, path: str, module: Module, function: Function, guarded: bool) -> Route:
        methods: tuple[str, ...] = ("GET",)
        rest = False
        permitted: bool | None = None
        guarded = guarded and not any(_exempts(module, one) for one in function.decorator_list)
        for decorator in function.decorator_list:
            name = module.dotted(decorator).removesuffix("()").rpartition(".")[2]
            call = decorator if isinstance(decorator, ast.Call) else None
            if name in ("api_view", "require_http_methods"):
                methods = tuple(one.upper() for one in texts_of(argument(call, 0, "") if call else None)) or methods
                rest |= name == "api_view"
            elif name == "require_POST":
                methods = ("POST",)
            elif name == "permission_classes" and call is not None and call.args:
                permitted = self._permits(module, call.args[0])
            elif not _exempts(module, decorator):
                guarded |= self._guards.expression(module, decorator)
        guarded = guarded or (permitted if permitted is not None else rest and self.rest_guarded)
        guarded = guarded or self._guards.refuses(module, function)
        body = reads_body(self._project, module, function, "Django", methods)
        if body and methods == ("GET",):
            methods = ("GET", "POST")
        return Route(
            "Django",
            methods,
            path,
            function.name,
            module.because(function),
            guarded,
            "",
            purpose_of(path, methods),
            body,
            inert=inert(function, methods) and not body,
        )

    def _class(self, path: str, module: Module, owner: ast.ClassDef, guarded: bool) -> Iterator[Route]:
        bases = list(self._project.bases(module, owner))
        rest = any(base.startswith(_REST) for base in bases)
        guarded |= any(
            named_guard(base.rpartition(".")[2]) for base in bases if not base.startswith("rest_framework")
        )
        for decorator in owner.decorator_list:  # method_decorator(login_required, name="dispatch")
            inner = decorator.args[0] if isinstance(decorator, ast.Call) and decorator.args else decorator
            exempt = _exempts(module, inner)
            guarded = not exempt and (guarded or self._guards.expression(module, inner))
        said = [
            line.value
            for line in owner.body
            if isinstance(line, ast.Assign)
            and any(isinstance(one, ast.Name) and one.id == "permission_classes" for one in line.targets)
        ]
        if said:
            guarded |= self._permits(module, said[-1])
        elif rest:
            guarded |= self.rest_guarded
        methods = self._project.methods_of(module, owner)
        guarded |= any(
            self._guards.refuses(*methods[name])
            for name in ("dispatch", "check_permissions", "initial")
            if name in methods
        )
        handlers = [(name, one) for name, one in sorted(methods.items()) if name in VERBS or name in _SETS]
        for name, (where, function) in handlers:
            verb = _SETS.get(name, name.upper())
            own = any(self._guards.expression(where, one) for one in function.decorator_list)
            refuses = self._guards.refuses(where, function)
            body = reads_body(self._project, where, function, "Django", (verb,))
            yield Route(
                "Django",
                (verb,),
                path,
                f"{owner.name}.{name}",
                where.because(function),
                guarded or own or refuses,
                "",
                purpose_of(path, (verb,)),
                body,
                inert=inert(function, (verb,)) and not body,
            )
        if not handlers and rest:
            yield Route(
                "Django",
                ("GET", "POST"),
                path,
                owner.name,
                module.because(owner),
                guarded,
                "",
                purpose_of(path),
            )

    def _permits(self, module: Module, node: ast.expr) -> bool:
        """Whether permission classes refuse strangers. An empty list refuses nobody."""
        items = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
        names = [module.dotted(one).rpartition(".")[2] or ast.unparse(one) for one in items]
        return any(
            name not in _OPEN
            and (self._project.class_of(module, one) is not None or named_guard(name) or "Has" in name)
            for name, one in zip(names, items, strict=True)
        )

    def remarks(self) -> Iterator[Remark]:
        """What settings say."""
        for module in self.settings:
            debug, hosts = module.values.get("DEBUG"), module.values.get("ALLOWED_HOSTS")
            if (
                isinstance(debug, ast.Constant)
                and debug.value is True
                and not re.search(r"dev|local|test", module.path)
            ):
                message = "Django runs with DEBUG = True: errors show settings, queries and local variables to anyone"
                yield Remark("web-debug", "DEBUG", message, (module.because(debug),))
            if "*" in texts_of(hosts) and hosts is not None and not re.search(r"dev|local|test", module.path):
                message = "Django answers to any host name (ALLOWED_HOSTS)"
                yield Remark("web-open-origins", "ALLOWED_HOSTS", message, (module.because(hosts),))


def _is_settings(module: Module) -> bool:
    return "INSTALLED_APPS" in module.values or "ROOT_URLCONF" in module.values or "MIDDLEWARE" in module.values
