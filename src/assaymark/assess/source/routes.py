"""``Routes``: what a project's web applications answer, framework by framework.

A route is authenticated when its handler, a decorator inside the one that registers it, a dependency, or what it is
part of refuses callers. A decorator outside the one that registers a handler does not run for requests.

This is one file because each framework's way is a few lines over the same state.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import Route
from assaymark.assess.source.applications import Way
from assaymark.assess.source.auth import named_guard
from assaymark.assess.source.azure_functions import FRAMEWORK, triggered
from assaymark.assess.source.modules import argument, keyword, of_lambda, text_of, texts_of
from assaymark.assess.source.mounts import Mounts
from assaymark.assess.source.request_bodies import inert, limited, reads_body

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.source.applications import Application, Applications
    from assaymark.assess.source.auth import Guards
    from assaymark.assess.source.azure_functions import Trigger
    from assaymark.assess.source.modules import Function, Module, Project

VERBS: Final = ("get", "post", "put", "delete", "patch")
_DECORATORS: Final = frozenset((*VERBS, "route", "api_route", "websocket", "websocket_route", "view"))
_STRANGERS: Final = frozenset(
    ("pytest", "mock", "responses", "respx", "httpretty", "requests_mock", "click", "typer", "client", "requests")
)
_HEALTH: Final = re.compile(
    r"(?:^|/)(?:health\w*|healthz|livez|readyz|ready|readiness|live|liveness|alive|ping|status|heartbeat|startup|up|"
    r"version|favicon\.ico|robots\.txt|_?ready|health[-_/]\w+)/?$",
    re.IGNORECASE,
)
_METRICS: Final = re.compile(r"(?:^|/)(?:metrics|prometheus)/?$", re.IGNORECASE)
_SIGN_IN: Final = re.compile(
    r"(?:^|/)(?:log[-_]?in|log[-_]?out|sign[-_]?(?:in|up|out)|token|oauth2?|auth|callback|authorize|register|"
    r"refresh(?:[-_]token)?|(?:password[-_]?)?(?:reset|recover\w*|forgot)(?:[-_]?password)?|password[-_]recovery[\w-]*|sso|saml|\.well-known)(?:/|$)",
    re.IGNORECASE,
)
_STATIC: Final = re.compile(
    r"^/?(?:static|assets|docs|redoc|openapi\.json|swagger\w*)(?:/|$)|\.(?:css|js|ico|png)$", re.IGNORECASE
)
_HANDLERS: Final[dict[str, str]] = {
    "flask.views.MethodView": "Flask",
    "flask_restful.Resource": "Flask",
    "flask_restx.Resource": "Flask",
    "starlette.endpoints.HTTPEndpoint": "Starlette",
    "tornado.web.RequestHandler": "Tornado",
    "aiohttp.web.View": "aiohttp",
    "http.server.BaseHTTPRequestHandler": "http.server",
    "http.server.SimpleHTTPRequestHandler": "http.server",
}


def purpose_of(path: str, methods: tuple[str, ...] = ("GET",)) -> str:
    """What a route is for, as its path tells; what takes bodies is for no one's health."""
    if set(methods) - {"GET", "HEAD", "OPTIONS"}:
        return "sign-in" if _SIGN_IN.search(path) else ""
    for name, pattern in (("health", _HEALTH), ("metrics", _METRICS), ("sign-in", _SIGN_IN), ("static", _STATIC)):
        if pattern.search(path):
            return name
    return ""


_EVENTS: Final = frozenset(  # of Gradio's components, which call a function with their values
    ("click", "submit", "change", "input", "upload", "select", "release", "blur", "stop_recording", "then", "success")
)


_LOCAL: Final = ("127.0.0.1", "localhost", "::1")


