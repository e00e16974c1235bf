"""VPC endpoints: who goes through them, what their policies let through, and conditions that ask for them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.aws.endpoints import service_of
from assaymark.core.graph import State

TERRAFORM = """
resource "aws_vpc" "ml" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_subnet" "a" {
  vpc_id     = aws_vpc.ml.id
  cidr_block = "10.0.1.0/24"
}
resource "aws_route_table" "private" {
  vpc_id = aws_vpc.ml.id
}
resource "aws_route_table" "other" {
  vpc_id = aws_vpc.ml.id
}
resource "aws_route_table_association" "a" {
  subnet_id      = aws_subnet.a.id
  route_table_id = aws_route_table.TABLE.id
}
resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.ml.id
  service_name    = "com.amazonaws.eu-west-1.s3"
  route_table_ids = [aws_route_table.private.id]
  POLICY
}
resource "aws_s3_bucket" "weights" {
  bucket = "weights"
}
resource "aws_s3_bucket_policy" "weights" {
  bucket = aws_s3_bucket.weights.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Deny", Principal = "*", Action = "s3:*", Resource = ["arn:aws:s3:::weights", "arn:aws:s3:::weights/*"],
      Condition = { StringNotEquals = { CONDITION } } }
  ] })
}
resource "aws_iam_role" "t" {
  name               = "t"
  assume_role_policy = jsonencode({ Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }
  ] })
}
resource "aws_iam_role_policy" "t" {
  role   = aws_iam_role.t.id
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "*" }] })
}
resource "aws_lambda_function" "f" {
  function_name = "f"
  role          = aws_iam_role.t.arn
  NETWORK
}
"""
INSIDE = "vpc_config {\n    subnet_ids         = [aws_subnet.a.id]\n    security_group_ids = []\n  }"
ENDPOINT = '"aws:SourceVpce" = aws_vpc_endpoint.s3.id'


def states(
    policy: Any = None, *, condition: str = ENDPOINT, network: str = INSIDE, table: str = "private", more: str = ""
) -> dict[str, State]:
    text = TERRAFORM.replace("CONDITION", condition).replace("NETWORK", network).replace("TABLE", table)
    body = f"policy = jsonencode({{ Statement = {json.dumps(policy)} }})" if policy is not None else ""
    edges = assessed_files({"main.tf": text.replace("POLICY", body) + more}).graph.edges
    found = {
        one.relation: one.state for one in edges if one.source.endswith(":role/t") and one.target.endswith("weights")
    }
    return {name: found[name] for name in ("reads", "writes") if name in found}


def test_who_acts_as_a_workload_meets_a_condition_on_its_network() -> None:
    both = {"reads": State.YES, "writes": State.YES}
    assert states() == both
    assert states(condition='"aws:SourceVpc" = aws_vpc.ml.id') == both


@pytest.mark.parametrize(
    "more",
    [
        {"network": ""},
        {"table": "other"},
        {"condition": '"aws:SourceVpce" = "vpce-0123456789"'},
        {"condition": '"aws:SourceVpc" = "vpc-0123456789"'},
    ],
)
def test_else_it_hangs_on_the_way_of_the_request(more: dict[str, Any]) -> None:
    assert states(**more) == {"reads": State.UNKNOWN, "writes": State.UNKNOWN}


def statement(action: Any, effect: str = "Allow", principal: Any = "*") -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": "*"}


@pytest.mark.parametrize(
    ("policy", "reads", "writes"),
    [
        ([statement("*")], State.YES, State.YES),
        ([statement("s3:GetObject")], State.YES, State.UNKNOWN),
        ([statement("*"), statement("s3:GetObject", "Deny")], State.UNKNOWN, State.YES),
        ([statement("*", principal={"AWS": "arn:aws:iam::444455556666:role/x"})], State.UNKNOWN, State.UNKNOWN),
        ([statement("dynamodb:*")], State.UNKNOWN, State.UNKNOWN),
    ],
)
def test_what_the_policy_of_the_endpoint_lets_through(policy: Any, reads: State, writes: State) -> None:
    assert states(policy) == {"reads": reads, "writes": writes}


def test_an_endpoint_takes_nothing_away() -> None:
    found = states([statement("s3:GetBucketLocation")], condition='"aws:PrincipalType" = "AssumedRole"')
    assert found == {"reads": State.YES, "writes": State.YES}


def test_an_interface_answers_for_the_whole_network_under_the_names_of_the_service() -> None:
    interface = """
resource "aws_vpc_endpoint" "i" {
  vpc_id              = aws_vpc.ml.id
  service_name        = "com.amazonaws.eu-west-1.s3"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = %s
}
"""
    condition = '"aws:SourceVpce" = aws_vpc_endpoint.i.id'
    both = {"reads": State.YES, "writes": State.YES}
    assert states(condition=condition, table="other", more=interface % "true") == both
    assert set(states(condition=condition, table="other", more=interface % "false").values()) == {State.UNKNOWN}


def test_an_export_of_endpoints() -> None:
    arn = "arn:aws:iam::111122223333:role/t"
    allow = {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
    }
    trust = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ]
    }
    role = {"Arn": arn, "RoleName": "t", "AssumeRolePolicyDocument": trust,
            "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": [allow]}}]}  # fmt: skip
    key = "arn:aws:kms:eu-west-1:111122223333:key/k"
    function = {"FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:f", "FunctionName": "f", "Role": arn}
    endpoint = {"VpcEndpointId": "vpce-1", "VpcEndpointType": "Interface", "VpcId": "vpc-1", "PrivateDnsEnabled": True,
                "ServiceName": "com.amazonaws.eu-west-1.kms", "PolicyDocument": json.dumps({"Statement": [statement("*")]})}  # fmt: skip
    files = {
        "details.json": json.dumps({"RoleDetailList": [role]}),
        "key.json": json.dumps({"KeyMetadata": {"KeyId": "k", "Arn": key}}),
        "endpoints.json": json.dumps({"VpcEndpoints": [endpoint]}),
    }
    for vpc, state in (("vpc-1", State.YES), ("vpc-2", State.UNKNOWN)):
        function["VpcConfig"] = {"VpcId": vpc}  # type: ignore[assignment]
        found = assessed_files({**files, "functions.json": json.dumps({"Functions": [function]})})
        decrypts = [one.state for one in found.graph.edges if (one.source, one.relation) == (arn, "decrypts")]
        assert decrypts == [state]


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("com.amazonaws.eu-west-1.s3", "s3"),
        ("com.amazonaws.us-east-1.bedrock-runtime", "bedrock"),
        ("com.amazonaws.us-east-1.sagemaker.runtime", "sagemaker"),
        ("com.amazonaws.us-east-1.ecr.dkr", "ecr"),
        ("com.amazonaws.vpce.us-east-1.vpce-svc-1", ""),
        ("nothing", ""),
    ],
)
def test_which_actions_an_endpoint_is_for(name: str, prefix: str) -> None:
    assert service_of(name) == prefix
