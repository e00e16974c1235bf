"""CloudFront, Global Accelerator, and names and stages of API Gateway: what they let the internet reach."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

BUCKET = "arn:aws:s3:::acme-models"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:score"
API = "aws:api:000000000000:scoring"


def found(files: dict[str, str] | str) -> dict[tuple[str, str], State]:
    given = {"main.tf": files} if isinstance(files, str) else files
    edges = assessed_files(given).graph.edges
    return {(one.relation, one.target): one.state for one in edges if one.source == "internet"}


def distribution(origin: str, behaviour: str = "", more: str = "", enabled: str = "true") -> str:
    return f"""
resource "aws_cloudfront_distribution" "cdn" {{
  enabled = {enabled}
  {more}
  origin {{
    origin_id = "own"
    {origin}
  }}
  default_cache_behavior {{
    target_origin_id       = "own"
    allowed_methods        = ["GET", "HEAD"]
    viewer_protocol_policy = "https-only"
    {behaviour}
  }}
}}
"""


OF_BUCKET = """domain_name = aws_s3_bucket.models.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.oac.id"""
BY_IDENTITY = """domain_name = aws_s3_bucket.models.bucket_regional_domain_name
    s3_origin_config {
      origin_access_identity = aws_cloudfront_origin_access_identity.oai.cloudfront_access_identity_path
    }"""
PUBLIC = "domain_name = aws_s3_bucket.models.bucket_regional_domain_name"


def bucket(principal: str, condition: str = "", action: str = "s3:GetObject", effect: str = "") -> str:
    return f"""
