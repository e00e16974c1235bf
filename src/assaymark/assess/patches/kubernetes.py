"""Patches of Kubernetes manifests: what pods may do, who is bound, what is encrypted, whence secrets come.

What a manifest says in braces or by an alias is left alone. None is safe: what ran as root, or was reached in plain
text, may have needed to.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.kubernetes.pods import Pod, pod_specs, reaches_node, within_baseline
from assaymark.assess.kubernetes.written import (
    column,
    in_yaml,
    scalar,
    set_scalar,
    span,
)
from assaymark.assess.patch import Patch, Place
from assaymark.assess.patches.accounts import KEYS, federated
from assaymark.assess.patches.bindings import BINDING_WRITERS
from assaymark.assess.patches.network import default_deny, keys_added
from assaymark.formats.located import Elsewhere, Map, listed, maps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.kubernetes import Object

    Writer: TypeAlias = Callable[[Place], Iterable[Patch]]

_ENFORCE: Final = "pod-security.kubernetes.io/enforce"
_FLAGS: Final = ("hostPID", "hostIPC")
_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?")  # what needs no quotes
_UNPRIVILEGED: Final = 1024  # the first port that everyone may listen on
_ROOT_WORK: Final = re.compile(
    r"\b(?:chown|sysctl|mount|nsenter|modprobe|iptables|ip6tables|ldconfig|apt|apt-get|apk|yum|dnf|chroot|useradd)\b|/root/"
)


def pods_of(estates: Estates) -> dict[str, Pod]:
    """The pods of the cluster by id, found once."""
    found: dict[str, Pod] | None = estates.indexes.get("pods")
    if found is None:
        found = {}
        for pod in pod_specs(estates.kubernetes):
            found.setdefault(pod.id, pod)
        estates.indexes["pods"] = found
    return found


def _in_namespace(estates: Estates) -> dict[str, list[Pod]]:
    """The pods of each namespace."""
    found: dict[str, list[Pod]] | None = estates.indexes.get("pods of namespaces")
    if found is None:
        found = {}
        for pod in pods_of(estates).values():
            found.setdefault(pod.owner.namespace, []).append(pod)
        estates.indexes["pods of namespaces"] = found
    return found


def _pod(place: Place) -> Pod | None:
    """The pod of a finding that names it and a part of it, in YAML."""
    name = place.finding.name
    pods = pods_of(place.estates)
    while name not in pods and "#" in name:
        name = name.rpartition("#")[0]
    pod = pods.get(name)
    return pod if pod is not None and in_yaml(pod.owner) and pod.owner.file.path == place.path else None


def _container(pod: Pod, line: int) -> Map | None:
    """The container that begins on a line."""
    return next((one for one in pod.containers() if one.line == line and not isinstance(one.line, Elsewhere)), None)


def _line(place: Place, change: tuple[int, str] | None, title: str) -> Iterator[Patch]:
    if change is not None and not isinstance(change[0], Elsewhere):
        yield Patch(title, place.path, change[0], 1, (change[1],), safe=False)


def _added(place: Place, where: Map, inserted: list[str], title: str) -> Iterator[Patch]:
    """Keys added to a mapping."""
    patch = keys_added(place.path, place.lines, where, inserted, title)
    if patch is not None:
        yield patch


def _root(place: Place) -> Iterator[Patch]:
    """A container that the node refuses to start as root, and that gains no rights while it runs."""
    pod = _pod(place)
    container = _container(pod, place.line) if pod is not None else None
    if pod is None or container is None or _needs_root(container):
        return
    title = "start only as a user that is not root; what it writes must be its own"
    general, own = pod.spec.get("securityContext"), container.get("securityContext")
    if isinstance(general, Map) and general.get("runAsUser") == 0 and "runAsNonRoot" not in general:
        if isinstance(own, Map) and "runAsUser" in own:
            return
        match = scalar(place.lines, general, "runAsUser")
        at = column(place.lines, general, "runAsUser")
        if match is None or at is None:
            return
        head = place.lines[general.at("runAsUser") - 1][:at]
        yield from _line(place, (general.at("runAsUser"), f"{head}runAsNonRoot: true"), title)
        if not (isinstance(own, Map) and own.get("runAsNonRoot") is False):
            return
    elif isinstance(general, Map) and general.get("runAsUser") == 0:
        return
    if not isinstance(own, Map):
        if own is None and "securityContext" not in container:
            wanted = ["securityContext:", "  runAsNonRoot: true", "  allowPrivilegeEscalation: false"]
            yield from _added(place, container, wanted, title)
        return
    yield from _tightened(place, own, title)


def _needs_root(container: Map) -> bool:
    """Whether a container does what root alone may do: by its capabilities, its ports, or its command."""
    context = container.get("securityContext")
    added = context.get("capabilities") if isinstance(context, Map) else None
    if isinstance(context, Map) and (
        context.get("privileged") is True or (isinstance(added, Map) and added.get("add"))
    ):
        return True
    ports = [port.get("containerPort") for port in listed(container.get("ports")) if isinstance(port, Map)]
    return any(isinstance(one, int) and one < _UNPRIVILEGED for one in ports) or _of_node(container)


def _of_node(container: Map) -> bool:
    """Whether a container's command changes its node, or the owners of files."""
    return bool(_ROOT_WORK.search(f"{container.get('command')} {container.get('args')}"))


