"""Written fixes in the many ways that people write policies, resources and manifests; and where none is written."""

from __future__ import annotations

import json

import pytest
import yaml
from tests.unit.assess.test_patches_infra import NOW, all_patches, fixed, rules_of

from assaymark.assess.engine import assess
from assaymark.assess.files import SourceFile, source_file
from assaymark.assess.patch import Patch, apply_patches, unified
from assaymark.assess.terraform.written import written

DIGEST = "@sha256:" + "0" * 64
TRUST = """  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
  })
"""


def role(name: str, tags: str = "") -> str:
    return f'resource "aws_iam_role" "{name}" {{\n  name = "{name}-inference"\n{tags}{TRUST}}}\n'


def tenant_role(name: str) -> str:
    return role(name, f'  tags = {{ tenant = "{name}" }}\n')


def bucket(name: str) -> str:
    return f'resource "aws_s3_bucket" "{name}" {{\n  bucket = "acme-{name}-data"\n  tags   = {{ tenant = "{name}" }}\n}}\n'


def table(name: str, tags: str = "tenant") -> str:
    return f"""resource "aws_dynamodb_table" "{name}" {{
  name         = "sessions-{name}"
  hash_key     = "id"
  billing_mode = "PAY_PER_REQUEST"
  tags         = {{ {tags} = "{name}" }}
  attribute {{
    name = "id"
    type = "S"
  }}
}}
"""


def tf(text: str, **others: str) -> list[SourceFile]:
    more = [source_file(name.replace("_", "."), content.encode()) for name, content in others.items()]
    return [source_file("main.tf", text.encode()), *more]


def text_of(given: list[SourceFile], path: str = "main.tf") -> str:
    return next(one.text() for one in given if one.path == path)


BUCKETS = bucket("birch") + bucket("cedar") + tenant_role("birch")
TABLES = table("birch") + table("cedar") + tenant_role("birch")
READS = '"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::acme-*-data/*", "arn:aws:s3:::acme-logs/*"]'
HEREDOC = f"""resource "aws_iam_role_policy" "birch" {{
  role   = aws_iam_role.birch.id
  policy = <<-EOF
    {{
      "Version": "2012-10-17",
      "Statement": [
        {{ {READS} }}
      ]
    }}
  EOF
}}
"""
DOCUMENT = """data "aws_iam_policy_document" "birch" {
  statement {
    actions   = ["dynamodb:GetItem"]
    resources = ["arn:aws:dynamodb:*:*:table/sessions-*"]
  }
}
resource "aws_iam_role_policy" "birch" {
  role   = aws_iam_role.birch.id
  policy = data.aws_iam_policy_document.birch.json
}
"""
OF_A_FILE = """resource "aws_iam_role_policy" "birch" {
  role   = aws_iam_role.birch.id
  policy = file("policy.json")
}
"""
POLICY_FILE = f'{{\n  "Version": "2012-10-17",\n  "Statement": [{{ {READS} }}]\n}}\n'
CONDITIONED = """resource "aws_iam_role_policy" "birch" {
  role = aws_iam_role.birch.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "dynamodb:GetItem"
      Resource = "*"
      Condition = {
        StringEquals = {
          "aws:RequestedRegion" = "us-east-1"
        }
      }
    }]
  })
}
"""


@pytest.mark.parametrize(
    ("text", "others", "path", "expected"),
    [
        (
            BUCKETS + HEREDOC,
            {},
            "main.tf",
            '"Resource": ["${aws_s3_bucket.birch.arn}/*", "arn:aws:s3:::acme-logs/*"] }\n',
        ),
        (
            BUCKETS + OF_A_FILE,
            {"policy_json": POLICY_FILE},
            "policy.json",
            '"Resource": ["arn:aws:s3:::acme-birch-data/*", "arn:aws:s3:::acme-logs/*"] }]\n',
        ),
        (
            TABLES + DOCUMENT,
            {},
            "main.tf",
            (
                '    condition {\n      test     = "StringEquals"\n      variable = "aws:ResourceTag/tenant"\n'
                '      values   = ["&{aws:PrincipalTag/tenant}"]\n    }\n  }\n'
            ),
        ),
        (
            TABLES + CONDITIONED,
            {},
            "main.tf",
            (
                'StringEquals = {\n          "aws:ResourceTag/tenant" = "$${aws:PrincipalTag/tenant}"\n'
                '          "aws:RequestedRegion" = "us-east-1"\n'
            ),
        ),
    ],
    ids=["heredoc", "file", "policy-document", "condition-there"],
)
def test_a_role_is_kept_to_its_tenant(text: str, others: dict[str, str], path: str, expected: str) -> None:
    given = tf(text, **others)
    assert "aws-tenant-reads-other" in rules_of(given)
    after = fixed(given, "aws-tenant-reads-other")
    assert "aws-tenant-reads-other" not in rules_of(after)
    assert expected in text_of(after, path)
    if path.endswith(".json"):
        json.loads(text_of(after, path))


