"""``open_servers``: which servers a pod's containers run, and whether they ask who calls and encrypt.

What a container runs is read from its image, command, arguments and variables. An image whose command is an
interpreter, a shell or a client runs what that says and no server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.ports import declared_ports, expanded, left_open, said_ports
from assaymark.assess.kubernetes.server_kinds import KSERVE, RAY, SERVERS, Server
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.graph import Because

_CLIENTS: Final = frozenset(
    (
        *("python", "python3", "sh", "bash", "ash", "sleep", "curl", "wget", "redis-cli", "mc", "psql", "kubectl"),
        *("cp", "cat", "echo", "test", "mkdir", "chown", "chmod", "pip", "git", "aws", "gsutil", "gcloud", "tail"),
        *("huggingface-cli", "hf", "nvidia-smi", "true", "sysctl", "crane", "skopeo"),
    )
)
_LOOPBACK: Final = re.compile(
    r"--(?:[\w-]+[.-])?(?:host|ip|bind|bind-addr|address|http-host|listen)[= ]['\"]?(?:127\.0\.0\.1|localhost)\b"
)
_FILE: Final = re.compile(r"[\w./-]+\.(?:conf|cfg|ini|ya?ml|toml|properties|json|py)\b")
_ASKED: Final = "security.opendatahub.io/enable-auth"


@dataclass(frozen=True, slots=True)
class Running:
    """A server that a container runs. ``authenticated`` and ``tls`` as its words and variables say.

    ``perhaps``: what may ask for authentication though they do not say so, and is not in the container's words.
    ``ports``: those that it listens on; none where nobody knows.
    """

    server: Server
    authenticated: bool
    tls: bool
    because: Because
    perhaps: str = ""
    ports: frozenset[int] = frozenset()


def open_servers(pod: Pod) -> list[Running]:
    """The servers that a pod's containers run and that others can reach."""
    if pod.is_template:
        return []
    found = []
    ray = pod.owner.kind in ("RayCluster", "RayService", "RayJob")
    if ray and pod.where == "submitterPodTemplate":
        return []  # a client that hands a job in
    for container in pod.containers():
        words = container_words(container)
        server = _server(container, words)
        if ray and server is not RAY and not _commanded(server, words):
            continue  # an image that brings a server along; what starts in it is Ray
        if server is None or _LOOPBACK.search(words):
            continue
        variables = container_variables(container)
        authenticated = server.guarded(words, variables)
        perhaps = "" if authenticated else _perhaps(server, container, words)
        place, ports = pod.because(container), _ports(server, container, words)
        found.append(Running(server, authenticated, server.tls(words, variables), place, perhaps, ports))
    if ray and not any(one.server is RAY for one in found):
        variables = {}
        for container in pod.containers():
            variables |= container_variables(container)
        guarded, tls = RAY.guarded("", variables), RAY.tls("", variables)
        found.append(Running(RAY, guarded, tls, pod.because(), ports=RAY.ports))
    if pod.owner.kind == "InferenceService" and not found:
        asked = pod.owner.labels("annotations").get(_ASKED) == "true"
        found.append(Running(KSERVE, asked, tls=False, because=pod.because()))
    return found


def _ports(server: Server, container: Map, words: str) -> frozenset[int]:
    """Those that it is told, else its usual ones; a container that says it listens elsewhere is believed, too."""
    words = expanded(words, container_variables(container))
    told, declared = said_ports(words), declared_ports(container)
    if server is RAY:
        return server.ports | told
    if told:
        return told
    if left_open(words):
        return frozenset()
    return server.ports if server.ports & declared else server.ports | declared


def _commanded(server: Server | None, words: str) -> bool:
    """Whether the container's words start the server, not its image alone."""
    said = words.partition(" ")[2]
    return server is not None and server.command is not None and bool(server.command.search(said))


def _server(container: Map, words: str) -> Server | None:
    command = container.get("command")
    first = str(command[0]) if isinstance(command, list) and command else ""
    image, _, said = words.partition(" ")
    return server_of(image, said, first)


def server_of(image: str, said: str, first: str) -> Server | None:
    """The server that an image runs when it is started with ``said``; ``first`` is the command's first word."""
    for server in SERVERS:
        if server.command is not None and server.command.search(said):
            return server
    if first.rpartition("/")[2] in _CLIENTS:
        return None
    return next((server for server in SERVERS if server.image.search(image)), None)


def is_loopback(said: str) -> bool:
    """Whether a command says that only the same machine may connect."""
    return bool(_LOOPBACK.search(said))


def _perhaps(server: Server, container: Map, words: str) -> str:
    """What of a container may hold the setting that its words lack."""
    file = _FILE.search(words.partition(" ")[2])
    if file is not None and server.configured:
        return f"its configuration {file[0]}"
    if container.get("envFrom") and server.by_variable:
        return "a variable from elsewhere (envFrom)"
    return ""


def container_words(container: Map) -> str:
    """Image, command and arguments of a container as one text."""
    parts = [str(container.get("image", ""))]
    for key in ("command", "args"):
        value = container.get(key)
        parts += [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []
    return " ".join(parts)


def container_variables(container: Map) -> dict[str, str]:
    """Its environment; a value from elsewhere is ``<set>``."""
    found = {}
    for item in listed(container.get("env")):
        if isinstance(item, Map) and isinstance(item.get("name"), str):
            value = item.get("value")
            found[item["name"]] = (
                "<set>" if value is None and "valueFrom" in item else str(value if value is not None else "")
            )
    return found
