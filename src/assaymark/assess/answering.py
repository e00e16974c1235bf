"""``draw_answer``: a server that asks nobody who calls gives what it has to whoever reaches its ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.graph import Builder
    from assaymark.assess.kubernetes.server_kinds import Server
    from assaymark.core.graph import Because


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
