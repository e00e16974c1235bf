"""``exposed``: what of a cluster is reached from the internet, on which ports, and by which objects.

Source: Kubernetes documentation, "Service", "Ingress"; Gateway API, "HTTPRoute" and "Gateway"; OpenShift, "Route";
Istio, "Gateway" and "VirtualService"; KServe's and Knative's ``cluster-local`` visibility.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.kubernetes.exposed import Exposed
from assaymark.assess.kubernetes.facing import faces, internal, kept_inside, limited, outer_addresses
from assaymark.assess.kubernetes.gateways import gate_tls, lets, takes
from assaymark.assess.kubernetes.gke_proxies import by_proxy
from assaymark.assess.kubernetes.mesh_ways import past_mesh
from assaymark.assess.kubernetes.ports import named_ports, port_number, resolved
from assaymark.formats.located import Map, listed, maps_in, maps_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.kubernetes import Cluster, Object
    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.graph import Because

# What an ingress controller asks of callers before it passes anything on.
_ASKS: Final = (
    *("nginx.ingress.kubernetes.io/auth-url", "nginx.ingress.kubernetes.io/auth-type"),
    *("nginx.ingress.kubernetes.io/auth-tls-secret", "alb.ingress.kubernetes.io/auth-type"),
    *("haproxy.org/auth-type", "ingress.kubernetes.io/auth-type", "haproxy-ingress.github.io/auth-url"),
    *("konghq.com/plugins", "traefik.ingress.kubernetes.io/router.middlewares"),
)
_NARROWS: Final = ("whitelist-source-range", "allowlist-source-range", "inbound-cidrs")
_NODES: Final = "the internet reaches the addresses of the nodes"
_PLAIN: Final = ("v1", "apps/v1", "batch/v1")  # whose pods have the ports that are written


def exposed(network: Network) -> Iterator[Exposed]:
    """All that is reached from the internet, on some port at least."""
    for one in _exposed(network):
        if one.ports != frozenset():
            yield from past_mesh(network, one)


def _exposed(network: Network) -> Iterator[Exposed]:
    services: dict[tuple[str, str], Object] = {}
    versions: dict[tuple[str, str], list[Object]] = {}  # what several overlays make of one
    for one in network.cluster.of("Service"):
        services.setdefault((one.namespace, one.name), one)
        versions.setdefault((one.namespace, one.name), []).append(one)
    yield from _by_services(network)
    for route, backends, how, tls, unsure_way in _routes(network):
        asks = unsure_way + tuple(
            f"{key} of {route.kind} {route.name} lets whoever comes pass"
            for key in sorted(route.labels("annotations"))
            if key in _ASKS or key.endswith(_NARROWS)
        )
        for namespace, name, port in backends:
            if by_proxy(network.cluster, route, services.get((namespace, name)), port):
                continue
            for known in _known(network.cluster, services, versions.get((namespace, name), []), route):
                for pod, ports, because, unsure in _behind(network, known, (namespace, name), port):
                    if network.cluster.meet(route, pod.owner):
                        lines = (route.because(), *because)
                        yield Exposed(pod, route, how, lines, tls=tls, decides=(*asks, *unsure), ports=ports)
    yield from _served(network)
    yield from _ray_heads(network)
    yield from _on_nodes(network)


def _by_services(network: Network) -> Iterator[Exposed]:
    """What services lead to by themselves: by load balancers, ports of nodes, addresses of other networks."""
    for service in network.cluster.of("Service"):
        spec = service.value.get("spec")
        kind = spec.get("type") if isinstance(spec, dict) else None
        unsure = limited(service) if kind == "LoadBalancer" else ()
        if kind in ("LoadBalancer", "NodePort") and not internal(service) and unsure is not None:
            how = f"the {kind} service {service.name} passes on what comes"
            nodes = (_NODES,) if kind == "NodePort" else unsure
            for pod in network.selected(service):
                where = (service.because(spec, "type"),)
                for ports, more in _outside(network, pod, _targets(service, pod, None)):
                    yield Exposed(pod, service, how, where, tls=False, decides=(*nodes, *more), ports=ports)
        for address in outer_addresses(service)[:1]:
            how = f"the service {service.name} takes what comes for {address}"
            for pod in network.selected(service):
                for ports, more in _outside(network, pod, _targets(service, pod, None)):
                    decides = (f"packets for {address} come to the nodes", *more)
                    where = (service.because(spec, "externalIPs"),)
                    yield Exposed(pod, service, how, where, tls=False, decides=decides, ports=ports)


def _known(
    cluster: Cluster, services: dict[tuple[str, str], Object], versions: list[Object], route: Object
) -> Iterator[dict[tuple[str, str], Object]]:
    """The services by namespace and name, with each version of one that may be where the route is."""
    if len(versions) < 2:  # noqa: PLR2004 - one overlay's, or none
        yield services
        return
    for one in versions:
        if cluster.meet(one, route):
            yield {**services, (one.namespace, one.name): one}


def _behind(
    network: Network, services: dict[tuple[str, str], Object], name: tuple[str, str], port: Any
) -> Iterator[tuple[Pod, frozenset[int] | None, tuple[Because, ...], tuple[str, ...]]]:
    """The pods behind one port of a service: its own, those of the service that it is an alias of, or KubeRay's."""
    found = services.get(name)
    if found is None:
        for pod in network.pods:
            for made, ports in _made_by_ray(pod):
                if name == (pod.owner.namespace, made):
                    number = port if isinstance(port, int) else ports.get(str(port))
                    yield pod, None if number is None else frozenset((number,)), (pod.owner.because(),), ()
        return
    other = _alias(found)
    if other is not None and other != name and other in services and _alias(services[other]) is None:
        unsure = f"what passes on follows {found.name}, which is the name of another service"
        for pod in network.selected(services[other]):
            because = (found.because(), services[other].because())
            yield pod, _targets(services[other], pod, port), because, (unsure,)
        return
    for pod in network.selected(found):
        yield pod, _targets(found, pod, port), (found.because(),), ()


