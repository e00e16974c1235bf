"""Infrastructure in languages that are not read is listed, with what to assess instead."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

BICEP = "resource x 'Microsoft.Storage/storageAccounts@2023-01-01' = { name: 'x' }"


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("main.bicep", BICEP, "az bicep build"),
        ("live/terragrunt.hcl", 'include "root" {}', "terragrunt show"),
        ("Pulumi.yaml", "name: x\nruntime: yaml\n", "Pulumi"),
        ("a.jsonnet", "{}", "Jsonnet"),
        ("a.cue", "package a", "cue export"),
        ("a.nomad.hcl", 'job "x" {}', "Nomad"),
        ("pod.yaml.j2", "kind: {{ kind }}", "template"),
        ("cdk.json", '{"app": "python app.py"}', "cdk synth"),
        ("plan.out", "PK\x03\x04\x14\x00\x08\x00tfplan", "terraform show -json"),
        ("serverless.yml", "service: x\nprovider: {name: aws}\n", "serverless package"),
        ("site.yml", "- hosts: all\n  tasks: []\n", "Ansible"),
        ("databricks.yml", "bundle: {name: x}\nresources: {}\n", "Databricks"),
    ],
)
def test_what_is_not_read_is_listed(path: str, text: str, said: str) -> None:
    (skipped,) = assessed_files({path: text}).reading.skipped
    assert skipped.path == path
    assert said in skipped.reason


@pytest.mark.parametrize(
    "files",
    [
        {"main.bicep": BICEP, "main.json": '{"resources": []}'},
        {"cdk.json": "{}", "cdk.out/a.template.json": '{"Resources": {}}'},
        {"compose.yaml": "services: {x: {image: a}}\n"},
        {"values.yaml": "provider: x\nhosts: [a]\nbundle: b\n"},
        {"mkdocs.yml": "site_name: x\n", "README.md.tmpl": "x", "logo.k8s": "x"},
    ],
)
def test_what_is_read_another_way_or_none_of_it_is_not(files: dict[str, str]) -> None:
    assert assessed_files(files).reading.skipped == []
