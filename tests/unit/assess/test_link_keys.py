"""Long-lived keys lead from whatever holds them to whom or what they are of."""

from __future__ import annotations

import base64
import json

import pytest
from tests.support.source_estate import assessed_files

from assaymark.core.graph import State

ACCOUNT = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/ml/providers/Microsoft.Storage"
STORE = f"{ACCOUNT}/storageAccounts/weights"
KEY = base64.b64encode(bytes(range(7, 71))).decode()
TEXT = f"DefaultEndpointsProtocol=https;AccountName=weights;AccountKey={KEY};EndpointSuffix=core.windows.net"
POD = """apiVersion: v1
kind: Pod
metadata: {name: trainer, namespace: ml}
spec:
  containers:
  - name: main
    image: acme/trainer:1
    env:
    - {name: CONNECTION, value: "VALUE"}
"""
GOOGLE = json.dumps(
    {"type": "service_account", "client_email": "app@acme.iam.gserviceaccount.com", "private_key": "x" * 64}
)


def storage(**more: object) -> str:
    one = {"id": STORE, "type": "Microsoft.Storage/storageAccounts", "name": "weights", "location": "westeurope"}
    return json.dumps([{**one, **more}])


def edges(files: dict[str, str]) -> dict[tuple[str, str], str]:
    graph = assessed_files(files).graph
    return {(one.source, one.target): one.relation for one in graph.edges}


def test_a_pod_with_a_connection_string_opens_the_storage_account() -> None:
    drawn = edges({"pod.yaml": POD.replace("VALUE", TEXT), "azure.json": storage()})
    assert drawn["k8s:ml/pod/trainer", "azure:storage-key:weights"] == "holds-credential"
    assert ("azure:storage-key:weights", STORE.lower()) in drawn
    assert ("file:pod.yaml", "azure:storage-key:weights") in drawn


def test_an_account_that_takes_no_shared_keys_is_not_opened_by_one() -> None:
    drawn = edges({"pod.yaml": POD.replace("VALUE", TEXT), "azure.json": storage(allowSharedKeyAccess=False)})
    assert not [pair for pair in drawn if "storage-key" in pair[1]]


def signature(rights: str, until: str) -> str:
    return f"https://weights.blob.core.windows.net/models?sv=2024-11-04&sp={rights}&se={until}&sig=" + "aB3%2F" * 8


@pytest.mark.parametrize(
    ("rights", "until", "relations"),
    [
        ("rl", "2030-01-01T00%3A00%3A00Z", {"reads"}),
        ("rwdl", "2030-01-01T00%3A00%3A00Z", {"reads", "writes"}),
        ("rl", "2020-01-01T00%3A00%3A00Z", set()),
    ],
)
def test_a_signature_opens_what_it_says_until_it_ends(rights: str, until: str, relations: set[str]) -> None:
    graph = assessed_files(
        {"pod.yaml": POD.replace("VALUE", signature(rights, until)), "azure.json": storage()}
    ).graph
    assert {one.relation for one in graph.edges if one.source.startswith("azure:storage-")} == relations


def test_a_secret_with_a_key_of_google_and_the_pod_that_mounts_a_configuration() -> None:
    files = {
        "cluster.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: gcp, namespace: ml}\ndata:\n"
        f"  key.json: {base64.b64encode(GOOGLE.encode()).decode()}\n---\n"
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: storage, namespace: ml}\n"
        f'data:\n  url: "{TEXT}"\n---\n'
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ml}\nspec:\n  containers:\n"
        "  - {name: a, image: a, envFrom: [{configMapRef: {name: storage}}]}\n",
        "azure.json": storage(),
    }
    drawn = edges(files)
    target = "//iam.googleapis.com/projects/acme/serviceAccounts/app@acme.iam.gserviceaccount.com"
    assert drawn["k8s:ml/secret/gcp", target] == "holds-credential"
    assert drawn["k8s:ml/pod/p", "k8s:ml/configmap/storage"] == "mounts"
    assert drawn["k8s:ml/configmap/storage", "azure:storage-key:weights"] == "holds-credential"