resource "aws_s3_bucket" "models" {{
  bucket = "acme-models"
}}
resource "aws_s3_bucket_policy" "models" {{
  bucket = aws_s3_bucket.models.id
  policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Principal = {principal}
      Action    = "{action}"
      Resource  = "${{aws_s3_bucket.models.arn}}/*"
      {condition}
    }}, {effect}]
  }})
}}
resource "aws_cloudfront_origin_access_identity" "oai" {{}}
resource "aws_cloudfront_origin_access_control" "oac" {{
  name = "oac"
}}
"""


SERVICE = '{ Service = "cloudfront.amazonaws.com" }'
IDENTITY = "{ AWS = aws_cloudfront_origin_access_identity.oai.iam_arn }"
OURS = 'Condition = { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.cdn.arn } }'
OTHER = 'Condition = { StringEquals = { "AWS:SourceArn" = "arn:aws:cloudfront::111122223333:distribution/EOTHER" } }'
PLAIN = """{
      Effect = "Deny"
      Principal = "*"
      Action = "s3:*"
      Resource = "*"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }"""
DENIED = PLAIN.replace('Condition = { Bool = { "aws:SecureTransport" = "false" } }', "")
NETWORK = PLAIN.replace(
    'Bool = { "aws:SecureTransport" = "false" }', 'StringNotEquals = { "aws:SourceVpce" = "vpce-1" }'
)
KEYS = "trusted_key_groups = [aws_cloudfront_key_group.ours.id]"
EDGE = 'function_association {\n event_type = "viewer-request"\n function_arn = "arn"\n }'
ACL = """
resource "aws_wafv2_ip_set" "office" {
  name      = "office"
  addresses = ["203.0.113.0/24"]
}
resource "aws_wafv2_web_acl" "acl" {
  name = "acl"
  default_action {
    DEFAULT {}
  }
  rule {
    name     = "office"
    priority = 1
    action {
      allow {}
    }
    statement {
      ip_set_reference_statement {
        arn = aws_wafv2_ip_set.office.arn
      }
    }
  }
}
"""
OF_ACL = "web_acl_id = aws_wafv2_web_acl.acl.arn"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (bucket(SERVICE, OURS) + distribution(OF_BUCKET), State.YES),
        (bucket(SERVICE) + distribution(OF_BUCKET), State.YES),
        (bucket(SERVICE, OTHER) + distribution(OF_BUCKET), State.UNKNOWN),  # its id is made when it is
        (bucket(SERVICE, OURS) + distribution(PUBLIC), None),  # it signs nothing
        (bucket(SERVICE, OURS) + distribution(OF_BUCKET, enabled="false"), None),
        (bucket(SERVICE, OURS) + distribution(OF_BUCKET, KEYS), None),
        (bucket(SERVICE, OURS) + distribution(OF_BUCKET, 'trusted_signers = ["self"]'), None),
        (bucket(SERVICE, OURS) + distribution(OF_BUCKET, EDGE), State.UNKNOWN),
        (bucket(SERVICE, OURS, "s3:ListBucket") + distribution(OF_BUCKET), None),
        (bucket(SERVICE, OURS, effect=PLAIN) + distribution(OF_BUCKET), State.YES),
        (bucket(SERVICE, OURS, effect=DENIED) + distribution(OF_BUCKET), None),
        (bucket(SERVICE, OURS, effect=NETWORK) + distribution(OF_BUCKET), State.UNKNOWN),
        (bucket(IDENTITY) + distribution(BY_IDENTITY), State.YES),
        (bucket(IDENTITY) + distribution(OF_BUCKET), None),
        (bucket(SERVICE, OURS) + distribution(BY_IDENTITY), None),
        (bucket(SERVICE, OURS) + distribution(OF_BUCKET, more=OF_ACL) + ACL.replace("DEFAULT", "block"), None),
        (bucket(SERVICE, OURS) + distribution(OF_BUCKET, more=OF_ACL) + ACL.replace("DEFAULT", "allow"), State.YES),
        (bucket(SERVICE, OURS) + distribution(OF_BUCKET, more=OF_ACL), State.UNKNOWN),
    ],
)
def test_a_bucket_behind_a_distribution(text: str, state: State | None) -> None:
    assert found(text).get(("reads", BUCKET)) == state


def test_a_distribution_writes_where_its_methods_and_the_policy_let_it() -> None:
    methods = 'allowed_methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]'
    both = bucket(SERVICE, OURS, "s3:*Object") + distribution(OF_BUCKET).replace(
        'allowed_methods        = ["GET", "HEAD"]', methods
    )
    assert found(both).get(("writes", BUCKET)) == State.YES
    assert ("writes", BUCKET) not in found(bucket(SERVICE, OURS, "s3:*Object") + distribution(OF_BUCKET))


KEY = """
resource "aws_kms_key" "models" {
  description = "models"
  POLICY
}
resource "aws_s3_bucket_server_side_encryption_configuration" "models" {
  bucket = aws_s3_bucket.models.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.models.arn
    }
  }
}
"""
OPENS = """policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "cloudfront.amazonaws.com" }
      Action    = "kms:Decrypt"
      Resource  = "*"
      CONDITION
    }]
  })""".replace("CONDITION", OURS)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (bucket(SERVICE, OURS) + distribution(OF_BUCKET) + KEY.replace("POLICY", OPENS), State.YES),
        (bucket(SERVICE, OURS) + distribution(OF_BUCKET) + KEY.replace("POLICY", ""), None),
        (bucket(IDENTITY) + distribution(BY_IDENTITY) + KEY.replace("POLICY", OPENS), None),
    ],
)
def test_what_a_key_encrypts_is_read_where_the_key_lets_the_distribution_in(text: str, state: State | None) -> None:
    assert found(text).get(("reads", BUCKET)) == state


def printed(more: dict[str, Any] | None = None, groups: int = 0) -> dict[str, str]:
    arn = "arn:aws:cloudfront::111122223333:distribution/EDFDVBD6EXAMPLE"
    item = {
        "Id": "EDFDVBD6EXAMPLE",
        "ARN": arn,
        "Enabled": True,
        "WebACLId": "",
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "own",
                    "DomainName": "acme-models.s3.eu-central-1.amazonaws.com",
                    "OriginAccessControlId": "E2",
                    "S3OriginConfig": {"OriginAccessIdentity": ""},
                }
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "own",
            "TrustedKeyGroups": {"Enabled": groups > 0, "Quantity": groups, **({"Items": ["k"]} if groups else {})},
            "TrustedSigners": {"Enabled": False, "Quantity": 0},
            "FunctionAssociations": {"Quantity": 0},
        },
        "CacheBehaviors": {"Quantity": 0},
        **(more or {}),
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"{BUCKET}/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return {
        "distributions.json": json.dumps({"DistributionList": {"Items": [item]}}),
        "buckets.json": json.dumps({"Buckets": [{"Name": "acme-models"}]}),
        "acme-models.json": json.dumps({"Policy": policy}),
    }


def test_what_the_command_line_lists() -> None:
    assert found(printed()).get(("reads", BUCKET)) == State.YES
    assert found(printed(groups=1)).get(("reads", BUCKET)) is None
    assert found(printed({"Enabled": False})).get(("reads", BUCKET)) is None
    acl = {"WebACLId": "arn:aws:wafv2:us-east-1:111122223333:global/webacl/a/1"}
    assert found(printed(acl)).get(("reads", BUCKET)) == State.UNKNOWN
    assert found(printed({"Origins": None, "CacheBehaviors": [None], "DefaultCacheBehavior": 3})) == {}


URL = """
resource "aws_lambda_function" "score" {
  function_name = "score"
  role          = "arn:aws:iam::111122223333:role/score"
}
resource "aws_lambda_function_url" "score" {
  function_name      = aws_lambda_function.score.function_name
  authorization_type = "AWS_IAM"
}
resource "aws_lambda_permission" "cdn" {
  function_name = aws_lambda_function.score.function_name
  action        = "lambda:InvokeFunctionUrl"
  principal     = "PRINCIPAL"
  source_arn    = aws_cloudfront_distribution.cdn.arn
}
"""
OF_URL = """domain_name = replace(replace(aws_lambda_function_url.score.function_url, "https://", ""), "/", "")
    origin_access_control_id = "oac"
    custom_origin_config {
      origin_protocol_policy = "https-only"
    }"""


def test_a_function_url_that_lets_a_distribution_in() -> None:
    let = URL.replace("PRINCIPAL", "cloudfront.amazonaws.com")
    assert found(let + distribution(OF_URL)) == {("invokes", FUNCTION): State.YES}
    assert found(let + distribution(OF_URL, KEYS)) == {}
    assert found(let) == {}
    assert found(URL.replace("PRINCIPAL", "sns.amazonaws.com") + distribution(OF_URL)) == {}


TASK = "arn:aws:ecs:us-east-1:000000000000:task-definition/score:1"
BALANCED = """
resource "aws_lb" "web" {
  name               = "web"
  internal           = INTERNAL
  load_balancer_type = "application"
  security_groups    = [aws_security_group.web.id]
}
resource "aws_security_group" "web" {
  name = "web"
  ingress {
    from_port = 443
    to_port   = 443
    protocol  = "tcp"
    SOURCE
  }
}
resource "aws_lb_listener" "web" {
  load_balancer_arn = aws_lb.web.arn
  port              = 443
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}
resource "aws_lb_target_group" "web" {
  name = "web"
  port = 8000
}
resource "aws_ecs_task_definition" "score" {
  family                = "score"
  container_definitions = jsonencode([{ name = "s", image = "acme/score:1", portMappings = [{ containerPort = 8000 }] }])
}
resource "aws_ecs_service" "score" {
  name            = "score"
  task_definition = aws_ecs_task_definition.score.arn
  load_balancer {
    target_group_arn = aws_lb_target_group.web.arn
    container_name   = "s"
    container_port   = 8000
  }
}
"""
OF_BALANCER = """domain_name = aws_lb.web.dns_name
    custom_origin_config {
      origin_protocol_policy = "https-only"
    }"""
INNER = """domain_name = aws_lb.web.dns_name
    vpc_origin_config {
      vpc_origin_id = "vo"
    }"""
LISTED = "prefix_list_ids = [data.aws_ec2_managed_prefix_list.cloudfront.id]"
UNNAMED = 'prefix_list_ids = ["pl-3b927c52"]'
EVERYWHERE = 'cidr_blocks = ["0.0.0.0/0"]'
OFFICE = 'cidr_blocks = ["203.0.113.0/24"]'
ACCELERATOR = """
resource "aws_globalaccelerator_accelerator" "ga" {
  name    = "ga"
  enabled = ENABLED
}
resource "aws_globalaccelerator_listener" "ga" {
  accelerator_arn = aws_globalaccelerator_accelerator.ga.id
  protocol        = "TCP"
  port_range {
    from_port = PORT
    to_port   = PORT
  }
}
resource "aws_globalaccelerator_endpoint_group" "ga" {
  listener_arn = aws_globalaccelerator_listener.ga.id
  endpoint_configuration {
    endpoint_id = TARGET
  }
}
"""


def balanced(source: str, internal: str = "false") -> str:
    return BALANCED.replace("SOURCE", source).replace("INTERNAL", internal)


ASSOCIATED = """
resource "aws_wafv2_web_acl_association" "web" {
  resource_arn = aws_lb.web.arn
  web_acl_arn  = aws_wafv2_web_acl.acl.arn
}
"""


def accelerated(port: str = "443", target: str = "aws_lb.web.arn", enabled: str = "true") -> str:
    return ACCELERATOR.replace("PORT", port).replace("TARGET", target).replace("ENABLED", enabled)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (balanced(EVERYWHERE), State.YES),
        (balanced(EVERYWHERE) + ASSOCIATED + ACL.replace("DEFAULT", "block"), None),
        (balanced(EVERYWHERE) + ASSOCIATED + ACL.replace("DEFAULT", "allow"), State.YES),
        (balanced(EVERYWHERE) + ASSOCIATED, State.UNKNOWN),
        (balanced(LISTED), None),
        (balanced(LISTED) + distribution(OF_BALANCER), State.YES),
        (balanced(UNNAMED) + distribution(OF_BALANCER), State.UNKNOWN),
        (balanced(OFFICE) + distribution(OF_BALANCER), None),
        (balanced(LISTED) + distribution(OF_BALANCER, KEYS), None),
        (balanced(LISTED, "true") + distribution(OF_BALANCER), None),
        (balanced(LISTED, "true") + distribution(INNER), State.YES),
        (balanced(EVERYWHERE, "true"), None),
        (balanced(EVERYWHERE, "true") + accelerated(), State.YES),
        (balanced(OFFICE, "true") + accelerated(), None),
        (balanced(EVERYWHERE, "true") + accelerated("80"), None),
        (balanced(EVERYWHERE, "true") + accelerated(enabled="false"), None),
    ],
)
def test_a_load_balancer_behind_a_front(text: str, state: State | None) -> None:
    assert found(text).get(("reaches", f"{TASK}#port:8000")) == state


def test_an_instance_behind_an_accelerator() -> None:
    machine = """
