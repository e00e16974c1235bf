"""The linker of Kubernetes: workloads, accounts, secrets and nodes, and what leads from whom to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.boundaries import environment_of, tenant_of
from assaymark.assess.kinds import INTERNET
from assaymark.assess.kubernetes.network import Network
from assaymark.assess.kubernetes.pods import Pod, pod_specs, reaches_node
from assaymark.assess.kubernetes.rbac import RBAC, Rule, Subject, bound, unresolved_roles
from assaymark.core.graph import Edge, State
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.files import Reading
    from assaymark.assess.graph import Builder
    from assaymark.core.graph import Because

ADMINISTRATOR: Final = "k8s:administrator"
NODES: Final = "k8s:nodes"
PODS: Final = "k8s:pod-network"
_BOUNDARY: Final = {"cloud": "kubernetes"}
_STARTS: Final = (
    ("", "pods"),
    ("", "replicationcontrollers"),
    ("apps", "deployments"),
    ("apps", "daemonsets"),
    ("apps", "statefulsets"),
    ("apps", "replicasets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("argoproj.io", "workflows"),
    ("kubeflow.org", "pytorchjobs"),
    ("kubeflow.org", "tfjobs"),
    ("kubeflow.org", "notebooks"),
    ("ray.io", "rayclusters"),
    ("ray.io", "rayjobs"),
    ("serving.kserve.io", "inferenceservices"),
    ("serving.knative.dev", "services"),
    ("sparkoperator.k8s.io", "sparkapplications"),
)
_ENTERS: Final = (
    ("create", "pods/exec"),
    ("get", "pods/exec"),
    ("create", "pods/attach"),
    ("patch", "pods/ephemeralcontainers"),
)
_OF_KIND: Final = {
    "Pod": ("", "pods"),
    "Deployment": ("apps", "deployments"),
    "DaemonSet": ("apps", "daemonsets"),
    "StatefulSet": ("apps", "statefulsets"),
    "ReplicaSet": ("apps", "replicasets"),
    "Job": ("batch", "jobs"),
    "CronJob": ("batch", "cronjobs"),
}
_EVERYONE: Final = frozenset(("system:anonymous", "system:unauthenticated"))
_GUARDED: Final = ("baseline", "restricted")


def link(estates: Estates, builder: Builder, reading: Reading, now: datetime) -> None:
    """Draws the cluster. ``now`` is not needed: RBAC knows no time."""
    del now
    if estates.kubernetes.objects:
        _Linking(estates, builder, reading).draw()


class _Linking:
    def __init__(self, estates: Estates, builder: Builder, reading: Reading) -> None:
        self.cluster = estates.kubernetes
        self.builder = builder
        self.reading = reading
        self.pods = pod_specs(self.cluster)
        self.network = Network(self.cluster, self.pods)
        self.first = next(iter(self.cluster.objects.values())).because()
        self.accounts: set[tuple[str, str]] = set()
        self.rules = bound(self.cluster)

    def draw(self) -> None:
        """Nodes, then edges."""
        node = self.builder.node
        node(
            ADMINISTRATOR,
            "administrator",
            "administrator of the cluster",
            (self.first,),
            boundary=_BOUNDARY,
            target="administrator",
        )
        for one in self.cluster.of("ServiceAccount"):
            self.account(one.namespace, one.name, one.because())
        for pod in self.pods:
            self._workload(pod)
        for one in self.cluster.of("Secret"):
            self._secret(one.namespace, one.name, one.because())
        for one in self.cluster.of("PersistentVolumeClaim"):
            self._claim(one.namespace, one.name, one.because())
        for pod in self.pods:
            self._pod(pod)
        for subject, rules in sorted(self.rules.items(), key=lambda item: item[0].id):
            self._subject(subject, rules)
        for binding, role in unresolved_roles(self.cluster):
            self.reading.skip(
                binding.file.path, f"{binding.kind} {binding.name}: {role} is not in the input", binding.value.line
            )
        self._tokens()
        self._network()

    # nodes

    def boundary(self, namespace: str, name: str, labels: dict[str, str]) -> dict[str, str]:
        """In what a thing of a namespace lies."""
        around = self.network.namespace_labels(namespace)
        found = {
            **_BOUNDARY,
            "namespace": namespace,
            "environment": environment_of(name, labels) or environment_of(namespace, around),
            "tenant": tenant_of(name, labels) or tenant_of(namespace, around),
        }
        return {key: value for key, value in found.items() if value}

    def account(self, namespace: str, name: str, because: Because) -> str:
        """The node of a service account."""
        self.accounts.add((namespace, name))
        found = self.cluster.objects.get(f"k8s:{namespace}/serviceaccount/{name}")
        place = found.because() if found else because
        return self.builder.node(
            f"k8s:{namespace}/serviceaccount/{name}",
            "service-account",
            f"{namespace}/{name}",
            (place,),
            boundary=self.boundary(namespace, name, found.labels() if found else {}),
            entry="principal",
        )

    def _secret(self, namespace: str, name: str, because: Because) -> str:
        found = self.cluster.objects.get(f"k8s:{namespace}/secret/{name}")
        boundary = self.boundary(namespace, name, found.labels() if found else {})
        target = "tenant-data" if "tenant" in boundary else "secret"
        place = found.because() if found else because
        return self.builder.node(
            f"k8s:{namespace}/secret/{name}",
            "secret",
            f"{namespace}/{name}",
            (place,),
            boundary=boundary,
            target=target,
        )

    def _claim(self, namespace: str, name: str, because: Because) -> str:
        boundary = self.boundary(namespace, name, {})
        target = "tenant-data" if "tenant" in boundary else "data"
        return self.builder.node(
            f"k8s:{namespace}/persistentvolumeclaim/{name}",
            "volume",
            f"{namespace}/{name}",
            (because,),
            boundary=boundary,
            target=target,
        )

    def _workload(self, pod: Pod) -> str:
        owner = pod.owner
        boundary = self.boundary(owner.namespace, owner.name, {**owner.labels(), **pod.labels})
        entry = "tenant" if "tenant" in boundary else "workload"
        name = f"{owner.namespace}/{owner.name}" + (f" ({pod.where})" if pod.where else "")
        return self.builder.node(
            pod.id, "workload", name, (owner.because(),), boundary=boundary, entry=entry, object=owner.kind
        )

    def _edge(
        self, source: str, target: str, relation: str, how: str, because: tuple[Because, ...], effort: int = 1
    ) -> None:
        self.builder.edge(Edge(source, target, relation, how, because, effort=effort))

    # what a pod has

    def _pod(self, pod: Pod) -> None:
        namespace = pod.owner.namespace
        account = self.account(namespace, pod.account, pod.because())
        if self._has_token(pod):
            self._edge(
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
                self._edge(pod.id, self._secret(namespace, name, because), "mounts", how, (because,), 0)
            else:
                volume = self._claim(namespace, name, because)
                self._edge(pod.id, volume, "reads", "its pods mount the volume", (because,), 0)
                self._edge(pod.id, volume, "writes", "its pods mount the volume", (because,), 0)
        reached = reaches_node(pod)
        if reached is not None:
            how, because = reached
            self._edge(pod.id, self._nodes(), "takes-over", f"its pods reach the node they run on: {how}", (because,))

    def _nodes(self) -> str:
        if not self.builder.has(NODES):
            self.builder.node(NODES, "node", "the nodes of the cluster", (self.first,), boundary=_BOUNDARY)
            how = "who controls nodes reads the tokens of all pods that are put on them"
            self._edge(NODES, ADMINISTRATOR, "takes-over", how, (self.first,), 2)
            for pod in self.pods:
                self._edge(NODES, pod.id, "takes-over", "its pods may run on the node", (pod.because(),), 2)
        return NODES

    def _has_token(self, pod: Pod) -> bool:
        mounts = pod.spec.get("automountServiceAccountToken")
        if isinstance(mounts, bool):
            return mounts
        found = self.cluster.objects.get(f"k8s:{pod.owner.namespace}/serviceaccount/{pod.account}")
        return not (found is not None and found.value.get("automountServiceAccountToken") is False)

    # what RBAC lets a subject do

    def _subject(self, subject: Subject, rules: list[Rule]) -> None:
        if subject.kind == "ServiceAccount":
            node = self.account(subject.namespace, subject.name, rules[0].because[0] if rules else self.first)
        elif subject.name in _EVERYONE:
            because = rules[0].because if rules else (self.first,)
            node = self.builder.node(
                subject.id, "outside", f"anyone who reaches the API server ({subject.name})", because, entry="outside"
            )
        elif subject.name.startswith("system:serviceaccounts"):
            self._all_accounts(subject, rules)
            return
        else:
            entry: dict[str, Any] = {} if subject.name.startswith("system:") else {"entry": "principal"}
            because = rules[0].because if rules else (self.first,)
            node = self.builder.node(
                subject.id, subject.kind.lower(), subject.name, because, boundary=_BOUNDARY, **entry
            )
        self._may(node, rules)

    def _all_accounts(self, subject: Subject, rules: list[Rule]) -> None:
        _, _, namespace = subject.name.partition("system:serviceaccounts:")
        for where, name in sorted(self.accounts):
            if not namespace or where == namespace:
                self._may(f"k8s:{where}/serviceaccount/{name}", rules)

    def _may(self, node: str, rules: list[Rule]) -> None:
        for rule in rules:
            self._becomes_administrator(node, rule)
            self._reads_secrets(node, rule)
            self._starts_pods(node, rule)
            self._enters_pods(node, rule)
            self._impersonates(node, rule)

    def _becomes_administrator(self, node: str, rule: Rule) -> None:
        for relation, how in _administrative(rule):
            self._edge(node, ADMINISTRATOR, relation, how, rule.because)
        if rule.namespace:
            escalates = any(
                rule.allows(verb, RBAC, what)
                for verb, what in (("escalate", "roles"), ("bind", "roles"), ("bind", "clusterroles"))
            )
            if escalates and (rule.allows("create", RBAC, "rolebindings") or rule.allows("escalate", RBAC, "roles")):
                how = f"it may give itself any role in the namespace {rule.namespace} (bind or escalate)"
                for where, name in sorted(self.accounts):
                    if where == rule.namespace:
                        self._edge(node, f"k8s:{where}/serviceaccount/{name}", "escalates", how, rule.because)

    def _reads_secrets(self, node: str, rule: Rule) -> None:
        verbs = [verb for verb in ("get", "list", "watch") if rule.allows(verb, "", "secrets")]
        if not verbs:
            return
        for secret in self.cluster.of("Secret"):
            if rule.namespace in ("", secret.namespace) and (not rule.names or secret.name in rule.names):
                self._edge(node, secret.id, "reads", f"RBAC lets it {verbs[0]} secrets", rule.because)
        if (
            not rule.namespace
            and not rule.names
            and any(rule.allows(verb, "", "secrets") for verb in ("list", "get"))
        ) and ("list" in verbs or "get" in verbs):
            how = "it may read all secrets, the tokens of stronger accounts among them"
            decides = ("a token or certificate of an administrator is stored as a secret",)
            self.builder.edge(Edge(node, ADMINISTRATOR, "escalates", how, rule.because, State.UNKNOWN, decides, 2))

    def _starts_pods(self, node: str, rule: Rule) -> None:
        started = [what for group, what in _STARTS if rule.allows("create", group, what)]
        if started and not rule.names:
            how = f"it may create {started[0]} that run as the account"
            for where, name in sorted(self.accounts):
                if rule.namespace in ("", where):
                    self._edge(node, f"k8s:{where}/serviceaccount/{name}", "passes-role", how, rule.because)
            for secret in self.cluster.of("Secret"):
                if rule.namespace in ("", secret.namespace):
                    self._edge(
                        node, secret.id, "reads", f"it may create {started[0]} that mount the secret", rule.because
                    )
            if not self._guarded(rule.namespace):
                how = f"it may create privileged {started[0]}, since no Pod Security level forbids that"
                self._edge(node, self._nodes(), "takes-over", how, rule.because)
        for pod in self.pods:
            kind = _OF_KIND.get(pod.owner.kind)
            if kind and self._means(rule, pod.owner):
                verbs = [verb for verb in ("patch", "update") if rule.allows(verb, *kind)]
                if verbs:
                    self._edge(node, pod.id, "changes", f"RBAC lets it {verbs[0]} {kind[1]}", rule.because)

    def _guarded(self, namespace: str) -> bool:
        labels = self.network.namespace_labels(namespace)
        return bool(namespace) and labels.get("pod-security.kubernetes.io/enforce") in _GUARDED

    def _means(self, rule: Rule, owner: Object) -> bool:
        return rule.namespace in ("", owner.namespace) and (not rule.names or owner.name in rule.names)

    def _enters_pods(self, node: str, rule: Rule) -> None:
        ways = [what for verb, what in _ENTERS if rule.allows(verb, "", what)]
        if ways:
            for pod in self.pods:
                if rule.namespace in ("", pod.owner.namespace) and not rule.names:
                    self._edge(
                        node, pod.id, "takes-over", f"RBAC lets it run commands in pods ({ways[0]})", rule.because
                    )

    def _impersonates(self, node: str, rule: Rule) -> None:
        tokens = rule.allows("create", "", "serviceaccounts/token")
        if tokens or rule.allows("impersonate", "", "serviceaccounts"):
            how = "it may have tokens of the account made" if tokens else "it may act as the account (impersonate)"
            for where, name in sorted(self.accounts):
                if rule.namespace in ("", where) and (not rule.names or name in rule.names):
                    self._edge(node, f"k8s:{where}/serviceaccount/{name}", "impersonates", how, rule.because)
        for what, kind in (("users", "User"), ("groups", "Group")):
            if not rule.namespace and rule.allows("impersonate", "", what):
                if not rule.names or "system:masters" in rule.names:
                    how = f"it may act as any of the {what} (impersonate), system:masters among the groups"
                    self._edge(node, ADMINISTRATOR, "impersonates", how, rule.because)
                for subject in self.rules:
                    if subject.kind == kind and subject.name in rule.names:
                        self._edge(node, subject.id, "impersonates", f"it may act as {subject.name}", rule.because)

    def _tokens(self) -> None:
        """A secret may hold an account's token."""
        for secret in self.cluster.of("Secret"):
            if secret.value.get("type") == "kubernetes.io/service-account-token":
                name = secret.labels("annotations").get("kubernetes.io/service-account.name", "")
                if name:
                    account = self.account(secret.namespace, name, secret.because())
                    self._edge(
                        secret.id,
                        account,
                        "holds-credential",
                        "the secret is the account's token",
                        (secret.because(),),
                    )

    # network

    def _network(self) -> None:
        exposed = list(self.network.exposed())
        if exposed:
            self.builder.node(INTERNET, "internet", "internet", entry="internet")
        for one in exposed:
            state = State.UNKNOWN if one.decides else State.YES
            edge = Edge(INTERNET, self.port(one.pod), "reaches", one.how, one.because, state, one.decides)
            self.builder.edge(edge)
        if not self.pods:
            return
        self.builder.node(PODS, "network", "the network of pods", (self.first,), boundary=_BOUNDARY)
        into = {pod.id: self.network.policies(pod, "Ingress") for pod in self.pods}
        out = {pod.id: self.network.policies(pod, "Egress") for pod in self.pods}
        for pod in self.pods:
            if not out[pod.id]:
                how = "no network policy limits what its pods reach"
                self._edge(pod.id, PODS, "reaches", how, (pod.because(),), 0)
            if not into[pod.id]:
                how = "no network policy limits who reaches its pods"
                others = self.network.other_policies(pod.owner.namespace)
                decides = tuple(f"{one.kind} {one.name} lets it through" for one in others[:3])
                state = State.UNKNOWN if decides else State.YES
                edge = Edge(PODS, self.port(pod), "exposes", how, (pod.because(),), state, decides, effort=0)
                self.builder.edge(edge)
        for pod in self.pods:
            for other in self.pods:
                if other is pod or (not out[pod.id] and not into[other.id]):
                    continue
                if self._passes(out[pod.id], into[other.id], pod, other):
                    because = tuple(policy.because() for policy in (*out[pod.id], *into[other.id]))
                    self._edge(pod.id, self.port(other), "reaches", "network policies let it through", because, 0)

    def _passes(self, out: list[Object], into: list[Object], pod: Pod, other: Pod) -> bool:
        return (not out or self.network.lets_out(out, other)) and (not into or self.network.lets_in(into, pod))

    def port(self, pod: Pod) -> str:
        """The node of what a workload's pods listen with."""
        return self.builder.node(
            f"{pod.id}#port",
            "port",
            f"the ports of {pod.owner.namespace}/{pod.owner.name}",
            (pod.because(),),
            boundary=self.boundary(pod.owner.namespace, pod.owner.name, pod.labels),
        )


