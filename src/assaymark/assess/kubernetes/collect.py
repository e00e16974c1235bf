"""The collector of Kubernetes objects: manifests, exports and what Terraform declares, by their content."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from assaymark.assess.estate.kubernetes import DEFAULT_NAMESPACE, Object
from assaymark.assess.estate.use import once
from assaymark.assess.knative import is_cloud_run
from assaymark.assess.kubernetes.overlays import Overlays
from assaymark.assess.kubernetes.used import is_event, uses
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.kubernetes import Cluster
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

_CLUSTER_KINDS: Final = frozenset(
    (
        *("Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"),
        *("StorageClass", "PriorityClass", "IngressClass", "GatewayClass", "RuntimeClass", "APIService"),
        *("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy"),
        *("ValidatingAdmissionPolicyBinding", "CertificateSigningRequest", "ClusterPolicy", "ClusterIssuer"),
        *("ClusterServingRuntime", "ClusterSecretStore", "User", "Group"),
    )
)
# What others name, and what is looked up by its name: one node, whatever overlays make of it.
_NAMED: Final = frozenset(
    (
        *("ServiceAccount", "Secret", "ConfigMap", "PersistentVolumeClaim", "Namespace", "Role", "ClusterRole"),
        *("RoleBinding", "ClusterRoleBinding", "Service", "Ingress", "NetworkPolicy", "PersistentVolume"),
        *("StorageClass", "CustomResourceDefinition"),
    )
)
_VERSION: Final = re.compile(r"(?:[a-z0-9.-]+/)?v\d\w*")
_NO_OBJECTS: Final = frozenset(("Kustomization", "Component", "Config"))  # of tools, not of the cluster
_TEMPLATE: Final = b"{{"
_SHOWN: Final = 10


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds all objects to the cluster's."""
    overlays = inputs.once(Overlays)
    _overlays(inputs, estates.kubernetes, overlays)
    estates.kubernetes.uses += once(uses(inputs))
    for file, value in inputs.maps():
        if _is_object(value) and not is_cloud_run(value) and not is_event(value):
            inputs.reading.read.add(file.path)
            if file.path not in overlays.files and not inputs.charts.several(file.path):
                _add(inputs, estates.kubernetes, file, value)
    templates = [
        file.path
        for file in inputs.named(".yaml", ".yml", ".tpl")
        if _TEMPLATE in file.data
        and "templates/" in file.path
        and not inputs.charts.has(file.path)
        and not inputs.documents_of(file)
    ]
    inputs.reading.forget(frozenset(templates))
    for path in templates:
        inputs.reading.skip(path, "a template of Helm without its chart; assess what `helm template` writes")
    for resource in estates.terraform:
        if resource.kind == "kubernetes_manifest":
            manifest = resource.values.get("manifest")
            if _is_object(manifest):
                _add(inputs, estates.kubernetes, resource.file, manifest)
        elif resource.kind.startswith("kubernetes_"):
            found = _declared(resource.kind, resource.values)
            if found is not None:
                _add(inputs, estates.kubernetes, resource.file, found)


def _overlays(inputs: Inputs, cluster: Cluster, overlays: Overlays) -> None:
    """Adds what kustomizations come to, and charts that are installed several times."""
    versions: dict[str, list[tuple[Object, list[str]]]] = {}
    for folder, resources in _made(inputs, overlays):
        for source, value in resources:
            found = _object(inputs, source, value) if source is not None and _is_object(value) else None
            if found is None:
                continue
            known = versions.setdefault(found.id, [])
            same = [folders for other, folders in known if other.value is value or other.value == value]
            if any(folder in folders for _, folders in known):
                _twice(inputs, known[0][0], found)
            elif same:
                same[0].append(folder)
            else:
                known.append((found, [folder]))
    different: set[str] = set()
    for identifier, some in versions.items():
        _versions(cluster, identifier, some)
        if len(some) > 1 and some[0][0].kind not in _CLUSTER_KINDS:
            different |= {folder for _, folders in some for folder in folders}
    if different:
        shown = [one or "the outermost kustomization" for one in sorted(different)]
        more = f" and {len(shown) - _SHOWN} others" if len(shown) > _SHOWN else ""
        inputs.reading.gap(
            f"{', '.join(shown[:_SHOWN])}{more} put different objects of one name into one namespace, as for several"
            " clusters; they are shown together, as if their pods and accounts were in one"
        )


def _made(inputs: Inputs, overlays: Overlays) -> Iterator[tuple[str, list[tuple[SourceFile | None, Any]]]]:
    """The objects that a kustomization or a release of a chart makes, by what tells it from others."""
    for folder, some in overlays.built.items():
        yield folder, [(inputs.file(one.path), one.value) for one in some]
    for label, objects in inputs.charts.installed():
        yield label, [(file, value) for file, value in objects]


