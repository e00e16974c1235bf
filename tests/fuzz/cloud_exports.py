"""Exports and templates of Google Cloud and Azure: whatever is in a file, an assessment comes of it."""

from __future__ import annotations

from datetime import UTC, datetime

from assaymark.assess.engine import assess
from assaymark.assess.files import source_file

SEEDS = [
    (
        b'{"bindings":[{"role":"roles/owner","members":["user:a@x.com","allUsers","serviceAccount:p.svc.id.goog[n/s]"],'
        b'"condition":{"title":"t","expression":"request.time < timestamp(\'2030-01-01T00:00:00Z\')"}}],"etag":"x"}'
    ),
    (
        b'[{"assetType":"storage.googleapis.com/Bucket","resource":"//storage.googleapis.com/b","project":"projects/1",'
        b'"folders":["folders/2"],"policy":{"bindings":[{"role":"roles/storage.admin","members":["domain:x.com"]}]}},'
        b'{"name":"projects/p/secrets/s","replication":{}},{"projectId":"p","projectNumber":"1","parent":{"type":"folder","id":"2"}}]'
    ),
    (
        b'{"name":"projects/1/locations/global/workloadIdentityPools/g/providers/h","oidc":{"issuerUri":"https://x"},'
        b'"attributeMapping":{"google.subject":"assertion.sub"},"attributeCondition":"assertion.sub == \'a\'"}'
    ),
    (
        b'[{"principalId":"a","principalType":"User","roleDefinitionId":"/x/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635",'
        b'"scope":"/subscriptions/s/resourceGroups/g","condition":null},{"id":"/subscriptions/s/resourceGroups/g/providers/'
        b'Microsoft.KeyVault/vaults/v","type":"Microsoft.KeyVault/vaults","name":"v","properties":{"accessPolicies":'
        b'[{"objectId":"a","permissions":{"secrets":["get"]}}]}}]'
    ),
    (
        b'{"$schema":"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#","variables":{"n":"[concat('
        b'\'a\',parameters(\'p\'))]"},"parameters":{"p":{"defaultValue":"b"}},"resources":[{"type":"Microsoft.Storage/storageAccounts",'
        b'"name":"[variables(\'n\')]","resources":[{"type":"blobServices/containers","name":"default/c","properties":'
        b'{"publicAccess":"Blob"}}]}]}'
    ),
    (
        b'[{"name":"organizations/1/policies/storage.publicAccessPrevention","spec":{"rules":[{"enforce":true},{"enforce":"x","condition":'
        b'{"expression":"resource.matchTag(\'a\',\'b\')"}}],"reset":false}},{"constraint":"constraints/iam.disableServiceAccountKeyCreation",'
        b'"booleanPolicy":{"enforced":true}},{"name":"//cloudresourcemanager.googleapis.com/projects/1","orgPolicy":[{"constraint":'
        b'"iam.x","restoreDefault":{}}],"iamPolicy":{"bindings":[{"role":"roles/iam.serviceAccountKeyAdmin","members":["user:a@x.com",'
        b'"serviceAccount:s@p.iam.gserviceaccount.com"]}]}},{"name":"organizations/1/locations/global/principalAccessBoundaryPolicies/p",'
        b'"details":{"rules":[{"resources":["//cloudresourcemanager.googleapis.com/projects/1"],"effect":"ALLOW"}]}},{"name":"organizations/1/'
        b'locations/global/policyBindings/b","policy":"organizations/1/locations/global/principalAccessBoundaryPolicies/p","policyKind":'
        b'"PRINCIPAL_ACCESS_BOUNDARY","target":{"principalSet":"//cloudresourcemanager.googleapis.com/organizations/1"}}]'
    ),
]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def fuzz(data: bytes) -> None:
    """One file beside a whole one of the other platform."""
    assess([source_file("a.json", data), source_file("b.json", SEEDS[0]), source_file("c.json", SEEDS[3])], NOW)
