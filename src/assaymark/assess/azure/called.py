"""What code calls of Azure, as needs: what the methods of its client libraries ask for, and at which scope.

What the source does not spell out is cut to what the old assignments allow, so that a need from code never asks for
more than there was. Sources: Azure Storage, "Permissions for calling data operations"; Azure Key Vault, "Azure RBAC".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.azure.formulas import DATA
from assaymark.assess.azure.roles import allows, asked_actions
from assaymark.assess.azure.vaults import is_policy
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.azure.evaluate import Access
    from assaymark.assess.estate.source import CloudCall

_ACCOUNT: Final = re.compile(r"https://([a-z0-9]+)\.(?:blob|dfs)\.[a-z.]+/?", re.IGNORECASE)
_VAULT: Final = re.compile(r"https://([a-z0-9-]+)\.vault\.[a-z.]+/?", re.IGNORECASE)
_SERVICES: Final = {
    "blob": "Microsoft.Storage/storageAccounts",
    "secrets": "Microsoft.KeyVault/vaults",
    "keys": "Microsoft.KeyVault/vaults",
    "ml": "Microsoft.MachineLearningServices/workspaces",
}
_BLOBS: Final = "data:blobServices/containers/blobs"
_BOX: Final = "blobServices/containers"
# Service and method to the rest of the action, ``data:`` before data actions.
_METHODS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "blob": {
        **dict.fromkeys(
            (
                *(f"blob.{one}" for one in ("download_blob", "exists", "get_blob_properties", "query_blob")),
                *(f"container.{one}" for one in ("download_blob", "list_blobs", "list_blob_names", "walk_blobs")),
            ),
            (f"{_BLOBS}/read",),
        ),
        **dict.fromkeys(
            (
                "blob.upload_blob",
                "container.upload_blob",
                "blob.set_blob_metadata",
                "blob.append_block",
                "blob.stage_block",
            ),
            (f"{_BLOBS}/write",),
        ),
        **dict.fromkeys(("blob.commit_block_list", "blob.create_append_blob"), (f"{_BLOBS}/write",)),
        **dict.fromkeys(
            ("blob.delete_blob", "container.delete_blob", "container.delete_blobs"), (f"{_BLOBS}/delete",)
        ),
        "blob.get_blob_tags": (f"{_BLOBS}/tags/read",),
        "blob.set_blob_tags": (f"{_BLOBS}/tags/write",),
        **dict.fromkeys(
            ("container.exists", "container.get_container_properties", "list_containers"), (f"{_BOX}/read",)
        ),
        **dict.fromkeys(("create_container", "container.create_container"), (f"{_BOX}/write",)),
        **dict.fromkeys(("delete_container", "container.delete_container"), (f"{_BOX}/delete",)),
        "get_user_delegation_key": ("blobServices/generateUserDelegationKey/action",),
    },
    "secrets": {
        "get_secret": ("data:secrets/getSecret/action",),
        "set_secret": ("data:secrets/setSecret/action",),
        "begin_delete_secret": ("data:secrets/delete",),
        "update_secret_properties": ("data:secrets/update/action",),
        **dict.fromkeys(
            ("list_properties_of_secrets", "list_properties_of_secret_versions"),
            ("data:secrets/readMetadata/action",),
        ),
    },
    "keys": {
        **dict.fromkeys(
            ("get_key", "list_properties_of_keys", "list_properties_of_key_versions"), ("data:keys/read",)
        ),
        **dict.fromkeys(("create_key", "create_rsa_key", "create_ec_key"), ("data:keys/create/action",)),
        **{
            f"crypto.{one}": (f"data:keys/{one}/action", "data:keys/read")
            for one in ("encrypt", "decrypt", "sign", "verify")
        },
        **{f"crypto.{one}_key": (f"data:keys/{one}/action", "data:keys/read") for one in ("wrap", "unwrap")},
    },
}
_NOTHING: Final = ("get_container_client", "get_blob_client", "container.get_blob_client", "close")
_OF: Final = {"secrets": "secrets", "keys": "keys"}


def needed(call: CloudCall, access: Access, principal: str) -> set[tuple[str, str]]:
    """Pairs of action and scope that a call needs, as far as the old assignments allow it; itself where not.

    An action that ends in a star stands for those of a service that no table speaks of.
    """
    if call.operation in _NOTHING:
        return set()
    service = _SERVICES.get(call.service, "")
    parts = _METHODS.get(call.service, {}).get(call.operation)
    if parts is None:
        return set(_everything(service, access, principal))
    place = _place(call, access)
    found = set()
    for part in parts:
        rest = part.removeprefix(DATA)
        action = f"{DATA if rest != part else ''}{service}/{rest}"
        some = set(_narrowed(action, place, access, principal))
        found |= some or {(action, place or "/")}
    return found


def _place(call: CloudCall, access: Access) -> str:
    """What a call names of the resources of the input; empty where the source does not spell it out."""
    if call.service == "blob":
        home = _resource(access, _ACCOUNT, call.parameters.get("account_url", ""), "storageaccounts")
        given = call.parameters.get("0", "*") if call.operation.endswith("e_container") else "*"
        box = call.parameters.get("container", given)
        inside = home and box and "*" not in box
        return f"{home}/blobservices/default/containers/{box.lower()}" if inside else home
    home = _resource(access, _VAULT, call.parameters.get("vault_url", ""), "vaults")
    name = call.parameters.get("name", call.parameters.get("0", "*"))
    listed = call.operation.startswith("list_") or "*" in name or not home or "." in call.operation
    return home if listed else f"{home}/{_OF[call.service]}/{name.lower()}"


def _resource(access: Access, form: re.Pattern[str], address: str, kind: str) -> str:
    match = form.fullmatch(address)
    found = [
        one.id
        for one in access.estate.resources.values()
        if match is not None and one.kind.endswith(f"/{kind}") and one.name.lower() == match[1].lower()
    ]
    return found[0] if len(found) == 1 else ""


def _narrowed(action: str, place: str, access: Access, principal: str) -> Iterator[tuple[str, str]]:
    name, data = action.removeprefix(DATA), action.startswith(DATA)
    for assignment, _ in access.held(principal):
        if access.roles.grants(assignment.role, name, data=data).state is not State.YES:
            continue
        if access.counts(assignment, name, place or assignment.scope, data=data) is State.NO:
            continue
        if not place or f"{assignment.scope}/".startswith(f"{place}/"):
            yield action, assignment.scope
        elif access.covers(assignment.scope, place) is State.YES:
            yield action, place


def _everything(service: str, access: Access, principal: str) -> Iterator[tuple[str, str]]:
    """All that the old assignments are known to allow of a service, and a star where they may allow more."""
    prefix = f"{service.lower()}/"
    known = [one for one in asked_actions() if one.removeprefix(DATA).startswith(prefix)]
    for assignment, _ in access.held(principal):
        role = access.roles.get(assignment.role)
        for entry in role.permissions if role is not None else ():
            if is_policy(assignment.role):  # of which all is known
                yield from (
                    (f"{DATA}{one}", assignment.scope) for one in entry.data_actions if one.lower().startswith(prefix)
                )
                continue
            some = [one for one in known if allows(entry, one.removeprefix(DATA), data=one.startswith(DATA))]
            yield from ((one, assignment.scope) for one in some)
            if some:
                yield f"{service}/*", assignment.scope
