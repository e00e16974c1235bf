"""``Records`` is how collectors add to the estate of Azure: what several files say of one thing is merged."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.azure.roles import permission_of
from assaymark.assess.estate.azure import Assignment, Principal, Resource, RoleDefinition
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from assaymark.assess.estate.azure import Azure, Permission
    from assaymark.assess.inputs import Inputs
    from assaymark.core.graph import Because

_GUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_BLOCK: Final = re.compile(r"\.(identity|kubelet_identity)(?:\[0\]|\.0)\.(?:principal_id|object_id)>$", re.IGNORECASE)
# Scheduled assignments of Terraform write the scope before the role's id, which for a role by name is its name here.
_BEFORE: Final = re.compile(r"^/subscriptions/(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|<[^<>/]*>)(?=[^/])")
_KINDS: Final = {
    "user": "user",
    "group": "group",
    "serviceprincipal": "service-principal",
    "foreigngroup": "group",
    "msi": "managed-identity",
}


class Records:
    """The estate, added to."""

    def __init__(self, inputs: Inputs, estate: Azure) -> None:
        self.inputs = inputs
        self.estate = estate
        self.reading = inputs.reading
        self._assigned: set[tuple[object, ...]] = {
            (one.principal, one.role, one.scope, one.condition, one.open, one.since, one.until)
            for one in estate.assignments
        }

    def principal(
        self,
        identifier: str,
        kind: str,
        name: str,
        because: Because,
        *,
        client: str = "",
        resource: str = "",
        secrets: tuple[Because, ...] = (),
    ) -> str:
        """Adds a principal by its object id, or to it; the id in lower case."""
        key = object_id(identifier)
        known = self.estate.principals.get(key)
        if known is None:
            known = Principal(key, kind, name or key, because)
        better = kind if known.kind in ("", "service-principal") and kind else known.kind
        self.estate.principals[key] = replace(
            known,
            kind=better,
            name=name if name and known.name == key else known.name,
            client=known.client or client.lower(),
            resource=known.resource or resource.lower(),
            secrets=tuple(dict.fromkeys((*known.secrets, *secrets))),
        )
        for alias in (client, resource):
            if alias:
                self.estate.aliases.setdefault(alias.lower(), key)
        return key

    def resource(
        self,
        identifier: str,
        kind: str,
        because: Because,
        *,
        name: str = "",
        identities: tuple[str, ...] = (),
        tags: Any = None,
        settings: dict[str, object] | None = None,
    ) -> str:
        """Adds a resource by its id, or to it; the id in lower case."""
        key = identifier.lower().rstrip("/")
        known = self.estate.resources.get(key) or Resource(key, kind.lower(), name or key.rpartition("/")[2], because)
        labels = {str(one): str(value) for one, value in tags.items()} if isinstance(tags, dict) else {}
        fresh = {one: value for one, value in (settings or {}).items() if value is not None}
        self.estate.resources[key] = replace(
            known,
            identities=tuple(dict.fromkeys((*known.identities, *(one.lower() for one in identities)))),
            tags={**labels, **known.tags},
            settings={**fresh, **known.settings},
        )
        return key

    def role(self, identifier: str, name: str, permissions: tuple[Permission, ...], because: Because) -> None:
        """Adds a role definition."""
        key = (identifier.rpartition("/")[2] or name).lower()
        self.estate.roles[key] = RoleDefinition(key, name or key, permissions, because)

    def assign(
        self,
        principal: str,
        role: str,
        scope: str,
        because: Because,
        *,
        kind: str = "",
        name: str = "",
        condition: str | None = None,
        opened: tuple[str, ...] = (),
        since: str = "",
        until: str = "",
    ) -> None:
        """Adds an assignment, once; its principal too, when nothing else speaks of it."""
        identifier = object_id(principal)
        key = self.estate.aliases.get(identifier, identifier)
        if key not in self.estate.principals:
            self.principal(key, _KINDS.get(kind.lower().replace("_", ""), "service-principal"), name, because)
        place = scope.lower().rstrip("/") or "/"
        found = Assignment(key, role_key(role), place, because, condition or None, opened, since, until)
        same = (key, found.role, place, found.condition, opened, since, until)
        if same not in self._assigned:  # a list of active schedules repeats the list of assignments
            self._assigned.add(same)
            self.estate.assignments.append(found)


def object_id(text: str) -> str:
    """An object id in lower case; that of a block of a plan as configuration has it."""
    return _BLOCK.sub(lambda match: f".{match[1]}.principal_id>", text).lower()


def role_key(role: str) -> str:
    """What a role is known by: the GUID at the end of its id, or its name; lower case."""
    text = _BEFORE.sub("", role.lower())
    last = text.rpartition("/")[2]
    return last if _GUID.fullmatch(last) else text.rpartition("/roledefinitions/")[2]


def permissions_of(value: Any) -> tuple[Permission, ...]:
    """The entries of ``permissions``."""
    items = value if isinstance(value, list) else [value]
    return tuple(permission_of(one) for one in items if isinstance(one, Map))
