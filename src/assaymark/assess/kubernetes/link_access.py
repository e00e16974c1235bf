"""Edges from RBAC: what subjects may do that makes them others, or gives them secrets, pods and nodes.

Source: Kubernetes documentation, "Role Based Access Control Good Practices", privilege escalation risks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.kubernetes.default_roles import RBAC
from assaymark.assess.kubernetes.drawing import ADMINISTRATOR, BOUNDARY
from assaymark.assess.kubernetes.rbac import unresolved_roles
from assaymark.core.graph import Edge, State
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.kubernetes import Object
    from assaymark.assess.kubernetes.drawing import Drawing
    from assaymark.assess.kubernetes.rbac import Rule, Subject
    from assaymark.core.graph import Because

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
    ("argoproj.io", "cronworkflows"),
    ("jobset.x-k8s.io", "jobsets"),
    ("leaderworkerset.x-k8s.io", "leaderworkersets"),
    ("kubeflow.org", "pytorchjobs"),
    ("kubeflow.org", "tfjobs"),
    ("kubeflow.org", "mpijobs"),
    ("kubeflow.org", "xgboostjobs"),
    ("kubeflow.org", "paddlejobs"),
    ("kubeflow.org", "jaxjobs"),
    ("trainer.kubeflow.org", "trainjobs"),
    ("tekton.dev", "taskruns"),
    ("tekton.dev", "pipelineruns"),
    ("kubeflow.org", "notebooks"),
    ("ray.io", "rayclusters"),
    ("ray.io", "rayjobs"),
    ("ray.io", "rayservices"),
    ("serving.kserve.io", "inferenceservices"),
    ("serving.kserve.io", "llminferenceservices"),
    ("serving.knative.dev", "services"),
    ("sparkoperator.k8s.io", "sparkapplications"),
    ("sparkoperator.k8s.io", "scheduledsparkapplications"),
)
_ENTERS: Final = (
    ("create", "pods/exec"),
    ("get", "pods/exec"),
    ("create", "pods/attach"),
    ("patch", "pods/ephemeralcontainers"),
)
_FIXED: Final = (("", "pods"), ("batch", "jobs"))  # whose pod's account and volumes cannot be changed
_EVERYONE: Final = frozenset(("system:anonymous", "system:unauthenticated"))
_AUTHENTICATED: Final = "system:authenticated"
_GUARDED: Final = ("baseline", "restricted")


def draw_access(run: Drawing) -> None:
    """Draws what each subject may do; what binds a role that nobody declares is skipped and said."""
    for subject, rules in sorted(run.rules.items(), key=lambda item: item[0].id):
        _subject(run, subject, rules)
    for binding, role in unresolved_roles(run.cluster):
        text = f"{binding.kind} {binding.name}: {role} is not in the input"
        run.reading.skip(binding.file.path, text, binding.value.line)
    _tokens(run)


def _subject(run: Drawing, subject: Subject, rules: list[Rule]) -> None:
    if subject.kind == "ServiceAccount":
        node = run.account(subject.namespace, subject.name, rules[0].because[0] if rules else run.first)
    elif subject.name in _EVERYONE:
        because = rules[0].because if rules else (run.first,)
        node = run.builder.node(
            subject.id, "outside", f"anyone who reaches the API server ({subject.name})", because, entry="outside"
        )
    elif subject.name.startswith("system:serviceaccounts"):
        _all_accounts(run, subject, rules)
        return
    else:
        entry: dict[str, Any] = {} if subject.name.startswith("system:") else {"entry": "principal"}
        because = rules[0].because if rules else (run.first,)
        node = run.builder.node(subject.id, subject.kind.lower(), subject.name, because, boundary=BOUNDARY, **entry)
    _may(run, node, rules)
    if subject.name == _AUTHENTICATED or subject.name in _EVERYONE:
        _all_accounts(run, subject, rules)


def _all_accounts(run: Drawing, subject: Subject, rules: list[Rule]) -> None:
    """Whose group all accounts are in, or those of a namespace, or who asks without a token, as they may too."""
    _, _, namespace = subject.name.partition("system:serviceaccounts:")
    for where, name in sorted(run.accounts):
        if not namespace or where == namespace:
            _may(run, f"k8s:{where}/serviceaccount/{name}", rules)


def _may(run: Drawing, node: str, rules: list[Rule]) -> None:
    _by_several(run, node, rules)
    for rule in rules:
        _becomes_administrator(run, node, rule)
        _reads_secrets(run, node, rule)
        _starts_pods(run, node, rule)
        _enters_pods(run, node, rule)
        _impersonates(run, node, rule)


def _becomes_administrator(run: Drawing, node: str, rule: Rule) -> None:
    for relation, how in _administrative(rule):
        run.edge(node, ADMINISTRATOR, relation, how, rule.because)


def _by_several(run: Drawing, node: str, rules: list[Rule]) -> None:
    """What two permissions give together, which may stand in two rules or roles."""
    for relation, how, parts in (*_binds(run, rules), *_signs(rules), *_widens(rules)):
        run.edge(node, ADMINISTRATOR, relation, how, _places(parts))
    _joins_groups(run, node, rules)
    for how, decides, part in _has_deployed(run, rules):
        state = State.UNKNOWN
        run.builder.edge(Edge(node, ADMINISTRATOR, "escalates", how, part.because, state, (decides,), 2))
    for namespace in sorted({rule.namespace for rule in rules} - {""}):
        here = [rule for rule in rules if rule.namespace in ("", namespace)]
        binds = [one for one in here for what in ("roles", "clusterroles") if one.allows("bind", RBAC, what)]
        creates = [one for one in here for verb in _BINDS if one.allows(verb, RBAC, "rolebindings")]
        parts = _escalating(here, "roles") or ([binds[0], creates[0]] if binds and creates else [])
        how = f"it may give itself any role in the namespace {namespace} (bind or escalate)"
        because = _places(parts)
        for where, name in sorted(run.accounts) if parts else ():
            if where == namespace:
                run.edge(node, f"k8s:{where}/serviceaccount/{name}", "escalates", how, because)


_BINDS: Final = ("create", "update", "patch")
_APPROVAL: Final = "certificatesigningrequests/approval"
_DEPLOYED: Final = (
    ("kustomize.toolkit.fluxcd.io", "kustomizations", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "helmreleases", "HelmRelease"),
    ("argoproj.io", "applications", "Application"),
    ("argoproj.io", "applicationsets", "ApplicationSet"),
)
_SIGNER: Final = "kubernetes.io/kube-apiserver-client"  # whose certificates the API server takes from anyone


def _binds(run: Drawing, rules: list[Rule]) -> Iterator[tuple[str, str, list[Rule]]]:
    """Roles that it may bind and that make an administrator, and bindings that it may write in the whole cluster."""
    wide = {"cluster-admin"} | {
        one.name
        for one in run.cluster.of("ClusterRole")
        if any(_everything(item) for item in listed(one.value.get("rules")))
    }
    cluster = [rule for rule in rules if not rule.namespace]
    binds = [
        one for one in cluster if one.allows("bind", RBAC, "clusterroles") and (not one.names or wide & {*one.names})
    ]
    creates = [one for one in cluster for verb in _BINDS if one.allows(verb, RBAC, "clusterrolebindings")]
    if binds and creates:
        how = "it may bind itself to cluster-admin (bind, create clusterrolebindings)"
        yield "escalates", how, [binds[0], creates[0]]


def _places(rules: list[Rule]) -> tuple[Because, ...]:
    return tuple(dict.fromkeys(place for rule in rules for place in rule.because))


def _escalating(rules: list[Rule], resource: str) -> list[Rule]:
    """The rules by which a role may be widened: what lets it be written, and by more than one has."""
    wide = [one for one in rules if one.allows("escalate", RBAC, resource)]
    writes = [one for one in rules for verb in ("update", "patch") if one.allows(verb, RBAC, resource)]
    return list(dict.fromkeys((wide[0], writes[0]))) if wide and writes else []


def _widens(rules: list[Rule]) -> Iterator[tuple[str, str, list[Rule]]]:
    parts = _escalating([rule for rule in rules if not rule.namespace and not rule.names], "clusterroles")
    if parts:
        yield "escalates", "it may widen its own cluster role (escalate)", parts


def _joins_groups(run: Drawing, node: str, rules: list[Rule]) -> None:
    """Groups that it may act as, which only who acts as some user or account may."""
    some = [one for one in rules for what in ("users", "serviceaccounts") if one.allows("impersonate", "", what)]
    for rule in rules if some else ():
        if rule.namespace or not rule.allows("impersonate", "", "groups"):
            continue
        because = _places([rule, some[0]])
        if not rule.names or "system:masters" in rule.names:
            how = "it may act as one of system:masters (impersonate)"
            run.edge(node, ADMINISTRATOR, "impersonates", how, because)
        for subject in run.rules:
            if subject.kind == "Group" and subject.name in rule.names:
                run.edge(node, subject.id, "impersonates", f"it may act as one of {subject.name}", because)


def _has_deployed(run: Drawing, rules: list[Rule]) -> Iterator[tuple[str, str, Rule]]:
    """Objects that have a controller deploy what they name, with the controller's own rights unless it is told.

    Where a rule is about everything, only if the input shows that there is such a controller.
    """
    locked = any("--default-service-account" in str(one.value.get("spec")) for one in run.cluster.of("Deployment"))
    for group, resource, kind in _DEPLOYED:
        flux = not group.startswith("argoproj")
        used = any(one.api.startswith(group) for one in run.cluster.of(kind))
        able = [one for one in rules for verb in _BINDS if one.allows(verb, group, resource)]
        rule = next((one for one in able if used or group in one.groups), None)
        if rule is not None and not (flux and locked):
            decides = (
                "Flux deploys with the rights of its controllers (no --default-service-account)"
                if flux
                else "a project of Argo CD lets its applications deploy anything"
            )
            yield f"it may have {'Flux' if flux else 'Argo CD'} deploy what it says ({resource})", decides, rule


def _everything(item: object) -> bool:
    return isinstance(item, dict) and all("*" in listed(item.get(key)) for key in ("apiGroups", "resources", "verbs"))


def _signs(rules: list[Rule]) -> Iterator[tuple[str, str, list[Rule]]]:
    group = "certificates.k8s.io"
    cluster = [rule for rule in rules if not rule.namespace]
    asks = [one for one in cluster if one.allows("create", group, "certificatesigningrequests")]
    approves = [
        one
        for one in cluster
        if one.allows("approve", group, "signers") and (not one.names or {_SIGNER, "kubernetes.io/*"} & {*one.names})
    ]
    writes = [one for one in cluster for verb in _BINDS[1:] if one.allows(verb, group, _APPROVAL)]
    if asks and approves and writes:
        how = "it may sign itself a certificate of an administrator (certificatesigningrequests, approve)"
        yield "escalates", how, [asks[0], approves[0], writes[0]]


def _reads_secrets(run: Drawing, node: str, rule: Rule) -> None:
    verbs = [verb for verb in ("get", "list", "watch") if rule.allows(verb, "", "secrets")]
    if not verbs:
        return
    for secret in run.cluster.of("Secret"):
        if rule.namespace in ("", secret.namespace) and (not rule.names or secret.name in rule.names):
            run.edge(node, secret.id, "reads", f"RBAC lets it {verbs[0]} secrets", rule.because)
    if (
        not rule.namespace and not rule.names and any(rule.allows(verb, "", "secrets") for verb in ("list", "get"))
    ) and ("list" in verbs or "get" in verbs):
        how = "it may read all secrets, the tokens of stronger accounts among them"
        decides = ("a token or certificate of an administrator is stored as a secret",)
        run.builder.edge(Edge(node, ADMINISTRATOR, "escalates", how, rule.because, State.UNKNOWN, decides, 2))


def _starts_pods(run: Drawing, node: str, rule: Rule) -> None:
    started = [what for group, what in _STARTS if rule.allows("create", group, what)]
    if started and not rule.names:
        _as_any_account(run, node, rule, rule.namespace, f"create {started[0]}")
    changed: dict[str, str] = {}
    for pod in run.pods:
        kind = _resource(pod.owner)
        if kind and _means(rule, pod.owner):
            verbs = [verb for verb in ("patch", "update") if rule.allows(verb, *kind)]
            if verbs:
                run.edge(node, pod.id, "changes", f"RBAC lets it {verbs[0]} {kind[1]}", rule.because)
                if kind not in _FIXED:
                    changed.setdefault(pod.owner.namespace, f"{verbs[0]} {kind[1]}")
    if not started or rule.names:
        for namespace, what in sorted(changed.items()):
            _as_any_account(run, node, rule, namespace, what)


def _as_any_account(run: Drawing, node: str, rule: Rule, namespace: str, what: str) -> None:
    """Who writes a pod's template chooses its account, the secrets that it mounts and how privileged it is."""
    for where, name in sorted(run.accounts):
        if namespace in ("", where):
            how = f"it may {what} that run as the account"
            run.edge(node, f"k8s:{where}/serviceaccount/{name}", "passes-role", how, rule.because)
    for secret in run.cluster.of("Secret"):
        if namespace in ("", secret.namespace):
            run.edge(node, secret.id, "reads", f"it may {what} that mount the secret", rule.because)
    if not _guarded(run, namespace):
        how = f"it may {what} that are privileged, since no Pod Security level forbids that"
        run.edge(node, run.nodes(rule.because[0]), "takes-over", how, rule.because)


