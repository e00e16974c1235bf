"""What instances, tasks and services of AWS run, as far as they say it: containers, and commands of scripts.

Sources: Amazon ECS Developer Guide, task definition parameters; AWS App Runner Developer Guide, "Service definition";
Amazon EC2 User Guide, "Run commands when you launch an EC2 instance with user data input"; Docker, ``docker run``.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assaymark.assess.kubernetes.ports import said_ports
from assaymark.assess.kubernetes.server_kinds import RAY
from assaymark.assess.kubernetes.servers import is_loopback, server_of
from assaymark.assess.unresolved import Unresolved
from assaymark.assess.values import json_of, listed
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.terraform import TfResource
    from assaymark.assess.kubernetes.server_kinds import Server
    from assaymark.core.graph import Because

TASK: Final = "aws_ecs_task_definition"
SERVICE: Final = "aws_apprunner_service"
MACHINES: Final = ("aws_instance", "aws_launch_template")
CONTAINERS: Final = (TASK, SERVICE)
_RUNNER_PORT: Final = 8080  # of App Runner, which is told no other
_BEFORE: Final = re.compile(
    r"^\s*(?:(?:sudo|nohup|exec|time|-)\s+(?:-\w+\s+)*|[A-Z_][A-Z0-9_]*=\S*\s+|ExecStart=\S*?)"
)
_INSTALLS: Final = re.compile(
    r"^(?:pip[\d.]*|conda|mamba|apt(?:-get)?|yum|dnf|uv|echo|#|python[\d.]* -m pip)(?:\s|$)"
)
_DOCKER: Final = re.compile(r"^(?:docker|podman|nerdctl)\s+(?:container\s+)?run\s")
_TAKES: Final = re.compile(
    r"-[pveuwmlh]|--(?:publish|volume|env|name|network|net|gpus|restart|shm-size|ipc|user|workdir|env-file|entrypoint"
    r"|runtime|memory|cpus|hostname|label|mount|device|ulimit|platform|pull|log-driver|log-opt|add-host|cap-add)"
)


@dataclass(frozen=True, slots=True)
class TaskContainer:
    """A container: image, words of its command, ports, variables."""

    image: str
    command: tuple[str, ...]
    ports: frozenset[int]
    variables: dict[str, str]


class Started(NamedTuple):
    """A server that asks nobody who calls: where that is said, the ports it listens on, the words that start it."""

    server: Server
    because: Because
    ports: frozenset[int]
    words: str


def key_of(value: dict[str, Any], name: str) -> Any:
    """An entry as the API spells it, or CloudFormation."""
    return value.get(name, value.get(name[:1].upper() + name[1:]))


def number(value: Any) -> int | None:
    """A port's number, of a text too."""
    if isinstance(value, (bool, Unresolved)):
        return None
    if isinstance(value, (int, float)):
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() else None


def task_containers(resource: TfResource) -> list[TaskContainer]:
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
            if isinstance(item, dict) and (port := number(key_of(item, "containerPort"))) is not None
        }
        words = tuple(str(word) for name in ("entryPoint", "command") for word in listed(key_of(one, name)))
        variables = {
            str(key_of(item, "name")): str(key_of(item, "value") or "")
            for item in listed(key_of(one, "environment"))
            if isinstance(item, dict)
        }
        secrets = [item for item in listed(key_of(one, "secrets")) if isinstance(item, dict)]
        variables |= {str(key_of(item, "name")): "<set>" for item in secrets}
        if isinstance(image, str):
            found.append(TaskContainer(image, words, frozenset(ports), variables))
    return found


def _of_service(resource: TfResource) -> Iterator[TaskContainer]:
    """The container of a service of App Runner that is made of an image."""
    for source in resource.blocks("source_configuration"):
        for image in _maps(source.get("image_repository")):
            for said in _maps(image.get("image_configuration")) or [Map(image.line)]:
                name, port = image.get("image_identifier"), number(said.get("port")) or _RUNNER_PORT
                command = said.get("start_command")
                given = said.get("runtime_environment_variables")
                variables = {key: str(value) for key, value in given.items()} if isinstance(given, Map) else {}
                secrets = said.get("runtime_environment_secrets")
                variables |= dict.fromkeys(secrets, "<set>") if isinstance(secrets, Map) else {}
                words = tuple(command.split()) if isinstance(command, str) else ()
                if isinstance(name, str):
                    yield TaskContainer(name, words, frozenset((port,)), variables)


def _maps(value: Any) -> list[Map]:
    return [one for one in ([value] if isinstance(value, Map) else listed(value)) if isinstance(one, Map)]


def started(one: TfResource) -> Iterator[Started]:
    """The servers that ask nobody who calls, of an instance's script or of containers."""
    if one.kind in MACHINES:
        for line in script_of(one).replace("\\\n", " ").split("\n"):
            yield from _of_line(one, line)
    elif one.kind in CONTAINERS:
        for container in task_containers(one):
            words = " ".join((container.image, *container.command))
            said = " ".join(container.command)
            server = server_of(container.image, said, container.command[0] if container.command else "")
            if server is None or is_loopback(words) or server.guarded(words, container.variables):
                continue
            ports = _listens(server, said_ports(said))
            if ports == server.ports and not server.ports & container.ports:
                ports |= container.ports
            everything = " ".join((words, *container.variables.values()))
            place = "container_definitions" if one.kind == TASK else "source_configuration"
            yield Started(server, one.because(place), ports, everything)


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


def _of_line(one: TfResource, line: str) -> Iterator[Started]:
    said = line
    while match := _BEFORE.match(said):
        if not match.end():
            break
        said = said[match.end() :]
    said = said.strip()
    if not said or _INSTALLS.match(said):
        return
    image, ports = "", said_ports(said)
    if _DOCKER.match(said):
        image, said, published = _docker(said.split())
        if published is None:
            return  # to this machine alone
        ports = published
    server = server_of(image, said, said.partition(" ")[0])
    if server is not None and not is_loopback(said) and not server.guarded(f"{image} {said}", {}):
        yield Started(server, one.because("user_data"), _listens(server, ports), said)


def _listens(server: Server, told: frozenset[int]) -> frozenset[int]:
    """The ports that it is told, else its usual ones; Ray is told one of several."""
    return server.ports | told if server is RAY or not told else told


def _docker(words: list[str]) -> tuple[str, str, frozenset[int] | None]:
    """Image and command of ``docker run``, and the ports of the host; None where only the host itself calls."""
    at = words.index("run") + 1
    ports: set[int] = set()
    bound = False
    while at < len(words) and words[at].startswith("-"):
        name, _, value = words[at].partition("=")
        if not value and _TAKES.fullmatch(name) and at + 1 < len(words):
            at, value = at + 1, words[at + 1]
        if name in ("-p", "--publish"):
            parts = value.removesuffix("/tcp").split(":")
            outside = number(parts[-2]) if len(parts) > 1 else None
            inner = len(parts) > 2 and parts[0] in ("127.0.0.1", "localhost")  # noqa: PLR2004 - address and two ports
            if outside is not None and not inner:
                ports.add(outside)
        bound |= name in ("--network", "--net") and value == "host"
        at += 1
    image = words[at] if at < len(words) else ""
    return image, " ".join(words[at + 1 :]), frozenset(ports) if ports or bound else None
