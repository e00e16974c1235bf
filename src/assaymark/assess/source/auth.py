"""``Guards``: whether a function, class, decorator or dependency refuses who does not say who they are.

What the input defines is judged by what it does, whatever it is called: a ``require_auth`` that refuses nobody is no
guard. Only what comes from elsewhere is judged by its name.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.source.modules import keyword

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.source.modules import Function, Module, Project

_DEPTH: Final = 4  # calls that are followed
_REFUSALS: Final = frozenset((401, 403))
_REFUSING: Final = re.compile(
    r"HTTP_40[13]|UNAUTHORIZED|FORBIDDEN|Unauthorized|Forbidden|PermissionDenied|NotAuthenticated|AuthenticationFailed"
    r"|AuthenticationError|AuthError|InvalidTokenError|login_url|redirect_to_login|NotAuthorized|WS_(?:1008|3000|3003)"
)
# Codes with which a WebSocket is closed to who is not let in: RFC 6455's "policy violation", IANA's, and usual ones.
_CLOSES: Final = frozenset((1008, 3000, 3003, 4001, 4003, 4401, 4403))
_REDIRECTS: Final = frozenset(("redirect", "RedirectResponse", "HTTPFound", "HTTPSeeOther", "HttpResponseRedirect"))
_SIGN_IN: Final = re.compile(r"log[-_]?in|sign[-_]?in|\bsso\b|oauth", re.IGNORECASE)
_COMPARES: Final = re.compile(r"(?:^|\.)(?:compare_digest|safe_str_cmp|check_password_hash|check_password)$")
_WORDS: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_AUTH: Final = frozenset(
    (
        *("auth", "authn", "authz", "authenticate", "authenticated", "authentication", "authorize", "authorized"),
        *("authorization", "authorise", "authorised", "login", "jwt", "apikey", "permission", "permissions"),
        *("protected", "oauth", "oauth2", "oidc", "credentials", "bearer", "rbac", "acl", "keycloak", "cognito"),
        *("mtls", "hmac", "sso", "saml", "requires", "iap"),
    )
)
_KEYED: Final = frozenset(
    (
        *("token", "tokens", "key", "signature", "secret", "session", "user", "admin", "staff", "superuser", "role"),
        *("roles", "scope", "scopes", "identity", "principal"),
    )
)
_CHECKING: Final = frozenset(
    (
        *("require", "required", "verify", "verified", "verifies", "check", "validate", "valid", "need", "needs"),
        *("current", "active", "only", "is", "has", "passes"),
    )
)
_NOT_AUTH: Final = frozenset(
    ("count", "counter", "limit", "limiter", "rate", "exempt", "optional", "anonymous", "log")
)
_CALLS: Final = re.compile(
    r"(?:^|[._])(?:verify|validate|authenticate|authorize|introspect|check|decode)_?(?:\w*_)?"
    r"(?:token|jwt|key|api_key|apikey|user|credentials|signature|auth|access|request|id_token|oauth2_token|session)s?$"
    r"|(?:^|\.)jwt\.decode$|verify_jwt_in_request$|(?:^|\.)jwt_required|validate_iap_jwt"
)
_LIBRARIES: Final = (
    "fastapi.",
    "starlette.",
    "pydantic.",
    "typing.",
    "sqlalchemy.",
    "sqlmodel.",
    "django.",
    "flask.",
)
_LONG: Final = 300  # characters of a dotted name
_ASKS: Final = re.compile(
    r"^fastapi\.security(?:\.\w+)*\.(?:HTTPBearer|HTTPBasic|HTTPDigest|APIKey\w+|OAuth2\w*|OpenIdConnect)\(\)$"
)


class Guards:
    """Answers are kept: helpers are asked for by many routes."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[int, bool] = {}

    def refuses(self, module: Module, node: Function | ast.ClassDef, depth: int = _DEPTH) -> bool:
        """Whether a function (or a method of a class) refuses callers, itself or by what it calls or depends on."""
        if id(node) in self._known:
            return self._known[id(node)]
        self._known[id(node)] = False  # of a circle, until it is known
        answer = any(self._refuses(module, part, node, depth) for part in _parts(node))
        if not answer and isinstance(node, ast.ClassDef):
            bases = self._project.bases(module, node)
            answer = any(named_guard(base.rpartition(".")[2]) and "Backend" not in base for base in bases)
        if not answer and not isinstance(node, ast.ClassDef):
            answer = any(self.dependency(module, one, depth - 1) for one in _defaults(node)) if depth else False
        self._known[id(node)] = answer
        return answer

    def _refuses(self, module: Module, part: ast.AST, node: Function | ast.ClassDef, depth: int) -> bool:
        owner = node if isinstance(node, ast.ClassDef) else module.owner.get(id(node))
        for item in _walk(part):
            if isinstance(item, ast.Constant) and item.value in _REFUSALS and isinstance(item.value, int):
                return True
            if isinstance(item, (ast.Name, ast.Attribute)):
                name = item.id if isinstance(item, ast.Name) else item.attr
                if _REFUSING.search(name):
                    return True
            if isinstance(item, ast.Call):
                called = module.dotted(item.func)
                if _COMPARES.search(called) or _turns_away(item):
                    return True
                known = self._project.function(module, item.func, owner)
                if known is not None:
                    if depth and known[1] is not node and self.refuses(known[0], known[1], depth - 1):
                        return True
                elif len(called) < _LONG and _CALLS.search(called) and not unverified(item):
                    return True
        return False

    def expression(self, module: Module, node: ast.AST, depth: int = _DEPTH) -> bool:
        """Whether a decorator, a hook or a class of middleware guards."""
        called = node.func if isinstance(node, ast.Call) else node
        if isinstance(node, ast.Call) and _is(keyword(node, "optional"), value=True):
            return False
        function = self._project.function(module, called)
        if function is not None:
            return self.refuses(*function, depth)
        known = self._project.class_of(module, called)
        if known is not None:
            return self.refuses(*known, depth)
        value = module.values.get(ast.unparse(called)) if isinstance(called, (ast.Name, ast.Attribute)) else None
        if isinstance(value, (ast.Call, ast.Lambda)) and depth:
            return self.expression(module, value, depth - 1)
        name = module.dotted(called) or ast.unparse(called)
        return named_guard(".".join(name.removesuffix("()").split(".")[-2:]))

    def service(self, module: Module, function: Function) -> bool:
        """Whether the service of BentoML that a method is of has middleware that refuses callers."""
        owner = module.owner.get(id(function))
        if owner is None:
            return False
        if any("add_asgi_middleware" in ast.unparse(one) for one in owner.decorator_list):
            return True
        return any(
            isinstance(call.func, ast.Attribute)
            and call.func.attr == "add_asgi_middleware"
            and ast.unparse(call.func.value) == owner.name
            and any(self.expression(module, one) for one in call.args[:1])
            for call, _ in module.calls
        )

    def dependency(self, module: Module, node: ast.AST, depth: int = _DEPTH) -> bool:
        """Whether ``Depends(...)`` or ``Security(...)`` guards: what it depends on refuses callers.

        A type from a module that is not in the input, called ``CurrentUser`` or so, is taken for what its name says.
        """
        found = self.depended(module, node)
        if found is None or depth < 0:
            return self._foreign(module, node)
        return not self.asks(module, node) and self.expression(found[0], found[1], depth)

    def asks(self, module: Module, node: ast.AST) -> str:
        """The scheme that a dependency asks a credential by, when nothing but its presence is checked."""
        found = self.depended(module, node)
        if found is None:
            return ""
        name = self._project_meaning(*found)
        return name.removesuffix("()").rpartition(".")[2] if _ASKS.match(name) else ""

    def depended(self, module: Module, node: ast.AST | None, depth: int = _DEPTH) -> tuple[Module, ast.AST] | None:
        """What ``Depends(x)`` and ``Security(x)`` depend on, where that is written; None for what is neither.

        ``Annotated[T, Depends(x)]`` is looked into, and a name that stands for it, in whichever module.
        """
        match node:
            case ast.Subscript(value=value, slice=ast.Tuple(elts=parts)) if module.dotted(value).endswith(
                "Annotated"
            ):
                found = (self.depended(module, one, depth) for one in parts)
                return next((one for one in found if one is not None), None)
            case ast.Call(func=function):
                if module.dotted(function).rpartition(".")[2] not in ("Depends", "Security"):
                    return None
                inner = node.args[0] if node.args else keyword(node, "dependency")
                return module, inner if inner is not None else node
            case ast.Name() | ast.Attribute() if depth:
                where, rest = self._project.resolve(module, module.dotted(node))
                meant = where.values.get(rest)
                if isinstance(meant, (ast.Subscript, ast.Call)):
                    return self.depended(where, meant, depth - 1)
        return None

    def _foreign(self, module: Module, node: ast.AST) -> bool:
        if not isinstance(node, ast.Name) or node.id not in module.names:
            return False
        where, _ = self._project.resolve(module, module.names[node.id])
        return where is module and not module.names[node.id].startswith(_LIBRARIES) and named_guard(node.id)

    def _project_meaning(self, module: Module, node: ast.AST) -> str:
        name = module.meaning(node)
        where, rest = self._project.resolve(module, name.removesuffix("()"))
        if where is not module and rest in where.values:
            return where.meaning(where.values[rest])
        return name