def _resource(owner: Object) -> tuple[str, str] | None:
    """The group and resource of what makes pods; the API server's plural of a kind adds an s."""
    version = str(owner.value.get("apiVersion", ""))
    found = (version.partition("/")[0] if "/" in version else "", f"{owner.kind.lower()}s")
    return found if found in _STARTS else None


def _guarded(run: Drawing, namespace: str) -> bool:
    labels = run.network.namespace_labels(namespace)
    return bool(namespace) and labels.get("pod-security.kubernetes.io/enforce") in _GUARDED


def _means(rule: Rule, owner: Object) -> bool:
    return rule.namespace in ("", owner.namespace) and (not rule.names or owner.name in rule.names)


def _enters_pods(run: Drawing, node: str, rule: Rule) -> None:
    ways = [what for verb, what in _ENTERS if rule.allows(verb, "", what)]
    if ways:
        for pod in run.pods:
            if rule.namespace in ("", pod.owner.namespace) and (not rule.names or _called(pod.owner, rule.names)):
                run.edge(node, pod.id, "takes-over", f"RBAC lets it run commands in pods ({ways[0]})", rule.because)


def _called(owner: Object, names: tuple[str, ...]) -> bool:
    """Whether a pod of an object has one of these names; other objects than these two make names up."""
    if owner.kind == "StatefulSet":
        return any(one.startswith(f"{owner.name}-") and one[len(owner.name) + 1 :].isdigit() for one in names)
    return owner.kind == "Pod" and owner.name in names


