"""Which routes answer strangers, framework by framework, as the frameworks' documentation says what guards them."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

CHECK = """
from fastapi import Depends, HTTPException
from fastapi.security import APIKeyHeader, HTTPBearer

header = APIKeyHeader(name="X-API-Key", auto_error=False)


def verify(key: str = Depends(header)):
    if key != load_key():
        raise HTTPException(status_code=403)


def pretend(key: str = Depends(header)):
    return key
"""
WRAPPED = """
from functools import wraps
from flask import abort, request


def require_key(function):
    @wraps(function)
    def inner(*args, **kwargs):
        if request.headers.get("X-Key") != KEY:
            abort(401)
        return function(*args, **kwargs)
    return inner


def require_auth(function):
    @wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)
    return inner
"""
# name: files, {(method, path): authenticated}
CASES: dict[str, tuple[dict[str, str], dict[tuple[str, str], bool]]] = {
    "flask: a decorator that refuses, one that pretends, one above the route": (
        {
            "guards.py": WRAPPED,
            "app.py": """
            from flask import Flask, request
            from guards import require_auth, require_key
            app = Flask(__name__)

            @app.post("/a")
            @require_key
            def a():
                return use(request.json)

            @app.post("/b")
            @require_auth
            def b():
                return use(request.json)

            @require_key
            @app.post("/c")
            def c():
                return use(request.json)
            """,
        },
        {("POST", "/a"): True, ("POST", "/b"): False, ("POST", "/c"): False},
    ),
    "flask: a blueprint's hook, and the application's": (
        {
            "api.py": """
            from flask import Blueprint, abort, request
            open_ = Blueprint("open", __name__, url_prefix="/open")
            closed = Blueprint("closed", __name__, url_prefix="/closed")

            @closed.before_request
            def check():
                if not valid(request.headers.get("Authorization")):
                    abort(401)

            @open_.post("/x")
            def x():
                return use(request.json)

            @closed.post("/y")
            def y():
                return use(request.json)
            """,
            "app.py": """
            from flask import Flask
            from api import closed, open_

            def create_app():
                app = Flask(__name__)
                app.register_blueprint(open_)
                app.register_blueprint(closed, url_prefix="/v1")
                return app
            """,
        },
        {("POST", "/open/x"): False, ("POST", "/v1/y"): True},
    ),
    "flask: jwt_required, and with optional=True": (
        {
            "app.py": """
            from flask import Flask
            from flask_jwt_extended import jwt_required
            from flask_login import login_required
            app = Flask(__name__)

            @app.route("/a", methods=["POST"])
            @jwt_required()
            def a():
                return use()

            @app.route("/b", methods=["POST"])
            @jwt_required(optional=True)
            def b():
                return use()

            @app.route("/c", methods=["POST"])
            @login_required
            def c():
                return use()
            """
        },
        {("POST", "/a"): True, ("POST", "/b"): False, ("POST", "/c"): True},
    ),
    "flask: method views and resources": (
        {
            "app.py": """
            from flask import Flask
            from flask.views import MethodView
            from flask_restful import Api, Resource
            from guards import require_key
            app = Flask(__name__)
            api = Api(app)

            class Open(MethodView):
                def post(self):
                    return use()

            class Closed(MethodView):
                decorators = [require_key]
                def post(self):
                    return use()

            class Thing(Resource):
                def get(self, id):
                    return use(id)

            app.add_url_rule("/open", view_func=Open.as_view("open"))
            app.add_url_rule("/closed", view_func=Closed.as_view("closed"))
            api.add_resource(Thing, "/things/<id>")
            """,
            "guards.py": WRAPPED,
        },
        {("POST", "/open"): False, ("POST", "/closed"): True, ("GET", "/things/<id>"): False},
    ),
    "fastapi: dependencies of a route, a router, an inclusion, an application": (
        {
            "access.py": CHECK,
            "routers/one.py": """
            from fastapi import APIRouter, Depends
            from access import verify
            router = APIRouter(prefix="/one", dependencies=[Depends(verify)])

            @router.get("/a/{item}")
            def a(item: int):
                return use(item)
            """,
            "routers/two.py": """
            from fastapi import APIRouter, Depends
            from access import pretend, verify
            router = APIRouter()

            @router.get("/b/{item}")
            def b(item: int):
                return use(item)

            @router.get("/c/{item}", dependencies=[Depends(verify)])
            def c(item: int):
                return use(item)

            @router.get("/d/{item}")
            def d(item: int, key=Depends(pretend)):
                return use(item)
            """,
            "routers/three.py": """
            from fastapi import APIRouter
            router = APIRouter()

            @router.get("/e/{item}")
            def e(item: int):
                return use(item)
            """,
            "main.py": """
            from fastapi import Depends, FastAPI
            from access import verify
            from routers import one, three, two
            app = FastAPI()
            app.include_router(one.router)
            app.include_router(two.router, prefix="/two")
            app.include_router(three.router, dependencies=[Depends(verify)])
            """,
        },
        {
            ("GET", "/one/a/{item}"): True,
            ("GET", "/two/b/{item}"): False,
            ("GET", "/two/c/{item}"): True,
            ("GET", "/two/d/{item}"): False,
            ("GET", "/e/{item}"): True,
        },
    ),
    "fastapi: annotated dependencies in another module, and Security": (
        {
            "deps.py": """
            from typing import Annotated
            import jwt
            from fastapi import Depends
            from fastapi.security import OAuth2PasswordBearer
            scheme = OAuth2PasswordBearer(tokenUrl="token")

            def current_user(token: Annotated[str, Depends(scheme)]):
                return jwt.decode(token, KEY, algorithms=["HS256"])

            CurrentUser = Annotated[dict, Depends(current_user)]
            """,
            "main.py": """
            from fastapi import FastAPI, Security
            from deps import CurrentUser, scheme
            app = FastAPI()

            @app.get("/a/{x}")
            def a(x: int, user: CurrentUser):
                return use(x)

            @app.get("/b/{x}")
            def b(x: int, token: str = Security(scheme)):
                return use(x)

            @app.get("/c/{x}")
            def c(x: int, token: str = Security(scheme)):
                return use(x, check_it(token))
            """,
        },
        {("GET", "/a/{x}"): True, ("GET", "/b/{x}"): False, ("GET", "/c/{x}"): True},
    ),
    "fastapi: middleware that refuses, and one that only counts": (
        {
            "main.py": """
            from fastapi import FastAPI, Request
            from fastapi.responses import JSONResponse
            app = FastAPI()

            @app.middleware("http")
            async def guard(request: Request, call_next):
                if request.headers.get("x-key") != KEY:
                    return JSONResponse({"detail": "no"}, status_code=401)
                return await call_next(request)

            @app.post("/a")
            def a(body: dict):
                return use(body)
            """,
            "other/main.py": """
            from fastapi import FastAPI
            app = FastAPI()

            @app.middleware("http")
            async def auth_metrics(request, call_next):
                response = await call_next(request)
                if response.status_code == 401:
                    count()
                return response

            @app.post("/b")
            def b(body: dict):
                return use(body)
            """,
        },
        {("POST", "/a"): True, ("POST", "/b"): False},
    ),
    "starlette: routes and requires": (
        {
            "main.py": """
            from starlette.applications import Starlette
            from starlette.authentication import requires
            from starlette.routing import Route

            async def a(request):
                return use(await request.json())

            @requires("authenticated")
            async def b(request):
                return use(await request.json())

            app = Starlette(routes=[Route("/a", a, methods=["POST"]), Route("/b", endpoint=b, methods=["POST"])])
            """
        },
        {("POST", "/a"): False, ("POST", "/b"): True},
    ),
    "django: views, decorators around views, and the REST framework's permissions": (
        {
            "shop/settings.py": """
            INSTALLED_APPS = ["rest_framework"]
            REST_FRAMEWORK = {"DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"]}
            """,
            "shop/urls.py": """
            from django.contrib.auth.decorators import login_required
            from django.urls import path
            from . import views
            urlpatterns = [
                path("a/", views.a),
                path("b/", login_required(views.a)),
                path("c/", views.C.as_view()),
                path("d/", views.D.as_view()),
                path("e/", views.E.as_view()),
                path("f/", views.f),
            ]
            """,
            "shop/views.py": """
            from django.contrib.auth.mixins import LoginRequiredMixin
            from django.views import View
            from rest_framework.decorators import api_view, permission_classes
            from rest_framework.permissions import AllowAny
            from rest_framework.views import APIView

            def a(request):
                return use(request.POST)

            class C(LoginRequiredMixin, View):
                def post(self, request):
                    return use(request.POST)

            class D(APIView):
                def post(self, request):
                    return use(request.data)

            class E(APIView):
                permission_classes = [AllowAny]
                def post(self, request):
                    return use(request.data)

            @api_view(["POST"])
            @permission_classes([])
            def f(request):
                return use(request.data)
            """,
        },
        {
            ("GET", "/a/"): False,
            ("GET", "/b/"): True,
            ("POST", "/c/"): True,
            ("POST", "/d/"): True,
            ("POST", "/e/"): False,
            ("POST", "/f/"): False,
        },
    ),
    "django: a middleware that asks everybody, and views that it leaves out": (
        {
            "shop/settings.py": """
            ROOT_URLCONF = "shop.urls"
            MIDDLEWARE = ["django.contrib.auth.middleware.LoginRequiredMiddleware"]
            """,
            "shop/urls.py": """
            from django.contrib.auth.decorators import login_not_required
            from django.urls import path
            from . import views
            urlpatterns = [
                path("a/", views.a),
                path("b/", views.b),
                path("c/", login_not_required(views.a)),
                path("d/", views.D.as_view()),
            ]
            """,
            "shop/views.py": """
            from django.contrib.auth.decorators import login_not_required
            from django.utils.decorators import method_decorator
            from django.views import View

            def a(request):
                return use(request.POST)

            @login_not_required
            def b(request):
                return use(request.POST)

            @method_decorator(login_not_required, name="dispatch")
            class D(View):
                def post(self, request):
                    return use(request.POST)
            """,
        },
        {("GET", "/a/"): True, ("GET", "/b/"): False, ("GET", "/c/"): False, ("POST", "/d/"): False},
    ),
    "aiohttp: a table of routes and a middleware": (
        {
            "server.py": """
            from aiohttp import web

            async def a(request):
                return use(await request.json())

            app = web.Application()
            app.router.add_post("/a", a)
            """,
            "guarded/server.py": """
            from aiohttp import web

            @web.middleware
            async def check(request, handler):
                if not valid(request.headers.get("Authorization")):
                    raise web.HTTPUnauthorized()
                return await handler(request)

            async def b(request):
                return use(await request.json())

            app = web.Application(middlewares=[check])
            app.router.add_post("/b", b)
            """,
        },
        {("POST", "/a"): False, ("POST", "/b"): True},
    ),
    "tornado, http.server, bentoml, ray serve, gradio": (
        {
            "t.py": """
            import tornado.web

            class A(tornado.web.RequestHandler):
                def post(self):
                    use(self.request.body)

            class B(tornado.web.RequestHandler):
                @tornado.web.authenticated
                def post(self):
                    use(self.request.body)

            app = tornado.web.Application([(r"/a", A), (r"/b", B)])
            """,
            "h.py": """
            from http.server import BaseHTTPRequestHandler

            class Handler(BaseHTTPRequestHandler):
                def do_POST(self):
                    use(self.rfile.read())
            """,
            "bento.py": """
            import bentoml

            @bentoml.service
            class Model:
                @bentoml.api
                def classify(self, rows: list) -> list:
                    return use(rows)
            """,
            "ray_app.py": """
            from ray import serve

            @serve.deployment
            class Model:
                async def __call__(self, request):
                    return use(await request.json())
            """,
            "demo.py": """
            import gradio as gr
            with gr.Blocks() as demo:
                gr.Markdown("x")
            demo.launch()
            """,
        },
        {
            ("POST", "/a"): False,
            ("POST", "/b"): True,
            ("POST", "/classify"): False,
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_who_is_let_in(name: str) -> None:
    files, expected = CASES[name]
    routes = assessed_files(files).estates.source.routes
    found = {(route.methods[0], route.path): route.authenticated for route in routes}
    assert {key: found.get(key) for key in expected} == expected


def test_frameworks_without_paths_are_found() -> None:
    files, _ = CASES["tornado, http.server, bentoml, ray serve, gradio"]
    assert {route.framework for route in assessed_files(files).estates.source.routes} == {
        "Tornado", "http.server", "BentoML", "Ray Serve", "Gradio",
    }  # fmt: skip


def test_health_sign_in_and_constant_answers_are_not_found_and_metrics_are_low() -> None:
    found = assessed_files(
        {
            "main.py": """
            from fastapi import FastAPI
            app = FastAPI()

            @app.get("/healthz")
            def health():
                return model.state()

            @app.get("/")
            def index():
                return {"name": "models"}

            @app.post("/login")
            def login(form: dict):
                return sign_in(form)

            @app.get("/metrics")
            def metrics():
                return latest()

            @app.get("/models/{name}")
            def card(name: str):
                return read(name)
            """
        }
    ).findings
    open_ones = {finding.name: finding.severity.name for finding in found if finding.rule == "web-no-authentication"}
    assert open_ones == {"GET /metrics": "LOW", "GET /models/{name}": "MEDIUM"}


def test_an_application_of_tests_is_left_out() -> None:
    text = "from flask import Flask, request\napp = Flask('x')\n@app.post('/a')\ndef a():\n    return use(request.json)\n"
    assert not assessed_files({"tests/test_app.py": text}).findings
    assert assessed_files({"src/app.py": text}).findings


@pytest.mark.parametrize(
    ("types", "limited"),
    [
        ("text: str", False),
        ("text: str = Field(max_length=10)", True),
        ("text: Annotated[str, Field(max_length=10)]\n    k: int", True),
        ("rows: list[float]", False),
        ("rows: conlist(float, max_length=5)", True),
        ("mode: Literal['a', 'b']\n    n: int | None = None", True),
        ("inner: Inner", False),
        ("inner: Other", True),
    ],
)
def test_types_bound_what_fastapi_takes(types: str, limited: bool) -> None:
    text = f"""from typing import Annotated, Literal
from fastapi import FastAPI
from pydantic import BaseModel, Field, conlist
app = FastAPI()
class Inner(BaseModel):
    text: str
class Other(BaseModel):
    count: int
class In(BaseModel):
    {types}
@app.post("/x")
def x(body: In):
    return use(body)
"""
    (route,) = assessed_files({"main.py": text}).estates.source.routes
    assert route.body
    assert route.limited is limited


def test_functions_that_gradio_calls_get_what_visitors_give() -> None:
    code = """
    import gradio as gr
    import pickle

    def load(file):
        with open(file.name, "rb") as handle:
            return pickle.load(handle)

    def run(text):
        return eval(text)

    def own(text):
        return eval(text)

    with gr.Blocks() as demo:
        chosen = gr.File()
        gr.Button().click(fn=run, inputs=chosen)
    gr.Interface(load, chosen, "text").launch(auth=("a", "b"))
    """
    found = {(one.rule, one.message.partition(":")[0]) for one in assessed_files({"demo.py": code}).findings}
    assert ("load-from-request", "load") in found
    assert ("source-code-injection", "run") in found
    assert not {("source-path-injection", "load"), ("source-code-injection", "own")} & found
