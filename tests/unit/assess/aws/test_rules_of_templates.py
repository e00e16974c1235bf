"""What CloudFormation and SAM declare is judged by the rules that look at Terraform's."""

from __future__ import annotations

import pytest
from tests.support.architectures import assessed

HEAD = 'AWSTemplateFormatVersion: "2010-09-09"\nResources:\n  It:\n'


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (
            (
                "    Type: AWS::EC2::SecurityGroupIngress\n    Properties: "
                "{GroupId: sg-1, CidrIp: 0.0.0.0/0, FromPort: 8888, ToPort: 8888, IpProtocol: tcp}\n"
            ),
            "aws-security-group-open",
        ),
        (
            (
                "    Type: AWS::ElasticLoadBalancingV2::Listener\n    Properties: "
                "{Protocol: HTTP, Port: 80, LoadBalancerArn: x, DefaultActions: [{Type: forward, TargetGroupArn: t}]}\n"
            ),
            "aws-listener-plaintext",
        ),
        (
            (
                "    Type: AWS::Serverless::Function\n    Properties: "
                "{Handler: a.b, FunctionUrlConfig: {AuthType: NONE}}\n"
            ),
            "aws-function-url-open",
        ),
        ("    Type: AWS::SageMaker::Domain\n    Properties: {DomainName: d}\n", "aws-notebook-open"),
        ("    Type: AWS::EFS::FileSystem\n", "aws-file-system-plaintext"),
    ],
)
def test_a_template_is_judged(text: str, rule: str) -> None:
    assert rule in {finding.rule for finding in assessed(a_yaml=HEAD + text).findings}


@pytest.mark.parametrize(
    "text",
    [
        (
            "    Type: AWS::ElasticLoadBalancingV2::Listener\n    Properties: "
            "{Protocol: HTTP, Port: 80, LoadBalancerArn: x, DefaultActions: [{Type: redirect}]}\n"
        ),
        "    Type: AWS::Serverless::Function\n    Properties: {Handler: a.b, FunctionUrlConfig: {AuthType: AWS_IAM}}\n",
        "    Type: AWS::SageMaker::Domain\n    Properties: {DomainName: d, AppNetworkAccessType: VpcOnly}\n",
    ],
)
def test_what_is_closed_is_not_reported(text: str) -> None:
    assert not assessed(a_yaml=HEAD + text).findings