def _alias(service: Object) -> tuple[str, str] | None:
    """The namespace and name of the service of the cluster that a service of type ExternalName stands for."""
    spec = service.value.get("spec")
    host = str(spec.get("externalName") or "").split(".") if isinstance(spec, dict) else []
    named = isinstance(spec, dict) and spec.get("type") == "ExternalName" and len(host) > 2 and host[2] == "svc"  # noqa: PLR2004
    return (host[1], host[0]) if named else None


_RAY_PORTS: Final = {
    "dashboard": 8265,
    "client": 10001,
    "serve": 8000,
    **dict.fromkeys(("gcs", "gcs-server", "redis"), 6379),
}


def _made_by_ray(pod: Pod) -> Iterator[tuple[str, dict[str, int]]]:
    """The services that KubeRay makes for a pod of its objects, by name, with their ports.

    Source: KubeRay, "RayService Quickstart": ``NAME-head-svc`` leads to the head, ``NAME-serve-svc`` to Ray Serve.
    """
    owner = pod.owner
    if owner.kind in ("RayCluster", "RayService") and owner.api.startswith("ray.io/"):
        if pod.labels.get("ray.io/node-type") == "head":
            yield f"{owner.name}-head-svc", {**_RAY_PORTS, **named_ports(pod)}
        if owner.kind == "RayService":
            yield f"{owner.name}-serve-svc", {"serve": 8000}


def _targets(service: Object, pod: Pod, wanted: Any) -> frozenset[int] | None:
    """The ports of a pod that a service passes on to, or that one port of it (number or name) does; None for all.

    None of them where the service has no such port, or none of TCP, or the pod none of the name that it passes on to.
    """
    spec = service.value.get("spec")
    ports = listed(spec.get("ports")) if isinstance(spec, dict) else []
    if not ports:
        return None
    found: set[int] = set()
    names = named_ports(pod)
    for item in ports:
        if not isinstance(item, dict):
            return None
        if wanted is not None and wanted not in (item.get("port"), item.get("name")):
            continue
        if str(item.get("protocol") or "TCP").upper() != "TCP":
            continue
        target = item.get("targetPort", item.get("port"))
        number = port_number(names.get(str(target), target))
        if number is not None:
            found.add(number)
        elif not (isinstance(target, str) and target and pod.owner.api in _PLAIN):
            return None  # its controller may name more ports than it is written with
    return frozenset(found)


