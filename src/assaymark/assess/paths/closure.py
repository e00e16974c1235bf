"""``Closure``: from every state, all states that it leads to. Sets are bits of Python's integers.

Strongly connected components by Tarjan's algorithm (R. Tarjan, "Depth-first search and linear graph algorithms",
1972), without recursion; they come out with successors first, so one pass of ORs over them closes the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def components(arcs: Sequence[Sequence[int]]) -> tuple[list[int], int]:
    """The component of each vertex, and how many there are. A component's successors have smaller numbers.

    Args:
        arcs: for each vertex 0..n-1 the vertices that it leads to.
    """
    count = len(arcs)
    order = [0] * count  # 0: not seen yet; else when it was seen, from 1
    low = [0] * count
    found = [-1] * count
    stack: list[int] = []
    seen = made = 0
    for root in range(count):
        if order[root]:
            continue
        work = [(root, iter(arcs[root]))]
        seen += 1
        order[root] = low[root] = seen
        stack.append(root)
        while work:
            vertex, ahead = work[-1]
            for other in ahead:
                if not order[other]:
                    seen += 1
                    order[other] = low[other] = seen
                    stack.append(other)
                    work.append((other, iter(arcs[other])))
                    break
                if found[other] < 0 and order[other] < low[vertex]:
                    low[vertex] = order[other]
            else:
                work.pop()
                if work and low[vertex] < low[work[-1][0]]:
                    low[work[-1][0]] = low[vertex]
                if low[vertex] == order[vertex]:
                    while True:
                        member = stack.pop()
                        found[member] = made
                        if member == vertex:
                            break
                    made += 1
    return found, made


class Closure:
    """Reachability between all pairs, each vertex from itself included."""

    def __init__(self, arcs: Sequence[Sequence[int]]) -> None:
        self._component, count = components(arcs)
        members = [0] * count
        ahead: list[set[int]] = [set() for _ in range(count)]
        groups: list[list[int]] = [[] for _ in range(count)]
        for vertex, component in enumerate(self._component):
            groups[component].append(vertex)
            ahead[component].update(map(self._component.__getitem__, arcs[vertex]))
        size = (len(arcs) + 7) // 8
        for component, vertices in enumerate(groups):
            if len(vertices) == 1:
                members[component] = 1 << vertices[0]
            else:
                bits = bytearray(size)
                for vertex in vertices:
                    bits[vertex >> 3] |= 1 << (vertex & 7)
                members[component] = int.from_bytes(bits, "little")
        reach = members  # closed in place: successors come first
        for component in range(count):
            bits_of = members[component]
            for other in sorted(ahead[component], reverse=True):
                if other != component and not bits_of >> groups[other][0] & 1:  # else all of it is in already
                    bits_of |= reach[other]
            reach[component] = bits_of
        self._reach = reach

    def reach(self, vertex: int) -> int:
        """The set of vertices that ``vertex`` leads to, as bits."""
        return self._reach[self._component[vertex]]

    def leads(self, vertex: int, other: int) -> bool:
        """Whether a walk leads from ``vertex`` to ``other``."""
        return bool(self._reach[self._component[vertex]] >> other & 1)


def bits(number: int) -> Iterator[int]:
    """The positions of the bits that are set, ascending."""
    data = number.to_bytes((number.bit_length() + 7) // 8, "little")
    for place, byte in enumerate(data):
        left = byte
        while left:
            lowest = left & -left
            yield (place << 3) + lowest.bit_length() - 1
            left ^= lowest
