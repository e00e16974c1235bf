"""What the internet reaches of clouds, and servers in it that ask nobody who calls: how both are drawn.

A cloud's own module says which ports of what are reached (``Way``) and what runs there (``Served``: a container, or
the script that a machine starts with); ``draw_reached`` puts them together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import INTERNET
from assaymark.assess.kubernetes.ports import doors, port_node, port_nodes
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assaymark.assess.graph import Builder
    from assaymark.assess.kubernetes.server_kinds import Server
    from assaymark.assess.served import Served
    from assaymark.core.graph import Because

_BUCKET: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{2,62}")
LAST_PORT: Final = 65535
# What leads to what a server gives, from its port and, where a platform calls it, from who may call the workload.
_BY_PORT: Final = {"run": ("open-service",), "invoke": ("open-invoke",), "data": ("open-read", "open-write")}
_BY_CALL: Final = {"run": ("passes-calls",), "invoke": ("passes-calls",), "data": ("passes-answers", "passes-data")}


@dataclass(frozen=True, slots=True)
class Way:
    """That the internet reaches a port of a workload (None: all of them), and what would decide it.

    ``source``: what passes on to it, where that is not the internet itself.
    """

    workload: str
    port: int | None
    how: str
    because: tuple[Because, ...]
    decides: tuple[str, ...] = ()
    source: str = INTERNET


def draw_reached(builder: Builder, ways: Iterable[Way], served: Iterable[Served]) -> None:
    """The ways from the internet to ports of workloads that are drawn, and what answers there."""
    reached = [way for way in ways if builder.has(way.workload)]
    for way in reached:
        if ":function:" in way.workload:
            _call(builder, way)
        else:
            _draw(builder, way)
    nodes = port_nodes(builder.ids())
    workloads = {way.workload for way in reached}
    for one in served:
        called = one.called and builder.has(one.workload)
        for server, ports, words in one.servers() if called or one.workload in workloads else ():
            about = (builder, one.workload, builder.known(one.workload).name, server, one.because)
            if one.workload in workloads:
                draw_answer(*about, doors(one.workload, ports, nodes), words)
            if called:
                draw_answer(*about, ((one.workload, ()),), words, _BY_CALL)


def _call(builder: Builder, way: Way) -> None:
    """A function is called by what passes on to it."""
    builder.node(INTERNET, "internet", "internet", entry="internet")
    state = State.UNKNOWN if way.decides else State.YES
    relation = "open-invoke" if way.source == INTERNET else "passes-calls"
    builder.edge(Edge(way.source, way.workload, relation, way.how, way.because, state, way.decides))


def _draw(builder: Builder, way: Way) -> None:
    node, name = way.workload, builder.known(way.workload).name
    boundary = builder.boundary(node)
    builder.node(INTERNET, "internet", "internet", entry="internet")
    target = builder.node(port_node(node), "port", f"any port of {name}", way.because[:1], boundary=boundary)
    if way.port is not None:
        whole, shown = target, f"port {way.port} of {name}"
        target = builder.node(port_node(node, way.port), "port", shown, way.because[:1], boundary=boundary)
        builder.edge(Edge(whole, target, "exposes", "it is one of them", way.because[:1], effort=0))
    state = State.UNKNOWN if way.decides else State.YES
    relation = "reaches" if way.source == INTERNET else "passes-requests"
    builder.edge(Edge(way.source, target, relation, way.how, way.because, state, way.decides))


def draw_answer(
    builder: Builder,
    workload: str,
    shown: str,
    server: Server,
    because: Because,
    ways: Iterable[tuple[str, tuple[str, ...]]],
    words: str = "",
    relations: Mapping[str, tuple[str, ...]] = _BY_PORT,
) -> None:
    """The edges from each way (the node of a port, with what would decide that it leads there) to what is served.

    ``relations``: of these edges, by what the server gives. ``shown``: what the workload is called. A server that
    runs what it is sent gives the workload itself. ``words``: what starts it; the buckets that these name are where
    it keeps what it serves.
    """
    how = f"{server.name} asks for no authentication"
    if server.gives == "run":
        for way, unsure in ways:
            state = State.UNKNOWN if unsure else State.YES
            said = f"{how} and runs what it is sent"
            end = workload
            if way == workload:  # who may call it calls its server, which is another thing than holding it
                end = builder.node(f"{workload}#{server.name}", "endpoint", f"{server.name} of {shown}", (because,))
                builder.edge(Edge(end, workload, "runs-input", said, (because,), state, unsure))
            builder.edge(Edge(way, end, relations["run"][0], said, (because,), state, unsure))
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
    for relation in relations["invoke" if server.gives == "invoke" else "data"]:
        for way, unsure in ways:
            state = State.UNKNOWN if unsure else State.YES
            builder.edge(Edge(way, node, relation, how, (because,), state, unsure))
    for bucket in sorted({match[0] for match in _BUCKET.finditer(words)}) if server.gives == "data" else ():
        store = f"arn:aws:s3:::{bucket[5:]}"
        if builder.has(store):
            kept = f"{server.name} keeps there what it serves"
            for relation in ("contains-read", "contains-write"):
                builder.edge(Edge(node, store, relation, kept, (because,), effort=0))
