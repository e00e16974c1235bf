"""``Search``: shortest walks over the states of a graph, certain edges before unknown ones, easy before hard.

A bucket queue (R. Dial, "Algorithm 360", 1969) over small integers, whose buckets are sets of bits: for each cost
that an arc can have, a state's successors are one integer, so a state is passed on by a few ORs. A walk that needs
an unknown edge costs more than any certain one of a thousand steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.assess.graph import DOUBT
from assaymark.assess.paths.closure import bits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assaymark.assess.graph import States
    from assaymark.core.graph import Edge


class Search:
    """The arcs of a graph's states, made once; ``tree`` asks for walks. Without ``unknown`` certain edges only."""

    def __init__(self, states: States, *, unknown: bool = True) -> None:
        count = len(states.arcs)
        self._ahead: dict[int, list[int]] = {}
        self._states = states
        self._back: list[list[int]] = [[] for _ in range(count)]
        self._unknown = unknown
        for source, (arcs, costs) in enumerate(zip(states.arcs, states.costs, strict=True)):
            for (target, _), cost in zip(arcs, costs, strict=True):
                if unknown or cost < DOUBT:
                    if cost not in self._ahead:
                        self._ahead[cost] = [0] * count
                    self._ahead[cost][source] |= 1 << target
                    self._back[target].append(source)

    def arcs(self) -> list[list[int]]:
        """For each state the states that it leads to, for ``Closure``."""
        return [
            [target for (target, _), cost in zip(arcs, costs, strict=True) if self._unknown or cost < DOUBT]
            for arcs, costs in zip(self._states.arcs, self._states.costs, strict=True)
        ]

    def tree(self, sources: Iterable[int], *, sure: bool = False) -> Tree:
        """The cheapest walks from any of the states to all others; with ``sure`` over certain edges alone."""
        cost: dict[int, int] = {}
        buckets = {0: sum(1 << source for source in set(sources))}
        level = done = 0
        free = self._ahead.get(0)
        while buckets:
            level = min(buckets)
            fresh = buckets.pop(level) & ~done
            while fresh:
                done |= fresh
                members = list(bits(fresh))
                cost.update(dict.fromkeys(members, level))
                for weight, ahead in self._ahead.items():
                    if weight and not (sure and weight >= DOUBT):
                        reached = buckets.get(level + weight, 0)
                        for state in members:
                            reached |= ahead[state]
                        if reached & ~done:
                            buckets[level + weight] = reached
                fresh = 0
                if free is not None:
                    for state in members:
                        fresh |= free[state]
                    fresh &= ~done
        return Tree(cost, self._back, self._states)


class Tree:
    """What ``Search.tree`` found: ``cost`` has the states that a walk leads to, each with its cost."""

    def __init__(self, cost: Mapping[int, int], back: Sequence[Sequence[int]], states: States) -> None:
        self.cost = cost
        self._back = back
        self._states = states

    def walk(self, state: int) -> tuple[Edge, ...]:
        """The edges of a cheapest walk to ``state``, in their order; the same one each time."""
        found: list[Edge] = []
        while self.cost[state]:
            state, edge = self._before(state)
            if edge is not None:
                found.append(edge)
        return tuple(reversed(found))

    def _before(self, state: int) -> tuple[int, Edge | None]:
        cost = self.cost[state]
        for source in self._back[state]:
            if self.cost.get(source, cost + 1) <= cost:
                arcs = zip(self._states.arcs[source], self._states.costs[source], strict=True)
                for (target, edge), weight in arcs:
                    if target == state and self.cost[source] + weight == cost:
                        return source, edge
        raise AssertionError("a state that a walk leads to has one before it")
