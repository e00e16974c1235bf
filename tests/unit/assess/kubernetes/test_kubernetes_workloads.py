"""Pods wherever they are, the servers they run, secrets that are written down, and tenants."""

from __future__ import annotations

import base64
import json

import pytest
from tests.support.architectures import assessed, edges, findings

from assaymark.assess.kubernetes.pods import pod_specs
from assaymark.assess.kubernetes.servers import open_servers
from assaymark.core.graph import State
from assaymark.core.report import Confidence, Severity


def pod(container: object, name: str = "p", namespace: str = "serving", **spec: object) -> str:
    fields = {"containers": [{"name": "c", "image": "i@sha256:0", **container}], **spec}  # type: ignore[dict-item]
    return json.dumps(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": fields}
    )


@pytest.mark.parametrize(
    ("text", "owners"),
    [
        (
            """
            apiVersion: batch/v1
            kind: CronJob
            metadata: {name: nightly}
            spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: i}]}}}}}
            """,
            ["k8s:default/cronjob/nightly"],
        ),
        (
            """
            apiVersion: ray.io/v1
            kind: RayCluster
            metadata: {name: r}
            spec:
              headGroupSpec: {template: {spec: {containers: [{name: head, image: i}]}}}
              workerGroupSpecs:
                - {groupName: gpu, template: {spec: {containers: [{name: worker, image: i}]}}}
            """,
            ["k8s:default/raycluster/r#headGroupSpec", "k8s:default/raycluster/r#workerGroupSpecs.gpu"],
        ),
        (
            """
            apiVersion: argoproj.io/v1alpha1
            kind: Workflow
            metadata: {name: w}
            spec: {templates: [{name: a, container: {image: i}}]}
            """,
            ["k8s:default/workflow/w"],
        ),
        (
            """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: c}
            data: {containers: none}
            """,
            [],
        ),
    ],
)
def test_pods_are_found_by_their_shape(text: str, owners: list[str]) -> None:
    assert [one.id for one in pod_specs(assessed(a_yaml=text).estates.kubernetes)] == owners


@pytest.mark.parametrize(
    ("container", "server", "authenticated"),
    [
        ({"image": "vllm/vllm-openai:v0.11.0"}, "vLLM", False),
        ({"image": "registry.example/base:1", "command": ["vllm", "serve", "m", "--api-key", "$(K)"]}, "vLLM", True),
        (
            {"image": "registry.example/base:1", "args": ["python3 -m sglang.launch_server --model m"]},
            "SGLang",
            False,
        ),
        ({"image": "quay.io/jupyter/base-notebook:x"}, "Jupyter", True),
        (
            {"image": "quay.io/jupyter/base-notebook:x", "env": [{"name": "JUPYTER_TOKEN", "value": ""}]},
            "Jupyter",
            False,
        ),
        (
            {"image": "ghcr.io/mlflow/mlflow@sha256:0", "args": ["mlflow", "server", "--app-name", "basic-auth"]},
            "MLflow",
            True,
        ),
        ({"image": "redis"}, "Redis", False),
        ({"image": "bitnami/redis:7", "env": [{"name": "REDIS_PASSWORD", "value": "$(P)"}]}, "Redis", True),
        ({"image": "minio/minio:x", "args": ["server", "/data"]}, "MinIO", False),
        ({"image": "postgres:17"}, "PostgreSQL", True),
        (
            {"image": "postgres:17", "env": [{"name": "POSTGRES_HOST_AUTH_METHOD", "value": "trust"}]},
            "PostgreSQL",
            False,
        ),
        ({"image": "registry.example/x:1", "command": ["ray", "start", "--head", "--block"]}, "Ray", False),
    ],
)
def test_servers_by_image_and_words(container: dict[str, object], server: str, authenticated: bool) -> None:
    (spec,) = pod_specs(assessed(a_json=pod(container)).estates.kubernetes)
    assert [(one.server.name, one.authenticated) for one in open_servers(spec)] == [(server, authenticated)]


