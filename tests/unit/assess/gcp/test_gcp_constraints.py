"""Organisation policies and principal access boundaries of Google Cloud: what they take away, and where it is not known."""

from __future__ import annotations

import json

import pytest
from tests.support.clouds import assessed, edges

EVE = "user:eve@acme.example"
SA = "sa@acme-ml.iam.gserviceaccount.com"
ASSETS = "//cloudresourcemanager.googleapis.com"
PREVENTION = "storage.publicAccessPrevention"
CREATION, UPLOAD = "iam.disableServiceAccountKeyCreation", "iam.disableServiceAccountKeyUpload"


def policy(place, constraint, *rules, **spec):
    """A policy as ``gcloud org-policies list`` writes it."""
    found = [{"enforce": one} if isinstance(one, bool) else one for one in rules]
    return {"name": f"{place}/policies/{constraint}", "spec": {"rules": found, **spec}}


def estate(*policies, parents=True, number=True):
    """A project in folder 10 of organisation 1 with a public bucket, and eve, who makes keys of its accounts."""
    project = {"projectId": "acme-ml", "projectNumber": "7" if number else "8", "lifecycleState": "ACTIVE"}
    folder = {"name": "folders/10", "displayName": "ml", "parent": "organizations/1"}
    if parents:
        project["parent"] = {"type": "folder", "id": "10"}
    bucket = {"name": "//storage.googleapis.com/w", "assetType": "storage.googleapis.com/Bucket"}
    allows = [
        {**bucket, "project": "projects/acme-ml", "resource": "//storage.googleapis.com/w",
         "policy": {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}},
        {"name": f"{ASSETS}/projects/acme-ml", "assetType": "cloudresourcemanager.googleapis.com/Project",
         "iamPolicy": {"bindings": [{"role": "roles/iam.serviceAccountKeyAdmin", "members": [EVE]}]}},
    ]  # fmt: skip
    account = {"name": f"projects/acme-ml/serviceAccounts/{SA}", "email": SA, "projectId": "acme-ml"}
    files = {"projects_json": [project, folder] if parents else [project], "allows_json": allows}
    files |= {"accounts_json": [account], "policies_json": list(policies)}
    return assessed(**{name: json.dumps(value) for name, value in files.items()})


def public(*policies, **more):
    """In which state anyone reads the bucket; empty for not at all."""
    found = [one[3] for one in edges(estate(*policies, **more)) if one[:3] == ("internet", "reads", "w")]
    return found[0] if found else ""


HIERARCHY = [
    ([], "yes"),
    ([policy("projects/acme-ml", PREVENTION, True)], ""),
    ([policy("projects/7", PREVENTION, True)], ""),
    ([policy("folders/10", PREVENTION, True)], ""),
    ([policy("organizations/1", PREVENTION, True)], ""),
    ([policy("organizations/1", PREVENTION, True), policy("projects/7", PREVENTION, False)], "yes"),
    ([policy("organizations/1", PREVENTION, False), policy("folders/10", PREVENTION, True)], ""),
    ([policy("organizations/1", PREVENTION, True), policy("folders/10", PREVENTION, reset=True)], "yes"),
    ([policy("folders/99", PREVENTION, True)], "yes"),
    ([policy("projects/acme-other", PREVENTION, True)], "yes"),
    ([policy("organizations/1", "iam.allowedPolicyMemberDomains", {"values": {"allowedValues": ["C1"]}})], "yes"),
    ([{"name": f"projects/7/policies/{PREVENTION}", "dryRunSpec": {"rules": [{"enforce": True}]}}], "yes"),
]


@pytest.mark.parametrize(("policies", "expect"), HIERARCHY)
def test_the_nearest_policy_decides(policies, expect):
    assert public(*policies) == expect


CONDITION = {"expression": "resource.matchTag('1/env', 'prod')"}


@pytest.mark.parametrize(
    ("rules", "expect"),
    [
        ([True, {"enforce": False, "condition": CONDITION}], "unknown"),
        ([{"enforce": True, "condition": CONDITION}], "unknown"),
        ([True, {"enforce": True, "condition": CONDITION}], ""),
        ([False, {"enforce": False, "condition": CONDITION}], "yes"),
    ],
)
def test_a_rule_under_a_condition_on_tags_is_unknown(rules, expect):
    assert public(policy("projects/7", PREVENTION, *rules)) == expect


def test_a_policy_above_where_the_hierarchy_is_not_in_view_is_unknown():
    above = policy("organizations/1", PREVENTION, True)
    assert public(above, parents=False) == "unknown"
    assert public(policy("organizations/1", PREVENTION, False), parents=False) == "yes"
    assert public(above, policy("projects/7", PREVENTION, False), parents=False) == "yes"
    [edge] = [one for one in estate(above, parents=False).graph.edges if one.source == "internet"]
    assert edge.decides == (f"{PREVENTION}: whether acme-ml lies in organizations/1, where it is enforced",)


