"""What anybody with an AWS account can be: names and tags that conditions ask for."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

TEXT = """
resource "aws_sqs_queue" "q" {{ name = "q" }}
resource "aws_sqs_queue_policy" "q" {{
  queue_url = aws_sqs_queue.q.id
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{{
    Effect = "Allow", Principal = "*", Action = "sqs:ReceiveMessage", Resource = aws_sqs_queue.q.arn
    Condition = {condition}
  }}] }})
}}
"""


@pytest.mark.parametrize(
    ("condition", "state"),
    [
        ('{ StringLike = { "aws:PrincipalArn" = "arn:aws:iam::*:role/reader" } }', State.YES),
        ('{ ArnLike = { "aws:PrincipalArn" = "arn:aws:iam::*:user/*" } }', State.YES),
        ('{ StringEquals = { "aws:PrincipalTag/team" = "ml" } }', State.YES),
        ('{ StringLike = { "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/*" } }', None),
        ('{ StringEquals = { "aws:PrincipalTag/team" = "ml", "aws:PrincipalAccount" = "111122223333" } }', None),
        ('{ StringEquals = { "aws:PrincipalTag/team" = "ml", "aws:PrincipalOrgID" = "o-abcdefghij" } }', None),
        ('{ StringNotLike = { "aws:PrincipalArn" = "arn:aws:iam::*:role/reader" } }', State.YES),
    ],
)
def test_a_condition_that_leaves_the_account_open_keeps_nobody_out(condition: str, state: State | None) -> None:
    found = assessed_files({"main.tf": TEXT.format(condition=condition)})
    read = [one.state for one in found.graph.edges if one.relation == "reads" and one.target.endswith(":q")]
    assert read == ([state] if state else [])
