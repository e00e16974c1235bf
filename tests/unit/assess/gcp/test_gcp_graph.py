"""What an architecture on Google Cloud comes to: who reaches what, from Terraform and from exports."""

from __future__ import annotations

import json

import pytest
from tests.support.clouds import assessed, edges

HEAD = (
    'provider "google" {\n project = "acme-ml"\n}\nresource "google_service_account" "sa" {\n account_id = "sa"\n}\n'
)
SA = "sa@acme-ml.iam.gserviceaccount.com"
CI = "ci@acme-ml.iam.gserviceaccount.com"


def member(role, who="serviceAccount:ci@acme-ml.iam.gserviceaccount.com", extra=""):
    return (
        f'resource "google_project_iam_member" "m{abs(hash((role, who, extra)))}" {{\n project = "acme-ml"\n role = "{role}"\n'
        f' member = "{who}"\n{extra}}}\n'
    )


def test_act_as_and_a_way_to_deploy_is_the_account_and_one_alone_is_not():
    both = edges(assessed(main_tf=HEAD + member("roles/iam.serviceAccountUser") + member("roles/run.developer")))
    assert (CI, "passes-role", SA, "yes") in both
    only = edges(assessed(main_tf=HEAD + member("roles/iam.serviceAccountUser")))
    assert not any(edge[1] == "passes-role" for edge in only)
    deploy = edges(assessed(main_tf=HEAD + member("roles/run.developer")))
    assert not any(edge[1] == "passes-role" for edge in deploy)


def test_tokens_keys_and_policies_of_an_account():
    assert (CI, "impersonates", SA, "yes") in edges(
        assessed(a_tf=HEAD + member("roles/iam.serviceAccountTokenCreator"))
    )
    assert (CI, "resets", SA, "yes") in edges(assessed(a_tf=HEAD + member("roles/iam.serviceAccountKeyAdmin")))
    assert (CI, "escalates", SA, "yes") in edges(assessed(a_tf=HEAD + member("roles/iam.serviceAccountAdmin")))


def test_who_sets_the_policy_of_the_project_administers_it():
    found = edges(assessed(a_tf=HEAD + member("roles/resourcemanager.projectIamAdmin")))
    assert (CI, "escalates", "gcp:acme-ml:administrator", "yes") in found
    found = edges(assessed(a_tf=HEAD + member("roles/owner")))
    assert (CI, "administers", "gcp:acme-ml:administrator", "yes") in found


def test_who_changes_its_own_custom_role_may_do_everything_where_it_has_it():
    role = (
        'resource "google_project_iam_custom_role" "r" {\n role_id = "ops"\n title = "x"\n permissions = ["iam.roles.update"]\n}\n'
        'resource "google_project_iam_member" "r" {\n project = "acme-ml"\n role = google_project_iam_custom_role.r.id\n'
        f' member = "serviceAccount:{CI}"\n}}\n'
    )
    assert (CI, "escalates", "gcp:acme-ml:administrator", "yes") in edges(assessed(a_tf=HEAD + role))


def test_a_vertex_user_runs_code_as_the_agent_that_has_the_projects_data():
    agent = "service-12@gcp-sa-aiplatform-cc.iam.gserviceaccount.com"
    text = (
        HEAD
        + member("roles/aiplatform.user")
        + member("roles/aiplatform.customCodeServiceAgent", f"serviceAccount:{agent}")
    )
    bucket = 'resource "google_storage_bucket" "b" {\n name = "acme-weights"\n location = "EU"\n}\n'
    found = edges(assessed(a_tf=text + bucket))
    assert (CI, "passes-role", agent, "yes") in found
    assert (agent, "reads", "acme-weights", "yes") in found
    assert (CI, "reads", "acme-weights", "yes") not in found


