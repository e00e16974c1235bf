"""``Applications``: the web applications and routers of a project, what guards each, and what each is part of."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from assaymark.assess.source.azure_functions import level_of
from assaymark.assess.source.modules import argument, keyword, text_of
from assaymark.assess.source.places import standing

if TYPE_CHECKING:
    from assaymark.assess.source.auth import Guards
    from assaymark.assess.source.modules import Module, Project

# What is called to make an application or a router: framework, and whether it is only a part of one.
MAKERS: Final[dict[str, tuple[str, bool]]] = {
    "flask.Flask": ("Flask", False),
    "flask.Blueprint": ("Flask", True),
    "flask_restful.Api": ("Flask", True),
    "flask_restx.Api": ("Flask", True),
    "flask_restx.Namespace": ("Flask", True),
    "flask_smorest.Blueprint": ("Flask", True),
    "flask_openapi3.OpenAPI": ("Flask", False),
    "quart.Quart": ("Quart", False),
    "quart.Blueprint": ("Quart", True),
    "fastapi.FastAPI": ("FastAPI", False),
    "fastapi.APIRouter": ("FastAPI", True),
    "fastapi.routing.APIRouter": ("FastAPI", True),
    "starlette.applications.Starlette": ("Starlette", False),
    "starlette.routing.Router": ("Starlette", True),
    "sanic.Sanic": ("Sanic", False),
    "sanic.Blueprint": ("Sanic", True),
    "bottle.Bottle": ("Bottle", False),
    "falcon.App": ("Falcon", False),
    "falcon.asgi.App": ("Falcon", False),
    "aiohttp.web.Application": ("aiohttp", False),
    "aiohttp.web.RouteTableDef": ("aiohttp", True),
    "bentoml.Service": ("BentoML", False),
    "litestar.Litestar": ("Litestar", False),
    "azure.functions.FunctionApp": ("Azure Functions", False),
    "azure.functions.Blueprint": ("Azure Functions", True),
}
LIMITED: Final = frozenset(("aiohttp",))  # by default: client_max_size is 1 MiB
_OVERRIDE: Final = frozenset(("Flask", "Quart", "Sanic"))  # a prefix of a registration counts instead of the part's
_MOUNTS: Final = frozenset(
    ("include_router", "register_blueprint", "mount", "add_namespace", "blueprint", "register_functions")
)
_HOOKS: Final = frozenset(("before_request", "before_app_request", "middleware", "on_request"))
_MOST: Final = 64  # ways to one route
_HOSTS: Final = ("azure.functions.AsgiFunctionApp", "azure.functions.WsgiFunctionApp")
_SIZE: Final = re.compile(
    r"content[-_]length|max_body|body_size|payload_size|max_size|max_content|size_?limit", re.IGNORECASE
)
_LIMITERS: Final = re.compile(
    r"^(?:slowapi|flask_limiter|fastapi_limiter|limits|ratelimit|aiolimiter|django_ratelimit)"
)


class Way(NamedTuple):
    """A path that leads to a route, whether callers are refused on it, and whether what they send is bounded."""

    path: str
    guarded: bool
    limited: bool


@dataclass(slots=True)
class Application:
    """An application or router.

    ``guarded``: all that it answers is; ``depended``: the routes of its own are, which applications that are mounted
    on it are not; ``within``: what it is part of, each with whether it is guarded there.
    """

    framework: str
    part: bool
    module: Module
    name: str
    call: ast.Call | None
    guarded: bool = False
    limited: bool = False
    depended: bool = False
    asks: str = ""
    prefix: str = ""
    within: list[tuple[Application, bool, str]] = field(default_factory=list)

    def makers(self, depth: int = 5) -> list[ast.Call]:
        """The calls that make it and what it is part of."""
        own = [self.call] if self.call is not None else []
        return own + (self.within[0][0].makers(depth - 1) if self.within and depth else [])

    def ways(self, rest: str, depth: int = 5, *, mounted: bool = False) -> list[Way]:
        """The ways to a route of it: one for each path that what it is part of gives it.

        ``mounted``: something else is asked for, which is mounted on it: only what wraps all of it counts then.
        """
        own = self.guarded or (self.depended and not mounted)
        if not self.within or not depth:
            return [Way(f"{self.prefix}{rest}", own, self.limited)]
        found: dict[str, Way] = {}
        for whole, there, prefix in self.within:
            before = prefix or self.prefix if self.framework in _OVERRIDE else f"{prefix}{self.prefix}"
            for way in whole.ways(f"{before}{rest}", depth - 1, mounted=mounted or not self.part):
                guarded, limited = own or (there and not mounted) or way.guarded, self.limited or way.limited
                same = found.get(way.path)
                if same is not None:
                    guarded, limited = guarded and same.guarded, limited and same.limited
                if same is not None or len(found) < _MOST:
                    found[way.path] = Way(way.path, guarded, limited)
        return list(found.values())


class Applications:
    """All of a project."""

    def __init__(self, project: Project, guards: Guards) -> None:
        self._project = project
        self._guards = guards
        self.all: dict[tuple[str, str], Application] = {}
        for module in project.modules:
            for name, value in module.values.items():
                self._made(module, name, value)
        for module in project.modules:
            for call, _ in module.calls:
                self._call(module, call)
            for function in module.all_functions:
                for decorator in function.decorator_list:
                    self._decorated(module, function, decorator)
            self._settings(module)

    def find(self, module: Module, node: ast.AST) -> Application | None:
        """The application that an expression names."""
        if isinstance(node, ast.Call):
            return self._given(module, node)
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return None
        own = self.all.get((module.path, ast.unparse(node)))
        if own is not None:
            return own
        where, rest = self._project.where(module, node)
        return self.all.get((where.path, rest))

    def _given(self, module: Module, node: ast.Call) -> Application | None:
        """What a function of the input makes and returns: ``create_app().run()``."""
        known = self._project.function(module, node.func)
        if known is None:
            return None
        where, function = known
        given = (one.value for line in function.body for one in ast.walk(line) if isinstance(one, ast.Return))
        named = (one for one in given if isinstance(one, ast.Name))
        return next((found for one in named if (found := self.all.get((where.path, one.id))) is not None), None)

    def rate_limited(self) -> bool:
        """Whether any module uses a known limiter of rates."""
        return any(_LIMITERS.match(name) for module in self._project.modules for name in module.names.values())

    def _made(self, module: Module, name: str, value: ast.expr) -> None:
        if not isinstance(value, ast.Call):
            return
        maker = MAKERS.get(module.dotted(value.func))
        if maker is None:
            known = self._project.class_of(module, value.func)
            bases = self._project.bases(*known) if known else ()
            maker = next((MAKERS[base] for base in bases if base in MAKERS), None)
        if maker is None:
            return
        found = Application(maker[0], maker[1], module, name, value)
        found.prefix = self._prefix(module, value)
        found.limited = maker[0] in LIMITED
        for dependency in _items(keyword(value, "dependencies")):
            self._depends(found, module, dependency)
        for one in (*_items(keyword(value, "middleware")), *_items(keyword(value, "middlewares"))):
            self._middleware(found, module, one.args[0] if isinstance(one, ast.Call) and one.args else one)
        found.guarded |= any(self._guards.expression(module, one) for one in _items(keyword(value, "guards")))
        decorators = keyword(value, "decorators")
        found.guarded |= any(self._guards.expression(module, one) for one in _items(decorators))
        self.all[module.path, name] = found

    def _depends(self, found: Application, module: Module, node: ast.expr) -> None:
        found.depended |= self._guards.dependency(module, node)
        found.asks = found.asks or self._guards.asks(module, node)

    def _middleware(self, found: Application, module: Module, node: ast.AST) -> None:
        """What wraps an application. Starlette's ``AuthenticationMiddleware`` tells who calls and refuses nobody."""
        if module.dotted(node).endswith("authentication.AuthenticationMiddleware"):
            return
        found.guarded |= self._guards.expression(module, node)
        found.limited |= self._sizes(module, node)

    def _sizes(self, module: Module, node: ast.AST) -> bool:
        """Whether middleware or a hook looks at how much is sent."""
        where = self._project.function(module, node) or self._project.class_of(module, node)
        return bool(_SIZE.search(ast.unparse(where[1]) if where else ast.unparse(node)))

    def _decorated(self, module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef, node: ast.expr) -> None:
        target = node.func if isinstance(node, ast.Call) else node
        if isinstance(target, ast.Attribute) and target.attr in _HOOKS:
            found = self.find(module, target.value)
            if found is not None:
                places = [found]
                if target.attr == "before_app_request":
                    places += [whole for whole, _, _ in found.within]
                for one in places:
                    one.guarded |= self._guards.refuses(module, function)
                    one.limited |= bool(_SIZE.search(ast.unparse(function)))

    def _call(self, module: Module, call: ast.Call) -> None:
        if not isinstance(call.func, ast.Attribute) or module.dotted(call.func) in _HOSTS:
            self._wraps(module, call)
            return
        method = call.func.attr
        found = self.find(module, call.func.value)
        if found is None:
            if method == "init_app" and call.args:
                self._extension(module, call, ast.unparse(call.func.value), call.args[0])
            return
        if method in _MOUNTS:
            part = next((one for one in (self.find(module, item) for item in call.args) if one is not None), None)
            if part is not None and part is not found and standing(module.path) != "test":
                there = any(self._guards.dependency(module, one) for one in _items(keyword(call, "dependencies")))
                part.within.append((found, there, self._prefix(module, call, mounted=method == "mount")))
        elif method in (
            "add_middleware",
            "middleware",
            "before_request",
            "add_asgi_middleware",
            "register_middleware",
        ):
            node = argument(call, 0, "middleware_class")
            if node is not None:
                self._middleware(found, module, node)

    def _prefix(self, module: Module, call: ast.Call, *, mounted: bool = False) -> str:
        """What stands before the paths of a part; in braces, as no path begins, what nothing shows."""
        node = (
            keyword(call, "prefix") or keyword(call, "url_prefix") or (argument(call, 0, "path") if mounted else None)
        )
        if node is None:
            return ""
        where, rest = self._project.where(module, node)
        value = module.constant(node) or where.constant(where.values.get(rest))
        if isinstance(value, str) or (isinstance(node, ast.Constant) and not node.value):
            return str(value or "").rstrip("/")
        return f"{{{ast.unparse(node)}}}"

    def _wraps(self, module: Module, call: ast.Call) -> None:
        """``BasicAuth(app)``, ``Api(blueprint)`` and the like."""
        name = module.dotted(call.func)
        if name in _HOSTS:  # which asks for a key before it passes anything on
            hosted = argument(call, 0, "app")
            inner = self.find(module, hosted) if hosted is not None else None
            if inner is not None:
                inner.guarded |= level_of(argument(call, 1, "http_auth_level")) != "anonymous"
        if name in MAKERS and call.args:
            whole = self.find(module, call.args[0])
            part = next((one for one in self.all.values() if one.call is call), None)
            if whole is not None and part is not None and whole is not part:
                part.within.append((whole, False, ""))
                for one in _items(keyword(call, "decorators")):
                    part.guarded |= self._guards.expression(module, one)

    def _extension(self, module: Module, call: ast.Call, name: str, target: ast.expr) -> None:
        found = self.find(module, target)
        made = (
            module.dotted(module.values.get(call.func.value.id))
            if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
            else name
        )
        part = self.all.get((module.path, name))
        if part is not None and found is not None and part is not found and made:
            part.within.append((found, False, ""))

    def _settings(self, module: Module) -> None:
        """``app.config["MAX_CONTENT_LENGTH"] = ...``, ``BASIC_AUTH_FORCE``, and wrapped WSGI applications."""
        for call, _ in module.calls:
            if isinstance(call.func, ast.Attribute):
                self._updated(module, call)
        for node in module.assigns:
            for target in node.targets:
                if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Attribute):
                    found = self.find(module, target.value.value) if target.value.attr == "config" else None
                    self._set(found, text_of(target.slice), node.value)
                elif isinstance(target, ast.Attribute) and target.attr in ("wsgi_app", "asgi_app"):
                    found = self.find(module, target.value)
                    if found is not None and isinstance(node.value, ast.Call):
                        self._middleware(found, module, node.value.func)

    def _updated(self, module: Module, node: ast.Call) -> None:
        """``app.config.update(...)``, ``from_mapping``, ``from_object``."""
        function = node.func
        if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Attribute):
            return
        if function.value.attr != "config":
            return
        found = self.find(module, function.value.value)
        for item in node.keywords:
            self._set(found, item.arg or "", item.value)
        if found is not None and function.attr in ("from_object", "from_pyfile", "from_prefixed_env", "from_envvar"):
            found.limited |= any(_has_limit(one) for one in self._project.modules)

    def _set(self, found: Application | None, name: str, value: ast.expr) -> None:
        if found is None or (isinstance(value, ast.Constant) and value.value in (None, False)):
            return
        found.limited |= name == "MAX_CONTENT_LENGTH"
        found.guarded |= name == "BASIC_AUTH_FORCE"


def _has_limit(module: Module) -> bool:
    return "MAX_CONTENT_LENGTH" in module.values or any(
        isinstance(one, ast.Name) and one.id == "MAX_CONTENT_LENGTH"
        for owner in module.classes.values()
        for line in owner.body
        if isinstance(line, ast.Assign)
        for one in line.targets
    )


def _items(node: ast.expr | None) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, (ast.List, ast.Tuple)) else [node] if node is not None else []