SHARED = """resource "aws_iam_policy" "reads" {
  name   = "reads"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "%s", Resource = "%s" }]
  })
}
resource "aws_iam_role_policy_attachment" "birch" {
  role       = aws_iam_role.birch.name
  policy_arn = aws_iam_policy.reads.arn
}
resource "aws_iam_role_policy_attachment" "cedar" {
  role       = aws_iam_role.cedar.name
  policy_arn = aws_iam_policy.reads.arn
}
"""
NAMED = """resource "aws_iam_role_policy" "birch" {
  role = aws_iam_role.birch.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "%s" }]
  })
}
"""


@pytest.mark.parametrize(
    ("text", "others", "path"), [(HEREDOC, {}, "main.tf"), (OF_A_FILE, {"policy_json": POLICY_FILE}, "policy.json")]
)
def test_a_finding_about_a_text_of_json_names_its_line(text: str, others: dict[str, str], path: str) -> None:
    given = tf(BUCKETS + text, **others)
    found = next(one for one in assess(given, NOW).findings if one.rule == "aws-tenant-reads-other")
    place = found.locations[0]
    assert place.path == path
    assert "s3:GetObject" in text_of(given, path).splitlines()[(place.line or 0) - 1]


def test_a_policy_of_several_tenants_asks_for_the_tag() -> None:
    shared = SHARED % ("dynamodb:GetItem", "arn:aws:dynamodb:*:*:table/sessions-*")
    given = tf(TABLES + tenant_role("cedar") + shared)
    after = fixed(given, "aws-tenant-reads-other")
    assert "aws-tenant-reads-other" not in rules_of(after)
    assert text_of(after).count("aws:ResourceTag/tenant") == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            BUCKETS + tenant_role("cedar") + SHARED % ("s3:GetObject", "arn:aws:s3:::acme-*-data/*"),
            id="names of two",
        ),
        pytest.param(BUCKETS + NAMED % "arn:aws:s3:::acme-cedar-data/*", id="the other's by name"),
        pytest.param(BUCKETS + NAMED % "*", id="everything"),
        pytest.param(
            BUCKETS + 'variable "p" {\n  default = "acme"\n}\n' + NAMED % "arn:aws:s3:::${var.p}-cedar-data/*",
            id="a variable",
        ),
    ],
)
def test_what_others_may_need_is_left(text: str) -> None:
    found = assess(tf(text), NOW)
    assert any(one.rule == "aws-tenant-reads-other" for one in found.findings)
    assert not all_patches(found, "aws-tenant-reads-other")


KEY = 'resource "aws_kms_key" "data" {\n  enable_key_rotation = true\n}\n'


def encrypted(name: str) -> str:
    return f"""resource "aws_s3_bucket_server_side_encryption_configuration" "{name}" {{
  bucket = aws_s3_bucket.{name}.id
  rule {{
    apply_server_side_encryption_by_default {{
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.data.arn
    }}
  }}
}}
"""


def own(name: str) -> str:
    return f"""resource "aws_iam_role_policy" "{name}" {{
  role = aws_iam_role.{name}.id
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{ Effect = "Allow", Action = "s3:GetObject", Resource = "${{aws_s3_bucket.{name}.arn}}/*" }}]
  }})
}}
"""


ENCRYPTED = KEY + "".join(bucket(one) + encrypted(one) for one in ("birch", "cedar"))
ROLES = "".join(tenant_role(one) + own(one) for one in ("birch", "cedar"))


def test_a_tenants_key_is_for_its_roles() -> None:
    after = fixed(tf(ENCRYPTED + ROLES), "aws-tenants-share-key")
    text = text_of(after)
    assert "aws-tenants-share-key" not in rules_of(after)
    assert "Principal = { AWS = [aws_iam_role.cedar.arn] }" in text
    assert text.count('data "aws_caller_identity" "current"') == 1
    assert '"kms:Decrypt"' in text
    graph = assess(after, NOW).graph
    decrypts = {
        (one.source[-15:], one.target.rpartition("/")[2]) for one in graph.edges if one.relation == "decrypts"
    }
    assert decrypts == {
        ("birch-inference", "<aws_kms_key.data_birch>"),
        ("cedar-inference", "<aws_kms_key.data_cedar>"),
    }


def test_a_key_that_others_use_too_stays_open_to_the_account() -> None:
    platform = role("platform") + own("birch").replace('"birch" {', '"platform" {').replace(
        "role.birch", "role.platform"
    )
    text = text_of(fixed(tf(ENCRYPTED + ROLES + platform), "aws-tenants-share-key"))
    assert "aws_kms_key.data_birch.arn" in text
    assert "Principal = { AWS = [aws_iam_role.birch.arn" not in text
    assert "Principal = { AWS = [aws_iam_role.cedar.arn] }" in text


