"""Servers of AWS's instances, tasks and services that ask nobody who calls, and that the internet reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import INTERNET
from assaymark.assess.rule import found
from assaymark.assess.source.rule_list import SERVER
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.rule import Seen
    from assaymark.core.graph import Edge
    from assaymark.core.report import Finding

_OPEN: Final = ("open-service", "open-read", "open-invoke")


def check_reached(seen: Seen) -> Iterator[Finding]:
    """Findings about them; a path says the rest."""
    reached: dict[str, Edge] = {}
    callable_ = {one.target for one in seen.graph.edges if one.source == INTERNET and one.state is State.YES}
    for edge in seen.graph.edges:
        opened = edge.source == INTERNET or (edge.relation == "passes-requests" and edge.source in callable_)
        if opened and edge.state is State.YES and "#port" in edge.target and edge.target.startswith("arn:aws:"):
            reached[edge.target] = edge
    for edge in seen.graph.edges:
        if edge.relation in _OPEN and edge.source in reached and edge.state is State.YES:
            workload = edge.source.partition("#port")[0]
            if edge.target == workload or edge.target.startswith(f"{workload}#"):
                name = seen.graph.nodes[workload].name
                message = f"{name}, which the internet reaches: {edge.how}"
                places = (*edge.because, *reached[edge.source].because)
                yield found(SERVER, edge.target, message, places)
