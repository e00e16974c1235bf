"""Least privilege of clusters, Azure and Google Cloud through the command line, with what solvers attest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.support.cli import cli

if TYPE_CHECKING:
    from pathlib import Path

CLUSTER = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: trainer, namespace: ml}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: trainer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{kind: ServiceAccount, name: trainer, namespace: ml}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: nightly, namespace: ml}
spec: {template: {spec: {serviceAccountName: trainer, containers: [{name: c, image: "i@sha256:0"}]}}}
"""
EVENT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "stage": "ResponseComplete",
    "verb": "get",
    "user": {"username": "system:serviceaccount:ml:trainer"},
    "objectRef": {"resource": "configmaps", "namespace": "ml", "name": "features", "apiVersion": "v1"},
    "responseStatus": {"code": 200},
}
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
AZURE = [
    {
        "principalId": "11111111-1111-1111-1111-111111111111",
        "principalType": "ServicePrincipal",
        "principalName": "scorer",
        "roleDefinitionId": "/x/roleDefinitions/ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        "scope": "/subscriptions/s/resourceGroups/g",
    },
    {
        "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/azmodels",
        "type": "Microsoft.Storage/storageAccounts",
        "name": "azmodels",
    },
]
GOOGLE = """
provider "google" {
  project = "acme"
}
resource "google_service_account" "job" {
  account_id = "job"
}
resource "google_storage_bucket" "weights" {
  name = "acme-weights"
}
resource "google_project_iam_member" "job" {
  project = "acme"
  role    = "roles/storage.objectAdmin"
  member  = "serviceAccount:${google_service_account.job.email}"
}
"""
LOG = {
    "protoPayload": {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": {"principalEmail": "job@acme.iam.gserviceaccount.com"},
        "authorizationInfo": [
            {
                "resource": "projects/_/buckets/acme-weights/objects/a",
                "permission": "storage.objects.get",
                "granted": True,
            }
        ],
    }
}
CONFIG = f"""format = "assaymark:assess-config/v1"
[[need]]
principals = ["nightly"]
actions = ["list pods", "create pods/exec"]
resources = ["ml"]
[[need]]
principals = ["scorer"]
actions = ["{BLOBS}/read"]
resources = ["azmodels"]
[[need]]
principals = ["job@acme.iam.gserviceaccount.com"]
actions = ["storage.objects.create", "storage.objects.list"]
resources = ["projects/acme/buckets/acme-weights"]
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    pytest.importorskip("z3")
    found = tmp_path / "estate"
    found.mkdir()
    (found / "cluster.yaml").write_text(CLUSTER)
    (found / "audit.log").write_text(json.dumps(EVENT) + "\n")
    (found / "azure.json").write_text(json.dumps(AZURE))
    (found / "main.tf").write_text(GOOGLE)
    (found / "log.jsonl").write_text(json.dumps(LOG) + "\n")
    (tmp_path / "assess.toml").write_text(CONFIG)
    return found


def test_least_roles_of_three_platforms_are_written_and_attested(place: Path) -> None:
    config = place.parent / "assess.toml"
    ran = cli("assess", place, "--config", config, "--diff", "--format", "json")
    least = {fix["principal"]: fix for fix in ran.json["fixes"] if fix.get("kind") == "least"}
    assert len(least) == 3
    assert all(fix["proof"]["proved"] for fix in least.values())
    assert all(fix["proof"]["kind"] == "solver-attested" for fix in least.values())
    role, binding = least["k8s:ml/serviceaccount/trainer"]["policy"]
    assert {(tuple(one["resources"]), tuple(one["verbs"])) for one in role["rules"]} == {
        (("configmaps",), ("get",)),
        (("pods",), ("list",)),
        (("pods/exec",), ("create",)),
    }
    assert binding["metadata"]["namespace"] == "ml"
    definition, assignment = least["azure:principal:11111111-1111-1111-1111-111111111111"]["policy"]
    assert definition["DataActions"] == [f"{BLOBS}/read"]
    assert assignment["scope"].endswith("/storageaccounts/azmodels")
    (google,) = [fix for name, fix in least.items() if name.startswith("//iam")]
    assert google["policy"][0]["includedPermissions"] == [
        "storage.objects.create", "storage.objects.get", "storage.objects.list",
    ]  # fmt: skip
    assert google["policy"][1]["resource"] == "//storage.googleapis.com/acme-weights"
    text = cli("assess", place, "--config", config, "--diff").out
    assert (
        text.count("attest: it allows nothing that the old policies do not, all that is needed, and no less does")
        == 3
    )
    assert "Least privilege for scorer (azure:principal:" in text
    assert "Rewritten policies" in cli("assess", place, "--config", config, "--diff", "--format", "html").out


def test_what_code_calls_of_the_cluster_is_what_its_workload_needs(place: Path) -> None:
    (place / "app").mkdir()
    (place / "app" / "main.py").write_text(
        "from kubernetes import client\nv1 = client.CoreV1Api()\nv1.read_namespaced_secret('db', 'ml')\n"
    )
    (place / "audit.log").unlink()
    config = place.parent / "assess.toml"
    config.write_text('format = "assaymark:assess-config/v1"\n[[need]]\nprincipals = ["nightly"]\ncode = ["app/"]\n')
    ran = cli("assess", place, "--config", config, "--diff", "--format", "json")
    (fix,) = [fix for fix in ran.json["fixes"] if fix.get("principal", "").startswith("k8s:")]
    assert fix["policy"][0]["rules"] == [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["db"], "verbs": ["get"]}
    ]
    assert fix["proof"]["proved"]
    (place / "app" / "main.py").write_text("import boto3\nboto3.client('s3').list_buckets()\n")
    assert "assess-code" in cli("assess", place, "--config", config, "--diff").err


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"nightly"', '"scorer"', "need-principal"),
        ('["azmodels"]', '["nightly"]', "need-resource"),
        ("projects/acme/buckets/acme-weights", "projects/_/x", "need-resource"),
        ("list pods", "list  pods", "assess-config"),
        ("storage.objects.list", "storage.list", "assess-config"),
    ],
)
def test_needs_that_do_not_fit_are_refused(old: str, new: str, code: str, place: Path) -> None:
    config = place.parent / "assess.toml"
    config.write_text(CONFIG.replace(old, new))
    ran = cli("assess", place, "--config", config, "--diff")
    assert ran.code == (3 if code == "assess-config" else 2)
    assert code in ran.err


def test_what_cannot_be_told_is_said_and_not_granted(place: Path) -> None:
    config = place.parent / "assess.toml"
    config.write_text(CONFIG.replace(f"{BLOBS}/read", "Microsoft.Odd/things/read"))
    (place / "azure.json").write_text(json.dumps(AZURE).replace("ba92f5b4-2d11", "00000000-2d11"))
    ran = cli("assess", place, "--config", config, "--diff")
    assert "needed, and not granted, since the input does not show whether the old policies allow it" in ran.out
