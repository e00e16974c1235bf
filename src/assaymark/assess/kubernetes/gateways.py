"""What stands in gateways before a cluster: which routes they take, and what they ask of who calls.

Sources: Gateway API, "Cross-Namespace routing" and "GAMMA"; Istio documentation, "Gateway" (``selector``, ``tls``),
"Authorization Policy" and "Ingress Access Control"; Envoy Gateway, "SecurityPolicy".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.facing import internal, limited
from assaymark.assess.kubernetes.mesh import ROOT
from assaymark.assess.kubernetes.mesh_policy import without_identity
from assaymark.assess.kubernetes.mesh_requests import Asked
from assaymark.assess.kubernetes.rbac import selects
from assaymark.core.graph import State
from assaymark.formats.located import Map, listed, maps_in, maps_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.kubernetes import Cluster, Object
    from assaymark.assess.kubernetes.network import Network

_ASK: Final = ("jwt", "oidc", "basicAuth", "apiKeyAuth")  # of a SecurityPolicy: nobody passes without
_MAY_ASK: Final = ("extAuth", "authorization")
_CERTIFICATE: Final = ("MUTUAL", "ISTIO_MUTUAL")


def takes(cluster: Cluster, route: Object, parent: Map, gate: Object | None) -> bool:
    """Whether a gateway takes a route, or may: those of its own namespace unless a listener says otherwise.

    Source: Gateway API, "Cross-Namespace routing", and "GAMMA": a route whose parent is a service is of the mesh.
    """
    if parent.get("kind", "Gateway") != "Gateway":
        return False
    if gate is None:
        return True
    if internal(gate):
        return False
    found = False
    for listener in maps_of(gate.value.get("spec"), "listeners"):
        if parent.get("sectionName") not in (None, listener.get("name")):
            continue
        allowed = next(iter(maps_of(maps_of(listener, "allowedRoutes"), "namespaces")), Map(0))
        match allowed.get("from", "Same"):
            case "All":
                found = True
            case "Same":
                found = found or route.namespace == gate.namespace
            case "Selector":
                home = next((one for one in cluster.of("Namespace") if one.name == route.namespace), None)
                labels = {"kubernetes.io/metadata.name": route.namespace, **(home.labels() if home else {})}
                found = found or home is None or selects(allowed.get("selector"), labels)
    return found


def gate_tls(gate: Object | None) -> bool:
    """Whether all that a gateway listens for is encrypted."""
    if gate is None:
        return False
    protocols = []
    for item in maps_of(gate.value.get("spec"), "listeners") + maps_of(gate.value.get("spec"), "servers"):
        port = item.get("port")
        protocols.append(str(item.get("protocol") or (port.get("protocol") if isinstance(port, dict) else "")))
    return bool(protocols) and all(protocol.upper() in ("HTTPS", "TLS") for protocol in protocols)


def lets(network: Network, route: Object, gates: list[Object | None]) -> tuple[str, ...] | None:
    """What would decide that a gateway of a route passes on what the internet sends; None where none does."""
    answers = [_passes(network, route, gate) for gate in gates] or [()]
    asked = _asks(network.cluster, route)
    found = min((one for one in answers if one is not None), key=len, default=None)
    return None if found is None or asked is None else (*found, *asked)


def _passes(network: Network, route: Object, gate: Object | None) -> tuple[str, ...] | None:
    if gate is None:
        return ()
    asked = _asks(network.cluster, gate)
    spec = gate.value.get("spec")
    if asked is None or not isinstance(spec, Map):
        return asked
    if "servers" in spec and not any(_open(server) for server in listed(spec.get("servers"))):
        return None
    outside = _from_outside(network, gate)
    let = _admits(network, route, gate)
    return None if outside is None or let is None else (*asked, *outside, *let)


def _open(server: object) -> bool:
    """Whether a server of Istio's gateway passes on what has no certificate."""
    tls = server.get("tls") if isinstance(server, Map) else None
    return not isinstance(tls, Map) or (tls.get("mode") not in _CERTIFICATE and tls.get("httpsRedirect") is not True)