@pytest.mark.parametrize(
    "container",
    [
        {"image": "redis:7", "command": ["redis-cli", "-h", "cache", "ping"]},
        {"image": "rayproject/ray:2.44.0", "command": ["python", "submit.py"]},
        {"image": "oliver006/redis_exporter:v1"},
        {
            "image": "gcr.io/go-containerregistry/crane:v1",
            "args": ["copy rayproject/ray:2.44.0 registry.example/ray"],
        },
        {"image": "registry.example/train:1", "args": ["--logdir=/mnt/tensorboard"]},
        {"image": "vllm/vllm-openai:v0.11.0", "args": ["--host", "127.0.0.1"]},
        {"image": "registry.example/vllm-benchmarks/client:1", "command": ["python", "bench.py"]},
    ],
)
def test_what_is_no_server_that_others_reach(container: dict[str, object]) -> None:
    (spec,) = pod_specs(assessed(a_json=pod(container)).estates.kubernetes)
    assert open_servers(spec) == []


def test_what_a_file_may_set_is_doubt_in_finding_and_graph() -> None:
    redis = {"image": "redis:7", "command": ["redis-server", "/etc/redis/redis.conf"]}
    assessment = assessed(a_json=pod(redis))
    (finding,) = findings(assessment, "k8s-server-open")
    assert finding.confidence is Confidence.LOW
    assert {edge.state for edge in edges(assessment, "open-read")} == {State.UNKNOWN}


def test_a_template_of_servers_runs_nothing() -> None:
    text = """
    apiVersion: serving.kserve.io/v1alpha1
    kind: ClusterServingRuntime
    metadata: {name: triton}
    spec: {containers: [{name: kserve-container, image: "nvcr.io/nvidia/tritonserver:25.06-py3"}]}
    """
    assert not findings(assessed(a_yaml=text), "k8s-server-open")


def test_a_ray_cluster_is_reported_once_for_head_and_workers() -> None:
    text = """
    apiVersion: ray.io/v1
    kind: RayCluster
    metadata: {name: r}
    spec:
      headGroupSpec: {template: {spec: {containers: [{name: h, image: "rayproject/ray:2.44.0"}]}}}
      workerGroupSpecs: [{groupName: g, template: {spec: {containers: [{name: w, image: "rayproject/ray:2.44.0"}]}}}]
    """
    assert len(findings(assessed(a_yaml=text), "k8s-server-open")) == 1


@pytest.mark.parametrize(
    ("spec", "reached"),
    [
        ({"hostPID": True}, True),
        ({"hostIPC": True}, True),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, True),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/run/containerd/containerd.sock"}}]}, True),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/var/lib/kubelet/device-plugins"}}]}, False),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/var/log"}}]}, False),
        ({"volumes": [{"name": "v", "emptyDir": {}}]}, False),
    ],
)
def test_what_reaches_the_node(spec: dict[str, object], reached: bool) -> None:
    assert bool(findings(assessed(a_json=pod({}, **spec)), "k8s-node-access")) is reached


@pytest.mark.parametrize(("capability", "reached"), [("SYS_ADMIN", True), ("CAP_BPF", True), ("IPC_LOCK", False)])
def test_capabilities(capability: str, reached: bool) -> None:
    container = {"securityContext": {"capabilities": {"add": [capability]}}}
    assert bool(findings(assessed(a_json=pod(container)), "k8s-node-access")) is reached


@pytest.mark.parametrize(
    ("own", "general", "root"),
    [
        ({}, {}, True),
        ({}, {"runAsNonRoot": True}, False),
        ({"runAsNonRoot": False}, {"runAsNonRoot": True}, True),
        ({"runAsUser": 0}, {"runAsUser": 1000}, True),
        ({"runAsUser": 1000}, {}, False),
    ],
)
def test_the_containers_own_context_goes_before_the_pods(
    own: dict[str, object], general: dict[str, object], root: bool
) -> None:
    text = pod({"securityContext": own}, securityContext=general)
    assert bool(findings(assessed(a_json=text), "k8s-container-root")) is root


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("DB_PASSWORD", "correct-horse", True),
        ("HF_TOKEN", "<your token>", False),
        ("HF_TOKEN", "changeme", False),
        ("HF_TOKEN", "$(TOKEN)", False),
        ("MAX_TOKENS", "4096", False),
        ("TOKENIZER", "acme/tokenizer", False),
        ("SECRET_NAME", "db", False),
        ("PASSWORD_FILE", "/run/secrets/db", False),
        ("JWT_TOKEN_ISSUER", "login.example", False),
        ("ALLOW_EMPTY_PASSWORD", "yes", False),
        ("API_KEY", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:k", False),
        ("BROKER", "amqp://worker:correct-horse@mq:5672", True),
        ("BROKER", "amqp://worker@mq:5672", False),
        ("SETTINGS", "-----BEGIN RSA PRIVATE KEY-----", True),
        ("CA", "-----BEGIN CERTIFICATE-----", False),
    ],
)
def test_values_of_secrets_in_variables(name: str, value: str, written: bool) -> None:
    text = pod({"env": [{"name": name, "value": value}]})
    assert bool(findings(assessed(a_json=text), "k8s-secret-in-manifest")) is written


