"""``past_mesh``: what is left of a way from the internet to a pod whose mesh refuses plain text.

Who calls from the internet has no certificate of the mesh: what goes straight to the pod is refused, and what a proxy
passes on gets there when the proxy is in the mesh. Sources: Istio documentation, "PeerAuthentication", "Ingress
Gateways" and "Kubernetes Ingress" (the class ``istio``); Gateway API, ``gatewayClassName``; AWS Load Balancer
Controller and Google Kubernetes Engine (load balancers that send to pods or nodes themselves).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.mesh import of_istio
from assaymark.assess.kubernetes.mesh_plain import plain_text
from assaymark.core.graph import State
from assaymark.formats.located import Map, maps_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.exposed import Exposed
    from assaymark.assess.kubernetes.network import Network

_PROXIES: Final = re.compile(r"ingress|traefik|\bkong\b|haproxy|contour|ambassador|envoy|apisix|nginx")
_STRAIGHT: Final = re.compile(r"alb$|^gce|^gke-|^azure|application-gateway|vpc-lattice")
_ROUTES: Final = ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute")


def past_mesh(network: Network, one: Exposed) -> Iterator[Exposed]:
    """The ways that are left of one."""
    plain = plain_text(network, one.pod)
    if plain.everywhere or (by := _identity(network, one)) is State.YES:
        yield one
        return
    sure, perhaps = set[int | None](), set[int | None]()
    for asked in [None] if one.ports is None else one.ports:
        for number, state in plain.of(asked):
            if state is State.YES:
                sure.add(number)
            elif state is State.UNKNOWN or by is State.UNKNOWN:
                perhaps.add(number)
    what = "what passes it on is in the mesh, which refuses plain text" if by is State.UNKNOWN else ""
    decides = (*one.decides, what or f"the mesh lets plain text in to {one.pod.shown}")
    for numbers, words in ((sure, one.decides), (perhaps, decides)):
        if numbers:
            whole = None in numbers
            known = frozenset(number for number in numbers if number is not None)
            if whole:
                yield replace(one, decides=words)
            if known:
                yield replace(one, ports=known, decides=words)


def _identity(network: Network, one: Exposed) -> State:
    """Whether what passes a way on has a certificate of the mesh."""
    by = one.by
    if by.kind == "VirtualService" or one.through:
        return State.YES if by.kind == "VirtualService" else State.UNKNOWN
    if by.kind in _ROUTES:
        return _of_gateways(network, by)
    if by.kind == "Ingress":
        spec = by.value.get("spec")
        given = spec.get("ingressClassName") if isinstance(spec, Map) else None
        name = str(given or by.labels("annotations").get("kubernetes.io/ingress.class", ""))
        return State.YES if name == "istio" else State.NO if _STRAIGHT.search(name) else _of_controllers(network)
    return _of_controllers(network) if by.kind == "Route" else State.NO


def _of_gateways(network: Network, route: Object) -> State:
    """Of the gateways of a route: Istio's own are in the mesh, those of clouds send to pods themselves."""
    names = {
        (str(item.get("namespace") or route.namespace), str(item.get("name")))
        for item in maps_of(route.value.get("spec"), "parentRefs")
    }
    found = set()
    for gate in network.cluster.of("Gateway"):
        if (gate.namespace, gate.name) in names:
            spec = gate.value.get("spec")
            given = str(spec.get("gatewayClassName")) if isinstance(spec, Map) else ""
            straight = State.NO if _STRAIGHT.search(given) else _of_controllers(network)
            found.add(State.YES if given.startswith("istio") else straight)
    return found.pop() if len(found) == 1 else State.UNKNOWN


def _of_controllers(network: Network) -> State:
    """Of the proxies that the input has, which the way may lead through."""
    found = {
        of_istio(network, pod)
        for pod in network.pods
        if any(_PROXIES.search(str(container.get("image", ""))) for container in pod.containers())
        and ("ingress" in pod.owner.name or "gateway" in pod.owner.name or "ingress" in pod.owner.namespace)
    }
    return found.pop() if len(found) == 1 else State.UNKNOWN