def test_a_policy_on_a_project_whose_number_nothing_names_is_unknown_for_a_project_without_one():
    assert public(policy("projects/7", PREVENTION, True), number=False) == "yes"  # that of acme-ml is 8
    tf = (
        'provider "google" {\n project = "acme-ml"\n}\nresource "google_storage_bucket" "b" {\n name = "w"\n}\n'
        'resource "google_storage_bucket_iam_member" "m" {\n bucket = google_storage_bucket.b.name\n'
        ' role = "roles/storage.objectViewer"\n member = "allUsers"\n}\n'
    )
    exported = json.dumps([policy("projects/7", PREVENTION, True)])
    assert ("internet", "reads", "w", "unknown") in edges(assessed(a_tf=tf, b_json=exported))


def test_the_older_form_and_the_inventory():
    older = {"constraint": f"constraints/{PREVENTION}", "booleanPolicy": {"enforced": True}}
    assert public(older) == "unknown"  # it does not say of what it is
    assert public(older, policy("projects/7", PREVENTION, False)) == "yes"
    listed = {"name": f"{ASSETS}/folders/10", "assetType": "x", "orgPolicy": [older], "ancestors": ["folders/10"]}
    assert public(listed) == ""
    off = {**listed, "orgPolicy": [{"constraint": f"constraints/{PREVENTION}", "booleanPolicy": {}}]}
    assert public(off) == "yes"
    asset = {
        "name": f"//orgpolicy.googleapis.com/projects/7/policies/{PREVENTION}",
        "assetType": "orgpolicy.googleapis.com/Policy",
        "resource": {"data": policy("projects/7", PREVENTION, True)},
    }
    assert public(asset) == ""


def keys(*policies, **more):
    """How eve comes to a key of the account, and in which state."""
    found = [one for one in estate(*policies, **more).graph.edges if (one.source, one.relation) == (EVE, "resets")]
    return {(one.how.partition(" (")[0], str(one.state)) for one in found}


def test_keys_of_accounts_are_made_or_uploaded_until_both_are_off():
    """Uploading one's own key asks for the permission of making one."""
    both = policy("folders/10", CREATION, True), policy("organizations/1", UPLOAD, True)
    assert keys() == {("it may make keys of it", "yes")}
    assert keys(both[0]) == {("it may upload a key of its own to it", "yes")}
    assert keys(both[1]) == {("it may make keys of it", "yes")}
    assert keys(*both) == set()
    assert keys(*both, parents=False) == {("it may upload a key of its own to it", "unknown")}
    managed = policy("folders/10", "iam.managed.disableServiceAccountKeyCreation", True)
    assert keys(managed, both[1]) == set()


TF = """
provider "google" {
  project = "acme-ml"
}
resource "google_folder" "f" {
  display_name = "ml"
  parent       = "organizations/1"
}
resource "google_project" "p" {
  name       = "acme-ml"
  project_id = "acme-ml"
  folder_id  = google_folder.f.name
}
resource "google_storage_bucket" "b" {
  name    = "w"
  project = google_project.p.project_id
}
resource "google_storage_bucket_iam_member" "m" {
  bucket = google_storage_bucket.b.name
  role   = "roles/storage.objectViewer"
  member = "allUsers"
}
"""
SPEC = ' spec {\n  rules {\n   enforce = "TRUE"\n  }\n }\n}\n'
BOOLEAN = f' constraint = "constraints/{PREVENTION}"\n boolean_policy {{\n  enforced = true\n }}\n}}\n'


@pytest.mark.parametrize(
    "text",
    [
        (
            f'"google_org_policy_policy" "x" {{\n name = "${{google_folder.f.name}}/policies/{PREVENTION}"\n'
            f" parent = google_folder.f.name\n{SPEC}"
        ),
        (
            f'"google_org_policy_policy" "x" {{\n name = "projects/${{google_project.p.number}}/policies/{PREVENTION}"\n'
            f' parent = "projects/${{google_project.p.number}}"\n{SPEC}'
        ),
        f'"google_organization_policy" "x" {{\n org_id = "1"\n{BOOLEAN}',
        f'"google_folder_organization_policy" "x" {{\n folder = google_folder.f.id\n{BOOLEAN}',
        f'"google_project_organization_policy" "x" {{\n project = google_project.p.project_id\n{BOOLEAN}',
    ],
)
def test_terraform(text):
    def seen(declared):
        assessment = assessed(main_tf=TF + declared)
        reads = [edge[3] for edge in edges(assessment) if edge[:3] == ("internet", "reads", "w")]
        return reads, "gcp-bucket-prevention" in {one.rule for one in assessment.findings}

    assert seen("") == (["yes"], True)
    assert seen(f"resource {text}") == ([], False)


