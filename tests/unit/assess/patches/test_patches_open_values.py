"""Values that a template leaves open are not written into policies as texts of their own."""

from __future__ import annotations

import pytest
from tests.support.patched_infra import NOW, all_patches, fixed, text_of, tf

from assaymark.assess.engine import assess

FEDERATED = """variable "aud" {}
resource "aws_iam_openid_connect_provider" "c" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = [%s]
}
resource "aws_iam_role" "r" {
  name = "r"
  assume_role_policy = jsonencode({
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.c.arn }
      Condition = { StringEquals = { "token.actions.githubusercontent.com:sub" = "repo:acme/x:ref:refs/heads/main" } }
    }]
  })
}
"""
TENANTS = """variable "t" {}
resource "aws_iam_role" "r" {
  name = "birch-inference"
  tags = { tenant = "birch" }
  assume_role_policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}
resource "aws_s3_bucket" "b" {
  bucket = "cedar-data"
  tags   = { tenant = "%s" }
}
resource "aws_s3_bucket_policy" "b" {
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = aws_iam_role.r.arn }
      Action    = "s3:GetObject"
      Resource  = "arn:aws:s3:::cedar-data/*"
    }]
  })
}
"""


@pytest.mark.parametrize(
    ("rule", "text", "known", "left_open"),
    [
        ("aws-federation-audience", FEDERATED, '"sts.amazonaws.com"', "var.aud"),
        ("aws-federation-audience", FEDERATED, '"sts.amazonaws.com"', '"x-${var.aud}"'),
        ("aws-tenant-reads-other", TENANTS, "cedar", "cedar${var.t}"),
    ],
)
def test_a_value_that_is_not_known_is_not_written(rule: str, text: str, known: str, left_open: str) -> None:
    assert known.strip('"') in text_of(fixed(tf(text % known), rule)).rpartition("Condition")[2]
    found = assess(tf(text % left_open), NOW)
    assert rule in {one.rule for one in found.findings}
    assert not all_patches(found, rule)
