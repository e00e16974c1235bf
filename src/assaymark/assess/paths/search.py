"""``Search``: shortest walks over the states of a graph, certain edges before unknown ones, easy before hard.

A bucket queue (R. Dial, "Algorithm 360", 1969) over small integer costs. A walk that needs an unknown edge costs more
than any certain one, so an answer with an unknown edge says that there is no certain way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assaymark.assess.graph import States
    from assaymark.core.graph import Edge

STEP: Final = 1
EFFORT: Final = 4
DOUBT: Final = 1024  # an unknown edge weighs as much as many certain ones


class Search:
    """Walks from one state; made once for each source that is asked about."""

    def __init__(self, states: States, *, unknown: bool = True) -> None:
        self._states = states
        self._arcs: list[list[tuple[int, int, Edge | None]]] = [
            [
                (target, _cost(edge), edge)
                for target, edge in arcs
                if edge is None or unknown or edge.state is State.YES
            ]
            for arcs in states.arcs
        ]

    def arcs(self) -> list[list[int]]:
        """For each state the states that it leads to, for ``Closure``."""
        return [[target for target, _, _ in arcs] for arcs in self._arcs]

    def tree(self, sources: Iterable[int]) -> Tree:
        """The cheapest walks from any of the states to all others."""
        count = len(self._arcs)
        cost = [-1] * count
        came: list[tuple[int, Edge | None] | None] = [None] * count
        buckets: list[list[int]] = [[]]
        for source in sources:
            cost[source] = 0
            buckets[0].append(source)
        done = bytearray(count)
        level = 0
        while level < len(buckets):
            for state in buckets[level]:
                if done[state] or cost[state] != level:
                    continue
                done[state] = 1
                for target, weight, edge in self._arcs[state]:
                    total = level + weight
                    if not done[target] and (cost[target] < 0 or total < cost[target]):
                        cost[target] = total
                        came[target] = (state, edge)
                        while len(buckets) <= total:
                            buckets.append([])
                        buckets[total].append(target)
            level += 1
        return Tree(cost, came)


def _cost(edge: Edge | None) -> int:
    if edge is None:
        return 0
    return STEP + EFFORT * edge.effort + (DOUBT if edge.state is State.UNKNOWN else 0)


class Tree:
    """What ``Search.tree`` found. ``cost[s]`` is -1 where no walk leads."""

    def __init__(self, cost: Sequence[int], came: Sequence[tuple[int, Edge | None] | None]) -> None:
        self.cost = cost
        self._came = came

    def walk(self, state: int) -> tuple[Edge, ...]:
        """The edges of the cheapest walk to ``state``, in their order."""
        found = []
        step = self._came[state]
        while step is not None:
            state, edge = step
            if edge is not None:
                found.append(edge)
            step = self._came[state]
        return tuple(reversed(found))
