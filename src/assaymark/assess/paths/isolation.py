"""``isolated``: no walk leads from A to B, shown by the closed set; or the walk that does.

The proof is the set of all that A can hold: it contains A, no edge leaves it, B is not in it. ``check_isolation``
holds a proof against a graph without searching, so that whoever doubts the search need not trust it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.assess.kinds import RELATIONS
from assaymark.assess.paths.search import Search
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from assaymark.assess.graph import Graph, States
    from assaymark.core.graph import Edge


@dataclass(frozen=True, slots=True)
class Isolation:
    """``state``: YES with the closed set; NO with a certain walk; UNKNOWN with a walk over unknown edges.

    ``closed``: (node, mode) pairs. ``graph`` is the digest of the graph that this is about. ``decides``: what would
    settle an unknown answer; where files could not be read, it is unknown with the closed set of what was.
    """

    source: str
    target: str
    state: State
    graph: str
    closed: tuple[tuple[str, str], ...] = ()
    walk: tuple[Edge, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def decides(self) -> tuple[str, ...]:
        """What would decide it."""
        return (
            *(text for edge in self.walk for text in edge.decides),
            *(f"what {path} says, which could not be read" for path in self.unread),
        )


def isolated(states: States, source: str, target: str, unread: Iterable[str] = ()) -> Isolation:
    """Whether who controls ``source`` can hold ``target`` in any mode. Both are ids of nodes.

    ``unread``: files that may hold more edges.
    """
    digest = states.graph.digest()
    start = states.number[source, "control"]
    for unknown, answer in ((False, State.NO), (True, State.UNKNOWN)):  # a certain walk, however long, comes first
        tree = Search(states, unknown=unknown).tree([start])
        reached = [state for state in states.of(target) if state in tree.cost]
        if reached:
            walk = tree.walk(min(reached, key=lambda state: tree.cost[state]))
            return Isolation(source, target, answer, digest, walk=walk)
    closed = tuple(sorted(states.states[i] for i in tree.cost))
    left = tuple(unread)
    return Isolation(source, target, State.UNKNOWN if left else State.YES, digest, closed=closed, unread=left)


def check_isolation(
    graph: Graph, source: str, target: str, closed: Collection[tuple[str, str]], modes: Collection[str] = ()
) -> str:
    """Why the closed set proves nothing, empty when it does prove that ``source`` cannot hold ``target``.

    ``modes``: the modes of the target that matter; none means all.
    """
    members = frozenset(closed)
    if (source, "control") not in members:
        return f"{source} is not in the set"
    for node, mode in sorted(members):
        if node not in graph.nodes:
            return f"there is no node {node}"
        if node == target and (not modes or mode in modes):
            return f"{target} is in the set"
    controlled = {node for node, mode in members if mode == "control"}
    for edge in graph.edges:
        relation = RELATIONS[edge.relation]
        held = (edge.source, relation.needs) in members or edge.source in controlled
        if held and (edge.target, relation.gives) not in members and edge.target not in controlled:
            return f"an edge leaves the set: {edge.source} {edge.relation} {edge.target}"
    return ""
