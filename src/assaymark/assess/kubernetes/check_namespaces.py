"""Namespaces and the cluster as wholes: network policies, Pod Security, signatures of images."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from assaymark.assess.kubernetes.rule_list import IMAGE_UNSIGNED, NO_POLICY, POD_SECURITY
from assaymark.assess.rule import found
from assaymark.core.report import Confidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.kubernetes import Cluster
    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.report import Finding

_VERIFIERS: Final = ("ClusterImagePolicy", "ImageVerificationPolicy", "ImageValidatingPolicy", "ImagePolicy")
_WORDS: Final = ("verifyImages", "cosign", "connaisseur", "ratify", "notation")
_LEVEL: Final = "pod-security.kubernetes.io/enforce"


def check_namespaces(network: Network) -> Iterator[Finding]:
    """Findings about namespaces that have workloads."""
    by_namespace: defaultdict[str, list[Pod]] = defaultdict(list)
    for pod in network.own_pods():
        if not pod.is_template:
            by_namespace[pod.owner.namespace].append(pod)
    declared = {one.name: one for one in network.cluster.of("Namespace")}
    for name, some in sorted(by_namespace.items()):
        policies = any(network.policies(pod, "Ingress") for pod in some) or network.other_policies(name)
        if not policies:
            message = f"no network policy limits who reaches the pods of namespace {name}"
            place = declared[name].because() if name in declared else some[0].owner.because()
            yield found(NO_POLICY, f"k8s:{name}", message, (place,))
        level = declared[name].labels().get(_LEVEL) if name in declared else None
        if name in declared and level not in ("baseline", "restricted"):
            message = f"namespace {name} enforces no Pod Security level" + (f" but {level}" if level else "")
            yield found(POD_SECURITY, f"k8s:{name}", message, (declared[name].because(),))
    images = [pod for pod in network.own_pods() if any("image" in one for one in pod.containers())]
    if images and not _verified(network.cluster):
        message = "no policy in the input has signatures of images verified before they run"
        yield found(IMAGE_UNSIGNED, "k8s:images", message, (images[0].owner.because(),), None, Confidence.MEDIUM)


def _verified(cluster: Cluster) -> bool:
    if next(cluster.of(*_VERIFIERS), None) is not None:
        return True
    for one in cluster.of(
        "ClusterPolicy", "Policy", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"
    ):
        text = str(one.value)
        if any(word in text for word in _WORDS):
            return True
    return False
