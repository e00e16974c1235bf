"""``Reach``: who can in the end do what to what, by any walk: triples of principal, action class and resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from assaymark.assess.kinds import CONTROL, DELETE, GOVERN, INVOKE, PRINCIPALS, READ, RESOURCES, WRITE
from assaymark.assess.paths.closure import Closure, bits
from assaymark.assess.paths.search import Search
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.graph import States

_CLASS: Final = {READ: "read", WRITE: "write", DELETE: "write", INVOKE: "invoke", GOVERN: "permissions"}


class Triple(NamedTuple):
    """``principal`` and ``resource`` are ids of nodes; ``action`` is an action class. ``state`` is YES or UNKNOWN."""

    principal: str
    action: str
    resource: str
    state: State


class Reach:
    """Transitive access of each principal, certain and possible, as sets of bits over (action class, resource)."""

    def __init__(self, states: States) -> None:
        graph = states.graph
        self.columns: list[tuple[str, str]] = [
            (action, node.id) for node in graph.nodes.values() for action in RESOURCES.get(node.kind, ())
        ]
        column = {pair: index for index, pair in enumerate(self.columns)}
        gives: dict[int, int] = {}
        for state, (name, mode) in enumerate(states.states):
            kind = graph.nodes[name].kind
            actions = RESOURCES.get(kind, ())
            if mode != CONTROL:
                action = "decrypt" if kind == "key" and mode == READ else _CLASS.get(mode, "")
                actions = tuple(one for one in actions if one == action)
            if actions:
                gives[state] = sum(1 << column[action, name] for action in actions)
        mask = sum(1 << state for state in gives)
        self.rows: dict[str, tuple[int, int]] = {}
        closures = [Closure(Search(states, unknown=unknown).arcs()) for unknown in (False, True)]
        own = {
            node.id: sum(1 << column[action, node.id] for action in RESOURCES[node.kind])
            for node in graph.nodes.values()
            if node.kind in PRINCIPALS and node.kind in RESOURCES
        }
        known: dict[int, int] = {}
        for node in graph.nodes.values():
            if node.kind in PRINCIPALS:
                start = states.number[node.id, CONTROL]
                sets = []
                for closure in closures:
                    reached = closure.reach(start) & mask
                    if reached not in known:
                        total = 0
                        for state in bits(reached):
                            total |= gives[state]
                        known[reached] = total
                    sets.append(known[reached] & ~own.get(node.id, 0))  # that it has itself is no access
                self.rows[node.id] = (sets[0], sets[1])

    def count(self, *, unknown: bool) -> int:
        """How many triples are certain, or possible with ``unknown``."""
        return sum(row[unknown].bit_count() for row in self.rows.values())

    def triples(self) -> Iterator[Triple]:
        """All of them, by principal, then resource."""
        for principal, (certain, possible) in self.rows.items():
            for index in bits(possible):
                action, resource = self.columns[index]
                state = State.YES if certain >> index & 1 else State.UNKNOWN
                yield Triple(principal, action, resource, state)