def _tightened(place: Place, own: Map, title: str) -> Iterator[Patch]:
    """A container's own context that keeps root out."""
    at = column(place.lines, own, "runAsUser") if own.get("runAsUser") == 0 else None
    if own.get("runAsUser") == 0:
        if at is None or scalar(place.lines, own, "runAsUser") is None or own.get("runAsNonRoot") is True:
            return
        head = place.lines[own.at("runAsUser") - 1][:at]
        if "runAsNonRoot" in own:
            return
        yield from _line(place, (own.at("runAsUser"), f"{head}runAsNonRoot: true"), title)
    elif "runAsNonRoot" in own:
        yield from _line(place, set_scalar(place.lines, own, "runAsNonRoot", "true"), title)
    else:
        escalates = own.get("privileged") is True or "capabilities" in own or "allowPrivilegeEscalation" in own
        more = [] if escalates else ["allowPrivilegeEscalation: false"]
        yield from _added(place, own, ["runAsNonRoot: true", *more], title)


def _node(place: Place) -> Iterator[Patch]:
    """Flags that open the node, turned off, where nothing else opens it."""
    pod = _pod(place)
    if pod is None:
        return
    changes = [(pod.spec, key) for key in _FLAGS if pod.spec.get(key) is True]
    for container in pod.containers():
        context = container.get("securityContext")
        if isinstance(context, Map) and context.get("privileged") is True:
            if _of_node(container):
                return
            changes.append((context, "privileged"))
    lines = [set_scalar(place.lines, where, key, "false") for where, key in changes]
    if not lines or None in lines or reaches_node(_without(pod)) is not None:
        return
    for line in lines:
        yield from _line(place, line, "stay off the node")


def _without(pod: Pod) -> Pod:
    """The pod with these flags off."""
    spec = Map(pod.spec.line)
    for key, value in pod.spec.items():
        if key in _FLAGS:
            continue
        if key in ("containers", "initContainers", "ephemeralContainers"):
            items = [one for one in value or () if isinstance(one, Map)]
            value = [_unprivileged(one) for one in items]  # noqa: PLW2901 - the other values stay
        spec.put(key, value, 0)
    return replace(pod, spec=spec)


def _unprivileged(container: Map) -> Map:
    found = Map(container.line)
    for key, value in container.items():
        found.put(key, value, 0)
    context = container.get("securityContext")
    if isinstance(context, Map):
        inner = Map(context.line)
        for key, value in context.items():
            if key != "privileged":
                inner.put(key, value, 0)
        found.put("securityContext", inner, 0)
    return found


