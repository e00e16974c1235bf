"""RBAC as the API server evaluates it, and what an attacker makes of it.

Cases from the Kubernetes documentation, "Using RBAC Authorization" and "Role Based Access Control Good Practices".
"""

from __future__ import annotations

import pytest
from tests.support.architectures import assessed, edges, findings

from assaymark.assess.kubernetes.rbac import bound, selects
from assaymark.core.graph import State
from assaymark.core.report import Severity

BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}Binding
metadata: {{name: b, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {role}, name: r}}
subjects: [{{kind: ServiceAccount, name: worker, namespace: lab}}]
---
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: admin, namespace: ops}
spec:
  serviceAccountName: strong
  containers: [{name: c, image: "i@sha256:0"}]
---
"""


def rule(groups: str, resources: str, verbs: str, names: str = "", *, cluster: bool = True) -> str:
    kind = "ClusterRole" if cluster else "Role"
    return (
        BINDING.format(kind=kind, role=kind, namespace="lab")
        + f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}
metadata: {{name: r, namespace: lab}}
rules:
  - apiGroups: [{groups}]
    resources: [{resources}]
    verbs: [{verbs}]
    resourceNames: [{names}]
---
"""
    )


WORKER = "k8s:lab/serviceaccount/worker"
ADMIN = "k8s:administrator"


