"""What the internet reaches of clouds, and servers in it that ask nobody who calls: how both are drawn.

A cloud's own module says which ports of what are reached (``Way``) and what runs there (``Served``: a container, or
the script that a machine starts with); ``draw_reached`` puts them together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import INTERNET
from assaymark.assess.kubernetes.ports import doors, expanded, left_open, port_node, port_nodes, said_ports
from assaymark.assess.kubernetes.server_kinds import RAY
from assaymark.assess.kubernetes.servers import is_loopback, server_of
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from assaymark.assess.graph import Builder
    from assaymark.assess.kubernetes.server_kinds import Server
    from assaymark.core.graph import Because

_BEFORE: Final = re.compile(r"^\s*(?:(?:sudo|nohup|exec|time)\s+(?:-\w+\s+)*|[A-Z_][A-Z0-9_]*=\S*\s+)")
LAST_PORT: Final = 65535
_FEW: Final = 8  # ports of a range that are drawn one by one


@dataclass(frozen=True, slots=True)
class Way:
    """That the internet reaches a port of a workload (None: all of them), and what would decide it."""

    workload: str
    port: int | None
    how: str
    because: tuple[Because, ...]
    decides: tuple[str, ...] = ()


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

    def servers(self) -> Iterator[tuple[Server, frozenset[int]]]:
        """The servers in it that ask nobody who calls, with the ports they listen on; none where nobody knows."""
        for line in self.command.split("\n") if self.script else [self.command]:
            said = line
            while match := _BEFORE.match(said):
                said = said[match.end() :]
            said = said.strip()
            words = f"{self.image} {said}".strip()
            server = server_of(self.image, said, said.partition(" ")[0])
            if server is not None and not is_loopback(words) and not server.guarded(words, dict(self.variables)):
                yield server, self._ports(server, expanded(said, self.variables))

    def _ports(self, server: Server, said: str) -> frozenset[int]:
        """Those that it is told, else its usual ones, and what its container says it listens on."""
        told = said_ports(said)
        if server is RAY:
            return server.ports | told
        if told or left_open(said):
            return told
        return server.ports if server.ports & self.ports else server.ports | self.ports

    def listening(self) -> set[int]:
        """The ports of all of them."""
        return {port for _, ports in self.servers() for port in ports}


def draw_reached(builder: Builder, ways: Iterable[Way], served: Iterable[Served]) -> None:
    """The ways from the internet to ports of workloads that are drawn, and what answers there."""
    reached = [way for way in ways if builder.has(way.workload)]
    for way in reached:
        _draw(builder, way)
    nodes = port_nodes(builder.ids())
    workloads = {way.workload for way in reached}
    for one in served:
        if one.workload in workloads:
            shown = builder.known(one.workload).name
            for server, ports in one.servers():
                draw_answer(builder, one.workload, shown, server, one.because, doors(one.workload, ports, nodes))


def _draw(builder: Builder, way: Way) -> None:
    node, name = way.workload, builder.known(way.workload).name
    boundary = builder.boundary(node)
    builder.node(INTERNET, "internet", "internet", entry="internet")
    target = builder.node(port_node(node), "port", f"the ports of {name}", way.because[:1], boundary=boundary)
    if way.port is not None:
        whole, shown = target, f"port {way.port} of {name}"
        target = builder.node(port_node(node, way.port), "port", shown, way.because[:1], boundary=boundary)
        builder.edge(Edge(whole, target, "exposes", "it is one of them", way.because[:1], effort=0))
    state = State.UNKNOWN if way.decides else State.YES
    builder.edge(Edge(INTERNET, target, "reaches", way.how, way.because, state, way.decides))


def drawn_ports(ranges: Iterable[tuple[int, int]], listening: Iterable[int]) -> Iterator[int | None]:
    """The ports of ranges that are drawn: all at once (None), each of few, or those that something listens on."""
    found: set[int] = set()
    for first, last in ranges:
        if first <= 1 and last >= LAST_PORT:
            yield None
        elif last - first < _FEW:
            found |= set(range(first, last + 1))
        else:
            found |= {port for port in listening if first <= port <= last}
    yield from sorted(found)


def draw_answer(
    builder: Builder,
    workload: str,
    shown: str,
    server: Server,
    because: Because,
    ways: Iterable[tuple[str, tuple[str, ...]]],
) -> None:
    """The edges from each way (the node of a port, with what would decide that it leads there) to what is served.

    ``shown``: what the workload is called. A server that runs what it is sent gives the workload itself.
    """
    how = f"{server.name} asks for no authentication"
    if server.gives == "run":
        for way, unsure in ways:
            state = State.UNKNOWN if unsure else State.YES
            words = f"{how} and runs what it is sent"
            builder.edge(Edge(way, workload, "open-service", words, (because,), state, unsure))
        return
    boundary = builder.boundary(workload)
    kind, target = ("endpoint", "endpoint") if server.gives == "invoke" else ("database", "data")
    node = builder.node(
        f"{workload}#{server.name}",
        kind,
        f"{server.name} of {shown}",
        (because,),
        boundary=boundary,
        target="tenant-data" if boundary.get("tenant") and target == "data" else target,
    )
    for relation in ("open-invoke",) if server.gives == "invoke" else ("open-read", "open-write"):
        for way, unsure in ways:
            state = State.UNKNOWN if unsure else State.YES
            builder.edge(Edge(way, node, relation, how, (because,), state, unsure))
