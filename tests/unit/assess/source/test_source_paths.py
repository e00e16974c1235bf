"""What stands before a route: the paths and guards of what it is mounted on and included by, and its types' bounds."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files


@pytest.mark.parametrize(
    ("types", "limited"),
    [
        ("class In(Base):\n    pass", True),
        ("class In(Base):\n    text: str", False),
        ("class In(Base):\n    name: str", False),
        ("Names = Annotated[str, Field(max_length=5)]\nclass In(Base):\n    text: Names", True),
    ],
)
def test_types_are_bounded_by_what_they_inherit(types: str, limited: bool) -> None:
    text = f"""from typing import Annotated
from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field
app = FastAPI()
def who(key: str = Depends(header)) -> str:
    return key
Who = Annotated[str, Depends(who)]
class Base(BaseModel):
    name: str = Field(max_length=10)
{types}
@app.post("/x")
def x(body: In, who: Who):
    print(who)
    return use(body)
"""
    found = assessed_files({"main.py": text})
    (route,) = found.estates.source.routes
    assert (route.body, route.limited) == (True, limited)
    assert not [one for one in found.findings if one.rule == "log-request"]


STARLETTE = (
    "from starlette.applications import Starlette\nfrom starlette.routing import Mount, Route\n"
    "async def a(request):\n    return await request.json()\n"
)
ROUTER = "from fastapi import APIRouter, FastAPI\nrouter = APIRouter(prefix='/b')\n@router.post('/a')\ndef a(body: dict):\n    return use(body)\napp = FastAPI()\n"  # fmt: skip
BLUEPRINT = "from flask import Blueprint, Flask, request\nbp = Blueprint('b', __name__, url_prefix='/b')\n@bp.post('/a')\ndef a():\n    return use(request.json)\n"  # fmt: skip
PATHS = {
    "fastapi: a router under two prefixes": (
        f"{ROUTER}app.include_router(router, prefix='/v1')\napp.include_router(router, prefix='/v2')\n",
        {"/v1/b/a", "/v2/b/a"},
    ),
    "flask: a blueprint under two prefixes": (
        f"{BLUEPRINT}app = Flask(__name__)\napp.register_blueprint(bp)\napp.register_blueprint(bp, name='x', url_prefix='/v2')\n",
        {"/b/a", "/v2/a"},
    ),
    "fastapi: an application that is mounted twice": (
        f"{ROUTER}app.include_router(router)\nouter = FastAPI()\nouter.mount('/x', app)\nouter.mount('/y', app)\n",
        {"/x/b/a", "/y/b/a"},
    ),
    "starlette: a list that is mounted twice": (
        f"{STARLETTE}i = [Route('/a', a)]\napp = Starlette(routes=[Mount('/v1', routes=i), Mount('/v2', routes=i)])\n",
        {"/v1/a", "/v2/a"},
    ),
    "starlette: mounts in mounts, and lists by name": (
        f"{STARLETTE}inner = [Route('/a', a, methods=['POST'])]\napp = Starlette(routes=[Mount('/v1', routes=[Mount('/b', routes=inner)])])\n",
        {"/v1/b/a"},
    ),
    "starlette: an application in another": (
        f"{STARLETTE}inner = Starlette(routes=[Route('/a', a, methods=['POST'])])\napp = Starlette(routes=[Mount('/v1', app=inner)])\n",
        {"/v1/a"},
    ),
    "fastapi: a prefix that nothing shows": (
        f"from settings import settings\n{ROUTER}app.include_router(router, prefix=settings.PREFIX)\n",
        {"{settings.PREFIX}/b/a"},
    ),
    "fastapi: a prefix by name": (f"V1 = '/v1'\n{ROUTER}app.include_router(router, prefix=V1)\n", {"/v1/b/a"}),
    "flask: a registration's prefix counts instead of the blueprint's": (
        f"{BLUEPRINT}app = Flask(__name__)\napp.register_blueprint(bp, url_prefix='/v1')\n",
        {"/v1/a"},
    ),
}


@pytest.mark.parametrize("name", PATHS)
def test_paths_have_what_stands_before_them(name: str) -> None:
    text, paths = PATHS[name]
    assert {one.path for one in assessed_files({"app.py": text}).estates.source.routes} == paths


def test_paths_of_django_have_what_includes_them() -> None:
    files = {
        "site/urls.py": "from django.urls import include, path\nurlpatterns = [path('api/', include('scores.urls'))]\n",
        "scores/urls.py": (
            "from django.urls import include, path, re_path\nfrom rest_framework.routers import DefaultRouter\n"
            "from scores import views\nrouter = DefaultRouter()\nrouter.register('models', views.Models)\n"
            "urlpatterns = [path('a/', views.a), re_path(r'^b/(?P<pk>[0-9]+)/$', views.a),"
            " path('v1/', include(router.urls))]\n"
        ),
        "scores/views.py": (
            "from rest_framework import viewsets\nclass Models(viewsets.ModelViewSet):\n    pass\n"
            "def a(request):\n    return use(request.body)\n"
        ),
    }
    paths = {one.path for one in assessed_files(files).estates.source.routes}
    assert paths == {"/api/a/", "^api/b/(?P<pk>[0-9]+)/", "/api/v1/models/"}


def test_paths_of_django_that_are_included_twice() -> None:
    files = {
        "site/urls.py": (
            "from django.urls import include, path\n"
            "urlpatterns = [path('v1/', include('scores.urls')), path('v2/', include('scores.urls'))]\n"
        ),
        "scores/urls.py": "from django.urls import path\nfrom scores import views\nurlpatterns = [path('a/', views.a)]\n",
        "scores/views.py": "def a(request):\n    return use(request.body)\n",
    }
    assert {one.path for one in assessed_files(files).estates.source.routes} == {"/v1/a/", "/v2/a/"}


def test_each_way_has_its_own_guard_and_those_of_tests_are_none() -> None:
    guarded = "app.include_router(router, prefix='/v1', dependencies=[Depends(key)])\n"
    files = {
        "main.py": GUARD.replace("inner = FastAPI()", "from fastapi import APIRouter\nrouter = APIRouter()").replace(
            "@inner", "@router"
        )
        + f"app = FastAPI()\n{guarded}",
        "tests/test_main.py": "from fastapi import FastAPI\nfrom main import router\napp = FastAPI()\napp.include_router(router)\n",
    }
    known = {one.path: one.authenticated for one in assessed_files(files).estates.source.routes}
    assert known == {"/v1/a": True}
    both = {**files, "main.py": files["main.py"] + "app.include_router(router, prefix='/open')\n"}
    known = {one.path: one.authenticated for one in assessed_files(both).estates.source.routes}
    assert known == {"/v1/a": True, "/open/a": False}


GUARD = """from fastapi import Depends, FastAPI, HTTPException
def key(x: str = ""):
    if x != load_key():
        raise HTTPException(403)
