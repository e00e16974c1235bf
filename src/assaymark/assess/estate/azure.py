"""What the files say of Azure: principals, role definitions and assignments, resources, federated credentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.estate.use import Use
    from assaymark.core.graph import Because

UNKNOWN_SUBSCRIPTION: Final = "00000000-0000-0000-0000-000000000000"  # of a template: the one it is deployed to


@dataclass(frozen=True, slots=True)
class Permission:
    """One entry of a role definition's ``permissions``; patterns with ``*``, compared without case.

    ``condition`` is met whenever the entry counts, beside that of the assignment; None for none.
    """

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A role. ``id`` is the GUID in lower case. ``because`` is None for one that is built in."""

    id: str
    name: str
    permissions: tuple[Permission, ...]
    because: Because | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A role for a principal (object id, lower case) at a scope (resource id, lower case).

    ``role`` is a GUID or a name, lower case. ``open``: what a template or a schedule left open of it, which makes it
    unknown. ``since`` and ``until``: when it holds, as ISO 8601 is written; empty for always.
    """

    principal: str
    role: str
    scope: str
    because: Because
    condition: str | None = None
    open: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class DenyAssignment:
    """What principals may not do at a scope, whatever their roles. ``*`` among them: everyone."""

    scope: str
    principals: tuple[str, ...]
    except_principals: tuple[str, ...]
    permissions: tuple[Permission, ...]
    because: Because
    children: bool = True
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """``kind``: ``user``, ``group``, ``service-principal``, ``managed-identity``. ``resource``: its own resource.

    ``secrets``: where long-lived credentials of it are made.
    """

    id: str
    kind: str
    name: str
    because: Because
    client: str = ""
    resource: str = ""
    secrets: tuple[Because, ...] = ()

    @property
    def node(self) -> str:
        """The id of its node."""
        return f"azure:principal:{self.id}"


@dataclass(frozen=True, slots=True)
class Federated:
    """Tokens of an issuer with this subject and one of these audiences count as the principal.

    ``owner`` is the principal's object id, or the id of its application. ``expression``: a flexible credential's
    claims-matching expression, which stands for a subject.
    """

    owner: str
    issuer: str
    subject: str
    audiences: tuple[str, ...]
    because: Because
    expression: str = ""


@dataclass(frozen=True, slots=True)
class DirectoryRole:
    """A right in the directory: ``role`` is the GUID or name of a directory role or application permission.

    ``owner`` for whoever owns the application or service principal ``target``. All in lower case. ``open``: what
    makes it unknown, as for an assignment.
    """

    principal: str
    role: str
    because: Because
    target: str = ""
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource by its id, lower case. ``kind``: its type, lower case. ``identities``: object ids it runs as."""

    id: str
    kind: str
    name: str
    because: Because
    identities: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Azure:
    """All of it. ``parents`` leads from a subscription or management group to the group that it lies in.

    ``denies`` is None when no file speaks of deny assignments. ``groups``: members' object ids by group;
    ``eligible``: those who may activate a membership.
    ``uses``: what logs show, by nodes of principals.
    ``aliases``: what others call a principal (client id, application, resource id), to its object id.
    """

    principals: dict[str, Principal] = field(default_factory=dict)
    roles: dict[str, RoleDefinition] = field(default_factory=dict)
    assignments: list[Assignment] = field(default_factory=list)
    denies: list[DenyAssignment] | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    scopes: dict[str, Because] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    groups: dict[str, dict[str, Because]] = field(default_factory=dict)
    eligible: dict[str, dict[str, Because]] = field(default_factory=dict)
    federated: list[Federated] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    directory: list[DirectoryRole] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
