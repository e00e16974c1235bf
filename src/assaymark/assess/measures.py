"""``measure``: how much access a change took away, over the inventory of before.

P is the set of triples (principal, action class, resource) by any walk, N the needed ones. Unknown conditions count
as unreachable before and reachable after, so that no reduction is claimed which is not sure. Raw reduction is 1 -
|P1|/|P0|, excess reduction 1 - |P1 without N|/|P0 without N|; N must lie within P1. What new principals and
resources give is counted apart: it is in neither, and a change that moves access there has not taken it away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.assess.paths.closure import bits

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from assaymark.assess.graph import Graph
    from assaymark.assess.reach import Reach
    from assaymark.core.graph import Node

Needed = tuple[str, str, str]  # ids of principal and resource, the action class between them
_BOUNDARIES: Final = ("account", "environment", "tenant", "domain")


@dataclass(frozen=True, slots=True)
class Measures:
    """Counts of triples; ``lost`` are needed ones that are not allowed after. Ratios may be None.

    ``new``: those after whose principal or resource was not there before; ``cross_boundary_new`` of them.
    """

    before: int
    after: int
    needed: int
    excess_before: int
    excess_after: int
    cross_boundary_before: int
    cross_boundary_after: int
    new: int
    cross_boundary_new: int
    lost: tuple[Needed, ...]

    @property
    def raw_reduction(self) -> float | None:
        """1 - |P1|/|P0|."""
        return 1 - self.after / self.before if self.before else None

    @property
    def excess_reduction(self) -> float | None:
        """1 - |P1 without N|/|P0 without N|."""
        return 1 - self.excess_after / self.excess_before if self.excess_before else None


def measure(before: Reach, old: Graph, after: Reach, new: Graph, needs: Collection[Needed]) -> Measures:
    """The measures over the principals and resources that ``before`` has. ``old`` and ``new`` are the graphs."""
    columns = {pair: index for index, pair in enumerate(before.columns)}
    moved = [columns.get(pair, -1) for pair in after.columns]
    needed_of: dict[str, int] = {}
    for principal, action, resource in needs:
        if (action, resource) in columns:
            needed_of[principal] = needed_of.get(principal, 0) | 1 << columns[action, resource]
    crossing = _Crossing(before, old.nodes)
    counts = [0] * 6
    lost: list[Needed] = []
    after_of: dict[str, int] = {}
    for principal, (certain, _) in before.rows.items():
        possible = _renumbered(after.rows[principal][1], moved) if principal in after.rows else 0
        after_of[principal] = possible
        needed = needed_of.get(principal, 0)
        across = crossing.of(principal)
        for index, value in enumerate(
            (certain, possible, certain & ~needed, possible & ~needed, certain & across, possible & across)
        ):
            counts[index] += value.bit_count()
    for principal, action, resource in sorted(set(needs)):
        column = columns.get((action, resource))
        if column is None or not after_of.get(principal, 0) >> column & 1:
            lost.append((principal, action, resource))
    added, added_across = _new(after, new, before.rows, sum(1 << at for at, one in enumerate(moved) if one < 0))
    return Measures(
        counts[0],
        counts[1],
        len(set(needs)),
        counts[2],
        counts[3],
        counts[4],
        counts[5],
        added,
        added_across,
        tuple(lost),
    )


def _new(after: Reach, graph: Graph, known: Collection[str], columns: int) -> tuple[int, int]:
    """The triples of principals that are not known, or to ``columns``; and those of them that cross a boundary."""
    crossing = _Crossing(after, graph.nodes)
    count = across = 0
    for principal, (_, possible) in after.rows.items():
        found = possible & columns if principal in known else possible
        count += found.bit_count()
        across += (found & crossing.of(principal)).bit_count() if found else 0
    return count, across


def _renumbered(value: int, moved: list[int]) -> int:
    found = 0
    for index in bits(value):
        if moved[index] >= 0:
            found |= 1 << moved[index]
    return found


class _Crossing:
    """The columns that lie in another boundary than a principal, as bits, by the boundaries that both name."""

    def __init__(self, reach: Reach, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes
        self._within: dict[tuple[str, str], int] = {}
        for index, (_, resource) in enumerate(reach.columns):
            for key in _BOUNDARIES:
                value = nodes[resource].boundary.get(key)
                if value:
                    self._within[key, value] = self._within.get((key, value), 0) | 1 << index

    def of(self, principal: str) -> int:
        """The columns beyond some boundary of the principal."""
        found = 0
        for key in _BOUNDARIES:
            own = self._nodes[principal].boundary.get(key)
            if own:
                for (other, value), columns in self._within.items():
                    if other == key and value != own:
                        found |= columns
        return found