def _administrative(rule: Rule) -> Iterator[tuple[str, str]]:
    """The ways in which a rule of the whole cluster makes who has it its administrator."""
    if rule.namespace:
        if rule.namespace == "kube-system" and rule.allows("create", "", "pods"):
            yield "escalates", "it may start pods in kube-system, as the controllers' accounts"
        return
    if rule.names:
        return
    if {"*"} <= set(rule.verbs) and "*" in rule.resources and "*" in rule.groups:
        yield "administers", "RBAC lets it do everything"
        return
    if rule.allows("bind", RBAC, "clusterroles") and rule.allows("create", RBAC, "clusterrolebindings"):
        yield "escalates", "it may bind itself to cluster-admin (bind, create clusterrolebindings)"
    if rule.allows("escalate", RBAC, "clusterroles"):
        yield "escalates", "it may widen its own cluster role (escalate)"
    if rule.allows("create", "", "nodes/proxy") or rule.allows("get", "", "nodes/proxy"):
        yield "escalates", "it may talk to the kubelet of every node, which runs commands in pods (nodes/proxy)"
    if rule.allows("create", "certificates.k8s.io", "certificatesigningrequests") and rule.allows(
        "approve", "certificates.k8s.io", "signers"
    ):
        yield (
            "escalates",
            "it may sign itself a certificate of an administrator (certificatesigningrequests, approve)",
        )
    for verb in ("create", "patch", "update"):
        if rule.allows(verb, "admissionregistration.k8s.io", "mutatingwebhookconfigurations"):
            yield "escalates", "it may have every object changed on its way in (mutatingwebhookconfigurations)"
            break


