"""What a workload starts of an image: commands replace, arguments go behind; ports that are told, usual or declared."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import Edge, State

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
