"""What servers of models hand to a team's classes and functions comes from clients."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files, lines_of, rules_of

KSERVE = """
import base64, logging, pickle
from kserve import Model, ModelServer
logger = logging.getLogger(__name__)
class Iris(Model):
    def preprocess(self, payload, headers=None):
        return pickle.loads(base64.b64decode(payload["instances"]))
    def predict(self, payload, headers=None):
        logger.info("%d rows", len(payload["instances"]))
        logger.info("got %s", payload)
        return {"predictions": self.model.predict(payload["instances"])}
"""
PYFUNC = """
import mlflow
class Wrapped(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return eval(model_input["expression"][0])
"""
PYFUNC_SHORT = PYFUNC.replace("context, ", "")
LIT = """
import litserve as ls
class Api(ls.LitAPI):
    def decode_request(self, request):
        print(request)
        return request["input"]
    def predict(self, x):
        return self.model(x)
server = ls.LitServer(Api(), max_payload_size="1MB")
"""
ASKS = """
import hmac, os
import litserve as ls
from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
class Api(ls.LitAPI):
    def authorize(self, auth: HTTPAuthorizationCredentials = Depends(HTTPBearer())):
        if not hmac.compare_digest(auth.credentials, os.environ["TOKEN"]):
            raise HTTPException(status_code=401)
    def decode_request(self, request):
        return request["input"]
    def predict(self, x):
        return self.model(x)
server = ls.LitServer(Api(), max_payload_size="1MB")
"""
COG = """
import pickle
from cog import BasePredictor, Input, Path
class Predictor(BasePredictor):
    def predict(self, image: Path = Input(), text: str = Input()) -> str:
        data = pickle.load(open(image, "rb"))
        return str(eval(text))
"""
SAGEMAKER = """
import pickle
def model_fn(model_dir):
    return open(model_dir + "/model.json").read()
def input_fn(request_body, request_content_type):
    return pickle.loads(request_body)
"""
AZURE = """
import pickle
def init():
    pass
def run(raw_data):
    return pickle.loads(raw_data)
"""
STREAMLIT = """
import joblib
import streamlit as st
model = joblib.load(st.file_uploader("model"))
st.write(eval(st.text_input("expression")))
st.write(eval({"a": "1"}[st.selectbox("which", ["a"])]))
"""
CODE, LOAD, LOG = "source-code-injection", "load-from-request", "log-request"


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("model.py", KSERVE, {LOAD: 6, LOG: 9}),
        ("model.py", PYFUNC, {CODE: 4}),
        ("model.py", PYFUNC_SHORT, {CODE: 4}),
        ("app.py", LIT, {LOG: 4, "web-no-authentication": 3}),
        ("app.py", ASKS, {}),
        ("predict.py", COG, {LOAD: 5, CODE: 6}),
        ("code/inference.py", SAGEMAKER, {LOAD: 5}),
        ("score.py", AZURE, {LOAD: 5}),
        ("page.py", STREAMLIT, {LOAD: 3, CODE: 4}),
    ],
)
def test_what_clients_send_arrives(path: str, text: str, found: dict[str, int]) -> None:
    result = assessed_files({path: text})
    kinds = {CODE, LOAD, LOG, "web-no-authentication", "web-no-input-limit"}
    assert rules_of(result) & kinds == set(found)
    for rule, line in found.items():
        assert (path, line) in lines_of(result, rule)


QUIET = """
import logging
import bentoml
from cog import BasePredictor, Input
log = logging.getLogger(__name__)
class Predictor(BasePredictor):
    def predict(self, text: str, steps: int = Input(default=5)) -> str:
        print(f"{steps} steps for {len(text)} characters")
@bentoml.service
class Score:
    @bentoml.api
    def score(self, rows: list, k: int) -> int:
        log.info("the best %d of %d", k, len(rows))
"""


def test_numbers_and_counts_say_nothing() -> None:
    assert LOG not in rules_of(assessed_files({"app.py": QUIET}))


@pytest.mark.parametrize(
    ("check", "found"),
    [
        ("if not path.is_relative_to(BASE):\n        abort(404)", False),
        ("BASE.mkdir(exist_ok=True)", True),
    ],
)
def test_a_path_whose_folder_is_looked_at_is_no_finding(check: str, found: bool) -> None:
    text = f"""from pathlib import Path
from flask import Flask, abort, request
app = Flask("a")
BASE = Path("/data").resolve()
@app.get("/a")
def a():
    path = (BASE / request.args["p"]).resolve()
    {check}
    return open(path).read()
"""
    assert ("source-path-injection" in rules_of(assessed_files({"app.py": text}))) == found


def test_a_key_of_litserve_counts_wherever_it_is_set() -> None:
    files = {"app.py": LIT, "compose.yaml": 'services:\n  a:\n    environment: {LIT_SERVER_API_KEY: "${KEY:?}"}\n'}
    assert "web-no-authentication" not in rules_of(assessed_files(files))


@pytest.mark.parametrize(
    ("requirement", "call", "rule"),
    [
        ("torch==2.9.0", "torch.load(request.stream)", False),
        ("torch==2.4.0", "torch.load(request.stream)", True),
        ("torch==2.9.0", "torch.load(request.stream, weights_only=False)", True),
        ("torch==2.9.0", "numpy.load(io.BytesIO(request.data), allow_pickle=True)", True),
        ("torch==2.9.0", "numpy.load(io.BytesIO(request.data))", False),
        ("torch==2.9.0", "ray.cloudpickle.loads(request.data)", True),
        ("torch==2.9.0", "yaml.load(request.data, Loader=yaml.UnsafeLoader)", True),
        ("torch==2.9.0", "yaml.load(request.data, Loader=yaml.SafeLoader)", False),
        ("torch==2.9.0", "AutoModel.from_pretrained(request.json['name'], trust_remote_code=True)", True),
    ],
)
def test_a_loader_that_runs_nothing_is_none(requirement: str, call: str, rule: bool) -> None:
    text = (
        "import io, numpy, ray, torch, yaml\nfrom flask import Flask, request\nfrom transformers import AutoModel\n"
        f"app = Flask('a')\n@app.post('/a')\ndef a():\n    return {call}\n"
    )
    result = assessed_files({"app.py": text, "requirements.txt": f"{requirement}\n"})
    assert (LOAD in rules_of(result)) == rule
