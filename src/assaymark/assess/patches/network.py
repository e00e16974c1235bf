"""A network policy for a namespace that has none: its own pods, and whoever the input shows to need them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.exposure import exposed
from assaymark.assess.kubernetes.network import Network
from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.assess.kubernetes.written import in_yaml, room
from assaymark.assess.patch import Patch, Place
from assaymark.assess.values import texts_in
from assaymark.formats.located import Map, maps_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.kubernetes import Object

_HOST: Final = re.compile(r"\b([a-z0-9][a-z0-9-]*)\.([a-z0-9][a-z0-9-]*)(?=$|[^a-z0-9-])")
# What programs that bring callers from outside in call themselves in their images.
_CONTROLLERS: Final = re.compile(
    r"ingress-nginx|nginx-ingress|traefik|haproxy-ingress|kong|contour|envoy|istio/proxyv2|emissary|gateway"
)
_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_LABEL: Final = re.compile(r"[\w./-]+")
_PORTS: Final = ("LoadBalancer", "NodePort")


@dataclass(slots=True)
class _Needs:
    """By namespace: whence its services are named, and the services that callers outside the cluster reach."""

    network: Network
    objects: dict[tuple[str, int], Object]
    files: Counter[str]  # how many objects each has
    named: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    outside: defaultdict[str, list[Object]] = field(default_factory=lambda: defaultdict(list))
    routed: set[str] = field(default_factory=set)
    controllers: set[str] = field(default_factory=set)


def _needs(estates: Estates) -> _Needs:
    found = estates.indexes.get("needs")
    if isinstance(found, _Needs):
        return found
    cluster = estates.kubernetes
    objects = {(one.file.path, one.value.line): one for one in cluster.objects.values()}
    files = Counter(one.file.path for one in cluster.objects.values())
    found = _Needs(Network(cluster, pod_specs(cluster)), objects, files)
    services = {(one.namespace, one.name): one for one in cluster.of("Service")}
    for pod in found.network.pods:
        here = pod.owner.namespace
        for text in texts_in(*pod.containers()):
            for match in _HOST.finditer(text):
                if (match[2], match[1]) in services and match[2] != here:
                    found.named[match[2]].add(here)
            if _CONTROLLERS.search(text) and any(text == one.get("image") for one in pod.containers()):
                found.controllers.add(here)
    _outside(found)
    for hook in cluster.of("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
        for reference in maps_of(hook.value, "service"):
            service = services.get((str(reference.get("namespace")), str(reference.get("name"))))
            if service is not None and service not in found.outside[service.namespace]:
                found.outside[service.namespace].append(service)
    estates.indexes["needs"] = found
    return found


def _outside(found: _Needs) -> None:
    """What callers from outside come by."""
    for one in exposed(found.network):
        namespace, by = one.pod.owner.namespace, one.by
        kind = by.value.get("spec", {}).get("type") if isinstance(by.value.get("spec"), dict) else None
        if by.kind == "Service" and kind in _PORTS:
            if by not in found.outside[namespace]:
                found.outside[namespace].append(by)
        else:
            found.routed.add(namespace)


def default_deny(place: Place) -> Iterator[Patch]:
    """A policy that lets the pods of a namespace reach each other, and whom the input shows to need them.

    It stands behind an object that is put into the cluster as it is: a file of one pod is a template for others.
    """
    namespace = place.finding.name.removeprefix("k8s:")
    needs = _needs(place.estates)
    here = needs.objects.get((place.path, place.line))
    if here is None or not in_yaml(here) or not _NAME.fullmatch(namespace) or "name" not in here.metadata:
        return
    if here.kind == "Pod" and needs.files[place.path] == 1:
        return
    own = here.name if here.kind == "Namespace" else here.metadata.get("namespace")
    said = namespace if own == namespace else ""  # what says no namespace gets that of the objects beside it
    others = set(needs.named[namespace])
    if namespace in needs.routed:
        others |= needs.controllers
    allowed = sorted(one for one in others - {namespace} if _NAME.fullmatch(one))
    inserted = [*_head("own-namespace-only", said), "  podSelector: {}", "  policyTypes: [Ingress]", "  ingress:"]
    inserted += ["  - from:", "    - podSelector: {}"]
    for other in allowed:
        inserted += [
            "    - namespaceSelector:",
            "        matchLabels:",
            f"          kubernetes.io/metadata.name: {other}",
        ]
    services = [(one, ports) for one in needs.outside[namespace] if (ports := _ports(one))]
    for service, ports in services:
        inserted += _open(service, said, ports)
    title = f"let only pods of {', '.join([namespace, *allowed])} reach its pods"
    if services:
        title += f", and everyone the ports of {', '.join(one.name for one, _ in services)}"
    if namespace in needs.routed and not needs.controllers:
        title += "; add the namespace of the controller of ingresses"
    yield Patch(title, place.path, len(place.lines) + 1, 0, tuple(inserted), safe=False, beside=True)


def _head(name: str, namespace: str) -> list[str]:
    kind = ["---", "apiVersion: networking.k8s.io/v1", "kind: NetworkPolicy"]
    return [*kind, "metadata:", f"  name: {name}", *([f"  namespace: {namespace}"] if namespace else []), "spec:"]


def _ports(service: Object) -> list[str]:
    """The ports of pods that a service sends to, with their protocols; none when they are not written out."""
    spec = service.value.get("spec")
    found: list[str] = []
    selector = spec.get("selector") if isinstance(spec, Map) else None
    labels = [str(text) for item in selector.items() for text in item] if isinstance(selector, dict) else []
    if not labels or not all(map(_LABEL.fullmatch, labels)) or not _NAME.fullmatch(service.name):
        return []
    for port in maps_of(spec, "ports"):
        number = port.get("targetPort", port.get("port"))
        if isinstance(number, bool) or not isinstance(number, (int, str)) or not re.fullmatch(r"[\w-]+", str(number)):
            return []
        protocol = port.get("protocol") or "TCP"
        if protocol not in ("TCP", "UDP", "SCTP"):
            return []
        found.append(f"{{port: {number}, protocol: {protocol}}}")
    return found


def _open(service: Object, namespace: str, ports: list[str]) -> list[str]:
    spec = service.value.get("spec")
    selector = spec.get("selector") if isinstance(spec, Map) else None
    labels = selector.items() if isinstance(selector, dict) else ()
    lines = _head(f"{service.name}-from-outside", namespace)
    lines += ["  podSelector:", "    matchLabels:", *(f'      {key}: "{value}"' for key, value in labels)]
    return [*lines, "  policyTypes: [Ingress]", "  ingress:", f"  - ports: [{', '.join(ports)}]"]


def keys_added(path: str, lines: Sequence[str], where: Map, inserted: list[str], title: str) -> Patch | None:
    """The patch that adds keys to a mapping; None for one in braces.

    Behind the last line it is written as a change of that line: documents that others append come after it.
    """
    found = room(lines, where)
    if found is None:
        return None
    line, at = found
    added = tuple(" " * at + text for text in inserted)
    if line > len(lines):
        return Patch(title, path, line - 1, 1, (lines[line - 2], *added), safe=False)
    return Patch(title, path, line, 0, added, safe=False, beside=True)
