"""Logs of platforms, as documents and line by line: whatever is in them, an assessment comes of it."""

from __future__ import annotations

from datetime import UTC, datetime

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file

SEEDS = [
    (
        b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete","verb":"get","user":{"username":'
        b'"system:serviceaccount:ml:t"},"impersonatedUser":{"username":"u","groups":["g"]},"objectRef":{"resource":"pods",'
        b'"subresource":"exec","namespace":"ml","name":"p"},"responseStatus":{"code":200},"annotations":{"authorization.k8s.io/decision":"allow"}}\n'
        b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseStarted","verb":"get","requestURI":"/metrics?a","user":{"username":"u"}}'
    ),
    b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"1","stage":"ResponseComplete","verb":"list","user":{"username":"u"},"objectRef":{"resource":"pods"}}]}',
    (
        b'{"protoPayload":{"authenticationInfo":{"principalEmail":"t@p.iam.gserviceaccount.com"},"authorizationInfo":[{"resource":'
        b'"projects/_/buckets/b/objects/o","permission":"storage.objects.get","granted":true},{"resource":"projects/12/secrets/s/versions/1",'
        b'"permission":"secretmanager.versions.access","granted":true}],"resourceName":"x","status":{"code":7}}}'
    ),
    (
        b'{"records":[{"time":"t","resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.STORAGE/STORAGEACCOUNTS/A/blobServices/default",'
        b'"operationName":"GetBlob","uri":"https://a.blob.core.windows.net/c/x","statusCode":200,"identity":{"requester":{"objectId":"p"},'
        b'"authorization":[{"action":"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read","result":"Granted"}]}},'
        b'{"resourceId":"/subscriptions/s/x","operationName":{"value":"Microsoft.A/b/write"},"authorization":{"action":"Microsoft.A/b/write",'
        b'"scope":"/subscriptions/s/resourceGroups/g/providers/a/b/c"},"claims":{"appid":"q"},"status":{"value":"Succeeded"}},{"resourceId":"/v",'
        b'"operationName":"SecretGet","identity":{"claim":{"oid":"p"}},"properties":{"id":"https://v.vault.azure.net/secrets/n/1"}}]}'
    ),
]  # fmt: skip
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def fuzz(data: bytes) -> None:
    """The same bytes as a document, as lines and as a plain log."""
    assess([source_file(name, data) for name in ("a.json", "b.jsonl", "c.log")], NOW)
