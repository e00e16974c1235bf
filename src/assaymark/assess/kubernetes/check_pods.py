"""Pods by themselves: how they reach their node, what their images are, as whom they run, what they keep on it.

Source: Kubernetes documentation, "Pod Security Standards", "Images", "Volumes" and "User Namespaces".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.pods import reaches_node
from assaymark.assess.kubernetes.rule_list import HOST_PATH, IMAGE_TAG, NODE_ACCESS, ROOT
from assaymark.assess.rule import found
from assaymark.assess.unresolved import Unresolved
from assaymark.core.report import Severity
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.report import Finding

_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
_OPEN: Final = re.compile(r"\$|\{\{|^<.*>$|placeholder", re.IGNORECASE)  # something fills it in before it is used
_KEPT: Final = re.compile(r"model|cache|weight|data|huggingface|\.ollama|shared")
_OF_NODE: Final = ("/var/lib/kubelet", "/var/lib/docker", "/var/lib/containerd", "/sys", "/proc", "/dev", "/etc")


def check_pods(network: Network) -> Iterator[Finding]:
    """Findings about single pods and volumes of nodes."""
    for pod in network.own_pods():
        reached = reaches_node(pod)
        if reached is not None:
            how, because = reached
            yield found(NODE_ACCESS, pod.id, f"{pod.shown}: {how}", (because,))
        for container in pod.containers():
            yield from _container(pod, container)
        for volume in pod.volumes():
            host = volume.get("hostPath")
            path = host.get("path") if isinstance(host, Map) else None
            if isinstance(path, str) and _keeps(path):
                message = f"{pod.shown} keeps {path} on the node, where other pods may change it"
                yield found(HOST_PATH, f"{pod.id}#{path}", message, (pod.because(host),))
    for one in network.cluster.of("PersistentVolume"):
        spec = one.value.get("spec")
        host = spec.get("hostPath") if isinstance(spec, Map) else None
        path = host.get("path") if isinstance(host, Map) else None
        if isinstance(path, str) and _keeps(path):
            message = f"volume {one.name} is {path} of a node, where other pods may change it"
            yield found(HOST_PATH, one.id, message, (one.because(host),))


def _keeps(path: str) -> bool:
    return bool(_KEPT.search(path)) and not path.startswith(_OF_NODE)


def _container(pod: Pod, container: Map) -> Iterator[Finding]:
    name, image = str(container.get("name", container.get("image", ""))), container.get("image")
    if not isinstance(image, str) or not image:
        return  # a patch, or a model whose runtime says the rest
    left_open = isinstance(image, Unresolved) or _OPEN.search(image) is not None
    if not _DIGEST.search(image) and not left_open:
        moving = ":" not in image.rpartition("/")[2] or image.endswith(":latest")
        severity = Severity.MEDIUM if moving else Severity.LOW
        message = (
            f"{image} of {pod.shown} is named by a tag"
            if ":" in image.rpartition("/")[2]
            else (f"{image} of {pod.shown} is named without tag or digest")
        )
        yield found(IMAGE_TAG, f"{pod.id}#{name}", message, (pod.because(container, "image"),), severity)
    if pod.spec.get("hostUsers") is not False and not _no_root(pod, container):
        message = f"container {name} of {pod.shown} may run as root"
        yield found(ROOT, f"{pod.id}#{name}", message, (pod.because(container),))


def _no_root(pod: Pod, container: Map) -> bool:
    """Whether the container's own context, or the pod's where that is silent, keeps root out."""
    own, general = container.get("securityContext"), pod.spec.get("securityContext")
    said = {**(general if isinstance(general, Map) else {}), **(own if isinstance(own, Map) else {})}
    user = said.get("runAsUser")
    if isinstance(user, (Unresolved, str)) or isinstance(said.get("runAsNonRoot"), str):
        return True  # a template leaves it open
    if user is not None:
        return not isinstance(user, bool) and user != 0
    return said.get("runAsNonRoot") is True