def _outside(
    network: Network, pod: Pod, ports: frozenset[int] | None
) -> Iterator[tuple[frozenset[int] | None, tuple[str, ...]]]:
    """The ports on which a service's callers from outside get past a pod's policies, and what would have to be so."""
    policies = network.policies(pod, "Ingress")
    rules = network.from_outside(policies)
    if not policies or None in rules:
        yield ports, ()
        return
    known = frozenset[int]() if ports is None else ports
    sure = frozenset[int]()
    for rule in rules:
        numbers = resolved(rule, named_ports(pod), known)
        sure |= known if numbers is None else numbers
    sure = sure if ports is None else sure & ports
    yield sure, ()
    unsure = (f"network policy {policies[0].name} takes callers from outside for a node of the cluster",)
    yield None if ports is None else ports - sure, unsure


def _routes(network: Network) -> Iterator[tuple[Object, list[tuple[str, str, Any]], str, bool, tuple[str, ...]]]:
    """What passes on what comes to services: the object, the services with their ports, in words, whether by TLS.

    Last what would decide that something comes from the internet.
    """
    cluster = network.cluster
    gateways = {(one.namespace, one.name): one for one in cluster.of("Gateway")}
    for ingress in cluster.of("Ingress"):
        unsure = faces(cluster, ingress)
        if unsure is not None:
            spec = ingress.value.get("spec")
            tls = bool(spec.get("tls")) if isinstance(spec, dict) else False
            how = f"the ingress {ingress.name} passes on what comes"
            yield ingress, [(ingress.namespace, *one) for one in _backends(spec)], how, tls, unsure
    for route in cluster.of("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"):
        spec = route.value.get("spec")
        parents = maps_of(spec, "parentRefs")
        gates = [
            gateways.get((str(item.get("namespace") or route.namespace), str(item.get("name")))) for item in parents
        ]
        taken = [gate for parent, gate in zip(parents, gates, strict=True) if takes(cluster, route, parent, gate)]
        unsure = lets(network, route, taken)
        if (parents and not taken) or unsure is None:
            continue
        tls = bool(gates) and all(gate_tls(gate) for gate in gates)
        names = [
            (str(item.get("namespace") or route.namespace), str(item["name"]), item.get("port"))
            for item in maps_of(spec, "backendRefs")
            if isinstance(item.get("name"), str) and _granted(cluster, route, item)
        ]
        yield route, names, f"the route {route.name} of a gateway passes on what comes", tls, unsure
    for route in cluster.of("Route"):
        spec = route.value.get("spec")
        if route.api.startswith("route.openshift.io") and isinstance(spec, Map):
            names = [(route.namespace, str(item.get("name")), None) for item in maps_of(spec, "to")]
            yield route, names, f"the route {route.name} passes on what comes", bool(spec.get("tls")), ()
    for route in cluster.of("VirtualService"):
        spec = route.value.get("spec")
        named = [str(one) for one in listed(spec.get("gateways"))] if isinstance(spec, dict) else list[str]()
        gates = [_istio_gate(gateways, route, one) for one in named if one != "mesh"]
        unsure = lets(network, route, gates) if gates else None
        if unsure is not None:
            names = [_destination(route, item) for item in maps_of(spec, "destination")]
            how = f"the virtual service {route.name} passes on what comes"
            yield route, names, how, all(map(gate_tls, gates)), unsure


def _istio_gate(gateways: dict[tuple[str, str], Object], route: Object, name: str) -> Object | None:
    """The gateway that a virtual service names, with its namespace or in its own."""
    home, slash, last = name.partition("/")
    return gateways.get((home, last) if slash else (route.namespace, name))


def _granted(cluster: Cluster, route: Object, backend: Map) -> bool:
    """Whether a route may name a service: those of another namespace need a ReferenceGrant there."""
    there = str(backend.get("namespace") or route.namespace)
    return there == route.namespace or any(
        one.namespace == there
        and any(
            item.get("kind") == route.kind and item.get("namespace") == route.namespace
            for item in maps_of(one.value.get("spec"), "from")
        )
        for one in cluster.of("ReferenceGrant")
    )


def _destination(route: Object, item: Map) -> tuple[str, str, Any]:
    host = str(item.get("host")).split(".")
    port = item.get("port")
    number = port.get("number") if isinstance(port, dict) else None
    return host[1] if len(host) > 1 else route.namespace, host[0], number