def _host_path(place: Place) -> Iterator[Patch]:
    """A folder of the pod's own in place of one of the node that it fills itself: it made it where it was not."""
    pod = _pod(place)
    path = place.finding.name.rpartition("#")[2]
    for volume in pod.volumes() if pod is not None else ():
        host = volume.get("hostPath")
        if not isinstance(host, Map) or host.get("path") != path or host.get("type") != "DirectoryOrCreate":
            continue
        lines, at = span(place.lines, volume, "hostPath"), column(place.lines, volume, "hostPath")
        if lines is not None and at is not None:
            head = place.lines[lines[0] - 1][:at]
            title = "keep it in the pod; it is loaded anew when the pod is"
            yield Patch(title, place.path, lines[0], lines[1] - lines[0] + 1, (f"{head}emptyDir: {{}}",), safe=False)


def _ingress(place: Place) -> Iterator[Patch]:
    """TLS for a route of OpenShift, whose router has a certificate, and for an ingress where an issuer is there."""
    one = place.estates.kubernetes.objects.get(place.finding.name)
    spec = one.value.get("spec") if one is not None else None
    if one is None or not isinstance(spec, Map) or not in_yaml(one) or one.file.path != place.path:
        return
    if one.kind == "Route" and "tls" not in spec:
        wanted = ["tls:", "  termination: edge", "  insecureEdgeTerminationPolicy: Redirect"]
        yield from _added(place, spec, wanted, "answer over TLS, with the router's certificate")
    if one.kind != "Ingress" or "tls" in spec:
        return
    rules = spec.get("rules")
    hosts = [rule.get("host") for rule in rules or () if isinstance(rule, Map)] if isinstance(rules, list) else []
    known: list[Object] | None = place.estates.indexes.get("issuers")
    if known is None:
        known = place.estates.indexes["issuers"] = list(place.estates.kubernetes.of("ClusterIssuer", "Issuer"))
    issuers = [issuer for issuer in known if issuer.kind == "ClusterIssuer" or issuer.namespace == one.namespace]
    if not hosts or not all(isinstance(host, str) and re.fullmatch(r"[\w.-]+", host) for host in hosts):
        return
    if len(issuers) != 1 or not isinstance(one.metadata, Map) or not _NAME.fullmatch(issuers[0].name):
        return
    note = "cert-manager.io/" + ("cluster-issuer" if issuers[0].kind == "ClusterIssuer" else "issuer")
    tls = ["tls:"]
    for host in dict.fromkeys(hosts):
        tls += [f"- hosts: [{host}]", f"  secretName: {str(host).replace('.', '-')}-tls"]
    title = f"answer over TLS, with a certificate of the issuer {issuers[0].name}"
    notes = one.metadata.get("annotations")
    annotated = list(
        _added(place, notes, [f"{note}: {issuers[0].name}"], title)
        if isinstance(notes, Map)
        else _added(place, one.metadata, ["annotations:", f"  {note}: {issuers[0].name}"], title)
        if "annotations" not in one.metadata
        else ()
    )
    encrypted = list(_added(place, spec, tls, title))
    if annotated and encrypted:
        yield from (*annotated, *encrypted)


def _secret(place: Place) -> Iterator[Patch]:
    """A variable that is taken from a secret in place of its value."""
    pod = _pod(place)
    name = place.finding.name.rpartition("#")[2]
    if name in KEYS and (found := federated(place)):
        yield from found
        return
    for container in pod.containers() if pod is not None else ():
        for item in listed(container.get("env")):
            if pod is None or not isinstance(item, Map) or item.get("name") != name or item.line != place.line:
                continue
            at = column(place.lines, item, "value")
            if at is None or scalar(place.lines, item, "value") is None or not re.fullmatch(r"[\w.-]+", name):
                return
            secret = re.sub(r"[^a-z0-9-]", "-", pod.owner.name.lower()).strip("-") or "secrets"
            head = place.lines[item.at("value") - 1][:at]
            blank = " " * at
            inserted = (
                f"{head}valueFrom:",
                f"{blank}  secretKeyRef:",
                f"{blank}    name: {secret}-secrets",
                f"{blank}    key: {name}",
            )
            title = f"take {name} from the secret {secret}-secrets, which must be there before; change the value too"
            yield Patch(title, place.path, item.at("value"), 1, inserted, safe=False)


