"""Which pods reach which over the network, by the cluster's network policies.

Source: Kubernetes documentation, "Network Policies" (isolation for ingress and egress, both sides must allow).
"""

from __future__ import annotations

from functools import cached_property
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.kubernetes.ports import rule_ports
from assaymark.assess.kubernetes.rbac import selects
from assaymark.core.graph import State
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from assaymark.assess.estate.kubernetes import Cluster, Object
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.assess.kubernetes.ports import Ports

_OTHER_POLICIES: Final = (
    *("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy", "AdminNetworkPolicy"),
    *("BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"),
)
_CLUSTER_WIDE: Final = _OTHER_POLICIES[1:]
_SYSTEM: Final = frozenset(
    (
        *("kube-system", "kube-public", "kube-node-lease", "istio-system", "cert-manager", "gatekeeper-system"),
        *("calico-system", "tigera-operator", "kube-flannel", "linkerd", "gmp-system", "gke-managed-system"),
    )
)
_RULES: Final = {"Ingress": ("ingress", "from"), "Egress": ("egress", "to")}  # where rules stand, and their peers
# Private and shared addresses (RFC 1918, RFC 6598, RFC 4193), of which clusters give pods theirs.
_OF_PODS: Final = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
_EVERYWHERE: Final = ("0.0.0.0/0", "::/0")


class Network:
    """The policies of a cluster over its pods."""

    def __init__(self, cluster: Cluster, pods: list[Pod]) -> None:
        self.cluster = cluster
        self.pods = pods
        self._namespaces = {one.name: one for one in cluster.of("Namespace")}
        policies = [one for one in cluster.of("NetworkPolicy") if isinstance(one.value.get("spec"), Map)]
        self._policies = [one for one in policies if "projectcalico" not in one.api]
        self._let: dict[tuple[str, str, bool], dict[Ports, int]] = {}
        self._meant: dict[tuple[str, str], int] = {}
        self.mesh_callers: dict[tuple[object, ...], list[tuple[int, Pod, State]]] = {}  # by policies of a mesh
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

    def shows(self, name: str) -> bool:
        """Whether the input has a namespace itself, not only what lies in it."""
        return name in self._namespaces

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
                usual = ("Ingress", "Egress") if listed(spec.get("egress")) else ("Ingress",)  # as the API server
                kinds = listed(spec.get("policyTypes")) or usual
                if direction not in kinds or not selects(spec.get("podSelector") or {}, pod.labels):
                    continue
                if self.cluster.accompanies(self._policies[index], pod.owner):
                    found.append(index)
        return [self._policies[index] for index in sorted(set(found))]

    def from_outside(self, policies: list[Object]) -> list[Ports]:
        """The ports on which policies' ingress rules let in whoever comes from outside the cluster, by rule."""
        return [
            rule_ports(rule.get("ports"))
            for policy in policies
            for rule in listed(policy.value["spec"].get("ingress"))
            if isinstance(rule, dict) and self._peers(policy, rule.get("from"), None)
        ]

    @cached_property
    def blocks(self) -> bool:
        """Whether some policy names addresses that pods may have or not."""
        return any(
            isinstance(peer, dict) and in_block(peer.get("ipBlock")) is State.UNKNOWN
            for policy in self._policies
            for rules, side in _RULES.values()
            for rule in listed(policy.value["spec"].get(rules))
            if isinstance(rule, dict)
            for peer in listed(rule.get(side))
        )

    def peers(self, policies: list[Object], direction: str, *, perhaps: bool = False) -> dict[Ports, int]:
        """The pods that rules let in (``Ingress``) or packets out to (``Egress``), as bits of ``pods``, by ports.

        ``perhaps``: with those whose addresses may be in a block that a rule names.
        """
        found: dict[Ports, int] = {}
        for policy in policies:
            key = (policy.id, direction, perhaps)
            if key not in self._let:
                self._let[key] = self._through(policy, *_RULES[direction], perhaps=perhaps)
            for ports, pods in self._let[key].items():
                found[ports] = found.get(ports, 0) | pods
        return found

    def _through(self, policy: Object, rules: str, side: str, *, perhaps: bool) -> dict[Ports, int]:
        found: dict[Ports, int] = {}
        for rule in listed(policy.value["spec"].get(rules)):
            if not isinstance(rule, dict):
                continue
            peers = rule.get(side)
            pods = 0 if peers else (1 << len(self.pods)) - 1
            for peer in listed(peers):
                pods |= self._met(policy, peer, perhaps=perhaps) if isinstance(peer, dict) else 0
            ports = rule_ports(rule.get("ports"))
            if ports != frozenset():
                found[ports] = found.get(ports, 0) | pods
        return found

    def _met(self, policy: Object, peer: dict[str, Any], *, perhaps: bool) -> int:
        """The pods that a peer means; many policies say the same of one namespace."""
        block = in_block(peer.get("ipBlock"))
        if block is not None:
            return (1 << len(self.pods)) - 1 if block is State.YES or (perhaps and block is State.UNKNOWN) else 0
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
        return any(isinstance(peer, dict) and self._peer(policy, peer, pod) for peer in listed(peers))

    def _peer(self, policy: Object, peer: dict[str, Any], pod: Pod | None) -> bool:
        block = peer.get("ipBlock")
        if isinstance(block, dict):
            return block.get("cidr") in _EVERYWHERE
        if pod is None:
            return False
        if "namespaceSelector" in peer:
            if not selects(peer["namespaceSelector"] or {}, self.namespace_labels(pod.owner.namespace)):
                return False
        elif pod.owner.namespace != policy.namespace:
            return False
        return "podSelector" not in peer or selects(peer["podSelector"] or {}, pod.labels)

    def selected(self, service: Object) -> list[Pod]:
        """The pods of a service."""
        spec = service.value.get("spec")
        own = isinstance(spec, dict) and spec.get("type") != "ExternalName"  # which leads to another name
        selector = spec.get("selector") if isinstance(spec, dict) and own else None
        if not isinstance(selector, dict) or not selector:
            return []
        wanted = {key: str(value) for key, value in selector.items()}
        return [
            pod
            for pod in self.pods
            if pod.owner.namespace == service.namespace
            and wanted.items() <= pod.labels.items()
            and self.cluster.meet(service, pod.owner)
        ]


def in_block(block: Any) -> State | None:
    """Whether pods have addresses of an ``ipBlock``; None for no block.

    Clusters give pods addresses of their own choice, mostly private ones; which, no manifest says.
    """
    if not isinstance(block, dict):
        return None
    try:
        within = ip_network(str(block.get("cidr")), strict=False)
        without = [ip_network(str(one), strict=False) for one in listed(block.get("except"))]
    except ValueError:
        return State.UNKNOWN
    if not any(within.version == one.version and within.overlaps(one) for one in _OF_PODS):
        return State.NO
    kept = all(one.is_link_local or one.is_loopback or one.prefixlen == one.max_prefixlen for one in without)
    return State.YES if not within.prefixlen and kept else State.UNKNOWN


def _asked(selector: Any) -> tuple[str, str]:
    """A label that a selector asks for; empty when it asks for none by its value."""
    labels = selector.get("matchLabels") if isinstance(selector, dict) else None
    for key, value in labels.items() if isinstance(labels, dict) else ():
        return key, str(value)
    return "", ""