resource "aws_instance" "gpu" {
  associate_public_ip_address = false
  vpc_security_group_ids      = [aws_security_group.web.id]
}
""" + balanced(EVERYWHERE, "true")
    edge = ("reaches", "arn:aws:ec2:us-east-1:000000000000:instance/<aws_instance.gpu>#port:443")
    assert edge not in found(machine)
    assert found(machine + accelerated(target="aws_instance.gpu.id"))[edge] == State.YES
    assert edge not in found(machine + accelerated("80", "aws_instance.gpu.id"))


GATEWAY = """
resource "aws_lambda_function" "score" {
  function_name = "score"
  role          = "arn:aws:iam::111122223333:role/score"
}
resource "aws_lambda_permission" "gateway" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.score.function_name
  principal     = "apigateway.amazonaws.com"
}
resource "aws_apigatewayv2_api" "api" {
  name                         = "scoring"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = DISABLED
}
resource "aws_apigatewayv2_integration" "api" {
  api_id           = aws_apigatewayv2_api.api.id
  integration_type = "AWS_PROXY"
  integration_uri  = "URI"
}
resource "aws_apigatewayv2_route" "api" {
  api_id    = aws_apigatewayv2_api.api.id
  route_key = "POST /score"
  target    = "integrations/${aws_apigatewayv2_integration.api.id}"
}
resource "aws_apigatewayv2_stage" "prod" {
  api_id          = aws_apigatewayv2_api.api.id
  name            = "prod"
  stage_variables = { fn = "score" }
}
"""
DOMAIN = """
resource "aws_apigatewayv2_domain_name" "own" {
  domain_name = "score.example.org"
  TRUST
}
resource "aws_apigatewayv2_api_mapping" "own" {
  api_id      = aws_apigatewayv2_api.api.id
  domain_name = aws_apigatewayv2_domain_name.own.id
  stage       = "prod"
}
"""
MUTUAL = DOMAIN.replace("TRUST", 'mutual_tls_authentication {\n truststore_uri = "s3://trust/ca.pem"\n }')
PLAIN_NAME = DOMAIN.replace("TRUST", "")


def gateway(disabled: str = "false", uri: str = FUNCTION) -> str:
    return GATEWAY.replace("DISABLED", disabled).replace("URI", uri)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (gateway(), State.YES),
        (gateway() + MUTUAL, State.YES),  # its own endpoint asks for nothing
        (gateway("true"), State.UNKNOWN),
        (gateway("true") + MUTUAL, None),
        (gateway("true") + PLAIN_NAME, State.YES),
    ],
)
def test_a_name_that_asks_for_certificates(text: str, state: State | None) -> None:
    assert found(text).get(("open-invoke", API)) == state


def test_variables_of_stages_name_what_is_called() -> None:
    uri = FUNCTION.replace("score", "$${stageVariables.fn}")
    edges = {(one.source, one.target) for one in assessed_files({"main.tf": gateway(uri=uri)}).graph.edges}
    assert (API, FUNCTION) in edges
    other = gateway(uri=uri).replace('fn = "score"', 'fn = "rank"')
    edges = {(one.source, one.target) for one in assessed_files({"main.tf": other}).graph.edges}
    assert (API, FUNCTION) not in edges


TEMPLATE = """
Resources:
  Models: {Type: AWS::S3::Bucket, Properties: {BucketName: acme-models}}
  Front:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        WebACLId: !GetAtt Acl.Arn
        Origins: [{Id: m, DomainName: !GetAtt Models.DomainName, OriginAccessControlId: E1, S3OriginConfig: {}}]
        DefaultCacheBehavior: {TargetOriginId: m}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Models
      PolicyDocument:
        Statement:
        - {Effect: Allow, Principal: {Service: cloudfront.amazonaws.com}, Action: s3:GetObject, Resource: !Sub "${Models.Arn}/*"}
  Office: {Type: AWS::WAFv2::IPSet, Properties: {Addresses: ["203.0.113.0/24"]}}
  Acl:
    Type: AWS::WAFv2::WebACL
    Properties:
      DefaultAction: {DEFAULT: {}}
      Rules:
      - Name: office
        Priority: 1
        Action: {Allow: {}}
        Statement: {IPSetReferenceStatement: {Arn: !GetAtt Office.Arn}}
"""


@pytest.mark.parametrize(("default", "state"), [("Allow", State.YES), ("Block", None)])
def test_a_template_says_the_same(default: str, state: State | None) -> None:
    assert found({"t.yaml": TEMPLATE.replace("DEFAULT", default)}).get(("reads", BUCKET)) == state
