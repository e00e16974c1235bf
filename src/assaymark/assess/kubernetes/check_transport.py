"""What goes in plain text: ways into the cluster, the mesh, storage and tracking, NFS.

Sources: Kubernetes documentation, "Ingress"; Gateway API, "TLS Configuration"; Istio documentation, "Gateway",
"PeerAuthentication" and "DestinationRule"; OpenShift documentation, "Route"; RFC 7530 and RFC 9289.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.kubernetes.facing import internal
from assaymark.assess.kubernetes.mesh import ROOT, exceptions, in_mesh, mode_of, selects_some
from assaymark.assess.kubernetes.rule_list import INGRESS_PLAIN, MESH_PERMISSIVE, NFS, STORAGE_PLAIN
from assaymark.assess.rule import found
from assaymark.core.report import Confidence, Severity
from assaymark.formats.located import Map, listed, maps_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.kubernetes import Cluster, Object
    from assaymark.assess.kubernetes.network import Network
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.core.report import Finding

_STORAGE: Final = re.compile(
    r"mlflow|minio|(?:^|[^a-z])s3(?:[^a-z]|$)|storage|tracking|artifact|redis|broker|rabbit|amqp|postgres|mongo|mysql"
    r"|clickhouse|elastic|opensearch|feast|qdrant|milvus|weaviate|chroma|dataset|model[-_]?(?:registry|store|hub)"
    r"|hf_endpoint",
    re.IGNORECASE,
)
_PLAIN: Final = re.compile(
    r"(?:http|redis|amqp|ftp|mongodb|nats)://(?!localhost|127\.|\[::1\])[^\s,'\"]+", re.IGNORECASE
)
_NO_TLS: Final = re.compile(
    r"(?:postgres(?:ql)?|mysql)(?:\+\w+)?://\S*(?:sslmode|ssl-mode)=disabled?\b", re.IGNORECASE
)
_BEFORE: Final = 30  # letters of a flag or a setting before its value
_PLAIN_PROTOCOLS: Final = ("HTTP", "HTTP2", "GRPC", "TCP", "MONGO")


def check_transport(network: Network) -> Iterator[Finding]:
    """Findings about what is not encrypted on its way."""
    cluster = network.cluster
    yield from _ingresses(cluster)
    yield from _gateways(cluster)
    yield from _mesh(cluster)
    yield from _silent(network)
    yield from _volumes(network)
    for pod in network.own_pods():
        severity = Severity.LOW if in_mesh(network, pod) else None
        for container in pod.containers():
            yield from _told(pod, container, severity)


def _told(pod: Pod, container: Map, severity: Severity | None) -> Iterator[Finding]:
    """Where variables and arguments send a workload."""
    said: list[tuple[str, str, Any]] = [
        (str(item.get("name")), str(item.get("value")), item)
        for item in listed(container.get("env"))
        if isinstance(item, Map) and isinstance(item.get("value"), str)
    ]
    for key in ("command", "args"):
        words = container.get(key)
        if isinstance(words, list):
            said += [
                ("arguments", f"{before} {word}", words) for before, word in zip(["", *words], words, strict=False)
            ]
    once = set()
    for name, value, place in said:
        match = _NO_TLS.search(value) or next((one for one in _PLAIN.finditer(value) if _to_storage(name, one)), None)
        if match is not None and (name, match[0]) not in once:
            once.add((name, match[0]))
            where = re.sub(r"//[^/@\s]*@", "//", match[0].partition("?")[0])
            message = f"{pod.shown} talks to {where} without TLS ({name})"
            yield found(STORAGE_PLAIN, f"{pod.id}#{name}#{where}", message, (pod.because(place),), severity)


def _to_storage(name: str, url: re.Match[str]) -> bool:
    """Whether the name of a variable, the URL, or the word before it in a script speaks of storage."""
    return bool(_STORAGE.search(f"{name} {url.string[max(0, url.start() - _BEFORE) : url.end()]}"))


def _ingresses(cluster: Cluster) -> Iterator[Finding]:
    for one in cluster.of("Ingress"):
        spec = one.value.get("spec")
        if isinstance(spec, Map) and not spec.get("tls") and not _elsewhere(one):
            message = f"ingress {one.namespace}/{one.name} has no TLS"
            yield found(INGRESS_PLAIN, one.id, message, (one.because(spec),), Severity.LOW if internal(one) else None)
    for one in cluster.of("Route"):
        spec = one.value.get("spec")
        if one.api.startswith("route.openshift.io") and isinstance(spec, Map) and not spec.get("tls"):
            yield found(INGRESS_PLAIN, one.id, f"route {one.namespace}/{one.name} has no TLS", (one.because(spec),))
    for one in cluster.of("IngressRoute"):
        spec = one.value.get("spec")
        points = [str(point) for point in listed(spec.get("entryPoints"))] if isinstance(spec, Map) else []
        if isinstance(spec, Map) and "tls" not in spec and points == ["web"] and not _redirects_by_traefik(spec):
            message = f"ingress route {one.namespace}/{one.name} has no TLS"
            yield found(INGRESS_PLAIN, one.id, message, (one.because(spec),))


def _redirects_by_traefik(spec: Map) -> bool:
    return any("redirect" in str(item.get("name")) for item in maps_of(spec, "middlewares"))


def _elsewhere(one: Object) -> bool:
    """Whether a load balancer's certificate, or its listening with TLS alone, is said in annotations."""
    spec = one.value.get("spec")
    if isinstance(spec, Map) and spec.get("ingressClassName") == "tailscale":
        return True
    for key, value in one.labels("annotations").items():
        if any(word in key for word in ("certificate", "ssl-cert", "pre-shared-cert")) and "issuer" not in key:
            return True
        if key.endswith("/listen-ports") and "HTTPS" in value and '"HTTP"' not in value:
            return True
        if key == "traefik.ingress.kubernetes.io/router.tls" and value == "true":
            return True
        if key == "traefik.ingress.kubernetes.io/router.entrypoints" and value == "websecure":
            return True
    return False


