"""What takes plain text, as command lines list it and not as Terraform declares it."""

from __future__ import annotations

import json

import pytest
from tests.support.source_estate import assessed_files

SQL = {
    "kind": "sql#instance",
    "name": "mlflow",
    "project": "acme-ml",
    "settings": {"ipConfiguration": {"sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED"}},
}
CACHE = {"name": "projects/acme-ml/locations/eu/instances/c", "redisVersion": "REDIS_7_2", "memorySizeGb": 1}
PLACE = "/subscriptions/1/resourceGroups/ml/providers/Microsoft.DBforPostgreSQL/flexibleServers/pg/configurations/"


def parameter(name: str, value: str) -> dict[str, str]:
    kind = "Microsoft.DBforPostgreSQL/flexibleServers/configurations"
    return {"id": PLACE + name, "name": name, "type": kind, "value": value}


@pytest.mark.parametrize(
    ("listed", "rule"),
    [
        (SQL, "gcp-plaintext"),
        ({**SQL, "settings": {"ipConfiguration": {"sslMode": "ENCRYPTED_ONLY"}}}, ""),
        ({**SQL, "settings": {**SQL["settings"], "connectorEnforcement": "REQUIRED"}}, ""),
        ({**CACHE, "transitEncryptionMode": "DISABLED"}, "gcp-plaintext"),
        ({**CACHE, "transitEncryptionMode": "SERVER_AUTHENTICATION"}, ""),
        (parameter("require_secure_transport", "OFF"), "azure-plaintext"),
        (parameter("require_secure_transport", "ON"), ""),
        (parameter("log_connections", "OFF"), ""),
    ],
)
def test_what_is_listed_takes_plain_text_or_refuses_it(listed: dict[str, object], rule: str) -> None:
    found = [one.rule for one in assessed_files({"listed.json": json.dumps([listed])}).findings]
    assert found == ([rule] if rule else [])