def test_a_condition_that_is_over_gives_nothing_and_an_open_one_is_unknown():
    over = ' condition {\n title = "x"\n expression = "request.time < timestamp(\\"2026-01-01T00:00:00Z\\")"\n }\n'
    tag = ' condition {\n title = "x"\n expression = "resource.matchTag(\\"1/e\\", \\"p\\")"\n }\n'
    role = "roles/iam.serviceAccountTokenCreator"
    assert not any(edge[1] == "impersonates" for edge in edges(assessed(a_tf=HEAD + member(role, extra=over))))
    found = assessed(a_tf=HEAD + member(role, extra=tag))
    assert (CI, "impersonates", SA, "unknown") in edges(found)
    assert any("matchTag" in text for edge in found.graph.edges for text in edge.decides)


def test_delegation_gives_the_tokens_of_the_next_account():
    accounts = 'resource "google_service_account" "b" {\n account_id = "b"\n}\n'
    chain = (
        'resource "google_service_account_iam_member" "one" {\n service_account_id = google_service_account.sa.name\n'
        ' role = "projects/acme-ml/roles/delegate"\n member = "user:eve@acme.example"\n}\n'
        'resource "google_project_iam_custom_role" "d" {\n role_id = "delegate"\n title = "x"\n'
        ' permissions = ["iam.serviceAccounts.implicitDelegation"]\n}\n'
        'resource "google_service_account_iam_member" "two" {\n service_account_id = google_service_account.b.name\n'
        ' role = "roles/iam.serviceAccountTokenCreator"\n member = google_service_account.sa.member\n}\n'
    )
    found = edges(assessed(a_tf=HEAD + accounts + chain))
    assert ("user:eve@acme.example", "impersonates", "b@acme-ml.iam.gserviceaccount.com", "yes") in found


POOL = """
resource "google_iam_workload_identity_pool" "p" {
  workload_identity_pool_id = "ci"
}
resource "google_iam_workload_identity_pool_provider" "g" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.p.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  attribute_mapping = {
    "google.subject" = "assertion.sub"
    "attribute.repository" = "assertion.repository"
  }
  %s
  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}
resource "google_service_account_iam_member" "w" {
  service_account_id = google_service_account.sa.name
  role = "roles/iam.workloadIdentityUser"
  member = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.p.name}/%s"
}
"""
GITHUB = "oidc:token.actions.githubusercontent.com"


def lets_in(condition, selected):
    found = assessed(a_tf=HEAD + POOL % (condition, selected))
    return {(edge.source, str(edge.state)) for edge in found.graph.edges if edge.source.startswith("oidc:")}, found


def test_a_pool_lets_in_what_its_binding_selects_and_its_condition_leaves():
    owner = "attribute_condition = \"assertion.repository_owner == 'acme'\""
    repository = "attribute.repository/acme/models"
    assert lets_in(owner, repository)[0] == {(f"{GITHUB}:repo:acme/models:*", "yes")}
    assert lets_in(owner, "attribute.repository/evil/models")[0] == set()
    assert lets_in(owner, "*")[0] == {(f"{GITHUB}:repo:acme/*", "yes")}
    main = "attribute_condition = \"assertion.ref == 'refs/heads/main'\""
    assert lets_in(main, repository)[0] == {(f"{GITHUB}:repo:acme/models:ref:refs/heads/main", "yes")}
    subject = "attribute_condition = \"assertion.environment == 'prod' || assertion.actor in ['ada']\""
    assert lets_in(subject, repository)[0] == {(f"{GITHUB}:repo:acme/models:*", "unknown")}


def test_a_whole_pool_without_a_condition_is_open_to_everyone_of_the_issuer():
    sources, found = lets_in("", "*")
    assert sources == {(f"{GITHUB}:*", "yes")}
    assert found.graph.nodes[f"{GITHUB}:*"].props["entry"] == "outside"
    assert any(path.source.id == f"{GITHUB}:*" for path in found.ranked.paths) or found.ranked.pairs == 0


