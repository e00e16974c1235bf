"""Written fixes of manifests: only where the input shows that nobody else needs what goes."""

from __future__ import annotations

import pytest
import yaml
from tests.support.patched_infra import NOW, all_patches, fixed, rules_of, text_of

from assaymark.assess.engine import assess
from assaymark.assess.files import SourceFile, source_file
from assaymark.assess.patch import apply_patches

DIGEST = "@sha256:" + "0" * 64


def manifest(text: str, path: str = "app.yaml") -> list[SourceFile]:
    return [source_file(path, text.encode())]


def deployment(name: str, namespace: str, inner: str = "", spec: str = "") -> str:
    return f"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
spec:
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
{spec}      containers:
        - name: {name}
          image: registry.example/{name}{DIGEST}
{inner}"""


def service(name: str, namespace: str, kind: str = "ClusterIP") -> str:
    return f"""apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {namespace}
spec:
  type: {kind}
  selector:
    app: {name}
  ports:
    - port: 80
      targetPort: 8000
"""


def joined(*documents: str) -> str:
    return "---\n".join(documents)


def documents(given: list[SourceFile], path: str = "app.yaml") -> list[dict]:
    return [one for one in yaml.safe_load_all(text_of(given, path)) if one]


@pytest.mark.parametrize(
    ("inner", "spec"),
    [
        ("", "      securityContext:\n        runAsUser: 0\n"),
        ("          securityContext:\n            runAsNonRoot: false  # for now\n", ""),
        ("          securityContext:\n            readOnlyRootFilesystem: true\n", ""),
        ("          ports:\n            - containerPort: 8080\n", ""),
    ],
)
def test_a_container_starts_only_as_somebody_else_than_root(inner: str, spec: str) -> None:
    after = fixed(manifest(deployment("api", "serving", inner, spec)), "k8s-container-root")
    assert "k8s-container-root" not in rules_of(after)
    assert documents(after)


@pytest.mark.parametrize(
    "inner",
    [
        "          securityContext:\n            privileged: true\n",
        "          securityContext:\n            capabilities: {add: [IPC_LOCK]}\n",
        "          securityContext: {readOnlyRootFilesystem: true}\n",
        "          ports:\n            - containerPort: 80\n",
        '          command: ["sh", "-c", "chown -R app /data"]\n',
    ],
)
def test_a_container_that_may_need_root_or_stands_in_braces_is_left(inner: str) -> None:
    assert not all_patches(assess(manifest(deployment("api", "serving", inner)), NOW), "k8s-container-root")


def test_one_subject_of_several_goes() -> None:
    text = """apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: view
  namespace: lab
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: view
subjects:
- kind: Group
  name: system:unauthenticated
  apiGroup: rbac.authorization.k8s.io
- kind: Group
  name: ml
  apiGroup: rbac.authorization.k8s.io
"""
    after = fixed(manifest(text), "k8s-anonymous-binding")
    assert "k8s-anonymous-binding" not in rules_of(after)
    assert [one["name"] for one in documents(after)[0]["subjects"]] == ["ml"]


INGRESS = """apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: chat
  namespace: serving
spec:
  rules:
    - host: chat.example
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: chat
                port:
                  number: 80
