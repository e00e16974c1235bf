"""What is no list where one belongs is left out, and what one could be is not read letter by letter."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files

ROLE = """
resource "aws_iam_role" "r" {
  name = "r"
  assume_role_policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}
resource "aws_organizations_policy" "p" {
  name       = "p"
  content    = jsonencode({ Statement = [{ Effect = "Deny", Action = "s3:*", Resource = "*" }] })
  target_ids = %(value)s
}
resource "aws_iam_policy_attachment" "a" {
  name       = "a"
  roles      = %(value)s
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}
resource "aws_iam_user_group_membership" "m" {
  user   = "u"
  groups = %(value)s
}
resource "aws_iam_openid_connect_provider" "c" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = %(value)s
}
resource "aws_kms_grant" "g" {
  key_id            = "k"
  grantee_principal = "arn:aws:iam::111122223333:role/r"
  operations        = %(value)s
}
"""


@pytest.mark.parametrize(
    ("value", "targets"), [("5", ()), ("true", ()), ("{ a = 1 }", ()), ('"r-abcd"', ("r-abcd",)), ("null", ())]
)
def test_what_is_no_list(value: str, targets: tuple[str, ...]) -> None:
    found = assessed_files({"main.tf": ROLE % {"value": value}}).estates.aws
    assert [one.targets for one in found.controls or ()] == [targets]
    assert [one.audiences for one in found.providers.values()] == [()]
    assert [one.operations for one in found.grants] == [()]


def test_answers_with_something_else_in_place_of_lists() -> None:
    content = json.dumps({"Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]})
    summary = {"Name": "p", "Type": "SERVICE_CONTROL_POLICY"}
    policy = {"Policy": {"PolicySummary": summary, "Content": content}, "Targets": 5}
    found = assessed_files({"p.json": json.dumps(policy)}).estates.aws
    assert [one.targets for one in found.controls or ()] == [("*",)]
