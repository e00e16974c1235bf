"""Edges from principals of Azure to data, models, secrets and keys, and what flows and is exposed by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.answer import NO, Answer
from assaymark.assess.azure.keys import by_keys, link_workspace_keys
from assaymark.assess.azure.linking import assigning
from assaymark.assess.azure.roles import OWNER
from assaymark.assess.kinds import INTERNET
from assaymark.assess.told_places import told_places
from assaymark.assess.values import texts_in
from assaymark.core.graph import State

if TYPE_CHECKING:
    from assaymark.assess.azure.linking import Linking
    from assaymark.assess.estate.azure import Principal, Resource

_ST: Final = "microsoft.storage/storageaccounts"
_CONTAINER: Final = f"{_ST}/blobservices/containers"
_KV: Final = "microsoft.keyvault/vaults"
_ML: Final = "microsoft.machinelearningservices/workspaces"
_ACR: Final = "microsoft.containerregistry/registries"
_COG: Final = "microsoft.cognitiveservices/accounts"
_HOST: Final = ".azurecr.io/"  # of images
_ACCOUNT: Final = re.compile(r"(?:https://|@)([a-z0-9]+)\.(?:blob|dfs)\.core\.windows\.net")
_NOTHING: Final = ("", "")
KINDS: Final[dict[str, tuple[str, str]]] = {  # the kind of node, and what it is as a target
    _ST: ("bucket", "data"),
    _CONTAINER: ("bucket", "data"),
    _KV: ("secret", "secret"),
    f"{_KV}/secrets": ("secret", "secret"),
    f"{_KV}/keys": ("key", "key"),
    _ML: ("model", "model"),
    f"{_ML}/onlineendpoints": ("endpoint", "endpoint"),
    f"{_ML}/batchendpoints": ("endpoint", "endpoint"),
    f"{_ML}/models": ("model", "model"),
    _ACR: ("registry", ""),
    _COG: ("endpoint", "endpoint"),
    "microsoft.documentdb/databaseaccounts": ("database", "data"),
    "microsoft.search/searchservices": ("database", "data"),
    "microsoft.sql/servers": ("database", "data"),
    "microsoft.sql/servers/databases": ("database", "data"),
    "microsoft.dbforpostgresql/flexibleservers": ("database", "data"),
    "microsoft.cache/redis": ("database", "data"),
    "microsoft.appconfiguration/configurationstores": ("secret", ""),
    "microsoft.eventhub/namespaces": ("queue", "data"),
    "microsoft.servicebus/namespaces": ("queue", "data"),
    "microsoft.operationalinsights/workspaces": ("log", ""),
    "microsoft.managedidentity/userassignedidentities": _NOTHING,
    "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials": _NOTHING,
    "microsoft.authorization/roleassignments": _NOTHING,
    "microsoft.cognitiveservices/accounts/deployments": _NOTHING,
}
_RUNS: Final = (  # types in which code runs
    *("microsoft.compute/virtualmachines", "microsoft.compute/virtualmachinescalesets", "microsoft.web/sites"),
    *("microsoft.containerservice/managedclusters", "microsoft.containerinstance/containergroups"),
    *("microsoft.automation/automationaccounts", "microsoft.logic/workflows", "microsoft.app/containerapps"),
    *("microsoft.app/jobs", "microsoft.batch/batchaccounts", "microsoft.datafactory/factories"),
    *("microsoft.databricks/workspaces", "microsoft.synapse/workspaces", f"{_ML}/computes"),
    *(
        f"{_ML}/onlineendpoints/deployments",
        f"{_ML}/jobs",
        "microsoft.web/sites/slots",
        "microsoft.hybridcompute/machines",
    ),
)
_BLOBS: Final = "data:Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_ASSIGN: Final = "Microsoft.Authorization/roleAssignments/write"
_EVENTS: Final[dict[str, tuple[str, ...]]] = {
    "reads": ("data:Microsoft.EventHub/namespaces/messages/receive/action",),
    "writes": ("data:Microsoft.EventHub/namespaces/messages/send/action",),
}
# Who may do one of these with it; ``data:`` before data actions.
ALLOWS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    _ST: {
        "reads": (
            f"{_BLOBS}/read",
            "data:Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read",
            "data:Microsoft.Storage/storageAccounts/tableServices/tables/entities/read",
        ),
        "writes": (
            f"{_BLOBS}/write",
            f"{_BLOBS}/add/action",
            f"{_BLOBS}/delete",
            "data:Microsoft.Storage/storageAccounts/fileServices/fileshares/files/write",
        ),
    },
    _CONTAINER: {
        "reads": (f"{_BLOBS}/read",),
        "writes": (f"{_BLOBS}/write", f"{_BLOBS}/add/action", f"{_BLOBS}/delete"),
    },
    f"{_KV}/keys": {
        "decrypts": (
            "data:Microsoft.KeyVault/vaults/keys/decrypt/action",
            "data:Microsoft.KeyVault/vaults/keys/unwrap/action",
        ),
    },
    _KV: {
        "reads": ("data:Microsoft.KeyVault/vaults/secrets/getSecret/action",),
        "writes": ("data:Microsoft.KeyVault/vaults/secrets/setSecret/action",),
    },
    _ML: {
        "reads": ("Microsoft.MachineLearningServices/workspaces/models/read",),
        "writes": (
            "Microsoft.MachineLearningServices/workspaces/models/write",
            "Microsoft.MachineLearningServices/workspaces/models/versions/write",
        ),
    },
    f"{_ML}/onlineendpoints": {
        "invokes": (
            "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/score/action",
            "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/listKeys/action",
            "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/token/action",
        ),
        "writes": ("Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments/write",),
    },
    f"{_ML}/batchendpoints": {
        "invokes": ("Microsoft.MachineLearningServices/workspaces/batchEndpoints/jobs/write",),
        "writes": ("Microsoft.MachineLearningServices/workspaces/batchEndpoints/deployments/write",),
    },
    _ACR: {
        "reads": (
            "Microsoft.ContainerRegistry/registries/pull/read",
            "data:Microsoft.ContainerRegistry/registries/repositories/content/read",
        ),
        "writes": (
            "Microsoft.ContainerRegistry/registries/push/write",
            "data:Microsoft.ContainerRegistry/registries/repositories/content/write",
        ),
    },
    _COG: {
        "invokes": ("data:Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action",),
        "writes": ("Microsoft.CognitiveServices/accounts/deployments/write",),
    },
    "microsoft.documentdb/databaseaccounts": {"reads": (), "writes": ()},
    "microsoft.search/searchservices": {
        "reads": ("data:Microsoft.Search/searchServices/indexes/documents/read",),
        "writes": ("data:Microsoft.Search/searchServices/indexes/documents/write",),
    },
    "microsoft.cache/redis": {
        "reads": ("Microsoft.Cache/redis/listKeys/action",),
        "writes": ("Microsoft.Cache/redis/listKeys/action",),
    },
    "microsoft.sql/servers": {
        "reads": ("Microsoft.Sql/servers/administrators/write", "Microsoft.Sql/servers/write"),
        "writes": ("Microsoft.Sql/servers/administrators/write", "Microsoft.Sql/servers/write"),
    },
    "microsoft.appconfiguration/configurationstores": {
        "reads": ("data:Microsoft.AppConfiguration/configurationStores/keyValues/read",),
        "writes": ("data:Microsoft.AppConfiguration/configurationStores/keyValues/write",),
    },
    "microsoft.eventhub/namespaces": _EVENTS,
    "microsoft.servicebus/namespaces": {
        relation: tuple(one.replace("EventHub", "ServiceBus") for one in actions)
        for relation, actions in _EVENTS.items()
    },
}
# Roles beside Owner that open a resource to whoever may assign one of them to itself: some may assign only such.
_OPENS: Final[dict[str, tuple[str, ...]]] = {
    _ST: ("ba92f5b4-2d11-453d-a403-e96b0029c9fe", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"),
    _CONTAINER: ("ba92f5b4-2d11-453d-a403-e96b0029c9fe", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"),
    _KV: ("00482a5a-887f-4fb3-b363-3b7fe8e74483", "4633458b-17de-408a-b874-0445c86b69e6"),
    f"{_KV}/secrets": ("00482a5a-887f-4fb3-b363-3b7fe8e74483", "4633458b-17de-408a-b874-0445c86b69e6"),
    f"{_KV}/keys": ("00482a5a-887f-4fb3-b363-3b7fe8e74483", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603"),
    _ML: ("f6c7c914-8db3-469d-8ca1-694a8f32e121",),
    _ACR: ("8311e382-0749-4cb8-b61a-304f252e45ec",),
    "microsoft.compute/virtualmachines": ("1c0163c0-47e6-4577-8991-ea5c82e286e4",),
}
_LET_IN: Final = "the caller's network is one that the firewall lets in"
_SECRET_READ: Final = ("get", "all", "backup")
_SECRET_WRITE: Final = ("set", "all", "restore")
_DECRYPT: Final = ("decrypt", "unwrapkey", "all")
_MODEL_WORDS: Final = ("model", "weight", "checkpoint", "artifact", "registry", "mlflow")


def node_kind(resource: Resource) -> tuple[str, str]:
    """The kind of node of a resource, and what it is as a target (empty for none); no kind: no node."""
    kind, target = KINDS.get(resource.kind, ("workload", "") if resource.kind in _RUNS else _NOTHING)
    words = f"{resource.name} {' '.join(resource.tags.values())}".lower()
    if kind == "bucket" and any(word in words for word in _MODEL_WORDS):
        target = "model"
    return kind, target


def link_data(run: Linking) -> None:
    """Draws who reads, writes, calls and decrypts what, and what anyone may."""
    for principal in run.principals:
        for resource in run.within(principal.id):
            if not run.owns(principal.id, resource.id):
                _allowed(run, principal, resource)
                link_workspace_keys(run, principal, resource)
    for resource in run.resources:
        if resource.kind == _KV and resource.settings.get("rbac") is not True:
            _policies(run, resource)
        _exposed(run, resource)


def _allowed(run: Linking, principal: Principal, resource: Resource) -> None:
    base = vault_of(run, resource) if resource.kind.startswith(_KV) else None
    ruled = base is None or base.settings.get("rbac") is not False
    for relation, actions in ALLOWS.get(_like(resource), {}).items():
        answer, action = run.any_of(principal.id, actions, resource.id, _attributes(resource)) if ruled else (NO, "")
        if base is not None and base.settings.get("rbac") is None and answer.state is State.YES:
            answer = answer.unless(f"{base.name} decides by roles and not by access policies")
        other, name = by_keys(run, principal, resource, relation)
        if answer.state is not State.YES and other.state is not State.NO:
            answer, action = answer.either(other), name
        if answer.state is not State.NO:
            effort = 1 if ", " in action else 0
            run.draw(principal.node, resource.id, relation, f"its roles allow {action}", answer, effort)
    answer = NO
    for role in (OWNER, *_OPENS.get(resource.kind, ())):
        may = run.access.can(principal.id, _ASSIGN, resource.id, attributes=assigning(principal, role))
        answer = answer.either(may)
    if answer.state is not State.NO and node_kind(resource)[0]:
        run.draw(principal.node, resource.id, "permissions", f"its roles allow {_ASSIGN}", answer)


def _like(resource: Resource) -> str:
    return _KV if resource.kind == f"{_KV}/secrets" else resource.kind


def _attributes(resource: Resource) -> dict[str, str]:
    """What conditions may ask of a resource and is known of it."""
    found = {}
    account = resource.id.partition("/storageaccounts/")[2].partition("/")[0]
    if _ST in resource.kind and account:
        found["@resource[microsoft.storage/storageaccounts:name]"] = account
    if resource.kind == _CONTAINER:
        name = resource.id.rpartition("/")[2]
        found["@resource[microsoft.storage/storageaccounts/blobservices/containers:name]"] = name
    return found


def vault_of(run: Linking, resource: Resource) -> Resource | None:
    """The vault of a secret or key, or the vault itself."""
    return run.estate.resources.get("/".join(resource.id.split("/")[:9]))


def _policies(run: Linking, vault: Resource) -> None:
    """Access policies of a vault, and who may write one for itself."""
    policies = vault.settings.get("policies")
    inner = [one for one in run.resources if one.id.startswith(f"{vault.id}/")]
    for policy in policies if isinstance(policies, list) else ():
        node = f"azure:principal:{run.estate.aliases.get(policy['principal'], policy['principal'])}"
        because = Answer(State.YES, (policy.get("because", vault.because),))
        secrets, keys = set(policy["secrets"]), set(policy["keys"])
        for target in [vault, *(one for one in inner if one.kind.endswith("/secrets"))]:
            if secrets & set(_SECRET_READ):
                run.draw(node, target.id, "reads", "an access policy of the vault lets it get secrets", because, 0)
            if secrets & set(_SECRET_WRITE):
                run.draw(node, target.id, "writes", "an access policy of the vault lets it set secrets", because, 0)
        for target in [one for one in inner if one.kind.endswith("/keys")]:
            if keys & set(_DECRYPT):
                run.draw(node, target.id, "decrypts", "an access policy of the vault lets it decrypt", because, 0)
    for principal in run.principals:
        if run.owns(principal.id, vault.id):
            continue
        actions = ("Microsoft.KeyVault/vaults/accessPolicies/write", "Microsoft.KeyVault/vaults/write")
        answer, action = run.any_of(principal.id, actions, vault.id)
        if vault.settings.get("rbac") is None and answer.state is not State.NO:
            answer = answer.unless(f"{vault.name} decides by access policies and not by roles")
        how = f"it may write itself an access policy ({action})"
        for target in [vault, *inner]:
            run.draw(principal.node, target.id, "permissions", how, answer)


def _exposed(run: Linking, resource: Resource) -> None:
    """What anyone may read without credentials."""
    because = Answer(State.YES, (resource.because,))
    if resource.kind == _CONTAINER and resource.settings.get("public") in ("blob", "container"):
        account = run.estate.resources.get("/".join(resource.id.split("/")[:9]))
        allowed = account.settings.get("blob_public") if account else None
        if allowed is False or (account and not _answers(account)):
            return
        if allowed is None:
            because = because.unless("the storage account allows public access to blobs")
        elif account:
            because = because.both(Answer(State.YES, (account.because,)))
        if account and account.settings.get("firewall") == "deny":
            because = because.unless(_LET_IN)
        _internet(run, resource.id, "reads", "the container lets anyone read blobs", because)
    if resource.kind == _ACR and resource.settings.get("anonymous") is True and _answers(resource):
        if resource.settings.get("firewall") == "deny":
            because = because.unless(_LET_IN)
        _internet(run, resource.id, "reads", "the registry lets anyone pull", because)


def _answers(resource: Resource) -> bool:
    """Whether a resource's firewall lets any network in, all or some."""
    return resource.settings.get("firewall") != "deny" or resource.settings.get("networks") is True