def _gateways(cluster: Cluster) -> Iterator[Finding]:
    for one in cluster.of("Gateway"):
        servers, listeners = maps_of(one.value.get("spec"), "servers"), maps_of(one.value.get("spec"), "listeners")
        for server in servers:
            port, tls = server.get("port"), server.get("tls")
            redirects = isinstance(tls, Map) and tls.get("httpsRedirect") is True
            if isinstance(port, Map) and str(port.get("protocol")).upper() in _PLAIN_PROTOCOLS and not redirects:
                message = f"gateway {one.namespace}/{one.name} listens in plain text"
                severity = Severity.LOW if re.search(r"local|internal", one.name) else None
                name = f"{one.id}#{port.get('number')}"
                yield found(INGRESS_PLAIN, name, message, (one.because(port),), severity)
        encrypted = any(str(item.get("protocol")).upper() in ("HTTPS", "TLS") for item in listeners)
        for listener in listeners:
            plain = str(listener.get("protocol")).upper() in ("HTTP", "TCP")
            if plain and not _redirects(cluster, one, str(listener.get("name"))):
                message = f"gateway {one.namespace}/{one.name} listens in plain text ({listener.get('name')})"
                severity = Severity.LOW if encrypted else None
                place = (one.because(listener),)
                yield found(INGRESS_PLAIN, f"{one.id}#{listener.get('name')}", message, place, severity)


def _redirects(cluster: Cluster, gateway: Object, listener: str) -> bool:
    """Whether a route of the listener sends all to TLS."""
    for route in cluster.of("HTTPRoute"):
        spec = route.value.get("spec")
        attached = any(
            parent.get("name") == gateway.name and parent.get("sectionName", listener) == listener
            for parent in maps_of(spec, "parentRefs")
        )
        if attached and any(item.get("scheme") == "https" for item in maps_of(spec, "requestRedirect")):
            return True
    return False


