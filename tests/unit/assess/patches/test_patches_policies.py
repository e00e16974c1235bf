"""Written fixes of policies and keys in the many ways that people write them; and where none is written."""

from __future__ import annotations

import json

import pytest
from tests.support.patched_infra import NOW, all_patches, fixed, role, rules_of, tenant_role, text_of, tf

from assaymark.assess.engine import assess

DIGEST = "@sha256:" + "0" * 64


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
    assert any("tenant" in " ".join(one.crosses) for one in assess(given, NOW).ranked.paths)
    after = fixed(given, "aws-tenant-reads-other")
    again = assess(after, NOW)
    assert "aws-tenant-reads-other" not in {one.rule for one in again.findings}
    assert not [one for one in again.ranked.paths if "tenant" in " ".join(one.crosses)]
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


def test_a_policy_of_several_tenants_names_buckets_by_the_tag() -> None:
    shared = SHARED % ("s3:GetObject", "arn:aws:s3:::acme-*-data/*")
    after = fixed(tf(BUCKETS + tenant_role("cedar") + shared), "aws-tenant-reads-other")
    again = assess(after, NOW)
    assert "aws-tenant-reads-other" not in {one.rule for one in again.findings}
    assert 'Resource = "arn:aws:s3:::acme-$${aws:PrincipalTag/tenant}-data/*"' in text_of(after)
    reads = {(one.source[-15:], one.target[13:]) for one in again.graph.edges if one.relation == "reads"}
    assert reads == {("birch-inference", "acme-birch-data"), ("cedar-inference", "acme-cedar-data")}


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
            BUCKETS
            + role("platform")
            + (SHARED % ("s3:GetObject", "arn:aws:s3:::acme-*-data/*")).replace("cedar", "platform"),
            id="nobody's role too",
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


def test_windows_lines_stay() -> None:
    text = (BUCKETS + HEREDOC).replace("\n", "\r\n")
    after = fixed(tf(text), "aws-tenant-reads-other")
    assert "aws-tenant-reads-other" not in rules_of(after)
    assert text_of(after).count("\n") == text_of(after).count("\r\n")


def test_statements_that_deny_or_are_about_others_keep_what_they_say() -> None:
    provider = 'resource "aws_iam_openid_connect_provider" "c" {\n'
    provider += '  url            = "https://oidc.eks.eu-west-1.amazonaws.com/id/AB"\n'
    provider += '  client_id_list = ["sts.amazonaws.com"]\n}\n'
    web = (
        'Action = "sts:AssumeRoleWithWebIdentity", Principal = { Federated = aws_iam_openid_connect_provider.c.arn }'
    )
    other = 'Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::444455556666:root" }'
    kept = [
        f'      {{ Effect = "Deny", {web}, Condition = {{ IpAddress = {{ "aws:SourceIp" = "10.0.0.0/8" }} }} }},',
        f'      {{ Effect = "Deny", {other}, Condition = {{ IpAddress = {{ "aws:SourceIp" = "10.0.0.0/8" }} }} }},',
        '      { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } },',
    ]
    statements = [f'      {{ Effect = "Allow", {web} }},', f'      {{ Effect = "Allow", {other} }},', *kept]
    lines = ['resource "aws_iam_role" "r" {', '  name = "r"', "  assume_role_policy = jsonencode({"]
    lines += ["    Statement = [", *statements, "    ]", "  })", "}", ""]
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: a\n  namespace: n\n  annotations:\n"
    account += "    eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/r\n"
    given = tf(provider + "\n".join(lines), a_yaml=account)
    for rule in ("aws-federation-audience", "aws-federation-subject", "aws-trust-external"):
        after = fixed(given, rule)
        assert text_of(after) != text_of(given), rule
        assert set(kept) <= set(text_of(after).splitlines()), rule