def test_beside_a_secret_key_the_access_key_is_a_name() -> None:
    env = [{"name": "MINIO_ACCESS_KEY", "value": "worker"}, {"name": "MINIO_SECRET_KEY", "value": "correct-horse"}]
    (finding,) = findings(assessed(a_json=pod({"env": env})), "k8s-secret-in-manifest")
    assert "MINIO_SECRET_KEY" in finding.message
    assert "correct" not in finding.message


@pytest.mark.parametrize(
    ("data", "kind", "written"),
    [
        ({"password": "correct-horse"}, "Opaque", True),
        ({"password": "changeme"}, "Opaque", False),
        ({"username": "worker"}, "Opaque", False),
        ({"ca.crt": "-----BEGIN CERTIFICATE-----\n"}, "Opaque", False),
        ({"tls.crt": "x", "tls.key": "-----BEGIN PRIVATE KEY-----\n"}, "kubernetes.io/tls", True),
        ({"release": "H4sI"}, "helm.sh/release.v1", False),
    ],
)
def test_values_of_secrets_in_secrets(data: dict[str, str], kind: str, written: bool) -> None:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "type": kind, "data": encoded}
    assert bool(findings(assessed(a_json=json.dumps(secret)), "k8s-secret-in-manifest")) is written


def test_a_config_map_is_no_place_for_a_secret() -> None:
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"API_KEY": "correct-horse"}}
    assert findings(assessed(a_json=json.dumps(value)), "k8s-secret-in-manifest")


@pytest.mark.parametrize(
    ("name", "value", "plain"),
    [
        ("AWS_ENDPOINT_URL_S3", "http://minio.storage:9000", True),
        ("MLFLOW_S3_ENDPOINT_URL", "http://127.0.0.1:9000", False),
        ("CELERY_BROKER_URL", "redis://cache:6379/1", True),
        ("DATABASE_URL", "postgresql+psycopg://db/x?sslmode=disable", True),
        ("DATABASE_URL", "postgresql://db/x?sslmode=verify-full", False),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", False),
        ("HTTP_PROXY", "http://proxy.example:3128", False),
    ],
)
def test_where_workloads_are_sent_in_plain_text(name: str, value: str, plain: bool) -> None:
    text = pod({"env": [{"name": name, "value": value}]})
    assert bool(findings(assessed(a_json=text), "k8s-storage-plaintext")) is plain


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("tenant-birch-ranker", "tenant-cedar-ranker", True),
        ("customer-a-ranker", "customer-b-ranker", True),
        ("customer-frontend", "customer-support", False),
        ("redis-client", "client-gateway", False),
        ("tenant-birch-ranker", "tenant-birch-cache", False),
    ],
)
def test_names_that_tell_tenants(first: str, second: str, shared: bool) -> None:
    assessment = assessed(a_json=pod({}, first), b_json=pod({}, second))
    assert bool(findings(assessment, "k8s-tenants-share-namespace")) is shared


def test_tenants_by_the_labels_of_their_namespaces_share_a_cache() -> None:
    space = '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "%s", "labels": {"tenant": "%s"}}}'
    env = {"env": [{"name": "REDIS_HOST", "value": "cache.shared"}]}
    assessment = assessed(
        a_json=space % ("birch", "birch"),
        b_json=space % ("cedar", "cedar"),
        c_json=pod(env, namespace="birch"),
        d_json=pod(env, namespace="cedar"),
    )
    (finding,) = findings(assessment, "k8s-tenants-share-volume")
    assert finding.severity is Severity.HIGH
    assert "cache.shared" in finding.message


