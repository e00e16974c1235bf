"""Buckets, keys, services and the network: what settings leave open, and what a template leaves unknown."""

from __future__ import annotations

import json

import pytest
from tests.support.architectures import assessed, findings

from assaymark.core.report import Confidence, Severity

BUCKET = """
resource "aws_s3_bucket" "b" {
  bucket = "weights"
}
"""


def policy(effect: str, condition: str = "{}", resource: str = "arn:aws:s3:::weights/*", action: str = "s3:*") -> str:
    return (
        BUCKET
        + f"""
resource "aws_s3_bucket_policy" "b" {{
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{
      Effect = "{effect}", Principal = "*", Action = "{action}", Resource = "{resource}", Condition = {condition}
    }}]
  }})
}}
"""
    )


@pytest.mark.parametrize(
    ("condition", "public"),
    [
        ("{}", True),
        ('{ Bool = { "aws:SecureTransport" = "true" } }', True),
        ('{ StringLike = { "aws:Referer" = "https://www.example/*" } }', True),
        ('{ StringEquals = { "aws:PrincipalOrgID" = "o-a1b2c3d4e5" } }', False),
        ('{ IpAddress = { "aws:SourceIp" = "192.0.2.0/24" } }', False),
        ('{ StringEquals = { "aws:SourceVpc" = "vpc-1" } }', False),
    ],
)
def test_conditions_that_whoever_asks_can_meet_do_not_narrow(condition: str, public: bool) -> None:
    assert bool(findings(assessed(main_tf=policy("Allow", condition)), "aws-bucket-public")) is public


@pytest.mark.parametrize(
    ("action", "resource", "words"),
    [
        ("s3:GetObject", "arn:aws:s3:::weights/public/*", "read objects of"),
        ("s3:PutObject", "arn:aws:s3:::weights/uploads/*", "write to"),
        ("s3:ListBucket", "arn:aws:s3:::weights", "list"),
    ],
)
def test_what_everyone_may_do_with_a_part_of_a_bucket(action: str, resource: str, words: str) -> None:
    (finding,) = findings(assessed(main_tf=policy("Allow", "{}", resource, action)), "aws-bucket-public")
    assert words in finding.message
    assert finding.confidence is Confidence.MEDIUM  # a new bucket blocks it unless the block is taken off


def test_acls_count_for_nothing_where_the_owner_is_enforced() -> None:
    text = (
        BUCKET
        + """
resource "aws_s3_bucket_ownership_controls" "b" {
  bucket = aws_s3_bucket.b.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}
resource "aws_s3_bucket_acl" "b" {
  bucket = aws_s3_bucket.b.id
  acl    = "public-read"
}
"""
    )
    assert not findings(assessed(main_tf=text), "aws-bucket-public")
    assert findings(assessed(main_tf=text.replace("Enforced", "Preferred")), "aws-bucket-public")


@pytest.mark.parametrize(
    ("condition", "action", "refused"),
    [
        ('{ Bool = { "aws:SecureTransport" = "false" } }', "s3:*", True),
        ('{ Bool = { "aws:SecureTransport" = false } }', "s3:*", True),
        ('{ BoolIfExists = { "aws:SecureTransport" = "false" } }', "s3:GetObject", True),
        ('{ Bool = { "aws:SecureTransport" = "true" } }', "s3:*", False),
        ('{ Bool = { "aws:SecureTransport" = "false" } }', "s3:PutBucketAcl", False),
    ],
)
def test_what_refuses_plain_http(condition: str, action: str, refused: bool) -> None:
    text = policy("Deny", condition, action=action)
    assert bool(findings(assessed(main_tf=text), "aws-bucket-plaintext")) is not refused


def test_a_bucket_of_an_export_says_nothing_of_its_settings() -> None:
    assessment = assessed(a_json=json.dumps({"Buckets": [{"Name": "weights", "CreationDate": "2026-01-01"}]}))
    assert assessment.estates.aws.resources
    assert not assessment.findings


