"""What resource control policies are about, and what they and keys leave to who may change a resource's policy."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.aws import actions
from assaymark.core.graph import State

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
BUCKET = "arn:aws:s3:::weights"
ADMINISTRATOR = f"aws:{ACCOUNT}:administrator"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"
FULL = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


def deny(actions: Any, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": actions, "Resource": resource, **more}


def estate(allowed: list[Any], *denied: dict[str, Any], kind: str = "RESOURCE", extra: str = "") -> dict[str, str]:
    policy = {"Statement": [{"Effect": "Allow", "Action": allowed, "Resource": "*"}]}
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    role = {
        "Arn": ROLE,
        "RoleName": "r",
        "AssumeRolePolicyDocument": trust,
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": policy}],
    }
    files = {
        "details.json": json.dumps({"RoleDetailList": [role]}),
        "buckets.json": json.dumps({"Buckets": [{"Name": "weights"}]}),
    }
    if extra:
        files["main.tf"] = extra
    if denied:
        content = json.dumps({"Version": "2012-10-17", "Statement": [FULL, *denied]})
        summary = {"Type": f"{kind}_CONTROL_POLICY", "Name": "limits"}
        files["control.json"] = json.dumps({"PolicySummary": summary, "Content": content, "Targets": [ACCOUNT]})
    return files


def held(files: dict[str, str], source: str = ROLE, target: str = BUCKET) -> dict[str, State]:
    edges = assessed_files(files).graph.edges
    return {one.relation: one.state for one in edges if (one.source, one.target) == (source, target)}


def test_which_services_they_are_about() -> None:
    covered = {
        name: actions.is_under_rcp(name) for name in ("s3:GetObject", "sts:AssumeRole", "KMS:Decrypt", "sqs:X")
    }
    assert set(covered.values()) == {True}
    for name in (
        "ec2:RunInstances",
        "iam:PassRole",
        "lambda:InvokeFunction",
        "kms:RetireGrant",
        "sagemaker:InvokeEndpoint",
    ):
        assert not actions.is_under_rcp(name)
        assert not actions.under_rcp() & actions.bit(name)
    assert actions.under_rcp() & actions.bit("secretsmanager:GetSecretValue")


def test_a_denial_is_nothing_to_a_service_that_it_does_not_cover() -> None:
    function = 'resource "aws_lambda_function" "f" {\n  function_name = "f"\n}\n'
    provider = f'provider "aws" {{\n  allowed_account_ids = ["{ACCOUNT}"]\n}}\n'
    files = estate(["lambda:InvokeFunction", "s3:GetObject"], deny("*"), extra=provider + function)
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
    assert held(files, target=arn) == {"invokes": State.YES}
    assert held(files) == {}


@pytest.mark.parametrize("kind", ["RESOURCE", "SERVICE"])
def test_who_may_change_the_policy_has_it_all_without_a_denial_to_strangers(kind: str) -> None:
    assert held(estate(["s3:PutBucketPolicy"])) == {"permissions": State.YES}
    denied = deny("s3:DeleteBucket" if kind == "RESOURCE" else "s3:GetObject")
    assert held(estate(["s3:PutBucketPolicy"], denied, kind=kind)) == {"permissions": State.YES}


def test_what_is_denied_to_everyone_no_policy_of_the_bucket_allows() -> None:
    files = estate(["s3:PutBucketPolicy"], deny("s3:GetObject*"))
    assert held(files) == {"governs": State.YES, "writes": State.YES, "deletes": State.YES}
    files = estate(["s3:PutBucketPolicy"], deny(["s3:*Object*", "s3:Replicate*", "s3:PutLifecycleConfiguration"]))
    assert held(files) == {"governs": State.YES}
    assert held(files, ADMINISTRATOR) == {"governs": State.YES}
    reach = {(one.action, one.state) for one in assessed_files(files).reach.triples() if one.resource == BUCKET}
    assert reach == {("permissions", State.YES)}


def test_a_denial_with_conditions_leaves_those_whom_it_lets_in() -> None:
    others = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-own"}}
    files = estate(["s3:PutBucketPolicy"], deny("s3:*", Condition=others))
    assert held(files)["reads"] is State.UNKNOWN  # whether the role is of that organisation nobody says
    one = {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}
    files = estate(["s3:PutBucketPolicy"], deny("s3:GetObject*", Condition=one))
    assert held(files) == {"permissions": State.YES}
    another = {"ArnNotEquals": {"aws:PrincipalArn": ROLE.replace("/r", "/other")}}
    files = estate(["s3:PutBucketPolicy"], deny("s3:GetObject*", Condition=another))
    edges = assessed_files(files).graph.edges
    reads = next(one for one in edges if (one.source, one.relation) == (ROLE, "reads"))
    assert reads.state is State.UNKNOWN
    assert "whom the organisation's resource control policies let in" in reads.decides[0]


def test_a_service_control_policy_keeps_administrators_out_who_cannot_change_the_policy() -> None:
    files = estate(["s3:GetObject"], deny("s3:*"), kind="SERVICE")
    assert held(files, ADMINISTRATOR) == {}
    files = estate(["s3:GetObject"], deny("s3:GetObject*"), kind="SERVICE")
    assert held(files, ADMINISTRATOR) == {"administers": State.YES}  # it lets a stranger in
    files = estate(
        ["s3:GetObject"], deny(["s3:GetObject*", "s3:*Policy", "s3:*Acl", "s3:*PublicAccessBlock"]), kind="SERVICE"
    )
    assert "reads" not in held(files, ADMINISTRATOR)


ENCRYPTED = f"""
provider "aws" {{
  allowed_account_ids = ["{ACCOUNT}"]
}}
resource "aws_kms_key" "k" {{
}}
resource "aws_s3_bucket" "weights" {{
  bucket = "weights"
}}
resource "aws_s3_bucket_server_side_encryption_configuration" "weights" {{
  bucket = aws_s3_bucket.weights.id
  rule {{
    apply_server_side_encryption_by_default {{
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.k.arn
    }}
  }}
}}
"""


def test_what_is_encrypted_is_not_read_by_changing_the_policy_alone() -> None:
    found = held(estate(["s3:PutBucketPolicy"], extra=ENCRYPTED))
    assert found == {"governs": State.YES, "reads": State.UNKNOWN, "writes": State.YES, "deletes": State.YES}
    assert held(estate(["s3:PutBucketPolicy", "kms:Decrypt"], extra=ENCRYPTED)) == {"permissions": State.YES}
    assert held(estate(["s3:PutBucketPolicy", "kms:PutKeyPolicy"], extra=ENCRYPTED)) == {"permissions": State.YES}
    assert held(estate(["s3:GetObject", "kms:CreateGrant"], extra=ENCRYPTED)) == {"reads": State.YES}
    assert held(estate(["s3:GetObject"], extra=ENCRYPTED)) == {}
    assert held(estate(["s3:GetObject"], extra=ENCRYPTED), ADMINISTRATOR) == {"administers": State.YES}


PUBLIC = f"""
provider "aws" {{
  allowed_account_ids = ["{ACCOUNT}"]
}}
"""
PUBLIC += """
resource "aws_s3_bucket" "weights" {
  bucket = "weights"
}
resource "aws_s3_bucket_public_access_block" "weights" {
  bucket             = aws_s3_bucket.weights.id
  block_public_acls  = false
  ignore_public_acls = false
}
resource "aws_s3_bucket_ownership_controls" "weights" {
  bucket = aws_s3_bucket.weights.id
  rule {
    object_ownership = "ObjectWriter"
  }
}
resource "aws_s3_bucket_acl" "weights" {
  bucket = aws_s3_bucket.weights.id
  acl    = "public-read-write"
}
"""
OWN_DENIAL = """
resource "aws_s3_bucket_policy" "weights" {
  bucket = aws_s3_bucket.weights.id
  policy = jsonencode({ Statement = [
    { Effect = "Deny", Principal = "*", Action = "s3:PutObject*", Resource = "arn:aws:s3:::weights/*" }
  ] })
}
"""


def test_a_list_of_a_bucket_gives_nothing_that_is_denied() -> None:
    assert set(held(estate([], extra=PUBLIC), "internet")) == {"reads", "writes", "deletes"}
    assert set(held(estate([], deny("s3:GetObject*"), extra=PUBLIC), "internet")) == {"writes", "deletes"}
    assert "reads" in held(estate([], deny("s3:GetObject*"), kind="SERVICE", extra=PUBLIC), "internet")
    assert held(estate([], deny("s3:*"), extra=PUBLIC), "internet") == {}
    denied = ["s3:PutObject*", "s3:Replicate*"]
    assert "writes" not in held(estate([], deny(denied), extra=PUBLIC), "internet")


def test_another_account_that_may_change_the_policy_gets_what_is_not_denied_to_all() -> None:
    other = "444455556666"
    policy = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": other}, "Action": "s3:PutBucketPolicy", "Resource": BUCKET}]}  # fmt: skip
    files = {**estate([]), "policy.json": json.dumps(policy)}
    assert held(files, f"aws:outside:arn:aws:iam::{other}:root") == {"permissions": State.YES}
    files = {**estate([], deny("s3:GetObject*")), "policy.json": json.dumps(policy)}
    assert held(files, f"aws:outside:arn:aws:iam::{other}:root") == {
        "governs": State.YES,
        "writes": State.YES,
        "deletes": State.YES,
    }