def test_a_cluster_account_has_the_member_of_the_pool_and_no_other_account_has():
    binding = (
        'resource "google_service_account_iam_member" "k" {\n service_account_id = google_service_account.sa.name\n'
        ' role = "roles/iam.workloadIdentityUser"\n member = "serviceAccount:acme-ml.svc.id.goog[ml/trainer]"\n}\n'
    )
    accounts = "".join(
        f"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n  namespace: ml\n{note}---\n"
        for name, note in (("trainer", f"  annotations:\n    iam.gke.io/gcp-service-account: {SA}\n"), ("other", ""))
    )
    found = edges(assessed(a_tf=HEAD + binding, b_yaml=accounts))
    assert ("trainer", "federates", "trainer]", "yes") in found
    assert ("trainer]", "impersonates", SA, "yes") in found
    assert not any(edge[0] == "other" for edge in found)
    bare = accounts.replace(f"  annotations:\n    iam.gke.io/gcp-service-account: {SA}\n", "")
    assert ("trainer", "federates", "trainer]", "unknown") in edges(assessed(a_tf=HEAD + binding, b_yaml=bare))


def test_an_aws_role_becomes_the_account_that_a_pool_gives_it():
    text = """
resource "google_iam_workload_identity_pool" "p" {
  workload_identity_pool_id = "aws"
}
resource "google_iam_workload_identity_pool_provider" "a" {
  workload_identity_pool_id = google_iam_workload_identity_pool.p.workload_identity_pool_id
  workload_identity_pool_provider_id = "aws"
  aws {
    account_id = "111122223333"
  }
}
resource "google_service_account_iam_member" "w" {
  service_account_id = google_service_account.sa.name
  role = "roles/iam.workloadIdentityUser"
  member = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.p.name}/attribute.aws_role/arn:aws:sts::111122223333:assumed-role/train"
}
"""
    roles = {
        "RoleDetailList": [
            {"Arn": f"arn:aws:iam::111122223333:role/{name}", "AssumeRolePolicyDocument": {"Statement": []}}
            for name in ("train", "other")
        ]
    }
    found = edges(assessed(a_tf=HEAD + text, b_json=json.dumps(roles)))
    assert ("train", "federates", "train", "yes") in found
    assert not any(edge[0] == "other" and edge[1] == "federates" for edge in found)


@pytest.mark.parametrize(
    ("mapping", "condition", "selected", "state"),
    [
        ("assertion.arn.extract('assumed-role/{role}/')", "", "attribute.role/train", "yes"),
        ("assertion.arn.extract('assumed-role/{role}/')", "", "attribute.role/other", None),
        ("assertion.arn.extract('assumed-role/{role}/')", "attribute.role == 'train'", "*", "yes"),
        ("assertion.arn.extract('assumed-role/{role}/')", "attribute.role == 'serve'", "*", None),
        (
            "assertion.account",
            "assertion.arn.startsWith('arn:aws:sts::111122223333:assumed-role/train/')",
            "*",
            "yes",
        ),
        ("assertion.account", "", "attribute.role/111122223333", "yes"),
        ("assertion.account", "", "attribute.role/444455556666", None),
        ("assertion.account", "", "subject/arn:aws:sts::111122223333:assumed-role/train/job", "unknown"),
        ("assertion.account", "assertion.arn.endsWith('/job')", "*", "unknown"),
    ],
)
def test_what_a_pool_makes_of_a_role_of_aws_decides(mapping, condition, selected, state):
    kind = "principal" if selected.startswith("subject") else "principalSet"
    text = f"""
resource "google_iam_workload_identity_pool" "p" {{
  workload_identity_pool_id = "aws"
}}
resource "google_iam_workload_identity_pool_provider" "a" {{
  workload_identity_pool_id = google_iam_workload_identity_pool.p.workload_identity_pool_id
  workload_identity_pool_provider_id = "aws"
  attribute_mapping = {{
    "google.subject" = "assertion.arn"
    "attribute.role" = "{mapping}"
  }}
  {f'attribute_condition = "{condition}"' if condition else ""}
  aws {{
    account_id = "111122223333"
  }}
}}
resource "google_service_account_iam_member" "w" {{
  service_account_id = google_service_account.sa.name
  role = "roles/iam.workloadIdentityUser"
  member = "{kind}://iam.googleapis.com/${{google_iam_workload_identity_pool.p.name}}/{selected}"
}}
"""
    roles = {"RoleDetailList": [{"Arn": "arn:aws:iam::111122223333:role/train", "AssumeRolePolicyDocument": {}}]}
    drawn = assessed(a_tf=HEAD + text, b_json=json.dumps(roles)).graph.edges
    states = [str(one.state) for one in drawn if one.relation == "federates" and one.source.endswith("role/train")]
    assert states == ([state] if state else [])


