"""What is wrong with a cluster by itself, path or not."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.boundaries import tenant_of
from assaymark.assess.kubernetes.network import Network
from assaymark.assess.kubernetes.pods import pod_specs, reaches_node
from assaymark.assess.kubernetes.rbac import bound
from assaymark.assess.kubernetes.servers import container_variables, open_servers
from assaymark.assess.rule import AssessRule, found
from assaymark.core.report import Confidence, Severity
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.kubernetes import Cluster
    from assaymark.assess.kubernetes.pods import Pod
    from assaymark.assess.rule import Seen
    from assaymark.core.report import Finding

ROLE_WILDCARD = AssessRule(
    "k8s-role-wildcard",
    Severity.HIGH,
    "A subject that may do everything in the cluster or a namespace",
    "identity",
    ("AML.T0012", "AML.M0005", "CWE-250", "CWE-269"),
)
SECRETS_ALL = AssessRule(
    "k8s-secrets-everywhere",
    Severity.HIGH,
    "A subject that may read the secrets of every namespace",
    "identity",
    ("AML.T0055", "AML.M0005", "CWE-732"),
)
ANONYMOUS = AssessRule(
    "k8s-anonymous-binding",
    Severity.CRITICAL,
    "Rights for whoever reaches the API server",
    "identity",
    ("AML.T0012", "AML.T0049", "AML.M0005", "CWE-306"),
)
NODE_ACCESS = AssessRule(
    "k8s-node-access",
    Severity.HIGH,
    "A pod that reaches the node it runs on",
    "tenancy",
    ("AML.T0105", "AML.M0005", "CWE-250"),
)
POD_SECURITY = AssessRule(
    "k8s-pod-security-missing",
    Severity.LOW,
    "A namespace that lets privileged pods in",
    "tenancy",
    ("AML.T0105", "AML.M0005", "CWE-1188"),
)
NO_POLICY = AssessRule(
    "k8s-network-policy-missing",
    Severity.MEDIUM,
    "A namespace whose pods everything in the cluster reaches",
    "tenancy",
    ("AML.T0049", "AML.M0019", "CWE-668"),
)
SERVER_OPEN = AssessRule(
    "k8s-server-open",
    Severity.HIGH,
    "A server of models, jobs or data that asks nobody who they are",
    "endpoint",
    ("AML.T0040", "AML.T0049", "AML.M0019", "ML05:2023", "LLM10:2025", "CWE-306"),
)
SERVER_PLAIN = AssessRule(
    "k8s-server-plaintext",
    Severity.MEDIUM,
    "A server of models, jobs or data that talks in plain text",
    "transport",
    ("AML.T0024", "AML.M0012", "CWE-319"),
)
INGRESS_PLAIN = AssessRule(
    "k8s-ingress-plaintext",
    Severity.MEDIUM,
    "A way into the cluster without TLS",
    "transport",
    ("AML.T0024", "AML.M0012", "CWE-319"),
)
MESH_PERMISSIVE = AssessRule(
    "k8s-mesh-permissive",
    Severity.MEDIUM,
    "A service mesh that lets plain text in",
    "transport",
    ("AML.T0024", "AML.M0012", "CWE-319"),
)
STORAGE_PLAIN = AssessRule(
    "k8s-storage-plaintext",
    Severity.MEDIUM,
    "Workers that talk to storage or tracking in plain text",
    "transport",
    ("AML.T0020", "AML.M0012", "ML02:2023", "CWE-319"),
)
NFS = AssessRule(
    "k8s-nfs-plaintext",
    Severity.MEDIUM,
    "A volume over NFS without Kerberos",
    "transport",
    ("AML.T0020", "AML.M0012", "ML02:2023", "CWE-319"),
)
SECRET_LITERAL = AssessRule(
    "k8s-secret-in-manifest",
    Severity.HIGH,
    "A secret written into a manifest",
    "transport",
    ("AML.T0055", "AML.M0012", "CWE-312", "CWE-798"),
)
IMAGE_TAG = AssessRule(
    "k8s-image-unpinned",
    Severity.MEDIUM,
    "An image that is named by a tag, which may be moved",
    "supply-chain",
    ("AML.T0010", "AML.M0014", "ML06:2023", "LLM03:2025", "CWE-494"),
)
IMAGE_UNSIGNED = AssessRule(
    "k8s-image-unverified",
    Severity.LOW,
    "A cluster that runs images whose signatures nobody checks",
    "supply-chain",
    ("AML.T0010", "AML.M0013", "ML06:2023", "LLM03:2025", "CWE-347"),
)
TENANTS_NAMESPACE = AssessRule(
    "k8s-tenants-share-namespace",
    Severity.HIGH,
    "Several tenants in one namespace",
    "tenancy",
    ("AML.T0035", "AML.M0005", "LLM02:2025", "CWE-653"),
)
TENANTS_VOLUME = AssessRule(
    "k8s-tenants-share-volume",
    Severity.HIGH,
    "Several tenants' workloads with one volume or cache",
    "tenancy",
    ("AML.T0035", "AML.T0020", "AML.M0005", "LLM02:2025", "CWE-653"),
)
HOST_PATH = AssessRule(
    "k8s-host-path-cache",
    Severity.MEDIUM,
    "Models or caches on a folder of the node that other pods may write",
    "tenancy",
    ("AML.T0010", "AML.T0020", "AML.M0005", "ML10:2023", "CWE-668"),
)
ROOT = AssessRule(
    "k8s-container-root",
    Severity.LOW,
    "A container that may run as root",
    "tenancy",
    ("AML.T0105", "AML.M0005", "CWE-250"),
)
RULES: Final = (
    ROLE_WILDCARD,
    SECRETS_ALL,
    ANONYMOUS,
    NODE_ACCESS,
    POD_SECURITY,
    NO_POLICY,
    SERVER_OPEN,
    SERVER_PLAIN,
    INGRESS_PLAIN,
    MESH_PERMISSIVE,
    STORAGE_PLAIN,
    NFS,
    SECRET_LITERAL,
    IMAGE_TAG,
    IMAGE_UNSIGNED,
    TENANTS_NAMESPACE,
    TENANTS_VOLUME,
    HOST_PATH,
    ROOT,
)
_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
_SECRET_NAME: Final = re.compile(
    r"(?:^|_)(?:password|passwd|secret|token|api_?key|access_?key|private_?key|credentials?)(?:$|_)", re.IGNORECASE
)
_NOT_SECRET: Final = re.compile(
    r"^(?:|true|false|\d+|<.*>|\$[({].*|changeme|example.*|x+|/.*|https?://[^:@]*)$", re.IGNORECASE
)
_PATH_NAME: Final = re.compile(r"(?:_file|_path|_dir|_name|_id|_url|_uri|_mode|_ttl|_type|_enabled)$", re.IGNORECASE)
_STORAGE: Final = re.compile(
    r"mlflow|minio|s3|endpoint|storage|tracking|registry|artifact|redis|broker|postgres|mongo", re.IGNORECASE
)
_PLAIN: Final = re.compile(r"^(?:http|redis|amqp|ftp|mongodb)://(?!(?:localhost|127\.|\[::1\]))", re.IGNORECASE)
_VERIFIERS: Final = ("ClusterImagePolicy", "ImageVerificationPolicy", "ImageValidatingPolicy", "ImagePolicy")
_SYSTEM: Final = (
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "istio-system",
    "cert-manager",
    "gatekeeper-system",
)


def _rbac(seen: Seen) -> Iterator[Finding]:
    for subject, rules in sorted(bound(seen.estates.kubernetes).items(), key=lambda item: item[0].id):
        for rule in rules:
            scope = f"namespace {rule.namespace}" if rule.namespace else "the cluster"
            if "*" in rule.verbs and "*" in rule.resources and "*" in rule.groups and not rule.names:
                severity = None if not rule.namespace else Severity.MEDIUM
                message = f"{subject.kind} {subject.name} may do everything in {scope}"
                if subject.name != "system:masters":
                    yield found(ROLE_WILDCARD, f"{subject.id}#{rule.namespace}", message, rule.because, severity)
            elif (
                not rule.namespace
                and not rule.names
                and any(rule.allows(one, "", "secrets") for one in ("get", "list"))
            ):
                message = f"{subject.kind} {subject.name} may read the secrets of every namespace"
                if not subject.name.startswith("system:node"):
                    yield found(SECRETS_ALL, subject.id, message, rule.because)
        if subject.name in ("system:anonymous", "system:unauthenticated") and rules:
            message = f"{subject.name} is bound to a role: whoever reaches the API server has it"
            yield found(ANONYMOUS, subject.id, message, rules[0].because)


def _pods(seen: Seen) -> Iterator[Finding]:
    cluster = seen.estates.kubernetes
    pods = pod_specs(cluster)
    network = Network(cluster, pods)
    exposed = {one.pod.id for one in network.exposed()}
    for pod in pods:
        if pod.owner.namespace in _SYSTEM:
            continue
        reached = reaches_node(pod)
        if reached is not None:
            how, because = reached
            yield found(NODE_ACCESS, pod.id, f"{_named(pod)}: {how}", (because,))
        yield from _servers(pod, network, exposed)
        yield from _containers(pod)
        yield from _volumes(pod)


def _named(pod: Pod) -> str:
    return f"{pod.owner.kind} {pod.owner.namespace}/{pod.owner.name}"


def _servers(pod: Pod, network: Network, exposed: set[str]) -> Iterator[Finding]:
    for running in open_servers(pod):
        server = running.server
        if not running.authenticated:
            reach = "from the internet" if pod.id in exposed else "from every pod that reaches it"
            guarded = pod.id not in exposed and network.policies(pod, "Ingress")
            severity = Severity.CRITICAL if pod.id in exposed else Severity.MEDIUM if guarded else None
            message = f"{server.name} in {_named(pod)} answers without authentication, {reach}: {server.advice}"
            yield found(SERVER_OPEN, f"{pod.id}#{server.name}", message, (running.because,), severity)
        if not running.tls:
            message = f"{server.name} in {_named(pod)} talks in plain text"
            severity = Severity.LOW if _meshed(pod) else None
            yield found(SERVER_PLAIN, f"{pod.id}#{server.name}", message, (running.because,), severity)


def _meshed(pod: Pod) -> bool:
    return pod.annotations.get("sidecar.istio.io/inject", pod.labels.get("sidecar.istio.io/inject")) == "true"


def _containers(pod: Pod) -> Iterator[Finding]:
    general = pod.spec.get("securityContext")
    for container in pod.containers():
        name = str(container.get("name", container.get("image", "")))
        image = container.get("image")
        if isinstance(image, str) and image and not _DIGEST.search(image):
            shown = f"{image} of {_named(pod)} is named by a tag"
            moving = ":" not in image.rpartition("/")[2] or image.endswith(":latest")
            severity = Severity.MEDIUM if moving else Severity.LOW
            yield found(IMAGE_TAG, f"{pod.id}#{name}", shown, (pod.because(container, "image"),), severity)
        yield from _variables(pod, container)
        if not _no_root(container.get("securityContext")) and not _no_root(general):
            message = f"container {name} of {_named(pod)} may run as root"
            yield found(ROOT, f"{pod.id}#{name}", message, (pod.because(container),))


def _no_root(context: Any) -> bool:
    if not isinstance(context, Map):
        return False
    user = context.get("runAsUser")
    return context.get("runAsNonRoot") is True or (isinstance(user, int) and user > 0)


def _variables(pod: Pod, container: Map) -> Iterator[Finding]:
    for item in container.get("env") or ():
        if not isinstance(item, Map):
            continue
        name, value = str(item.get("name", "")), item.get("value")
        if not isinstance(value, str):
            continue
        if _SECRET_NAME.search(name) and not _PATH_NAME.search(name) and not _NOT_SECRET.match(value):
            message = f"{_named(pod)} has the value of {name} in its manifest ({value[:3]}...)"
            yield found(SECRET_LITERAL, f"{pod.id}#{name}", message, (pod.because(item),))
        elif _PLAIN.match(value) and _STORAGE.search(f"{name} {value}"):
            message = f"{_named(pod)} talks to {value.partition('?')[0].rpartition('@')[2]} without TLS ({name})"
            yield found(STORAGE_PLAIN, f"{pod.id}#{name}", message, (pod.because(item),))


def _volumes(pod: Pod) -> Iterator[Finding]:
    for volume in pod.spec.get("volumes") or ():
        if not isinstance(volume, Map):
            continue
        host, nfs = volume.get("hostPath"), volume.get("nfs")
        path = host.get("path") if isinstance(host, Map) else None
        if isinstance(path, str) and re.search(r"model|cache|weight|data|huggingface|\.ollama|shared", path):
            message = f"{_named(pod)} keeps {path} on the node, where other pods may change it"
            yield found(HOST_PATH, f"{pod.id}#{path}", message, (pod.because(host),))
        if isinstance(nfs, Map):
            message = (
                f"{_named(pod)} mounts {nfs.get('server')}:{nfs.get('path')} over NFS, which takes no options here"
            )
            yield found(NFS, f"{pod.id}#{nfs.get('path')}", message, (pod.because(nfs),))


def _objects(seen: Seen) -> Iterator[Finding]:
    cluster = seen.estates.kubernetes
    for one in cluster.of("PersistentVolume"):
        spec = one.value.get("spec")
        nfs = spec.get("nfs") if isinstance(spec, Map) else None
        options = [str(item) for item in spec.get("mountOptions") or ()] if isinstance(spec, Map) else []
        if isinstance(nfs, Map) and not any(item.startswith("sec=krb5p") for item in options):
            old = not any(re.match(r"(?:nfs)?vers=4", item) for item in options)
            message = f"volume {one.name} goes over NFS{' of version 3 or unknown' if old else ''} in plain text"
            yield found(NFS, one.id, message, (one.because(nfs),))
    for one in cluster.of("Secret"):
        yield from _secret(one)
    for one in cluster.of("PeerAuthentication"):
        spec = one.value.get("spec")
        mutual = spec.get("mtls") if isinstance(spec, Map) else None
        mode = mutual.get("mode") if isinstance(mutual, Map) else None
        if mode in ("PERMISSIVE", "DISABLE", "UNSET", None):
            message = (
                f"PeerAuthentication {one.namespace}/{one.name} is {mode or 'without a mode'}: plain text is let in"
            )
            yield found(MESH_PERMISSIVE, one.id, message, (one.because(mutual if mutual is not None else spec),))
    for one in cluster.of("DestinationRule"):
        for tls in _under(one.value.get("spec"), "tls"):
            if tls.get("mode") == "DISABLE":
                message = f"DestinationRule {one.namespace}/{one.name} turns TLS off"
                yield found(MESH_PERMISSIVE, one.id, message, (one.because(tls, "mode"),))
    yield from _ways_in(cluster)


def _secret(one: Any) -> Iterator[Finding]:
    filled = [
        (key, value)
        for name in ("data", "stringData")
        for key, value in (one.value.get(name) or {}).items()
        if isinstance(value, str) and value and not _NOT_SECRET.match(value)
    ]
    if filled:
        message = f"Secret {one.namespace}/{one.name} is in the repository with its value ({filled[0][0]})"
        yield found(
            SECRET_LITERAL,
            one.id,
            message,
            (one.because(one.value, "data" if "data" in one.value else "stringData"),),
        )


def _under(value: Any, key: str) -> Iterator[Map]:
    if isinstance(value, Map):
        if isinstance(value.get(key), Map):
            yield value[key]
        for item in value.values():
            yield from _under(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _under(item, key)


def _ways_in(cluster: Cluster) -> Iterator[Finding]:
    for one in cluster.of("Ingress"):
        spec = one.value.get("spec")
        if isinstance(spec, Map) and not spec.get("tls") and not _elsewhere(one.labels("annotations")):
            message = f"ingress {one.namespace}/{one.name} has no TLS"
            yield found(INGRESS_PLAIN, one.id, message, (one.because(spec),))
    for one in cluster.of("Gateway"):
        for server in (one.value.get("spec") or {}).get("servers") or ():
            port = server.get("port") if isinstance(server, Map) else None
            redirects = (
                isinstance(server, Map)
                and isinstance(server.get("tls"), Map)
                and server["tls"].get("httpsRedirect") is True
            )
            if (
                isinstance(port, Map)
                and str(port.get("protocol")).upper() in ("HTTP", "HTTP2", "GRPC", "TCP")
                and not redirects
            ):
                message = f"gateway {one.namespace}/{one.name} listens in plain text"
                yield found(INGRESS_PLAIN, one.id, message, (one.because(port),))
        for listener in (one.value.get("spec") or {}).get("listeners") or ():
            if isinstance(listener, Map) and str(listener.get("protocol")).upper() in ("HTTP", "TCP"):
                message = f"gateway {one.namespace}/{one.name} listens in plain text ({listener.get('name')})"
                yield found(
                    INGRESS_PLAIN, f"{one.id}#{listener.get('name')}", message, (one.because(listener),), Severity.LOW
                )


def _elsewhere(annotations: dict[str, str]) -> bool:
    """Whether a load balancer's certificate is named in annotations."""
    return any("certificate" in key or "ssl-cert" in key or "cluster-issuer" in key for key in annotations)


