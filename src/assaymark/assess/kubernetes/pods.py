"""``pod_specs``: the pods that objects make, found by their shape in any object, custom resources too.

Kubeflow's jobs, KServe's predictors, Ray's groups and Argo's templates hold pod templates, each at a place of its
own; what has ``containers`` with images is one wherever it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.formats.located import Map, Seq, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.estate.kubernetes import Cluster, Object
    from assaymark.core.graph import Because

_DEPTH: Final = 30
_RUNNERS: Final = frozenset(("Secret", "ConfigMap", "CustomResourceDefinition", "Namespace", "Role", "ClusterRole"))
# What others make pods from, with what they say; by itself it runs nothing.
_TEMPLATES: Final = frozenset(
    (
        *("ServingRuntime", "ClusterServingRuntime", "LLMInferenceServiceConfig", "PodTemplate"),
        *("TrainingRuntime", "ClusterTrainingRuntime", "WorkflowTemplate", "ClusterWorkflowTemplate"),
    )
)
_DANGEROUS: Final = frozenset(("SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "DAC_READ_SEARCH", "ALL", "BPF", "NET_ADMIN"))
_SOCKETS: Final = ("docker.sock", "containerd.sock", "crio.sock")
# Folders of the node from which its credentials are read, or by which what it runs is changed.
_HOST_PATHS: Final = frozenset(
    (
        *("", "/etc", "/root", "/home", "/proc", "/var", "/var/lib", "/var/run", "/run", "/var/run/docker"),
        *("/var/run/containerd", "/run/containerd", "/run/docker", "/var/lib/kubelet", "/var/lib/kubelet/pods"),
        *("/var/lib/docker", "/var/lib/containerd", "/etc/kubernetes", "/etc/kubernetes/pki"),
        *("/etc/kubernetes/manifests", "/etc/cni/net.d", "/opt/cni/bin", "/usr/bin", "/usr/local/bin"),
    )
)
_API: Final = "https://kubernetes.default"  # the audience of tokens for the API server, the default
# What a predictor of KServe says of its pod beside its containers.
_PREDICTORS: Final = ("predictor", "transformer", "explainer")


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod spec and the object that makes pods of it. ``labels`` are the pods'; ``where`` tells several apart."""

    owner: Object
    spec: Map
    labels: dict[str, str]
    annotations: dict[str, str]
    where: str

    @property
    def id(self) -> str:
        """The id of the workload: the owner's, with ``#<place>`` for one of several templates."""
        return f"{self.owner.id}#{self.where}" if self.where else self.owner.id

    @property
    def account(self) -> str:
        """The name of its service account."""
        found = self.spec.get("serviceAccountName") or self.spec.get("serviceAccount")
        return found if isinstance(found, str) and found else "default"

    def containers(self) -> Iterator[Map]:
        """All containers, those that start before too."""
        for key in ("containers", "initContainers", "ephemeralContainers"):
            for item in listed(self.spec.get(key)):
                if isinstance(item, Map):
                    yield item

    def volumes(self) -> Iterator[Map]:
        """Its volumes."""
        return (item for item in listed(self.spec.get("volumes")) if isinstance(item, Map))

    def configurations(self) -> Iterator[tuple[str, Because]]:
        """The ConfigMaps that it has as variables or files, and where."""
        for container in self.containers():
            for key, inner in (("env", "configMapKeyRef"), ("envFrom", "configMapRef")):
                for item in listed(container.get(key)):
                    source = item.get("valueFrom") if isinstance(item, Map) and key == "env" else item
                    yield from self._named(source, inner)
        for volume in self.volumes():
            yield from self._named(volume, "configMap")
            projected = volume.get("projected")
            for source in listed(projected.get("sources")) if isinstance(projected, Map) else ():
                yield from self._named(source, "configMap")

    def _named(self, value: object, key: str) -> Iterator[tuple[str, Because]]:
        reference = value.get(key) if isinstance(value, Map) else None
        name = reference.get("name") if isinstance(reference, Map) else None
        if isinstance(name, str):
            yield name, self.because(reference)

    @property
    def is_template(self) -> bool:
        """Whether it runs only as a part of what refers to it."""
        return self.owner.kind in _TEMPLATES

    @property
    def shown(self) -> str:
        """What messages call it: kind, namespace and name of its owner."""
        of = f" of {self.owner.cluster}" if self.owner.cluster else ""
        return f"{self.owner.kind} {self.owner.namespace}/{self.owner.name}{of}"

    def because(self, value: Any = None, key: str = "") -> Because:
        """A line of the owner."""
        return self.owner.because(self.spec if value is None else value, key)


