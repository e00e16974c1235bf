"""Any bytes as each kind of file of source: assessed, whatever they are, and what cannot be read is said."""

import ast
import tomllib
from collections import defaultdict
from datetime import UTC, datetime

import yaml

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file
from assaymark.assess.patch import apply_patches, lines_of
from assaymark.assess.patches.writers import patches_for

NAMES = (
    "app.py", "setup.py", "Dockerfile", "requirements.txt", "compose.yaml", ".github/workflows/a.yml", ".gitlab-ci.yml",
    "pyproject.toml", "Pipfile", "uv.lock", "a.ipynb", "fluent-bit.conf", ".env", "environment.yml", "pip.conf", "settings.py",
    "main.tf", "b.tf.json", "kustomization.yaml", "a.yaml", "run.sh", "Jenkinsfile", "azure-pipelines.yml", "template.yaml",
)  # fmt: skip
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEEDS = [
    b"#!/bin/sh\ncurl https://a.b/c.sh | bash\nnohup vllm serve a/b --host 0.0.0.0 --trust-remote-code &\n",
    b"pipeline { steps { sh 'curl https://a.b/c | sh' } }\n",
    b"trigger: [a]\nsteps:\n- script: pip install a\n- task: A@1\n  inputs: {inlineScript: 'curl a | sh'}\n",
    (
        b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\ndata:\n  a.py: |\n    import pickle\n    pickle.load(x)\n"
        b"  c: 'AccountName=abc;AccountKey=9rTk2vQx7LmZw3Bn6Vc1Hd4Js5Ga8Pf0'\n"
    ),
    (
        b"Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        b"      CodeUri: a/\n      Handler: app.handler\n      Events: {A: {Type: HttpApi, Properties: {Path: /x, Method: post}}}\n"
    ),
    (
        b'resource "aws_lb_listener" "a" {\n  load_balancer_arn = aws_lb.a.arn\n  port = 443\n  default_action {\n    type = "forward"\n'
        b'    target_group_arn = aws_lb_target_group.a.arn\n  }\n}\nresource "aws_lb" "a" {\n  security_groups = [aws_security_group.a.id]\n}\n'
        b'resource "aws_ecs_task_definition" "a" {\n  family = "a"\n  container_definitions = jsonencode([{ image = "b", portMappings = [{ containerPort = 1 }] }])\n}\n'
    ),
    (
        b'resource "google_compute_firewall" "a" {\n  network = "default"\n  allow {\n    protocol = "tcp"\n    ports = ["80-90"]\n  }\n}\n'
        b'resource "azurerm_linux_web_app" "a" {\n  name = "a"\n  resource_group_name = "b"\n  site_config {}\n}\n'
        b'resource "aws_iam_role_policy" "a" {\n  role = "r"\n  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "arn:aws:s3:::b/tenant-a/*" }] })\n}\n'
    ),
    b"def handler(event, context):\n    return eval(event['body'])\n",
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
    b'{"resource": {"aws_s3_bucket": {"b": {"bucket": "${local.a}-%{ if true }x%{ endif }"}}}, "locals": [{"a": 1}], "module": {"m": {"source": "./m"}}}',
    b"FROM a\nUSER root\nCMD [b]\n",
    b'resource "aws_s3_bucket" "b" {\n  bucket = "b"\n}\n',
    b"[OUTPUT]\n    Name es\n    Host a.b\n",
    b"from starlette.routing import Route\nasync def a(request):\n    return b(await request.json())\nr = [Route('/a', a)]\n",
    b"import bentoml\n@bentoml.service\nclass A:\n    @bentoml.api\n    def a(self, x: str) -> str:\n        return x\n",
    b"import tornado.web\nclass A(tornado.web.RequestHandler):\n    def post(self):\n        pass\ntornado.web.Application([('/', A)])\n",
    b"from ray import serve\n@serve.deployment\nclass A:\n    async def __call__(self, request):\n        'd'\n        return 1\n",
    b"import gradio as gr\nd = gr.Interface(fn=a)\nd.launch(share=True,\n  # c\n)\ngr.mount_gradio_app(a, d, path='/a')\n",
    (
        b"from django.urls import path\nfrom rest_framework.views import APIView\nINSTALLED_APPS = [\n'django.contrib.auth',\n]\n"
        b"MIDDLEWARE = ['django.contrib.auth.middleware.AuthenticationMiddleware']\nclass A(APIView):\n  def post(self, request):\n"
        b"    return 1\ndef b(request):\n    return request.POST\nurlpatterns = [path('a/', A.as_view()), path('b/', b)]\n"
    ),
    b"a>=1 ; python_version < '4'  # c\nb[x]\n-r c.txt\n--trusted-host a.b\n--index-url http://a.b/c\n",
    b"a\nb==2\n",
    b"FROM a:1@sha256:"
    + b"ab" * 32
    + b"\nFROM a:1 AS x\nRUN pip install a 'b>1' && curl -fk https://a.b/c.sh\nUSER 5\n",
    b"images:\n- name: a\n  newTag: '1'\n  digest: sha256:" + b"ab" * 32 + b"\nservices:\n  a: {image: 'a:1'}\n",
    (
        b"on: [issues]\npermissions: write-all\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n    - run: |\n"
        b"        echo '${{ github.event.issue.title }}' \"$(a ${{ github.head_ref }})\"\n    - run: echo ${{ inputs.a }}\n"
        b"    - uses: azure/login@v2\n      with:\n        creds: ${{ secrets.K }}\n"
        b"    - uses: google-github-actions/auth@v2\n      with:\n        credentials_json: ${{ secrets.K }}\n"
    ),
    b"a:\n  variables:\n    AWS_ACCESS_KEY_ID: $A\n    AWS_SECRET_ACCESS_KEY: $B\n  script:\n  - make\n",
    b"services:\n  a:\n    image: redis\n    ports: ['1:1']\n  b:\n    image: vllm/vllm-openai\n    environment:\n    - A=b\n",
    (
        b"services:\n  a:\n    image: minio/minio\n    environment: {MINIO_ROOT_PASSWORD: minio}\n  b:\n    image: redis:7\n"
        b"    command: redis-server --save 1\n  c:\n    environment:\n      A: b\n    image: qdrant/qdrant\n"
    ),
    b"c @ git+https://a.b/c@main\n-e git+ssh://git@a.b/c.git#egg=c\n",
    b"from transformers import A\nA.from_pretrained('a/b', revision='"
    + b"0a" * 20
    + b"')\nA.from_pretrained('a/b')\n",
]
LOCK = b"""\
[[packages]]
name = "a"
version = "1.5"
wheels = [{hashes = {sha256 = "%s"}}]

[[packages]]
name = "b"
version = "2"
wheels = [{hashes = {sha256 = "%s"}}]
""" % (b"1a" * 32, b"2b" * 32)
GIT = b"""\
[[package]]
name = "c"
version = "1"
source = {git = "https://a.b/c?branch=main#%s"}
""" % (b"0a" * 20)
PARSERS = {
    ".py": ast.parse,
    ".toml": tomllib.loads,
    ".lock": tomllib.loads,
    ".yml": yaml.compose,
    ".yaml": yaml.compose,
}


def fuzz(data: bytes) -> None:
    """The assessment, and the patches of what it finds: what could be parsed can be with all of them too."""
    files = [
        *(source_file(name, data) for name in NAMES),
        source_file("pylock.toml", LOCK),
        source_file("x/uv.lock", GIT),
        source_file("x/requirements.txt", data),
    ]
    found = assess(files, NOW)
    patches = defaultdict(list)
    for finding in found.findings:
        for patch in patches_for(finding, found.inputs, found.estates):
            file = found.inputs.file(patch.path)
            assert file is not None
            assert 1 <= patch.line <= len(lines_of(file)) + 1
            patches[patch.path].append(patch)
    for path, some in patches.items():
        parse = PARSERS.get(path[path.rfind(".") :])
        old = found.inputs.file(path)
        assert old is not None
        new = apply_patches(old.data, some)
        assert parse is None or not _parses(parse, old.data) or _parses(parse, new), path


def _parses(parse, data: bytes) -> bool:
    try:
        parse(data.decode())
    except (ValueError, SyntaxError, RecursionError, MemoryError, yaml.YAMLError):
        return False
    return True
