"""What of AWS the internet reaches: tasks behind load balancers, and instances with public addresses."""

from __future__ import annotations

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

TASK = "arn:aws:ecs:us-east-1:000000000000:task-definition/api:1"
ECS = """
resource "aws_security_group" "lb" {
  name = "lb"
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["RANGE"]
  }
}
resource "aws_lb" "pub" {
  name            = "pub"
  internal        = INTERNAL
  security_groups = GROUPS
}
resource "aws_lb_target_group" "api" {
  name = "api"
  port = 8000
}
resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.pub.arn
  port              = 443
  protocol          = "HTTPS"
  ACTIONS
}
resource "aws_ecs_task_definition" "api" {
  family                = "api"
  task_role_arn         = "arn:aws:iam::111122223333:role/task"
  container_definitions = jsonencode([{
    name         = "api"
    image        = "IMAGE"
    command      = COMMAND
    portMappings = [{ containerPort = 8000 }]
  }])
}
resource "aws_ecs_service" "api" {
  name            = "api"
  task_definition = aws_ecs_task_definition.api.arn
  load_balancer {
    target_group_arn = aws_lb_target_group.api.arn
    container_name   = "api"
    container_port   = 8000
  }
}
"""
FORWARD = 'default_action {\n type = "forward"\n target_group_arn = aws_lb_target_group.api.arn\n }'
LOGIN = 'default_action {\n type = "authenticate-oidc"\n }\n' + FORWARD
FIXED = 'default_action {\n type = "fixed-response"\n }'


def ecs(**given: str) -> str:
    words = {
        "RANGE": "0.0.0.0/0",
        "INTERNAL": "false",
        "GROUPS": "[aws_security_group.lb.id]",
        "ACTIONS": FORWARD,
        "IMAGE": "acme/api:1",
        "COMMAND": "[]",
        **given,
    }
    text = ECS
    for key, value in words.items():
        text = text.replace(key, value)
    return text


def reached(text: str, node: str) -> State | None:
    edges = assessed_files({"main.tf": text}).graph.edges
    return next((one.state for one in edges if (one.source, one.target) == ("internet", node)), None)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({}, State.YES),
        ({"INTERNAL": "true"}, None),
        ({"RANGE": "10.0.0.0/8"}, None),
        ({"GROUPS": '["sg-1"]'}, State.UNKNOWN),
        ({"ACTIONS": LOGIN}, None),
        ({"ACTIONS": FIXED}, None),
    ],
)
def test_a_task_behind_a_load_balancer(given: dict[str, str], state: State | None) -> None:
    assert reached(ecs(**given), f"{TASK}#port:8000") == state


def test_a_rule_of_a_listener_passes_on_too() -> None:
    rule = """
resource "aws_lb_listener_rule" "api" {
  listener_arn = aws_lb_listener.https.arn
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.api.arn
  }
}
"""
    assert reached(ecs(ACTIONS=FIXED) + rule, f"{TASK}#port:8000") is State.YES


def test_a_server_in_a_task_that_asks_for_nothing_gives_what_it_has() -> None:
    text = ecs(IMAGE="vllm/vllm-openai:v1", COMMAND='["--model", "a/b"]')
    edges = {(one.source, one.relation, one.target) for one in assessed_files({"main.tf": text}).graph.edges}
    assert (f"{TASK}#port:8000", "open-invoke", f"{TASK}#vLLM") in edges
    text = ecs(IMAGE="vllm/vllm-openai:v1", COMMAND='["--api-key", "x"]')
    assert not [one for one in assessed_files({"main.tf": text}).graph.nodes if one.endswith("#vLLM")]


APP = "from fastapi import FastAPI\napp = FastAPI()\n\n@app.post('/predict')\ndef predict(x: dict):\n    return x\n"
IMAGE = 'FROM a\nCOPY app.py .\nCMD ["uvicorn", "app:app", "--port", "8000"]\n'


def test_an_application_in_a_task_answers_who_reaches_its_port() -> None:
    found = assessed_files({"main.tf": ecs(), "api/Dockerfile": IMAGE, "api/app.py": APP})
    edges = {(one.source, one.target): one.relation for one in found.graph.edges}
    assert edges[f"{TASK}#port:8000", f"app:api/app.py@{TASK}"] == "open-invoke"
    assert ("internet", "app:api/app.py") not in edges


