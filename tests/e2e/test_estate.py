"""The example estate: every defect of it is found, and nothing in its mended twin."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from tests.support.cli import cli

ESTATE = Path(__file__).parents[2] / "examples" / "estate"


@pytest.fixture(scope="module")
def before() -> dict:
    return json.loads(cli("assess", ESTATE / "before", "--format", "json").out)


@pytest.fixture(scope="module")
def after() -> dict:
    words = ("--baseline", ESTATE / "before", "--config", ESTATE / "assess.toml")
    return json.loads(cli("assess", ESTATE / "after", *words, "--format", "json").out)


# Each defect that the files of before/ name: a file, a line's text, the rule that finds it.
DEFECTS = [
    ("infra/identity.tf", '"repo:*"', "aws-federation-subject"),
    ("infra/identity.tf", "Condition = {", "aws-federation-audience"),
    ("infra/identity.tf", 'actions   = ["s3:*", "kms:*"]', "aws-service-wildcard"),
    ("infra/identity.tf", "aws_iam_access_key", "aws-static-key"),
    ("infra/identity.tf", '"iam:PassRole", "lambda:*"', "aws-passrole-any"),
    ("infra/data.tf", "bucket   =", "aws-bucket-plaintext"),
    ("infra/data.tf", "bucket   =", "aws-tenants-share-key"),
    ("infra/data.tf", "aws_kms_key", "aws-key-rotation"),
    ("infra/data.tf", "aws_ecr_repository", "aws-registry-mutable"),
    ("cluster/tenants.yaml", 'verbs: ["*"]', "k8s-secrets-everywhere"),
    ("cluster/tenants.yaml", "tune-tenant-a", "k8s-tenants-share-namespace"),
    ("cluster/tenants.yaml", "claimName: weights", "k8s-tenants-share-volume"),
    ("cluster/training.yaml", "rayproject/ray", "k8s-server-open"),
    ("cluster/training.yaml", "rayproject/ray", "k8s-server-plaintext"),
    ("cluster/training.yaml", "MLFLOW_TRACKING_URI", "k8s-storage-plaintext"),
    ("cluster/training.yaml", "AWS_SECRET_ACCESS_KEY", "k8s-secret-in-manifest"),
    ("cluster/training.yaml", "nfs:", "k8s-nfs-plaintext"),
    ("cluster/mesh.yaml", "PERMISSIVE", "k8s-mesh-permissive"),
    ("cluster/serving.yaml", "privileged: true", "k8s-node-access"),
    ("cluster/serving.yaml", "vllm", "k8s-server-open"),
    ("cluster/serving.yaml", "kind: Ingress", "k8s-ingress-plaintext"),
    ("cluster/serving.yaml", "vllm-openai:latest", "k8s-image-unpinned"),
    ("app/server.py", "pickle.load", "load-pickle"),
    ("app/server.py", "log.info", "log-request"),
    ("app/server.py", "@app.route", "web-no-authentication"),
    ("app/server.py", "request.get_json", "web-no-input-limit"),
    ("app/server.py", "debug=True", "web-debug"),
    ("app/server.py", "host=", "web-plaintext"),
    ("app/requirements.txt", "--extra-index-url", "deps-extra-index"),
    ("app/requirements.txt", "torch", "deps-unpinned"),
    ("app/requirements.txt", "git+https", "deps-moving-source"),
    ("app/Dockerfile", "python:latest", "build-image-unpinned"),
    ("app/Dockerfile", "ADD https", "build-remote-file"),
    (".github/workflows/train.yml", "pull_request_target", "ci-untrusted-checkout"),
    (".github/workflows/train.yml", "write-all", "ci-permissions-wide"),
    (".github/workflows/train.yml", "deploy-action@main", "ci-action-unpinned"),
]


@pytest.mark.parametrize(("path", "text", "rule"), DEFECTS, ids=lambda value: str(value)[:30])
def test_every_defect_is_found(before: dict, path: str, text: str, rule: str) -> None:
    assert text in (ESTATE / "before" / path).read_text()
    assert any(
        finding["rule"] == rule and any(place["path"] == path for place in finding["locations"])
        for finding in before["findings"]
    )


def test_the_worst_paths_are_there(before: dict) -> None:
    ends = {(path["from"], path["to"]) for path in before["paths"]}
    administrator = "aws:111122223333:administrator"
    assert ("oidc:token.actions.githubusercontent.com:repo:*", administrator) in ends
    assert ("arn:aws:iam::111122223333:user/notebook", administrator) in ends
    assert ("internet", "k8s:administrator") in ends
    assert ("internet", "arn:aws:s3:::example-tenant-b-data") in ends
    assert ("k8s:training/job/tune-tenant-a", "arn:aws:s3:::example-tenant-b-data") in ends


def test_the_mended_one_has_no_finding_and_no_path_that_fails(after: dict) -> None:
    assert after["findings"] == []
    assert {path["severity"] for path in after["paths"]} <= {"low"}
    assert after["skipped"] == []


def test_access_went_and_no_needed_one(after: dict) -> None:
    measures = after["measures"]
    assert measures["needed_allowed"] is True
    assert measures["needed"] == 2
    assert measures["cross_boundary_after"] == 0 < measures["cross_boundary_before"]
    assert measures["excess_reduction"] > 0.95


TOUR = (ESTATE.parents[1] / "docs" / "guide" / "assess-tour.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", TOUR, re.DOTALL)
SHOWN = [
    (command, [line for line in said.splitlines() if line.strip() not in ("", "...")])
    for block in BLOCKS
    for command, said in re.findall(r"^\$ assaymark (.*)\n((?:[^$].*\n)*)", block, re.MULTILINE)
]


@pytest.mark.parametrize(("command", "lines"), SHOWN, ids=[command for command, _ in SHOWN])
def test_the_tour_shows_what_the_commands_say(
    command: str, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "--diff" in command:
        pytest.importorskip("z3")
        pytest.importorskip("cvc5")
    monkeypatch.chdir(ESTATE.parents[1])
    said = cli(*shlex.split(command.replace("html=", f"html={tmp_path}/"))).out.splitlines()
    assert lines
    assert [line for line in lines if line not in said] == []


def test_the_tour_shows_the_choke_points() -> None:
    (block,) = [one for one in BLOCKS if one.startswith("Choke")]
    said = cli("assess", ESTATE / "before").out.splitlines()
    assert [line for line in block.splitlines() if line != "..." and line not in said] == []