def _is_local(call: ast.Call, module: Module) -> bool:
    """Whether Gradio listens on the machine's own address: where it is told so, or nothing, and is not shared.

    Source: Gradio's documentation, ``launch`` (``server_name``: 127.0.0.1 unless GRADIO_SERVER_NAME says otherwise).
    """
    share, name = keyword(call, "share"), keyword(call, "server_name")
    told = any(item.arg is None for item in call.keywords) or len(call.args) > 0
    shared = share is not None and not (isinstance(share, ast.Constant) and not share.value)
    if told or shared:
        return False
    return name is None or (isinstance(name, ast.Constant) and name.value is None) or module.constant(name) in _LOCAL


class Routes:
    """Finds them.

    ``handlers`` are the functions with the framework that calls them and the path, for who follows what they do.
    """

    def __init__(
        self,
        project: Project,
        guards: Guards,
        applications: Applications,
        triggers: Mapping[tuple[str, str], Trigger] | None = None,
    ) -> None:
        self._project = project
        self._triggers = triggers or {}
        self._guards = guards
        self._applications = applications
        self._mounts = Mounts(project, guards, applications)
        self.handlers: dict[int, tuple[str, str]] = {}
        self.found: list[Route] = []

    def collect(self, module: Module) -> list[Route]:
        """The routes that a module registers."""
        self.found = []
        for function in module.all_functions:
            for index, decorator in enumerate(function.decorator_list):
                self._decorated(module, function, index, decorator)
            trigger = self._triggers.get((module.path, function.name))
            if trigger is not None:
                self._triggered(module, function, trigger)
            if of_lambda(function):
                place, called = module.because(function), "called"  # by AWS Lambda, whoever that lets call it
                asks = self._guards.refuses(module, function)
                self.found.append(Route("Lambda", ("ANY",), "/", function.name, place, asks, "", called, body=True))
        for owner in module.classes.values():
            self._class(module, owner)
        gradio = module.imports("gradio")
        for call, _ in module.calls:
            self._call(module, call)
            if gradio:
                self._event(module, call)
        return self.found

    # decorators

    def _decorated(self, module: Module, function: Function, index: int, node: ast.expr) -> None:
        call = node if isinstance(node, ast.Call) else None
        target = call.func if call else node
        if not isinstance(target, ast.Attribute):
            name = module.dotted(target)
            if name in ("bentoml.api", "bentoml.service") or (name.startswith("litestar.") and call):
                self._named(module, function, name, call)
            return
        found = self._applications.find(module, target.value)
        name = module.meaning(target)
        if name in ("bentoml.api", "bentoml.Service().api") or (
            target.attr == "api" and found and found.framework == "BentoML"
        ):
            self._add(
                "BentoML",
                ("POST",),
                f"/{function.name}",
                module,
                function,
                found,
                function.decorator_list[index + 1 :],
                guarded=self._guards.service(module, function),
            )
            return
        if call is None or target.attr not in _DECORATORS:
            return
        if found is not None and found.framework == FRAMEWORK:
            self._triggered(module, function, triggered(call, function.name, found.makers()))
            return
        path = text_of(argument(call, 0, "path")) or text_of(keyword(call, "rule"))
        root = module.dotted(target.value).split(".")[0]
        if found is None and (not path.startswith("/") or root in _STRANGERS or not _web(module)):
            return
        framework = found.framework if found else _web(module)
        methods = tuple(one.upper() for one in texts_of(keyword(call, "methods")))
        methods = methods or (("GET",) if target.attr in ("route", "api_route", "view") else (target.attr.upper(),))
        extra = [*function.decorator_list[index + 1 :], *_list(keyword(call, "dependencies"))]
        self._add(framework, methods, path or "/", module, function, found, extra)

    def _triggered(self, module: Module, function: Function, trigger: Trigger) -> None:
        """A function of Azure that HTTP triggers: by any method where none is named."""
        reads = reads_body(self._project, module, function, FRAMEWORK, ())
        methods = trigger.methods or (("POST",) if reads else ("GET",))
        self._add(FRAMEWORK, methods, trigger.path, module, function, None, (), guarded=trigger.guarded)

    def _named(self, module: Module, function: Function, name: str, call: ast.Call | None) -> None:
        verb = name.rpartition(".")[2]
        if name == "bentoml.api":
            guarded = self._guards.service(module, function)
            self._add("BentoML", ("POST",), f"/{function.name}", module, function, None, (), guarded=guarded)
        elif verb in VERBS and call is not None:
            guards = [one for one in _list(keyword(call, "guards")) if self._guards.expression(module, one)]
            path = text_of(argument(call, 0, "path")) or "/"
            whole = self._one("Litestar")
            self._add("Litestar", (verb.upper(),), path, module, function, whole, (), guarded=bool(guards))

    # classes

    def _class(self, module: Module, owner: ast.ClassDef) -> None:
        bases = set(self._project.bases(module, owner))
        framework = next((_HANDLERS[base] for base in sorted(bases) if base in _HANDLERS), "")
        path, found = "", None
        for decorator in owner.decorator_list:
            if (
                isinstance(decorator, ast.Call)
                and isinstance(decorator.func, ast.Attribute)
                and decorator.func.attr in ("route", "view")
            ):
                path = text_of(argument(decorator, 0, "path"))
                found = self._applications.find(module, decorator.func.value)
        if framework == "http.server":
            self._verbs(module, owner, framework, "/", None, "do_")
        elif path:
            self._verbs(module, owner, framework or "Flask", path, found)
        if any(module.dotted(one).startswith("ray.serve.deployment") for one in owner.decorator_list):
            method = module.methods.get(owner.name, {}).get("__call__")
            if method is not None and not any("ingress" in ast.unparse(one) for one in owner.decorator_list):
                self._add("Ray Serve", ("POST",), "/", module, method, None, ())

    def _verbs(
        self,
        module: Module,
        owner: ast.ClassDef,
        framework: str,
        path: str,
        found: Application | None,
        prefix: str = "",
        *,
        guarded: bool = False,
    ) -> None:
        guards = [one for name in ("decorators", "method_decorators") for one in _class_list(owner, name)]
        methods = self._project.methods_of(module, owner)
        prepared = [one for name, one in methods.items() if name in ("prepare", "dispatch_request", "before_request")]
        guarded |= any(self._guards.refuses(*one) for one in prepared)
        guarded |= any(self._guards.expression(module, one) for one in (*guards, *owner.decorator_list[1:]))
        guarded |= any(named_guard(base.rpartition(".")[2]) for base in self._project.bases(module, owner))
        for name, (where, function) in sorted(methods.items()):
            verb = name.removeprefix(prefix).lower()
            if verb in VERBS and (not prefix or name.startswith(prefix)):
                self._add(
                    framework, (verb.upper(),), path, where, function, found, function.decorator_list, guarded=guarded
                )

    # calls

    def _call(self, module: Module, call: ast.Call) -> None:
        name = module.dotted(call.func)
        if isinstance(call.func, ast.Attribute):
            found = self._applications.find(module, call.func.value)
            if found is None and isinstance(call.func.value, ast.Attribute) and call.func.value.attr == "router":
                found = self._applications.find(module, call.func.value.value)
            self._method(module, call, call.func.attr, found)
        if name in ("starlette.routing.Route", "starlette.routing.WebSocketRoute", "fastapi.routing.APIRoute"):
            path, handler = text_of(argument(call, 0, "path")), argument(call, 1, "endpoint")
            for place in self._mounts.of(call):
                whole = place.application or self._one("Starlette")
                guarded = place.guarded or self._mounts.middleware(module, call)
                self._handler(module, "Starlette", call, place.prefix + path, handler, whole, guarded=guarded)
        elif re.fullmatch(r"aiohttp\.web\.(?:get|post|put|delete|patch|view)", name):
            verb = name.rpartition(".")[2].upper()
            self._handler(
                module,
                "aiohttp",
                call,
                text_of(argument(call, 0, "path")),
                argument(call, 1, "handler"),
                self._one("aiohttp"),
                verb,
            )
        elif name in ("tornado.web.Application", "tornado.web.URLSpec", "tornado.web.url"):
            self._tornado(module, call)
        elif name.startswith("gradio.") or ".launch" in name or name.endswith("launch"):
            self._gradio(module, call)

    def _one(self, framework: str) -> Application | None:
        """The application of a framework when there is one only."""
        some = [one for one in self._applications.all.values() if one.framework == framework and not one.part]
        return some[0] if len(some) == 1 else None

    def _method(self, module: Module, call: ast.Call, method: str, found: Application | None) -> None:
        if found is None:
            return
        path = text_of(argument(call, 0, "path")) or text_of(keyword(call, "rule"))
        if method == "add_url_rule":
            self._handler(module, found.framework, call, path, argument(call, 2, "view_func"), found)
        elif method in ("add_api_route", "add_route", "add_api_websocket_route", "add_websocket_route"):
            first, second = argument(call, 0, "path"), argument(call, 1, "endpoint") or keyword(call, "route")
            if found.framework == "Sanic":
                first, second = second, first
            self._handler(module, found.framework, call, text_of(first), second, found)
        elif method == "add_resource" and call.args:
            for one in [text_of(item) for item in call.args[1:]][:1] or [path]:
                self._handler(module, "Flask", call, one, call.args[0], found)
        elif found.framework == "aiohttp" and method.startswith("add_") and method[4:] in VERBS:
            self._handler(module, "aiohttp", call, path, argument(call, 1, "handler"), found, method[4:].upper())

    def _handler(
        self,
        module: Module,
        framework: str,
        call: ast.Call,
        path: str,
        handler: ast.expr | None,
        found: Application | None,
        verb: str = "",
        *,
        guarded: bool = False,
    ) -> None:
        """A handler that is named where its route is registered."""
        extra = list(_list(keyword(call, "dependencies")))
        while isinstance(handler, ast.Call):
            if isinstance(handler.func, ast.Attribute) and handler.func.attr in ("as_view", "as_asgi"):
                handler = handler.func.value
            elif handler.args:
                extra.append(handler.func)
                handler = handler.args[0]
            else:
                return
        if handler is None:
            return
        methods = tuple(one.upper() for one in texts_of(keyword(call, "methods"))) or ((verb,) if verb else ("GET",))
        known = self._project.function(module, handler)
        if known is not None:
            inner = [*extra, *known[1].decorator_list]
            self._add(framework, methods, path or "/", known[0], known[1], found, inner, guarded=guarded)
            return
        owner = self._project.class_of(module, handler)
        if owner is not None:
            self._verbs(owner[0], owner[1], framework, path or "/", found, guarded=guarded)

    def _tornado(self, module: Module, call: ast.Call) -> None:
        for one in ast.walk(argument(call, 0, "handlers") or call):
            if isinstance(one, ast.Tuple) and len(one.elts) > 1 and text_of(one.elts[0]):
                owner = self._project.class_of(module, one.elts[1])
                if owner is not None:
                    self._verbs(owner[0], owner[1], "Tornado", text_of(one.elts[0]), None)

    def _gradio(self, module: Module, call: ast.Call) -> None:
        target = call.func.value if isinstance(call.func, ast.Attribute) and call.func.attr == "launch" else None
        name = module.meaning(target) if target is not None else ""
        mounted = module.dotted(call.func).endswith("mount_gradio_app")
        if not mounted and not (name.startswith("gradio.") or (target is not None and module.imports("gradio"))):
            return
        guarded = any(_given(keyword(call, one)) for one in ("auth", "auth_dependency"))
        path = text_of(keyword(call, "path")) or "/"
        self.found.append(
            Route(
                "Gradio",
                ("POST",),
                path,
                "launch" if not mounted else "mount",
                module.because(call),
                guarded,
                body=True,
                local=not mounted and _is_local(call, module),
            )
        )

    def _event(self, module: Module, call: ast.Call) -> None:
        """A function that Gradio calls with what a visitor gives: of an interface, or of a component's event."""
        verb = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        made = module.dotted(call.func) in ("gradio.Interface", "gradio.ChatInterface", "gradio.TabbedInterface")
        known = self._project.function(module, given) if (given := argument(call, 0, "fn")) is not None else None
        if known is not None and (made or verb in _EVENTS):
            self.handlers.setdefault(id(known[1]), ("Gradio", "/"))

    # what came of it

    def _add(
        self,
        framework: str,
        methods: tuple[str, ...],
        path: str,
        module: Module,
        function: Function,
        found: Application | None,
        extra: Iterator[ast.expr] | list[ast.expr] | tuple[ast.expr, ...],
        *,
        guarded: bool = False,
    ) -> None:
        self.handlers[id(function)] = (framework, path)
        guards = self._guards
        authenticated = guarded
        asks = found.asks if found is not None else ""
        signature = _signature(function)
        for node in (*extra, *signature):
            if node in signature or guards.depended(module, node) is not None:
                authenticated |= guards.dependency(module, node)
                asks = asks or guards.asks(module, node)
            else:
                authenticated |= guards.expression(module, node)
        authenticated = authenticated or guards.refuses(module, function)
        if asks and not authenticated:
            authenticated = _uses_credential(module, function, guards)
        body = reads_body(self._project, module, function, framework, methods)
        bounded = not body or limited(self._project, module, function, framework)
        for way in found.ways(path) if found is not None else [Way(path, guarded=False, limited=False)]:
            self.found.append(
                Route(
                    framework,
                    methods,
                    way.path,
                    function.name,
                    module.because(function),
                    authenticated or way.guarded,
                    "" if authenticated or way.guarded else asks,
                    purpose_of(way.path, methods),
                    body,
                    bounded or way.limited,
                    inert(function, methods) and not body,
                )
            )


