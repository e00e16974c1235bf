"""From a cluster to a cloud: whose tokens a role trusts, and what shows that an issuer is the cluster's.

Cases from the EKS User Guide, "IAM roles for service accounts" and "EKS Pod Identity".
"""

from __future__ import annotations

import json

import pytest
from tests.support.architectures import assessed, edges
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

ISSUER = "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
ROLE = "arn:aws:iam::111122223333:role/tracking"
ACCOUNT = """
apiVersion: v1
kind: ServiceAccount
metadata:
  name: %s
  namespace: tracking
  annotations: {%s}
"""
ANNOTATED = f"eks.amazonaws.com/role-arn: {ROLE}"


def role(subject: str, operator: str = "StringEquals") -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {operator: {f"{ISSUER}:sub": subject}, "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}}
        if operator != "StringEquals"
        else {operator: {f"{ISSUER}:sub": subject, f"{ISSUER}:aud": "sts.amazonaws.com"}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return json.dumps({"Role": {"RoleName": "tracking", "Arn": ROLE, "AssumeRolePolicyDocument": document}})


def crossings(**files: str) -> dict[str, State]:
    found = edges(assessed(**files), "federates", "/serviceaccount/", ROLE)
    return {edge.source.rpartition("/")[2]: edge.state for edge in found}


def test_an_account_that_names_the_role_shows_whose_issuer_it_is() -> None:
    trust = role("system:serviceaccount:tracking:mlflow")
    assert crossings(a_yaml=ACCOUNT % ("mlflow", ANNOTATED), b_json=trust) == {"mlflow": State.YES}


def test_without_that_the_cluster_may_be_another() -> None:
    trust = role("system:serviceaccount:tracking:mlflow")
    assessment = assessed(a_yaml=ACCOUNT % ("mlflow", ""), b_json=trust)
    (edge,) = edges(assessment, "federates", "/serviceaccount/", ROLE)
    assert edge.state is State.UNKNOWN
    assert ISSUER in edge.decides[0]


def test_a_pattern_lets_accounts_in_that_name_no_role() -> None:
    files = {
        "a_yaml": ACCOUNT % ("mlflow", ANNOTATED),
        "c_yaml": ACCOUNT % ("other", ""),
        "b_json": role("system:serviceaccount:tracking:*", "StringLike"),
    }
    assert crossings(**files) == {"mlflow": State.YES, "other": State.YES}


@pytest.mark.parametrize("subject", ["system:serviceaccount:tracking:other", "system:serviceaccount:tracking:*"])
def test_an_account_that_the_role_does_not_trust_gets_nothing_by_naming_it(subject: str) -> None:
    # an exact comparison with a wildcard trusts an account of that very name, which there cannot be
    assert crossings(a_yaml=ACCOUNT % ("mlflow", ANNOTATED), b_json=role(subject)) == {}


def test_a_role_that_the_input_does_not_hold_is_unknown() -> None:
    assessment = assessed(a_yaml=ACCOUNT % ("mlflow", ANNOTATED))
    (edge,) = edges(assessment, "federates", "/serviceaccount/mlflow", ROLE)
    assert edge.state is State.UNKNOWN
    assert any("tracking/mlflow" in gap for gap in assessment.reading.gaps)


def test_a_role_of_a_module_trusts_the_account_that_its_condition_names() -> None:
    terraform = """
    module "eks" {
      source = "terraform-aws-modules/eks/aws"
    }
    resource "aws_iam_role" "tracking" {
      name = "tracking"
      assume_role_policy = jsonencode({
        Version = "2012-10-17"
        Statement = [{
          Effect    = "Allow"
          Action    = "sts:AssumeRoleWithWebIdentity"
          Principal = { Federated = module.eks.oidc_provider_arn }
          Condition = { StringEquals = { "${module.eks.oidc_provider}:sub" = "system:serviceaccount:tracking:mlflow" } }
        }]
      })
    }
    """
    assessment = assessed(a_yaml=ACCOUNT % ("mlflow", ""), c_yaml=ACCOUNT % ("other", ""), main_tf=terraform)
    found = edges(assessment, "federates", "/serviceaccount/")
    assert [(edge.source.rpartition("/")[2], edge.state) for edge in found] == [("mlflow", State.UNKNOWN)]


def test_an_association_of_pod_identity() -> None:
    terraform = """
    resource "aws_iam_role" "tracking" {
      name = "tracking"
      assume_role_policy = jsonencode({
        Version = "2012-10-17"
        Statement = [{
          Effect    = "Allow"
          Action    = ["sts:AssumeRole", "sts:TagSession"]
          Principal = { Service = "pods.eks.amazonaws.com" }
        }]
      })
    }
    resource "aws_eks_pod_identity_association" "tracking" {
      cluster_name    = "ml"
      namespace       = "tracking"
      service_account = "mlflow"
      role_arn        = aws_iam_role.tracking.arn
    }
    """
    assessment = assessed(a_yaml=ACCOUNT % ("mlflow", ""), c_yaml=ACCOUNT % ("other", ""), main_tf=terraform)
    found = edges(assessment, "federates", "/serviceaccount/")
    assert [(edge.source.rpartition("/")[2], edge.state) for edge in found] == [("mlflow", State.YES)]


def test_a_workload_loads_what_a_bucket_holds() -> None:
    text = """
    apiVersion: v1
    kind: Pod
    metadata: {name: ranker, namespace: serving}
    spec:
      containers: [{name: c, image: "i@sha256:0", args: ["--model"], env: [{name: MODEL, value: "s3://weights/ranker"}]}]
    """
    bucket = 'resource "aws_s3_bucket" "w" {\n  bucket = "weights"\n}\n'
    found = edges(assessed(a_yaml=text, main_tf=bucket), "loaded-by")
    assert [(edge.source, edge.target) for edge in found] == [("arn:aws:s3:::weights", "k8s:serving/pod/ranker")]


@pytest.mark.parametrize(
    ("audience", "volume", "state"),
    [
        ("sts.amazonaws.com", "", State.YES),
        ("vault", "", State.UNKNOWN),
        ("vault", "vault", State.YES),
        ("vault", "other", State.UNKNOWN),
    ],
)
def test_the_audience_that_a_role_demands_is_one_that_pods_have_tokens_for(
    audience: str, volume: str, state: State
) -> None:
    issuer = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
    role = f"""
        resource "aws_iam_role" "r" {{
          name = "r"
          assume_role_policy = jsonencode({{ Statement = [{{
            Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity"
            Principal = {{ Federated = "arn:aws:iam::000000000000:oidc-provider/{issuer}" }}
            Condition = {{ StringEquals = {{
              "{issuer}:sub" = "system:serviceaccount:ml:web", "{issuer}:aud" = "{audience}"
            }} }}
          }}] }})
        }}
        """
    token = f"[{{serviceAccountToken: {{path: t, audience: {volume}}}}}]"
    pod = f"""
        apiVersion: v1
        kind: ServiceAccount
        metadata:
          name: web
          namespace: ml
          annotations: {{eks.amazonaws.com/role-arn: "arn:aws:iam::000000000000:role/r"}}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {{name: web, namespace: ml}}
        spec:
          serviceAccountName: web
          containers: [{{name: c, image: r/web}}]
          volumes: [{{name: t, projected: {{sources: {token if volume else "[]"}}}}}]
        """
    found = assessed_files({"main.tf": role, "k.yaml": pod})
    [edge] = [
        one for one in found.graph.edges if one.source == "k8s:ml/serviceaccount/web" and "role/r" in one.target
    ]
    assert edge.state is state


CLIENT = "55555555-5555-5555-5555-555555555555"
OF_AZURE = """
resource "azurerm_user_assigned_identity" "id" {
  name = "id"
  resource_group_name = "ml"
  location = "westeurope"
}
resource "azurerm_federated_identity_credential" "f" {
  name = "f"
  parent_id = azurerm_user_assigned_identity.id.id
  issuer = "https://oidc.example/1/"
  subject = "system:serviceaccount:tracking:mlflow"
  audience = ["api://AzureADTokenExchange"]
}
"""
ANNOTATION = "azure.workload.identity/client-id: <azurerm_user_assigned_identity.id.client_id>"
WORKLOAD = """
apiVersion: %s
kind: %s
metadata: {name: train, namespace: tracking}
spec:
  selector: {matchLabels: {app: train}}
  template:
    metadata:
      labels: {app: train%s}
    spec:
      serviceAccountName: mlflow
      %s
      containers: [{name: c, image: "acme/train:1"}]
"""
LABELLED = ', azure.workload.identity/use: "true"'
PROJECTED = "volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t, audience: AUDIENCE}}]}}]"
BOUND = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: tracking}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: b}
subjects: [{kind: ServiceAccount, name: mlflow, namespace: tracking}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: b, namespace: tracking}
rules: [{apiGroups: [""], resources: [RESOURCE], verbs: [create]}]
"""
MUTATES = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: label}
spec:
  rules:
  - name: label
    mutate:
      patchStrategicMerge: {metadata: {labels: {azure.workload.identity/use: "true"}}}
"""


