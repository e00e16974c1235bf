"""Patches that give tenants of a cluster a namespace each.

It is written only where all that a namespace holds is seen to be some tenant's, and nothing else names the namespace.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from assaymark.assess.boundaries import tenant_of
from assaymark.assess.edits import text_of_file
from assaymark.assess.kubernetes.pods import pod_specs, within_baseline
from assaymark.assess.kubernetes.written import in_yaml, set_scalar
from assaymark.assess.patch import Patch, Place
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.pods import Pod

    Writer: TypeAlias = Callable[[Place], Iterable[Patch]]

_REFERENCES: Final = {  # where a pod names what lies in its namespace
    "claimName": "persistentvolumeclaim",
    "configMap": "configmap",
    "configMapKeyRef": "configmap",
    "configMapRef": "configmap",
    "secret": "secret",
    "secretKeyRef": "secret",
    "secretRef": "secret",
    "secretName": "secret",
}
_MOVED: Final = frozenset(("configmap", "service", "serviceaccount", "persistentvolumeclaim", "secret"))
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_TWICE: Final = re.compile(r"(\w+ [\w.-]+) is in .* too")
_LONGEST: Final = 63  # letters of a namespace's name
_WORD: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(slots=True)
class _Cluster:
    """By namespace: its objects, its pods, and how often its name is written beside its objects' own."""

    objects: defaultdict[str, list[Object]] = field(default_factory=lambda: defaultdict(list))
    pods: defaultdict[str, list[Pod]] = field(default_factory=lambda: defaultdict(list))
    named: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    twice: set[str] = field(default_factory=set)  # what was said of objects that several files declare


def _cluster(place: Place) -> _Cluster:
    estates = place.estates
    found = estates.indexes.get("tenants")
    if isinstance(found, _Cluster):
        return found
    found = _Cluster()
    found.twice = {match[1] for one in place.inputs.reading.skipped if (match := _TWICE.search(one.reason))}
    for one in estates.kubernetes.objects.values():
        found.objects[one.namespace].append(one)
        if one.kind == "Namespace":
            continue
        for key, text in _texts(one.value):
            if key == "namespace" and one.metadata.get("namespace") == text:
                continue
            for word in {text, *_parts(text)}:
                found.named[word] += 1
        if one.namespace and one.metadata.get("namespace") == one.namespace:
            found.named[one.namespace] += _inner_namespaces(one) - 1
    for pod in pod_specs(estates.kubernetes):
        found.pods[pod.owner.namespace].append(pod)
    estates.indexes["tenants"] = found
    return found


def _parts(text: str) -> list[str]:
    """The words of a name of a host or of an identity: ``cache.serving.svc``, ``cluster.local/ns/serving/sa/a``."""
    return _WORD.findall(text) if "." in text or "/" in text or ":" in text else []


def _inner_namespaces(one: Object) -> int:
    """How often an object names its own namespace by a key of that name, its metadata's included."""
    return sum(1 for key, text in _texts(one.value) if key == "namespace" and text == one.namespace)


def _texts(value: Any) -> list[tuple[str, str]]:
    """All texts in a value with the key that they stand under."""
    found = []
    pending: list[tuple[str, Any]] = [("", value)]
    while pending:
        key, item = pending.pop()
        if isinstance(item, dict):
            pending += item.items()
        elif isinstance(item, list):
            pending += [(key, one) for one in item]
        elif isinstance(item, str):
            found.append((key, item))
    return found


