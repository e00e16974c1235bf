"""Terraform's JSON syntax: the same as its native one, on its own lines."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files, lines_of

from assaymark.core.errors import InputError
from assaymark.formats.hcl.json_syntax import body_of_json
from assaymark.formats.located import read_json

CONFIGURATION = {
    "//": "made by a tool",
    "terraform": {"required_version": ">= 1.5"},
    "provider": {"aws": [{"region": "eu-west-1", "allowed_account_ids": ["111122223333"]}]},
    "locals": {"name": "models"},
    "variable": {"team": {"type": "string", "default": "${not.read}"}},
    "data": {
        "aws_iam_policy_document": {
            "read": {"statement": {"actions": ["s3:GetObject"], "resources": ["${aws_s3_bucket.models.arn}/*"]}}
        }
    },
    "resource": {
        "aws_s3_bucket": {"models": {"bucket": "${local.name}-${var.team}", "//": "a note"}},
        "aws_iam_role": [
            {
                "r": {
                    "name": "r",
                    "assume_role_policy": '${jsonencode({Statement = [{Effect = "Allow", Action = "sts:AssumeRole",'
                    ' Principal = {Service = "ec2.amazonaws.com"}}]})}',
                }
            }
        ],
        "aws_iam_role_policy": {
            "r": {
                "for_each": '${toset(["x"])}',
                "role": "${aws_iam_role.r.id}",
                "policy": "${data.aws_iam_policy_document.read.json}",
            }
        },
        "aws_security_group": {
            "open": {
                "name": "o",
                "ingress": [{"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}],
            }
        },
    },
    "module": {"more": {"source": "./more", "name": "${local.name}"}},
}  # fmt: skip
MORE = {
    "variable": {"name": {}},
    "resource": {"aws_s3_bucket": {"b": {"bucket": "${var.name}-more"}}},
}


def test_a_configuration_in_json_is_read_as_one_in_the_native_syntax() -> None:
    text = json.dumps(CONFIGURATION, indent=1)
    files = {
        "cdk.tf.json": text,
        "more/main.tf.json": json.dumps(MORE),
        "terraform.tfvars.json": '{"team": "blue"}',
        "other.tfvars.json": "{}",
    }
    found = assessed_files(files)
    reads = {(one.source, one.target) for one in found.graph.edges if one.relation == "reads"}
    assert ("arn:aws:iam::111122223333:role/r", "arn:aws:s3:::models-blue") in reads
    assert "arn:aws:s3:::models-more" in found.graph.nodes
    line = next(number for number, part in enumerate(text.split("\n")) if '"from_port"' in part)
    assert lines_of(found, "aws-security-group-open") == [("cdk.tf.json", line)]
    assert [one.path for one in found.reading.skipped] == ["other.tfvars.json"]
    assert not any(found.patches.values())


@pytest.mark.parametrize(
    "text",
    ['{"resource": []}', '{"resource": {"a": [{}]}}', '{"locals": {}}', "{}", '{"module": {"//": "x"}}'],
)
def test_what_holds_nothing(text: str) -> None:
    assert [one for one in body_of_json(read_json(text)).blocks if one.labels] == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"resource": "x"}', 1),
        ('{"resource": {"a":\n {"b": 1}}}', 2),
        ('{"locals": {\n"a": "${"}}', 2),
        ('{"module": {"a": {"b": "%{ if }"}}}', 1),
    ],
)
def test_what_is_wrong_says_where(text: str, line: int) -> None:
    with pytest.raises(InputError) as caught:
        body_of_json(read_json(text))
    assert (caught.value.code, caught.value.position) == ("hcl-syntax", f"line {line}")
    [skipped] = assessed_files({"a.tf.json": text}).reading.skipped
    assert skipped.path == "a.tf.json"
