"""Who may give permissions to a role within a boundary has what the boundary lets through, and no more."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.engine import Assessment
from assaymark.core.graph import State

ACCOUNT = "111122223333"
OPS = f"arn:aws:iam::{ACCOUNT}:role/ops"
MAIN = """
provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "weights" {
  bucket = "weights"
}
resource "aws_s3_bucket" "payroll" {
  bucket = "payroll"
}
resource "aws_iam_policy" "limit" {
  name   = "limit"
  policy = jsonencode({ Version = "2012-10-17", Statement = [LIMIT] })
}
resource "aws_iam_role" "ops" {
  name                 = "ops"
  permissions_boundary = aws_iam_policy.limit.arn
  assume_role_policy   = jsonencode({
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}
resource "aws_iam_role" "root" {
  name               = "root"
  assume_role_policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "111122223333" } }]
  })
}
resource "aws_iam_role_policy_attachment" "root" {
  role       = aws_iam_role.root.name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}
resource "aws_iam_role_policy" "ops" {
  role   = aws_iam_role.ops.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = aws_iam_role.ops.arn }]
  })
}
"""
FILLS = '{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = "*" }'


def given(*statements: str) -> Assessment:
    return assessed_files({"main.tf": MAIN.replace("LIMIT", ", ".join(statements))})


def reached(found: Assessment) -> dict[str, State]:
    """What the role comes to by any walk: its own administrator among it."""
    states: dict[str, State] = {OPS: State.YES}
    rank = {State.YES: 0, State.UNKNOWN: 1, State.NO: 2}
    changed = True
    while changed:
        changed = False
        for one in found.graph.edges:
            if one.source in states:
                state = states[one.source].both(one.state)
                if one.target not in states or rank[state] < rank[states[one.target]]:
                    states[one.target] = state
                    changed = True
    return {name.rpartition(":")[2]: state for name, state in states.items() if name != OPS}


READS = '{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::weights/*" }'


def test_a_narrow_boundary_leaves_what_it_lets_through() -> None:
    found = reached(given(FILLS, READS))
    assert found["weights"] is State.YES
    assert "administrator" not in found
    assert "payroll" not in found


@pytest.mark.parametrize(
    "statement",
    [
        '{ Effect = "Allow", Action = "*", Resource = "*" }',
        '{ Effect = "Allow", Action = "sts:AssumeRole", Resource = "*" }',
        '{ Effect = "Allow", Action = ["iam:CreateRole", "iam:AttachRolePolicy"], Resource = "*" }',
        '{ Effect = "Allow", Action = "iam:DeleteRolePermissionsBoundary", Resource = "*" }',
    ],
)
def test_a_boundary_that_lets_somebody_out_is_none(statement: str) -> None:
    assert reached(given(FILLS, READS, statement))["administrator"] is State.YES


def test_what_a_boundary_denies_is_denied() -> None:
    allows = '{ Effect = "Allow", Action = "*", Resource = "*" }'
    denies = '{ Effect = "Deny", NotAction = ["s3:*", "iam:PutRolePolicy"], Resource = "*" }'
    found = reached(given(allows, denies))
    assert found["payroll"] is State.YES
    assert "ops#filled" in " ".join(found)
    own = '{ Effect = "Deny", Action = "iam:*", NotResource = "arn:aws:iam::111122223333:role/ops" }'
    assert "administrator" not in reached(given(allows, denies, own))


def test_a_condition_of_the_boundary_leaves_it_open() -> None:
    asks = """{ Effect = "Allow", Action = "sts:AssumeRole", Resource = "*",
      Condition = { IpAddress = { "aws:SourceIp" = "10.0.0.0/8" } } }"""
    own = FILLS.replace('"*"', f'"{OPS}"')
    assert reached(given(own, asks))["administrator"] is State.UNKNOWN


def test_who_perhaps_becomes_a_role_is_perhaps_what_it_makes_of_it() -> None:
    """Filling a role is of use to who can act as it."""
    statements = """{ Effect = "Allow", Action = "iam:PutRolePolicy", Resource = aws_iam_role.job.arn },
      { Effect = "Allow", Action = "sts:AssumeRole", Resource = aws_iam_role.job.arn CONDITION }"""
    main = """
provider "aws" {
  allowed_account_ids = ["111122223333"]
}
resource "aws_iam_user" "ops" {
  name = "ops"
}
resource "aws_iam_user_policy" "ops" {
  user   = aws_iam_user.ops.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [STATEMENTS] })
}
resource "aws_iam_role" "job" {
  name               = "job"
  assume_role_policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "111122223333" } }]
  })
}
"""
    asks = ', Condition = { IpAddress = { "aws:SourceIp" = "10.0.0.0/8" } }'
    for condition, state in (("", State.YES), (asks, State.UNKNOWN)):
        text = main.replace("STATEMENTS", statements.replace("CONDITION", condition))
        edges = assessed_files({"main.tf": text}).graph.edges
        (one,) = [edge for edge in edges if edge.relation == "escalates" and edge.target.endswith("administrator")]
        assert one.state is state
        assert any("aws:SourceIp" in decides for decides in one.decides) is (state is State.UNKNOWN)