def _namespaces(seen: Seen) -> Iterator[Finding]:
    cluster = seen.estates.kubernetes
    by_namespace: defaultdict[str, list[Pod]] = defaultdict(list)
    pods = pod_specs(cluster)
    for pod in pods:
        if pod.owner.namespace not in _SYSTEM:
            by_namespace[pod.owner.namespace].append(pod)
    network = Network(cluster, pods)
    declared = {one.name: one for one in cluster.of("Namespace")}
    for name, some in sorted(by_namespace.items()):
        first = some[0].owner.because()
        if not any(network.policies(pod, "Ingress") for pod in some):
            message = f"no network policy limits who reaches the pods of namespace {name}"
            place = declared[name].because() if name in declared else first
            yield found(NO_POLICY, f"k8s:{name}", message, (place,))
        if name in declared:
            labels = network.namespace_labels(name)
            if labels.get("pod-security.kubernetes.io/enforce") not in ("baseline", "restricted"):
                message = f"namespace {name} enforces no Pod Security level"
                yield found(POD_SECURITY, f"k8s:{name}", message, (declared[name].because(),))
        tenants: defaultdict[str, list[Pod]] = defaultdict(list)
        for pod in some:
            tenant = tenant_of(pod.owner.name, {**pod.owner.labels(), **pod.labels})
            if tenant:
                tenants[tenant].append(pod)
        if len(tenants) > 1:
            message = f"tenants {', '.join(sorted(tenants))} share the namespace {name}: secrets, accounts and limits"
            places = [members[0].owner.because() for members in tenants.values()]
            yield found(TENANTS_NAMESPACE, f"k8s:{name}", message, places)
    yield from _shared(pods)
    images = [
        pod for pod in pods if pod.owner.namespace not in _SYSTEM and any("image" in one for one in pod.containers())
    ]
    if images and not _verified(cluster):
        message = "no policy in the input has signatures of images verified before they run"
        yield found(IMAGE_UNSIGNED, "k8s:images", message, (images[0].owner.because(),), None, Confidence.MEDIUM)