"""
ISSUER = "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata:\n  name: letsencrypt\nspec: {}\n"


def test_an_ingress_gets_a_certificate_where_somebody_issues_them() -> None:
    after = fixed(manifest(joined(INGRESS, ISSUER)), "k8s-ingress-plaintext")
    assert "k8s-ingress-plaintext" not in rules_of(after)
    found = documents(after)[0]
    assert found["metadata"]["annotations"] == {"cert-manager.io/cluster-issuer": "letsencrypt"}
    assert found["spec"]["tls"] == [{"hosts": ["chat.example"], "secretName": "chat-example-tls"}]


def policies(given: list[SourceFile]) -> dict[str, dict]:
    return {one["metadata"]["name"]: one for one in documents(given) if one["kind"] == "NetworkPolicy"}


def test_a_policy_lets_in_whom_the_input_shows_to_need_it() -> None:
    caller = deployment(
        "bot", "support", "          env:\n            - {name: MODEL, value: 'http://chat.serving.svc:80'}\n"
    )
    controller = deployment("controller", "edge").replace(
        "registry.example/controller", "registry.k8s.io/ingress-nginx/controller"
    )
    text = joined(deployment("chat", "serving"), service("chat", "serving"), INGRESS, caller, controller)
    given = manifest(joined(text, deployment("api", "serving"), service("api", "serving", "LoadBalancer")))
    after = fixed(given, "k8s-network-policy-missing")
    assert "k8s-network-policy-missing" not in rules_of(after)
    found = [
        one
        for one in documents(after)
        if one["kind"] == "NetworkPolicy" and one["metadata"]["namespace"] == "serving"
    ]
    names = {one["metadata"]["name"]: one["spec"] for one in found}
    spaces = [
        peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for peer in names["own-namespace-only"]["ingress"][0]["from"][1:]
    ]
    assert spaces == ["edge", "support"]
    assert names["api-from-outside"]["podSelector"] == {"matchLabels": {"app": "api"}}
    assert names["api-from-outside"]["ingress"] == [{"ports": [{"port": 8000, "protocol": "TCP"}]}]


def test_a_template_of_a_pod_gets_no_policy_beside_it() -> None:
    pod = f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: driver\nspec:\n  containers:\n  - name: a\n    image: b{DIGEST}\n"
    found = assess(manifest(pod), NOW)
    assert any(one.rule == "k8s-network-policy-missing" for one in found.findings)
    assert not all_patches(found, "k8s-network-policy-missing")


def test_what_says_no_namespace_gets_a_policy_that_says_none() -> None:
    text = deployment("chat", "serving").replace("  namespace: serving\n", "")
    after = fixed(manifest(text), "k8s-network-policy-missing")
    assert "namespace" not in policies(after)["own-namespace-only"]["metadata"]


def test_a_namespace_with_privileged_pods_keeps_its_level() -> None:
    space = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: serving\n  labels:\n    team: ml\n"
    node = deployment("node", "serving", "          securityContext:\n            privileged: true\n")
    assert not all_patches(assess(manifest(joined(space, node)), NOW), "k8s-pod-security-missing")
    after = fixed(manifest(joined(space, deployment("api", "serving"))), "k8s-pod-security-missing")
    assert documents(after)[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"


TENANTS = joined(
    deployment(
        "tenant-birch-chat", "serving", "          envFrom:\n            - configMapRef: {name: birch-settings}\n"
    ),
    deployment("tenant-cedar-chat", "serving"),
    service("tenant-birch-chat", "serving"),
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: birch-settings\n  namespace: serving\ndata: {}\n",
)


def test_all_that_is_a_tenants_moves_together() -> None:
    after = fixed(manifest(TENANTS), "k8s-tenants-share-namespace")
    assert "k8s-tenants-share-namespace" not in rules_of(after)
    spaces = {(one["kind"], one["metadata"]["name"]): one["metadata"].get("namespace") for one in documents(after)}
    assert spaces["ConfigMap", "birch-settings"] == "serving-birch"
    assert spaces["Service", "tenant-birch-chat"] == "serving-birch"
    assert spaces["Deployment", "tenant-cedar-chat"] == "serving-cedar"


@pytest.mark.parametrize(
    "more",
    [
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shared\n  namespace: serving\ndata: {}\n",
        "apiVersion: v1\nkind: ResourceQuota\nmetadata:\n  name: all\n  namespace: serving\nspec: {}\n",
        deployment("bot", "support", "          args: ['--model', 'http://tenant-birch-chat.serving.svc']\n"),
        service("tenant-cedar-chat", "serving", "LoadBalancer"),
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: serving-birch\n",
    ],
    ids=["nobody's", "a quota", "named elsewhere", "open to the outside", "there already"],
)
def test_tenants_stay_where_something_is_not_seen_to_be_theirs(more: str) -> None:
    found = assess(manifest(joined(TENANTS, more)), NOW)
    assert any(one.rule == "k8s-tenants-share-namespace" for one in found.findings)
    assert not all_patches(found, "k8s-tenants-share-namespace")


def test_texts_of_manifests_add_no_lines_to_others() -> None:
    caller = deployment(
        "bot", "support", "          env:\n            - {name: MODEL, value: 'http://chat.serving.svc:80'}\n"
    )
    hostile = caller.replace("namespace: support", 'namespace: "support\\n    - {}"')
    chat = joined(
        deployment("chat", "serving"),
        service("chat", "serving", "LoadBalancer").replace("app: chat", 'app: "chat\\"x"'),
    )
    after = apply_patches(
        joined(chat, hostile).encode(),
        all_patches(assess(manifest(joined(chat, hostile)), NOW), "k8s-network-policy-missing"),
    )
    found = [one for one in yaml.safe_load_all(after) if one["kind"] == "NetworkPolicy"]
    assert [one["spec"]["ingress"] for one in found] == [[{"from": [{"podSelector": {}}]}]]


def test_a_label_at_the_end_of_a_file_stands_before_what_is_appended() -> None:
    space = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: serving\n  labels:\n    team: ml\n"
    given = [*manifest(space, "space.yaml"), *manifest(deployment("chat", "serving"))]
    found = assess(given, NOW)
    patches = [one for rule in {one.rule for one in found.findings} for one in all_patches(found, rule)]
    after = list(
        yaml.safe_load_all(apply_patches(space.encode(), [one for one in patches if one.path == "space.yaml"]))
    )
    assert [one["kind"] for one in after] == ["Namespace", "NetworkPolicy"]
    assert after[0]["metadata"]["labels"] == {"team": "ml", "pod-security.kubernetes.io/enforce": "baseline"}
    assert after[1]["spec"]["ingress"] == [{"from": [{"podSelector": {}}]}]
