"""``fronts``: what stands before all workloads of the input that serve, and does for them what their source does not.

It counts only where it stands before every one of them: which workload runs which source is not always known.
Sources: Istio documentation, "PeerAuthentication" and "AuthorizationPolicy"; Ingress-NGINX Controller, "Annotations".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.mesh import strict
from assaymark.assess.kubernetes.mesh_policy import admitted
from assaymark.assess.kubernetes.network import Network
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.core.graph import State
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.kubernetes import Object

_NGINX: Final = "nginx.ingress.kubernetes.io/"
_RATES: Final = ("limit-rps", "limit-rpm", "limit-connections", "global-rate-limit")
_OPEN_TYPES: Final = ("LoadBalancer", "NodePort")


@dataclass(frozen=True, slots=True)
class Fronts:
    """``tls``: a mesh refuses plain text. ``judge``: a policy of the mesh may decide who may call.

    ``asks``: policies of the mesh refuse whoever has no identity or token.

    ``sizes``, ``rates``: every way into the cluster bounds the size of a request, and how many come.
    """

    tls: bool = False
    judge: Object | None = None
    sizes: bool = False
    rates: bool = False
    asks: bool = False


def fronts(estates: Estates) -> Fronts:
    """What the manifests of the input put before their workloads."""
    cluster = estates.kubernetes
    network = Network(cluster, pod_specs(cluster))
    serving = [
        pod
        for pod in network.own_pods()
        if not pod.is_template and any(listed(container.get("ports")) for container in pod.containers())
    ]
    if not serving:
        return Fronts()
    mesh = [admitted(network, pod) for pod in serving]
    judges = [one.by if one.anyone is not State.YES else None for one in mesh]
    sizes, rates = _ways_in(estates)
    return Fronts(
        all(strict(network, pod) for pod in serving),
        judges[0] if all(judges) else None,
        sizes=sizes,
        rates=rates,
        asks=all(one.anyone is State.NO for one in mesh),
    )


def _ways_in(estates: Estates) -> tuple[bool, bool]:
    """Whether all Ingresses bound sizes and rates; nothing is bounded where there is another way in, or none."""
    cluster = estates.kubernetes
    for service in cluster.of("Service"):
        spec = service.value.get("spec")
        if isinstance(spec, Map) and spec.get("type") in _OPEN_TYPES:
            return False, False
    if any(cluster.of("Gateway", "VirtualService", "HTTPRoute")):
        return False, False
    notes = [one.labels("annotations") for one in cluster.of("Ingress")]
    sizes = [one.get(f"{_NGINX}proxy-body-size", "0") not in ("0", "0m", "") for one in notes]
    rates = [any(one.get(f"{_NGINX}{name}", "0") != "0" for name in _RATES) for one in notes]
    return bool(notes) and all(sizes), bool(notes) and all(rates)
