"""What is in deploy/ is valid Kubernetes, fits together, and runs confined; the image is built from locked inputs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.webhook import review

from assaymark.enforce.admission_review import parse_review
from assaymark.ui.cli.main import build_parser

yaml = pytest.importorskip("yaml", reason="comes with kubernetes-validate")
kubernetes_validate = pytest.importorskip("kubernetes_validate")

DEPLOY = Path(__file__).parents[3] / "deploy"
DOCUMENTS = [
    (file.relative_to(DEPLOY).as_posix(), document)
    for file in sorted(DEPLOY.rglob("*.yaml"))
    for document in yaml.safe_load_all(file.read_text())
]
IDS = [f"{file}:{document['kind']}-{document['metadata']['name']}" for file, document in DOCUMENTS]
VERSIONS = ("1.30", "1.33", "1.37")  # the oldest that has all that is used, one between, and the newest known


def one(kind: str, name: str = "assaymark-admission") -> dict[str, Any]:
    (found,) = [d for _, d in DOCUMENTS if d["kind"] == kind and d["metadata"]["name"] == name]
    return found


def pods() -> list[tuple[str, dict[str, Any]]]:
    return [(file, d["spec"]["template"]["spec"]) for file, d in DOCUMENTS if d["kind"] == "Deployment"]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("file", "document"), DOCUMENTS, ids=IDS)
def test_each_manifest_meets_the_schema_of_kubernetes(file: str, document: dict[str, Any], version: str) -> None:
    if document["apiVersion"].startswith("cert-manager.io/"):
        assert file == "admission/cert-manager.yaml"
        return
    kubernetes_validate.validate(document, version, strict=True)


def test_the_schemas_refuse_what_is_wrong() -> None:
    wrong = {**one("Service"), "spec": {"ports": [{"port": "https"}], "unknown": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_certificates_are_issued_for_the_name_that_the_api_server_asks() -> None:
    certificate, deployment = one("Certificate"), one("Deployment")
    assert certificate["apiVersion"] == "cert-manager.io/v1"
    namespace = certificate["metadata"]["namespace"]
    assert certificate["spec"]["dnsNames"] == [f"{one('Service')['metadata']['name']}.{namespace}.svc"]
    secrets = {v["secret"]["secretName"] for v in deployment["spec"]["template"]["spec"]["volumes"] if "secret" in v}
    assert certificate["spec"]["secretName"] in secrets
    issuers = {d["metadata"]["name"] for _, d in DOCUMENTS if d["kind"] == "Issuer"}
    for name in ("assaymark-admission", "assaymark-ca"):
        assert one("Certificate", name)["spec"]["issuerRef"]["name"] in issuers
    assert (
        one("Issuer", "assaymark-ca")["spec"]["ca"]["secretName"]
        == one("Certificate", "assaymark-ca")["spec"]["secretName"]
    )
    injected = one("ValidatingWebhookConfiguration")["metadata"]["annotations"]["cert-manager.io/inject-ca-from"]
    assert injected == f"{namespace}/assaymark-admission"


def test_the_webhook_fails_closed_and_leaves_out_what_it_needs_to_start() -> None:
    for webhook in one("ValidatingWebhookConfiguration")["webhooks"]:
        assert webhook["failurePolicy"] == "Fail"
        assert webhook["matchPolicy"] == "Equivalent"
        assert webhook["sideEffects"] == "NoneOnDryRun"
        assert webhook["admissionReviewVersions"] == ["v1"]
        assert webhook["timeoutSeconds"] == 5
        (left_out,) = webhook["namespaceSelector"]["matchExpressions"]
        assert left_out["operator"] == "NotIn"
        assert set(left_out["values"]) == {"kube-system", one("Service")["metadata"]["namespace"]}
        service = webhook["clientConfig"]["service"]
        assert service["name"] == one("Service")["metadata"]["name"]
        assert service["port"] in [port["port"] for port in one("Service")["spec"]["ports"]]
        assert service["path"] == "/validate"
        for rule in webhook["rules"]:
            assert rule["operations"] == ["CREATE", "UPDATE"], "what is deleted or connected to starts nothing"


def test_every_kind_of_the_documentation_is_asked_about() -> None:
    rules = [rule for webhook in one("ValidatingWebhookConfiguration")["webhooks"] for rule in webhook["rules"]]
    asked = {resource for rule in rules for resource in rule["resources"]}
    assert asked >= {
        "pods", "pods/ephemeralcontainers", "deployments", "statefulsets", "daemonsets", "jobs", "cronjobs",
        "inferenceservices", "servingruntimes", "rayclusters", "rayservices", "rayjobs", "pytorchjobs", "tfjobs", "mpijobs",
    }  # fmt: skip
    assert "replicasets" not in asked, (
        "a deployment of a model that was pulled back must be scaled down by its controller"
    )


def test_selectors_select_the_webhook_and_two_of_it_stand_apart() -> None:
    deployment = one("Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert one("Service")["spec"]["selector"].items() <= labels.items()
    for kind, key in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        assert one(kind)["spec"][key]["matchLabels"].items() <= labels.items()
    assert deployment["spec"]["replicas"] == 2
    assert one("NetworkPolicy")["spec"]["egress"] == []


def test_its_arguments_are_those_of_the_command() -> None:
    (container,) = one("Deployment")["spec"]["template"]["spec"]["containers"]
    args = build_parser("serve").parse_args(container["args"])
    assert (args.environment, args.workspace, args.listen) == ("production", "/workspace", "0.0.0.0:8443")
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    for path in (args.tls_cert, args.key.removeprefix("file:"), args.spool):
        assert any(path.startswith(mount + "/") for mount in mounted), path
    assert not any(mount == "/workspace" for mount in mounted), "the keys beside the log are not mounted"
    (port,) = container["ports"]
    assert port["containerPort"] == 8443
    assert {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")} == {
        "/readyz", "/healthz",
    }  # fmt: skip


@pytest.mark.parametrize(("file", "pod"), pods(), ids=[file for file, _ in pods()])
def test_every_pod_is_confined(file: str, pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in containers(pod):
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False, container["name"]
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    if file.startswith("admission/"):
        assert all("limits" in container["resources"] for container in containers(pod))


@pytest.mark.parametrize("name", ["init-container", "wrapper"])
def test_the_examples_name_their_model_to_the_webhook_and_run_what_there_is(name: str) -> None:
    (document,) = [d for file, d in DOCUMENTS if file == f"examples/{name}.yaml"]
    found = parse_review(review(document, group="apps", kind="Deployment", resource="deployments"))
    assert found.named.digests == ("sha256:" + "0" * 64,)
    assert not found.named.faults
    pod = document["spec"]["template"]["spec"]
    words = next((c["args"] for c in containers(pod) if c["name"] == "verify"), None)
    if words is None:
        command = pod["containers"][0]["command"]
        words = command[1 : command.index("--")]
    args = build_parser("run").parse_args(words)
    assert args.environment == "production"
    assert (args.into == "/models") == (name == "init-container")


def test_the_image_is_built_from_what_is_locked_and_runs_as_nobody() -> None:
    lines = (DEPLOY / "Dockerfile").read_text()
    root = DEPLOY.parent
    installs = re.findall(r"pip install [^&\n]*", lines)
    assert installs
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install, install
    for lock in re.findall(r"requirements/[a-z]+\.txt", lines):
        assert (root / lock).is_file()
    assert re.search(r"^USER \d+:\d+$", lines, re.MULTILINE)
    kept = {line[1:] for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert kept >= {"src", "rules", "docs/spec", "requirements", "pyproject.toml"}, "what the wheel is made of"
    assert all((root / path).exists() for path in kept)
