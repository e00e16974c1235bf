"""What a policy of a mesh is about when it names it: a service, a gateway, a route.

Sources: Istio documentation, "Authorization Policy" (``targetRefs``) and "Configure waypoint proxies"
(``istio.io/use-waypoint``, ``istio.io/waypoint-for``: services by default); Linkerd documentation, "Authorization
Policy" (targets) and "HTTPRoute" (a request that no route of a server matches is not answered).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.graph import State
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.mesh_requests import Asked
    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod

_WAYPOINT: Final = "istio.io/use-waypoint"
_FOR: Final = "istio.io/waypoint-for"
_GATEWAY: Final = ("gateway.networking.k8s.io/gateway-name", "istio.io/gateway-name")
_PARAMETER: Final = re.compile(r"<[^>]*>|\{[^}]*\}")


def about(network: Network, policy: Object, pod: Pod) -> State:
    """Whether a policy decides what calls a pod, as far as what it names tells; what names nothing does.

    A waypoint stands before a service: who calls the pod itself does not pass it, unless it is for workloads too.
    """
    spec = policy.value.get("spec")
    given = (spec.get("targetRefs") or [spec.get("targetRef")]) if isinstance(spec, Map) else []
    references = [one for one in listed(given) if isinstance(one, Map)]
    if not references:
        return State.YES
    return max((_names(network, policy, one, pod) for one in references), key=_RANK.index)


_RANK: Final = (State.NO, State.UNKNOWN, State.YES)


def _names(network: Network, policy: Object, reference: Map, pod: Pod) -> State:
    kind, name = reference.get("kind"), str(reference.get("name"))
    if kind == "Service":
        service = _found(network, "Service", policy.namespace, name)
        if service is None:
            return State.UNKNOWN
        selector = _spec(service).get("selector")
        if service.namespace != pod.owner.namespace or not isinstance(selector, Map):
            return State.NO
        if not selector or any(pod.labels.get(key) != value for key, value in selector.items()):
            return State.NO
        return _passed(network, pod, service)
    if kind == "Gateway":
        gateway = _found(network, "Gateway", policy.namespace, name)
        if any(pod.labels.get(one) == name for one in _GATEWAY) and pod.owner.namespace == policy.namespace:
            return State.YES
        if gateway is None:
            return State.UNKNOWN
        if "waypoint" not in str(_spec(gateway).get("gatewayClassName")):
            return State.NO  # of what comes from outside; what calls the pod itself does not pass it
        if _waypoint(network, pod, None) != name and not any(
            _waypoint(network, pod, one) == name for one in _services(network, pod)
        ):
            return State.NO
        return State.YES if gateway.labels().get(_FOR) in ("all", "workload") else State.UNKNOWN
    return State.NO if kind == "ServiceEntry" else State.UNKNOWN


def _passed(network: Network, pod: Pod, service: Object) -> State:
    """Whether what calls a pod passes the waypoint of its service; without one nothing holds to the policy."""
    name = _waypoint(network, pod, service)
    if not name or name == "none":
        return State.NO
    gateway = _found(network, "Gateway", pod.owner.namespace, name)
    if gateway is not None and gateway.labels().get(_FOR) in ("all", "workload"):
        return State.YES
    return State.UNKNOWN


def _waypoint(network: Network, pod: Pod, service: Object | None) -> str:
    """The waypoint that a service, a pod or its namespace names; empty for none."""
    own = service.labels() if service is not None else pod.labels
    return own.get(_WAYPOINT) or network.namespace_labels(pod.owner.namespace).get(_WAYPOINT, "")


def _services(network: Network, pod: Pod) -> list[Object]:
    found = []
    for one in network.cluster.of("Service"):
        selector = _spec(one).get("selector")
        if one.namespace == pod.owner.namespace and isinstance(selector, Map) and selector:
            found += [one] if all(pod.labels.get(key) == value for key, value in selector.items()) else []
    return found


def _found(network: Network, kind: str, namespace: str, name: str) -> Object | None:
    return next((one for one in network.cluster.of(kind) if (one.namespace, one.name) == (namespace, name)), None)


def _spec(one: Object) -> Map:
    found = one.value.get("spec")
    return found if isinstance(found, Map) else Map(one.value.line)


# Linkerd


def linkerd_routes(network: Network, namespace: str, servers: set[str], asked: Asked | None) -> dict[str, State]:
    """The routes of servers, each with whether it matches what is asked; unknown where that is not known."""
    found: dict[str, State] = {}
    for one in network.cluster.of("HTTPRoute"):
        parents = [each for each in listed(_spec(one).get("parentRefs")) if isinstance(each, Map)]
        if one.namespace == namespace and any(
            each.get("kind") == "Server" and each.get("name") in servers for each in parents
        ):
            found[one.name] = _route(one, asked) if asked is not None else State.UNKNOWN
    return found


def _route(one: Object, asked: Asked) -> State:
    """Whether a route matches a request."""
    found = State.NO
    for rule in listed(_spec(one).get("rules")):
        matches = (
            [each for each in listed(rule.get("matches")) if isinstance(each, Map)] if isinstance(rule, Map) else []
        )
        if not matches:
            return State.YES
        for each in matches:
            found = max(found, _match(each, asked), key=_RANK.index)
    return found


def _match(each: Map, asked: Asked) -> State:
    if each.get("headers") or each.get("queryParams"):
        return State.UNKNOWN
    method = each.get("method")
    if isinstance(method, str) and asked.method not in ("ANY", method):
        return State.NO
    return _at(each.get("path"), asked.path)


def _at(path: Any, asked: str) -> State:
    if not isinstance(path, Map):
        return State.YES
    kind, value = path.get("type", "PathPrefix"), str(path.get("value", "/"))
    whole = _PARAMETER.sub("\ue000", asked)
    if kind == "RegularExpression":
        return State.UNKNOWN
    if kind == "Exact":
        return State.YES if whole == value else State.UNKNOWN if whole != asked else State.NO
    prefix = value.rstrip("/")
    if whole == prefix or whole.startswith(f"{prefix}/"):
        return State.YES
    return State.UNKNOWN if whole != asked else State.NO
