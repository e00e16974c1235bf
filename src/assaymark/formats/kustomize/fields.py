"""``Fields``: where labels, references to names and variables stand in objects, as kustomize has it and may be told.

Source: kustomize's documentation of "Transformer Configurations" (commonLabels, nameReference, varReference, ...).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.formats.kustomize.resource import Id

POD_AT: Final = {
    "Pod": "spec",
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"), "spec/template/spec"
    ),
    "CronJob": "spec/jobTemplate/spec/template/spec",
    "PodTemplate": "template/spec",
}
_CONTAINERS: Final = ("containers", "initContainers")


class Spec(NamedTuple):
    """A path in the objects of some kind; empty texts mean any group, version or kind."""

    group: str
    version: str
    kind: str
    path: tuple[str, ...]
    create: bool = False

    def means(self, id_: Id) -> bool:
        """Whether it is about an object."""
        return (
            (not self.kind or self.kind == id_.kind)
            and (not self.group or self.group == id_.group)
            and (not self.version or self.version == id_.version)
        )


class Reference(NamedTuple):
    """Where objects of a kind are named."""

    group: str
    version: str
    kind: str
    specs: tuple[Spec, ...]


@dataclass(slots=True)
class Fields:
    """What a kustomization knows of fields: what every one knows, and what its ``configurations`` add."""

    references: list[Reference] = field(default_factory=list)
    variables: list[Spec] = field(default_factory=list)
    labels: list[Spec] = field(default_factory=list)
    annotations: list[Spec] = field(default_factory=list)
    namespaces: list[Spec] = field(default_factory=list)
    images: list[Spec] = field(default_factory=list)

    def take(self, other: Fields) -> None:
        """Adds what another knows."""
        for name in ("references", "variables", "labels", "annotations", "namespaces", "images"):
            known = getattr(self, name)
            known += [one for one in getattr(other, name) if one not in known]

    def read(self, value: Map) -> list[str]:
        """Adds what a file of ``configurations`` says; the names of what is not understood."""
        lists = {
            "varReference": self.variables,
            "commonLabels": self.labels,
            "commonAnnotations": self.annotations,
            "namespace": self.namespaces,
            "images": self.images,
        }
        for key, known in lists.items():
            known.extend(specs_of(value.get(key)))
        for item in listed(value.get("nameReference")):
            if isinstance(item, Map):
                words = [str(item.get(key) or "") for key in ("group", "version", "kind")]
                self.references.append(
                    Reference(words[0], words[1], words[2], tuple(specs_of(item.get("fieldSpecs"))))
                )
        return sorted(value.keys() - lists.keys() - {"nameReference", "apiVersion", "kind", "metadata"})


def specs_of(value: Any) -> Iterator[Spec]:
    """The paths that a list of ``fieldSpecs`` names."""
    for item in listed(value):
        if isinstance(item, Map) and isinstance(item.get("path"), str):
            words = [str(item.get(key) or "") for key in ("group", "version", "kind")]
            path = tuple(part.replace("\0", "/") for part in item["path"].replace("\\/", "\0").strip("/").split("/"))
            yield Spec(words[0], words[1], words[2], path, item.get("create") is True)


def _at(kind: str, *paths: str, group: str = "", create: bool = False) -> list[Spec]:
    return [Spec(group, "", kind, tuple(path.split("/")), create) for path in paths]


def _in_pods(*paths: str) -> list[Spec]:
    return [spec for kind, place in POD_AT.items() for path in paths for spec in _at(kind, f"{place}/{path}")]


def _in_containers(*paths: str) -> list[Spec]:
    return _in_pods(*(f"{name}/{path}" for name in _CONTAINERS for path in paths))


_TEMPLATES: Final = {kind: place.removesuffix("/spec") for kind, place in POD_AT.items() if "/" in place}
_INGRESS: Final = ("spec/rules/http/paths/backend", "spec/defaultBackend", "spec/backend")
_BINDINGS: Final = ("RoleBinding", "ClusterRoleBinding")
_ROLES: Final = ("Role", "ClusterRole")
_HOOKS: Final = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_SCALED: Final = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet")


def _references() -> list[Reference]:
    roles = [spec for kind in _ROLES for spec in _at(kind, "rules/resourceNames")]
    config = [
        *_in_pods("volumes/configMap/name", "volumes/projected/sources/configMap/name"),
        *_in_containers("env/valueFrom/configMapKeyRef/name", "envFrom/configMapRef/name"),
    ]
    secret = [
        *_in_pods("volumes/secret/secretName", "volumes/projected/sources/secret/name", "imagePullSecrets/name"),
        *_in_containers("env/valueFrom/secretKeyRef/name", "envFrom/secretRef/name"),
        *_at("Ingress", "spec/tls/secretName"),
        *_at("ServiceAccount", "imagePullSecrets/name"),
    ]
    service = [
        *_at("StatefulSet", "spec/serviceName"),
        *_at("Ingress", *(f"{one}/serviceName" for one in _INGRESS), *(f"{one}/service/name" for one in _INGRESS)),
        *_at("APIService", "spec/service"),
        *(spec for kind in _HOOKS for spec in _at(kind, "webhooks/clientConfig/service")),
        *_at("CustomResourceDefinition", "spec/conversion/webhook/clientConfig/service"),
    ]
    bound = [spec for kind in _BINDINGS for spec in _at(kind, "roleRef/name")]
    claims = [
        *_at("PersistentVolumeClaim", "spec/storageClassName"),
        *_at("PersistentVolume", "spec/storageClassName"),
    ]
    found = [
        Reference("", "v1", "ConfigMap", (*config, *roles)),
        Reference("", "v1", "Secret", (*secret, *roles)),
        Reference("", "v1", "Service", tuple(service)),
        Reference("rbac.authorization.k8s.io", "", "Role", tuple(_at("RoleBinding", "roleRef/name"))),
        Reference("rbac.authorization.k8s.io", "", "ClusterRole", tuple(bound)),
        Reference(
            *("", "v1", "ServiceAccount"),
            (*(spec for kind in _BINDINGS for spec in _at(kind, "subjects")), *_in_pods("serviceAccountName")),
        ),
        Reference("", "v1", "PersistentVolumeClaim", tuple(_in_pods("volumes/persistentVolumeClaim/claimName"))),
        Reference("", "v1", "PersistentVolume", tuple(_at("PersistentVolumeClaim", "spec/volumeName"))),
        Reference(
            *("storage.k8s.io", "", "StorageClass"),
            (*claims, *_at("StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName")),
        ),
        Reference("scheduling.k8s.io", "", "PriorityClass", tuple(_in_pods("priorityClassName"))),
        Reference("networking.k8s.io", "", "IngressClass", tuple(_at("Ingress", "spec/ingressClassName"))),
    ]
    scaled = tuple(_at("HorizontalPodAutoscaler", "spec/scaleTargetRef/name"))
    return [*found, *(Reference("", "", kind, scaled) for kind in _SCALED)]


def _variables() -> list[Spec]:
    return [
        *_in_containers("args", "command", "env/value", "volumeMounts/mountPath"),
        *_in_pods("volumes/nfs/server"),
        *_at("Ingress", "spec/rules/host", "spec/tls/hosts", "spec/tls/secretName"),
        *_at("", "metadata/labels", "metadata/annotations"),
        *_at("Service", "spec/ports/port"),
        *_at("PersistentVolume", "spec/nfs/server"),
    ]


def _labels() -> list[Spec]:
    """Selectors and templates; the labels of objects themselves go without saying."""
    found = [
        *_at("ReplicationController", "spec/selector", create=True),
        *_at("Service", "spec/selector", create=True),
        *_at("Job", "spec/selector/matchLabels"),
        *_at("CronJob", "spec/jobTemplate/spec/selector/matchLabels"),
        *_at("PodDisruptionBudget", "spec/selector/matchLabels"),
        *_at("NetworkPolicy", "spec/podSelector/matchLabels", "spec/ingress/from/podSelector/matchLabels"),
        *_at("NetworkPolicy", "spec/egress/to/podSelector/matchLabels"),
        *_at("CronJob", "spec/jobTemplate/metadata/labels", create=True),
        *_at("StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", create=True),
    ]
    for kind, place in _TEMPLATES.items():
        if kind != "PodTemplate":
            found += _at(kind, f"{place}/metadata/labels", create=True)
    for kind in ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"):
        found += _at(kind, "spec/selector/matchLabels", create=True)
    for kind in ("Deployment", "StatefulSet"):
        for how in ("podAffinity", "podAntiAffinity"):
            place = f"spec/template/spec/affinity/{how}"
            found += _at(
                kind,
                f"{place}/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
                f"{place}/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
            )
        found += _at(kind, "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels")
    return found


def _templates(name: str) -> list[Spec]:
    found = [
        spec
        for kind, place in _TEMPLATES.items()
        if kind != "PodTemplate"
        for spec in _at(kind, f"{place}/metadata/{name}", create=True)
    ]
    return [*found, *_at("CronJob", f"spec/jobTemplate/metadata/{name}", create=True)]


TEMPLATE_LABELS: Final = (
    *_templates("labels"),
    *_at("StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", create=True),
)


def every_field() -> Fields:
    """What every kustomization knows."""
    return Fields(_references(), _variables(), _labels(), _templates("annotations"))
