"""``by_keys``: who gets at a service's data by its keys, which no role limits, and who turns them on again.

Sources: each service's page on shared keys, local authentication or the admin account. Whoever may write the account
may turn them on again where they are off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from assaymark.assess.answer import NO, Answer
from assaymark.core.graph import State

if TYPE_CHECKING:
    from assaymark.assess.azure.linking import Linking
    from assaymark.assess.estate.azure import Principal, Resource

_KEYS: Final = "Microsoft.Storage/storageAccounts/listKeys/action"
_SAS: Final = "Microsoft.Storage/storageAccounts/listAccountSas/action"
_LISTS_COSMOS: Final = "Microsoft.DocumentDB/databaseAccounts/listKeys/action"


class Keys(NamedTuple):
    """Keys of a service beside roles: ``setting`` and ``what`` say whether they are on, ``turns_on`` who turns it.

    ``lists``: what lists them, by the relation that they give, or for any.
    """

    setting: str
    what: str
    turns_on: str
    lists: dict[str, tuple[str, ...]]


# Sources: each service's page on disabling shared keys, local authentication, or the admin account: whoever may write
# the account may turn them on again.
KEYS: Final[dict[str, Keys]] = {
    "microsoft.storage/storageaccounts": Keys(
        "shared_key", "the shared key", "Microsoft.Storage/storageAccounts/write", {"": (_KEYS, _SAS)}
    ),
    "microsoft.containerregistry/registries": Keys(
        "admin",
        "the admin user",
        "Microsoft.ContainerRegistry/registries/write",
        {"": ("Microsoft.ContainerRegistry/registries/listCredentials/action",)},
    ),
    "microsoft.cognitiveservices/accounts": Keys(
        "local",
        "a key",
        "Microsoft.CognitiveServices/accounts/write",
        {"": ("Microsoft.CognitiveServices/accounts/listKeys/action",)},
    ),
    "microsoft.search/searchservices": Keys(
        "local",
        "a key",
        "Microsoft.Search/searchServices/write",
        {"": ("Microsoft.Search/searchServices/listAdminKeys/action",)},
    ),
    "microsoft.documentdb/databaseaccounts": Keys(
        "local",
        "a key",
        "Microsoft.DocumentDB/databaseAccounts/write",
        {
            "": (_LISTS_COSMOS,),
            "reads": (_LISTS_COSMOS, "Microsoft.DocumentDB/databaseAccounts/readonlykeys/action"),
        },
    ),
    "microsoft.appconfiguration/configurationstores": Keys(
        "local",
        "a key",
        "Microsoft.AppConfiguration/configurationStores/write",
        {"": ("Microsoft.AppConfiguration/configurationStores/ListKeys/action",)},
    ),
    "microsoft.eventhub/namespaces": Keys(
        "local",
        "a key",
        "Microsoft.EventHub/namespaces/write",
        {"": ("Microsoft.EventHub/namespaces/authorizationRules/listKeys/action",)},
    ),
    "microsoft.servicebus/namespaces": Keys(
        "local",
        "a key",
        "Microsoft.ServiceBus/namespaces/write",
        {"": ("Microsoft.ServiceBus/namespaces/authorizationRules/listKeys/action",)},
    ),
}


_WORKSPACE: Final = "microsoft.machinelearningservices/workspaces"
_WORKSPACE_KEYS: Final = "Microsoft.MachineLearningServices/workspaces/listKeys/action"
# What a workspace of Azure ML names of its own account and registry, whose keys its own list has.
_BEHIND: Final = (
    *("storageAccount", "storage_account_id", "storage_account"),
    *("containerRegistry", "container_registry_id", "container_registry"),
)


def link_workspace_keys(run: Linking, principal: Principal, workspace: Resource) -> None:
    """Draws what the keys of a workspace open: those of its storage account and registry are among them."""
    if workspace.kind != _WORKSPACE:
        return
    answer = run.access.can(principal.id, _WORKSPACE_KEYS, workspace.id)
    for name in _BEHIND if answer.state is not State.NO else ():
        account = run.estate.resources.get(str(workspace.settings.get(name)).lower())
        keys = KEYS.get(account.kind) if account is not None else None
        on = account.settings.get(keys.setting, True) if account is not None and keys is not None else False
        if account is None or keys is None or on is False:
            continue
        whole = answer if on is True else answer.unless(f"{keys.what} of {account.name} is on")
        for relation in ("reads", "writes"):
            how = f"its roles allow {_WORKSPACE_KEYS}, which has the keys of the workspace's own {account.name}"
            run.draw(principal.node, account.id, relation, how, whole, 1)


def by_keys(run: Linking, principal: Principal, resource: Resource, relation: str) -> tuple[Answer, str]:
    """The way by keys of the account: what lists them, and what turns them on again where they are off."""
    account = run.estate.resources.get("/".join(resource.id.split("/")[:9]), resource)
    keys = KEYS.get(account.kind)
    if keys is None:
        return NO, ""
    answer, action = run.any_of(principal.id, keys.lists.get(relation, keys.lists.get("", ())), account.id)
    on = account.settings.get(keys.setting, True)
    if on is True or answer.state is State.NO:
        return answer, action
    turned = run.access.can(principal.id, keys.turns_on, account.id).both(answer)
    if turned.state is State.YES or (on is False and turned.state is not State.NO):
        return turned, f"{keys.turns_on}, {action}"
    return (NO, "") if on is False else (answer.unless(f"{keys.what} of {account.name} is on"), action)
