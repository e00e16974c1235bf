"""Any bytes as each kind of file of source: assessed, whatever they are, and what cannot be read is said."""

from datetime import UTC, datetime

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file

NAMES = (
    "app.py", "setup.py", "Dockerfile", "requirements.txt", "compose.yaml", ".github/workflows/a.yml", ".gitlab-ci.yml",
    "pyproject.toml", "Pipfile", "uv.lock", "a.ipynb", "fluent-bit.conf", ".env", "environment.yml", "pip.conf", "settings.py",
)  # fmt: skip
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEEDS = [
    b"from flask import Flask, request\napp = Flask('x')\n@app.post('/a')\ndef a():\n    print(request.json)\n",
    b"services:\n  a:\n    image: b\n    ports: ['1:1']\n    environment: {A_TOKEN: x}\n",
    b"on: pull_request_target\njobs:\n  a:\n    steps:\n    - uses: a/b@v1\n    - run: echo ${{ github.head_ref }}\n",
    b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["!pip install x\\n", "eval(y)"]}]}',
    b"[project]\ndependencies = ['a', 'b @ git+https://c']\n[tool.uv]\nindex = [{url = 'http://a'}]\n",
    b"[OUTPUT]\n    Name es\n    Host a.b\n",
]


def fuzz(data: bytes) -> None:
    assess([source_file(name, data) for name in NAMES], NOW)