def test_cloudformation_says_the_same_of_tasks() -> None:
    text = """Resources:
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}]}}
  Lb: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Scheme: internet-facing, SecurityGroups: [!Ref Group]}}
  Tg: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {Port: 8000}}
  Listener: {Type: AWS::ElasticLoadBalancingV2::Listener, Properties: {LoadBalancerArn: !Ref Lb, Port: 443, DefaultActions: [{Type: forward, TargetGroupArn: !Ref Tg}]}}
  Task: {Type: AWS::ECS::TaskDefinition, Properties: {Family: api, TaskRoleArn: arn:aws:iam::111122223333:role/task, ContainerDefinitions: [{Name: a, Image: acme/api, PortMappings: [{ContainerPort: 8000}]}]}}
  Service: {Type: AWS::ECS::Service, Properties: {TaskDefinition: !Ref Task, LoadBalancers: [{TargetGroupArn: !Ref Tg, ContainerName: a, ContainerPort: 8000}]}}
"""
    graph = assessed_files({"template.yaml": text}).graph
    (edge,) = [one for one in graph.edges if one.source == "internet"]
    assert edge.target.endswith("task-definition/api:1#port:8000")


EC2 = """
resource "aws_security_group" "open" {
  name = "open"
}
resource "aws_security_group_rule" "open" {
  type              = "ingress"
  security_group_id = aws_security_group.open.id
  from_port         = 8888
  to_port           = 8888
  protocol          = "tcp"
  cidr_blocks       = ["0.0.0.0/0"]
}
resource "aws_instance" "gpu" {
  iam_instance_profile   = "gpu"
  vpc_security_group_ids = [aws_security_group.open.id]
  MORE
  user_data = <<-X
    #!/bin/bash
    sudo nohup jupyter lab --ip=0.0.0.0 --NotebookApp.token='' &
  X
}
"""
GPU = "arn:aws:ec2:us-east-1:000000000000:instance/<aws_instance.gpu>"
ADDRESS = '\nresource "aws_eip" "a" {\n instance = aws_instance.gpu.id\n}\n'


@pytest.mark.parametrize(
    ("more", "after", "state"),
    [
        ("associate_public_ip_address = true", "", State.YES),
        ("associate_public_ip_address = false", "", None),
        ("", "", State.UNKNOWN),
        ("", ADDRESS, State.YES),
    ],
)
def test_an_instance_with_an_address(more: str, after: str, state: State | None) -> None:
    text = EC2.replace("MORE", more) + after
    assert reached(text, f"{GPU}#port:8888") == state
    if state is State.YES:
        edges = {(one.source, one.relation, one.target) for one in assessed_files({"main.tf": text}).graph.edges}
        assert (f"{GPU}#port:8888", "open-service", GPU) in edges


def test_groups_that_let_nobody_in_from_outside() -> None:
    text = EC2.replace("MORE", "associate_public_ip_address = true").replace("0.0.0.0/0", "10.0.0.0/8")
    assert not [one for one in assessed_files({"main.tf": text}).graph.edges if one.source == "internet"]


def test_clients_with_certificates_alone_get_through() -> None:
    verify = FORWARD + '\n mutual_authentication {\n mode = "verify"\n }'
    assert reached(ecs(ACTIONS=verify), f"{TASK}#port:8000") is None


def test_an_api_before_an_internal_load_balancer() -> None:
    api = """
resource "aws_apigatewayv2_api" "front" {
  name = "front"
}
resource "aws_apigatewayv2_integration" "lb" {
  api_id          = aws_apigatewayv2_api.front.id
  connection_type = "VPC_LINK"
  integration_uri = aws_lb_listener.https.arn
}
resource "aws_apigatewayv2_route" "all" {
  api_id             = aws_apigatewayv2_api.front.id
  route_key          = "$default"
  target             = "integrations/${aws_apigatewayv2_integration.lb.id}"
  authorization_type = "KIND"
}
"""
    for kind, state in (("NONE", State.YES), ("AWS_IAM", None)):
        edges = assessed_files({"main.tf": ecs(INTERNAL="true") + api.replace("KIND", kind)}).graph.edges
        found = {(one.source, one.target): one.state for one in edges}
        assert found.get(("aws:api:000000000000:front", f"{TASK}#port:8000")) == state