def pod_specs(cluster: Cluster) -> list[Pod]:
    """All pods of all objects, in the order of ids."""
    found = []
    for _, owner in sorted(cluster.objects.items()):
        if owner.kind in _RUNNERS:
            continue
        pods = [*_within(owner, owner.value, owner.metadata, (), 0), *_steps(owner)]
        for pod, place in pods:
            where = "" if len(pods) == 1 else place
            found.append(Pod(owner, pod.spec, {**_given(owner, place), **pod.labels}, pod.annotations, where))
    return found


def _within(
    owner: Object, value: Any, metadata: Any, place: tuple[str, ...], depth: int
) -> Iterator[tuple[Pod, str]]:
    if depth > _DEPTH:
        return
    if isinstance(value, Map):
        if _is_pod(value) or (place and place[-1] in _PREDICTORS and _is_predictor(value)):
            fields = metadata if isinstance(metadata, dict) else {}
            yield Pod(owner, _spec(value), _texts(fields, "labels"), _texts(fields, "annotations"), ""), _name(place)
            return
        inner = value.get("metadata", metadata if depth == 0 else None)
        for key, item in value.items():
            if key not in ("metadata", "status"):
                yield from _within(owner, item, inner if key == "spec" else None, (*place, key), depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            name = item.get("name") or item.get("groupName") if isinstance(item, Map) else None
            label = name if isinstance(name, str) else str(index)
            yield from _within(owner, item, None, (*place, label), depth + 1)


def _given(owner: Object, place: str) -> dict[str, str]:
    """The labels that an operator puts on the pods of its objects, which services select them by.

    Sources: KubeRay's, KServe's and Kubeflow's documentation of the labels that their pods have; Kubernetes' of jobs.
    """
    name = owner.name
    match owner.kind:
        case "RayCluster" | "RayService" | "RayJob":
            node = "head" if "head" in place.lower() else "worker"
            given = {"ray.io/node-type": node, "ray.io/is-ray-node": "yes"}
            return {**given, "ray.io/cluster": name} if owner.kind == "RayCluster" else given
        case "InferenceService":
            return {"serving.kserve.io/inferenceservice": name, "component": place.partition(".")[0]}
        case "Notebook":
            return {"notebook-name": name, "statefulset": name}
        case "Job":
            return {"job-name": name, "batch.kubernetes.io/job-name": name}
        case "PyTorchJob" | "TFJob" | "MPIJob" | "XGBoostJob" | "PaddleJob" | "JAXJob":
            return {"training.kubeflow.org/job-name": name}
    return {}


def _steps(owner: Object) -> Iterator[tuple[Pod, str]]:
    """The pods of a workflow of Argo: each template with a container or a script is one, with the workflow's account.

    Source: Argo Workflows, "Field Reference", WorkflowSpec and Template.
    """
    if not owner.kind.endswith(("Workflow", "WorkflowTemplate")) or "argoproj.io" not in owner.api:
        return
    spec = owner.value.get("spec")
    inner = spec.get("workflowSpec") if isinstance(spec, Map) else None
    spec = inner if isinstance(inner, Map) else spec
    if not isinstance(spec, Map):
        return
    for template in listed(spec.get("templates")):
        if not isinstance(template, Map):
            continue
        found = _step(spec, template)
        if found is None:
            continue
        metadata = template.get("metadata")
        fields = metadata if isinstance(metadata, dict) else {}
        name = template.get("name")
        pod = Pod(owner, found, _texts(fields, "labels"), _texts(fields, "annotations"), "")
        yield pod, name if isinstance(name, str) and name else "template"


def _step(spec: Map, template: Map) -> Map | None:
    """The pod spec of a template of Argo; None for one that runs no container itself."""
    own = template.get("script") or template.get("container")
    group = template.get("containerSet")
    several = group.get("containers") if isinstance(group, Map) else None
    several = [own] if isinstance(own, Map) else several if isinstance(several, list) else []
    if not several:
        return None
    found = Map(template.line, template.path)
    more = (*listed(template.get("sidecars")), *listed(template.get("initContainers")))
    found.put("containers", _sequence((*several, *more), template.line), template.line)
    volumes = (*listed(spec.get("volumes")), *listed(template.get("volumes")))
    found.put("volumes", _sequence(volumes, template.line), template.line)
    for key in ("serviceAccountName", "automountServiceAccountToken", "securityContext", "hostNetwork"):
        for place in (template, spec):
            if place.get(key) is not None and key not in found:
                found.put(key, place[key], place.at(key))
    return found


def _sequence(items: Iterable[Any], line: int) -> Seq:
    found = Seq(line)
    for item in items:
        found.put(item, getattr(item, "line", line))
    return found


def _is_pod(value: Map) -> bool:
    containers = value.get("containers")
    return (
        isinstance(containers, list)
        and bool(containers)
        and any(isinstance(item, Map) and ("image" in item or "name" in item) for item in containers)
    )


def _is_predictor(value: Map) -> bool:
    return "model" in value or any(isinstance(item, Map) and "storageUri" in item for item in value.values())


def _spec(value: Map) -> Map:
    """A predictor without containers runs its model's: the container is what the model says."""
    if _is_pod(value):
        return value
    found = Map(value.line, value.path)
    for key, item in value.items():
        found.put(key, item, value.at(key))
    containers = Seq(value.line)
    for item in value.values():
        if isinstance(item, Map) and ("modelFormat" in item or "storageUri" in item or "runtime" in item):
            containers.put(item, item.line)
    found.put("containers", containers, value.line)
    return found


def _name(place: tuple[str, ...]) -> str:
    skipped = ("spec", "template", "jobTemplate", "templates", "0")
    return ".".join(part for part in place if part not in skipped) or "pod"


def _texts(fields: Any, key: str) -> dict[str, str]:
    found = fields.get(key)
    return {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def projected_tokens(pod: Pod) -> Iterator[Map]:
    """The tokens of its account that a pod asks for, each with its ``audience``."""
    for volume in pod.volumes():
        projected = volume.get("projected")
        for source in listed(projected.get("sources")) if isinstance(projected, Map) else ():
            token = source.get("serviceAccountToken") if isinstance(source, Map) else None
            if isinstance(token, Map):
                yield token


def has_token(cluster: Cluster, pod: Pod) -> bool:
    """Whether its pods hold a token that the API server takes: one that is mounted for them, or that they ask for."""
    if any(str(token.get("audience") or _API).startswith(_API) for token in projected_tokens(pod)):
        return True
    mounts = pod.spec.get("automountServiceAccountToken")
    if isinstance(mounts, bool):
        return mounts
    found = cluster.objects.get(f"k8s:{pod.owner.namespace}/serviceaccount/{pod.account}")
    return not (found is not None and found.value.get("automountServiceAccountToken") is False)


def reaches_node(pod: Pod) -> tuple[str, Because] | None:
    """How a pod reaches its node, in words, and where that is written; None when it does not."""
    for key in ("hostPID", "hostIPC"):
        if pod.spec.get(key) is True:
            return f"it shares the node's processes ({key})", pod.because(pod.spec, key)
    for volume in pod.volumes():
        path = volume.get("hostPath")
        text = path.get("path") if isinstance(path, Map) else None
        if isinstance(text, str) and (text.rstrip("/") in _HOST_PATHS or text.endswith(_SOCKETS)):
            return f"it mounts {text} of the node", pod.because(path)
    for container in pod.containers():
        context = container.get("securityContext")
        if not isinstance(context, Map):
            continue
        if context.get("privileged") is True:
            return "it is privileged", pod.because(context, "privileged")
        capabilities = context.get("capabilities")
        added = capabilities.get("add") if isinstance(capabilities, Map) else None
        dangerous = sorted(_DANGEROUS & {str(one).removeprefix("CAP_") for one in added or ()} - {"NET_ADMIN"})
        if dangerous:
            return f"it has the capability {dangerous[0]}", pod.because(capabilities, "add")
    return None


def within_baseline(pod: Pod) -> bool:
    """Whether the level ``baseline`` of Pod Security lets a pod in, as far as its nodes' network and folders go."""
    host = pod.spec.get("hostNetwork") is True or any("hostPath" in volume for volume in pod.volumes())
    ports = any(
        isinstance(port, dict) and port.get("hostPort")
        for one in pod.containers()
        for port in listed(one.get("ports"))
    )
    return not host and not ports and reaches_node(pod) is None
