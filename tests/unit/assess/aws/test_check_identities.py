"""Identities: whether somebody may is decided by all that applies, and what is narrowed is not reported."""

from __future__ import annotations

import json

import pytest
from tests.support.architectures import assessed, findings

from assaymark.core.report import Severity


def account(
    *statements: dict[str, object], arn: str = "arn:aws:iam::111122223333:role/worker", **more: object
) -> str:
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    role = {
        "RoleName": arn.rpartition("/")[2],
        "Arn": arn,
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": policy}],
        **more,
    }
    return json.dumps({"RoleDetailList": [role], "UserDetailList": [], "GroupDetailList": [], "Policies": []})


def allow(action: object, resource: object = "*", **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def test_a_condition_on_the_region_leaves_an_administrator_of_regions() -> None:
    condition = {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}
    found = findings(assessed(a_json=account(allow("*", Condition=condition))), "aws-administrator")
    assert [finding.severity for finding in found] == [Severity.MEDIUM]
    assert "in some regions" in found[0].message


@pytest.mark.parametrize(
    "key", ["aws:MultiFactorAuthPresent", "aws:PrincipalTag/team", "aws:SourceVpc", "aws:ResourceTag/team"]
)
def test_other_conditions_narrow(key: str) -> None:
    condition = {"StringEquals": {key: "x"}}
    assert not findings(assessed(a_json=account(allow("*", Condition=condition))), "aws-administrator")


def test_a_deny_of_all_but_reading_leaves_no_administrator() -> None:
    deny = {"Effect": "Deny", "NotAction": ["s3:GetObject"], "Resource": "*"}
    assert not findings(assessed(a_json=account(allow("*"), deny)), "aws-administrator")


def test_roles_that_aws_keeps_are_not_reported_and_those_of_people_less() -> None:
    linked = "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
    people = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1"
    assert not findings(assessed(a_json=account(allow("*"), arn=linked)), "aws-administrator")
    found = findings(assessed(a_json=account(allow("*"), arn=people)), "aws-administrator")
    assert [finding.severity for finding in found] == [Severity.MEDIUM]


def test_all_but_some_actions_is_an_administrator_of_the_rest() -> None:
    statement = {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}
    found = findings(assessed(a_json=account(statement)), "aws-administrator")
    assert [finding.severity for finding in found] == [Severity.MEDIUM]
    everything = {"Effect": "Allow", "NotAction": "*", "Resource": "*"}
    assert not findings(assessed(a_json=account(everything)), "aws-administrator")


@pytest.mark.parametrize(
    ("action", "resource", "wide"),
    [
        ("s3:*", "arn:aws:s3:::*", True),
        ("s3:*", "arn:aws:s3:::*/*", True),
        ("s3:*", "arn:aws:s3:::weights/*", False),
        ("s3:Get*", "*", False),
        ("kms:*", "arn:aws:kms:eu-central-1:111122223333:key/*", True),
        ("kms:*", "arn:aws:kms:*:*:alias/*", False),
        ("dynamodb:*", "arn:aws:dynamodb:*:*:table/*", True),
        ("secretsmanager:*", "arn:aws:secretsmanager:*:*:secret:*", True),
        ("secretsmanager:*", "arn:aws:secretsmanager:*:*:secret:training/*", False),
        ("cloudwatch:*", "*", False),
    ],
)
def test_which_patterns_mean_all_of_a_service(action: str, resource: str, wide: bool) -> None:
    assert bool(findings(assessed(a_json=account(allow(action, resource))), "aws-service-wildcard")) is wide


def test_all_of_iam_is_worse_and_said_once() -> None:
    assessment = assessed(a_json=account(allow("iam:*")))
    assert [finding.severity for finding in findings(assessment, "aws-service-wildcard")] == [Severity.HIGH]
    assert not findings(assessment, "aws-passrole-any")


@pytest.mark.parametrize(
    ("resource", "any_role"),
    [
        ("*", True),
        ("arn:aws:iam::*:role/*", True),
        ("arn:aws:iam::111122223333:role/*", True),
        ("arn:aws:iam::111122223333:role/service-role/*", False),
        ("arn:aws:iam::111122223333:user/*", False),
    ],
)
def test_which_patterns_mean_every_role(resource: str, any_role: bool) -> None:
    assert bool(findings(assessed(a_json=account(allow("iam:PassRole", resource))), "aws-passrole-any")) is any_role


def test_a_policy_that_a_module_attaches_is_judged_for_whoever_has_it() -> None:
    assessment = assessed(
        main_tf="""
        resource "aws_iam_policy" "all" {
          name   = "all"
          policy = jsonencode({
            Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }]
          })
        }
        module "irsa" {
          source           = "terraform-aws-modules/iam/aws//modules/iam-role-for-service-accounts-eks"
          role_policy_arns = { all = aws_iam_policy.all.arn }
        }
        """
    )
    assert len(findings(assessment, "aws-service-wildcard")) == 1
