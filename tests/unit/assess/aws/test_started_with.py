"""What is there already and can be started with a command, arguments or variables of one's own."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

ROLE = """
provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_iam_role" "SERVICE" {
  name               = "SERVICE"
  assume_role_policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "SERVICE.amazonaws.com" } }]
  })
}
resource "aws_iam_user" "dev" {
  name = "dev"
}
resource "aws_iam_user_policy" "dev" {
  user   = aws_iam_user.dev.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [STATEMENTS] })
}
"""
BATCH = """
resource "aws_batch_job_definition" "thing" {
  name                 = "thing"
  type                 = "container"
  container_properties = jsonencode({ image = "a", jobRoleArn = aws_iam_role.ecs-tasks.arn })
}
"""
ECS = """
resource "aws_ecs_task_definition" "thing" {
  family                = "thing"
  task_role_arn         = aws_iam_role.ecs-tasks.arn
  container_definitions = jsonencode([{ name = "a", image = "a" }])
}
"""
GLUE = """
resource "aws_glue_job" "thing" {
  name     = "thing"
  role_arn = aws_iam_role.glue.arn
  command {
    script_location = "s3://code/job.py"
  }
}
"""
BUILD = """
resource "aws_codebuild_project" "thing" {
  name         = "thing"
  service_role = aws_iam_role.codebuild.arn
}
"""
MACHINE = """
resource "aws_sfn_state_machine" "thing" {
  name       = "thing"
  role_arn   = aws_iam_role.states.arn
  definition = jsonencode({ StartAt = "a", States = { a = { Type = "Pass", End = true } } })
}
"""
ANY = "*"
QUEUE = "arn:aws:batch:eu-west-1:111122223333:job-queue/prod"
JOB = "arn:aws:batch:eu-west-1:111122223333:job-definition/thing:*"
PASS = ("iam:PassRole", "arn:aws:iam::111122223333:role/ecs-tasks")


def steps(service: str, thing: str, *allowed: tuple[str, str]) -> dict[str, State]:
    """The relations of the user to the thing and to its role."""
    said = ", ".join(f'{{ Effect = "Allow", Action = "{action}", Resource = "{on}" }}' for action, on in allowed)
    text = ROLE.replace("SERVICE", service).replace("STATEMENTS", said) + thing
    edges = assessed_files({"main.tf": text}).graph.edges
    kinds = ("takes-over", "changes", "passes-role")
    return {one.relation: one.state for one in edges if one.source.endswith("user/dev") and one.relation in kinds}


MAYBE = {"takes-over": State.UNKNOWN}


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ([("batch:SubmitJob", ANY)], MAYBE),
        ([("batch:SubmitJob", JOB), ("batch:SubmitJob", QUEUE)], MAYBE),
        ([("batch:SubmitJob", JOB)], {}),
        ([("batch:SubmitJob", QUEUE)], {}),
        ([("batch:DescribeJobs", ANY)], {}),
    ],
)
def test_a_job_of_batch_takes_a_command(allowed: list[tuple[str, str]], expected: dict[str, State]) -> None:
    assert steps("ecs-tasks", BATCH, *allowed) == expected


def test_a_task_takes_a_command_from_who_may_pass_its_role() -> None:
    assert steps("ecs-tasks", ECS, ("ecs:RunTask", ANY)) == {}
    assert steps("ecs-tasks", ECS, ("ecs:RunTask", ANY), PASS) == {**MAYBE, "passes-role": State.UNKNOWN}
    surely = [("ecs:RunTask", ANY), ("ecs:RegisterTaskDefinition", ANY), PASS]
    assert steps("ecs-tasks", ECS, *surely) == {**MAYBE, "passes-role": State.YES}


def test_a_job_of_glue_takes_arguments() -> None:
    assert steps("glue", GLUE, ("glue:StartJobRun", ANY)) == MAYBE
    assert steps("glue", GLUE, ("glue:GetJob", ANY)) == {}


def test_a_build_runs_the_commands_that_it_is_started_with() -> None:
    assert steps("codebuild", BUILD, ("codebuild:StartBuild", ANY)) == {"takes-over": State.YES}


def test_a_state_machine_is_given_input_alone() -> None:
    assert steps("states", MACHINE, ("states:StartExecution", ANY)) == {}


def test_a_role_that_other_things_run_as_is_not_that_of_a_job_that_nobody_sees() -> None:
    assert steps("ecs-tasks", ECS, ("batch:SubmitJob", ANY)) == {}
    assert steps("ecs-tasks", "", ("batch:SubmitJob", ANY)) == {"passes-role": State.UNKNOWN}