def _namespaces(place: Place) -> list[Patch]:
    """A namespace for each tenant, closed to others, and the tenants' objects moved there."""
    name = place.finding.name.removeprefix("k8s:")
    cluster = _cluster(place)
    objects = cluster.objects[name]
    if name not in cluster.objects or cluster.named[name] or not all(in_yaml(one) for one in objects):
        return []
    if any(one.overlays for one in objects):
        return []  # what a kustomization says counts, whatever the manifest does
    if any(f"{one.kind} {one.name}" in cluster.twice for one in objects):
        return []  # the other declaration would come to count
    owners = _owners(name, cluster)
    if owners is None:
        return []
    tenants = ", ".join(sorted(set(owners.values())))
    title = f"give {tenants} a namespace each; create what others put into {name} there too"
    found = []
    spaces: dict[str, str] = {}
    for one in objects:
        tenant = owners[one.id]
        space = spaces.setdefault(tenant, f"{name}-{tenant}")
        lines = text_of_file(one.file).lines
        changed = set_scalar(lines, one.metadata, "namespace", space) if isinstance(one.metadata, Map) else None
        taken = space in cluster.objects or not _NAME.fullmatch(space) or len(space) > _LONGEST
        if changed is None or taken:
            return []
        found.append(Patch(title, one.file.path, changed[0], 1, (changed[1],), safe=False))
    if any(
        one.kind == "Namespace" and one.name in spaces.values() for one in place.estates.kubernetes.of("Namespace")
    ):
        return []
    inserted: list[str] = []
    for tenant, space in sorted(spaces.items()):
        inserted += _space(space, tenant)
    line = len(place.lines) + 1
    return [*found, Patch(title, place.path, line, 0, tuple(inserted), safe=False, beside=True)]


def _space(name: str, tenant: str) -> list[str]:
    return [
        "---",
        "apiVersion: v1",
        "kind: Namespace",
        "metadata:",
        f"  name: {name}",
        "  labels:",
        f'    tenant: "{tenant}"',
        "    pod-security.kubernetes.io/enforce: baseline",
        "---",
        "apiVersion: networking.k8s.io/v1",
        "kind: NetworkPolicy",
        "metadata:",
        "  name: own-namespace-only",
        f"  namespace: {name}",
        "spec:",
        "  podSelector: {}",
        "  policyTypes: [Ingress]",
        "  ingress:",
        "  - from:",
        "    - podSelector: {}",
    ]


def _owners(name: str, cluster: _Cluster) -> dict[str, str] | None:
    """The tenant of each object of a namespace, by its id; None where something is nobody's, or of several."""
    tenants: dict[str, str] = {}
    uses: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for pod in cluster.pods[name]:
        tenant = tenant_of(pod.owner.name, {**pod.owner.labels(), **pod.labels})
        if not tenant or tenants.setdefault(pod.owner.id, tenant) != tenant or not within_baseline(pod):
            return None
        uses["serviceaccount", pod.account].add(tenant)
        for kind, used in _used(pod):
            uses[kind, used].add(tenant)
    for one in cluster.objects[name]:
        if one.id in tenants:
            continue
        kind = one.kind.lower()
        if kind not in _MOVED or _opened(one):
            return None
        some = set(uses[kind, one.name])
        if kind == "service":
            some = _selected(one, cluster.pods[name])
        own = tenant_of(one.name, one.labels())
        some |= {own} if own else set()
        if len(some) != 1:
            return None
        tenants[one.id] = some.pop()
    return tenants


def _opened(one: Object) -> bool:
    """Whether a service lets callers from outside in, which a closed namespace would not."""
    spec = one.value.get("spec")
    return isinstance(spec, dict) and spec.get("type") in ("LoadBalancer", "NodePort")


def _selected(service: Object, pods: list[Pod]) -> set[str]:
    spec = service.value.get("spec")
    selector = spec.get("selector") if isinstance(spec, dict) else None
    if not isinstance(selector, dict) or not selector:
        return set()
    wanted = {key: str(value) for key, value in selector.items()}
    return {
        tenant_of(pod.owner.name, {**pod.owner.labels(), **pod.labels})
        for pod in pods
        if wanted.items() <= pod.labels.items()
    }


def _used(pod: Pod) -> list[tuple[str, str]]:
    """What a pod names of its namespace: kind and name."""
    found = []
    pending: list[Any] = [pod.spec]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        if not isinstance(item, dict):
            continue
        for key, value in item.items():
            kind = _REFERENCES.get(key)
            named = value.get("name") or value.get("secretName") if isinstance(value, dict) else value
            if kind is not None and isinstance(named, str):
                found.append((kind, named))
            elif key == "imagePullSecrets" and isinstance(value, list):
                found += [("secret", str(one.get("name"))) for one in value if isinstance(one, dict)]
            pending.append(value)
    return found


TENANT_WRITERS: Final[dict[str, Writer]] = {"k8s-tenants-share-namespace": _namespaces}
