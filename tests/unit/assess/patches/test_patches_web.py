"""Checks of who calls, in the application's own framework: written where they hold, and nowhere else."""

from __future__ import annotations

import ast
import difflib

import pytest
from tests.support.patched import patched

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


@pytest.mark.parametrize("name", APPLICATIONS)
def test_routes_ask_who_calls_and_everything_else_stays(name: str) -> None:
    done = patched({"app.py": APPLICATIONS[name]}, "web-no-authentication")
    done.check("web-no-authentication")
    new = done.files["app.py"].splitlines()
    changes = difflib.SequenceMatcher(None, APPLICATIONS[name].splitlines(), new, autojunk=False).get_opcodes()
    assert sum(stop - start for kind, start, stop, _, _ in changes if kind != "equal") <= 1
    assert new.count("import os") == 1


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
