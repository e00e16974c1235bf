"""Trust policies: subjects, audiences, and who guards a role that another account may assume.

The subjects are those of GitHub's, GitLab's and HashiCorp's documentation of their tokens.
"""

from __future__ import annotations

import json

import pytest
from tests.support.architectures import assessed, findings

from assaymark.core.report import Confidence, Severity

GITHUB = "token.actions.githubusercontent.com"


def role(statement: dict[str, object]) -> str:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    return json.dumps(
        {
            "Role": {
                "RoleName": "deploy",
                "Arn": "arn:aws:iam::111122223333:role/deploy",
                "AssumeRolePolicyDocument": document,
            }
        }
    )


def federated(issuer: str, condition: dict[str, object]) -> str:
    provider = issuer if "cognito" in issuer else f"arn:aws:iam::111122223333:oidc-provider/{issuer}"
    return role(
        {"Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": provider}, "Condition": condition}
    )


def subject(issuer: str, value: str, operator: str = "StringLike") -> list[Severity]:
    condition = {operator: {f"{issuer}:sub": value}, "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}}
    if operator == "StringEquals":
        condition = {operator: {f"{issuer}:sub": value, f"{issuer}:aud": "sts.amazonaws.com"}}
    found = findings(assessed(a_json=federated(issuer, condition)), "aws-federation-subject")
    return [finding.severity for finding in found]


@pytest.mark.parametrize(
    ("value", "severities"),
    [
        ("repo:acme/models:ref:refs/heads/main", []),
        ("repo:acme/models:*", []),
        ("repo:acme/models:environment:production", []),
        ("repo:acme/model-*:ref:refs/heads/main", []),
        ("repo:acme/*", [Severity.MEDIUM]),
        ("repo:acme/*:ref:refs/heads/main", [Severity.MEDIUM]),
        ("repo:acme*/models:*", [Severity.HIGH]),
        ("repo:*", [Severity.HIGH]),
        ("repo:*:ref:refs/heads/main", [Severity.HIGH]),
        ("*:environment:production", [Severity.HIGH]),
        ("*", [Severity.HIGH]),
    ],
)
def test_subjects_of_github(value: str, severities: list[Severity]) -> None:
    assert subject(GITHUB, value) == severities


def test_a_wildcard_in_an_exact_comparison_is_a_letter() -> None:
    assert subject(GITHUB, "repo:acme/*", "StringEquals") == []


@pytest.mark.parametrize(
    ("issuer", "value", "severities"),
    [
        ("gitlab.com", "project_path:acme/models:ref_type:branch:ref:main", []),
        ("gitlab.com", "project_path:acme/*:ref_type:branch:ref:main", []),
        ("gitlab.com", "project_path:*:ref_type:branch:ref:main", [Severity.HIGH]),
        ("app.terraform.io", "organization:acme:project:ml:workspace:*:run_phase:*", []),
        ("app.terraform.io", "organization:*:project:ml:workspace:prod:run_phase:apply", [Severity.HIGH]),
        ("oidc.eks.eu-central-1.amazonaws.com/id/A", "system:serviceaccount:serving:*", []),
        ("oidc.eks.eu-central-1.amazonaws.com/id/A", "system:serviceaccount:*:*", [Severity.MEDIUM]),
        ("oidc.circleci.com/org/11111111", "*", [Severity.MEDIUM]),
    ],
)
def test_subjects_of_other_issuers(issuer: str, value: str, severities: list[Severity]) -> None:
    assert subject(issuer, value) == severities


def test_another_claim_that_names_the_owner_is_enough() -> None:
    condition = {"StringEquals": {f"{GITHUB}:repository_owner_id": "1234", f"{GITHUB}:aud": "sts.amazonaws.com"}}
    assert not findings(assessed(a_json=federated(GITHUB, condition)), "aws-federation-subject")


def test_a_role_for_any_identity_pool() -> None:
    condition = {"ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "unauthenticated"}}
    assessment = assessed(a_json=federated("cognito-identity.amazonaws.com", condition))
    assert [one.severity for one in findings(assessment, "aws-federation-audience")] == [Severity.HIGH]
    assert not findings(assessment, "aws-federation-subject")


def other(condition: dict[str, object] | None = None, principal: str = "arn:aws:iam::444455556666:root") -> str:
    return role({"Action": "sts:AssumeRole", "Principal": {"AWS": principal}, "Condition": condition or {}})


@pytest.mark.parametrize(
    ("condition", "guarded"),
    [
        ({"StringEquals": {"sts:ExternalId": "a1"}}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, True),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, True),
        ({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, False),
        ({"StringLike": {"sts:ExternalId": "*"}}, False),
        ({"StringNotEquals": {"sts:ExternalId": "a1"}}, False),
        ({"Null": {"sts:ExternalId": "false"}}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, False),
        ({"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}, False),
    ],
)
def test_what_guards_a_role_from_the_confused_deputy(condition: dict[str, object], guarded: bool) -> None:
    assert bool(findings(assessed(a_json=other(condition)), "aws-trust-external")) is not guarded


def test_one_role_of_another_account_is_less_than_all() -> None:
    principal = "arn:aws:iam::444455556666:role/pipeline"
    assert [one.severity for one in findings(assessed(a_json=other(principal=principal)), "aws-trust-external")] == [
        Severity.LOW
    ]


def test_what_may_be_ones_own_account_is_said_with_doubt() -> None:
    assessment = assessed(
        main_tf="""
        resource "aws_iam_role" "worker" {
          name = "worker"
          assume_role_policy = jsonencode({
            Version = "2012-10-17"
            Statement = [{
              Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::444455556666:root" }
            }]
          })
        }
        """
    )
    (finding,) = findings(assessment, "aws-trust-external")
    assert finding.confidence is Confidence.LOW
    assert "unless that is its own account" in finding.message


def test_a_statement_that_only_tags_sessions_gives_nobody_the_role() -> None:
    statement = {"Action": "sts:TagSession", "Principal": {"AWS": "*"}}
    assert not findings(assessed(a_json=role(statement)), "aws-trust-anyone")
