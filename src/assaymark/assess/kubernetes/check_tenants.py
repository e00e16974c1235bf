"""Tenants of one cluster: namespaces, volumes and caches that they share.

Source: Kubernetes documentation, "Multi-tenancy".
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.assess.boundaries import tenant_of
from assaymark.assess.kubernetes.rule_list import TENANTS_NAMESPACE, TENANTS_VOLUME
from assaymark.assess.kubernetes.servers import container_variables
from assaymark.assess.rule import found
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.report import Finding

_CACHE: Final = re.compile(r"(?:rediss?|memcached?|valkeys?)://(?:[^@/]*@)?([^/?,]+)", re.IGNORECASE)
_HOST_NAME: Final = re.compile(r"(?:REDIS|VALKEY|MEMCACHED)_(?:HOST|SERVER|SERVERS|ADDR|ADDRESS)$")
# Folders that the node gives to all and nobody keeps data in.
_OF_NODE: Final = ("/etc/localtime", "/etc/ssl", "/etc/pki", "/dev", "/sys", "/proc", "/usr", "/lib", "/var/log")


@dataclass(slots=True)
class _Use:
    """Who uses a thing, and whether one of them may write to it."""

    pods: dict[str, Pod] = field(default_factory=dict)
    written: bool = False


def check_tenants(network: Network) -> Iterator[Finding]:
    """Findings about tenants, as labels and names tell them."""
    spaces: defaultdict[str, dict[str, Pod]] = defaultdict(dict)
    uses: defaultdict[str, _Use] = defaultdict(_Use)
    for pod in network.own_pods():
        own = tenant_of(pod.owner.name, {**pod.owner.labels(), **pod.labels})
        space = pod.owner.namespace
        tenant = own or tenant_of(space, network.namespace_labels(space))
        if own:
            spaces[space].setdefault(own, pod)
        if tenant:
            for what, written in _shared(pod):
                uses[what].pods.setdefault(tenant, pod)
                uses[what].written |= written
    for name, tenants in sorted(spaces.items()):
        if len(tenants) > 1:
            message = f"tenants {', '.join(sorted(tenants))} share the namespace {name}: secrets, accounts and limits"
            places = [pod.owner.because() for pod in tenants.values()]
            yield found(TENANTS_NAMESPACE, f"k8s:{name}", message, places)
    for what, use in sorted(uses.items()):
        if len(use.pods) > 1 and use.written:
            message = f"tenants {', '.join(sorted(use.pods))} share the {what}"
            yield found(TENANTS_VOLUME, what, message, [pod.owner.because() for pod in use.pods.values()])


def _shared(pod: Pod) -> Iterator[tuple[str, bool]]:
    """Claims, folders of the node and caches of a pod, and whether it may write to each."""
    for volume in pod.volumes():
        claim, host = volume.get("persistentVolumeClaim"), volume.get("hostPath")
        if isinstance(claim, Map):
            written = claim.get("readOnly") is not True and _mounted_to_write(pod, volume)
            yield f"claim {pod.owner.namespace}/{claim.get('claimName')}", written
        path = host.get("path") if isinstance(host, Map) else None
        if isinstance(path, str) and not path.startswith(_OF_NODE):
            yield f"folder {path} of the node", _mounted_to_write(pod, volume)
    for container in pod.containers():
        for name, value in container_variables(container).items():
            cache = _CACHE.match(value)
            if cache or (_HOST_NAME.search(name) and value not in ("", "<set>", "localhost", "127.0.0.1")):
                host_name = cache[1] if cache else value
                if not host_name.startswith(("localhost", "127.")):
                    yield f"cache {host_name.partition(':')[0]}", True


def _mounted_to_write(pod: Pod, volume: Map) -> bool:
    mounts = [
        mount
        for container in pod.containers()
        for mount in listed(container.get("volumeMounts"))
        if isinstance(mount, Map) and mount.get("name") == volume.get("name")
    ]
    return not mounts or any(mount.get("readOnly") is not True for mount in mounts)
