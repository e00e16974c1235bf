"""Conditions of CloudFormation's templates, and what hangs on them."""

from __future__ import annotations

import pytest
from tests.support.architectures import assessed

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Stage: {Type: String, Default: prod}
  Name: {Type: String, Default: ""}
  Open: {Type: String}
  Image: {Type: "AWS::SSM::Parameter::Value<String>", Default: /the/name}
  Zones: {Type: CommaDelimitedList, Default: "a, b"}
Conditions:
  Prod: !Equals [!Ref Stage, prod]
  Asked: CONDITION
  Circle: !Not [!Condition Asked]
Resources:
  It:
    Type: AWS::S3::Bucket
    Condition: Asked
    Properties: {BucketName: it}
"""


@pytest.mark.parametrize(
    ("condition", "made"),
    [
        ("!Equals [!Ref Stage, prod]", True),
        ("!Equals [!Ref Stage, dev]", False),
        ('!Not [!Equals [!Ref Name, ""]]', False),
        ('!And [!Condition Prod, !Not [!Equals [!Ref Name, ""]]]', False),
        ('!Or [!Condition Prod, !Not [!Equals [!Ref Name, ""]]]', True),
        ("!And [!Not [!Condition Prod], !Equals [!Ref Open, x]]", False),
        ("!Equals [!Ref Open, x]", True),
        ("!Equals [!Ref Image, x]", True),
        ("!Equals [!Ref 'AWS::Region', eu-west-1]", True),
        ("!Equals [!Select [1, !Ref Zones], b]", True),
        ("!Equals [!Select [1, !Split ['-', a-b]], c]", False),
        ("!Condition Circle", True),
        ("nonsense", True),
    ],
)
def test_what_a_condition_leaves_out_is_not_made_and_what_it_leaves_open_is(condition: str, made: bool) -> None:
    found = assessed(a_yaml=TEMPLATE.replace("CONDITION", condition))
    assert ("arn:aws:s3:::it" in {*found.graph.nodes}) is made
    assert ("with the defaults of its parameters a.yaml does not make It" in found.reading.gaps) is not made
