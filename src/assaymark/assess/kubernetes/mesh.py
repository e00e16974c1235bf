"""What a service mesh does for a pod: whether it is in one, whether plain text is refused, who judges requests.

Sources: Istio documentation, "PeerAuthentication" (the mesh's, the namespace's and the workload's policy, the
narrowest counts), "AuthorizationPolicy", "Installing the Sidecar" and "Add workloads to an ambient mesh"; Linkerd
documentation, "Automatic mTLS" and "Automatic Proxy Injection".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.rbac import selects
from assaymark.core.graph import State
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod

_AMBIENT: Final = "istio.io/dataplane-mode"
_TEMPLATES: Final = "inject.istio.io/templates"
ROOT: Final = "istio-system"  # the namespace whose policies are the mesh's, unless an installation says otherwise


def in_mesh(network: Network, pod: Pod) -> bool:
    """Whether its pods get a sidecar or a node's proxy, as it is labelled; on the node's network none do."""
    return membership(network, pod) is State.YES


def membership(network: Network, pod: Pod) -> State:
    """Whether its pods are of a mesh; unknown where the input does not show the namespace whose labels decide."""
    if pod.spec.get("hostNetwork") is True:
        return State.NO
    notes = {**network.namespace_annotations(pod.owner.namespace), **pod.annotations, **pod.labels}
    if notes.get("linkerd.io/inject") in ("enabled", "ingress"):
        return State.YES
    return of_istio(network, pod)


def of_istio(network: Network, pod: Pod) -> State:
    """Whether its pods have a certificate of Istio's; what switches that off, for namespace or pod, counts first."""
    if pod.spec.get("hostNetwork") is True:
        return State.NO
    own = {**pod.annotations, **pod.labels}
    around = network.namespace_labels(pod.owner.namespace)
    if (own.get(_AMBIENT) or around.get(_AMBIENT)) == "ambient" or _injected(around, own) or is_gateway(pod):
        return State.YES
    off = own.get("sidecar.istio.io/inject") == "false" and own.get(_AMBIENT) == "none"
    return State.NO if off or network.shows(pod.owner.namespace) else State.UNKNOWN


def by_node(network: Network, pod: Pod) -> bool:
    """Whether a node's proxy stands for its pods (ambient mode); a sidecar of their own counts first."""
    own = {**pod.annotations, **pod.labels}
    around = network.namespace_labels(pod.owner.namespace)
    ambient = (own.get(_AMBIENT) or around.get(_AMBIENT)) == "ambient"
    return ambient and not _injected(around, own) and not is_gateway(pod)


def is_gateway(pod: Pod) -> bool:
    """Whether it is a proxy of Istio that takes what its ``Gateway`` says, and calls as one of the mesh."""
    given = {**pod.annotations, **pod.labels}
    return "gateway" in given.get(_TEMPLATES, "") or "gateway" in pod.labels.get("istio", "")


def _injected(around: dict[str, str], own: dict[str, str]) -> bool:
    """Whether Istio gives pods a sidecar; what switches that off, for the namespace or the pod, counts first."""
    asked = own.get("sidecar.istio.io/inject")
    switch = around.get("istio-injection")
    if switch == "disabled" or asked == "false":
        return False
    return asked == "true" or switch == "enabled" or "istio.io/rev" in around or "istio.io/rev" in own


def mode(network: Network, pod: Pod) -> str:
    """The mode of mutual TLS for a pod: of the narrowest policy that has one; ``PERMISSIVE`` when none has."""
    found = ""
    rank = -1
    for policy in network.cluster.of("PeerAuthentication"):
        own = mode_of(policy)
        near = width(network, policy, pod)
        if own not in ("", "UNSET") and near > rank:
            found, rank = own, near
    return found or "PERMISSIVE"


def strict(network: Network, pod: Pod) -> bool:
    """Whether plain text to its pods is refused on every port."""
    if not in_mesh(network, pod) or mode(network, pod) != "STRICT":
        return False
    return not any(
        width(network, policy, pod) > 1 and exceptions(policy) for policy in network.cluster.of("PeerAuthentication")
    )


def mode_of(policy: Object) -> str:
    """The mode that a policy has; empty for none."""
    spec = policy.value.get("spec")
    mutual = spec.get("mtls") if isinstance(spec, Map) else None
    found = mutual.get("mode") if isinstance(mutual, Map) else None
    return found if isinstance(found, str) else ""


def exceptions(policy: Object) -> list[tuple[str, Map]]:
    """The ports that a policy lets plain text into, and where."""
    return [(port, item) for port, item in _ports(policy) if item.get("mode") in ("DISABLE", "PERMISSIVE")]


def port_modes(policy: Object) -> list[tuple[str, str]]:
    """The ports of which a policy says more, each with its mode; empty for none."""
    return [(port, str(item.get("mode") or "")) for port, item in _ports(policy)]


def _ports(policy: Object) -> list[tuple[str, Map]]:
    spec = policy.value.get("spec")
    ports = spec.get("portLevelMtls") if isinstance(spec, Map) else None
    given = ports.items() if isinstance(ports, Map) else ()
    return [(str(port), item) for port, item in given if isinstance(item, Map)]


def width(network: Network, policy: Object, pod: Pod) -> int:
    """How near a policy is to a pod: 0 the mesh's, 1 its namespace's, 2 its own; -1 when it is none of its."""
    if not network.cluster.accompanies(policy, pod.owner):
        return -1
    if selects_some(policy):
        selector = policy.value["spec"]["selector"]
        return 2 if _selects_in(policy, pod) and selects(selector, pod.labels) else -1
    if policy.namespace == pod.owner.namespace:
        return 1
    return 0 if policy.namespace == ROOT else -1


def selects_some(policy: Object) -> bool:
    """Whether a policy has a selector of its own."""
    spec = policy.value.get("spec")
    selector = spec.get("selector") if isinstance(spec, Map) else None
    return isinstance(selector, Map) and bool(selector)


def _selects_in(policy: Object, pod: Pod) -> bool:
    """Whether a policy with a selector counts in a pod's namespace: the root's does in all, or of peers in none."""
    if policy.namespace == ROOT:
        return policy.kind != "PeerAuthentication"
    return policy.namespace == pod.owner.namespace


def applies(network: Network, policy: Object, pod: Pod) -> bool:
    """Whether a policy of the mesh is about a pod: the mesh's, its namespace's or its own."""
    return width(network, policy, pod) >= 0
