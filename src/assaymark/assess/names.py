"""``find_node``: the node that a person means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import UsageError

if TYPE_CHECKING:
    from assaymark.assess.graph import Graph

_SHOWN = 10


def find_node(graph: Graph, text: str) -> str:
    """The id of a node by its id, else its name, else the end or a part of its id, when only one node fits.

    Raises:
        UsageError: ``node-unknown``, ``node-ambiguous``.
    """
    nodes = graph.nodes
    if text in nodes:
        return text
    ways = (
        [node.id for node in nodes.values() if node.name == text],
        [node.id for node in nodes.values() if node.id.endswith((f"/{text}", f":{text}"))],
        [node.id for node in nodes.values() if text.lower() in node.id.lower()],
    )
    for fits in ways:
        if len(fits) == 1:
            return fits[0]
        if fits:
            shown = ", ".join(fits[:_SHOWN]) + (" ..." if len(fits) > _SHOWN else "")
            raise UsageError("node-ambiguous", f"{text!r} fits {len(fits)} nodes", remedy=f"name one of {shown}")
    raise UsageError("node-unknown", f"no node of the graph is called {text!r}", remedy="--format json shows ids")