def _shared(pods: list[Pod]) -> Iterator[Finding]:
    users: defaultdict[str, dict[str, Pod]] = defaultdict(dict)
    for pod in pods:
        tenant = tenant_of(pod.owner.name, {**pod.owner.labels(), **pod.labels}) or tenant_of(pod.owner.namespace)
        if not tenant:
            continue
        for volume in pod.spec.get("volumes") or ():
            if isinstance(volume, Map):
                claim, host = volume.get("persistentVolumeClaim"), volume.get("hostPath")
                if isinstance(claim, Map):
                    users[f"claim {pod.owner.namespace}/{claim.get('claimName')}"].setdefault(tenant, pod)
                if isinstance(host, Map):
                    users[f"folder {host.get('path')} of the node"].setdefault(tenant, pod)
        for container in pod.containers():
            for name, value in container_variables(container).items():
                if re.match(r"(?:redis|rediss|memcached)://", value) or (name.endswith("REDIS_HOST") and value):
                    users[f"cache {value.rpartition('@')[2]}"].setdefault(tenant, pod)
    for what, tenants in sorted(users.items()):
        if len(tenants) > 1:
            message = f"tenants {', '.join(sorted(tenants))} share the {what}"
            yield found(TENANTS_VOLUME, what, message, [pod.owner.because() for pod in tenants.values()])


def _verified(cluster: Cluster) -> bool:
    if next(cluster.of(*_VERIFIERS), None) is not None:
        return True
    for one in cluster.of("ClusterPolicy", "Policy", "ValidatingWebhookConfiguration"):
        text = str(one.value)
        if "verifyImages" in text or "assaymark" in text or "cosign" in text or "connaisseur" in text:
            return True
    return False


CHECKS: Final = (_rbac, _pods, _objects, _namespaces)
