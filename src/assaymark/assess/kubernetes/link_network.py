"""Edges of the network: what pods reach, what the internet reaches.

Where network policies let many pods reach many, the pairs are not drawn one by one: pods that may reach the same ones
meet in a node of their own, and so do pods that the same ones may reach. Who reaches whom is the same.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import INTERNET
from assaymark.assess.kubernetes.drawing import BOUNDARY
from assaymark.assess.kubernetes.exposure import exposed
from assaymark.assess.kubernetes.mesh_plain import Doors
from assaymark.assess.kubernetes.ports import both, declared_ports, named_ports, resolved
from assaymark.assess.kubernetes.servers import open_servers
from assaymark.assess.paths.closure import bits
from assaymark.core.graph import Edge, State
from assaymark.core.limits import ASSESS_MAX_DRAWN_PAIRS
from assaymark.core.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.drawing import Drawing
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.assess.kubernetes.ports import Ports
    from assaymark.core.graph import Because

PODS: Final = "k8s:pod-network"
_THROUGH: Final = "network policies let it through"
MESH: Final = "k8s:mesh-network"
_PLAIN: Final = ("the mesh lets plain text in there",)
_MEMBERS: Final = ("who calls is in the mesh, or the mesh lets plain text in there",)
_BLOCKS: Final = ("the addresses of the pods are in the block of addresses that a network policy names",)


def draw_network(run: Drawing) -> None:
    """Draws who reaches which ports."""
    _draw_internet(run)
    if not run.pods:
        return
    run.builder.node(PODS, "network", "the network of pods", (run.pods[0].because(),), boundary=BOUNDARY)
    mesh = Doors(run.network)
    if mesh.guarded:
        policy = next(iter(run.cluster.of("PeerAuthentication"))).because()
        run.builder.node(MESH, "network", "the network of pods of the mesh", (policy,), boundary=BOUNDARY)
    into = [run.network.policies(pod, "Ingress") for pod in run.pods]
    out = [run.network.policies(pod, "Egress") for pod in run.pods]
    for index, (pod, incoming, outgoing) in enumerate(zip(run.pods, into, out, strict=True)):
        if not outgoing:
            how = "no network policy limits what its pods reach"
            run.edge(pod.id, PODS, "reaches", how, (pod.because(),), 0)
            _draw_member(run, mesh, index)
        if not incoming:
            how = "no network policy limits who reaches its pods"
            others = run.network.other_policies(pod.owner.namespace)
            decides = tuple(f"{one.kind} {one.name} lets it through" for one in others[:3])
            state = State.UNKNOWN if decides else State.YES
            for source, number, own, unsure in _doors(mesh, index):
                both_unsure = (*decides, *unsure)
                edge = Edge(
                    source, run.port(pod, number), "exposes", how, (pod.because(),), state.both(own), both_unsure
                )
                run.builder.edge(replace(edge, effort=0))
        if pod.spec.get("hostNetwork") is True:
            _draw_on_node(run, pod, bool(incoming), bool(outgoing))
    if any(into) or any(out):
        _draw_reached(run, into, out, mesh)


def _draw_internet(run: Drawing) -> None:
    open_to_all = list(exposed(run.network))
    if open_to_all:
        run.builder.node(INTERNET, "internet", "internet", entry="internet")
    for one in open_to_all:
        state = State.UNKNOWN if one.decides else State.YES
        for number in sorted(one.ports) if one.ports is not None else [None]:
            port = run.port(one.pod, number)
            run.builder.edge(Edge(INTERNET, port, "reaches", one.how, one.because, state, one.decides))


def _draw_reached(run: Drawing, into: list[list[Object]], out: list[list[Object]], mesh: Doors) -> None:
    """Draws what network policies, and a mesh, let through."""
    sure = mesh.through(_reached(run, into, out))
    for number, reached in sure.sure.items():
        _draw_policies(run, into, out, reached, number)
    for number, reached in sure.perhaps.items():
        _draw_policies(run, into, out, _rest(reached, number, sure.sure), number, _MEMBERS)
    if run.network.blocks:
        more = mesh.through(_reached(run, into, out, perhaps=True))
        for number, reached in (*more.sure.items(), *more.perhaps.items()):
            rest = _rest(reached, number, sure.sure, sure.perhaps)
            _draw_policies(run, into, out, rest, number, _BLOCKS)


def _rest(reached: list[int], number: int | None, *known: dict[int | None, list[int]]) -> list[int]:
    """What is not known to be reached by all ports, or by this one, already."""
    rows = [one[key] for one in known for key in dict.fromkeys((None, number)) if key in one]
    return [row & ~reduce(or_, others, 0) for row, *others in zip(reached, *rows, strict=True)]


def _draw_member(run: Drawing, mesh: Doors, index: int) -> None:
    """Who has a certificate of the mesh reaches what takes nothing else."""
    state = mesh.members[index]
    if mesh.guarded and state is not State.NO:
        pod = run.pods[index]
        decides = (f"the pods of {pod.shown} are in the mesh",) if state is State.UNKNOWN else ()
        how, because = "no network policy limits what its pods reach", (pod.because(),)
        run.builder.edge(Edge(pod.id, MESH, "reaches", how, because, state, decides, effort=0))


def _doors(mesh: Doors, index: int) -> Iterator[tuple[str, int | None, State, tuple[str, ...]]]:
    """From where a pod's ports are reached: from everywhere, or where a mesh refuses plain text from within it."""
    plain = mesh.plain[index]
    if not plain.everywhere:
        yield MESH, None, State.YES, ()
    for number, state in plain.of(None):
        if state is not State.NO:
            yield PODS, number, state, _PLAIN if state is State.UNKNOWN else ()