def test_a_volume_keeps_its_key() -> None:
    volume = """resource "aws_ebs_volume" "cedar" {
  availability_zone = "eu-central-1a"
  size              = 10
  encrypted         = true
  kms_key_id        = aws_kms_key.data.arn
  tags              = { tenant = "cedar" }
}
"""
    found = assess(tf(KEY + bucket("birch") + encrypted("birch") + volume), NOW)
    assert not all_patches(found, "aws-tenants-share-key")


EKS = """provider "aws" {
  allowed_account_ids = ["111122223333"]
}
resource "aws_iam_openid_connect_provider" "eks" {
  url            = "https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"
  client_id_list = ["sts.amazonaws.com"]
}
resource "aws_iam_role" "trainer" {
  name = "trainer"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.eks.arn }
      Condition = {
        StringEquals = { "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE:aud" = "sts.amazonaws.com"%s }
      }
    }]
  })
}
"""
SUBJECT = ', "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE:sub" = "system:serviceaccount:training:trainer"'
ACCOUNT = """apiVersion: v1
kind: ServiceAccount
metadata:
  name: trainer
  namespace: training
"""
JOB = f"""apiVersion: batch/v1
kind: Job
metadata:
  name: train
  namespace: training
spec:
  template:
    spec:
      serviceAccountName: trainer
      containers:
        - name: train
          image: registry.example/train{DIGEST}
          env:
            - name: AWS_ACCESS_KEY_ID
              value: AKIAQ3EGRI7TXW5KSZ2M
            - name: AWS_SECRET_ACCESS_KEY
              value: "k8sKq0vJ3nVtXy7Rz1Lw9BdFh2MpQs4UaCeGiKo5"
            - name: EPOCHS
              value: "3"
"""


def test_a_pod_takes_on_the_role_that_trusts_its_account() -> None:
    given = tf(EKS % SUBJECT, account_yaml=ACCOUNT, job_yaml=JOB)
    assert {"secret-aws-key", "k8s-secret-in-manifest"} <= rules_of(given)
    after = fixed(given, "k8s-secret-in-manifest")
    assert not {"secret-aws-key", "k8s-secret-in-manifest"} & rules_of(after)
    assert "eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/trainer" in text_of(after, "account.yaml")
    assert "env:\n            - name: EPOCHS\n" in text_of(after, "job.yaml")


def test_a_pod_whose_role_nobody_knows_takes_a_secret() -> None:
    after = fixed(tf(EKS % "", account_yaml=ACCOUNT, job_yaml=JOB), "k8s-secret-in-manifest")
    assert "secretKeyRef" in text_of(after, "job.yaml")
    assert "role-arn" not in text_of(after, "account.yaml")


def test_a_role_takes_the_tokens_of_the_account_that_names_it() -> None:
    named = ACCOUNT + "  annotations:\n    eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/trainer\n"
    given = tf((EKS % SUBJECT).replace("training:trainer", "*:*"), account_yaml=named)
    assert not all_patches(assess(given, NOW), "aws-federation-subject")  # a subject that is there is somebody's wish
    given = tf(EKS % "", account_yaml=named)
    after = fixed(given, "aws-federation-subject")
    assert "aws-federation-subject" not in rules_of(after)
    assert (
        '"oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE:sub" = "system:serviceaccount:training:trainer"'
        in text_of(after)
    )


LISTENERS = """resource "aws_lb" "api" {
  name = "api"
}
resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.api.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/api/1"
  }
}
"""
ENCRYPTED_LISTENER = (
    LISTENERS.split("}\n", 1)[1].replace('"http"', '"https"').replace("= 80", "= 443").replace('"HTTP"', '"HTTPS"')
)


def test_plain_http_goes_on_to_the_listener_with_tls() -> None:
    after = fixed(tf(LISTENERS + ENCRYPTED_LISTENER), "aws-listener-plaintext")
    assert "aws-listener-plaintext" not in rules_of(after)
    assert 'type = "redirect"' in text_of(after)
    assert not all_patches(assess(tf(LISTENERS), NOW), "aws-listener-plaintext")


GROUP = """resource "aws_vpc" "ml" {
  cidr_block = "10.20.0.0/16"
}
resource "aws_security_group" "ray" {
  vpc_id = %s
  ingress {
    from_port   = 8265
    to_port     = 8265
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"""


def test_a_group_lets_its_own_network_in() -> None:
    after = fixed(tf(GROUP % "aws_vpc.ml.id"), "aws-security-group-open")
    assert "aws-security-group-open" not in rules_of(after)
    assert "cidr_blocks = [aws_vpc.ml.cidr_block]" in text_of(after)
    assert not all_patches(assess(tf(GROUP % '"vpc-1"'), NOW), "aws-security-group-open")


