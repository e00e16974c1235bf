"""Values as files hold them, whoever wrote the file."""

from __future__ import annotations

import math

import pytest
from tests.support.patched_infra import NOW, tf

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file
from assaymark.assess.values import whole_number


@pytest.mark.parametrize(
    ("given", "number"),
    [
        (22, 22),
        ("443", 443),
        (8080.0, 8080),
        (-1, -1),
        (True, None),
        ("ssh", None),
        ("9" * 5000, None),
        (math.inf, None),
        (math.nan, None),
        (None, None),
        ([22], None),
    ],
)
def test_ports_are_numbers_or_nothing(given: object, number: int | None) -> None:
    assert whole_number(given) == number


@pytest.mark.parametrize("port", [f'"{"9" * 5000}"', "1e999", "-1"])
def test_a_port_that_is_none_stops_nothing(port: str) -> None:
    group = f"""resource "aws_security_group" "ray" {{
  ingress {{
    from_port   = {port}
    to_port     = {port}
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }}
}}
"""
    template = f"""Resources:
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      SecurityGroupIngress:
        - {{IpProtocol: tcp, FromPort: .inf, ToPort: {port}, CidrIp: 0.0.0.0/0}}
"""
    found = assess([*tf(group), source_file("template.yaml", template.encode())], NOW)
    assert not found.reading.skipped
    assert {"main.tf", "template.yaml"} <= found.reading.read