def test_terraform_whose_place_is_not_in_the_files_is_unknown():
    text = (
        'variable "where" {}\nresource "google_org_policy_policy" "x" {\n'
        f' name = "${{var.where}}/policies/{PREVENTION}"\n parent = var.where\n'
    )
    alone = TF.replace("  folder_id  = google_folder.f.name\n", "") + text + SPEC
    assert ("internet", "reads", "w", "unknown") in edges(assessed(main_tf=alone))


BOUNDARY = {
    "name": "organizations/1/locations/global/principalAccessBoundaryPolicies/only-ml",
    "details": {"rules": [{"resources": [f"{ASSETS}/folders/10"], "effect": "ALLOW"}], "enforcementVersion": "3"},
}


def bound(target, resources=None):
    """The policy, and its binding to a principal set."""
    rules = [{"resources": resources or [f"{ASSETS}/folders/10"], "effect": "ALLOW"}]
    binding = {
        "name": "organizations/1/locations/global/policyBindings/b",
        "policy": BOUNDARY["name"],
        "policyKind": "PRINCIPAL_ACCESS_BOUNDARY",
        "target": {"principalSet": target},
    }
    return {**BOUNDARY, "details": {"rules": rules}}, binding


@pytest.mark.parametrize(
    ("policies", "expect"),
    [
        ((), "yes"),
        ((BOUNDARY,), "yes"),
        (bound(f"{ASSETS}/organizations/1"), "yes"),
        (bound(f"{ASSETS}/organizations/1", [f"{ASSETS}/projects/7"]), "yes"),
        (bound(f"{ASSETS}/organizations/1", [f"{ASSETS}/projects/other"]), "unknown"),
        (bound(f"{ASSETS}/projects/7", [f"{ASSETS}/projects/other"]), "yes"),
        (bound("//iam.googleapis.com/locations/global/workspace/C1", [f"{ASSETS}/projects/other"]), "unknown"),
    ],
)
def test_a_boundary_leaves_what_its_rules_have_and_the_rest_open(policies, expect):
    """Users are in the sets of organisations and workspaces, never in those of projects."""
    assert {state for _, state in keys(*policies)} == {expect}


def test_a_boundary_of_terraform_holds_the_accounts_of_a_project():
    text = """
provider "google" {
  project = "acme-ml"
}
resource "google_service_account" "sa" {
  account_id = "sa"
}
resource "google_storage_bucket" "b" {
  name = "w"
}
resource "google_storage_bucket_iam_member" "m" {
  bucket = google_storage_bucket.b.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.sa.member
}
resource "google_iam_principal_access_boundary_policy" "pab" {
  organization                         = "1"
  location                             = "global"
  principal_access_boundary_policy_id  = "pab"
  details {
    rules {
      effect    = "ALLOW"
      resources = ["//cloudresourcemanager.googleapis.com/projects/%s"]
    }
  }
}
resource "google_iam_projects_policy_binding" "b" {
  project           = "acme-ml"
  location          = "global"
  policy_kind       = "PRINCIPAL_ACCESS_BOUNDARY"
  policy_binding_id = "b"
  policy            = "organizations/1/locations/global/principalAccessBoundaryPolicies/${google_iam_principal_access_boundary_policy.pab.principal_access_boundary_policy_id}"
  target {
    principal_set = "//cloudresourcemanager.googleapis.com/projects/acme-ml"
  }
}
"""
    assert (SA, "reads", "w", "unknown") in edges(assessed(main_tf=text % "other"))
    assert (SA, "reads", "w", "yes") in edges(assessed(main_tf=text % "acme-ml"))


def test_a_workload_of_another_project_runs_as_an_account_where_the_policy_lets_it():
    def state(*policies):
        allows = [
            {"name": f"{ASSETS}/projects/{home}", "assetType": "cloudresourcemanager.googleapis.com/Project",
             "iamPolicy": {"bindings": [{"role": role, "members": [EVE]}]}}
            for home, role in (("acme-ml", "roles/iam.serviceAccountUser"), ("other", "roles/run.developer"))
        ]  # fmt: skip
        account = {"name": f"projects/acme-ml/serviceAccounts/{SA}", "email": SA, "projectId": "acme-ml"}
        found = assessed(a_json=json.dumps(allows), b_json=json.dumps([account]), c_json=json.dumps(list(policies)))
        return [edge[3] for edge in edges(found) if edge[1] == "passes-role"]

    constraint = "iam.disableCrossProjectServiceAccountUsage"
    assert state() == ["unknown"]
    assert state(policy("projects/acme-ml", constraint, False)) == ["yes"]
    assert state(policy("projects/acme-ml", constraint, True)) == []
    assert state(policy("projects/acme-ml", constraint, reset=True)) == []