inner = FastAPI()
@inner.post("/a")
def a(body: dict):
    return use(body)
"""
HOOK = "@app.middleware('http')\nasync def check(request, call_next):\n    key()\n"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("app = FastAPI(dependencies=[Depends(key)])\napp.mount('/v1', inner)\n", False),
        (f"app = FastAPI()\napp.mount('/v1', inner)\n{HOOK}", True),
    ],
)
def test_what_is_mounted_has_middleware_and_no_dependencies(text: str, asked: bool) -> None:
    (route,) = assessed_files({"app.py": GUARD + text}).estates.source.routes
    assert (route.path, route.authenticated) == ("/v1/a", asked)


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("Mount('/v1', routes=[Route('/a', a, methods=['POST'])], middleware=[Middleware(Asks)])", True),
        ("Mount('/v1', routes=[Route('/a', a, methods=['POST'], middleware=[Middleware(Asks)])])", True),
        ("Mount('/v1', routes=[Route('/a', a, methods=['POST'])], middleware=[Middleware(Counts)])", False),
    ],
)
def test_middleware_of_mounts_and_routes_of_starlette(given: str, asked: bool) -> None:
    text = f"""{STARLETTE}from starlette.middleware import Middleware
from starlette.responses import Response
class Asks:
    async def __call__(self, scope, receive, send):
        await Response(status_code=401)(scope, receive, send)
class Counts:
    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)
app = Starlette(routes=[{given}])
"""
    (route,) = assessed_files({"app.py": text}).estates.source.routes
    assert (route.path, route.authenticated) == ("/v1/a", asked)


SOCKET = """from fastapi import FastAPI, status
app = FastAPI()
@app.websocket("/a")
async def a(socket, token: str):
    if token not in load_tokens():
        {line}
    await socket.accept()
    use(await socket.receive_text())
"""
HOOKED = """from flask import Flask, redirect, request, session
app = Flask(__name__)
@app.before_request
def gate():
    if "user" not in session:
        return {line}
@app.post("/a")
def a():
    return use(request.json)
"""
GUARDS = """from litestar import Litestar, post
from litestar.exceptions import NotAuthorizedException
def guard(connection, handler):
    if connection.headers.get("x") != load_key():
        raise NotAuthorizedException()
@post("/a")
async def a(data: dict) -> dict:
    return use(data)
app = Litestar([a], {line})
"""


@pytest.mark.parametrize(
    ("text", "line", "asked"),
    [
        (SOCKET, "await socket.close(code=1008)", True),
        (SOCKET, "await socket.close(code=status.WS_1008_POLICY_VIOLATION)", True),
        (SOCKET, "await socket.close(code=1000)", False),
        (HOOKED, "redirect(url_for('login'))", True),
        (HOOKED, "redirect('/home')", False),
        (GUARDS, "guards=[guard]", True),
        (GUARDS, "debug=False", False),
    ],
)
def test_how_frameworks_turn_callers_away(text: str, line: str, asked: bool) -> None:
    (route,) = assessed_files({"app.py": text.replace("{line}", line)}).estates.source.routes
    assert route.authenticated == asked
