"""``pod_files``: what of stores lies on the disk of a container: mounted buckets, and what others of its pod fetch.

Sources: Kubernetes documentation, "Volumes" (``emptyDir``, ``subPath``), "Persistent Volumes" (``claimRef``,
``volumeName``); Cloud Storage FUSE CSI driver (``bucketName``; ``volumeHandle`` of a persistent volume); Mountpoint
for Amazon S3 CSI driver (``bucketName``); Azure Blob CSI driver (``containerName``, ``storageAccount``).
"""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assaymark.assess.estate.loads import Store
from assaymark.assess.source.fetched import Fetched
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.estate.kubernetes import Cluster, Object
    from assaymark.assess.kubernetes.pods import Pod

_DRIVERS: Final = {
    "gcsfuse.csi.storage.gke.io": "gs",
    "gcsfuse.run.googleapis.com": "gs",
    "s3.csi.aws.com": "s3",
    "blob.csi.azure.com": "azure",
}


class _Mount(NamedTuple):
    volume: str
    path: str
    within: str  # of the volume


def mounted(cluster: Cluster, pod: Pod, container: Map) -> Iterator[Fetched]:
    """The buckets that a container has as folders."""
    mounts = _mounts(container)
    for volume in pod.volumes():
        store = bucket_of(cluster, pod, volume)
        for mount in mounts if store is not None else ():
            if mount.volume == volume.get("name") and store is not None:
                yield Fetched(mount.path, store, pod.because(volume), whole=True)


def shared(container: Map, other: Map, found: Iterable[Fetched]) -> Iterator[Fetched]:
    """What another container of the pod fetches, by the paths that this one has of their volumes."""
    own, theirs = _mounts(container), _mounts(other)
    folder = other.get("workingDir")
    for one in found:
        path = posixpath.normpath(posixpath.join(folder if isinstance(folder, str) else "", one.path))
        around = [each for each in theirs if f"{path}/".startswith(f"{each.path.rstrip('/')}/")]
        if not around:
            continue
        mount = max(around, key=lambda each: len(each.path))
        place = posixpath.normpath(posixpath.join("/", mount.within, path[len(mount.path.rstrip("/")) :].lstrip("/")))
        for each in own:
            root = posixpath.normpath(posixpath.join("/", each.within))
            if each.volume != mount.volume:
                continue
            if f"{place}/".startswith(f"{root.rstrip('/')}/"):
                yield replace(one, path=posixpath.join(each.path, place[len(root.rstrip("/")) :].lstrip("/")))
            elif one.whole and f"{root}/".startswith(f"{place.rstrip('/')}/"):
                yield replace(one, path=each.path)


def bucket_of(cluster: Cluster, pod: Pod, volume: Map) -> Store | None:
    """The bucket that a volume is."""
    inline = volume.get("csi")
    if isinstance(inline, Map):
        return bucket_of_driver(inline)
    claim = volume.get("persistentVolumeClaim")
    name = claim.get("claimName") if isinstance(claim, Map) else None
    if not isinstance(name, str):
        return None
    for one in cluster.of("PersistentVolumeClaim"):
        near = (one.namespace, one.cluster) == (pod.owner.namespace, pod.owner.cluster)
        spec = one.value.get("spec")
        if one.name == name and near and isinstance(spec, Map):
            return _of_claim(cluster, one, spec)
    return next((store for each, store in _volumes(cluster) if _claims(each, pod.owner.namespace, name)), None)


def _of_claim(cluster: Cluster, claim: Object, spec: Map) -> Store | None:
    for one, store in _volumes(cluster):
        if spec.get("volumeName") == one.name or _claims(one, claim.namespace, claim.name):
            return store
    for one in cluster.of("StorageClass"):
        given = one.value.get("parameters")
        if one.name == spec.get("storageClassName") and isinstance(given, Map):
            return _attributes(_DRIVERS.get(str(one.value.get("provisioner")), ""), given, "")
    return None


def _volumes(cluster: Cluster) -> Iterator[tuple[Object, Store]]:
    for one in cluster.of("PersistentVolume"):
        spec = one.value.get("spec")
        driver = spec.get("csi") if isinstance(spec, Map) else None
        store = bucket_of_driver(driver) if isinstance(driver, Map) else None
        if store is not None:
            yield one, store


def _claims(volume: Object, namespace: str, name: str) -> bool:
    """Whether a persistent volume is kept for a claim."""
    spec = volume.value.get("spec")
    reference = spec.get("claimRef") if isinstance(spec, Map) else None
    return isinstance(reference, Map) and (reference.get("namespace"), reference.get("name")) == (namespace, name)


def bucket_of_driver(driver: dict[str, Any]) -> Store | None:
    """The bucket that a driver of a volume is told; None for other drivers, or where it has them all."""
    given = driver.get("volumeAttributes")
    platform = _DRIVERS.get(str(driver.get("driver")), "")
    handle = driver.get("volumeHandle") if platform == "gs" else ""
    return _attributes(platform, given if isinstance(given, dict) else {}, handle if isinstance(handle, str) else "")


def _attributes(platform: str, given: dict[str, Any], handle: str) -> Store | None:
    """What a driver is told, whose keys it takes in any spelling."""
    words = {key.lower(): value for key, value in given.items() if isinstance(value, str)}
    name = words.get("containername" if platform == "azure" else "bucketname") or handle.partition(":")[0]
    account = words.get("storageaccount", words.get("storageaccountname", ""))
    if not platform or not name or name == "_":
        return None
    return Store(platform, (name,), (account,) if account and platform == "azure" else ())


def _mounts(container: Map) -> list[_Mount]:
    found = []
    for item in listed(container.get("volumeMounts")):
        name, path = (item.get("name"), item.get("mountPath")) if isinstance(item, Map) else (None, None)
        if isinstance(item, Map) and isinstance(name, str) and isinstance(path, str) and not item.get("subPathExpr"):
            within = item.get("subPath")
            found.append(_Mount(name, posixpath.normpath(path), within if isinstance(within, str) else ""))
    return found