def _served(network: Network) -> Iterator[Exposed]:
    """KServe's and Knative's services have a route from outside unless they say otherwise."""
    for pod in network.pods:
        owner = pod.owner
        if owner.kind == "InferenceService" or (owner.kind == "Service" and "knative" in owner.api):
            labels = {**owner.labels(), **owner.labels("annotations")}
            if (
                labels.get("networking.knative.dev/visibility", labels.get("networking.kserve.io/visibility"))
                != "cluster-local"
            ):
                how = f"{owner.kind} {owner.name} gets a route from outside, since it is not cluster-local"
                decides = ("the internet reaches the cluster's gateway",)
                yield Exposed(pod, owner, how, (owner.because(),), tls=False, decides=decides, through=True)


def _on_nodes(network: Network) -> Iterator[Exposed]:
    """Pods that listen on the addresses of their nodes: on the node's network, or by ports of it."""
    for pod in network.own_pods():
        how = "its pods listen on the addresses of their nodes"
        if pod.spec.get("hostNetwork") is True:
            yield Exposed(pod, pod.owner, how, (pod.because(),), tls=False, decides=(_NODES,))
            continue
        for container in pod.containers():
            for item in maps_in(container.get("ports")):
                number = port_number(item.get("containerPort"))
                if item.get("hostPort") and number is not None and item.get("protocol", "TCP") == "TCP":
                    for ports, more in _outside(network, pod, frozenset((number,))):
                        where = (pod.because(item),)
                        yield Exposed(pod, pod.owner, how, where, tls=False, decides=(_NODES, *more), ports=ports)


def _ray_heads(network: Network) -> Iterator[Exposed]:
    """Heads of Ray whose object asks KubeRay for a service or ingress that the internet reaches.

    Source: KubeRay, "RayCluster Configuration" and its API reference: ``serviceType``, ``enableIngress`` and
    ``headService`` of ``headGroupSpec``, ``headServiceAnnotations``.
    """
    for pod in network.pods:
        if pod.labels.get("ray.io/node-type") != "head" or not pod.owner.api.startswith("ray.io/"):
            continue
        spec = pod.owner.value.get("spec")
        given = (*maps_of(spec, "headServiceAnnotations"), *maps_of(maps_of(spec, "headService"), "annotations"))
        noted = {str(key): str(value) for one in given for key, value in one.items()}
        for head in maps_of(spec, "headGroupSpec"):
            own = [one.get("type") for one in maps_of(maps_of(head, "headService"), "spec")]
            kind = head.get("serviceType") or next(iter(own), None)
            if kind in ("LoadBalancer", "NodePort") and not kept_inside(noted):
                how = f"KubeRay makes a {kind} service for the head of {pod.owner.name}"
                nodes = (_NODES,) if kind == "NodePort" else ()
                where = (pod.owner.because(head, "serviceType"),)
                for ports, unsure in _outside(network, pod, None):
                    decides = (*nodes, *unsure)
                    yield Exposed(pod, pod.owner, how, where, tls=False, decides=decides, ports=ports)
            if head.get("enableIngress") is True:
                how = f"KubeRay makes an ingress for the dashboard of {pod.owner.name}"
                where = (pod.owner.because(head, "enableIngress"),)
                ports = frozenset((_RAY_PORTS["dashboard"],))
                yield Exposed(pod, pod.owner, how, where, tls=False, ports=ports, through=True)


def _backends(value: Any) -> list[tuple[str, Any]]:
    """The services that an ingress of either version of its API names, each with its port: number, name or None."""
    found: dict[tuple[str, Any], None] = {}
    for item in maps_of(value, "service"):
        if isinstance(item.get("name"), str):
            port = item.get("port")
            given = port.get("number", port.get("name")) if isinstance(port, dict) else port
            found[item["name"], given if isinstance(given, (int, str)) else None] = None
    for item in (*maps_of(value, "backend"), *maps_of(value, "defaultBackend")):
        if isinstance(item.get("serviceName"), str):
            given = item.get("servicePort")
            found[item["serviceName"], given if isinstance(given, (int, str)) else None] = None
    return list(found)