def _turns_away(call: ast.Call) -> bool:
    """Whether a call closes a WebSocket to who is not let in, or sends a caller to where one signs in."""
    last = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = [*call.args, *(item.value for item in call.keywords)]
    if last in ("close", "WebSocketException"):
        return any(isinstance(one, ast.Constant) and one.value in _CLOSES for one in given)
    return last in _REDIRECTS and any(
        isinstance(inner, ast.Constant) and isinstance(inner.value, str) and bool(_SIGN_IN.search(inner.value))
        for one in given
        for inner in ast.walk(one)
    )


def unverified(call: ast.Call) -> bool:
    """Whether a call that decodes a token is told not to verify its signature."""
    options = keyword(call, "options")
    off = isinstance(options, ast.Dict) and any(
        isinstance(key, ast.Constant) and key.value == "verify_signature" and _is(value, value=False)
        for key, value in zip(options.keys, options.values, strict=True)
    )
    return off or _is(keyword(call, "verify"), value=False)


def named_guard(name: str) -> bool:
    """Whether the name of what is not in the input says that it checks who calls."""
    words = {word.lower() for word in _WORDS.findall(name)}
    if words & _NOT_AUTH:
        return False
    return bool(words & _AUTH) or bool(words & _KEYED and words & _CHECKING) or {"api", "key"} <= words


def _defaults(node: Function) -> Iterator[ast.expr]:
    """Where dependencies stand in a signature: defaults and annotations."""
    arguments = node.args
    yield from arguments.defaults
    yield from (one for one in arguments.kw_defaults if one is not None)
    for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if one.annotation is not None:
            yield one.annotation


def _parts(node: Function | ast.ClassDef) -> Iterator[ast.AST]:
    yield from node.body


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but comparisons' operands: ``response.status_code == 401`` refuses nobody."""
    pending = [node]
    while pending:
        one = pending.pop()
        yield one
        if isinstance(one, ast.Compare):
            pending += [item for item in (one.left, *one.comparators) if isinstance(item, ast.Call)]
        elif isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            pending += one.body
        else:
            pending += ast.iter_child_nodes(one)


def _is(node: ast.expr | None, *, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value