def _versions(cluster: Cluster, identifier: str, some: list[tuple[Object, list[str]]]) -> None:
    """Adds what overlays make of one object: under its id what the first does, the others beside it."""
    for number, (one, folders) in enumerate(some):
        label = folders[0].replace("/", ".").replace(":", ".") or "top"
        own = replace(one, overlays=frozenset(folders))
        if number and one.kind not in _NAMED:
            own = replace(own, cluster=label)
        key = f"{identifier}@{label}" if number and one.kind in _NAMED else own.id
        cluster.objects[f"{key}@{number}" if key in cluster.objects else key] = own
        for folder in folders if one.kind not in _CLUSTER_KINDS else ():
            cluster.placed.setdefault(folder, {})[identifier] = number


def _is_object(value: Any) -> TypeGuard[Map]:
    if not isinstance(value, Map):
        return False
    version, kind = value.get("apiVersion"), value.get("kind")
    if not (isinstance(version, str) and isinstance(kind, str) and _VERSION.fullmatch(version)):
        return False
    return kind not in _NO_OBJECTS


def _add(inputs: Inputs, cluster: Cluster, file: SourceFile, value: Map) -> None:
    """Adds an object that is put in as it is written."""
    kind = str(value.get("kind"))
    items = value.get("items")
    if kind.endswith("List") and isinstance(items, list):
        for item in items:
            if isinstance(item, Map):
                item.setdefault("kind", kind.removesuffix("List"))
                item.setdefault("apiVersion", value.get("apiVersion"))
                _add(inputs, cluster, file, item)
        return
    found = _object(inputs, file, value)
    if found is None:
        return
    known = cluster.objects.setdefault(found.id, found)
    if known.value != value:
        _twice(inputs, known, found)


def _object(inputs: Inputs, file: SourceFile, value: Map) -> Object | None:
    """The object that a mapping is; None for one without a name, which is noted."""
    kind = str(value.get("kind"))
    metadata = value.get("metadata")
    fields: dict[str, Any] = metadata if isinstance(metadata, dict) else {}
    name = fields.get("name") or fields.get("generateName")
    if not isinstance(name, str) or not name:
        inputs.reading.skip(file.path, f"a {kind} without a name", value.line)
        return None
    place = "" if kind in _CLUSTER_KINDS else str(fields.get("namespace") or DEFAULT_NAMESPACE)
    return Object(str(value.get("apiVersion")), kind, place, name, value, file)


def _twice(inputs: Inputs, known: Object, found: Object) -> None:
    """Notes an object that is left out."""
    inputs.reading.skip(
        found.file.path, f"{found.kind} {found.name} is in {known.file.path} too, which is taken", found.value.line
    )


_DECLARED: Final = {
    "kubernetes_cluster_role": "ClusterRole",
    "kubernetes_cluster_role_binding": "ClusterRoleBinding",
    "kubernetes_config_map": "ConfigMap",
    "kubernetes_cron_job": "CronJob",
    "kubernetes_daemonset": "DaemonSet",
    "kubernetes_daemon_set": "DaemonSet",
    "kubernetes_deployment": "Deployment",
    "kubernetes_ingress": "Ingress",
    "kubernetes_job": "Job",
    "kubernetes_namespace": "Namespace",
    "kubernetes_network_policy": "NetworkPolicy",
    "kubernetes_pod": "Pod",
    "kubernetes_role": "Role",
    "kubernetes_role_binding": "RoleBinding",
    "kubernetes_secret": "Secret",
    "kubernetes_service": "Service",
    "kubernetes_service_account": "ServiceAccount",
    "kubernetes_stateful_set": "StatefulSet",
}
# Blocks that are lists in the API, by their names in Terraform and there.
_LISTS: Final = {
    "container": "containers",
    "init_container": "initContainers",
    "volume": "volumes",
    "volume_mount": "volumeMounts",
    "env": "env",
    "env_from": "envFrom",
    "port": "ports",
    "rule": "rules",
    "subject": "subjects",
    "ingress": "ingress",
    "egress": "egress",
    "from": "from",
    "to": "to",
    "path": "paths",
    "tls": "tls",
    "toleration": "tolerations",
}
_AS_IT_IS: Final = frozenset(("labels", "annotations", "match_labels", "data", "selector", "string_data"))


def _declared(kind: str, values: Map) -> Map | None:
    """The object that a resource of the provider declares, with the API's names."""
    name = _DECLARED.get(re.sub(r"_v\d\w*$", "", kind))
    if name is None:
        return None
    found = Map(values.line, values.path)
    found.put("apiVersion", "v1", values.line)
    found.put("kind", name, values.line)
    for key, value in values.items():
        found.put(_camel(key), _renamed(key, value), values.at(key))
    for key in ("rules", "subjects"):
        single = key.removesuffix("s")
        if single in found and key not in found:
            found.put(key, found.pop(single), found.at(single))
    return found


def _camel(name: str) -> str:
    if name in _LISTS:
        return _LISTS[name]
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _renamed(name: str, value: Any) -> Any:
    if name in _AS_IT_IS and not isinstance(value, list):
        return value
    if isinstance(value, Map):
        found = Map(value.line, value.path)
        for key, item in value.items():
            found.put(_camel(key), _renamed(key, item), value.at(key))
        return found
    if isinstance(value, list) and value and all(isinstance(item, Map) for item in value):
        items = [_renamed("", item) for item in value]
        if name in _LISTS or name == "":
            value[:] = items
            return value
        return items[0]
    return value
