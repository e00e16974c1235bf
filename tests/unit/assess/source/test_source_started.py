"""What a workload starts of an image: commands replace, arguments go behind; ports that are told, usual or declared."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.kubernetes.servers import container_variables
from assaymark.assess.source.started import listening, started
from assaymark.core.graph import Edge, State
from assaymark.formats.located_yaml import read_located_yaml

OPEN = "from fastapi import FastAPI\napp = FastAPI()\n@app.post('/score')\ndef score(x: dict):\n    return x\n"
PODS = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: prod}}
spec:
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - name: web
        image: r.example.com/web
        ports: [{{containerPort: {port}}}]
{more}
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: prod}}
spec: {{type: LoadBalancer, selector: {{app: web}}, ports: [{{port: 80, targetPort: 8000}}]}}
"""
COMPOSE = "services:\n  web:\n    build: web\n    image: r.example.com/web\n"


def opened(dockerfile: str, more: str = "", port: int = 8000, **files: str) -> list[Edge]:
    texts = {
        "web/Dockerfile": dockerfile,
        "compose.yaml": COMPOSE,
        "k.yaml": PODS.format(more=more, port=port),
        **{f"web/{name}.py": text for name, text in files.items()},
    }
    found = assessed_files(texts).graph.edges
    return [one for one in found if one.relation == "open-invoke" and one.source.startswith("k8s:")]


@pytest.mark.parametrize("command", ['["sleep", "infinity"]', '["celery", "-A", "tasks", "worker"]'])
def test_another_command_does_not_surely_start_what_the_image_would(command: str) -> None:
    found = opened('FROM a\nCMD ["uvicorn", "app:app"]\n', f"        command: {command}", app=OPEN)
    assert [one.state for one in found] == [State.UNKNOWN]


def test_arguments_go_behind_the_entry_point() -> None:
    image = 'FROM a\nENTRYPOINT ["uvicorn"]\nCMD ["one:app"]\n'
    found = opened(image, '        args: ["two:app"]', one=OPEN, two=OPEN)
    assert [(one.target, one.state) for one in found] == [("app:web/two.py@k8s:prod/deployment/web", State.YES)]


@pytest.mark.parametrize(
    ("image", "state"),
    [
        ('FROM a AS base\nCMD ["uvicorn", "app:app"]\nFROM base AS last\nUSER 1\n', State.YES),
        ('FROM a AS base\nCMD ["uvicorn", "app:app"]\nFROM base\nENTRYPOINT ["./x"]\n', State.UNKNOWN),
        ('FROM a AS base\nCMD ["uvicorn", "app:app"]\nFROM a\nUSER 1\n', State.UNKNOWN),
    ],
)
def test_a_stage_has_what_the_stage_before_it_has(image: str, state: State) -> None:
    assert [one.state for one in opened(image, app=OPEN)] == [state]


def test_the_usual_port_is_open_whatever_else_is_declared() -> None:
    found = opened('FROM a\nCMD ["uvicorn", "app:app"]\n', port=9090, app=OPEN)
    assert "k8s:prod/deployment/web#port:8000" in {one.source for one in found}


@pytest.mark.parametrize(
    ("image", "env", "ports"),
    [
        ("ENV PORT=9000\nCMD uvicorn app:app --port $PORT\n", "", {9000}),
        ("ARG P=9000\nENV PORT $P\nCMD uvicorn app:app --port ${PORT}\n", "", {9000}),
        ("ENV PORT=9000\nCMD uvicorn app:app --port $PORT\n", "{name: PORT, value: '9001'}", {9001}),
        ("CMD uvicorn app:app --port ${PORT:-9002}\n", "", {9002}),
        ("ENV UVICORN_PORT=9003\nCMD uvicorn app:app\n", "", {9003}),
        ("ENV PORT=9004\nCMD gunicorn app:app\n", "", {9004}),
        ("ENV PORT=9004\nCMD gunicorn -b 0.0.0.0:$PORT app:app\n", "", {9004}),
        ("CMD gunicorn app:app\n", "{name: OTHER, value: '9'}", {8000}),
        ("CMD uvicorn app:app --port $PORT\n", "", set()),
        (
            "CMD uvicorn app:app --port $PORT\n",
            "{name: PORT, valueFrom: {configMapKeyRef: {name: a, key: b}}}",
            set(),
        ),
        ("CMD uvicorn app:app\n", "{name: UVICORN_PORT, valueFrom: {configMapKeyRef: {name: a, key: b}}}", set()),
    ],
)
def test_ports_come_of_variables(image: str, env: str, ports: set[int]) -> None:
    built = assessed_files({"Dockerfile": f"FROM a\n{image}"}).estates.source.images[0]
    given = dict(built.variables)
    container = read_located_yaml(f"env: [{env}]")[0]
    assert listening(built.command, given | container_variables(container), frozenset()) == ports


def test_an_application_is_reached_on_the_port_that_its_variable_names() -> None:
    image = "FROM a\nCMD uvicorn app:app --port $PORT\n"
    for value, certain in (("8000", True), ("9000", False)):
        found = opened(image, f"        env: [{{name: PORT, value: '{value}'}}]", app=OPEN)
        assert any(one.source.endswith("#port:8000") and one.state is State.YES for one in found) is certain


def test_what_stands_behind_the_program_is_the_programs_own() -> None:
    assert started("python -X dev -u train.py -m gs://bucket/model") == ["train"]
    assert started("python3 -W ignore -m trainer.fit -m x") == ["trainer/fit"]
