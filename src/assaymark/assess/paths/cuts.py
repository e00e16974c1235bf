"""``minimum_cut``: the fewest edges whose removal leaves no walk from the sources to the targets (choke points).

Augmenting along shortest paths with unit capacities (J. Edmonds and R. Karp, 1972), levels as E. Dinic has them;
edges that no configuration changes have no limit. The cut found is the one nearest to the targets, where one fix
serves most.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import RELATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.graph import States
    from assaymark.core.graph import Edge

_ENDLESS: Final = 1 << 30


class _Flow:
    """A residual network: arcs in pairs, ``i`` and ``i ^ 1`` being each other's way back."""

    def __init__(self, count: int) -> None:
        self.to: list[int] = []
        self.left: list[int] = []
        self.out: list[list[int]] = [[] for _ in range(count)]

    def add(self, source: int, target: int, capacity: int) -> int:
        index = len(self.to)
        self.to += (target, source)
        self.left += (capacity, 0)
        self.out[source].append(index)
        self.out[target].append(index + 1)
        return index

    def levels(self, source: int) -> list[int]:
        level = [-1] * len(self.out)
        level[source] = 0
        queue = deque((source,))
        while queue:
            vertex = queue.popleft()
            for arc in self.out[vertex]:
                if self.left[arc] and level[self.to[arc]] < 0:
                    level[self.to[arc]] = level[vertex] + 1
                    queue.append(self.to[arc])
        return level

    def push(self, source: int, target: int, level: list[int], at: list[int]) -> int:
        """One augmenting walk along the levels; what went through, 0 when there is none."""
        walk: list[int] = []
        vertex = source
        while vertex != target:
            arcs = self.out[vertex]
            while at[vertex] < len(arcs):
                arc = arcs[at[vertex]]
                if self.left[arc] and level[self.to[arc]] == level[vertex] + 1:
                    break
                at[vertex] += 1
            else:
                if not walk:
                    return 0
                vertex = self.to[walk.pop() ^ 1]
                at[vertex] += 1
                continue
            walk.append(arc)
            vertex = self.to[arc]
        amount = min(self.left[arc] for arc in walk)
        for arc in walk:
            self.left[arc] -= amount
            self.left[arc ^ 1] += amount
        return amount


def minimum_cut(states: States, sources: Iterable[int], targets: Iterable[int]) -> tuple[Edge, ...] | None:
    """The edges of a smallest cut, sorted; empty when nothing leads there; None when no cut separates.

    Unknown edges count as there: what may be so must be cut too.
    """
    starts, ends = set(sources), set(targets)
    number = {state: index for index, state in enumerate(sorted(_leading(states, ends)))}
    count = len(number)
    flow = _Flow(count + 2)
    start, end = count, count + 1
    edges: dict[int, tuple[int, Edge]] = {}
    for state, target in number.items():
        for before, edge in states.back[state]:
            source = number.get(before)
            if source is None:
                continue
            if edge is not None and RELATIONS[edge.relation].cuttable:
                edges[flow.add(source, target, 1)] = (source, edge)
            else:
                flow.add(source, target, _ENDLESS)
    for state in starts & number.keys():
        flow.add(start, number[state], _ENDLESS)
    for state in ends & number.keys():
        flow.add(number[state], end, _ENDLESS)
    total = 0
    while (level := flow.levels(start))[end] >= 0:
        at = [0] * (count + 2)
        while amount := flow.push(start, end, level, at):
            total += amount
            if total >= _ENDLESS:
                return None
    behind = _before(flow, end)
    return tuple(
        sorted(
            (edge for arc, (source, edge) in edges.items() if flow.to[arc] in behind and source not in behind),
            key=lambda edge: (edge.source, edge.relation, edge.target),
        )
    )


def _leading(states: States, ends: set[int]) -> set[int]:
    """The states that lead to the ends: others have no part in any cut."""
    found = set(ends)
    pending = list(ends)
    while pending:
        for before, _ in states.back[pending.pop()]:
            if before not in found:
                found.add(before)
                pending.append(before)
    return found


def _before(flow: _Flow, end: int) -> set[int]:
    """The vertices from which the residual network still leads to ``end``."""
    found = {end}
    queue = deque((end,))
    while queue:
        vertex = queue.popleft()
        for arc in flow.out[vertex]:
            other = flow.to[arc]
            if flow.left[arc ^ 1] and other not in found:
                found.add(other)
                queue.append(other)
    return found