@pytest.mark.parametrize(
    ("text", "how"),
    [
        (rule('"*"', '"*"', '"*"'), "everything"),
        (rule("rbac.authorization.k8s.io", "clusterroles", "escalate, patch"), "escalate"),
        (rule("rbac.authorization.k8s.io", "clusterroles, clusterrolebindings", "bind, create"), "bind"),
        (rule('""', "nodes/proxy", "get"), "nodes/proxy"),
        (rule('""', "users, groups", "impersonate"), "one of system:masters"),
        (rule('""', "serviceaccounts, groups", "impersonate"), "one of system:masters"),
        (rule('""', "users", "impersonate"), "any user"),
        (rule("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "patch"), "webhook"),
        (
            rule(
                "certificates.k8s.io",
                "certificatesigningrequests, certificatesigningrequests/approval, signers",
                "create, approve, update",
            ),
            "certificate",
        ),
    ],
)
def test_rights_that_make_an_administrator(text: str, how: str) -> None:
    found = edges(assessed(a_yaml=text), source=WORKER, target=ADMIN)
    assert any(how in edge.how for edge in found)


@pytest.mark.parametrize(
    "text",
    [
        rule("rbac.authorization.k8s.io", "clusterroles", "get, list, create"),
        rule("rbac.authorization.k8s.io", "clusterrolebindings", "create"),
        rule('""', "nodes", "get, proxy"),
        rule('""', "groups", "impersonate"),  # which asks for a user or account as well
        rule('""', "users, groups", "impersonate", "team-a"),
        rule("rbac.authorization.k8s.io", "clusterroles", "escalate"),
        rule("certificates.k8s.io", "certificatesigningrequests, signers", "create, approve"),
        rule('"*"', '"*"', '"*"', cluster=False),
    ],
)
def test_rights_that_do_not(text: str) -> None:
    assert not edges(assessed(a_yaml=text), source=WORKER, target=ADMIN)


LOCKED = """apiVersion: apps/v1
kind: Deployment
metadata: {name: helm-controller, namespace: flux-system}
spec:
  selector: {matchLabels: {app: helm}}
  template:
    metadata: {labels: {app: helm}}
    spec: {containers: [{name: manager, image: "x:1", args: [--default-service-account=default]}]}
---
"""


@pytest.mark.parametrize(
    ("group", "what", "more", "state"),
    [
        ("helm.toolkit.fluxcd.io", "helmreleases", "", State.UNKNOWN),
        ("kustomize.toolkit.fluxcd.io", "kustomizations", "", State.UNKNOWN),
        ("helm.toolkit.fluxcd.io", "helmreleases", LOCKED, None),
        ("argoproj.io", "applications", LOCKED, State.UNKNOWN),
        ("source.toolkit.fluxcd.io", "gitrepositories", "", None),
    ],
)
def test_who_has_a_controller_deploy_may_have_its_rights(
    group: str, what: str, more: str, state: State | None
) -> None:
    found = edges(assessed(a_yaml=more + rule(group, what, "create", cluster=False)), source=WORKER, target=ADMIN)
    assert [one.state for one in found] == ([state] if state else [])


def test_who_creates_pods_runs_as_the_accounts_of_the_namespaces() -> None:
    text = POD + rule('""', "pods", "create")
    found = edges(assessed(a_yaml=text), "passes-role", WORKER, "serviceaccount/strong")
    assert len(found) == 1
    namespaced = POD + rule('""', "pods", "create", cluster=False)
    assert not edges(assessed(a_yaml=namespaced), "passes-role", WORKER, "serviceaccount/strong")


@pytest.mark.parametrize("what", ["pods/exec", '"*/exec"', "pods/*", '"*"'])
def test_subresources_as_roles_name_them(what: str) -> None:
    text = POD + rule('""', what, "create")
    reached = bool(edges(assessed(a_yaml=text), "takes-over", WORKER, "k8s:ops/pod/admin"))
    assert reached is (what != "pods/*")  # the API server knows * and */exec, no pods/*


def test_a_role_binding_gives_a_cluster_role_in_its_namespace_only() -> None:
    text = rule('""', "secrets", "get").replace("kind: ClusterRoleBinding", "kind: RoleBinding")
    assessment = assessed(a_yaml=text)
    (rules,) = bound(assessment.estates.kubernetes).values()
    assert [one.namespace for one in rules] == ["lab"]
    assert not findings(assessment, "k8s-secrets-everywhere")


def test_roles_are_put_together_by_labels() -> None:
    text = (
        BINDING.format(kind="ClusterRole", role="ClusterRole", namespace="lab")
        + """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: r}
aggregationRule:
  clusterRoleSelectors: [{matchLabels: {part-of: r}}]
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {part-of: r}}
rules: [{apiGroups: [""], resources: [secrets], verbs: [list]}]
"""
    )
    assert len(findings(assessed(a_yaml=text), "k8s-secrets-everywhere")) == 1


def test_a_user_that_is_an_account_is_the_account() -> None:
    text = rule('"*"', '"*"', '"*"').replace(
        "{kind: ServiceAccount, name: worker, namespace: lab}",
        '{kind: User, name: "system:serviceaccount:lab:worker"}',
    )
    assert edges(assessed(a_yaml=text), "administers", WORKER, ADMIN)


def test_a_role_that_nobody_declares_is_said_and_not_guessed() -> None:
    assessment = assessed(a_yaml=BINDING.format(kind="ClusterRole", role="ClusterRole", namespace="lab"))
    assert any("ClusterRole r is not in the input" in item.reason for item in assessment.reading.skipped)


def test_what_clusters_bind_by_themselves_is_not_reported() -> None:
    text = rule('"*"', '"*"', '"*"').replace(
        "metadata: {name: b, namespace: lab}",
        "metadata: {name: b, labels: {kubernetes.io/bootstrapping: rbac-defaults}}",
    )
    assert not findings(assessed(a_yaml=text), "k8s-role-wildcard")


def test_parts_of_the_cluster_that_read_secrets_are_less() -> None:
    text = rule('""', "secrets", "watch").replace("namespace: lab}]", "namespace: cert-manager}]")
    found = findings(assessed(a_yaml=text), "k8s-secrets-everywhere")
    assert [finding.severity for finding in found] == [Severity.MEDIUM]


LABELS = {"app": "a", "tier": "web"}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ({}, True),
        (None, False),
        ({"matchLabels": {"app": "a"}}, True),
        ({"matchLabels": {"app": "a", "tier": "db"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_label_selectors(selector: dict[str, object] | None, selected: bool) -> None:
    assert selects(selector, LABELS) is selected
