"""Prefixes of a bucket that tenants share."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

BUCKET = "arn:aws:s3:::acme-weights"
TEXT = """
resource "aws_s3_bucket" "weights" {
  bucket = "acme-weights"
}
resource "aws_iam_role" "a" {
  name               = "serving-a"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
  tags               = { tenant = "a" }
}
resource "aws_iam_role" "b" {
  name               = "serving-b"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
  tags               = { tenant = "b" }
}
resource "aws_iam_role_policy" "a" {
  role = aws_iam_role.a.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::acme-weights/OFA" }]
  })
}
resource "aws_iam_role_policy" "b" {
  role = aws_iam_role.b.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::acme-weights/OFB" }]
  })
}
"""


def readers(files: dict[str, str], prefix: str) -> set[str]:
    graph = assessed_files(files).graph
    found = {one.source for one in graph.edges if (one.relation, one.target) == ("reads", f"{BUCKET}/{prefix}")}
    return {one.rpartition("-")[2] for one in found}


def text(of_a: str, of_b: str) -> str:
    return TEXT.replace("OFA", of_a).replace("OFB", of_b)


@pytest.mark.parametrize(
    ("of_a", "of_b", "prefix", "who"),
    [
        ("*", "b/*", "b/", {"a", "b"}),
        ("a/*", "b/*", "b/", {"b"}),
        ("tenants/b/weights/*", "tenants/b/*", "tenants/b/", {"a", "b"}),
        ("a/*", "$${aws:PrincipalTag/tenant}/*", "b/", {"b"}),
        ("*/public/*", "b/*", "b/", {"a", "b"}),
        ("tenant-c/*", "*", "tenant-c/", {"a", "b"}),
        ("prod/*", "*", "prod/", {"a", "b"}),
    ],
)
def test_who_reads_a_prefix(of_a: str, of_b: str, prefix: str, who: set[str]) -> None:
    assert readers({"main.tf": text(of_a, of_b)}, prefix) == who


@pytest.mark.parametrize("of_b", ["models/*", "*", "shared/v1/*", "b*"])
def test_what_is_nobodys_is_no_prefix(of_b: str) -> None:
    nodes = assessed_files({"main.tf": text("*", of_b)}).graph.nodes
    assert not [one for one in nodes.values() if one.kind == "prefix"]


def test_a_prefix_that_a_workload_loads_from() -> None:
    pod = """apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: fraud, namespace: b}
spec: {predictor: {model: {modelFormat: {name: sklearn}, storageUri: "s3://acme-weights/b/fraud"}}}
"""
    assert readers({"main.tf": text("*", "other"), "pod.yaml": pod}, "b/") == {"a"}


def test_a_bucket_of_a_tenant_has_no_prefixes_of_its_own_tenant() -> None:
    whole = text("*", "b/*").replace('"acme-weights"', '"acme-weights"\n  tags = { tenant = "b" }', 1)
    nodes = assessed_files({"main.tf": whole}).graph.nodes
    assert not [one for one in nodes.values() if one.kind == "prefix"]
