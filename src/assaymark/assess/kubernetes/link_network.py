"""Edges of the network: what pods reach, what the internet reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.kinds import INTERNET
from assaymark.assess.kubernetes.drawing import BOUNDARY
from assaymark.core.graph import Edge, State

if TYPE_CHECKING:
    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.drawing import Drawing
    from assaymark.assess.kubernetes.pods import Pod

PODS: Final = "k8s:pod-network"


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
    into = {pod.id: run.network.policies(pod, "Ingress") for pod in run.pods}
    out = {pod.id: run.network.policies(pod, "Egress") for pod in run.pods}
    for pod in run.pods:
        if not out[pod.id]:
            how = "no network policy limits what its pods reach"
            run.edge(pod.id, PODS, "reaches", how, (pod.because(),), 0)
        if not into[pod.id]:
            how = "no network policy limits who reaches its pods"
            others = run.network.other_policies(pod.owner.namespace)
            decides = tuple(f"{one.kind} {one.name} lets it through" for one in others[:3])
            state = State.UNKNOWN if decides else State.YES
            edge = Edge(PODS, run.port(pod), "exposes", how, (pod.because(),), state, decides, effort=0)
            run.builder.edge(edge)
    for pod in run.pods:
        for other in run.pods:
            if other is pod or (not out[pod.id] and not into[other.id]):
                continue
            if _passes(run, out[pod.id], into[other.id], pod, other):
                because = tuple(policy.because() for policy in (*out[pod.id], *into[other.id]))
                run.edge(pod.id, run.port(other), "reaches", "network policies let it through", because, 0)


def _passes(run: Drawing, out: list[Object], into: list[Object], pod: Pod, other: Pod) -> bool:
    return (not out or run.network.lets_out(out, other)) and (not into or run.network.lets_in(into, pod))
