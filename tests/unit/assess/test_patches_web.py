"""Checks of who calls, in the application's own framework: written where they hold, and nowhere else."""

from __future__ import annotations

import ast
import asyncio
import difflib
import functools
import hmac
import os
from types import SimpleNamespace

import pytest
from tests.support.patched import patched

from assaymark.assess.patches_guards import GUARDS

SETTINGS = """\
INSTALLED_APPS = [
    "django.contrib.auth",
    "predictions",
]
MIDDLEWARE = ["django.contrib.auth.middleware.AuthenticationMiddleware"]
ALLOWED_HOSTS = ["models.acme.io"]
"""
URLS = """\
from django.urls import path

from predictions import views

urlpatterns = [path("predict/", views.{})]
"""
APPLICATIONS = {
    "fastapi": """\
from fastapi import FastAPI

app = FastAPI()


@app.post(
    "/predict",
    status_code=201,
)
async def predict(question: dict):
    return model(question)


@app.get("/models", dependencies=[Depends(known)])
def models(name: str):
    return registry.all(name)
""",
    "flask": """\
from flask import Flask, request

app = Flask(__name__)


@app.post("/predict")
@timed
def predict():
    return model(request.get_json())
""",
    "flask-class": """\
from flask import Flask, request
from flask_restful import Api, Resource

app = Flask(__name__)
api = Api(app)


class Predict(Resource):
    def post(self):
        return model(request.get_json())


api.add_resource(Predict, "/predict")
""",
    "quart": """\
from quart import Quart, request

app = Quart(__name__)


@app.post("/predict")
async def predict():
    return model(await request.get_json())
""",
    "bottle": """\
from bottle import Bottle, request

app = Bottle()


@app.post("/predict")
def predict():
    return model(request.json)
""",
    "starlette": """\
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


async def predict(request):
    return JSONResponse(model(await request.json()))


app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
""",
    "starlette-class": """\
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.responses import JSONResponse
from starlette.routing import Route


class Predict(HTTPEndpoint):
\tasync def post(self, request):
\t\treturn JSONResponse(model(await request.json()))


app = Starlette(routes=[Route("/predict", Predict)])
""",
    "aiohttp": """\
from aiohttp import web

routes = web.RouteTableDef()


@routes.post("/predict")
async def predict(request):
    return web.json_response(model(await request.json()))


app = web.Application()
app.add_routes(routes)
""",
    "sanic": """\
from sanic import Sanic, json

app = Sanic("models")


@app.post("/predict")
async def predict(request):
    return json(model(request.json))
""",
    "tornado": """\
import tornado.ioloop
import tornado.web


class Predict(tornado.web.RequestHandler):
    \"\"\"Answers.\"\"\"

    def post(self):
        self.write(model(self.get_body_argument("text")))

    def put(self):
        self.write(model(self.request.body))


app = tornado.web.Application([(r"/predict", Predict)])
""",
    "bentoml": """\
import bentoml


@bentoml.service
class Classifier:
    @bentoml.api
    def classify(self, text: str) -> str:
        return self.model(text)

    @bentoml.api
    def embed(self, text: str) -> list:
        return self.model.embed(text)
""",
    "ray": """\
from ray import serve


@serve.deployment
class Classifier:
    async def __call__(self, request):
        return self.model(await request.json())
""",
    "ray-typed": """\
from fastapi import Request
from ray import serve


@serve.deployment
class Classifier:
    def __call__(self, http_request: Request):
        \"\"\"Answers.\"\"\"
        return self.model(http_request.query_params["text"])
""",
    "http.server": """\
from http.server import BaseHTTPRequestHandler


class Predict(BaseHTTPRequestHandler):
    def do_POST(self):
        self.wfile.write(model(self.rfile.read(10)))
""",
    "gradio": """\
import gradio as gr

demo = gr.Interface(fn=answer, inputs="text", outputs="text")
demo.launch(
    server_port=8080,  # behind the proxy
)
""",
    "gradio-none": """\
import gradio as gr

demo = gr.Interface(fn=answer, inputs="text", outputs="text")
demo.launch()
""",
    "gradio-share": """\
import gradio as gr

demo = gr.Interface(fn=answer, inputs="text", outputs="text")
demo.launch(share=(True), auth=None)
""",
}
VIEWS = {
    "predict": """\
from django.http import JsonResponse


def predict(request):
    return JsonResponse(model(request.POST))
""",
    "Predict.as_view()": """\
from django.http import JsonResponse
from django.views import View


class Predict(View):
    def post(self, request):
        return JsonResponse(model(request.POST))
""",
    "Answer.as_view()": """\
from rest_framework.response import Response
from rest_framework.views import APIView


class Answer(APIView):
    \"\"\"Answers.\"\"\"

    def post(self, request):
        return Response(model(request.data))
""",
    "Opened.as_view()": """\
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView


class Opened(APIView):
    permission_classes = [AllowAny]

    def post(self, request):
        return Response(model(request.data))
""",
    "answer": """\
from rest_framework.decorators import api_view
from rest_framework.response import Response


@api_view(["POST"])
def answer(request):
    return Response(model(request.data))
""",
}