def _draw_on_node(run: Drawing, pod: Pod, incoming: bool, outgoing: bool) -> None:
    """Pods of a node's network, which most plug-ins do not tell from the node: what policies say may not count.

    Source: Kubernetes documentation, "Network Policies", "NetworkPolicy and hostNetwork pods".
    """
    decides = (f"the network plug-in does not hold {pod.owner.name}, on its node's network, to network policies",)
    how, because = "it is on its node's network", (pod.because(),)
    if incoming:
        run.builder.edge(Edge(PODS, run.port(pod), "exposes", how, because, State.UNKNOWN, decides, effort=0))
    if outgoing:
        run.builder.edge(Edge(pod.id, PODS, "reaches", how, because, State.UNKNOWN, decides, effort=0))


def _draw_policies(
    run: Drawing,
    into: list[list[Object]],
    out: list[list[Object]],
    reached: list[int],
    number: int | None,
    unsure: tuple[str, ...] = (),
) -> None:
    """Draws what policies let through to one port, or to all, but for what no policy limits on either side."""
    state = State.UNKNOWN if unsure else State.YES
    pairs = sum(row.bit_count() for row in reached)
    if pairs <= ASSESS_MAX_DRAWN_PAIRS:
        for index, row in enumerate(reached):
            for other in bits(row & ~(1 << index)):
                because = _lines((*out[index], *into[other]))
                port = run.port(run.pods[other], number)
                source = run.pods[index].id
                run.builder.edge(Edge(source, port, "reaches", _THROUGH, because, state, unsure, effort=0))
        return
    _draw_groups(run, into, out, reached, number, unsure)


def _reached(
    run: Drawing, into: list[list[Object]], out: list[list[Object]], *, perhaps: bool = False
) -> dict[int | None, list[int]]:
    """By port, None for all of them: for each pod those that it reaches by what policies say, as bits, itself too."""
    everyone = (1 << len(run.pods)) - 1
    limited = 0
    by_sources: dict[tuple[Ports, int], int] = {}  # pods that the same sources may reach on the same ports
    for index, policies in enumerate(into):
        sources = run.network.peers(policies, "Ingress", perhaps=perhaps) if policies else {None: everyone}
        for ports, pods in sources.items():
            by_sources[ports, pods] = by_sources.get((ports, pods), 0) | 1 << index
        limited |= (1 << index) if policies else 0
    lets_in: dict[Ports, list[int]] = {}
    for (ports, pods), targets in by_sources.items():
        rows = lets_in.setdefault(ports, [0] * len(run.pods))
        for index in bits(pods):
            rows[index] |= targets
    lets_out = [
        run.network.peers(policies, "Egress", perhaps=perhaps) if policies else {None: limited} for policies in out
    ]
    through = _Through(run)
    found: dict[int | None, list[int]] = {None: [0] * len(run.pods)}
    for incoming, rows in lets_in.items():
        for index, row in enumerate(rows):
            for outgoing, targets in lets_out[index].items() if row else ():
                for number, pods in through.pods(incoming, outgoing).items():
                    if row & targets & pods:
                        found.setdefault(number, [0] * len(run.pods))[index] |= row & targets & pods
    whole = found[None]
    for number, rows in found.items():
        if number is not None:
            found[number] = [row & ~all_of_it for row, all_of_it in zip(rows, whole, strict=True)]
    return {number: found[number] for number in sorted(found, key=lambda one: (one is not None, one or 0))}