def _internet(run: Linking, target: str, relation: str, how: str, answer: Answer) -> None:
    run.builder.node(INTERNET, "internet", "internet", entry="internet")
    run.draw(INTERNET, target, relation, how, answer, 0)


def link_flows(run: Linking) -> None:
    """Draws what runs as which identity, what holds what, and what is loaded from where."""
    for resource in run.resources:
        because = Answer(State.YES, (resource.because,))
        for identity in resource.identities:
            key = run.estate.aliases.get(identity, identity)
            how = "what runs in it gets tokens of the identity"
            run.draw(resource.id, f"azure:principal:{key}", "runs-as", how, because, 0)
        parent = resource.id.rpartition("/blobservices/")[0]
        if resource.kind == _CONTAINER and run.builder.has(parent):
            for relation in ("contains-read", "contains-write"):
                run.draw(parent, resource.id, relation, "it is a container of the account", because, 0)
        for text in sorted({one for one in texts_in(dict(resource.settings)) if _HOST in one}):
            for other in run.resources:
                if other.kind == _ACR and f"{other.name.lower()}.azurecr.io/" in text.lower():
                    run.draw(other.id, resource.id, "loaded-by", f"it runs {text}", because)
        for told in told_places(dict(resource.settings), resource.because):
            account = _ACCOUNT.search(told.address)
            if account is None or told.state is State.NO:
                continue
            how = f"it {'is told' if told.decides else 'loads'} {told.address}"
            for other in run.resources:
                if other.kind == _ST and other.name.lower() == account[1] and other.id != resource.id:
                    answer = Answer(told.state, because.because, told.decides)
                    run.draw(other.id, resource.id, "loaded-by", how, answer)
