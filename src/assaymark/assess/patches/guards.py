"""The checks that patches write into applications, framework by framework: who has no token is refused.

Each reads the token of ``SERVICE_TOKEN`` when the module is loaded, so that a service without one does not start, and
compares in constant time. They are texts, since they become part of someone else's source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_READ: Final = """\
SERVICE_TOKEN = os.environ["SERVICE_TOKEN"].encode()
if not SERVICE_TOKEN:
    raise SystemExit("SERVICE_TOKEN is empty")
"""
_SAME: Final = 'hmac.compare_digest({given}.encode(), b"Bearer " + SERVICE_TOKEN)'
_OWN: Final = 'self.request.headers.get("Authorization", "")'
_DOCUMENTED: Final = '"""Refuses who does not carry the token in SERVICE_TOKEN."""'


@dataclass(frozen=True, slots=True)
class Guard:
    """What is written: ``modules`` that it imports, and ``text`` behind the imports.

    ``way``: ``dependency`` of the route, ``decorator`` of the handler, ``method`` of its class, ``body`` as the first
    lines of the handler (``lines``), or ``middleware`` of the service. ``asynchronous``: the kind of handler that
    it is for, None for both.
    """

    way: str
    modules: tuple[str, ...]
    text: str
    lines: tuple[str, ...] = ()
    asynchronous: bool | None = None


def _decorator(given: str, refuse: str, *, modules: tuple[str, ...], waits: bool, answer: str = "") -> Guard:
    prefix = "async " if waits else ""
    answer = answer or f"{'await ' if waits else ''}handler(*args, **kwargs)"
    text = f"""
{_READ}

def require_token(handler):
    {_DOCUMENTED}

    @functools.wraps(handler)
    {prefix}def checked(*args, **kwargs):
        if not {_SAME.format(given=given)}:
            {refuse}
        return {answer}

    return checked
"""
    return Guard("decorator", ("functools", "hmac", "os", *modules), text, asynchronous=waits)


_FASTAPI: Final = Guard(
    "dependency",
    ("hmac", "os", "fastapi"),
    f"""
{_READ}

def require_token(authorization: str = fastapi.Header("")) -> None:
    {_DOCUMENTED}
    if not {_SAME.format(given="authorization")}:
        raise fastapi.HTTPException(401)
""",
)
_TORNADO: Final = Guard(
    "method",
    ("hmac", "os", "tornado.web"),
    f"\n{_READ}",
    (
        "def prepare(self):",
        f"    {_DOCUMENTED}",
        f"    if not {_SAME.format(given=_OWN)}:",
        "        raise tornado.web.HTTPError(401)",
        "    return super().prepare()",
        "",
    ),
)
_BENTOML: Final = Guard(
    "middleware",
    ("hmac", "os"),
    f"""
{_READ}

class RequireToken:
    {_DOCUMENTED}

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        given = dict(scope.get("headers") or ()).get(b"authorization", b"")
        asked = scope["type"] in ("http", "websocket") and scope["path"] not in ("/healthz", "/livez", "/readyz")
        if not asked or hmac.compare_digest(given, b"Bearer " + SERVICE_TOKEN):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({{"type": "websocket.close", "code": 1008}})
        else:
            await send({{"type": "http.response.start", "status": 401, "headers": []}})
            await send({{"type": "http.response.body", "body": b""}})
""",
)


def _body(given: str, *refuse: str, modules: tuple[str, ...] = ()) -> Guard:
    lines = (f"if not {_SAME.format(given=given)}:", *(f"    {line}" for line in refuse))
    return Guard("body", ("hmac", "os", *modules), f"\n{_READ}", lines)


_ABORTS: Final = '{0}.request.headers.get("Authorization", "")'
GUARDS: Final[dict[str, tuple[Guard, ...]]] = {
    "FastAPI": (_FASTAPI,),
    "Flask": (_decorator(_ABORTS.format("flask"), "flask.abort(401)", modules=("flask",), waits=False),),
    "Quart": (
        _decorator(
            _ABORTS.format("quart"),
            "quart.abort(401)",
            modules=("quart",),
            waits=True,
        ),
    ),
    "Bottle": (_decorator(_ABORTS.format("bottle"), "bottle.abort(401)", modules=("bottle",), waits=False),),
    "Starlette": (
        _decorator(
            'args[-1].headers.get("Authorization", "")',
            "raise starlette.exceptions.HTTPException(401)",
            modules=("starlette.exceptions",),
            waits=True,
        ),
    ),
    "aiohttp": (
        _decorator(
            'args[-1].headers.get("Authorization", "")',
            "raise aiohttp.web.HTTPUnauthorized",
            modules=("aiohttp.web",),
            waits=True,
        ),
    ),
    "Sanic": (
        _decorator(
            'args[0].headers.get("Authorization", "")',
            'raise sanic.exceptions.Unauthorized("a token is asked for")',
            modules=("sanic.exceptions",),
            waits=True,
        ),
    ),
    "Tornado": (_TORNADO,),
    "BentoML": (_BENTOML,),
    "Ray Serve": (
        _body(
            '{request}.headers.get("Authorization", "")',
            "return starlette.responses.Response(status_code=401)",
            modules=("starlette.responses",),
        ),
    ),
    "http.server": (_body('self.headers.get("Authorization", "")', "self.send_error(401)", "return"),),
}
