"""Edges of the network: what pods reach, what the internet reaches.

Where network policies let many pods reach many, the pairs are not drawn one by one: pods that may reach the same ones
meet in a node of their own, and so do pods that the same ones may reach. Who reaches whom is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import INTERNET
from assaymark.assess.kubernetes.drawing import BOUNDARY
from assaymark.assess.paths.closure import bits
from assaymark.core.graph import Edge, State
from assaymark.core.limits import ASSESS_MAX_DRAWN_PAIRS
from assaymark.core.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.drawing import Drawing
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.graph import Because

PODS: Final = "k8s:pod-network"
_THROUGH: Final = "network policies let it through"


def draw_network(run: Drawing) -> None:
    """Draws who reaches which ports."""
    exposed = list(run.network.exposed())
    if exposed:
        run.builder.node(INTERNET, "internet", "internet", entry="internet")
    for one in exposed:
        state = State.UNKNOWN if one.decides else State.YES
        edge = Edge(INTERNET, run.port(one.pod), "reaches", one.how, one.because, state, one.decides)
        run.builder.edge(edge)
    if not run.pods:
        return
    run.builder.node(PODS, "network", "the network of pods", (run.first,), boundary=BOUNDARY)
    into = [run.network.policies(pod, "Ingress") for pod in run.pods]
    out = [run.network.policies(pod, "Egress") for pod in run.pods]
    for pod, incoming, outgoing in zip(run.pods, into, out, strict=True):
        if not outgoing:
            how = "no network policy limits what its pods reach"
            run.edge(pod.id, PODS, "reaches", how, (pod.because(),), 0)
        if not incoming:
            how = "no network policy limits who reaches its pods"
            others = run.network.other_policies(pod.owner.namespace)
            decides = tuple(f"{one.kind} {one.name} lets it through" for one in others[:3])
            state = State.UNKNOWN if decides else State.YES
            edge = Edge(PODS, run.port(pod), "exposes", how, (pod.because(),), state, decides, effort=0)
            run.builder.edge(edge)
    if any(into) or any(out):
        _draw_policies(run, into, out)


def _draw_policies(run: Drawing, into: list[list[Object]], out: list[list[Object]]) -> None:
    """Draws what policies let through, but for what no policy limits on either side."""
    reached = _reached(run, into, out)
    pairs = sum(row.bit_count() for row in reached)
    if pairs <= ASSESS_MAX_DRAWN_PAIRS:
        for index, row in enumerate(reached):
            for other in bits(row & ~(1 << index)):
                because = _lines((*out[index], *into[other]))
                run.edge(run.pods[index].id, run.port(run.pods[other]), "reaches", _THROUGH, because, 0)
        return
    _draw_groups(run, into, out, reached)


def _reached(run: Drawing, into: list[list[Object]], out: list[list[Object]]) -> list[int]:
    """For each pod the pods that it reaches by what policies say, as bits; pods reach themselves."""
    everyone = (1 << len(run.pods)) - 1
    by_sources: dict[int, int] = {}  # pods that the same sources may reach
    limited = 0
    for index, policies in enumerate(into):
        sources = run.network.peers(policies, "Ingress") if policies else everyone
        by_sources[sources] = by_sources.get(sources, 0) | 1 << index
        limited |= (1 << index) if policies else 0
    lets_in = [0] * len(run.pods)
    for sources, targets in by_sources.items():
        for index in bits(sources):
            lets_in[index] |= targets
    return [
        lets_in[index] & (run.network.peers(policies, "Egress") if policies else limited)
        for index, policies in enumerate(out)
    ]


def _draw_groups(run: Drawing, into: list[list[Object]], out: list[list[Object]], reached: list[int]) -> None:
    """Draws pairs by the pods that reach the same ones, and within these by those that the same ones reach."""
    senders: dict[int, int] = {}  # pods that reach the same ones
    for index, row in enumerate(reached):
        if row:
            senders[row] = senders.get(row, 0) | 1 << index
    reachers = [0] * len(run.pods)  # the groups of senders that reach a pod, as bits
    for number, row in enumerate(senders):
        for index in bits(row):
            reachers[index] |= 1 << number
    receivers: dict[int, int] = {}
    for index, groups in enumerate(reachers):
        if groups:
            receivers[groups] = receivers.get(groups, 0) | 1 << index
    starts = []
    for members in senders.values():
        first = run.pods[next(iter(bits(members)))]
        starts.append(_meet(run, f"k8s:pods-that-reach:{first.id}", "alike in what they reach", members))
        for index in bits(members):
            because = _lines(out[index]) or (run.pods[index].because(),)
            run.edge(run.pods[index].id, starts[-1], "reaches", _THROUGH, because, 0)
    for groups, members in receivers.items():
        first_at = next(iter(bits(members)))
        end = _meet(run, f"k8s:pods-reached:{run.pods[first_at].id}", "alike in who reaches them", members)
        for index in bits(members):
            because = _lines(into[index]) or (run.pods[index].because(),)
            edge = Edge(end, run.port(run.pods[index]), "exposes", _THROUGH, because, effort=0)
            run.builder.edge(edge)
        because = _lines(into[first_at]) or (run.pods[first_at].because(),)
        for number in bits(groups):
            run.builder.edge(Edge(starts[number], end, "exposes", _THROUGH, because, effort=0))


def _meet(run: Drawing, identifier: str, how: str, members: int) -> str:
    """The node of pods that policies treat alike."""
    first: Pod = run.pods[next(iter(bits(members)))]
    more = members.bit_count() - 1
    name = f"the pods of {first.owner.namespace}/{first.owner.name}"
    if more:
        name += f" and {counted(more, 'other workload')}, {how}"
    return run.builder.node(identifier, "network", name, (first.because(),), boundary=BOUNDARY)


def _lines(policies: Iterable[Object]) -> tuple[Because, ...]:
    return tuple(policy.because() for policy in policies)