def test_exports_say_the_same_as_terraform():
    policy = {
        "bindings": [
            {"role": "roles/iam.serviceAccountUser", "members": [f"serviceAccount:{CI}"]},
            {"role": "roles/run.developer", "members": [f"serviceAccount:{CI}"]},
        ],
        "etag": "x",
    }
    accounts = [
        {"name": f"projects/acme-ml/serviceAccounts/{SA}", "email": SA, "projectId": "acme-ml", "uniqueId": "9"}
    ]
    found = assessed(policy_json=json.dumps(policy), accounts_json=json.dumps(accounts))
    assert (CI, "passes-role", SA, "yes") in edges(found)
    assert {"policy.json", "accounts.json"} <= found.reading.read
    assert any("does not say whose policy" in gap for gap in found.reading.gaps)


def test_asset_lines_carry_the_hierarchy_and_the_policy():
    lines = [
        {
            "name": "//storage.googleapis.com/acme-weights",
            "asset_type": "storage.googleapis.com/Bucket",
            "iam_policy": {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]},
            "ancestors": ["projects/7", "folders/2", "organizations/1"],
        },
        {
            "name": "//storage.googleapis.com/acme-weights",
            "asset_type": "storage.googleapis.com/Bucket",
            "resource": {"data": {"name": "acme-weights", "labels": {"env": "prod"}}},
            "ancestors": ["projects/7", "folders/2", "organizations/1"],
        },
        {
            "name": "//cloudresourcemanager.googleapis.com/folders/2",
            "asset_type": "cloudresourcemanager.googleapis.com/Folder",
            "iam_policy": {"bindings": [{"role": "roles/storage.admin", "members": ["user:eve@acme.example"]}]},
            "ancestors": ["folders/2", "organizations/1"],
        },
    ]
    found = edges(assessed(assets_json="\n".join(json.dumps(line) for line in lines)))
    assert ("internet", "reads", "acme-weights", "yes") in found
    assert ("user:eve@acme.example", "writes", "acme-weights", "yes") in found


def test_public_access_prevention_closes_what_a_binding_opens():
    opened = (
        'resource "google_storage_bucket" "b" {\n name = "w"\n location = "EU"\n%s}\n'
        'resource "google_storage_bucket_iam_member" "m" {\n bucket = google_storage_bucket.b.name\n'
        ' role = "roles/storage.objectViewer"\n member = "allUsers"\n}\n'
    )
    assert ("internet", "reads", "w", "yes") in edges(assessed(a_tf=HEAD + opened % ""))
    closed = edges(assessed(a_tf=HEAD + opened % ' public_access_prevention = "enforced"\n'))
    assert not any(edge[0] == "internet" for edge in closed)


def test_a_deny_policy_stands_before_the_owner():
    deny = (
        'resource "google_iam_deny_policy" "d" {\n name = "x"\n'
        ' parent = "cloudresourcemanager.googleapis.com%2Fprojects%2Facme-ml"\n rules {\n deny_rule {\n'
        ' denied_principals = ["principalSet://goog/public:all"]\n'
        ' denied_permissions = ["iam.googleapis.com/serviceAccounts.getAccessToken"]\n }\n }\n}\n'
    )
    text = HEAD + member("roles/iam.serviceAccountOpenIdTokenCreator") + member("roles/iam.workloadIdentityUser")
    assert (CI, "impersonates", SA, "yes") in edges(assessed(a_tf=text))
    assert not any(edge[1] == "impersonates" for edge in edges(assessed(a_tf=text + deny)))


