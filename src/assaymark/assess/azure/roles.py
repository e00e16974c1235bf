"""``Roles``: what role definitions allow: those of the files, and Azure's own by ``data/roles.json``.

A role that is in neither is unknown, never empty; so is an action that the table was not condensed for (``asked``).
Source: Azure RBAC, "Azure built-in roles" and "Understand Azure role definitions": an entry allows an action that
fits ``actions`` and does not fit ``notActions`` of the same entry, under the entry's own condition where it has one.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assaymark.assess.answer import NO, Answer
from assaymark.assess.azure.abac import condition_holds
from assaymark.assess.estate.azure import Permission, RoleDefinition
from assaymark.core.graph import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.azure.abac import Known

OWNER: Final = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR: Final = "b24988ac-6180-42a0-ab88-20f7382dd24c"
ACCESS_ADMINISTRATOR: Final = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
READER: Final = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
RBAC_ADMINISTRATOR: Final = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"


_WHOLE: Final = (OWNER, READER)  # one pattern each, and nothing is taken from it


class _Table(NamedTuple):
    """``roles``: id and lists by the lower-case GUID and name; ``asked``: the actions that it speaks of."""

    roles: dict[str, tuple[str, Any]]
    asked: frozenset[str]


@cache
def _table() -> _Table:
    text = resources.files("assaymark.assess.azure").joinpath("data/roles.json").read_text(encoding="utf-8")
    whole = json.loads(text)
    found: dict[str, tuple[str, Any]] = {}
    for name, value in whole["roles"].items():
        found[value["id"]] = found[name.lower()] = (name, value)
    return _Table(found, frozenset(one.lower() for one in whole["asked"]))


@cache
def _built_in(role: str) -> RoleDefinition | None:
    name, value = _table().roles.get(role, ("", None))
    if value is None:
        return None
    return RoleDefinition(value["id"], name, tuple(permission_of(one) for one in value.get("permissions", ())))


def permission_of(value: Any) -> Permission:
    """An entry of ``permissions``, by the names of the API or of Terraform."""

    def texts(*names: str) -> tuple[str, ...]:
        for name in names:
            if isinstance(value.get(name), list):
                return tuple(one for one in value[name] if isinstance(one, str))
        return ()

    return Permission(
        texts("actions", "Actions"),
        texts("notActions", "not_actions", "NotActions"),
        texts("dataActions", "data_actions", "DataActions"),
        texts("notDataActions", "not_data_actions", "NotDataActions"),
        value["condition"] if isinstance(value.get("condition"), str) and value["condition"] else None,
    )


@lru_cache(maxsize=8192)
def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # Azure's own Managed Identity Operator writes ``userAssignedIdentities/*/assign/action`` for the operation
    # ``userAssignedIdentities/assign/action``: a star between slashes may stand for nothing.
    parts = [".*".join(map(re.escape, one.lower().split("*"))).replace("/.*/", "/(?:.*/)?") for one in patterns]
    return re.compile("|".join(parts) or "(?!)")


@lru_cache(maxsize=65536)
def allows(permission: Permission, action: str, *, data: bool = False) -> bool:
    """Whether an entry allows an action (``data``: a data action); without regard to case."""
    wanted = permission.data_actions if data else permission.actions
    left = permission.not_data_actions if data else permission.not_actions
    name = action.lower()
    return bool(_pattern(wanted).fullmatch(name)) and not _pattern(left).fullmatch(name)


def is_asked(action: str, *, data: bool = False) -> bool:
    """Whether the table of Azure's own roles speaks of an action (``data``: a data action)."""
    return (f"data:{action}" if data else action).lower() in _table().asked


def speaks_of(role: RoleDefinition, action: str, *, data: bool = False) -> bool:
    """Whether what is known of a role decides an action: a file says the role, or the table speaks of the action.

    What Owner and Reader allow they allow, whatever the table speaks of; what it does not say of them is not no.
    """
    if role.because is not None or is_asked(action, data=data):
        return True
    return role.id in _WHOLE and any(allows(one, action, data=data) for one in role.permissions)


def asked_actions() -> frozenset[str]:
    """The actions that the table of Azure's own roles speaks of, in lower case, ``data:`` before data actions."""
    return _table().asked


class Roles:
    """The role definitions of an estate and Azure's own."""

    def __init__(self, custom: Mapping[str, RoleDefinition]) -> None:
        self._custom: dict[str, RoleDefinition] = {}
        for role in custom.values():
            self._custom[role.id] = self._custom[role.name.lower()] = role

    def get(self, role: str) -> RoleDefinition | None:
        """A role by its GUID or name; None when it is not known."""
        return self._custom.get(role) or _built_in(role)

    def grants(self, role: str, action: str, attributes: Known | None = None, *, data: bool = False) -> Answer:
        """Whether a role allows an action (``data``: a data action); UNKNOWN for one that is not known.

        ``attributes``: what the conditions of its entries may ask of, as ``condition_holds`` has them.
        """
        known = self.get(role)
        if known is None or not speaks_of(known, action, data=data):
            return Answer(State.UNKNOWN, (), (f"the role {role} allows {action}",))
        answer = NO
        for one in known.permissions:
            if allows(one, action, data=data):
                answer = answer.either(condition_holds(one.condition, action, attributes or {}))
        return answer
