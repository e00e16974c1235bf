"""``Admitted``: whom the policies of a mesh let call a pod, and which of its callers get there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, TypeAlias

from assaymark.assess.kubernetes.mesh import membership
from assaymark.core.graph import State
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod

Callers: TypeAlias = "list[tuple[int, Pod, State]]"


@dataclass(frozen=True, slots=True)
class Admitted:
    """``anyone``: whether a caller that has no identity gets through, a gateway's among them.

    ``callers``: the nodes of the pods that their identity lets in and that get there, each with what would decide
    it, where others are refused. ``by``: a policy that decides.
    """

    anyone: State
    callers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    by: Object | None = None


def spec_of(policy: Object) -> Map:
    """What a policy says; nothing where it has no such part."""
    spec = policy.value.get("spec")
    return spec if isinstance(spec, Map) else Map(policy.value.line)


def getting_there(
    network: Network, pod: Pod, callers: Callers, policy: Object
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The callers that are in the mesh, or may be, and that network policies let through, on some port."""
    into = network.policies(pod, "Ingress")
    inside = reduce(or_, network.peers(into, "Ingress", perhaps=True).values(), 0) if into else -1
    own = 1 << next((index for index, one in enumerate(network.pods) if one is pod), 0)
    found = {}
    for index, one, state in callers:
        member = membership(network, one)
        if one.id == pod.id or one.is_template or member is State.NO:
            continue
        out = network.policies(one, "Egress")
        outside = reduce(or_, network.peers(out, "Egress", perhaps=True).values(), 0) if out else -1
        if inside & 1 << index and outside & own:
            lets = (f"{policy.kind} {policy.name} lets {one.shown} in",) if state is not State.YES else ()
            meshed = (f"{one.shown} is in the mesh",) if member is not State.YES else ()
            found[one.id] = (*lets, *meshed)
    return tuple(sorted(found.items()))