@pytest.mark.parametrize(
    ("change", "severities"),
    [
        ("digest: sha256:" + "0" * 64, []),
        ("newTag: v2", [Severity.LOW]),
        ("newName: mirror.example/ranker", [Severity.MEDIUM]),
    ],
)
def test_what_kustomize_makes_of_an_image(change: str, severities: list[Severity]) -> None:
    kustomization = f"""
    apiVersion: kustomize.config.k8s.io/v1beta1
    kind: Kustomization
    resources: [a.json]
    images: [{{name: registry.example/ranker, {change}}}]
    """
    assessment = assessed(a_json=pod({"image": "registry.example/ranker"}), kustomization_yaml=kustomization)
    assert [finding.severity for finding in findings(assessment, "k8s-image-unpinned")] == severities


def test_a_kustomization_is_about_what_it_takes_in() -> None:
    files = {
        "overlay__kustomization_yaml": "resources: [../base]\nimages: [{name: registry.example/ranker, newTag: v2}]",
        "base__kustomization_yaml": "resources: [a.json]",
        "base__a_json": pod({"image": "registry.example/ranker:v1"}),
        "other__b_json": pod({"image": "registry.example/ranker:v7"}, namespace="other"),
    }
    said = sorted(finding.message for finding in findings(assessed(**files), "k8s-image-unpinned"))
    assert [message.partition(" of ")[0][-9:] for message in said] == ["ranker:v2", "ranker:v7"]


POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: serving}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


def test_a_patch_of_kustomize_declares_nothing() -> None:
    found = assessed(
        kustomization_yaml="resources: [a.json]\nnamespace: serving\npatches: [{path: p.json}]",
        a_json=pod({"image": "a"}, namespace="serving"),
        p_json=pod({"args": ["x"]}, namespace="elsewhere"),
        q_yaml=POLICY,
    )
    assert not findings(found, "k8s-network-policy-missing")


@pytest.mark.parametrize(("namespace", "missing"), [("serving", []), ("open", ["k8s:open"]), ("", ["k8s:system"])])
def test_a_namespace_is_the_one_that_kustomize_sets(namespace: str, missing: list[str]) -> None:
    kustomization = "resources: [base/a.json]" + (f"\nnamespace: {namespace}" if namespace else "")
    found = assessed(
        kustomization_yaml=kustomization,
        base__a_json=pod({"image": "a"}, namespace="system"),
        policies__p_yaml=POLICY,
    )
    assert [finding.name for finding in findings(found, "k8s-network-policy-missing")] == missing


@pytest.mark.parametrize(
    ("level", "words"), [("restricted", []), ("privileged", ["no Pod Security level but privileged"])]
)
def test_a_level_that_forbids_nothing_is_said(level: str, words: list[str]) -> None:
    space = f"""
    apiVersion: v1
    kind: Namespace
    metadata: {{name: serving, labels: {{pod-security.kubernetes.io/enforce: {level}}}}}
    """
    found = findings(
        assessed(a_yaml=space, c_json=pod({"image": "a"}, namespace="serving")), "k8s-pod-security-missing"
    )
    assert [finding.message.partition(" enforces ")[2] for finding in found] == words


@pytest.mark.parametrize("image", ["$REGISTRY/ranker:$TAG", "<image_url>", "IMG_PLACEHOLDER", "{{ .Values.image }}"])
def test_an_image_that_is_filled_in_later_is_not_judged(image: str) -> None:
    assert not findings(assessed(a_json=pod({"image": image})), "k8s-image-unpinned")


@pytest.mark.parametrize(("comment", "told"), [("#REQUIRED - replace with your access key", 1), ("# of the app", 2)])
def test_a_value_that_a_comment_asks_to_replace_is_none(comment: str, told: int) -> None:
    manifest = f"""
    apiVersion: v1
    kind: Pod
    metadata: {{name: p}}
    spec:
      containers:
      - name: main
        image: a
        env:
        - name: ACCESS_KEY  {comment}
          value: 8312341g-5678-abcd-4a2b2c-33bcsd655
        - name: API_KEY
          value: 9923411g-5678-abcd-4a2b2c-33bcsd655  # of another
    """
    assert len(findings(assessed(a_yaml=manifest), "k8s-secret-in-manifest")) == told
