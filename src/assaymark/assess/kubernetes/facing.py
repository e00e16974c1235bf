"""``internal``, ``faces``: whether what a cluster asks of a cloud, or of a controller, faces the internet.

Sources: AWS Load Balancer Controller, "Network Load Balancer" (internal unless the service says otherwise) and
"IngressClass" (``IngressClassParams``); Google Kubernetes Engine, "Internal Application Load Balancers"; Azure
Kubernetes Service, "Internal load balancer"; Gateway API, ``GatewayInfrastructure``.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from assaymark.assess.estate.kubernetes import Cluster, Object

_INTERNAL: Final = (
    ("service.beta.kubernetes.io/aws-load-balancer-internal", ("true", "0.0.0.0/0")),
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", ("internal",)),
    ("networking.gke.io/load-balancer-type", ("Internal",)),
    ("cloud.google.com/load-balancer-type", ("Internal",)),
    ("service.beta.kubernetes.io/azure-load-balancer-internal", ("true",)),
    ("alb.ingress.kubernetes.io/scheme", ("internal",)),
    ("service.beta.kubernetes.io/oci-load-balancer-internal", ("true",)),
    ("service.beta.kubernetes.io/openstack-internal-load-balancer", ("true",)),
    ("service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type", ("private",)),
    ("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type", ("intranet",)),
)
_SCHEMES: Final = ("alb.ingress.kubernetes.io/scheme", "service.beta.kubernetes.io/aws-load-balancer-scheme")
_BY_AWS: Final = ("external", "nlb-ip")  # which its controller takes, and not Kubernetes itself
_TYPE: Final = "service.beta.kubernetes.io/aws-load-balancer-type"
_CLASS: Final = "kubernetes.io/ingress.class"
_NAMES: Final = ("ingressClassName", "loadBalancerClass", "gatewayClassName")
_INSIDE: Final = re.compile(r"internal|^tailscale$|-rilb(?:-|$)|vpc-lattice|^gce-internal$")
_FROM: Final = (
    "service.beta.kubernetes.io/load-balancer-source-ranges",
    "service.beta.kubernetes.io/azure-allowed-ip-ranges",
)
_TAGS: Final = "service.beta.kubernetes.io/azure-allowed-service-tags"
_ADDRESSES: Final = (
    *("metallb.universe.tf/loadBalancerIPs", "metallb.io/loadBalancerIPs"),
    *("service.beta.kubernetes.io/azure-load-balancer-ipv4", "io.cilium/lb-ipam-ips", "lbipam.cilium.io/ips"),
)
_NETWORKS: Final = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
_CONTROLLERS: Final = ("ingress.k8s.aws/alb", "eks.amazonaws.com/alb")
_EVERYWHERE: Final = ("0.0.0.0/0", "::/0")


def internal(item: Object) -> bool:
    """Whether a service, an ingress or a gateway says that only one's own network reaches it."""
    notes = item.labels("annotations")
    spec = item.value.get("spec")
    spec = spec if isinstance(spec, Map) else Map(item.value.line)
    if any(_INSIDE.search(str(spec.get(name, ""))) for name in _NAMES) or _INSIDE.search(notes.get(_CLASS, "")):
        return True
    made = spec.get("infrastructure")
    given = made.get("annotations") if isinstance(made, Map) else None
    asked = {**notes, **({str(key): str(value) for key, value in given.items()} if isinstance(given, Map) else {})}
    if kept_inside(asked) or asked.get("networking.istio.io/service-type") == "ClusterIP":
        return True
    by_aws = notes.get(_TYPE) in _BY_AWS or str(spec.get("loadBalancerClass", "")).endswith("aws/nlb")
    return item.kind == "Service" and by_aws and _SCHEMES[1] not in notes


def kept_inside(annotations: dict[str, str]) -> bool:
    """Whether annotations of a service ask for a load balancer of one's own network."""
    return any(annotations.get(key, "").strip() in values for key, values in _INTERNAL)


def limited(service: Object) -> tuple[str, ...] | None:
    """What would decide that a load balancer lets everyone in; None where it names some, or has a private address."""
    spec, notes = service.value.get("spec"), service.labels("annotations")
    ranges = [str(one) for one in listed(spec.get("loadBalancerSourceRanges"))] if isinstance(spec, Map) else []
    written = [notes[key].split(",") for key in _FROM if notes.get(key, "").strip()]
    ranges = ranges or [one.strip() for one in written[0]] if written else ranges
    if ranges and not any(one in _EVERYWHERE for one in ranges):
        return None
    own = [spec.get("loadBalancerIP") if isinstance(spec, Map) else None, *(notes.get(key) for key in _ADDRESSES)]
    given = [text.strip() for one in own if isinstance(one, str) for text in one.split(",")]
    if given and all(_private(one) for one in given):
        return None
    return (f"{_TAGS} of {service.name} names everyone",) if _TAGS in notes else ()


def outer_addresses(service: Object) -> list[str]:
    """The addresses of other networks for which nodes take packets to a service (``externalIPs``)."""
    spec = service.value.get("spec")
    given = listed(spec.get("externalIPs")) if isinstance(spec, Map) else []
    return [str(one) for one in given if not _private(str(one))]


def _private(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address.version == one.version and address in one for one in _NETWORKS)


def faces(cluster: Cluster, ingress: Object) -> tuple[str, ...] | None:
    """What would decide that an ingress faces the internet; None where it does not.

    One of AWS's controller is internal unless it says otherwise, or the parameters of its class do.
    """
    if internal(ingress):
        return None
    spec = ingress.value.get("spec")
    name = spec.get("ingressClassName") if isinstance(spec, Map) else None
    name = str(name or ingress.labels("annotations").get(_CLASS, ""))
    found = next((one for one in cluster.of("IngressClass") if one.name == name), None)
    given = found.value.get("spec") if found is not None else None
    given = given if isinstance(given, Map) else Map(ingress.value.line)
    by_aws = given.get("controller") in _CONTROLLERS or (found is None and name == "alb")
    if not by_aws:
        return ()
    about = given.get("parameters")
    named = str(about.get("name")) if isinstance(about, Map) else ""
    params = next((one for one in cluster.of("IngressClassParams") if one.name == named), None)
    scheme = params.value["spec"].get("scheme") if params and isinstance(params.value.get("spec"), Map) else None
    scheme = scheme or ingress.labels("annotations").get(_SCHEMES[0])  # the class decides over annotations
    if scheme is not None:
        return () if scheme == "internet-facing" else None
    unsure = found is None or (named and params is None)
    return (f"the parameters of the class {name} make {ingress.name} face the internet",) if unsure else None
