"""``ranked_paths``: attack paths from what an attacker may hold to what a team must keep, the worst first.

A path that starts at a principal or a workload of one's own is listed only when it crosses a boundary or ends at an
administrator: that a training job reads its training data is no attack. Paths from strangers are listed always.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import CONTROL, ENTRIES, HELD, TARGETS
from assaymark.assess.paths.closure import Closure
from assaymark.assess.paths.search import Search
from assaymark.core.graph import State
from assaymark.core.limits import ASSESS_MAX_PATHS
from assaymark.core.report import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assaymark.assess.graph import States
    from assaymark.assess.paths.search import Tree
    from assaymark.core.graph import Edge, Node

_STRANGERS: Final = frozenset(("internet", "outside", "tenant", "supply-chain"))
_BOUNDARIES: Final = ("cloud", "account", "cluster", "environment", "tenant", "domain")


@dataclass(frozen=True, slots=True)
class Path:
    """``steps`` leads from ``source`` to ``target``. ``crosses``: the boundaries, as ``environment dev to prod``.

    ``state`` is YES for a path of certain edges, else UNKNOWN, and ``decides`` says what would settle it.
    """

    source: Node
    target: Node
    steps: tuple[Edge, ...]
    crosses: tuple[str, ...]
    state: State
    severity: Severity
    cost: int

    @property
    def decides(self) -> tuple[str, ...]:
        """What would settle the unknown edges."""
        return tuple(dict.fromkeys(text for step in self.steps for text in step.decides))


@dataclass(frozen=True, slots=True)
class Ranked:
    """The worst paths, and how many pairs of entry and target there are in all."""

    paths: tuple[Path, ...]
    pairs: int


def entries(states: States) -> list[Node]:
    """What a path may begin with, the worst first."""
    found = [node for node in states.graph.nodes.values() if node.props.get("entry") in ENTRIES]
    return sorted(found, key=lambda node: (-ENTRIES[str(node.props["entry"])], node.id))


def targets(states: States) -> list[tuple[Node, tuple[int, ...]]]:
    """What a path may end at, with the states that count as its end, the worst first."""
    found = [node for node in states.graph.nodes.values() if node.props.get("target") in TARGETS]
    found.sort(key=lambda node: (-TARGETS[str(node.props["target"])], node.id))
    return [
        (
            node,
            tuple(
                states.number[node.id, mode]
                for mode in HELD[str(node.props["target"])]
                if (node.id, mode) in states.number
            ),
        )
        for node in found
    ]


def ranked_paths(states: States, limit: int = ASSESS_MAX_PATHS) -> Ranked:
    """The cheapest path for each pair of entry and target, at most ``limit``, the worst first."""
    search = Search(states)
    closure = Closure(search.arcs())
    ends = targets(states)
    masks = [sum(1 << state for state in held) for _, held in ends]
    pairs = []
    for entry in entries(states):
        reach = closure.reach(states.number[entry.id, CONTROL])
        weight = ENTRIES[str(entry.props["entry"])]
        seen: dict[tuple[object, ...], tuple[str, ...]] = {}
        for index, (target, _) in enumerate(ends):
            if reach & masks[index] and target.id != entry.id:
                key = (target.props.get("target"), *(target.boundary.get(name) for name in _BOUNDARIES))
                if key not in seen:
                    seen[key] = crossed(entry, target)
                crosses = seen[key]
                if _matters(entry, crosses):
                    pairs.append((-weight - TARGETS[str(target.props["target"])], entry.id, index, crosses))
    pairs.sort()
    chosen = pairs[: 4 * limit]
    trees: dict[tuple[str, bool], Tree] = {}

    def tree(source: str, sure: bool) -> Tree:
        if (source, sure) not in trees:
            trees[source, sure] = search.tree([states.number[source, CONTROL]], sure=sure)
        return trees[source, sure]

    found = []
    for _, source, index, crosses in chosen:
        target, held = ends[index]
        path = _cheapest(states.graph.nodes[source], target, held, crosses, tree)
        if not (len(path.steps) == 1 and path.steps[0].relation == "administers"):
            found.append(path)
    found.sort(
        key=lambda path: (
            -path.severity,
            path.state is State.UNKNOWN,
            -ENTRIES[str(path.source.props["entry"])],
            -TARGETS[str(path.target.props["target"])],
            path.cost,
            path.source.id,
            path.target.id,
        )
    )
    return Ranked(tuple(found[:limit]), len(pairs) - (len(chosen) - len(found)))


def _cheapest(
    source: Node, target: Node, held: Sequence[int], crosses: tuple[str, ...], tree: Callable[[str, bool], Tree]
) -> Path:
    for sure, state in ((True, State.YES), (False, State.UNKNOWN)):
        found = tree(source.id, sure)
        reached = [end for end in held if end in found.cost]
        if reached:
            end = min(reached, key=lambda one: found.cost[one])
            return Path(
                source,
                target,
                found.walk(end),
                crosses,
                state,
                severity(source, target, crosses, state),
                found.cost[end],
            )
    raise AssertionError("the closure leads where the search does not")


def severity(source: Node, target: Node, crosses: tuple[str, ...], state: State) -> Severity:
    """By who begins and what is at the end; one less when it is not certain.

    That something of one's own has an identity in another cloud, and reads what it is for, is how clouds are joined:
    low, so that it is listed and fails nothing.
    """
    own = source.props.get("entry") not in _STRANGERS or source.props.get("entry") == "tenant"
    if own and crosses and all(text.startswith("cloud ") for text in crosses):
        return Severity.LOW
    stranger = source.props.get("entry") in _STRANGERS
    prize = TARGETS[str(target.props["target"])]
    if prize >= TARGETS["administrator"] or (stranger and prize >= TARGETS["model"]):
        worst = Severity.CRITICAL
    elif stranger or prize >= TARGETS["secret"]:
        worst = Severity.HIGH
    else:
        worst = Severity.MEDIUM
    return worst if state is State.YES else Severity(worst - 1)


def crossed(source: Node, target: Node) -> tuple[str, ...]:
    """The boundaries between two nodes, where both say in what they lie, and those that strangers cross."""
    found = []
    entry = source.props.get("entry")
    if entry in _STRANGERS and entry != "tenant":
        found.append(f"{entry} to inside")
    for name in _BOUNDARIES:
        here, there = source.boundary.get(name, ""), target.boundary.get(name, "")
        if here and there and here != there:
            found.append(f"{name} {here} to {there}")
    if target.props.get("target") == "administrator":
        found.append("privilege to administrator")
    return tuple(found)


def _matters(source: Node, crosses: tuple[str, ...]) -> bool:
    if source.props.get("entry") in _STRANGERS and source.props.get("entry") != "tenant":
        return True
    return bool(crosses)