def _mesh(cluster: Cluster) -> Iterator[Finding]:
    policies = list(cluster.of("PeerAuthentication"))
    strict = any(one.namespace == ROOT and not selects_some(one) and mode_of(one) == "STRICT" for one in policies)
    for one in policies:
        mode = mode_of(one)
        inherits = mode in ("", "UNSET") and (strict or exceptions(one))
        if mode != "STRICT" and not inherits:
            message = (
                f"PeerAuthentication {one.namespace}/{one.name} is {mode or 'without a mode'}: plain text is let in"
            )
            yield found(MESH_PERMISSIVE, one.id, message, (one.because(one.value.get("spec")),))
        for port, place in exceptions(one):
            message = f"PeerAuthentication {one.namespace}/{one.name} lets plain text into port {port}"
            severity = Severity.LOW if port.endswith("443") else None  # a webhook's port: TLS of its own
            yield found(MESH_PERMISSIVE, f"{one.id}#{port}", message, (one.because(place),), severity)
    for one in cluster.of("DestinationRule"):
        for tls in maps_of(one.value.get("spec"), "tls"):
            if tls.get("mode") == "DISABLE":
                message = f"DestinationRule {one.namespace}/{one.name} turns TLS off"
                yield found(MESH_PERMISSIVE, one.id, message, (one.because(tls, "mode"),))


def _silent(network: Network) -> Iterator[Finding]:
    """Namespaces that Istio's labels put into the mesh, where no policy of the input has a mode: the default is both.

    Whoever installed the mesh may have set the mesh's mode where the input does not show it.
    """
    seen: set[str] = set()
    for pod in network.own_pods():
        namespace = pod.owner.namespace
        around = network.namespace_labels(namespace)
        by_istio = around.get("istio-injection") == "enabled" or around.get("istio.io/dataplane-mode") == "ambient"
        if namespace in seen or not by_istio or not in_mesh(network, pod):
            continue
        seen.add(namespace)
        policies = [one for one in network.cluster.of("PeerAuthentication") if one.namespace in (ROOT, namespace)]
        place = next((one for one in network.cluster.of("Namespace") if one.name == namespace), None)
        if not policies and place is not None:
            message = f"no policy demands mutual TLS in the namespace {namespace} of the mesh"
            because = (place.because(),)
            yield found(MESH_PERMISSIVE, f"k8s:mesh/{namespace}", message, because, Severity.LOW, Confidence.MEDIUM)


def _volumes(network: Network) -> Iterator[Finding]:
    for pod in network.own_pods():
        for volume in pod.volumes():
            nfs = volume.get("nfs")
            if isinstance(nfs, Map):
                where = f"{nfs.get('server')}:{nfs.get('path')}"
                message = f"{pod.shown} mounts {where} over NFS, which takes no options here"
                yield found(NFS, f"{pod.id}#{where}", message, (pod.because(nfs),))
    for one in network.cluster.of("PersistentVolume", "StorageClass"):
        spec = one.value.get("spec") if one.kind == "PersistentVolume" else one.value
        if not isinstance(spec, Map):
            continue
        place = _over_nfs(spec)
        options = ",".join(str(item) for item in listed(spec.get("mountOptions")))
        if place is not None and not re.search(r"sec=krb5p|xprtsec=m?tls", options):
            old = not re.search(r"vers=4", options)
            message = f"{one.kind} {one.name} goes over NFS{' of version 3 or unknown' if old else ''} in plain text"
            yield found(NFS, one.id, message, (one.because(place),))
        driver = spec.get("csi")
        words = driver.get("volumeAttributes") if isinstance(driver, Map) else None
        if isinstance(words, Map) and str(words.get("encryptInTransit")).lower() == "false":
            message = f"volume {one.name} turns encryption to Amazon EFS off"
            yield found(NFS, one.id, message, (one.because(words, "encryptInTransit"),))


def _over_nfs(spec: Map) -> Any:
    """What says that a volume or a class of volumes is NFS; None when nothing does."""
    driver = spec.get("csi")
    if isinstance(spec.get("nfs"), Map):
        return spec["nfs"]
    if isinstance(driver, Map) and "nfs.csi" in str(driver.get("driver")):
        return driver
    return spec if re.search(r"nfs\.csi|nfs-subdir|nfs-client", str(spec.get("provisioner", ""))) else None