def test_what_a_tracking_server_keeps_in_a_bucket_is_reached_through_it() -> None:
    command = '["mlflow", "server", "--host", "0.0.0.0", "--port", "8000", "--artifacts-destination", "s3://runs/"]'
    text = ecs(IMAGE="acme/mlflow", COMMAND=command) + 'resource "aws_s3_bucket" "runs" {\n bucket = "runs"\n}\n'
    found = assessed_files({"main.tf": text})
    edges = {(one.source, one.relation, one.target) for one in found.graph.edges}
    assert (f"{TASK}#port:8000", "open-read", f"{TASK}#MLflow") in edges
    assert (f"{TASK}#MLflow", "contains-write", "arn:aws:s3:::runs") in edges


TEMPLATE = EC2.replace('resource "aws_instance"', 'resource "aws_launch_template"')
CONTAINER = "docker run -d --gpus all -p PORT:8888 jupyter/scipy-notebook start.sh jupyter lab --NotebookApp.token=''"


@pytest.mark.parametrize(("port", "runs"), [("8888", True), ("127.0.0.1:8888", False), ("9999", False)])
def test_a_container_of_an_instance(port: str, runs: bool) -> None:
    text = EC2.replace("MORE", "associate_public_ip_address = true").replace(
        "sudo nohup jupyter lab --ip=0.0.0.0 --NotebookApp.token='' &", CONTAINER.replace("PORT", port)
    )
    edges = {(one.source, one.relation, one.target) for one in assessed_files({"main.tf": text}).graph.edges}
    assert ((f"{GPU}#port:8888", "open-service", GPU) in edges) is runs


def test_groups_and_addresses_that_are_not_known_leave_it_open() -> None:
    public = EC2.replace("MORE", "associate_public_ip_address = true")
    assert reached(public.replace("[aws_security_group.open.id]", "[var.group]"), f"{GPU}#port") is State.UNKNOWN
    assert reached(public.replace('["0.0.0.0/0"]', "[var.range]"), f"{GPU}#port:8888") is State.UNKNOWN


def test_a_subnet_says_whether_instances_get_addresses() -> None:
    subnet = 'resource "aws_subnet" "a" {\n vpc_id = "vpc-1"\n map_public_ip_on_launch = PUBLIC\n}\n'
    text = EC2.replace("MORE", "subnet_id = aws_subnet.a.id")
    for public, state in (("true", State.YES), ("false", None)):
        assert reached(text + subnet.replace("PUBLIC", public), f"{GPU}#port:8888") == state


@pytest.mark.parametrize(("internal", "state"), [("false", State.YES), ("true", None)])
def test_an_instance_behind_a_classic_load_balancer(internal: str, state: State | None) -> None:
    text = EC2.replace("MORE", "associate_public_ip_address = false").replace("8888\n", "443\n")
    balancer = """
resource "aws_elb" "old" {
  internal        = INTERNAL
  security_groups = [aws_security_group.open.id]
  instances       = [aws_instance.gpu.id]
  listener {
    lb_port       = 443
    instance_port = 8888
  }
}
"""
    assert reached(text + balancer.replace("INTERNAL", internal), f"{GPU}#port:8888") == state


RULE = """
resource "aws_lb_listener_rule" "api" {
  listener_arn = aws_lb_listener.https.arn
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.api.arn
  }
  condition {
    CONDITION
  }
}
"""
HEADER = 'http_header {\n http_header_name = "X-Origin"\n values = [var.secret]\n }'


@pytest.mark.parametrize(
    ("condition", "state"),
    [
        ('path_pattern {\n values = ["/*"]\n }', State.YES),
        ('source_ip {\n values = ["203.0.113.0/24"]\n }', None),
        ('source_ip {\n values = ["203.0.113.0/24", "0.0.0.0/1"]\n }', State.YES),
        ("source_ip {\n values = var.office\n }", State.YES),
        (HEADER, State.UNKNOWN),
        ('http_header {\n http_header_name = "X-Origin"\n values = ["*"]\n }', State.YES),
    ],
)
def test_conditions_of_a_rule_are_about_who_calls(condition: str, state: State | None) -> None:
    assert reached(ecs(ACTIONS=FIXED) + RULE.replace("CONDITION", condition), f"{TASK}#port:8000") == state


