"""What starts functions: who writes a bucket, queue, topic or bus, and what functions then do with it."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:score"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:jobs"
BUCKET = "arn:aws:s3:::inbox"
BASE = """
resource "aws_lambda_function" "score" {
  function_name = "score"
  handler       = "app.handler"
  role          = "arn:aws:iam::111122223333:role/score"
}
resource "aws_sqs_queue" "jobs" {
  name = "jobs"
}
resource "aws_s3_bucket" "inbox" {
  bucket = "inbox"
}
resource "aws_sns_topic" "news" {
  name = "news"
}
"""


def permission(service: str) -> str:
    return f"""
resource "aws_lambda_permission" "p" {{
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.score.function_name
  principal     = "{service}"
}}
"""


NOTIFIES = """
resource "aws_s3_bucket_notification" "n" {
  bucket = aws_s3_bucket.inbox.id
  lambda_function {
    lambda_function_arn = aws_lambda_function.score.arn
    events              = ["EVENT"]
  }
}
"""
CREATED = NOTIFIES.replace("EVENT", "s3:ObjectCreated:*")


def edges(files: dict[str, str]) -> dict[tuple[str, str], tuple[str, State]]:
    return {(one.source, one.target): (one.relation, one.state) for one in assessed_files(files).graph.edges}


@pytest.mark.parametrize(
    ("more", "source", "expected"),
    [
        (CREATED + permission("s3.amazonaws.com"), BUCKET, ("triggers", State.YES)),
        (CREATED, BUCKET, ("triggers", State.UNKNOWN)),
        (NOTIFIES.replace("EVENT", "s3:ObjectRemoved:*") + permission("s3.amazonaws.com"), BUCKET, None),
        (
            (
                'resource "aws_lambda_event_source_mapping" "m" {\n event_source_arn = aws_sqs_queue.jobs.arn\n'
                " function_name = aws_lambda_function.score.arn\n}"
            ),
            QUEUE,
            ("triggers", State.YES),
        ),
        (
            (
                'resource "aws_lambda_event_source_mapping" "m" {\n event_source_arn = aws_sqs_queue.jobs.arn\n'
                " function_name = aws_lambda_function.score.arn\n enabled = false\n}"
            ),
            QUEUE,
            None,
        ),
        (
            'resource "aws_sns_topic_subscription" "s" {\n topic_arn = aws_sns_topic.news.arn\n protocol = "lambda"\n'
            " endpoint = aws_lambda_function.score.arn\n}" + permission("sns.amazonaws.com"),
            "arn:aws:sns:us-east-1:000000000000:news",
            ("triggers", State.YES),
        ),
    ],
)
def test_what_starts_a_function(more: str, source: str, expected: tuple[str, State] | None) -> None:
    assert edges({"main.tf": BASE + more}).get((source, FUNCTION)) == expected


RULE = """
resource "aws_cloudwatch_event_rule" "r" {
  name = "r"
  PATTERN
}
resource "aws_cloudwatch_event_target" "t" {
  rule = aws_cloudwatch_event_rule.r.name
  arn  = aws_lambda_function.score.arn
}
"""
BUS = "arn:aws:events:us-east-1:000000000000:event-bus/default"


@pytest.mark.parametrize(
    ("pattern", "source", "expected"),
    [
        ('event_pattern = jsonencode({source = ["acme"]})', BUS, True),
        ('schedule_expression = "rate(1 day)"', BUS, False),
        ('event_pattern = jsonencode({source = ["aws.s3"], detail = {bucket = {name = ["inbox"]}}})', BUCKET, True),
        ('event_pattern = jsonencode({source = ["aws.s3"], detail = {bucket = {name = ["inbox"]}}})', BUS, False),
    ],
)
def test_rules_of_a_bus(pattern: str, source: str, expected: bool) -> None:
    text = BASE + RULE.replace("PATTERN", pattern) + permission("events.amazonaws.com")
    assert ((source, FUNCTION) in edges({"main.tf": text})) is expected


def test_a_template_says_the_same_with_sam() -> None:
    text = """Transform: AWS::Serverless-2016-10-31
Resources:
  Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs}}
  Score:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: score
      Handler: app.handler
      Events: {In: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn}}}
