"""Written fixes of settings of resources, and where somebody else decides."""

from __future__ import annotations

import pytest
from tests.support.patched_infra import NOW, TRUST, all_patches, fixed, rules_of, text_of, tf
from tests.support.source_estate import assessed_files

from assaymark.assess.engine import assess
from assaymark.assess.terraform.written import written

LISTENERS = """resource "aws_lb" "api" {
  name = "api"
}
resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.api.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/api/1"
  }
}
"""
ENCRYPTED_LISTENER = (
    LISTENERS.split("}\n", 1)[1].replace('"http"', '"https"').replace("= 80", "= 443").replace('"HTTP"', '"HTTPS"')
)


def test_plain_http_goes_on_to_the_listener_with_tls() -> None:
    after = fixed(tf(LISTENERS + ENCRYPTED_LISTENER), "aws-listener-plaintext")
    assert "aws-listener-plaintext" not in rules_of(after)
    assert 'type = "redirect"' in text_of(after)
    assert not all_patches(assess(tf(LISTENERS), NOW), "aws-listener-plaintext")


GROUP = """resource "aws_vpc" "ml" {
  cidr_block = "10.20.0.0/16"
}
resource "aws_security_group" "ray" {
  vpc_id = %s
  ingress {
    from_port   = 8265
    to_port     = 8265
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"""


def test_a_group_lets_its_own_network_in() -> None:
    after = fixed(tf(GROUP % "aws_vpc.ml.id"), "aws-security-group-open")
    assert "aws-security-group-open" not in rules_of(after)
    assert "cidr_blocks = [aws_vpc.ml.cidr_block]" in text_of(after)
    assert not all_patches(assess(tf(GROUP % '"vpc-1"'), NOW), "aws-security-group-open")


VAULT = """resource "azurerm_key_vault" "keys" {
  name                = "acme-keys"
  resource_group_name = "ml"
  location            = "westeurope"
  sku_name            = "standard"
  tenant_id           = "99999999-2222-3333-4444-555555555555"
%s}
"""


def test_a_vault_is_closed_only_where_some_network_is_let_in() -> None:
    rules = '  network_acls {\n    bypass         = "AzureServices"\n    default_action = "Allow"\n    ip_rules       = ["192.0.2.0/24"]\n  }\n'
    after = fixed(tf(VAULT % rules), "azure-vault-public")
    assert "azure-vault-public" not in rules_of(after)
    assert not all_patches(assess(tf(VAULT % ""), NOW), "azure-vault-public")


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            "aws-key-rotation",
            'variable "r" {\n  default = false\n}\nresource "aws_kms_key" "k" {\n  enable_key_rotation = var.r\n}\n',
        ),
        ("aws-key-rotation", 'resource "aws_kms_key" "k" { description = "d" }\n'),
        ("aws-bucket-plaintext", 'resource "aws_s3_bucket" "b" {\n  count  = 2\n  bucket = "b-${count.index}"\n}\n'),
        (
            "aws-sagemaker-plaintext",
            'resource "aws_iam_role" "r" {\n  name = "r"\n'
            + TRUST
            + '}\nresource "aws_sagemaker_model" "m" {\n  name = "m"\n'
            '  execution_role_arn = aws_iam_role.r.arn\n  primary_container {\n    image = "i"\n'
            '    environment = { HF_MODEL_ID = "a/b" }\n  }\n}\n',
        ),
    ],
)
def test_no_setting_is_written_that_somebody_else_decides(rule: str, text: str) -> None:
    found = assess(tf(text), NOW)
    assert any(one.rule == rule for one in found.findings)
    assert not all_patches(found, rule)


def test_a_block_without_a_line_gets_one() -> None:
    after = fixed(tf('resource "aws_kms_key" "k" {}\n'), "aws-key-rotation")
    assert text_of(after) == 'resource "aws_kms_key" "k" {\n  enable_key_rotation = true\n}\n'


def test_a_member_of_several_goes_alone() -> None:
    text = """resource "google_storage_bucket" "w" {
  name     = "acme-weights"
  location = "EU"
}
resource "google_storage_bucket_iam_binding" "readers" {
  bucket  = google_storage_bucket.w.name
  role    = "roles/storage.objectViewer"
  members = ["allUsers", "group:ml@example.com"]
}
"""
    after = fixed(tf(text), "gcp-public-data")
    assert "gcp-public-data" not in rules_of(after)
    assert '  members = ["group:ml@example.com"]\n' in text_of(after)


def test_a_file_is_parsed_once_however_many_findings_it_has() -> None:
    text = "".join(f'resource "aws_kms_key" "k{number}" {{\n  description = "k"\n}}\n' for number in range(300))
    found = assess(tf(text), NOW)
    written.cache_clear()
    assert len(all_patches(found, "aws-key-rotation")) == 300
    assert written.cache_info().misses == 1


@pytest.mark.parametrize("name", ["a b", "a:", 'a" {', "w\x00", "${a}"])
def test_a_name_that_would_end_a_text_is_written_nowhere(name: str) -> None:
    label = name.replace('"', '\\"').replace("${", "$${")
    found = assess(tf(f'resource "aws_s3_bucket" "{label}" {{\n  bucket = "acme-weights"\n}}\n'), NOW)
    assert any(one.rule == "aws-bucket-plaintext" for one in found.findings)
    for rule in ("aws-bucket-plaintext", "aws-bucket-public-block", "aws-bucket-key"):
        assert not all_patches(found, rule)


def test_a_block_that_shares_its_line_is_not_taken_away() -> None:
    text = (
        'provider "google" {\n  project = "acme-ml"\n}\n'
        'resource "google_storage_bucket" "w" {\n  name     = "w"\n  location = "EU"\n}'
        'resource "google_storage_bucket_iam_member" "r" {\n  bucket = google_storage_bucket.w.name\n'
        '  role   = "roles/storage.objectViewer"\n  member = "allUsers"\n}\n'
    )
    found = assessed_files({"main.tf": text})
    assert any(one.rule == "gcp-public-data" for one in found.findings)
    assert not any(patch.removed and not patch.inserted for patches in found.patches.values() for patch in patches)