OF_TASK = """
resource "aws_security_group" "task" {
  name = "task"
  ingress {
    from_port = FIRST
    to_port   = LAST
    protocol  = "PROTOCOL"
    SOURCE
  }
}
resource "aws_security_group" "other" {
  name = "other"
}
"""
OWN = "security_groups = [aws_security_group.lb.id]"


@pytest.mark.parametrize(
    ("first", "last", "protocol", "source", "state"),
    [
        (8000, 8000, "tcp", OWN, State.YES),
        (0, 0, "-1", OWN, State.YES),
        (8001, 8001, "tcp", OWN, None),
        (8000, 8000, "udp", OWN, None),
        (8000, 8000, "tcp", "security_groups = [aws_security_group.other.id]", None),
        (8000, 8000, "tcp", "security_groups = var.groups", State.YES),
        (8000, 8000, "tcp", 'cidr_blocks = ["10.0.0.0/16"]', State.YES),
        (8000, 8000, "tcp", 'cidr_blocks = ["0.0.0.0/0"]', State.YES),
        (8000, 8000, "tcp", 'cidr_blocks = ["203.0.113.0/24"]', None),
        (8000, 8000, "tcp", "cidr_blocks = [var.cidr]", State.YES),
        (8000, 8000, "tcp", 'prefix_list_ids = ["pl-1"]', State.YES),
    ],
)
def test_groups_of_tasks_let_in_what_the_load_balancer_sends(
    first: int, last: int, protocol: str, source: str, state: State | None
) -> None:
    network = "network_configuration {\n security_groups = [aws_security_group.task.id]\n }\n  load_balancer {"
    text = ecs().replace("load_balancer {", network)
    more = OF_TASK.replace("FIRST", str(first)).replace("LAST", str(last)).replace("PROTOCOL", protocol)
    assert reached(text + more.replace("SOURCE", source), f"{TASK}#port:8000") == state


@pytest.mark.parametrize(
    ("port", "address", "open_"),
    [(8000, "0.0.0.0/0", True), (8001, "0.0.0.0/0", False), (8000, "203.0.113.0/24", False)],
)
def test_templates_say_the_same_of_rules_and_groups(port: int, address: str, open_: bool) -> None:
    text = f"""Resources:
  Group: {{Type: AWS::EC2::SecurityGroup, Properties: {{SecurityGroupIngress: [{{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}}]}}}}
  Own: {{Type: AWS::EC2::SecurityGroup, Properties: {{GroupDescription: x}}}}
  In: {{Type: AWS::EC2::SecurityGroupIngress, Properties: {{GroupId: !GetAtt Own.GroupId, IpProtocol: tcp, FromPort: {port}, ToPort: {port}, SourceSecurityGroupId: !GetAtt Group.GroupId}}}}
  Lb: {{Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {{Scheme: internet-facing, SecurityGroups: [!GetAtt Group.GroupId]}}}}
  Tg: {{Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {{Port: 8000}}}}
  Listener: {{Type: AWS::ElasticLoadBalancingV2::Listener, Properties: {{LoadBalancerArn: !Ref Lb, Port: 443, DefaultActions: [{{Type: fixed-response}}]}}}}
  Rule: {{Type: AWS::ElasticLoadBalancingV2::ListenerRule, Properties: {{ListenerArn: !Ref Listener, Actions: [{{Type: forward, TargetGroupArn: !Ref Tg}}], Conditions: [{{Field: source-ip, SourceIpConfig: {{Values: [{address}]}}}}]}}}}
  Task: {{Type: AWS::ECS::TaskDefinition, Properties: {{Family: api, TaskRoleArn: arn:aws:iam::111122223333:role/task, ContainerDefinitions: [{{Name: a, Image: acme/api, PortMappings: [{{ContainerPort: 8000}}]}}]}}}}
  Service: {{Type: AWS::ECS::Service, Properties: {{TaskDefinition: !Ref Task, NetworkConfiguration: {{AwsvpcConfiguration: {{SecurityGroups: [!GetAtt Own.GroupId]}}}}, LoadBalancers: [{{TargetGroupArn: !Ref Tg, ContainerName: a, ContainerPort: 8000}}]}}}}
"""
    graph = assessed_files({"template.yaml": text}).graph
    assert bool([one for one in graph.edges if one.source == "internet"]) is open_
