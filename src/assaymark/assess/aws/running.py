"""What instances, tasks and services of AWS run, as far as they say it: containers, and commands of scripts.

Sources: Amazon ECS Developer Guide, task definition parameters; AWS App Runner Developer Guide, "Service definition";
Amazon EC2 User Guide, "Run commands when you launch an EC2 instance with user data input"; Docker, ``docker run``.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.served import Served
from assaymark.assess.terraform.declared import declared
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import json_of, whole_number
from assaymark.formats.located import Map, listed, maps_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.terraform import TfResource

TASK: Final = "aws_ecs_task_definition"
SERVICE: Final = "aws_apprunner_service"
MACHINES: Final = ("aws_instance", "aws_launch_template")
CONTAINERS: Final = (TASK, SERVICE)
_RUNNER_PORT: Final = 8080  # of App Runner, which is told no other


def key_of(value: dict[str, Any], name: str) -> Any:
    """An entry as the API spells it, or CloudFormation."""
    return value.get(name, value.get(name[:1].upper() + name[1:]))


def task_containers(resource: TfResource) -> list[Served]:
    """The containers of a task definition or service, as Terraform or CloudFormation has them."""
    if resource.kind == SERVICE:
        return list(_of_service(resource))
    given = resource.get("container_definitions")
    found = []
    for one in listed(given if isinstance(given, list) else json_of(given, 1)):
        if not isinstance(one, dict):
            continue
        image = key_of(one, "image")
        ports = {
            port
            for item in listed(key_of(one, "portMappings"))
            if isinstance(item, dict) and (port := whole_number(key_of(item, "containerPort"))) is not None
        }
        words = " ".join(str(word) for name in ("entryPoint", "command") for word in listed(key_of(one, name)))
        variables = {
            str(key_of(item, "name")): str(key_of(item, "value") or "")
            for item in listed(key_of(one, "environment"))
            if isinstance(item, dict)
        }
        secrets = [item for item in listed(key_of(one, "secrets")) if isinstance(item, dict)]
        variables |= {str(key_of(item, "name")): "<set>" for item in secrets}
        if isinstance(image, str):
            place = resource.because("container_definitions")
            found.append(Served(resource.arn, image, words, place, frozenset(ports), variables))
    return found


def _of_service(resource: TfResource) -> Iterator[Served]:
    """The container of a service of App Runner that is made of an image."""
    for source in resource.blocks("source_configuration"):
        for image in maps_in(source.get("image_repository")):
            for said in maps_in(image.get("image_configuration")) or [Map(image.line)]:
                name, port = image.get("image_identifier"), whole_number(said.get("port")) or _RUNNER_PORT
                command = said.get("start_command")
                given = said.get("runtime_environment_variables")
                variables = {key: str(value) for key, value in given.items()} if isinstance(given, Map) else {}
                secrets = said.get("runtime_environment_secrets")
                variables |= dict.fromkeys(secrets, "<set>") if isinstance(secrets, Map) else {}
                words = command if isinstance(command, str) else ""
                if isinstance(name, str):
                    place = resource.because("source_configuration")
                    yield Served(resource.arn, name, words, place, frozenset((port,)), variables)


def served(estates: Estates) -> Iterator[Served]:
    """The containers of task definitions and services, and the scripts that instances start with."""
    kinds = declared(estates).by_kind
    for one in (each for kind in CONTAINERS for each in kinds.get(kind, ())):
        yield from task_containers(one)
    for one in (each for kind in MACHINES for each in kinds.get(kind, ())):
        yield machine(one)


def machine(one: TfResource) -> Served:
    """What an instance, or a template for some, runs when it starts."""
    return Served(one.arn, "", script_of(one), one.because("user_data"), script=True)


def script_of(one: TfResource) -> str:
    """What an instance runs when it starts; launch templates have it encoded."""
    text = one.get("user_data") or one.get("user_data_base64")
    if not isinstance(text, str):
        return ""
    if "\n" not in text and " " not in text and not isinstance(text, Unresolved):
        try:
            return b64decode(text, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return text
    return text
