"""Modules that ``terraform init`` fetched, and states as they were before the last change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.support.cli import cli
from tests.support.source_estate import assessed_files

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
variable "name" { type = string }
resource "aws_s3_bucket" "this" {
  bucket = var.name
}
module "log" {
  source = "./modules/log"
  name   = "${var.name}-log"
}
output "arn" { value = aws_s3_bucket.this.arn }
"""
INNER = """
variable "name" { type = string }
resource "aws_s3_bucket" "log" { bucket = var.name }
"""
MAIN = """
module "store" {
  source  = "terraform-aws-modules/s3-bucket/aws"
  version = "VERSION"
  name    = "models"
}
resource "aws_iam_user" "u" { name = "u" }
resource "aws_iam_user_policy" "p" {
  user   = aws_iam_user.u.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "s3:PutObject", Resource = "${module.store.arn}/*" }] })
}
"""
PLACE = "live/.terraform/modules"


def record(source: str = "registry.terraform.io/terraform-aws-modules/s3-bucket/aws", version: str = "4.1.0") -> str:
    return json.dumps(
        {
            "Modules": [
                {"Key": "", "Source": "", "Dir": "."},
                {"Key": "store", "Source": source, "Version": version, "Dir": ".terraform/modules/store"},
                {"Key": "store.log", "Source": "./modules/log", "Dir": ".terraform/modules/store/modules/log"},
            ]
        }
    )


def files(version: str, given: str) -> dict[str, str]:
    return {
        "live/main.tf": MAIN.replace("VERSION", version),
        f"{PLACE}/modules.json": given,
        f"{PLACE}/store/main.tf": MODULE,
        f"{PLACE}/store/modules/log/main.tf": INNER,
        f"{PLACE}/store/modules/unused/main.tf": INNER.replace("var.name", '"unused"'),
    }


@pytest.mark.parametrize("version", ["4.1.0", "~> 4.0", ">= 3.0.0"])
def test_a_module_of_a_registry_is_read_where_it_was_fetched(version: str) -> None:
    found = assessed_files(files(version, record()))
    buckets = {one for one in found.estates.aws.resources if ":s3:::" in one}
    assert buckets == {"arn:aws:s3:::models", "arn:aws:s3:::models-log"}
    writes = [(one.source, one.target) for one in found.graph.edges if one.relation == "writes"]
    assert writes == [("arn:aws:iam::000000000000:user/u", "arn:aws:s3:::models")]
    assert found.reading.skipped == []
    named = {place.path for one in found.findings for place in one.locations}
    assert f"{PLACE}/store/main.tf" in named
    patched = {one.path for patches in found.patches.values() for one in patches}
    assert not any("/.terraform/" in path for path in patched)


@pytest.mark.parametrize(
    ("version", "given"),
    [
        ("4.2.0", record()),  # another release is asked for than was fetched
        ("4.1.0", record(source="registry.terraform.io/somebody/else/aws")),
        ("4.1.0", "{}"),
        ("4.1.0", '{"Modules": [null, {"Key": "store", "Source": 1, "Dir": []}]}'),
    ],
)
def test_what_was_not_fetched_is_skipped(version: str, given: str) -> None:
    found = assessed_files(files(version, given))
    assert [one for one in found.estates.aws.resources if ":s3:::" in one] == []
    assert any("module.store" in one.reason for one in found.reading.skipped)


def test_the_folder_is_read_for_its_modules_alone(tmp_path: Path) -> None:
    for path, text in files("4.1.0", record()).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    examples = tmp_path / PLACE / "store/examples/complete"
    examples.mkdir(parents=True)
    (examples / "main.tf").write_text('resource "aws_s3_bucket" "x" { bucket = "example" }')
    said = json.loads(cli("assess", tmp_path, "--format", "json").out)
    assert said["skipped"] == []
    assert "1 file that a tool put there" in " ".join(said["gaps"])
    shown = json.dumps(said)
    assert "models-log" in shown
    assert "example" not in shown.replace("examples", "")


def state(serial: int, name: str) -> str:
    attributes = {"bucket": name, "id": name, "arn": f"arn:aws:s3:::{name}"}
    one = {"mode": "managed", "type": "aws_s3_bucket", "name": "b", "instances": [{"attributes": attributes}]}
    return json.dumps({"version": 4, "serial": serial, "resources": [one]})


@pytest.mark.parametrize(
    ("given", "bucket", "said"),
    [
        (
            {"terraform.tfstate": state(2, "new"), "terraform.tfstate.backup": state(1, "old")},
            "new",
            "only keys are looked for in it, terraform.tfstate counts",
        ),
        ({"terraform.tfstate.backup": state(1, "old")}, "old", "it counts, since terraform.tfstate is not in"),
        (
            {"terraform.tfstate.1700000000.backup": state(5, "later"), "terraform.tfstate.backup": state(4, "old")},
            "later",
            "terraform.tfstate.backup is an older state: only keys are looked for in it, terraform.tfstate.1700000000",
        ),
    ],
)
def test_an_older_state_counts_where_no_newer_one_is(given: dict[str, str], bucket: str, said: str) -> None:
    found = assessed_files(given)
    assert list(found.estates.aws.resources) == [f"arn:aws:s3:::{bucket}"]
    assert any(said in one for one in found.reading.gaps)
