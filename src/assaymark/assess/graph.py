"""``Builder`` collects nodes and edges, ``Graph`` is what came of them, ``States`` how an attacker walks it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import CONTROL, MODES, RELATIONS
from assaymark.core.graph import Because, Edge, Node, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assaymark.core.graph import Prop


STEP: Final = 1
EFFORT: Final = 4
DOUBT: Final = 1 << 14  # of an unknown edge: more than a thousand certain ones of the greatest effort


class Builder:
    """Nodes by id, and edges once each: what several files say is merged."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._edges: dict[tuple[str, str, str], Edge] = {}
        self.selves: list[Edge] = []  # from a node to itself: nothing, unless the node is told apart later

    def node(
        self,
        identifier: str,
        kind: str,
        name: str,
        because: Iterable[Because] = (),
        *,
        boundary: Mapping[str, str] | None = None,
        **props: Prop,
    ) -> str:
        """Adds a node, or adds to the one that has this id; its id. Earlier facts are not overwritten."""
        places = tuple(dict.fromkeys(because))
        known = self._nodes.get(identifier)
        if known is None:
            self._nodes[identifier] = Node(identifier, kind, name, places, dict(boundary or {}), props)
        else:
            self._nodes[identifier] = replace(
                known,
                because=tuple(dict.fromkeys((*known.because, *places))),
                boundary={**(boundary or {}), **known.boundary},
                props={**props, **known.props},
            )
        return identifier

    def has(self, identifier: str) -> bool:
        """Whether there is a node of this id."""
        return identifier in self._nodes

    def ids(self) -> list[str]:
        """The ids of all nodes so far."""
        return list(self._nodes)

    def known(self, identifier: str) -> Node:
        """The node of an id, as far as it is known so far."""
        return self._nodes[identifier]

    def boundary(self, identifier: str) -> Mapping[str, str]:
        """In what a node lies."""
        return self._nodes[identifier].boundary

    def edges(self) -> list[Edge]:
        """All edges so far."""
        return list(self._edges.values())

    def edge(self, edge: Edge) -> None:
        """Adds an edge; of two that differ in their state only, the certain one stays."""
        if edge.relation not in RELATIONS:
            raise ValueError(f"no such relation: {edge.relation}")
        if edge.source == edge.target:
            self.selves.append(edge)
            return
        key = (edge.source, edge.relation, edge.target)
        known = self._edges.get(key)
        if known is None or _better(edge, known):
            self._edges[key] = edge

    def between(self, source: str, target: str) -> list[Edge]:
        """The edges from one node to another so far."""
        found = (self._edges.get((source, relation, target)) for relation in RELATIONS)
        return [edge for edge in found if edge is not None]

    def drop(self, edge: Edge) -> None:
        """Takes an edge away, for one that says it better."""
        self._edges.pop((edge.source, edge.relation, edge.target), None)

    def graph(self) -> Graph:
        """The graph of all edges whose two ends are nodes.

        Raises:
            ValueError: when an edge leads to no node, a bug of a linker.
        """
        for source, relation, target in self._edges:
            for end in (source, target):
                if end not in self._nodes:
                    raise ValueError(f"{relation} from {source} to {target}: no node {end}")
        return Graph(
            {name: self._nodes[name] for name in sorted(self._nodes)},
            tuple(self._edges[key] for key in sorted(self._edges)),
        )


def _better(edge: Edge, known: Edge) -> bool:
    return (edge.state is not State.YES, edge.effort) < (known.state is not State.YES, known.effort)


@dataclass(frozen=True, slots=True)
class Graph:
    """All nodes by id and all edges, both sorted."""

    nodes: Mapping[str, Node]
    edges: Sequence[Edge]

    def digest(self) -> str:
        """SHA-256 in hexadecimal over ids, kinds and edges: what a proof about this graph is about."""
        state = sha256()
        for node in self.nodes.values():
            state.update(f"node\x00{node.id}\x00{node.kind}\n".encode("utf-8", "surrogatepass"))
        for edge in self.edges:
            text = f"edge\x00{edge.source}\x00{edge.relation}\x00{edge.target}\x00{edge.state}\n"
            state.update(text.encode("utf-8", "surrogatepass"))
        return state.hexdigest()


class States:
    """The graph as an attacker walks it: a numbered state for each node and mode in which it can be held.

    ``arcs[s]`` lists (state, edge) pairs; an edge of None is what holding includes (control includes reading).
    ``costs[s]`` are those of the arcs in their order: 0, or what following the edge costs an attacker.
    States are numbered in the order of nodes and modes, so that the same graph gives the same numbers.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        modes: defaultdict[str, set[str]] = defaultdict(set)
        for edge in graph.edges:
            relation = RELATIONS[edge.relation]
            modes[edge.source].add(relation.needs)
            modes[edge.target].add(relation.gives)
        self.states: list[tuple[str, str]] = [
            (node, mode) for node in graph.nodes for mode in MODES if mode == CONTROL or mode in modes[node]
        ]
        self.number = {state: index for index, state in enumerate(self.states)}
        self.arcs: list[list[tuple[int, Edge | None]]] = [[] for _ in self.states]
        for node, mode in self.states:
            if mode != CONTROL:
                self.arcs[self.number[node, CONTROL]].append((self.number[node, mode], None))
        self.costs: list[list[int]] = [[0] * len(arcs) for arcs in self.arcs]
        for edge in graph.edges:
            relation = RELATIONS[edge.relation]
            source = self.number[edge.source, relation.needs]
            self.arcs[source].append((self.number[edge.target, relation.gives], edge))
            self.costs[source].append(STEP + EFFORT * edge.effort + (DOUBT if edge.state is State.UNKNOWN else 0))

    @cached_property
    def back(self) -> list[list[tuple[int, Edge | None]]]:
        """For each state those that lead to it, with the edges."""
        found: list[list[tuple[int, Edge | None]]] = [[] for _ in self.arcs]
        for source, arcs in enumerate(self.arcs):
            for target, edge in arcs:
                found[target].append((source, edge))
        return found

    def of(self, node: str) -> list[int]:
        """The states in which a node can be held."""
        return [self.number[node, mode] for mode in MODES if (node, mode) in self.number]
