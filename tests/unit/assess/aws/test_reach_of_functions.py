"""What runs as a role has what the role has, whatever kind of thing it is."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.graph import States
from assaymark.assess.reach import Reach

MAIN = """
provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "weights" {
  bucket = "weights"
}
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "SERVICE" } }]
  })
}
resource "aws_iam_role_policy" "r" {
  role   = aws_iam_role.r.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::weights/*" }]
  })
}
"""
FUNCTION = """
resource "aws_lambda_function" "thing" {
  function_name = "thing"
  role          = aws_iam_role.r.arn
}
"""
MACHINE = """
resource "aws_sfn_state_machine" "thing" {
  name       = "thing"
  role_arn   = aws_iam_role.r.arn
  definition = jsonencode({ StartAt = "a", States = { a = { Type = "Pass", End = true } } })
}
"""
JOB = """
resource "aws_glue_job" "thing" {
  name     = "thing"
  role_arn = aws_iam_role.r.arn
  command {
    script_location = "s3://code/job.py"
  }
}
"""


@pytest.mark.parametrize(
    ("service", "thing"),
    [("lambda.amazonaws.com", FUNCTION), ("states.amazonaws.com", MACHINE), ("glue.amazonaws.com", JOB)],
)
def test_what_runs_as_a_role_reaches_what_the_role_does(service: str, thing: str) -> None:
    found = assessed_files({"main.tf": MAIN.replace("SERVICE", service) + thing})
    triples = list(Reach(States(found.graph)).triples())
    rows = {(one.principal.rpartition(":")[2].rpartition("/")[2], one.action, one.resource) for one in triples}
    assert {("thing", "read", "arn:aws:s3:::weights"), ("r", "read", "arn:aws:s3:::weights")} <= rows
    assert not any(one.principal == one.resource for one in triples)