@pytest.mark.parametrize("name", APPLICATIONS)
def test_routes_ask_who_calls_and_everything_else_stays(name: str) -> None:
    done = patched({"app.py": APPLICATIONS[name]}, "web-no-authentication")
    done.check("web-no-authentication")
    new = done.files["app.py"].splitlines()
    changes = difflib.SequenceMatcher(None, APPLICATIONS[name].splitlines(), new, autojunk=False).get_opcodes()
    assert sum(stop - start for kind, start, stop, _, _ in changes if kind != "equal") <= 1
    assert new.count("import os") == 1


@pytest.mark.parametrize("view", VIEWS)
def test_views_of_django_answer_who_has_signed_in(view: str) -> None:
    files = {
        "service/settings.py": SETTINGS,
        "service/urls.py": URLS.format(view),
        "predictions/views.py": VIEWS[view],
    }
    done = patched(files, "web-no-authentication")
    done.check("web-no-authentication")
    without = patched(files | {"service/settings.py": "INSTALLED_APPS = []\n"}, "web-no-authentication")
    assert without.patches == ()  # nobody could sign in


@pytest.mark.parametrize("view", [
    VIEWS["predict"].replace("def predict", "async def predict"),
    VIEWS["predict"].replace("def predict", "@csrf_exempt\ndef predict"),
])  # fmt: skip
def test_views_that_nobody_signs_in_to_are_left(view: str) -> None:
    files = {"service/settings.py": SETTINGS, "service/urls.py": URLS.format("predict"), "predictions/views.py": view}
    done = patched(files, "web-no-authentication")
    assert "web-no-authentication" in {finding.rule for finding in done.before}
    assert done.patches == ()