def _mesh(place: Place) -> Iterator[Patch]:
    """A mode that lets plain text in, where it is written; a policy for a namespace of the mesh that has none."""
    if place.finding.name.startswith("k8s:mesh/"):
        namespace = place.finding.name.partition("/")[2]
        if place.path.lower().endswith((".yaml", ".yml")) and _NAME.fullmatch(namespace):
            inserted = (
                "---",
                "apiVersion: security.istio.io/v1",
                "kind: PeerAuthentication",
                "metadata:",
                "  name: default",
                f"  namespace: {namespace}",
                "spec:",
                "  mtls:",
                "    mode: STRICT",
            )
            title = f"let mutual TLS alone into {namespace}"
            yield Patch(title, place.path, len(place.lines) + 1, 0, inserted, safe=False, beside=True)
        return
    name, _, port = place.finding.name.partition("#")
    one = place.estates.kubernetes.objects.get(name)
    if one is None or not in_yaml(one) or one.file.path != place.path:
        return
    title = "let mutual TLS in only"
    spec = one.value.get("spec")
    if one.kind == "DestinationRule":
        for tls in maps_of(spec, "tls"):
            if tls.get("mode") == "DISABLE" and tls.at("mode") == place.line:
                yield from _mode(place, tls, "ISTIO_MUTUAL", title)
        return
    # A webhook is called by the API server, which is in no mesh and has TLS of its own.
    if not isinstance(spec, Map) or port.endswith("443") or (port and not isinstance(spec.get("mtls"), Map)):
        return
    ports = spec.get("portLevelMtls")
    where = {str(key): value for key, value in ports.items()} if isinstance(ports, Map) else {}
    mutual = where.get(port) if port else spec.get("mtls")
    if isinstance(mutual, Map) and "mode" in mutual:
        yield from _mode(place, mutual, "STRICT", title)
    elif not port and "mtls" not in spec:
        yield from _added(place, spec, ["mtls:", "  mode: STRICT"], title)


def _mode(place: Place, where: Map, instead: str, title: str) -> Iterator[Patch]:
    """Another mode on its line, in braces too: the words are no other's."""
    line = where.at("mode")
    text = place.lines[line - 1] if 0 < line <= len(place.lines) else ""
    words = re.findall(r"\b(?:PERMISSIVE|DISABLE|UNSET)\b", text)
    if len(words) == 1 and where.get("mode") == words[0]:
        yield from _line(place, (line, text.replace(words[0], instead)), title)


def _pod_security(place: Place) -> Iterator[Patch]:
    """The label that has the namespace refuse privileged pods."""
    name = place.finding.name.removeprefix("k8s:")
    found = place.estates.kubernetes.objects.get(f"k8s:-/namespace/{name}")
    metadata = found.value.get("metadata") if found is not None and found.file.path == place.path else None
    if found is None or not isinstance(metadata, Map) or not in_yaml(found):
        return
    inside = _in_namespace(place.estates).get(name, [])
    said = found.labels().get(_ENFORCE)
    if not all(within_baseline(pod) for pod in inside) or (said == "privileged" and not inside):
        return
    title = f"have the namespace {name} refuse privileged pods"
    labels = metadata.get("labels")
    if isinstance(labels, Map) and _ENFORCE in labels:
        yield from _line(place, set_scalar(place.lines, labels, _ENFORCE, "baseline"), title)
    elif isinstance(labels, Map):
        yield from _added(place, labels, [f"{_ENFORCE}: baseline"], title)
    elif "labels" not in metadata:
        yield from _added(place, metadata, ["labels:", f"  {_ENFORCE}: baseline"], title)


KUBERNETES_WRITERS: Final[dict[str, Writer]] = {
    **BINDING_WRITERS,
    "k8s-container-root": _root,
    "k8s-host-path-cache": _host_path,
    "k8s-ingress-plaintext": _ingress,
    "k8s-mesh-permissive": _mesh,
    "k8s-network-policy-missing": default_deny,
    "k8s-node-access": _node,
    "k8s-pod-security-missing": _pod_security,
    "k8s-secret-in-manifest": _secret,
    "secret-aws-key": federated,
}