class _Through:
    """Which ports of which pods two sides' rules let through, numbers for names."""

    def __init__(self, run: Drawing) -> None:
        self._everyone = (1 << len(run.pods)) - 1
        self._names = [named_ports(pod) for pod in run.pods]
        self._listening = [
            frozenset().union(
                *(declared_ports(container) for container in pod.containers()),
                *(one.ports for one in open_servers(pod)),
            )
            for pod in run.pods
        ]
        self._known: dict[tuple[Ports, Ports], dict[int | None, int]] = {}

    def pods(self, incoming: Ports, outgoing: Ports) -> dict[int | None, int]:
        """By port, None for all, the pods of which it is let through, as bits."""
        if incoming is None and outgoing is None:
            return {None: self._everyone}
        key = (incoming, outgoing)
        if key not in self._known:
            found: dict[int | None, int] = {}
            for index, (names, listening) in enumerate(zip(self._names, self._listening, strict=True)):
                ports = both(resolved(incoming, names, listening), resolved(outgoing, names, listening))
                for number in [None] if ports is None else ports:
                    found[number] = found.get(number, 0) | 1 << index
            self._known[key] = found
        return self._known[key]


def _draw_groups(
    run: Drawing,
    into: list[list[Object]],
    out: list[list[Object]],
    reached: list[int],
    number: int | None,
    unsure: tuple[str, ...],
) -> None:
    """Draws pairs by the pods that reach the same ones, and within these by those that the same ones reach."""
    senders: dict[int, int] = {}  # pods that reach the same ones
    for index, row in enumerate(reached):
        if row:
            senders[row] = senders.get(row, 0) | 1 << index
    reachers = [0] * len(run.pods)  # the groups of senders that reach a pod, as bits
    for group, row in enumerate(senders):
        for index in bits(row):
            reachers[index] |= 1 << group
    receivers: dict[int, int] = {}
    for index, groups in enumerate(reachers):
        if groups:
            receivers[groups] = receivers.get(groups, 0) | 1 << index
    starts = []
    at = ("" if number is None else f":{number}") + (
        ":meshed" if unsure == _MEMBERS else ":perhaps" if unsure else ""
    )
    state = State.UNKNOWN if unsure else State.YES
    for members in senders.values():
        first = run.pods[next(iter(bits(members)))]
        starts.append(_meet(run, f"k8s:pods-that-reach{at}:{first.id}", "alike in what they reach", members))
        for index in bits(members):
            because = _lines(out[index]) or (run.pods[index].because(),)
            source = run.pods[index].id
            run.builder.edge(Edge(source, starts[-1], "reaches", _THROUGH, because, state, unsure, effort=0))
    for groups, members in receivers.items():
        first_at = next(iter(bits(members)))
        end = _meet(run, f"k8s:pods-reached{at}:{run.pods[first_at].id}", "alike in who reaches them", members)
        for index in bits(members):
            because = _lines(into[index]) or (run.pods[index].because(),)
            edge = Edge(end, run.port(run.pods[index], number), "exposes", _THROUGH, because, effort=0)
            run.builder.edge(edge)
        because = _lines(into[first_at]) or (run.pods[first_at].because(),)
        for group in bits(groups):
            run.builder.edge(Edge(starts[group], end, "exposes", _THROUGH, because, effort=0))


def _meet(run: Drawing, identifier: str, how: str, members: int) -> str:
    """The node of pods that policies treat alike."""
    first: Pod = run.pods[next(iter(bits(members)))]
    more = members.bit_count() - 1
    name = f"any pod of {first.owner.namespace}/{first.owner.name}"
    if more:
        name += f" or {counted(more, 'other workload')} {how}"
    return run.builder.node(identifier, "network", name, (first.because(),), boundary=BOUNDARY)


def _lines(policies: Iterable[Object]) -> tuple[Because, ...]:
    return tuple(policy.because() for policy in policies)
