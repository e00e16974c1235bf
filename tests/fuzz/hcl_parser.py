"""HCL: any text is a syntax tree or an ``InputError``; and what it parses is evaluated without anything else."""

from __future__ import annotations

import contextlib

from assaymark.assess.files import source_file
from assaymark.assess.inputs import Inputs
from assaymark.assess.terraform.resources import terraform_resources
from assaymark.core.errors import InputError
from assaymark.formats.hcl.parser import parse_hcl, parse_template

SEEDS = [
    b'resource "aws_iam_role" "a" {\n  name = "x-${var.y}"\n  count = 2\n  policy = jsonencode({ A = [1, "b"] })\n}\n',
    b'variable "y" { default = "z" }\nlocals { l = [for k, v in { a = 1 } : "${k}=${v}" if v > 0] }\n',
    b'data "aws_iam_policy_document" "d" {\n statement {\n actions = ["s3:*"]\n resources = [local.l[0]]\n }\n}\n',
    b'module "m" {\n  source = "./."\n}\noutput "o" { value = <<-E\n  a %{ if true }b%{ else }c%{ endif }\n  E\n}\n',
    b"x = a ? b : c.d[*].e\ny = { for k in l : k => upper(k)... }\nz = !a && -1 + 2 * 3 >= 4 # c\n",
]


def fuzz(data: bytes) -> None:
    """Parse, and unfold as Terraform."""
    text = data.decode("utf-8", "replace")
    for parse in (parse_hcl, parse_template):
        with contextlib.suppress(InputError):
            parse(text)
    terraform_resources(Inputs([source_file("main.tf", data), source_file("m/main.tf", SEEDS[0])]))