"""
    assert edges({"template.yaml": text})[QUEUE, FUNCTION] == ("triggers", State.YES)


def test_event_source_mappings_of_the_command_line() -> None:
    mapping = {"EventSourceMappings": [{"EventSourceArn": QUEUE, "FunctionArn": FUNCTION, "State": "Enabled"}]}
    functions = {"Functions": [{"FunctionName": "score", "FunctionArn": FUNCTION, "Role": "arn:aws:iam::0:role/r"}]}
    found = edges({"m.json": json.dumps(mapping), "f.json": json.dumps(functions)})
    assert found[QUEUE, FUNCTION] == ("triggers", State.YES)


READS = """import boto3, {0}
s3 = boto3.client("s3")
def handler(event, context):
    record = event["Records"][0]["s3"]
    found = s3.get_object(Bucket=record["bucket"]["name"], Key=record["object"]["key"])
    return {0}.loads(found["Body"].read())
"""


@pytest.mark.parametrize(("module", "runs"), [("pickle", True), ("json", False)])
def test_what_a_function_does_with_an_object_that_it_is_told_of(module: str, runs: bool) -> None:
    files = {"main.tf": BASE + CREATED + permission("s3.amazonaws.com"), "app.py": READS.format(module)}
    assert (("runs-input", State.UNKNOWN) in edges(files).values()) is runs


FIXED = """import os, boto3, joblib
s3 = boto3.client("s3")
s3.download_file(BUCKET, "model.joblib", "/tmp/model")
model = joblib.load("/tmp/model")
def handler(event, context):
    return model.predict(event["x"])
"""


@pytest.mark.parametrize("bucket", ['"inbox"', 'os.environ["MODELS"]', 'os.getenv("MODELS")'])
def test_a_bucket_that_a_function_unpickles_from(bucket: str) -> None:
    text = BASE.replace("role  ", 'environment {\n variables = {\n MODELS = "inbox"\n }\n }\n  role  ')
    found = edges({"main.tf": text, "app.py": FIXED.replace("BUCKET", bucket)})
    assert found[BUCKET, FUNCTION] == ("loaded-by", State.UNKNOWN)


def test_layers_and_code_in_buckets_run_in_the_function() -> None:
    layer = """
resource "aws_lambda_layer_version" "deps" {
  layer_name = "deps"
  s3_bucket  = aws_s3_bucket.inbox.id
}
"""
    text = BASE.replace("handler  ", "layers = [aws_lambda_layer_version.deps.arn]\n  handler  ") + layer
    assert edges({"main.tf": text})[BUCKET, FUNCTION][0] == "loaded-by"
    text = BASE.replace("handler  ", 's3_bucket = "inbox"\n  handler  ')
    assert edges({"main.tf": text})[BUCKET, FUNCTION][0] == "loaded-by"


def test_an_agent_hands_on_to_its_tools() -> None:
    text = (
        BASE
        + """
resource "aws_bedrockagent_agent" "a" {
  agent_name = "a"
}
resource "aws_bedrockagent_agent_action_group" "g" {
  agent_id = aws_bedrockagent_agent.a.id
  action_group_executor {
    lambda = aws_lambda_function.score.arn
  }
}
"""
    )
    agent = "arn:aws:bedrock:us-east-1:000000000000:agent/a"
    assert edges({"main.tf": text + permission("bedrock.amazonaws.com")})[agent, FUNCTION] == (
        "passes-calls",
        State.YES,
    )


def test_containers_have_the_secrets_that_they_name() -> None:
    text = """
resource "aws_secretsmanager_secret" "s" {
  name = "token"
}
resource "aws_ecs_task_definition" "t" {
  family                = "t"
  task_role_arn         = "arn:aws:iam::111122223333:role/task"
  container_definitions = jsonencode([{
    name = "a", image = "a", secrets = [{name = "TOKEN", valueFrom = "${aws_secretsmanager_secret.s.arn}:key::"}]
  }])
}
"""
    place = "arn:aws:secretsmanager:us-east-1:000000000000:secret:token"
    task = "arn:aws:ecs:us-east-1:000000000000:task-definition/t:1"
    assert edges({"main.tf": text})[task, place] == ("mounts", State.YES)


def test_an_endpoint_answers_with_its_model() -> None:
    text = """
resource "aws_sagemaker_model" "m" {
  name = "m"
}
resource "aws_sagemaker_endpoint_configuration" "c" {
  name = "c"
  production_variants {
    model_name = aws_sagemaker_model.m.name
  }
}
resource "aws_sagemaker_endpoint" "e" {
  name                 = "e"
  endpoint_config_name = aws_sagemaker_endpoint_configuration.c.name
}
"""
    place = "arn:aws:sagemaker:us-east-1:000000000000:"
    assert edges({"main.tf": text})[f"{place}model/m", f"{place}endpoint/e"] == ("serves", State.YES)