REFUSED = {
    "a name that is taken": APPLICATIONS["flask"] + "\n\ndef require_token():\n    pass\n",
    "a module's name that is something else": APPLICATIONS["bottle"].replace(
        "app = Bottle()", "bottle = app = Bottle()"
    ),
    "two frameworks": "import tornado.web\n" + APPLICATIONS["flask"],
    "a handler that does not wait": APPLICATIONS["starlette"].replace("async def", "def").replace("await ", ""),
    "a decorator that nobody knows": APPLICATIONS["starlette"].replace("async def", "@limits.of(3)\nasync def"),
    "a prepare of its own": APPLICATIONS["tornado"].replace(
        "    def post", "    def prepare(self):\n        self.x = 1\n\n    def post"
    ),
    "arguments that are not seen": APPLICATIONS["gradio-none"].replace("launch()", "launch(**options)"),
    "no import at the head": "app = make()\n" + APPLICATIONS["flask"],
    "a step of another deployment": APPLICATIONS["ray"].replace("request", "rows"),
    "one line": APPLICATIONS["ray"].replace(":\n        return", ": return"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_nothing_is_written_where_it_might_not_hold(why: str) -> None:
    done = patched({"app.py": REFUSED[why]}, "web-no-authentication")
    assert "web-no-authentication" in {finding.rule for finding in done.before}
    assert done.patches == ()


class RefusedError(Exception):
    """What the stand-ins for frameworks raise."""


def refuse(status: int) -> None:
    raise RefusedError(status)


def loaded(framework: str, header: str) -> dict[str, object]:
    """The names that the check of a framework defines, with stand-ins for what it imports."""
    request = SimpleNamespace(headers={"Authorization": header})
    errors = SimpleNamespace(
        HTTPException=RefusedError, Unauthorized=RefusedError, HTTPUnauthorized=RefusedError, HTTPError=RefusedError
    )
    module = SimpleNamespace(
        Header=lambda default: default,
        HTTPException=RefusedError,
        abort=refuse,
        request=request,
        exceptions=errors,
        web=errors,
    )
    names: dict[str, object] = dict.fromkeys(
        ("fastapi", "flask", "quart", "bottle", "starlette", "aiohttp", "sanic"), module
    )
    names |= {"hmac": hmac, "os": os, "functools": functools, "tornado": module}
    exec(GUARDS[framework][0].text, names)  # noqa: S102  # our own text
    return names | {"given": request}


WRONG = ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer right ", "right", "bearer right", "Bearer righté"]


@pytest.mark.parametrize("header", WRONG)
@pytest.mark.parametrize("framework", ["Flask", "Bottle", "Quart", "Starlette", "aiohttp", "Sanic"])
def test_decorators_let_in_who_has_the_token_alone(framework: str, header: str, monkeypatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "right")

    def asked(names):
        require = names["require_token"]
        if not GUARDS[framework][0].asynchronous:
            return require(lambda *_: "answer")(names["given"])

        async def answer(*_):
            return "answer"

        return asyncio.run(require(answer)(names["given"]))

    with pytest.raises(RefusedError):
        asked(loaded(framework, header))
    assert asked(loaded(framework, "Bearer right")) == "answer"


@pytest.mark.parametrize("header", WRONG)
def test_the_dependency_of_fastapi_lets_in_who_has_the_token_alone(header: str, monkeypatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "right")
    names = loaded("FastAPI", header)
    with pytest.raises(RefusedError):
        names["require_token"](header)
    assert names["require_token"]("Bearer right") is None


@pytest.mark.parametrize("framework", GUARDS)
def test_no_service_starts_without_a_token(framework: str, monkeypatch) -> None:
    monkeypatch.delenv("SERVICE_TOKEN", raising=False)
    with pytest.raises(KeyError):
        loaded(framework, "")
    monkeypatch.setenv("SERVICE_TOKEN", "")
    with pytest.raises(SystemExit, match="empty"):
        loaded(framework, "")


@pytest.mark.parametrize(("header", "path", "kind", "through"), [
    (b"Bearer right", "/classify", "http", True),
    (b"Bearer wrong", "/classify", "http", False),
    (b"", "/classify", "websocket", False),
    (b"", "/classify/readyz", "http", False),
    (b"", "/readyz", "http", True),
    (b"", "", "lifespan", True),
])  # fmt: skip
def test_the_middleware_of_bentoml_answers_probes_and_who_has_the_token(
    header, path, kind, through, monkeypatch
) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "right")
    sent, answered = [], []

    async def app(scope, receive, send):
        answered.append(scope)

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "headers": [(b"authorization", header)]} | ({"path": path} if path else {})
    asyncio.run(loaded("BentoML", "")["RequireToken"](app)(scope, None, send))
    assert bool(answered) == through == (not sent)
    if sent and kind == "http":
        assert sent[0]["status"] == 401


def test_checks_in_bodies_and_methods_come_first() -> None:
    ray = patched({"app.py": APPLICATIONS["ray"]}, "web-no-authentication").files["app.py"]
    call = next(node for node in ast.walk(ast.parse(ray)) if getattr(node, "name", "") == "__call__")
    assert ast.unparse(call.body[0]).startswith("if not hmac.compare_digest(request.headers.get('Authorization', '')")
    tornado = patched({"app.py": APPLICATIONS["tornado"]}, "web-no-authentication").files["app.py"]
    owner = next(node for node in ast.walk(ast.parse(tornado)) if isinstance(node, ast.ClassDef))
    assert ast.get_docstring(owner) == "Answers."
    assert [one.name for one in owner.body[1:]] == ["prepare", "post", "put"]


