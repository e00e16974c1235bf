"""Which pods reach which over the network, and what is reached from outside of the cluster.

Source: Kubernetes documentation, "Network Policies" (isolation for ingress and egress, both sides must allow),
"Service", "Ingress"; Gateway API, "HTTPRoute" and "Gateway"; Istio, "Gateway" and "VirtualService"; KServe's and
Knative's ``cluster-local`` visibility.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.kubernetes.rbac import selects
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.kubernetes import Cluster, Object
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.graph import Because

_INTERNAL: Final = (
    ("service.beta.kubernetes.io/aws-load-balancer-internal", ("true", "0.0.0.0/0")),
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", ("internal",)),
    ("networking.gke.io/load-balancer-type", ("Internal",)),
    ("cloud.google.com/load-balancer-type", ("Internal",)),
    ("service.beta.kubernetes.io/azure-load-balancer-internal", ("true",)),
    ("alb.ingress.kubernetes.io/scheme", ("internal",)),
)
_OTHER_POLICIES: Final = (
    *("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy", "AdminNetworkPolicy"),
    *("BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"),
)
_CLUSTER_WIDE: Final = _OTHER_POLICIES[1:]
# What an ingress controller asks of callers before it passes anything on.
_ASKS: Final = (
    *("nginx.ingress.kubernetes.io/auth-url", "nginx.ingress.kubernetes.io/auth-type"),
    *("nginx.ingress.kubernetes.io/auth-tls-secret", "alb.ingress.kubernetes.io/auth-type"),
    *("haproxy.org/auth-type", "ingress.kubernetes.io/auth-type", "haproxy-ingress.github.io/auth-url"),
    *("konghq.com/plugins", "traefik.ingress.kubernetes.io/router.middlewares"),
)
_NARROWS: Final = ("whitelist-source-range", "allowlist-source-range", "inbound-cidrs")
_SYSTEM: Final = frozenset(
    (
        *("kube-system", "kube-public", "kube-node-lease", "istio-system", "cert-manager", "gatekeeper-system"),
        *("calico-system", "tigera-operator", "kube-flannel", "linkerd", "gmp-system", "gke-managed-system"),
    )
)
_RULES: Final = {"Ingress": ("ingress", "from"), "Egress": ("egress", "to")}  # where rules stand, and their peers
_EVERYWHERE: Final = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class Exposed:
    """A workload that is reached from the internet: by which objects, in words, and where that is written.

    ``decides``: what would have to be so, and the input does not show; none when it is certain.
    """

    pod: Pod
    by: Object
    how: str
    because: tuple[Because, ...]
    tls: bool
    decides: tuple[str, ...] = ()


class Network:
    """The policies of a cluster over its pods."""

    def __init__(self, cluster: Cluster, pods: list[Pod]) -> None:
        self.cluster = cluster
        self.pods = pods
        self._namespaces = {one.name: one for one in cluster.of("Namespace")}
        policies = [one for one in cluster.of("NetworkPolicy") if isinstance(one.value.get("spec"), Map)]
        self._policies = [one for one in policies if "projectcalico" not in one.api]
        self._let: dict[tuple[str, str], int] = {}
        self._meant: dict[tuple[str, str], int] = {}
        self._here: dict[tuple[str, str, str], list[int]] = {}  # policies by namespace and a label that they ask for
        for index, policy in enumerate(self._policies):
            label = _asked(policy.value["spec"].get("podSelector"))
            self._here.setdefault((policy.namespace, *label), []).append(index)
        self._others = [*cluster.of(*_OTHER_POLICIES), *(one for one in policies if "projectcalico" in one.api)]

    def own_pods(self) -> list[Pod]:
        """The pods that are not of the cluster's own namespaces."""
        return [pod for pod in self.pods if pod.owner.namespace not in _SYSTEM]

    def namespace_labels(self, name: str) -> dict[str, str]:
        """The labels of a namespace; each has its name as one."""
        found = self._namespaces.get(name)
        return {"kubernetes.io/metadata.name": name, **(found.labels() if found else {})}

    def namespace_annotations(self, name: str) -> dict[str, str]:
        """The annotations of a namespace."""
        found = self._namespaces.get(name)
        return found.labels("annotations") if found else {}

    def other_policies(self, namespace: str) -> list[Object]:
        """Policies of a network plug-in that may speak of a namespace. What they allow is not evaluated."""
        return [one for one in self._others if one.namespace == namespace or one.kind in _CLUSTER_WIDE]

    def policies(self, pod: Pod, direction: str) -> list[Object]:
        """The policies that isolate a pod for ``Ingress`` or ``Egress``."""
        found = []
        for label in (("", ""), *pod.labels.items()):
            for index in self._here.get((pod.owner.namespace, *label), ()):
                spec = self._policies[index].value["spec"]
                kinds = spec.get("policyTypes") or (["Ingress", "Egress"] if "egress" in spec else ["Ingress"])
                if direction in kinds and selects(spec.get("podSelector") or {}, pod.labels):
                    found.append(index)
        return [self._policies[index] for index in sorted(set(found))]

    def lets_in(self, policies: list[Object], source: Pod | None) -> bool:
        """Whether some policy's ingress rules let ``source`` in; None is whoever comes from outside the cluster."""
        return any(
            self._peers(policy, rule.get("from"), source)
            for policy in policies
            for rule in _listed(policy.value["spec"].get("ingress"))
            if isinstance(rule, dict)
        )

    def peers(self, policies: list[Object], direction: str) -> int:
        """The pods that rules let in (``Ingress``) or packets out to (``Egress``), as bits of ``pods``."""
        found = 0
        for policy in policies:
            key = (policy.id, direction)
            if key not in self._let:
                self._let[key] = self._through(policy, *_RULES[direction])
            found |= self._let[key]
        return found

    def _through(self, policy: Object, rules: str, side: str) -> int:
        found = 0
        for rule in _listed(policy.value["spec"].get(rules)):
            if not isinstance(rule, dict):
                continue
            peers = rule.get(side)
            if not peers:
                return (1 << len(self.pods)) - 1
            for peer in _listed(peers):
                found |= self._met(policy, peer) if isinstance(peer, dict) else 0
        return found

    def _met(self, policy: Object, peer: dict[str, Any]) -> int:
        """The pods that a peer means; many policies say the same of one namespace."""
        key = (policy.namespace, repr(peer))
        if key not in self._meant:
            found = bytearray((len(self.pods) + 7) // 8)
            for index, pod in enumerate(self.pods):
                if self._peer(policy, peer, pod):
                    found[index >> 3] |= 1 << (index & 7)
            self._meant[key] = int.from_bytes(found, "little")
        return self._meant[key]

    def _peers(self, policy: Object, peers: Any, pod: Pod | None) -> bool:
        if not peers:
            return True
        return any(isinstance(peer, dict) and self._peer(policy, peer, pod) for peer in _listed(peers))

    def _peer(self, policy: Object, peer: dict[str, Any], pod: Pod | None) -> bool:
        block = peer.get("ipBlock")
        if isinstance(block, dict):
            wide = block.get("cidr") in _EVERYWHERE
            return wide if pod is None else wide or str(block.get("cidr", "")).startswith(("10.", "172.", "192.168."))
        if pod is None:
            return False
        if "namespaceSelector" in peer:
            if not selects(peer["namespaceSelector"] or {}, self.namespace_labels(pod.owner.namespace)):
                return False
        elif pod.owner.namespace != policy.namespace:
            return False
        return "podSelector" not in peer or selects(peer["podSelector"] or {}, pod.labels)

    # what comes from outside

    def selected(self, service: Object) -> list[Pod]:
        """The pods of a service."""
        spec = service.value.get("spec")
        selector = spec.get("selector") if isinstance(spec, dict) else None
        if not isinstance(selector, dict) or not selector:
            return []
        wanted = {key: str(value) for key, value in selector.items()}
        return [
            pod
            for pod in self.pods
            if pod.owner.namespace == service.namespace and wanted.items() <= pod.labels.items()
        ]

    def exposed(self) -> Iterator[Exposed]:
        """All that is reached from the internet."""
        services = {(one.namespace, one.name): one for one in self.cluster.of("Service")}
        for service in self.cluster.of("Service"):
            spec = service.value.get("spec")
            kind = spec.get("type") if isinstance(spec, dict) else None
            if kind in ("LoadBalancer", "NodePort") and not internal(service) and not _narrowed(spec):
                how = f"the {kind} service {service.name} passes on what comes"
                ports = "the internet reaches the addresses of the nodes" if kind == "NodePort" else ""
                for pod in self.selected(service):
                    decides = (*([ports] if ports else []), *self._outside(pod))
                    yield Exposed(pod, service, how, (service.because(spec, "type"),), tls=False, decides=decides)
        for route, names, how, tls in self._routes():
            asks = tuple(
                f"{key} of {route.kind} {route.name} lets whoever comes pass"
                for key in sorted(route.labels("annotations"))
                if key in _ASKS or key.endswith(_NARROWS)
            )
            for namespace, name in names:
                found = services.get((namespace, name))
                for pod in self.selected(found) if found else ():
                    because = (route.because(), found.because()) if found else ()
                    yield Exposed(pod, route, how, because, tls=tls, decides=asks)
        yield from self._served()

    def _outside(self, pod: Pod) -> tuple[str, ...]:
        """What would have to be so that a service's callers from outside get past a pod's policies."""
        policies = self.policies(pod, "Ingress")
        if not policies or self.lets_in(policies, None):
            return ()
        return (f"network policy {policies[0].name} takes callers from outside for a node of the cluster",)

    def _routes(self) -> Iterator[tuple[Object, list[tuple[str, str]], str, bool]]:
        gateways = {(one.namespace, one.name): one for one in self.cluster.of("Gateway")}
        for ingress in self.cluster.of("Ingress"):
            if not internal(ingress):
                spec = ingress.value.get("spec")
                tls = bool(spec.get("tls")) if isinstance(spec, dict) else False
                how = f"the ingress {ingress.name} passes on what comes"
                yield (
                    ingress,
                    [(ingress.namespace, name) for name in _named(spec, "service", "serviceName")],
                    how,
                    tls,
                )
        for route in self.cluster.of("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"):
            spec = route.value.get("spec")
            parents = maps_of(spec, "parentRefs")
            gates = [
                gateways.get((str(item.get("namespace") or route.namespace), str(item.get("name"))))
                for item in parents
            ]
            tls = bool(gates) and all(_gate_tls(gate) for gate in gates)
            names = [
                (str(item.get("namespace") or route.namespace), str(item["name"]))
                for item in maps_of(spec, "backendRefs")
                if isinstance(item.get("name"), str)
            ]
            yield route, names, f"the route {route.name} of a gateway passes on what comes", tls
        for route in self.cluster.of("Route"):
            spec = route.value.get("spec")
            if route.api.startswith("route.openshift.io") and isinstance(spec, Map):
                names = [(route.namespace, str(item.get("name"))) for item in maps_of(spec, "to")]
                yield route, names, f"the route {route.name} passes on what comes", bool(spec.get("tls"))
        for route in self.cluster.of("VirtualService"):
            spec = route.value.get("spec")
            named = [str(one) for one in spec.get("gateways") or ()] if isinstance(spec, dict) else list[str]()
            if any(one != "mesh" for one in named):
                hosts = [str(item.get("host")).split(".") for item in maps_of(spec, "destination")]
                names = [(host[1] if len(host) > 1 else route.namespace, host[0]) for host in hosts]
                gates = [gateways.get((route.namespace, one.rpartition("/")[2])) for one in named]
                yield (
                    route,
                    names,
                    f"the virtual service {route.name} passes on what comes",
                    all(map(_gate_tls, gates)),
                )

    def _served(self) -> Iterator[Exposed]:
        """KServe's and Knative's services have a route from outside unless they say otherwise."""
        for pod in self.pods:
            owner = pod.owner
            if owner.kind == "InferenceService" or (owner.kind == "Service" and "knative" in owner.api):
                labels = {**owner.labels(), **owner.labels("annotations")}
                if (
                    labels.get("networking.knative.dev/visibility", labels.get("networking.kserve.io/visibility"))
                    != "cluster-local"
                ):
                    how = f"{owner.kind} {owner.name} gets a route from outside, since it is not cluster-local"
                    decides = ("the internet reaches the cluster's gateway",)
                    yield Exposed(pod, owner, how, (owner.because(),), tls=False, decides=decides)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _asked(selector: Any) -> tuple[str, str]:
    """A label that a selector asks for; empty when it asks for none by its value."""
    labels = selector.get("matchLabels") if isinstance(selector, dict) else None
    for key, value in labels.items() if isinstance(labels, dict) else ():
        return key, str(value)
    return "", ""


def internal(item: Object) -> bool:
    """Whether a service or an ingress says that only one's own network reaches it."""
    spec = item.value.get("spec")
    if isinstance(spec, Map) and "internal" in str(spec.get("ingressClassName", spec.get("loadBalancerClass", ""))):
        return True
    annotations = item.labels("annotations")
    return any(annotations.get(key, "").strip() in values for key, values in _INTERNAL)


def _narrowed(spec: Any) -> bool:
    ranges = (spec.get("loadBalancerSourceRanges") if isinstance(spec, dict) else None) or []
    return bool(ranges) and not any(one in _EVERYWHERE for one in ranges)


def _gate_tls(gate: Object | None) -> bool:
    if gate is None:
        return False
    protocols = []
    for item in maps_of(gate.value.get("spec"), "listeners") + maps_of(gate.value.get("spec"), "servers"):
        port = item.get("port")
        protocols.append(str(item.get("protocol") or (port.get("protocol") if isinstance(port, dict) else "")))
    return bool(protocols) and all(protocol.upper() in ("HTTPS", "TLS") for protocol in protocols)


def maps_of(value: Any, key: str) -> list[Map]:
    """All mappings under a key, at any depth; a mapping counts as a list of one."""
    found: list[Map] = []
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            inner = item.get(key)
            found += [one for one in (inner if isinstance(inner, list) else [inner]) if isinstance(one, Map)]
            pending += item.values()
        elif isinstance(item, list):
            pending += item
    return found


def _named(value: Any, *keys: str) -> list[str]:
    """Names of services in an ingress, of either version of its API."""
    found: dict[str, None] = {}
    for key in keys:
        for item in maps_of(value, key):
            if isinstance(item.get("name"), str):
                found[item["name"]] = None
    for item in maps_of(value, "backend"):
        if isinstance(item.get("serviceName"), str):
            found[item["serviceName"]] = None
    return list(found)
