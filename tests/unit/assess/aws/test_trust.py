"""Denials in trust policies."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

DENIED = """
resource "aws_iam_role" "ci" {{
  name = "ci"
  assume_role_policy = jsonencode({{ Statement = [
    {{
      Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity"
      Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }}
      Condition = {{ StringLike = {{ "token.actions.githubusercontent.com:sub" = "{allowed}" }} }}
    }},
    {{
      Effect = "Deny", Action = "{action}", Principal = {principal}
      Condition = {{ {operator} = {{ "token.actions.githubusercontent.com:sub" = "{denied}" }} }}
    }}
  ] }})
}}
"""


@pytest.mark.parametrize(
    ("allowed", "operator", "denied", "state"),
    [
        ("repo:o/r:ref:refs/heads/main", "StringLike", "repo:o/*", None),
        ("repo:o/r:ref:refs/heads/main", "StringLike", "repo:p/*", State.YES),
        ("repo:o/r:ref:refs/heads/main", "StringNotLike", "repo:o/r:*", State.YES),
        ("repo:o/r:ref:refs/heads/main", "StringNotEquals", "repo:o/r:environment:prod", None),
        ("repo:o/*", "StringNotLike", "repo:o/r:*", State.UNKNOWN),
        ("repo:o/*", "StringLike", "repo:o/r:*", State.UNKNOWN),
    ],
)
@pytest.mark.parametrize(
    ("action", "principal"), [("sts:AssumeRoleWithWebIdentity", '"*"'), ("sts:*", '{ AWS = "*" }')]
)
def test_a_denial_in_a_trust_policy_ends_what_it_allows(
    allowed: str, operator: str, denied: str, state: State | None, action: str, principal: str
) -> None:
    text = DENIED.format(allowed=allowed, operator=operator, denied=denied, action=action, principal=principal)
    found = assessed_files({"main.tf": text})
    states = [one.state for one in found.graph.edges if one.relation == "federates"]
    assert states == ([state] if state else [])
    assert all(one.decides for one in found.graph.edges if one.state is State.UNKNOWN)


def test_a_denial_of_one_service_account_is_about_that_one() -> None:
    issuer = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
    role = f"""
        resource "aws_iam_role" "r" {{
          name = "r"
          assume_role_policy = jsonencode({{ Statement = [
            {{
              Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity"
              Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/{issuer}" }}
              Condition = {{ StringLike = {{ "{issuer}:sub" = "system:serviceaccount:ml:*" }} }}
            }},
            {{
              Effect = "Deny", Action = "sts:AssumeRoleWithWebIdentity", Principal = "*"
              Condition = {{ StringEquals = {{ "{issuer}:sub" = "system:serviceaccount:ml:web" }} }}
            }}
          ] }})
        }}
        """
    accounts = "".join(
        f"---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}, namespace: ml}}\n"
        for name in ("web", "train")
    )
    found = assessed_files({"main.tf": role, "k.yaml": accounts})
    sources = {one.source for one in found.graph.edges if one.relation == "federates"}
    assert "k8s:ml/serviceaccount/train" in sources
    assert "k8s:ml/serviceaccount/web" not in sources


@pytest.mark.parametrize(
    ("principal", "state"),
    [
        ('{ AWS = "arn:aws:iam::000000000000:user/u" }', State.YES),
        ('"*"', State.YES),
        ('{ AWS = "arn:aws:iam::000000000000:root" }', None),
        ("{ AWS = data.aws_caller_identity.current.arn }", None),
        ("{ AWS = var.who }", None),
    ],
)
def test_who_needs_no_policy_of_its_own_is_named(principal: str, state: State | None) -> None:
    text = f"""
        resource "aws_iam_user" "u" {{
          name = "u"
        }}
        resource "aws_iam_role" "r" {{
          name = "r"
          assume_role_policy = jsonencode({{ Statement = [
            {{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {principal} }}
          ] }})
        }}
        """
    found = assessed_files({"main.tf": text})
    states = [one.state for one in found.graph.edges if one.relation == "assumes" and one.source.endswith(":user/u")]
    assert states == ([state] if state else [])


@pytest.mark.parametrize(
    ("url", "named"),
    [
        (
            "aws_eks_cluster.c.identity[0].oidc[0].issuer",
            'replace(aws_iam_openid_connect_provider.p.url, "https://", "")',
        ),
        ("data.aws_eks_cluster.c.identity.0.oidc.0.issuer", "aws_iam_openid_connect_provider.p.url"),
        ("var.issuer", 'replace(aws_iam_openid_connect_provider.p.url, "https://", "")'),
        ("var.issuer", 'trimprefix(var.issuer, "https://")'),
        ('"https://vault.example.org"', "aws_iam_openid_connect_provider.p.url"),
    ],
)
def test_the_subject_that_is_asked_for_is_found_however_the_issuer_is_named(url: str, named: str) -> None:
    role = f"""
        variable "issuer" {{}}
        data "aws_eks_cluster" "c" {{ name = "c" }}
        resource "aws_eks_cluster" "c" {{ name = "c" }}
        resource "aws_iam_openid_connect_provider" "p" {{ url = {url} }}
        resource "aws_iam_role" "r" {{
          name = "r"
          assume_role_policy = jsonencode({{ Statement = [{{
            Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity"
            Principal = {{ Federated = aws_iam_openid_connect_provider.p.arn }}
            Condition = {{ StringEquals = {{ "${{{named}}}:sub" = "system:serviceaccount:ml:trainer" }} }}
          }}] }})
        }}
    """
    found = assessed_files({"main.tf": role})
    subjects = [one.source for one in found.graph.edges if one.relation == "federates"]
    assert [one.rpartition("system:")[2] for one in subjects] == ["serviceaccount:ml:trainer"]
    assert not [one for one in found.findings if one.rule == "aws-federation-subject"]


@pytest.mark.parametrize(
    ("key", "value", "subject"),
    [
        ("sub", '"107517467455664443766"', "107517467455664443766"),
        ("aud", '"107517467455664443766"', "107517467455664443766"),
        ("aud", "google_service_account.s.unique_id", "<google_service_account.s.unique_id>"),
        ("aud", '"app.apps.googleusercontent.com"', "*"),
    ],
)
def test_a_service_account_of_google_is_named_by_subject_or_audience(key: str, value: str, subject: str) -> None:
    role = f"""
        resource "google_service_account" "s" {{ account_id = "s" }}
        resource "aws_iam_role" "r" {{
          name = "r"
          assume_role_policy = jsonencode({{ Statement = [{{
            Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity"
            Principal = {{ Federated = "accounts.google.com" }}
            Condition = {{ StringEquals = {{ "accounts.google.com:{key}" = {value}, "accounts.google.com:oaud" = "x" }} }}
          }}] }})
        }}
    """
    found = assessed_files({"main.tf": role})
    edges = [one for one in found.graph.edges if (one.relation, one.target[-6:]) == ("federates", "role/r")]
    drawn = [(one.source, one.state) for one in edges]
    assert drawn == [(f"oidc:accounts.google.com:{subject}", State.YES)]


@pytest.mark.parametrize(
    ("conditions", "subject", "state"),
    [
        ('repository" = "acme/ml"', "repo:acme/ml:*", State.YES),
        (
            'repository" = "acme/ml", "ISSUER:sub" = "repo:*:environment:prod"',
            "repo:acme/ml:environment:prod",
            State.YES,
        ),
        ('repository" = "acme/*", "ISSUER:sub" = "repo:acme/ml:*"', "repo:acme/ml:*", State.YES),
        ('repository" = "acme/ml", "ISSUER:sub" = "repo:acme*"', "repo:acme/ml:*", State.YES),
        ('repository" = ["acme/ml"], "ISSUER:ref" = "refs/heads/main"', "repo:acme/ml:*", State.UNKNOWN),
    ],
)
def test_a_repository_that_is_asked_for_is_nobody_elses(conditions: str, subject: str, state: State) -> None:
    role = f"""
        resource "aws_iam_role" "r" {{
          name = "r"
          assume_role_policy = jsonencode({{ Statement = [{{
            Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity"
            Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/ISSUER" }}
            Condition = {{ StringLike = {{ "ISSUER:{conditions} }} }}
          }}] }})
        }}
    """
    found = assessed_files({"main.tf": role.replace("ISSUER", "token.actions.githubusercontent.com")})
    drawn = [(one.source, one.state) for one in found.graph.edges if one.relation == "federates"]
    assert drawn == [(f"oidc:token.actions.githubusercontent.com:{subject}", state)]
    assert not any("entry" in found.graph.nodes[one].props for one, _ in drawn)