def _uses_credential(module: Module, function: Function, guards: Guards) -> bool:
    """Whether the handler does anything with the credential that a dependency gives it."""
    arguments = function.args
    pairs = list(zip(reversed(arguments.args), reversed(arguments.defaults), strict=False))
    pairs += [
        (one, default) for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default
    ]
    names = {one.arg for one, default in pairs if guards.asks(module, default)}
    names |= {one.arg for one in arguments.args if one.annotation is not None and guards.asks(module, one.annotation)}
    return any(
        isinstance(node, ast.Name) and node.id in names
        for line in function.body
        for call in ast.walk(line)
        if isinstance(call, (ast.Call, ast.Compare))
        for node in ast.walk(call)
    )


def _signature(function: Function) -> list[ast.expr]:
    arguments = function.args
    found = [*arguments.defaults, *(one for one in arguments.kw_defaults if one is not None)]
    return found + [one.annotation for one in (*arguments.args, *arguments.kwonlyargs) if one.annotation is not None]


def _web(module: Module) -> str:
    for package, framework in (
        ("fastapi", "FastAPI"),
        ("flask", "Flask"),
        ("quart", "Quart"),
        ("starlette", "Starlette"),
        ("sanic", "Sanic"),
        ("bottle", "Bottle"),
        ("aiohttp", "aiohttp"),
    ):
        if module.imports(package):
            return framework
    return ""


def _list(node: ast.expr | None) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, (ast.List, ast.Tuple)) else []


def _class_list(owner: ast.ClassDef, name: str) -> list[ast.expr]:
    return [
        item
        for line in owner.body
        if isinstance(line, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in line.targets)
        for item in _list(line.value)
    ]


def _given(node: ast.expr | None) -> bool:
    return node is not None and not (isinstance(node, ast.Constant) and node.value in (None, False))
