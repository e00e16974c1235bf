"""The linker of Kubernetes: workloads, accounts, secrets and nodes, and what leads from whom to what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.assess.kubernetes.drawing import ADMINISTRATOR, BOUNDARY, Drawing
from assaymark.assess.kubernetes.link_access import draw_access
from assaymark.assess.kubernetes.link_network import draw_network
from assaymark.assess.kubernetes.pods import Pod, has_token, reaches_node
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder
    from assaymark.core.graph import Because


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws the cluster. ``now`` is not needed: RBAC knows no time."""
    del now
    if not estates.kubernetes.objects:
        return
    run = Drawing(estates.kubernetes, builder, reading)
    name = "administrator of the cluster"
    builder.node(ADMINISTRATOR, "administrator", name, (run.first,), boundary=BOUNDARY, target="administrator")
    for one in run.cluster.of("ServiceAccount"):
        run.account(one.namespace, one.name, one.because())
    for pod in run.pods:
        run.workload(pod)
    for one in run.cluster.of("Secret"):
        run.secret(one.namespace, one.name, one.because())
    for one in run.cluster.of("PersistentVolumeClaim"):
        run.claim(one.namespace, one.name, one.because())
    for pod in run.pods:
        _pod(run, pod)
    draw_access(run)
    draw_network(run)


def _pod(run: Drawing, pod: Pod) -> None:
    namespace = pod.owner.namespace
    account = run.account(namespace, pod.account, pod.because())
    if has_token(run.cluster, pod):
        run.edge(
            pod.id,
            account,
            "runs-as",
            "its pods hold the account's token",
            (pod.because(None, "serviceAccountName"),),
            0,
        )
    for kind, name, because in _mounted(pod):
        if kind == "secret":
            how = "its pods have the secret as variables or files"
            run.edge(pod.id, run.secret(namespace, name, because), "mounts", how, (because,), 0)
        else:
            volume = run.claim(namespace, name, because)
            run.edge(pod.id, volume, "reads", "its pods mount the volume", (because,), 0)
            if kind == "claim":
                run.edge(pod.id, volume, "writes", "its pods mount the volume", (because,), 0)
            elif kind == "model":
                run.edge(volume, pod.id, "loaded-by", "it serves the model that lies there", (because,))
    reached = reaches_node(pod)
    if reached is not None:
        how, because = reached
        run.edge(pod.id, run.nodes(because), "takes-over", f"its pods reach the node they run on: {how}", (because,))


def _mounted(pod: Pod) -> Iterator[tuple[str, str, Because]]:
    """The secrets and claims that a pod has: kind, name, where. ``read-only``: a claim that it cannot write.

    ``model``: a claim that KServe mounts, read-only, for the model in it (KServe, "Deploy InferenceService with a
    saved model on PVC").
    """
    for container in pod.containers():
        for item in listed(container.get("env")):
            source = item.get("valueFrom") if isinstance(item, Map) else None
            reference = source.get("secretKeyRef") if isinstance(source, Map) else None
            if isinstance(reference, Map) and isinstance(reference.get("name"), str):
                yield "secret", reference["name"], pod.because(reference)
        for item in listed(container.get("envFrom")):
            reference = item.get("secretRef") if isinstance(item, Map) else None
            if isinstance(reference, Map) and isinstance(reference.get("name"), str):
                yield "secret", reference["name"], pod.because(reference)
        location = container.get("storageUri")
        if isinstance(location, str) and location.startswith("pvc://"):
            yield "model", location[6:].partition("/")[0], pod.because(container, "storageUri")
    for volume in listed(pod.spec.get("volumes")):
        if isinstance(volume, Map):
            yield from _volume(pod, volume)


def _volume(pod: Pod, volume: Map) -> Iterator[tuple[str, str, Because]]:
    secret, claim, projected = volume.get("secret"), volume.get("persistentVolumeClaim"), volume.get("projected")
    if isinstance(secret, Map) and isinstance(secret.get("secretName"), str):
        yield "secret", secret["secretName"], pod.because(secret)
    if isinstance(claim, Map) and isinstance(claim.get("claimName"), str):
        kind = "read-only" if claim.get("readOnly") is True or _only_read(pod, volume.get("name")) else "claim"
        yield kind, claim["claimName"], pod.because(claim)
    for source in listed(projected.get("sources")) if isinstance(projected, Map) else ():
        inner = source.get("secret") if isinstance(source, Map) else None
        if isinstance(inner, Map) and isinstance(inner.get("name"), str):
            yield "secret", inner["name"], pod.because(inner)


def _only_read(pod: Pod, name: object) -> bool:
    """Whether each container that mounts a volume mounts it read-only."""
    mounts = [
        item
        for container in pod.containers()
        for item in listed(container.get("volumeMounts"))
        if isinstance(item, Map) and item.get("name") == name
    ]
    return bool(mounts) and all(item.get("readOnly") is True for item in mounts)