LASTING = """
provider "google" {
  project = "ml"
}
resource "google_storage_bucket" "w" {
  name = "weights"
}
resource "google_service_account" "sa" {
  account_id = "sa"
}
resource "google_storage_bucket_iam_member" "sa" {
  bucket = google_storage_bucket.w.name
  role   = "roles/storage.admin"
  member = google_service_account.sa.member
}
resource "google_project_iam_member" "own" {
  project = "ml"
  role    = "roles/owner"
  member  = "user:ann@acme.example"
}
resource "google_iam_deny_policy" "d" {
  parent = urlencode("cloudresourcemanager.googleapis.com/projects/ml")
  name   = "d"
  rules {
    deny_rule {
      denied_principals  = ["%s"]
      denied_permissions = ["storage.googleapis.com/objects.get"]
      EXCEPT
    }
  }
}
"""
EVERYONE = "principalSet://goog/public:all"


@pytest.mark.parametrize(
    ("who", "excepted", "relation", "state"),
    [
        (EVERYONE, "", "reads", None),
        ("principal://goog/subject/bob@acme.example", "", "permissions", "yes"),
        (EVERYONE, "principal://goog/subject/bob@acme.example", "reads", "unknown"),
        (EVERYONE, "principal://iam.googleapis.com/projects/-/serviceAccounts/sa@ml.iam.gserviceaccount.com",
         "permissions", "yes"),
    ],
)  # fmt: skip
def test_who_may_set_a_policy_gets_nothing_that_a_deny_policy_denies_to_all(who, excepted, relation, state):
    text = (LASTING % who).replace("EXCEPT", f'exception_principals = ["{excepted}"]' if excepted else "")
    graph = edges(assessed(a_tf=text))
    account = "sa@ml.iam.gserviceaccount.com"
    found = {edge[3] for edge in graph if edge[:3] == (account, relation, "weights")}
    assert found == ({state} if state else set())
    if state is None:
        assert (account, "governs", "weights", "yes") in graph
        assert (account, "writes", "weights", "yes") in graph
        owner = {edge[1] for edge in graph if edge[0].endswith("administrator") and edge[2] == "weights"}
        assert owner == {"governs", "writes"}


OF_POOL = """
provider "google" {
  project = "ml"
}
resource "google_service_account" "sa" {
  account_id = "sa"
}
resource "google_service_account_iam_member" "wif" {
  service_account_id = google_service_account.sa.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/projects/%s/locations/global/workloadIdentityPools/gh/attribute.repository/a/b"
}
resource "google_project_iam_custom_role" "own" {
  role_id     = "own"
  permissions = ["iam.googleapis.com/workloadIdentityPoolProviders.update"]
}
resource "google_project_iam_member" "eve" {
  project = "ml"
  role    = "%s"
  member  = "user:eve@acme.example"
}
"""


@pytest.mark.parametrize(
    ("home", "role", "state"),
    [
        ("ml", "roles/iam.workloadIdentityPoolAdmin", "yes"),
        ("ml", "projects/ml/roles/own", "yes"),
        ("1234567890", "roles/iam.workloadIdentityPoolAdmin", "unknown"),
        ("ml", "roles/iam.workloadIdentityPoolViewer", None),
        ("other", "roles/iam.workloadIdentityPoolAdmin", None),
    ],
)
def test_who_adds_a_provider_to_a_pool_is_whoever_it_likes_there(home, role, state):
    graph = edges(assessed(a_tf=OF_POOL % (home, role)))
    found = {edge[3] for edge in graph if edge[0] == "user:eve@acme.example" and edge[1] == "resets"}
    assert found == ({state} if state else set())
    assert ("b", "impersonates", "sa@ml.iam.gserviceaccount.com", "yes") in graph


def test_keys_of_cloud_storage_are_keys_of_the_account_there():
    text = OF_POOL % ("ml", "roles/storage.hmacKeyAdmin")
    graph = edges(assessed(a_tf=text))
    assert ("user:eve@acme.example", "resets", "sa@ml.iam.gserviceaccount.com", "unknown") in graph
