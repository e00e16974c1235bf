"""API Gateway: who may call which route, what it calls, and what a function does with what it is sent."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:score"
BASE = """
resource "aws_lambda_function" "score" {
  function_name = "score"
  handler       = "app.handler"
  role          = "arn:aws:iam::111122223333:role/score"
}
resource "aws_lambda_permission" "gateway" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.score.function_name
  principal     = "apigateway.amazonaws.com"
}
resource "aws_api_gateway_rest_api" "api" {
  name = "scoring"
  MORE
}
resource "aws_api_gateway_resource" "predict" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  parent_id   = aws_api_gateway_rest_api.api.root_resource_id
  path_part   = "predict"
}
resource "aws_api_gateway_method" "post" {
  rest_api_id   = aws_api_gateway_rest_api.api.id
  resource_id   = aws_api_gateway_resource.predict.id
  http_method   = "POST"
  METHOD
}
resource "aws_api_gateway_integration" "post" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  resource_id = aws_api_gateway_resource.predict.id
  http_method = aws_api_gateway_method.post.http_method
  type        = "AWS_PROXY"
  uri         = aws_lambda_function.score.invoke_arn
}
"""
API = "aws:api:000000000000:scoring"


def edges(files: dict[str, str]) -> dict[tuple[str, str], object]:
    return {(one.source, one.target): one for one in assessed_files(files).graph.edges}


def rest(method: str, more: str = "") -> dict[str, str]:
    return {"main.tf": BASE.replace("METHOD", method).replace("MORE", more)}


LIMITED = json.dumps(
    {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": "*",
                "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
            }
        ]
    }
).replace('"', '\\"')


@pytest.mark.parametrize(
    ("method", "more", "state"),
    [
        ('authorization = "NONE"', "", State.YES),
        ('authorization = "AWS_IAM"', "", None),
        ('authorization = "CUSTOM"', "", None),
        ('authorization = "NONE"\n api_key_required = true', "", State.UNKNOWN),
        ('authorization = "NONE"', 'endpoint_configuration {\n types = ["PRIVATE"]\n }', None),
        ('authorization = "NONE"', "disable_execute_api_endpoint = true", State.UNKNOWN),
        ('authorization = "NONE"', f'policy = "{LIMITED}"', State.UNKNOWN),
        ("authorization = var.kind", "", State.UNKNOWN),
    ],
)
def test_who_may_call_a_method(method: str, more: str, state: State | None) -> None:
    edge = edges(rest(method, more)).get(("internet", API))
    assert (edge.state if edge else None) == state


def test_a_route_calls_its_function_if_that_lets_it() -> None:
    drawn = edges(rest('authorization = "NONE"'))
    assert drawn[API, FUNCTION].state is State.YES
    text = rest('authorization = "NONE"')["main.tf"].replace("apigateway.amazonaws.com", "s3.amazonaws.com")
    drawn = edges({"main.tf": text})
    assert drawn[API, FUNCTION].state is State.UNKNOWN


SAM = """Transform: AWS::Serverless-2016-10-31
Resources:
  Score:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: score
      CodeUri: fn/
      Handler: app.handler
      Policies: [AmazonS3FullAccess]
      Events:
        Predict: {Type: HttpApi, Properties: {Path: /predict, Method: post}}
"""
LOADS = (
    "import pickle, base64\ndef handler(event, context):\n    return pickle.loads(base64.b64decode(event['body']))\n"
)


def test_what_a_function_is_sent_and_loads_leads_to_its_role() -> None:
    found = assessed_files({"template.yaml": SAM, "fn/app.py": LOADS, "other/app.py": LOADS})
    drawn = {(one.source, one.relation, one.target): one for one in found.graph.edges}
    application = f"app:fn/app.py@{FUNCTION}"
    assert drawn[FUNCTION, "passes-calls", application].state is State.YES
    assert drawn[application, "runs-input", FUNCTION].state is State.YES
    assert not any(source.startswith("app:other/") for source, _, _ in drawn)
    assert {"aws-api-open"} == {one.rule for one in found.findings if one.rule.startswith(("aws-api", "web-"))}


def test_code_whose_place_nobody_says_is_perhaps_the_functions() -> None:
    files = {**rest('authorization = "NONE"'), "src/app.py": LOADS}
    drawn = edges(files)
    edge = drawn[FUNCTION, f"app:src/app.py@{FUNCTION}"]
    assert (edge.state, edge.decides) == (State.UNKNOWN, ("the code of score is src/app.py",))


def test_a_handler_that_nothing_is_seen_to_call_is_no_endpoint() -> None:
    found = assessed_files({"app.py": LOADS})
    assert not [one for one in found.graph.nodes if one.startswith("app:")]


CALLS_MODEL = """
resource "aws_sagemaker_endpoint" "fraud" {
  name                 = "fraud"
  endpoint_config_name = "fraud"
}
resource "aws_apigatewayv2_api" "api" {
  name          = "scoring"
  protocol_type = "HTTP"
}
resource "aws_apigatewayv2_integration" "model" {
  api_id           = aws_apigatewayv2_api.api.id
  integration_type = "AWS"
  integration_uri  = "arn:aws:apigateway:us-east-1:runtime.sagemaker:path//endpoints/fraud/invocations"
}
resource "aws_apigatewayv2_route" "predict" {
  api_id    = aws_apigatewayv2_api.api.id
  route_key = "POST /predict"
  target    = "integrations/${aws_apigatewayv2_integration.model.id}"
}
"""


def test_a_route_may_call_an_endpoint_of_sagemaker() -> None:
    drawn = edges({"main.tf": CALLS_MODEL})
    assert drawn["internet", API].state is State.YES
    assert drawn[API, "arn:aws:sagemaker:us-east-1:000000000000:endpoint/fraud"].relation == "passes-calls"


def test_cloudformation_says_the_same() -> None:
    text = """Resources:
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: scoring, ProtocolType: HTTP}}
  Score: {Type: AWS::Lambda::Function, Properties: {FunctionName: score, Handler: app.handler, Role: arn:aws:iam::111122223333:role/score}}
  Call: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Score.Arn}}
  Route: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: POST /predict, Target: !Sub "integrations/${Call}"}}