def test_a_client_id_and_its_secret_are_the_application() -> None:
    client = "44444444-4444-4444-4444-444444444444"
    principal = [
        {
            "id": "22222222-2222-2222-2222-222222222222",
            "appId": client,
            "displayName": "ci",
            "servicePrincipalType": "Application",
        }
    ]
    files = {
        "sp.json": json.dumps(principal),
        ".env": f"AZURE_CLIENT_ID={client}\nAZURE_CLIENT_SECRET=kJx8Q~9rTk2vQx7LmZw3Bn6Vc1Hd4Js5Ga8Pf0\n",
    }
    found = assessed_files(files)
    target = next(one.target for one in found.graph.edges if one.source == "file:.env")
    assert target == "azure:principal:22222222-2222-2222-2222-222222222222"
    assert [one.rule for one in found.findings if one.rule.startswith("secret-")] == ["secret-cloud-key"]
    pod = POD.replace("CONNECTION", "AZURE_CLIENT_ID").replace("VALUE", client)
    pod += "    - {name: AZURE_CLIENT_SECRET, value: whatever-it-1s}\n"
    drawn = edges({"sp.json": files["sp.json"], "pod.yaml": pod})
    assert drawn["k8s:ml/pod/trainer", target] == "holds-credential"


TERRAFORM = """
resource "aws_iam_user" "ci" { name = "ci" }
resource "aws_iam_access_key" "ci" { user = aws_iam_user.ci.name }
resource "kubernetes_secret" "aws" {
  metadata {
    name      = "aws"
    namespace = "ml"
  }
  data = {
    id     = aws_iam_access_key.ci.id
    secret = aws_iam_access_key.ci.secret
  }
}
resource "aws_lambda_function" "score" {
  function_name = "score"
  role          = aws_iam_role.score.arn
  environment {
    variables = { SECRET = aws_iam_access_key.ci.secret }
  }
}
resource "aws_iam_role" "score" {
  name               = "score"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}
"""


def test_what_terraform_writes_a_key_into_holds_it() -> None:
    graph = assessed_files({"main.tf": TERRAFORM}).graph
    held = {one.source: one for one in graph.edges if one.relation == "holds-credential"}
    assert {one.target.rpartition("/")[2] for one in held.values()} == {"ci"}
    assert "k8s:ml/secret/aws" in held
    assert any(":function:score" in source for source in held)
    assert all(one.state is State.YES for one in held.values())
    assert {place.line for place in held["k8s:ml/secret/aws"].because} == {2, 10}


def test_an_examples_key_is_nobodys_unless_a_file_says_whose() -> None:
    pair = "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"
    found = assessed_files({".env": pair})
    assert [(one.rule, one.severity.name) for one in found.findings] == [("secret-aws-key", "LOW")]
    assert not found.graph.edges
    listed = json.dumps({"AccessKeyMetadata": [{"UserName": "ci", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}]})
    drawn = edges({".env": pair, "keys.json": listed, "main.tf": TERRAFORM})
    assert drawn["file:.env", "arn:aws:iam::000000000000:user/ci"] == "holds-credential"


@pytest.mark.parametrize(
    "text",
    [
        f"AZURE_STORAGE_ACCOUNT=weights\nAZURE_STORAGE_KEY={KEY}\n",
        f"azurestorageaccountname: weights\nazurestorageaccountkey: {KEY}\n",
        f'{{"account_name": "weights", "account_key": "{KEY}"}}',
    ],
)
def test_a_storage_key_as_two_values_opens_its_account(text: str) -> None:
    drawn = edges({"a.env": text, "s.json": storage()})
    assert drawn["file:a.env", "azure:storage-key:weights"] == "holds-credential"
    assert drawn["azure:storage-key:weights", STORE.lower()] in ("reads", "writes")
    assert not any("storage-key" in one for pair in edges({"a.env": text.replace(KEY, "<key>")}) for one in pair)


