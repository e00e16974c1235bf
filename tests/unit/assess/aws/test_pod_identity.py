"""Trust in EKS Pod Identity that speaks of the tags that EKS gives sessions."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

TEXT = """
provider "aws" {{
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]
}}
resource "aws_eks_pod_identity_association" "a" {{
  cluster_name         = "prod"
  namespace            = "ml"
  service_account      = "trainer"
  role_arn             = aws_iam_role.r.arn
  disable_session_tags = {tagless}
}}
resource "aws_iam_role" "r" {{
  name = "r"
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{
    Effect = "Allow", Action = ["sts:AssumeRole", "sts:TagSession"], Principal = {{ Service = "pods.eks.amazonaws.com" }}
    Condition = {{ StringEquals = {{ "{key}" = "{value}" }} }}
  }}] }})
}}
"""


@pytest.mark.parametrize(
    ("key", "value", "tagless", "state"),
    [
        ("aws:RequestTag/kubernetes-namespace", "ml", "false", State.YES),
        ("aws:RequestTag/kubernetes-namespace", "web", "false", None),
        ("aws:RequestTag/kubernetes-namespace", "ml", "true", None),
        ("aws:RequestTag/kubernetes-service-account", "trainer", "false", State.YES),
        ("aws:RequestTag/eks-cluster-name", "dev", "false", None),
        ("aws:RequestTag/kubernetes-pod-name", "train-0", "false", State.UNKNOWN),
        ("aws:SourceAccount", "111122223333", "false", State.YES),
        ("aws:SourceArn", "arn:aws:eks:eu-west-1:111122223333:cluster/prod", "false", State.YES),
        ("aws:SourceArn", "arn:aws:eks:eu-west-1:111122223333:cluster/dev", "false", None),
    ],
)
def test_the_condition_of_a_trust_is_held_against_the_association(
    key: str, value: str, tagless: str, state: State | None
) -> None:
    found = assessed_files({"main.tf": TEXT.format(key=key, value=value, tagless=tagless)})
    states = [one.state for one in found.graph.edges if one.relation == "federates"]
    assert states == ([state] if state else [])