"""
    drawn = edges({"template.yaml": text})
    assert drawn["internet", API].state is State.YES
    assert drawn[API, FUNCTION].state is State.UNKNOWN


def test_a_route_that_puts_what_it_gets_into_a_queue() -> None:
    text = """
resource "aws_sqs_queue" "jobs" {
  name = "jobs"
}
resource "aws_iam_role" "gateway" {
  name               = "gateway"
  assume_role_policy = jsonencode({Version = "2012-10-17", Statement = [{Effect = "Allow", Action = "sts:AssumeRole",
    Principal = {Service = "apigateway.amazonaws.com"}}]})
}
resource "aws_iam_role_policy" "send" {
  role   = aws_iam_role.gateway.id
  policy = jsonencode({Version = "2012-10-17", Statement = [{Effect = "Allow", Action = "sqs:SendMessage",
    Resource = aws_sqs_queue.jobs.arn}]})
}
"""
    given = rest('authorization = "NONE"')["main.tf"].replace(
        "uri         = aws_lambda_function.score.invoke_arn",
        'credentials = aws_iam_role.gateway.arn\n  integration_http_method = "POST"\n'
        '  uri = "arn:aws:apigateway:us-east-1:sqs:path/000000000000/${aws_sqs_queue.jobs.name}"',
    )
    found = edges({"main.tf": given + text})
    assert found[API, "arn:aws:sqs:us-east-1:000000000000:jobs"].relation == "passes-data"  # type: ignore[attr-defined]


OF_API = """Transform: AWS::Serverless-2016-10-31
Resources:
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: a, PROPERTIES}}
  MyApi: {Type: AWS::Serverless::Api, Properties: {StageName: a, Auth: {DefaultAuthorizer: AWS_IAM}}}
  Score:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: score
      Handler: app.handler
      Events: {In: {Type: Api, Properties: {Path: /p, Method: post, RestApiId: !Ref NAME}}}
"""


@pytest.mark.parametrize(
    ("properties", "name", "state"),
    [
        ("Name: a", "Api", State.YES),
        ("Name: a", "MyApi", None),
        ("Auth: {ApiKeyRequired: true}", "Api", State.UNKNOWN),
        ("EndpointConfiguration: {Type: PRIVATE}", "Api", None),
    ],
)
def test_what_the_api_of_a_template_of_sam_says(properties: str, name: str, state: State | None) -> None:
    text = OF_API.replace("PROPERTIES", properties).replace("NAME", name)
    found = {
        one.target: one.state for one in assessed_files({"t.yaml": text}).graph.edges if one.source == "internet"
    }
    assert found.get(f"aws:api:000000000000:{name}") == state


def test_a_key_in_a_document_is_not_who_calls() -> None:
    body = {
        "openapi": "3.0.1",
        "components": {"securitySchemes": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}},
        "paths": {"/p": {"post": {"security": [{"key": []}], "x-amazon-apigateway-integration": {"uri": FUNCTION}}}},
    }
    text = (
        f'resource "aws_api_gateway_rest_api" "api" {{\n name = "scoring"\n body = jsonencode({json.dumps(body)})\n}}'
    )
    assert edges({"main.tf": text})["internet", API].state is State.UNKNOWN  # type: ignore[attr-defined]


def test_who_joins_a_websocket_is_asked_once() -> None:
    text = """
resource "aws_apigatewayv2_api" "chat" {
  name          = "chat"
  protocol_type = "WEBSOCKET"
}
resource "aws_apigatewayv2_route" "join" {
  api_id             = aws_apigatewayv2_api.chat.id
  route_key          = "$connect"
  authorization_type = "AWS_IAM"
}
resource "aws_apigatewayv2_route" "say" {
  api_id    = aws_apigatewayv2_api.chat.id
  route_key = "$default"
}
"""
    assert ("internet", "aws:api:000000000000:chat") not in edges({"main.tf": text})
