"""Tags that a template leaves open, and things whose tags nobody knows: no condition on them fails for certain."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

ACCOUNT = "111122223333"
TABLES = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/"
MAIN = """
provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]
}
variable "t" {}
resource "aws_iam_role" "r" {
  name = "r"
  tags = ROLE
  assume_role_policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy" "p" {
  role = aws_iam_role.r.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "dynamodb:GetItem"
      Resource  = "*"
      Condition = { StringEquals = { "KEY" = "blue" } }
    }]
  })
}
resource "aws_dynamodb_table" "t" {
  name = "t"
  tags = TAGS
}
resource "aws_dynamodb_table" "u" {
  name = "u"
}
"""


def read(role: str = "{}", tags: str = "{}", key: str = "aws:ResourceTag/team", **files: str) -> dict[str, State]:
    text = MAIN.replace("ROLE", role).replace("TAGS", tags).replace("KEY", key)
    named = {name.replace("_", "."): content for name, content in files.items()}
    edges = assessed_files({"main.tf": text, **named}).graph.edges
    return {one.target.removeprefix(TABLES): one.state for one in edges if one.relation == "reads"}


@pytest.mark.parametrize(
    ("tags", "state"),
    [
        ('{ team = "blue" }', State.YES),
        ('{ team = "red" }', None),
        ("{}", None),
        ("{ team = var.t }", State.UNKNOWN),
        ('{ team = "b${var.t}" }', State.UNKNOWN),
        ("var.t", State.UNKNOWN),
    ],
)
def test_tags_of_what_is_asked_for(tags: str, state: State | None) -> None:
    assert read(tags=tags) == ({"t": state} if state else {})


@pytest.mark.parametrize(
    ("tags", "state"),
    [('{ team = "blue" }', State.YES), ('{ team = "red" }', None), ("{ team = var.t }", State.UNKNOWN)],
)
def test_tags_of_who_asks(tags: str, state: State | None) -> None:
    found = read(role=tags, key="aws:PrincipalTag/team")
    assert found == ({"t": state, "u": state} if state else {})


@pytest.mark.parametrize("name", ["a", "z"])
def test_things_whose_tags_nobody_knows_are_not_like_those_without_any(name: str) -> None:
    """Whichever comes first by name."""
    answer = {"Table": {"TableName": name, "TableArn": f"{TABLES}{name}"}}
    assert read(x_json=json.dumps(answer)) == {name: State.UNKNOWN}
