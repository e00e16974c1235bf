"""Actions of services that came lately: what they give, and how they make one principal another."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files

ACCOUNT = "111122223333"
ONE = f"arn:aws:iam::{ACCOUNT}:role/one"


def role(name: str, service: str, actions: list[str], resource: str = "*") -> dict[str, object]:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}
    policy = {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]}
    return {
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "RoleName": name,
        "AssumeRolePolicyDocument": trust,
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": policy}] if actions else [],
    }


def relations(actions: list[str], service: str, **more: object) -> set[tuple[str, str]]:
    roles = [role("one", "ec2.amazonaws.com", actions), role("other", service, [])]
    files = {"details.json": json.dumps({"RoleDetailList": roles})}
    files |= {f"{name}.json": json.dumps(value) for name, value in more.items()}
    found = assessed_files(files)
    return {(one.relation, one.target.rpartition("/")[2]) for one in found.graph.edges if one.source == ONE}


@pytest.mark.parametrize(
    ("actions", "service"),
    [
        (["lambda:CreateFunction", "lambda:PutResourcePolicy"], "lambda.amazonaws.com"),
        (["lambda:RunMicrovm", "lambda:CreateMicrovmImage"], "lambda.amazonaws.com"),
        (["lambda:RunMicrovm", "lambda:CreateMicrovmShellAuthToken"], "lambda.amazonaws.com"),
        (
            ["bedrock-agentcore:CreateAgentRuntime", "bedrock-agentcore:InvokeAgentRuntime"],
            "bedrock-agentcore.amazonaws.com",
        ),
        (["bedrock-agentcore:CreateHarness", "bedrock-agentcore:InvokeHarness"], "bedrock-agentcore.amazonaws.com"),
        (["ecs:RegisterDaemonTaskDefinition", "ecs:CreateDaemon"], "ecs-tasks.amazonaws.com"),
        (["emr-serverless:CreateApplication", "emr-serverless:StartJobRun"], "emr-serverless.amazonaws.com"),
    ],
)
def test_a_role_is_passed_to_what_came_lately(actions: list[str], service: str) -> None:
    assert ("passes-role", "other") in relations(["iam:PassRole", *actions], service)
    assert ("passes-role", "other") not in relations(["iam:PassRole", actions[0]], service)
    assert ("passes-role", "other") not in relations(["iam:PassRole", *actions], "glue.amazonaws.com")


def test_commands_in_the_runtime_of_an_agent() -> None:
    runtime = {
        "agentRuntimeArn": f"arn:aws:bedrock-agentcore:us-east-1:{ACCOUNT}:runtime/helper",
        "agentRuntimeName": "helper",
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/other",
    }
    service = "bedrock-agentcore.amazonaws.com"
    found = relations(["bedrock-agentcore:InvokeAgentRuntimeCommandShell"], service, runtime=runtime)
    assert ("takes-over", "helper") in found
    assert ("takes-over", "helper") not in relations(["bedrock-agentcore:Get*"], service, runtime=runtime)


TERRAFORM = """
resource "aws_s3tables_table_bucket" "lake" {
  name = "lake"
}
resource "aws_s3tables_table" "events" {
  name             = "events"
  namespace        = "ml"
  table_bucket_arn = aws_s3tables_table_bucket.lake.arn
}
resource "aws_s3vectors_vector_bucket" "docs" {
  vector_bucket_name = "docs"
}
resource "aws_s3vectors_index" "docs" {
  vector_bucket_name = aws_s3vectors_vector_bucket.docs.vector_bucket_name
  index_name         = "all"
}
resource "aws_bedrockagentcore_agent_runtime" "helper" {
  agent_runtime_name = "helper"
  role_arn           = aws_iam_role.t.arn
}
resource "aws_iam_role" "t" {
  name               = "t"
  assume_role_policy = jsonencode({ Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "bedrock-agentcore.amazonaws.com" } }
  ] })
}
resource "aws_iam_role_policy" "t" {
  role   = aws_iam_role.t.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "s3tables:GetTableData", Resource = "${aws_s3tables_table_bucket.lake.arn}/table/*" },
    { Effect = "Allow", Action = "s3vectors:Query*", Resource = "*" },
    { Effect = "Allow", Action = "s3vectors:PutVectorBucketPolicy", Resource = "*" },
  ] })
}
"""


def test_tables_and_vectors_of_s3_are_data() -> None:
    found = assessed_files({"main.tf": TERRAFORM})
    ours = {(one.relation, one.target.split(":", 5)[2] + ":" + one.target.split(":", 5)[5])
            for one in found.graph.edges if one.source == "arn:aws:iam::000000000000:role/t"}  # fmt: skip
    assert ours == {
        ("reads", "s3tables:bucket/lake/table/events"),
        ("reads", "s3vectors:bucket/docs/index/all"),
        ("permissions", "s3vectors:bucket/docs"),
    }
    runs = {(one.source, one.target) for one in found.graph.edges if one.relation == "runs-as"}
    arn = "arn:aws:bedrock-agentcore:us-east-1:000000000000:runtime/helper"
    assert (arn, "arn:aws:iam::000000000000:role/t") in runs


@pytest.mark.parametrize(
    ("actions", "audience", "relation"),
    [
        (["iam:UpdateSAMLProvider"], "https://signin.aws.amazon.com/saml", "resets"),
        (["iam:UpdateSAMLProvider"], "https://elsewhere.example/saml", None),
        (["iam:GetSAMLProvider"], "https://signin.aws.amazon.com/saml", None),
    ],
)
def test_who_replaces_the_metadata_of_a_provider_signs_for_its_roles(
    actions: list[str], audience: str, relation: str | None
) -> None:
    text = f"""
provider "aws" {{
  allowed_account_ids = ["{ACCOUNT}"]
}}
resource "aws_iam_saml_provider" "corp" {{
  name                   = "corp"
  saml_metadata_document = "<x/>"
}}
resource "aws_iam_role" "staff" {{
  name               = "staff"
  assume_role_policy = jsonencode({{ Statement = [
    {{ Effect = "Allow", Action = "sts:AssumeRoleWithSAML", Principal = {{ Federated = aws_iam_saml_provider.corp.arn }},
      Condition = {{ StringEquals = {{ "SAML:aud" = "{audience}" }} }} }}
  ] }})
}}
"""
    details = json.dumps({"RoleDetailList": [role("one", "ec2.amazonaws.com", actions)]})
    edges = assessed_files({"details.json": details, "main.tf": text}).graph.edges
    found = {one.relation for one in edges if one.source == ONE and one.target.endswith("role/staff")}
    assert found == ({relation} if relation else set())