LIMITED = """\
from acme.access import login_required
from flask import Flask, request

app = Flask(
    __name__,
)


@app.post("/predict")
@login_required
def predict():
    return model(request.get_json())
"""


def test_flask_bounds_what_it_takes() -> None:
    done = patched({"app.py": LIMITED}, "web-no-input-limit")
    done.check("web-no-input-limit")
    assert ')\napp.config["MAX_CONTENT_LENGTH"] = 16 * 1024 * 1024\n' in done.files["app.py"]
    assert (
        patched(
            {"app.py": LIMITED.replace("app = Flask(\n    __name__,\n)", "from acme import app")},
            "web-no-input-limit",
        ).patches
        == ()
    )


ORIGINS = """\
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)
"""
STARTED = [
    ("web-debug", "from flask import Flask\napp = Flask('a')\napp.debug = True\n"),
    ("web-debug", "from flask import Flask\napp = Flask('a')\napp.config['DEBUG'] = True  # not yet\n"),
    ("web-debug", SETTINGS + "DEBUG = True\n"),
    ("web-open-origins", ORIGINS),
    ("source-tls-unverified", "import ssl\ncontext = ssl._create_unverified_context()\n"),
    ("source-tls-unverified", "import hvac\nclient = hvac.Client(url, verify=False)\n"),
    ("load-torch", "import torch\nstate = torch.load('model.pt')\n"),
    ("load-torch", "import torch\nstate = torch.load(\n    'model.pt',\n    map_location=device,\n)\n"),
    ("load-torch", "import torch\na = torch.load(x)\nb = torch.load(y, map_location=lambda one, where: one)\n"),
    ("load-torch", "import torch\na = torch.load(x, weights_only=False)\nb = torch.load(y, weights_only=False)\n"),
    ("load-yaml", "import yaml\nfrom yaml import Loader\nvalue = yaml.load(text, Loader=Loader)\n"),
    ("load-yaml", "import yaml\nvalue = list(yaml.load_all(text))\nother = yaml.full_load(text)\n"),
    ("load-yaml", "from ruamel.yaml import YAML\nreader = YAML(typ='unsafe')\n"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), STARTED)
def test_settings_and_loaders_are_written_anew(rule: str, text: str) -> None:
    path = "service/settings.py" if "INSTALLED_APPS" in text else "app.py"
    done = patched({path: text}, rule)
    done.check(rule)


def test_django_keeps_its_debugger_where_it_would_answer_nobody_without() -> None:
    text = "INSTALLED_APPS = []\nALLOWED_HOSTS = []\nDEBUG = True\n"
    assert patched({"service/settings.py": text}, "web-debug").patches == ()


def test_an_old_torch_is_not_told_to_be_safe() -> None:
    files = {"app.py": "import torch\nstate = torch.load('model.pt')\n", "requirements.txt": "torch==2.5.1\n"}
    assert patched(files, "load-torch").patches == ()


LOGGED = [
    ("log.info('asked', body=body)", "log.info('asked', body=\"[redacted]\")"),
    ("log.info('asked %s', body, extra={'body': body})", "log.info('asked %s', \"[redacted]\", extra=None)"),
    ("log.info('asked %s', body, exc_info=True)", "log.info('asked %s', \"[redacted]\", exc_info=True)"),
]


@pytest.mark.parametrize(("call", "expected"), LOGGED)
def test_logs_of_all_kinds_are_redacted(call: str, expected: str) -> None:
    text = (
        "import structlog\nfrom flask import Flask, request\nlog = structlog.get_logger()\napp = Flask('a')\n\n\n"
        f"@app.post('/a')\ndef a():\n    body = request.get_json()\n    {call}\n    return 'a'\n"
    )
    done = patched({"app.py": text}, "log-request")
    done.check("log-request")
    assert expected in done.files["app.py"]


def test_a_place_for_a_number_is_left() -> None:
    text = (
        "import logging\nfrom flask import Flask, request\napp = Flask('a')\n\n\n"
        "@app.post('/a')\ndef a():\n    logging.info('%d rows', request.get_json())\n    return 'a'\n"
    )
    assert patched({"app.py": text}, "log-request").patches == ()
