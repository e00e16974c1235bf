"""Secrets are found by their shape or name, never shown, and tied to whom they belong."""

from __future__ import annotations

import base64
import json

import pytest
from tests.support.source_estate import assessed_files

from assaymark.assess.source.held_keys import account_of
from assaymark.core.graph import State

KEY, SECRET = "AKIAQ3EGRWVX5NTHZKLD", "f9K2mQ7xVb3LpR8sTz1WnY6uJc4HdE0gAoIiMkPq"
PAIR = f"AWS_ACCESS_KEY_ID={KEY}\nAWS_SECRET_ACCESS_KEY={SECRET}\n"
USER = "arn:aws:iam::058264237423:user/trainer"
DETAILS = json.dumps(
    {
        "UserDetailList": [
            {"UserName": "trainer", "Arn": USER, "UserId": "AIDA1", "Path": "/", "UserPolicyList": [], "GroupList": [], "AttachedManagedPolicies": []},
            {"UserName": "other", "Arn": "arn:aws:iam::058264237423:user/other", "UserId": "AIDA2", "Path": "/", "UserPolicyList": [], "GroupList": [], "AttachedManagedPolicies": []},
        ],
        "GroupDetailList": [], "RoleDetailList": [], "Policies": [],
    }
)  # fmt: skip


def secrets(files: dict[str, str]) -> set[str]:
    return {one.rule for one in assessed_files(files).findings if one.rule.startswith(("secret-", "build-secret"))}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (PAIR, "secret-aws-key"),
        ("token = 'ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8" + "'", "secret-token"),
        ("HF = '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'", "secret-token"),
        ("key = 'sk-proj-Zk3Jd92kLs0QmVx7Tb4Rw8Yp1Nc6Hf5Gd'", "secret-token"),
        ("url = 'xoxb-293847561029-Kd82kLs0QmVx7Tb4Rw8Yp1Nc'", "secret-token"),
        ("DB = 'postgresql://app:9rTk2vQx@db.acme.io/x'", "secret-password"),
        ("DB_PASSWORD = '9rTk2vQx'", "secret-password"),
        ("conn = connect(host='a', password='9rTk2vQx7L')", "secret-password"),
        ("TOKEN=npm_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", "secret-token"),
        ("client_secret: str = 'kJx8Q~9rTk2vQx7LmZw3Bn6Vc1Hd4Js5Ga8Pf0'", "secret-cloud-key"),
    ],
)
def test_what_is_one(text: str, rule: str) -> None:
    assert rule in secrets({"settings.py": text})


@pytest.mark.parametrize(
    "text",
    [
        "key_id = 'AKIAIOSFODNN7EXAMPLE'  # what such an id looks like",
        "AWS_ACCESS_KEY_ID=AKIAXXXXXXXXXXXXXXXX\nAWS_SECRET_ACCESS_KEY=your-secret-key-your-secret-key-your-sec",
        "password = os.environ['PASSWORD']",
        "password = 'changeme'",
        "password: str",
        "PASSWORD = '${DB_PASSWORD}'",
        "DB = 'postgresql://user:password@localhost/x'",
        "DB = 'postgresql://{user}:{password}@db/x'",
        "token = '<your token>'",
        "api_key = 'xxxxxxxxxxxxxxxxxxxx'",
        "pad_token = '[PAD]'",
        "eos_token = '</s>'",
        "password_field = 'password'",
        "secret_name = 'prod/database'",
        "api_key = get_secret('openai')",
        "token = tokens[0]",
        "if password == '9rTk2vQx7L': pass",
        "sha = 'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3'",
    ],
)
def test_what_is_none(text: str) -> None:
    assert secrets({"settings.py": text}) == set()


def test_a_secret_is_never_shown() -> None:
    text = PAIR + "DB_PASSWORD=9rTk2vQx7LmZ\nT=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\n"
    docker = "FROM a\nENV API_TOKEN=9rTk2vQx7LmZ\nRUN curl -k -H 'Authorization: Bearer 9rTk2vQx7LmZ' https://a.b/c.sh | bash\n"
    found = assessed_files({".env": text, "Dockerfile": docker})
    shown = repr((found.findings, found.graph, found.reading))
    for secret in (KEY, SECRET, "9rTk2vQx7LmZ", "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"):
        assert secret not in shown


def test_a_key_of_a_google_account_is_drawn() -> None:
    body = base64.b64encode(bytes(range(120))).decode()
    text = json.dumps(
        {
            "type": "service_account",
            "private_key": f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n",
            "client_email": "trainer@acme-ml.iam.gserviceaccount.com",
        }
    )
    found = assessed_files({"key.json": text})
    (edge,) = found.graph.edges
    assert edge.relation == "holds-credential"
    assert edge.target.endswith("trainer@acme-ml.iam.gserviceaccount.com")
    assert found.findings[0].rule == "secret-cloud-key"


