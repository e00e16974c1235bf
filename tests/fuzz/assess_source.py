"""Any bytes as each kind of file of source: assessed, whatever they are, and what cannot be read is said."""

from datetime import UTC, datetime

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file
from assaymark.assess.patch import apply_patches
from assaymark.assess.patches import patches_for

NAMES = (
    "app.py", "setup.py", "Dockerfile", "requirements.txt", "compose.yaml", ".github/workflows/a.yml", ".gitlab-ci.yml",
    "pyproject.toml", "Pipfile", "uv.lock", "a.ipynb", "fluent-bit.conf", ".env", "environment.yml", "pip.conf", "settings.py",
    "main.tf", "kustomization.yaml", "a.yaml",
)  # fmt: skip
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEEDS = [
    b"from flask import Flask, request\napp = Flask('x')\n@app.post('/a')\ndef a():\n    print(request.json)\n",
    b"services:\n  a:\n    image: b\n    ports: ['1:1']\n    environment: {A_TOKEN: x}\n",
    b"on: pull_request_target\njobs:\n  a:\n    steps:\n    - uses: a/b@v1\n    - run: echo ${{ github.head_ref }}\n",
    b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["!pip install x\\n", "eval(y)"]}]}',
    b"[project]\ndependencies = ['a', 'b @ git+https://c']\n[tool.uv]\nindex = [{url = 'http://a'}]\n",
    b"import boto3\ns3 = boto3.client('s3')\nT = boto3.resource('dynamodb').Table(f'a{x}')\ns3.copy({'Bucket': 'a'}, 'b', 'c')\nf(s3)\n",
    b"import torch, yaml\ntorch.load('a', weights_only=False)\nyaml.load(t,\n  yaml.Loader)\nrequests.get('a', verify=False)\n",
    b"from fastapi import FastAPI\napp = FastAPI()\n@app.post('/a', status_code=1)\nasync def a(q: dict):\n    print(f'{q}', q)\n",
    (
        b"on: push\njobs:\n  a:\n    permissions:\n      contents: read\n    steps:\n    - uses: aws-actions/configure-aws-credentials@v4\n"
        b"      with:\n        aws-access-key-id: ${{ secrets.K }}\n        aws-secret-access-key: ${{ secrets.S }}\n"
    ),
    b"resources: [a.yaml, .]\nnamespace: n\nimages: [{name: b, newTag: c}]\npatches: [{path: a.yaml}]\n",
    b"FROM a\nUSER root\nCMD [b]\n",
    b'resource "aws_s3_bucket" "b" {\n  bucket = "b"\n}\n',
    b"[OUTPUT]\n    Name es\n    Host a.b\n",
]


def fuzz(data: bytes) -> None:
    """The assessment, and the patches of what it finds."""
    found = assess([source_file(name, data) for name in NAMES], NOW)
    for finding in found.findings:
        for patch in patches_for(finding, found.inputs, found.estates):
            file = found.inputs.file(patch.path)
            assert file is not None
            lines = file.data.decode("utf-8", "surrogateescape").splitlines()
            assert 1 <= patch.line <= len(lines) + 1
            apply_patches(file.data, [patch])
