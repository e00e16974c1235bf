"""Actions that needs of machine learning and its data name most: what the table of Azure's own roles also speaks of.

Source: Azure permissions references of storage, key vaults, machine learning, AI services, containers, identity.
"""

from __future__ import annotations

from typing import Final

_STORAGE: Final = "Microsoft.Storage/storageAccounts"
_BLOBS: Final = "blobServices/containers/blobs"
_ML: Final = "Microsoft.MachineLearningServices/workspaces"
_DATA: Final[dict[str, tuple[str, ...]]] = {
    _STORAGE: (
        *(f"{_BLOBS}/move/action", f"{_BLOBS}/tags/read", f"{_BLOBS}/tags/write", f"{_BLOBS}/runAsSuperUser/action"),
        *("fileServices/fileShares/files/delete", "fileServices/readFileBackupSemantics/action"),
        *(
            f"queueServices/queues/messages/{one}"
            for one in ("add/action", "delete", "process/action", "read", "write")
        ),
        *(f"tableServices/tables/entities/{one}" for one in ("add/action", "delete", "update/action", "write")),
    ),
    "Microsoft.KeyVault/vaults": (
        *("secrets/readMetadata/action", "secrets/delete", "secrets/update/action", "certificates/read"),
        *(f"keys/{one}" for one in ("read", "delete", "create/action", "encrypt/action", "sign/action")),
        *(f"keys/{one}/action" for one in ("verify", "wrap", "update", "backup", "rotate")),
    ),
    "Microsoft.ContainerRegistry/registries": (
        *("repositories/content/read", "repositories/content/delete", "repositories/metadata/read"),
        *("repositories/metadata/write", "catalog/read"),
    ),
    "Microsoft.CognitiveServices/accounts/OpenAI": (
        *("deployments/completions/action", "deployments/embeddings/action", "deployments/chat/completions/action"),
        *("deployments/audio/action", "images/generations/action", "deployments/realtime/action"),
    ),
    "Microsoft.Search/searchServices/indexes": ("documents/read", "documents/write", "documents/delete"),
    "Microsoft.EventHub/namespaces": ("messages/receive/action", "messages/send/action", "schemas/read"),
    "Microsoft.ServiceBus/namespaces": ("messages/receive/action", "messages/send/action"),
}
_MADE: Final = ("read", "write", "delete")
# Types whose things are read, made and deleted.
_TYPES: Final = (
    *(_STORAGE, f"{_STORAGE}/blobServices/containers", f"{_STORAGE}/queueServices/queues"),
    *(f"{_STORAGE}/tableServices/tables", f"{_STORAGE}/fileServices/shares", "Microsoft.KeyVault/vaults"),
    *(_ML, f"{_ML}/computes", f"{_ML}/jobs", f"{_ML}/models", f"{_ML}/models/versions", f"{_ML}/environments"),
    *(f"{_ML}/datastores", f"{_ML}/data/versions", f"{_ML}/components", f"{_ML}/experiments/runs"),
    *(f"{_ML}/onlineEndpoints", f"{_ML}/onlineEndpoints/deployments", f"{_ML}/batchEndpoints"),
    *("Microsoft.CognitiveServices/accounts", "Microsoft.CognitiveServices/accounts/deployments"),
    *("Microsoft.ContainerRegistry/registries", "Microsoft.ContainerService/managedClusters"),
    *("Microsoft.Compute/virtualMachines", "Microsoft.ManagedIdentity/userAssignedIdentities"),
    *("Microsoft.Resources/deployments", "Microsoft.Resources/subscriptions/resourceGroups"),
    *("Microsoft.Authorization/roleAssignments", "Microsoft.Web/sites", "Microsoft.App/containerApps"),
    *(
        "Microsoft.OperationalInsights/workspaces",
        "Microsoft.Databricks/workspaces",
        "Microsoft.Search/searchServices",
    ),
    *("Microsoft.DocumentDB/databaseAccounts", "Microsoft.EventHub/namespaces", "Microsoft.ServiceBus/namespaces"),
)
KNOWN: Final = (
    *(f"data:{kind}/{one}" for kind, some in _DATA.items() for one in some),
    *(f"{kind}/{one}" for kind in _TYPES for one in _MADE),
    f"{_STORAGE}/blobServices/generateUserDelegationKey/action",
    f"{_STORAGE}/listServiceSas/action",
    f"{_ML}/onlineEndpoints/score/action",
    f"{_ML}/onlineEndpoints/token/action",
    f"{_ML}/connections/listsecrets/action",
    "Microsoft.ContainerRegistry/registries/pull/read",
    "Microsoft.ContainerRegistry/registries/push/write",
    "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "Microsoft.CognitiveServices/accounts/listKeys/action",
    "Microsoft.DocumentDB/databaseAccounts/readonlykeys/action",
    "Microsoft.OperationalInsights/workspaces/query/read",
)