def _labels(gate: Object) -> dict[str, str]:
    """The labels that Istio's gateway asks of the pods that are to be it."""
    given = gate.value["spec"].get("selector")
    return {str(key): str(value) for key, value in given.items()} if isinstance(given, Map) else {}


def _from_outside(network: Network, gate: Object) -> tuple[str, ...] | None:
    """What would decide that the internet reaches the pods of Istio's gateway, by the services that the input has."""
    wanted = _labels(gate)
    if not wanted:
        return ()
    services = []
    for one in network.cluster.of("Service"):
        spec = one.value.get("spec")
        spec = spec if isinstance(spec, Map) else Map(one.value.line)
        given = spec.get("selector")
        own = isinstance(given, Map) and wanted.items() <= {(key, str(value)) for key, value in given.items()}
        pods = () if own else network.selected(one)
        if own or any(wanted.items() <= pod.labels.items() for pod in pods):
            services.append((one, str(spec.get("type") or "ClusterIP")))
    public = [one for one, kind in services if kind in ("LoadBalancer", "NodePort")]
    answers = [limited(one) for one in public if not internal(one)]
    let = min((one for one in answers if one is not None), key=len, default=None)
    if not services or let is not None:
        return let or ()
    return None if public else (f"something passes on what comes to the service {services[0][0].name}",)


def _admits(network: Network, route: Object, gate: Object) -> tuple[str, ...] | None:
    """What would decide that policies at the gateway let in who has no identity and no token."""
    policies = list(_policies(network, gate))
    spec = route.value.get("spec")
    hosts = [str(one) for one in listed(spec.get("hosts", spec.get("hostnames")))] if isinstance(spec, Map) else []
    answers = [without_identity(policies, Asked("ANY", "", host)) for host in hosts or [""]] if policies else []
    if not answers or any(state is State.YES for state, _ in answers):
        return ()
    by = next((one for state, one in answers if state is State.UNKNOWN), None)
    return None if by is None else (f"{by.kind} {by.name} lets whoever comes pass the gateway {gate.name}",)


def _policies(network: Network, gate: Object) -> Iterator[Object]:
    """The policies of Istio that are about the pods of a gateway, or about the gateway by its name."""
    labels = _labels(gate)
    homes = {pod.owner.namespace for pod in network.pods if labels and labels.items() <= pod.labels.items()} or {ROOT}
    for one in network.cluster.of("AuthorizationPolicy"):
        spec = one.value.get("spec")
        if "linkerd" in one.api or not isinstance(spec, Map) or not network.cluster.accompanies(one, gate):
            continue
        named = [*maps_in(spec.get("targetRefs")), *maps_in(spec.get("targetRef"))]
        if named:
            here = one.namespace == gate.namespace and "servers" not in gate.value["spec"]
            if here and any((each.get("kind"), each.get("name")) == ("Gateway", gate.name) for each in named):
                yield one
        elif labels and one.namespace in (ROOT, *homes):
            selector = spec.get("selector")
            if not selector or selects(selector, labels):
                yield one


def _asks(cluster: Cluster, one: Object) -> tuple[str, ...] | None:
    """What would decide that policies of Envoy Gateway let whoever comes pass a gateway or route; None for no one."""
    unsure: list[str] = []
    for policy in cluster.of("SecurityPolicy"):
        spec = policy.value.get("spec")
        if policy.namespace != one.namespace or not isinstance(spec, Map):
            continue
        named = [*maps_in(spec.get("targetRefs")), *maps_in(spec.get("targetRef"))]
        if any((each.get("kind"), each.get("name")) == (one.kind, one.name) for each in named):
            parts = any(each.get("sectionName") for each in named)
            if any(key in spec for key in _ASK) and not parts and not _optional(spec):
                return None
            if parts or any(key in spec for key in (*_ASK, *_MAY_ASK)):
                unsure.append(f"SecurityPolicy {policy.name} lets whoever comes pass")
    return tuple(unsure)


def _optional(spec: Map) -> bool:
    jwt = spec.get("jwt")
    return isinstance(jwt, Map) and jwt.get("optional") is True