def _impersonates(run: Drawing, node: str, rule: Rule) -> None:
    tokens = rule.allows("create", "", "serviceaccounts/token")
    if tokens or rule.allows("impersonate", "", "serviceaccounts"):
        how = "it may have tokens of the account made" if tokens else "it may act as the account (impersonate)"
        for where, name in sorted(run.accounts):
            if rule.namespace in ("", where) and (not rule.names or name in rule.names):
                run.edge(node, f"k8s:{where}/serviceaccount/{name}", "impersonates", how, rule.because)
    if not rule.namespace and rule.allows("impersonate", "", "users"):
        if not rule.names:
            how = "it may act as any user (impersonate), those of the control plane among them"
            run.edge(node, ADMINISTRATOR, "impersonates", how, rule.because)
        for subject in run.rules:
            if subject.kind == "User" and subject.name in rule.names:
                run.edge(node, subject.id, "impersonates", f"it may act as {subject.name}", rule.because)


def _tokens(run: Drawing) -> None:
    """A secret may hold an account's token."""
    for secret in run.cluster.of("Secret"):
        if secret.value.get("type") == "kubernetes.io/service-account-token":
            name = secret.labels("annotations").get("kubernetes.io/service-account.name", "")
            if name:
                account = run.account(secret.namespace, name, secret.because())
                run.edge(
                    secret.id,
                    account,
                    "holds-credential",
                    "the secret is the account's token",
                    (secret.because(),),
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
    if rule.allows("create", "", "nodes/proxy") or rule.allows("get", "", "nodes/proxy"):
        yield "escalates", "it may talk to the kubelet of every node, which runs commands in pods (nodes/proxy)"
    for verb in ("create", "patch", "update"):
        if rule.allows(verb, "admissionregistration.k8s.io", "mutatingwebhookconfigurations"):
            yield "escalates", "it may have every object changed on its way in (mutatingwebhookconfigurations)"
            break