def azure_state(
    *, more: str = "", label: str = "", pod: str = "", kind: str = "Deployment", api: str = "apps/v1"
) -> State:
    """How the workload comes to the identity: certainly, perhaps, or not."""
    files = {
        "main.tf": OF_AZURE,
        "account.yaml": ACCOUNT % ("mlflow", ANNOTATION),
        "work.yaml": WORKLOAD % (api, kind, label, pod),
        **({"more.yaml": more} if more else {}),
    }
    found = assessed_files(files)
    target = next(one for one in found.graph.nodes if one.startswith("azure:principal:"))
    source = f"k8s:tracking/{kind.lower()}/train"
    certain = {source}
    reached = {source}
    for _ in found.graph.edges:
        for edge in found.graph.edges:
            if edge.relation in ("runs-as", "federates", "passes-role", "impersonates"):
                reached |= {edge.target} if edge.source in reached else set()
                certain |= {edge.target} if edge.source in certain and edge.state is State.YES else set()
    return State.YES if target in certain else State.UNKNOWN if target in reached else State.NO


@pytest.mark.parametrize(
    ("state", "given"),
    [
        (State.NO, {}),
        (State.YES, {"label": LABELLED}),
        (State.NO, {"label": ', azure.workload.identity/use: "false"'}),
        (State.YES, {"label": LABELLED, "pod": "automountServiceAccountToken: false"}),
        (State.NO, {"pod": "automountServiceAccountToken: false"}),
        (State.YES, {"pod": PROJECTED.replace("AUDIENCE", '"api://AzureADTokenExchange"')}),
        (State.NO, {"pod": PROJECTED.replace("AUDIENCE", "vault")}),
        (State.YES, {"more": BOUND.replace("RESOURCE", "serviceaccounts/token")}),
        (State.YES, {"more": BOUND.replace("RESOURCE", "pods")}),
        (State.NO, {"more": BOUND.replace("RESOURCE", "services")}),
        (State.UNKNOWN, {"more": MUTATES}),
        (State.UNKNOWN, {"kind": "SomeJob", "api": "example.com/v1"}),
        (State.NO, {"kind": "Job", "api": "batch/v1"}),
    ],
)
def test_a_pod_holds_a_token_for_azure_by_its_label_alone(state: State, given: dict[str, str]) -> None:
    assert azure_state(**given) is state
