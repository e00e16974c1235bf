"""What patches do to roles and bindings of clusters and clouds is put to solvers as least roles are."""

from __future__ import annotations

import json

import pytest
from tests.support.clouds import NOW, assessed

from assaymark.assess.azure.patched import patched_assignments
from assaymark.assess.gcp.patched import patched_bindings
from assaymark.assess.kubernetes.patched import patched_roles

pytest.importorskip("z3")
pytest.importorskip("cvc5")
P = "11111111-1111-1111-1111-111111111111"
RG = "/subscriptions/s/resourcegroups/g"
BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: b, namespace: ml}}
roleRef: {{kind: ClusterRole, name: {role}}}
subjects: [{{kind: ServiceAccount, name: trainer, namespace: ml}}]
"""


def test_a_narrower_role_takes_something_away_and_keeps_what_is_needed():
    before, after = (assessed(a_yaml=BINDING.format(role=role)).estates.kubernetes for role in ("edit", "view"))
    who = "k8s:ml/serviceaccount/trainer"
    (found,) = patched_roles(before, after, {who: {("list pods", "ml")}})
    assert found.proved
    assert found.takes is not None
    assert found.takes.resource.startswith("ml")
    assert found.title == f"patched policy of {who}"
    (found,) = patched_roles(before, after, {who: {("get secrets", "ml/db")}})
    assert not found.proved
    assert found.covers.example.action == "get secrets"
    (found,) = patched_roles(after, before, {})
    assert found.within.verdict == "not contained"
    assert list(patched_roles(before, before, {})) == []


def azure(role, scope=RG):
    one = {
        "principalId": P,
        "principalType": "User",
        "roleDefinitionId": f"/x/roleDefinitions/{role}",
        "scope": scope,
    }
    return assessed(a_json=json.dumps([one])).estates.azure


OWNER, CONTRIBUTOR = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c"


def test_assignments_of_azure():
    need = {f"azure:principal:{P}": {("Microsoft.Storage/storageAccounts/read", RG)}}
    (found,) = patched_assignments(azure(OWNER), azure(CONTRIBUTOR), need, NOW)
    assert found.proved
    assert (
        found.takes.action == "microsoft.authorization/roleassignments/write" or "authorization" in found.takes.action
    )
    (found,) = patched_assignments(azure(CONTRIBUTOR), azure(OWNER), {}, NOW)
    assert found.within.verdict == "not contained"
    (found,) = patched_assignments(azure(CONTRIBUTOR, "/subscriptions/s"), azure(CONTRIBUTOR), need, NOW)
    assert found.proved
    assert not found.takes.resource.startswith(RG)
    (found,) = patched_assignments(azure("11111111-0000-0000-0000-000000000000"), azure(OWNER), {}, NOW)
    assert found.within.verdict == "unknown"  # what the old role allows is not in the input


def gcp(*members, role="roles/storage.objectViewer"):
    text = (
        'provider "google" {\n  project = "acme"\n}\nresource "google_storage_bucket" "b" {\n  name = "models"\n}\n'
    )
    binding = f'resource "google_storage_bucket_iam_binding" "o" {{\n  bucket = "models"\n  role = "{role}"\n'
    return assessed(a_tf=f"{text}{binding}  members = {json.dumps(members)}\n}}\n").estates.gcp


def test_bindings_of_google_cloud():
    (found,) = patched_bindings(gcp("allUsers", "user:a@b.c"), gcp("user:a@b.c"), {}, NOW)
    assert found.about == "allUsers"
    assert found.proved
    assert found.takes.resource == "//storage.googleapis.com/models"
    admin = gcp("user:a@b.c", role="roles/storage.objectAdmin")
    need = {"user:a@b.c": {("storage.objects.delete", "//storage.googleapis.com/models")}}
    (found,) = patched_bindings(admin, gcp("user:a@b.c"), need, NOW)
    assert found.within.verdict == "contained"
    assert found.covers.example.action == "storage.objects.delete"
    assert not found.proved