def test_the_account_of_a_key_is_in_its_id() -> None:
    # Built by the published layout: 40 bits of the account after one bit, in base 32 behind the prefix.
    number = (123456789012 << 7) | (1 << 47)
    key = "AKIA" + base64.b32encode(number.to_bytes(6, "big") + bytes(4)).decode()[:16]
    assert account_of(key) == "123456789012"
    assert account_of("AKIA1") == ""


def test_a_key_that_is_listed_leads_to_its_user() -> None:
    listed = json.dumps({"AccessKeyMetadata": [{"UserName": "trainer", "AccessKeyId": KEY, "Status": "Active"}]})
    found = assessed_files({"details.json": DETAILS, "keys.json": listed, ".env": PAIR})
    edges = [edge for edge in found.graph.edges if edge.relation == "holds-credential"]
    assert [(edge.source, edge.target, edge.state) for edge in edges] == [("file:.env", USER, State.YES)]
    assert {one.path for one in edges[0].because} == {".env", "keys.json"}


def test_a_user_who_is_named_beside_a_key_may_be_its_owner() -> None:
    found = assessed_files(
        {
            "details.json": DETAILS,
            "credentials": f"[trainer]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n",
        }
    )
    (edge,) = [edge for edge in found.graph.edges if edge.relation == "holds-credential"]
    assert (edge.target, edge.state) == (USER, State.UNKNOWN)
    assert edge.decides == ("the access key AKIA... belongs to trainer",)


def test_a_key_of_nobody_known_is_drawn_and_said() -> None:
    found = assessed_files({".env": PAIR})
    (edge,) = found.graph.edges
    assert found.graph.nodes[edge.target].boundary["account"] == account_of(KEY)
    assert any("not in the input" in text for text in found.reading.gaps)


def test_a_key_in_a_cluster_s_secret_leads_from_the_secret_to_its_user() -> None:
    listed = json.dumps({"AccessKeyMetadata": [{"UserName": "trainer", "AccessKeyId": KEY, "Status": "Active"}]})
    value = base64.b64encode(KEY.encode()).decode()
    manifest = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s3\n  namespace: ml\ndata:\n  key: {value}\n"
    found = assessed_files({"details.json": DETAILS, "keys.json": listed, "secret.yaml": manifest})
    (edge,) = [edge for edge in found.graph.edges if edge.relation == "holds-credential"]
    assert (edge.source, edge.target, edge.state) == ("k8s:ml/secret/s3", USER, State.YES)
    assert ("secret.yaml", 7) in {(one.path, one.line) for one in edge.because}


@pytest.mark.parametrize(
    ("use", "told"),
    [
        ('kubectl -n "$NS" get secret "$SECRET" -o json', False),
        ("kubectl create secret generic ${SECRET} --from-file=a", False),
        ("aws secretsmanager get-secret-value --secret-id $SECRET", False),
        ("curl -u app:$SECRET https://a.example", True),
        ('kubectl get secret "$SECRET_NAME"', True),
    ],
)
def test_the_name_of_a_secret_is_none(use: str, told: bool) -> None:
    assert secrets({"run.sh": f"SECRET=valkey-cluster-auth\n{use}\n"}) == ({"secret-password"} if told else set())


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        (".env", "DB_PASS=9rTk2vQxLs\n", True),
        (".env", "BYPASS=9rTk2vQxLs\n", False),
        ("config.yaml", "forward_pass: 9rTk2vQxLs\n", False),
        (".env", "CACHE=redis://:9rTk2vQxLs@cache.acme.io:6379/0\n", True),
        (".env", "CACHE=redis://:${REDIS_PASSWORD}@cache.acme.io:6379/0\n", False),
        ("settings.py", "SIGNING_KEY = 'kX9v2LmQ8RtY5WzB1NcH7JdF4GsA6PeU'\n", True),
        ("settings.py", "SIGNING_KEY = os.environ['SIGNING_KEY']\n", False),
        (".netrc", "machine packages.acme.io\n  login svc\n  password 9rTk2vQxLs\n", True),
        (".netrc", "machine packages.acme.io login svc password ${TOKEN}\n", False),
        ("fluent-bit.conf", "[OUTPUT]\n    Name es\n    HTTP_Passwd 9rTk2vQxLs\n", True),
        ("fluent-bit.conf", "[OUTPUT]\n    Name es\n    HTTP_Passwd ${ES_PASSWORD}\n", False),
    ],
)
def test_passwords_in_the_ways_of_formats(path: str, text: str, found: bool) -> None:
    assert ("secret-password" in secrets({path: text})) == found