VAULT = """resource "azurerm_key_vault" "keys" {
  name                = "acme-keys"
  resource_group_name = "ml"
  location            = "westeurope"
  sku_name            = "standard"
  tenant_id           = "99999999-2222-3333-4444-555555555555"
%s}
"""


def test_a_vault_is_closed_only_where_some_network_is_let_in() -> None:
    rules = '  network_acls {\n    bypass         = "AzureServices"\n    default_action = "Allow"\n    ip_rules       = ["192.0.2.0/24"]\n  }\n'
    after = fixed(tf(VAULT % rules), "azure-vault-public")
    assert "azure-vault-public" not in rules_of(after)
    assert not all_patches(assess(tf(VAULT % ""), NOW), "azure-vault-public")


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            "aws-key-rotation",
            'variable "r" {\n  default = false\n}\nresource "aws_kms_key" "k" {\n  enable_key_rotation = var.r\n}\n',
        ),
        ("aws-key-rotation", 'resource "aws_kms_key" "k" { description = "d" }\n'),
        ("aws-bucket-plaintext", 'resource "aws_s3_bucket" "b" {\n  count  = 2\n  bucket = "b-${count.index}"\n}\n'),
        (
            "aws-sagemaker-plaintext",
            'resource "aws_iam_role" "r" {\n  name = "r"\n'
            + TRUST
            + '}\nresource "aws_sagemaker_model" "m" {\n  name = "m"\n'
            '  execution_role_arn = aws_iam_role.r.arn\n  primary_container {\n    image = "i"\n'
            '    environment = { HF_MODEL_ID = "a/b" }\n  }\n}\n',
        ),
    ],
)
def test_no_setting_is_written_that_somebody_else_decides(rule: str, text: str) -> None:
    found = assess(tf(text), NOW)
    assert any(one.rule == rule for one in found.findings)
    assert not all_patches(found, rule)


def test_a_block_without_a_line_gets_one() -> None:
    after = fixed(tf('resource "aws_kms_key" "k" {}\n'), "aws-key-rotation")
    assert text_of(after) == 'resource "aws_kms_key" "k" {\n  enable_key_rotation = true\n}\n'


def test_a_member_of_several_goes_alone() -> None:
    text = """resource "google_storage_bucket" "w" {
  name     = "acme-weights"
  location = "EU"
}
resource "google_storage_bucket_iam_binding" "readers" {
  bucket  = google_storage_bucket.w.name
  role    = "roles/storage.objectViewer"
  members = ["allUsers", "group:ml@example.com"]
}
"""
    after = fixed(tf(text), "gcp-public-data")
    assert "gcp-public-data" not in rules_of(after)
    assert '  members = ["group:ml@example.com"]\n' in text_of(after)


# manifests


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


# files as bytes


def test_lines_that_no_patch_is_about_keep_their_bytes() -> None:
    data = b"one\x0c\r\ntwo\n\xe2\x80\xa8three\nlast"
    assert (
        apply_patches(data, [Patch("t", "f", 2, 1, ("2",), safe=False)]) == b"one\x0c\r\n2\r\n\xe2\x80\xa8three\nlast"
    )


def test_additions_before_one_line_stand_together_and_none_within_what_is_replaced() -> None:
    patches = [
        Patch("a", "f", 2, 0, ("x",), safe=False),
        Patch("b", "f", 2, 0, ("y",), safe=False),
        Patch("aa", "f", 2, 0, ("x",), safe=False),
    ]
    assert apply_patches(b"1\n2\n", patches) == b"1\nx\ny\n2\n"
    patches = [Patch("a", "f", 2, 0, ("x",), safe=False), Patch("b", "f", 1, 2, ("y",), safe=False)]
    assert apply_patches(b"1\n2\n", patches) == b"1\nx\n2\n"


def test_a_diff_says_where_the_last_line_has_no_end() -> None:
    assert unified("f", b"a\nb", b"A\nb") == (
        "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-a\n+A\n b\n\\ No newline at end of file\n"
    )


def test_windows_lines_stay() -> None:
    text = (BUCKETS + HEREDOC).replace("\n", "\r\n")
    after = fixed(tf(text), "aws-tenant-reads-other")
    assert "aws-tenant-reads-other" not in rules_of(after)
    assert text_of(after).count("\n") == text_of(after).count("\r\n")


def test_a_file_is_parsed_once_however_many_findings_it_has() -> None:
    text = "".join(f'resource "aws_kms_key" "k{number}" {{\n  description = "k"\n}}\n' for number in range(300))
    found = assess(tf(text), NOW)
    written.cache_clear()
    assert len(all_patches(found, "aws-key-rotation")) == 300
    assert written.cache_info().misses == 1
