"""``Served``: what a workload of a cloud runs, and the servers in it that ask nobody who calls.

Sources: the documentation of each server on authentication; Docker, ``docker run``; cloud-init, "User data formats".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from assaymark.assess.kubernetes.ports import expanded, left_open, port_number, said_ports
from assaymark.assess.kubernetes.server_kinds import RAY
from assaymark.assess.kubernetes.servers import is_loopback, server_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.kubernetes.server_kinds import Server
    from assaymark.core.graph import Because

_BEFORE: Final = re.compile(
    r"^\s*(?:(?:sudo|nohup|exec|time|-)\s+(?:-\w+\s+)*|[A-Z_][A-Z0-9_]*=\S*\s+|ExecStart=\S*?)"
)
_INSTALLS: Final = re.compile(
    r"^(?:pip[\d.]*|conda|mamba|apt(?:-get)?|yum|dnf|uv|echo|#|python[\d.]* -m pip)(?:\s|$)"
)
_GIVEN: Final = re.compile(  # variables that a script sets, or hands to a container
    r"(?:^|\s)(?:export\s+|--env=)?([A-Z][A-Z0-9_]*)=(\S+)|(?:^|\s)(?:-e|--env)[= ]([A-Z][A-Z0-9_]*)(?=\s)",
    re.MULTILINE,
)
_DOCKER: Final = re.compile(r"^(?:docker|podman|nerdctl)\s+(?:container\s+)?run\s")
_TAKES: Final = re.compile(
    r"-[pveuwmlh]|--(?:publish|volume|env|name|network|net|gpus|restart|shm-size|ipc|user|workdir|env-file|entrypoint"
    r"|runtime|memory|cpus|hostname|label|mount|device|ulimit|platform|pull|log-driver|log-opt|add-host|cap-add)"
)


class Started(NamedTuple):
    """A server that asks nobody who calls: the ports that it listens on, and the words that start it."""

    server: Server
    ports: frozenset[int]
    words: str


@dataclass(frozen=True, slots=True)
class Served:
    """A container that a workload runs: image, command, the ports and variables that it has.

    ``script``: the command is that of a machine, line by line, and there is no image. ``called``: the platform calls
    it for whoever may call the workload.
    """

    workload: str
    image: str
    command: str
    because: Because
    ports: frozenset[int] = frozenset()
    variables: Mapping[str, str] = field(default_factory=dict)
    script: bool = False
    called: bool = False

    def servers(self) -> Iterator[Started]:
        """The servers in it that ask nobody who calls."""
        if self.script:
            whole = self.command.replace("\\\n", " ")
            given = {match[1] or match[3]: match[2] or "<set>" for match in _GIVEN.finditer(whole)}
            for line in whole.split("\n"):
                yield from _of_line(line, {**given, **self.variables})
            return
        words = f"{self.image} {self.command}".strip()
        server = server_of(self.image, self.command, self.command.partition(" ")[0])
        if server is None or is_loopback(words) or server.guarded(words, dict(self.variables)):
            return
        said = expanded(self.command, self.variables)
        ports = frozenset[int]() if left_open(said) else _listens(server, said_ports(said))
        if ports and ports == server.ports and not server.ports & self.ports:
            ports |= self.ports
        yield Started(server, ports, " ".join((words, *self.variables.values())))

    def listening(self) -> set[int]:
        """The ports of all of them."""
        return {port for one in self.servers() for port in one.ports}


def _of_line(line: str, variables: dict[str, str]) -> Iterator[Started]:
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
    if server is not None and not is_loopback(said) and not server.guarded(f"{image} {said}", variables):
        yield Started(server, _listens(server, ports), said)


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
            outside = port_number(parts[-2]) if len(parts) > 1 else None
            inner = len(parts) > 2 and parts[0] in ("127.0.0.1", "localhost")  # noqa: PLR2004 - address and two ports
            if outside is not None and not inner:
                ports.add(outside)
        bound |= name in ("--network", "--net") and value == "host"
        at += 1
    image = words[at] if at < len(words) else ""
    return image, " ".join(words[at + 1 :]), frozenset(ports) if ports or bound else None
