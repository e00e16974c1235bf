"""Patches of trust policies: several of one statement are made in one run."""

from __future__ import annotations

import pytest
from tests.support.patched_infra import NOW, all_patches, rules_of, tf

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file
from assaymark.assess.patch import apply_patches

EKS = """provider "aws" {
  allowed_account_ids = ["111122223333"]
}
resource "aws_iam_openid_connect_provider" "eks" {
  url            = "https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"
  client_id_list = ["sts.amazonaws.com"]
}
resource "aws_iam_role" "trainer" {
  name = "trainer"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.eks.arn }
%s    }]
  })
}
"""
ACCOUNT = """apiVersion: v1
kind: ServiceAccount
metadata:
  name: trainer
  namespace: training
  annotations:
    eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/trainer
"""


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "      Condition = {}\n",
        '      Condition = { StringEquals = { "aws:SourceVpc" = "vpc-1" } }\n',
        '      Condition = {\n        Bool = { "aws:SecureTransport" = "true" }\n      }\n',
    ],
)
def test_all_patches_of_one_statement_are_made_in_one_run(condition: str) -> None:
    given = tf(EKS % condition, account_yaml=ACCOUNT)
    before = assess(given, NOW)
    rules = {"aws-federation-audience", "aws-federation-subject"}
    assert rules <= rules_of(given)
    patches = [one for rule in rules for one in all_patches(before, rule)]
    after = [
        source_file(one.path, apply_patches(one.data, [each for each in patches if each.path == one.path]))
        for one in given
    ]
    assert not rules & rules_of(after)
    safe = [one for one in patches if one.safe]
    assert safe, "the audience alone changes nothing that ran"
    first = [
        source_file(one.path, apply_patches(one.data, [each for each in safe if each.path == one.path]))
        for one in given
    ]
    assert rules & rules_of(first) == {"aws-federation-subject"}
