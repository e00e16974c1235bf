"""Functions of Azure that HTTP triggers: who may call them, and what they do with what they are sent."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

NEW = """import azure.functions as func
import pickle
app = func.FunctionApp(LEVEL)
@app.function_name(name="score")
@app.route(route="score", methods=["POST"]OWN)
def score(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(str(pickle.loads(req.get_body())))
"""
OLD = """import azure.functions as func
def main(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(str(eval(req.params.get("q"))))
"""
BINDING = (
    '{"scriptFile": "__init__.py", "bindings": [{LEVEL"type": "httpTrigger", "direction": "in", "name": "req"}]}'
)
PARTS = """import azure.functions as func
bp = func.Blueprint()
@bp.route(route="x")
def x(req):
    return req.get_json()
"""
ANYONE = "func.AuthLevel.ANONYMOUS"


def rules(files: dict[str, str]) -> set[str]:
    return {one.rule for one in assessed_files(files).findings}


@pytest.mark.parametrize(
    ("level", "own", "anyone"),
    [
        ("", "", False),
        (f"http_auth_level={ANYONE}", "", True),
        ("", f", auth_level={ANYONE}", True),
        ("", ', auth_level="anonymous"', True),
        (f"http_auth_level={ANYONE}", ", auth_level=func.AuthLevel.FUNCTION", False),
    ],
)
def test_a_key_is_asked_for_unless_a_route_or_its_application_says_otherwise(level: str, own: str, anyone: bool):
    found = rules({"function_app.py": NEW.replace("LEVEL", level).replace("OWN", own)})
    assert ("web-no-authentication" in found) is anyone
    assert "load-from-request" in found


@pytest.mark.parametrize(
    ("level", "anyone"), [("", False), ('"authLevel": "anonymous", ', True), ('"authLevel": "admin", ', False)]
)
def test_a_file_beside_the_code_says_it_in_the_older_model(level: str, anyone: bool):
    found = rules({"Score/__init__.py": OLD, "Score/function.json": BINDING.replace("LEVEL", level)})
    assert ("web-no-authentication" in found) is anyone
    assert "source-code-injection" in found


@pytest.mark.parametrize(("level", "anyone"), [("FUNCTION", False), ("ANONYMOUS", True)])
def test_a_blueprint_has_the_level_of_the_application_that_registers_it(level: str, anyone: bool):
    main = (
        "import azure.functions as func\nfrom parts import bp\n"
        f"app = func.FunctionApp(http_auth_level=func.AuthLevel.{level})\napp.register_functions(bp)\n"
    )
    assert ("web-no-authentication" in rules({"function_app.py": main, "parts.py": PARTS})) is anyone


@pytest.mark.parametrize(("more", "anyone"), [("", False), (f", http_auth_level={ANYONE}", True)])
def test_an_application_that_functions_host_is_behind_their_key(more: str, anyone: bool):
    text = (
        "import azure.functions as func\nfrom fastapi import FastAPI, Request\napi = FastAPI()\n"
        "@api.post('/score')\nasync def score(req: Request):\n    return await req.json()\n"
        f"app = func.AsgiFunctionApp(app=api{more})\n"
    )
    assert ("web-no-authentication" in rules({"function_app.py": text})) is anyone
