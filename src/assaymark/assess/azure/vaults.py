"""Access policies of key vaults as assignments: what each permission allows, in the data actions of roles.

A vault decides by roles or by its access policies, never by both: which one, its own setting says. An access policy
is of the whole vault. ``Vaults`` is ``Access`` that knows this; ``with_policies`` adds the policies to an estate.

Source: Azure Key Vault, "Migrate from vault access policy to an Azure role-based access control permission model";
"Assign a Key Vault access policy".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.azure.evaluate import Access
from assaymark.assess.estate.azure import Assignment, Permission, RoleDefinition
from assaymark.assess.values import dicts_in
from assaymark.core.graph import Because, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assaymark.assess.estate.azure import Azure, Resource

VAULT: Final = "microsoft.keyvault/vaults"
_MARK: Final = "/accesspolicies/"  # in the name of what stands for the role of an access policy
_PLACE: Final = 9  # parts of a vault's id, with the empty one before its first slash
_SAME: Final = ("backup", "restore", "recover", "purge", "create", "import", "update", "encrypt", "decrypt", "sign")
_READ: Final = ("get", "list")
_ACTIONS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "secrets": {
        "get": ("secrets/getSecret/action",),
        "list": ("secrets/readMetadata/action",),
        "set": ("secrets/setSecret/action", "secrets/update/action"),
        "delete": ("secrets/delete",),
        **{one: (f"secrets/{one}/action",) for one in ("backup", "restore", "recover", "purge")},
    },
    "keys": {
        **dict.fromkeys(_READ, ("keys/read",)),
        **{one: (f"keys/{one}/action",) for one in (*_SAME, "verify", "release", "rotate")},
        "wrapkey": ("keys/wrap/action",),
        "unwrapkey": ("keys/unwrap/action",),
        "delete": ("keys/delete",),
        "getrotationpolicy": ("keyrotationpolicies/read",),
        "setrotationpolicy": ("keyrotationpolicies/write",),
    },
    "certificates": {
        **dict.fromkeys(_READ, ("certificates/read",)),
        **{one: (f"certificates/{one}/action",) for one in _SAME[:7]},
        "delete": ("certificates/delete",),
        "managecontacts": ("certificatecontacts/write",),
        **dict.fromkeys(("getissuers", "listissuers"), ("certificatecas/read",)),
        **dict.fromkeys(("setissuers", "manageissuers"), ("certificatecas/write",)),
        "deleteissuers": ("certificatecas/delete",),
    },
}


class Vaults(Access):
    """``Access`` that lets the data of a vault be decided by its roles, or by its access policies."""

    def counts(self, assignment: Assignment, action: str, scope: str, *, data: bool) -> State:
        """Whether an assignment counts for an action there."""
        if not data or not action.lower().startswith(f"{VAULT}/"):
            return State.YES
        by_roles = decides_by_roles(self.estate, vault_of(scope))
        if is_policy(assignment.role):
            return by_roles.inverse()
        return by_roles


def decides_by_roles(estate: Azure, vault: str) -> State:
    """Whether a vault decides by roles; one that no file speaks of is taken to, as nothing else could be known."""
    known = estate.resources.get(vault)
    if known is None or known.kind != VAULT:
        return State.YES
    setting = known.settings.get("rbac")
    return State.YES if setting is True else State.NO if setting is False else State.UNKNOWN


def vault_of(scope: str) -> str:
    """The vault that a scope is, or lies in."""
    return "/".join(scope.split("/")[:_PLACE])


def is_policy(role: str) -> bool:
    """Whether a role stands for an access policy."""
    return _MARK in role


def with_policies(estate: Azure) -> Azure:
    """The estate with the access policies of its vaults as assignments of roles."""
    assignments, roles = list(estate.assignments), dict(estate.roles)
    for vault in sorted(estate.resources.values(), key=lambda one: one.id):
        if vault.kind == VAULT and vault.settings.get("rbac") is not True:
            for index, policy in enumerate(dicts_in(vault.settings.get("policies"))):
                _add(estate, vault, index, policy, assignments, roles)
    return replace(estate, assignments=assignments, roles=roles)


def _add(
    estate: Azure,
    vault: Resource,
    index: int,
    policy: Mapping[str, object],
    assignments: list[Assignment],
    roles: dict[str, RoleDefinition],
) -> None:
    named = str(policy.get("principal", ""))
    principal = estate.aliases.get(named, named)
    because = policy.get("because")
    where = because if isinstance(because, Because) else vault.because
    found = [
        f"{kind} {word}"
        for kind, known in _ACTIONS.items()
        if isinstance(said := policy.get(kind), list)
        for word in (known if "all" in said else dict.fromkeys(str(one).lower() for one in said))
        if word in known
    ]
    if principal and found:
        grant = policy_role(vault.id, f"{principal}-{index}", found, where)
        roles[grant.id] = grant
        application = policy.get("application")
        opened = (f"the call is made through the application {application}",) if application else ()
        assignments.append(Assignment(principal, grant.id, vault.id, where, open=opened))


def policy_role(vault: str, name: str, words: Iterable[str], where: Because) -> RoleDefinition:
    """What stands for an access policy: its words, such as ``secrets get``, each as an entry."""
    kept = sorted(set(words))
    entries = tuple(Permission(data_actions=actions_of(one)) for one in kept)
    return RoleDefinition(f"{vault}{_MARK}{name}", ", ".join(kept), entries, where)


def actions_of(word: str) -> tuple[str, ...]:
    """The data actions of a permission, ``secrets get``."""
    kind, _, name = word.partition(" ")
    return tuple(f"Microsoft.KeyVault/vaults/{one}" for one in _ACTIONS[kind][name])


def words_of(role: RoleDefinition) -> tuple[str, ...]:
    """The permissions of what stands for an access policy."""
    return tuple(role.name.split(", ")) if role.name else ()


def written(principal: str, vault: str, role: RoleDefinition) -> dict[str, object]:
    """An access policy as the vault takes it."""
    permissions: dict[str, list[str]] = {}
    for word in words_of(role):
        kind, _, name = word.partition(" ")
        permissions.setdefault(kind, []).append(name)
    return {"vault": str(vault), "accessPolicy": {"objectId": str(principal), "permissions": permissions}}