@pytest.mark.parametrize(
    "setting", ["enable_key_rotation = var.x", 'origin = "EXTERNAL"', 'custom_key_store_id = "c"']
)
def test_keys_that_cannot_be_rotated_or_may_be(setting: str) -> None:
    text = f'variable "x" {{ }}\nresource "aws_kms_key" "k" {{\n  {setting}\n}}\n'
    assert not findings(assessed(main_tf=text), "aws-key-rotation")


@pytest.mark.parametrize(
    ("mode", "moves"),
    [("MUTABLE", True), ("IMMUTABLE", False), ("IMMUTABLE_WITH_EXCLUSION", False), ("MUTABLE_WITH_EXCLUSION", True)],
)
def test_modes_of_tags(mode: str, moves: bool) -> None:
    text = f'resource "aws_ecr_repository" "r" {{\n  name = "r"\n  image_tag_mutability = "{mode}"\n}}\n'
    assert bool(findings(assessed(main_tf=text), "aws-registry-mutable")) is moves


def test_steps_of_a_pipeline_are_jobs() -> None:
    step = {"ResourceConfig": {"InstanceCount": 4}, "EnableNetworkIsolation": True}
    text = json.dumps({"Version": "2020-12-01", "Steps": [{"Name": "fit", "Type": "Training", "Arguments": step}]})
    assessment = assessed(
        main_tf=f"""
        resource "aws_sagemaker_pipeline" "p" {{
          pipeline_name         = "p"
          pipeline_display_name = "p"
          pipeline_definition   = {json.dumps(text)}
        }}
        """
    )
    (finding,) = findings(assessment, "aws-sagemaker-plaintext")
    assert "step fit on 4 instances" in finding.message


def test_a_processing_job_says_its_network_apart() -> None:
    job = {
        "ProcessingJobName": "clean",
        "ProcessingJobArn": "arn:aws:sagemaker:eu-central-1:111122223333:processing-job/clean",
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 2}},
        "NetworkConfig": {"EnableInterContainerTrafficEncryption": True, "EnableNetworkIsolation": False},
    }
    (finding,) = findings(assessed(a_json=json.dumps(job)), "aws-sagemaker-plaintext")
    assert finding.severity is Severity.LOW


@pytest.mark.parametrize(
    ("first", "last", "protocol", "severity"),
    [
        (22, 22, "tcp", Severity.HIGH),
        (0, 65535, "tcp", Severity.HIGH),
        (8000, 8000, "tcp", Severity.MEDIUM),
        ('"8888"', '"8888"', "tcp", Severity.HIGH),
        (443, 443, "tcp", None),
        (80, 80, "tcp", None),
        (8, 0, "icmp", None),
    ],
)
def test_ports_that_the_internet_should_not_reach(
    first: object, last: object, protocol: str, severity: Severity | None
) -> None:
    text = f"""
    resource "aws_security_group_rule" "r" {{
      type              = "ingress"
      security_group_id = "sg-1"
      from_port         = {first}
      to_port           = {last}
      protocol          = "{protocol}"
      cidr_blocks       = ["0.0.0.0/0"]
    }}
    """
    found = [one.severity for one in findings(assessed(main_tf=text), "aws-security-group-open")]
    assert found == ([severity] if severity else [])


def test_a_rule_for_what_leaves_is_no_way_in() -> None:
    text = """
    resource "aws_security_group" "g" {
      egress {
        from_port   = 0
        to_port     = 0
        protocol    = "-1"
        cidr_blocks = ["0.0.0.0/0"]
      }
    }
    """
    assert not findings(assessed(main_tf=text), "aws-security-group-open")


def test_an_internal_balancer_is_less() -> None:
    text = """
    resource "aws_lb" "api" {
      name     = "api"
      internal = true
    }
    resource "aws_lb_listener" "http" {
      load_balancer_arn = aws_lb.api.arn
      port              = 80
      protocol          = "HTTP"
      default_action {
        type             = "forward"
        target_group_arn = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/a/1"
      }
    }
    """
    assert [one.severity for one in findings(assessed(main_tf=text), "aws-listener-plaintext")] == [Severity.LOW]