def test_the_emulators_key_is_nobodys() -> None:
    key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    found = assessed_files({".env": f"CONNECTION=AccountName=devstoreaccount1;AccountKey={key};"})
    assert not found.findings
    assert not found.graph.edges


def test_what_a_stored_policy_or_a_user_says_of_a_signature_is_not_known() -> None:
    start = "https://weights.blob.core.windows.net/models?sv=2022-11-02&sr=c"
    end = f"&sig={KEY.replace('=', '%3D')}"
    stored = assessed_files({"a.env": f"URL={start}&si=trainers{end}\n", "s.json": storage()}).graph
    off = storage(allowSharedKeyAccess=False)
    delegated = assessed_files({"a.env": f"URL={start}&sp=r&skoid=u{end}\n", "s.json": off}).graph
    for graph, words in ((stored, "stored access policy trainers"), (delegated, "who signed it")):
        (reads,) = [one for one in graph.edges if one.target == STORE.lower() and one.relation == "reads"]
        assert reads.state is State.UNKNOWN
        assert words in reads.decides[0]


def test_what_the_command_line_prints_of_a_new_principal_is_its_secret() -> None:
    client = "22222222-2222-2222-2222-222222222222"
    printed = {
        "appId": client,
        "displayName": "ci",
        "password": "Qx7~8Q~kXo2mP9vLr4Tz6Yb1Nw3Hs5Df7Jg0aC",
        "tenant": "t",
    }
    listed = {"id": "33333333-3333-3333-3333-333333333333", "appId": client, "servicePrincipalType": "Application"}
    drawn = edges({"ci.json": json.dumps(printed), "sp.json": json.dumps([{**listed, "displayName": "ci"}])})
    assert drawn["file:ci.json", f"azure:principal:{listed['id']}"] == "holds-credential"


def test_a_key_that_a_version_of_a_secret_holds_is_the_secret_s() -> None:
    text = """
resource "aws_iam_user" "ci" {
  name = "ci"
}
resource "aws_iam_access_key" "ci" {
  user = aws_iam_user.ci.name
}
resource "aws_secretsmanager_secret" "s" {
  name = "s"
}
resource "aws_secretsmanager_secret_version" "s" {
  secret_id     = aws_secretsmanager_secret.s.id
  secret_string = jsonencode({secret = aws_iam_access_key.ci.secret})
}
"""
    held = ("arn:aws:secretsmanager:us-east-1:000000000000:secret:s", "arn:aws:iam::000000000000:user/ci")
    assert edges({"main.tf": text})[held] == "holds-credential"


def test_a_template_writes_a_key_into_a_function() -> None:
    text = """Resources:
  User: {Type: AWS::IAM::User, Properties: {UserName: ci}}
  Key: {Type: AWS::IAM::AccessKey, Properties: {UserName: !Ref User}}
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: f
      Handler: a.h
      Environment: {Variables: {SECRET: !GetAtt Key.SecretAccessKey}}
"""
    held = ("arn:aws:lambda:us-east-1:000000000000:function:f", "arn:aws:iam::000000000000:user/ci")
    assert edges({"template.yaml": text})[held] == "holds-credential"


def test_a_state_file_says_whose_key_it_holds() -> None:
    key = "AKIA" + "QRSTUVWX234567YZ"
    user = {"name": "ci", "arn": "arn:aws:iam::111122223333:user/ci"}
    made = {"id": key, "user": "ci", "secret": "q7Rk2v9XbT4mZ1pL8sWn5cYd3fGh6JkAeUoIxBvN"}
    parts = [("aws_iam_user", user), ("aws_iam_access_key", made)]
    resources = [
        {"mode": "managed", "type": kind, "name": "ci", "instances": [{"attributes": values}]}
        for kind, values in parts
    ]
    state = json.dumps({"version": 4, "serial": 1, "resources": resources})
    found = {(one.source, one.target): one for one in assessed_files({"terraform.tfstate": state}).graph.edges}
    edge = found["file:terraform.tfstate", "arn:aws:iam::111122223333:user/ci"]
    assert edge.relation == "holds-credential"
    assert edge.state is State.YES