def _mounted(pod: Pod) -> Iterator[tuple[str, str, Because]]:
    """The secrets and claims that a pod has: kind, name, where."""
    for container in pod.containers():
        for item in container.get("env") or ():
            source = item.get("valueFrom") if isinstance(item, Map) else None
            reference = source.get("secretKeyRef") if isinstance(source, Map) else None
            if isinstance(reference, Map) and isinstance(reference.get("name"), str):
                yield "secret", reference["name"], pod.because(reference)
        for item in container.get("envFrom") or ():
            reference = item.get("secretRef") if isinstance(item, Map) else None
            if isinstance(reference, Map) and isinstance(reference.get("name"), str):
                yield "secret", reference["name"], pod.because(reference)
        location = container.get("storageUri")
        if isinstance(location, str) and location.startswith("pvc://"):
            yield "claim", location[6:].partition("/")[0], pod.because(container, "storageUri")
    for volume in pod.spec.get("volumes") or ():
        if isinstance(volume, Map):
            yield from _volume(pod, volume)


def _volume(pod: Pod, volume: Map) -> Iterator[tuple[str, str, Because]]:
    secret, claim, projected = volume.get("secret"), volume.get("persistentVolumeClaim"), volume.get("projected")
    if isinstance(secret, Map) and isinstance(secret.get("secretName"), str):
        yield "secret", secret["secretName"], pod.because(secret)
    if isinstance(claim, Map) and isinstance(claim.get("claimName"), str):
        yield "claim", claim["claimName"], pod.because(claim)
    for source in projected.get("sources") or () if isinstance(projected, Map) else ():
        inner = source.get("secret") if isinstance(source, Map) else None
        if isinstance(inner, Map) and isinstance(inner.get("name"), str):
            yield "secret", inner["name"], pod.because(inner)
