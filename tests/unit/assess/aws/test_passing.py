"""What hands on what others write: pipes, streams, state machines; and buckets that builds have their code from."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

HERE = "us-east-1:000000000000"
QUEUE, OUT = f"arn:aws:sqs:{HERE}:q", f"arn:aws:sqs:{HERE}:out"
FUNCTION, OTHER = f"arn:aws:lambda:{HERE}:function:t", f"arn:aws:lambda:{HERE}:function:e"
STREAM, DELIVERY = f"arn:aws:kinesis:{HERE}:stream/k", f"arn:aws:firehose:{HERE}:deliverystream/f"
MACHINE = f"arn:aws:states:{HERE}:stateMachine:m"
ROLE = "arn:aws:iam::000000000000:role/r"
LAKE = "arn:aws:s3:::lake"
BASE = """
resource "aws_iam_role" "r" {
  name               = "r"
  assume_role_policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "sts:AssumeRole",
    Principal = { Service = ["pipes.amazonaws.com", "states.amazonaws.com", "firehose.amazonaws.com"] } }] })
}
resource "aws_iam_role_policy" "p" {
  role   = aws_iam_role.r.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Resource = "*",
    Action = ["lambda:InvokeFunction", "ecs:RunTask", "s3:PutObject"] }] })
}
resource "aws_sqs_queue" "q" { name = "q" }
resource "aws_sqs_queue" "out" { name = "out" }
resource "aws_kinesis_stream" "k" { name = "k" }
resource "aws_s3_bucket" "b" { bucket = "lake" }
resource "aws_ecr_repository" "image" { name = "fit" }
resource "aws_lambda_function" "e" {
  function_name = "e"
  role          = "arn:aws:iam::111122223333:role/other"
}
resource "aws_lambda_function" "t" {
  function_name = "t"
  role          = "arn:aws:iam::111122223333:role/other"
}
"""


def edges(files: dict[str, str]) -> dict[tuple[str, str, str], State]:
    graph = assessed_files(files).graph
    return {(one.source, one.relation, one.target): one.state for one in graph.edges}


def by_terraform(text: str) -> dict[tuple[str, str, str], State]:
    return edges({"main.tf": BASE + text})


PIPE = """
resource "aws_pipes_pipe" "p" {
  name       = "p"
  role_arn   = aws_iam_role.r.arn
  source     = aws_sqs_queue.q.arn
  enrichment = aws_lambda_function.e.arn
  target     = TARGET
}
"""


def test_a_pipe_hands_on_as_far_as_its_role_lets_it() -> None:
    found = by_terraform(PIPE.replace("TARGET", "aws_lambda_function.t.arn"))
    assert found[QUEUE, "triggers", OTHER] is State.YES
    assert found[QUEUE, "triggers", FUNCTION] is State.YES
    assert found[OTHER, "invokes", FUNCTION] is State.YES
    found = by_terraform(PIPE.replace("TARGET", "aws_sqs_queue.out.arn"))
    assert (QUEUE, "forwards", OUT) not in found  # its role sends no messages
    stopped = PIPE.replace("TARGET", 'aws_lambda_function.t.arn\n  desired_state = "STOPPED"')
    assert (QUEUE, "triggers", FUNCTION) not in by_terraform(stopped)


def test_a_pipe_starts_tasks_by_their_definition() -> None:
    task = """
    resource "aws_ecs_cluster" "c" { name = "c" }
    resource "aws_ecs_task_definition" "td" {
      family                = "td"
      task_role_arn         = aws_iam_role.r.arn
      container_definitions = jsonencode([{ name = "a", image = "x" }])
    }
    """
    inner = """aws_ecs_cluster.c.arn
      target_parameters {
        ecs_task_parameters {
          task_definition_arn = aws_ecs_task_definition.td.arn
        }
      }
    """
    found = by_terraform(task + PIPE.replace("TARGET", inner))
    assert found[QUEUE, "triggers", f"arn:aws:ecs:{HERE}:task-definition/td:1"] is State.YES


DELIVERS = """
resource "aws_kinesis_firehose_delivery_stream" "f" {
  name        = "f"
  destination = "extended_s3"
  kinesis_source_configuration {
    kinesis_stream_arn = aws_kinesis_stream.k.arn
    role_arn           = aws_iam_role.r.arn
  }
  extended_s3_configuration {
    role_arn   = aws_iam_role.r.arn
    bucket_arn = aws_s3_bucket.b.arn
    processing_configuration {
      enabled = true
      processors {
        type = "Lambda"
        parameters {
          parameter_name  = "LambdaArn"
          parameter_value = "${aws_lambda_function.t.arn}:$LATEST"
        }
      }
    }
  }
}
"""


def test_a_delivery_stream_reads_transforms_and_delivers() -> None:
    found = by_terraform(DELIVERS)
    assert found[STREAM, "forwards", DELIVERY] is State.YES
    assert found[DELIVERY, "triggers", FUNCTION] is State.YES
    assert found[DELIVERY, "forwards", LAKE] is State.YES
    assert found[FUNCTION, "writes", LAKE] is State.YES


def test_exports_say_the_same() -> None:
    role = {
        "RoleName": "r",
        "Arn": ROLE,
        "RolePolicyList": [
            {
                "PolicyName": "p",
                "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
            }
        ],
    }
    stream = {
        "DeliveryStreamDescription": {
            "DeliveryStreamName": "f",
            "DeliveryStreamARN": DELIVERY,
            "Source": {"KinesisStreamSourceDescription": {"KinesisStreamARN": STREAM}},
            "Destinations": [{"ExtendedS3DestinationDescription": {"BucketARN": LAKE, "RoleARN": ROLE}}],
        }
    }
    pipe = {"Arn": f"arn:aws:pipes:{HERE}:pipe/p", "Name": "p", "RoleArn": ROLE, "Source": STREAM, "Target": FUNCTION}
    machine = {
        "stateMachineArn": MACHINE,
        "name": "m",
        "roleArn": ROLE,
        "definition": json.dumps({"States": {"A": {"Type": "Task", "Resource": FUNCTION}}}),
    }
    environment = {
        "Environment": {
            "Arn": f"arn:aws:airflow:{HERE}:environment/a",
            "Name": "a",
            "ExecutionRoleArn": ROLE,
            "SourceBucketArn": LAKE,
        }
    }
    project = {
        "projects": [
            {
                "name": "c",
                "arn": f"arn:aws:codebuild:{HERE}:project/c",
                "serviceRole": ROLE,
                "source": {"type": "S3", "location": "lake/src.zip"},
            }
        ]
    }
    files = {
        "roles.json": json.dumps({"RoleDetailList": [role]}),
        "buckets.json": json.dumps({"Buckets": [{"Name": "lake"}]}),
        "k.json": json.dumps({"StreamDescription": {"StreamName": "k", "StreamARN": STREAM}}),
        "fn.json": json.dumps({"Functions": [{"FunctionName": "t", "FunctionArn": FUNCTION, "Role": ROLE}]}),
        **{
            f"{number}.json": json.dumps(one)
            for number, one in enumerate((stream, pipe, machine, environment, project))
        },
    }
    found = edges(files)
    assert found[STREAM, "forwards", DELIVERY] is State.YES
    assert found[DELIVERY, "forwards", LAKE] is State.YES
    assert found[STREAM, "triggers", FUNCTION] is State.YES
    assert found[MACHINE, "passes-calls", FUNCTION] is State.YES
    assert found[LAKE, "loaded-by", f"arn:aws:airflow:{HERE}:environment/a"] is State.YES
    assert found[LAKE, "loaded-by", f"arn:aws:codebuild:{HERE}:project/c"] is State.YES


STATES = """
resource "aws_sfn_state_machine" "m" {
  name       = "m"
  role_arn   = aws_iam_role.r.arn
  definition = jsonencode({ StartAt = "A", States = {
    A = { Type = "Task", Resource = "arn:aws:states:::lambda:invoke", Next = "B",
          Parameters = { FunctionName = aws_lambda_function.t.arn } }
    B = { Type = "Task", Resource = "arn:aws:states:::sagemaker:createTrainingJob.sync", Next = "C",
          Parameters = { RoleArn = aws_iam_role.r.arn,
            AlgorithmSpecification = { TrainingImage = "${aws_ecr_repository.image.repository_url}:latest" },
            HyperParameters = { sagemaker_submit_directory = "s3://lake/src.tar.gz" } } }
    C = { Type = "Task", Resource = "arn:aws:states:::sqs:sendMessage", Next = "D",
          Parameters = { QueueUrl = aws_sqs_queue.out.url } }
    D = { Type = "Task", Resource = "arn:aws:states:::s3:putObject", End = true,
          Parameters = { Bucket = "lake" } }
  } })
}
"""


def test_tasks_of_a_state_machine_act_in_its_role() -> None:
    found = by_terraform(STATES)
    job = f"{MACHINE}#createTrainingJob"
    assert found[MACHINE, "passes-calls", FUNCTION] is State.YES
    assert (MACHINE, "passes-data", OUT) not in found  # its role sends no messages
    assert found[job, "runs-as", ROLE] is State.YES
    assert found[LAKE, "loaded-by", job] is State.YES
    assert found[f"arn:aws:ecr:{HERE}:repository/fit", "loaded-by", job] is State.YES
    assert (f"arn:aws:ecr:{HERE}:repository/fit", "loaded-by", MACHINE) not in found
    assert (MACHINE, "runs-as", ROLE) in found


def test_code_that_builds_pipelines_notebooks_and_workflows_have_from_a_bucket() -> None:
    found = by_terraform("""
    resource "aws_mwaa_environment" "a" {
      name               = "a"
      execution_role_arn = aws_iam_role.r.arn
      source_bucket_arn  = aws_s3_bucket.b.arn
    }
    resource "aws_codebuild_project" "c" {
      name         = "c"
      service_role = aws_iam_role.r.arn
      source { type = "CODEPIPELINE" }
    }
    resource "aws_codebuild_project" "d" {
      name         = "d"
      service_role = aws_iam_role.r.arn
      source {
        type     = "GITHUB"
        location = "https://github.com/acme/lake"
      }
    }
    resource "aws_codepipeline" "pl" {
      name     = "pl"
      role_arn = "arn:aws:iam::111122223333:role/pipeline"
      artifact_store {
        location = "artifacts"
        type     = "S3"
      }
      stage {
        name = "Source"
        action {
          name          = "S"
          category      = "Source"
          provider      = "S3"
          configuration = { S3Bucket = aws_s3_bucket.b.id, S3ObjectKey = "x.zip" }
        }
      }
      stage {
        name = "Build"
        action {
          name          = "B"
          category      = "Build"
          provider      = "CodeBuild"
          configuration = { ProjectName = aws_codebuild_project.c.name }
        }
      }
      stage {
        name = "Deploy"
        action {
          name          = "D"
          category      = "Deploy"
          provider      = "CloudFormation"
          configuration = { RoleArn = aws_iam_role.r.arn }
        }
      }
    }
    resource "aws_sagemaker_notebook_instance_lifecycle_configuration" "lc" {
      name     = "lc"
      on_start = base64encode("#!/bin/bash\\naws s3 cp s3://lake/setup.sh . && bash setup.sh")
    }
    resource "aws_sagemaker_notebook_instance" "nb" {
      name                  = "nb"
      role_arn              = aws_iam_role.r.arn
      lifecycle_config_name = aws_sagemaker_notebook_instance_lifecycle_configuration.lc.name
    }
    """)
    runs = {target for source, relation, target in found if source == LAKE and relation == "loaded-by"}
    assert runs == {
        f"arn:aws:airflow:{HERE}:environment/a",
        f"arn:aws:codebuild:{HERE}:project/c",
        f"arn:aws:codepipeline:{HERE}:pl#deploys",
        f"arn:aws:sagemaker:{HERE}:notebook-instance/nb",
    }
    assert found[f"arn:aws:codepipeline:{HERE}:pl#deploys", "runs-as", ROLE] is State.YES


TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: q}}
  K: {Type: AWS::Kinesis::Stream, Properties: {Name: k}}
  B: {Type: AWS::S3::Bucket, Properties: {BucketName: lake}}
  Fn: {Type: AWS::Lambda::Function, Properties: {FunctionName: t, Role: !GetAtt PR.Arn}}
  M:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: m
      DefinitionUri: states/m.asl.json
      DefinitionSubstitutions: {Fn: !GetAtt Fn.Arn, Q: !Ref Q}
      Policies:
      - LambdaInvokePolicy: {FunctionName: !Ref Fn}
      - SQSSendMessagePolicy: {QueueName: !GetAtt Q.QueueName}
      Events:
        Api: {Type: Api, Properties: {Path: /go, Method: post}}
        Bus: {Type: EventBridgeRule, Properties: {Pattern: {source: [acme]}}}
  P:
    Type: AWS::Pipes::Pipe
    Properties: {Name: p, RoleArn: !GetAtt PR.Arn, Source: !GetAtt K.Arn, Target: !Ref M}
  PR:
    Type: AWS::IAM::Role
    Properties:
      RoleName: r
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Action: sts:AssumeRole, Principal: {Service: pipes.amazonaws.com}}]
      Policies:
      - PolicyName: x
        PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
  F:
    Type: AWS::KinesisFirehose::DeliveryStream
    Properties:
      DeliveryStreamName: f
      KinesisStreamSourceConfiguration: {KinesisStreamARN: !GetAtt K.Arn, RoleARN: !GetAtt PR.Arn}
      ExtendedS3DestinationConfiguration: {BucketARN: !GetAtt B.Arn, RoleARN: !GetAtt PR.Arn}
  E:
    Type: AWS::EMR::Cluster
    Properties:
      JobFlowRole: !Ref IP
      BootstrapActions: [{Name: b, ScriptBootstrapAction: {Path: "s3://lake/boot.sh"}}]
  IP: {Type: AWS::IAM::InstanceProfile, Properties: {Roles: [!Ref PR]}}
  L:
    Type: AWS::SageMaker::NotebookInstanceLifecycleConfig
    Properties:
      NotebookInstanceLifecycleConfigName: lc
      OnStart: [{Content: {"Fn::Base64": "aws s3 sync s3://lake/x ."}}]
  N:
    Type: AWS::SageMaker::NotebookInstance
    Properties:
      NotebookInstanceName: n
      RoleArn: !GetAtt PR.Arn
      LifecycleConfigName: !GetAtt L.NotebookInstanceLifecycleConfigName
  SP:
    Type: AWS::SageMaker::Pipeline
    Properties:
      PipelineName: sp
      RoleArn: !GetAtt PR.Arn
      PipelineDefinition: {PipelineDefinitionBody: '{"Steps": [{"Name": "T", "Type": "Training", "Arguments":
        {"HyperParameters": {"sagemaker_submit_directory": "s3://lake/a.tgz"}}}]}'}
"""
ASL = {
    "States": {
        "A": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "${Fn}"},
        },
        "B": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {"QueueUrl": "${Q}"}},
    }
}


@pytest.mark.parametrize(
    ("source", "relation", "target"),
    [
        (STREAM, "triggers", MACHINE),
        (STREAM, "forwards", DELIVERY),
        (DELIVERY, "forwards", LAKE),
        (MACHINE, "passes-calls", FUNCTION),
        (MACHINE, "passes-data", QUEUE),
        (MACHINE, "runs-as", "arn:aws:iam::000000000000:role/<stack>-MRole"),
        ("aws:api:000000000000:the implicit Api of the template", "passes-calls", MACHINE),
        (f"arn:aws:events:{HERE}:event-bus/default", "triggers", MACHINE),
        (LAKE, "loaded-by", f"arn:aws:emr:{HERE}:aws_emr_cluster.E"),
        (LAKE, "loaded-by", f"arn:aws:sagemaker:{HERE}:notebook-instance/n"),
        (LAKE, "loaded-by", f"arn:aws:sagemaker:{HERE}:pipeline/sp#T"),
    ],
)
def test_templates_say_the_same(source: str, relation: str, target: str) -> None:
    found = edges({"template.yaml": TEMPLATE, "states/m.asl.json": json.dumps(ASL)})
    assert found[source, relation, target] is State.YES
