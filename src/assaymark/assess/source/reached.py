"""Servers on machines, sites and services of clouds that ask nobody who calls, and that the internet reaches.

Those of a cluster have findings of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import INTERNET
from assaymark.assess.kubernetes.server_kinds import SERVERS
from assaymark.assess.rule import found
from assaymark.assess.source.rule_list import SERVER
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.rule import Seen
    from assaymark.core.graph import Edge
    from assaymark.core.report import Finding

_OPEN: Final = ("open-service", "open-read", "open-invoke")
_CALLED: Final = ("passes-answers", "passes-calls")  # of what a platform calls for who may


def check_reached(seen: Seen) -> Iterator[Finding]:
    """Findings about them; a path says the rest."""
    reached: dict[str, Edge] = {}
    callable_ = {one.target for one in seen.graph.edges if one.source == INTERNET and one.state is State.YES}
    for edge in seen.graph.edges:
        opened = edge.source == INTERNET or (edge.relation == "passes-requests" and edge.source in callable_)
        if opened and edge.state is State.YES and not edge.target.startswith("k8s:"):
            reached[edge.target] = edge
    for edge in seen.graph.edges:
        if edge.source in reached and edge.state is State.YES and _gives(edge):
            name = seen.graph.nodes[edge.source.partition("#port")[0]].name
            message = f"{name}, which the internet reaches: {edge.how}"
            places = (*edge.because, *reached[edge.source].because)
            yield found(SERVER, edge.target, message, places)


def _gives(edge: Edge) -> bool:
    """Whether it leads from a port of a workload, or from what may call it, to what its server gives."""
    workload, port, _ = edge.source.partition("#port")
    if port:
        return edge.relation in _OPEN and (edge.target == workload or edge.target.startswith(f"{workload}#"))
    return edge.relation in _CALLED and any(edge.target == f"{workload}#{one.name}" for one in SERVERS)
