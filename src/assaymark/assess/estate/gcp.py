"""What the files say of Google Cloud: resources and their places, bindings, roles, service accounts, pools."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.assess.estate.use import Use
    from assaymark.core.graph import Because, State

UNKNOWN_PROJECT: Final = "unknown-project"  # stands for the project that a configuration deploys to and nobody names
MANAGER: Final = "//cloudresourcemanager.googleapis.com/"
IAM: Final = "//iam.googleapis.com/"


@dataclass(frozen=True, slots=True)
class Binding:
    """Members have a role on ``resource`` (a full resource name) and on what lies in it.

    ``condition`` is the text of the condition in CEL, None for none; a text that a template left open is
    ``Unresolved``, and so may be a member or the role.
    """

    resource: str
    role: str
    members: tuple[str, ...]
    because: Because
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """A custom role, or a predefined one whose permissions a file holds. ``name``: ``projects/P/roles/R``, ..."""

    name: str
    permissions: tuple[str, ...]
    because: Because


@dataclass(frozen=True, slots=True)
class DenyRule:
    """A rule of a deny policy that is attached to ``resource``; permissions as ``service.googleapis.com/x.y.z``.

    ``resource`` is empty where the input does not say what it is attached to.
    """

    resource: str
    principals: tuple[str, ...]
    permissions: tuple[str, ...]
    because: Because
    except_principals: tuple[str, ...] = ()
    except_permissions: tuple[str, ...] = ()
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class OrgPolicy:
    """A policy of the organisation policy service on ``place``, of a boolean constraint such as ``iam.x``.

    ``place``: a full resource name; empty when the file does not say. ``enforced``: None for the default of Google.
    """

    place: str
    constraint: str
    enforced: State | None
    because: Because


@dataclass(frozen=True, slots=True)
class AccessBoundary:
    """A principal access boundary policy: full resource names that it lets principals be given access to."""

    name: str
    resources: tuple[str, ...]
    because: Because


@dataclass(frozen=True, slots=True)
class Account:
    """A service account. ``keys``: where long-lived keys of it are made. ``unique`` is its numeric id."""

    email: str
    project: str
    because: Because
    keys: tuple[Because, ...] = ()
    unique: str = ""

    @property
    def name(self) -> str:
        """Its full resource name."""
        return f"{IAM}projects/{self.project}/serviceAccounts/{self.email}"


@dataclass(frozen=True, slots=True)
class Resource:
    """A thing with a full resource name. ``kind``: service and collection, ``storage:bucket``, ``run:service``, ...

    ``account``: the email of the service account that it runs as. ``settings`` by the platform's own names.
    """

    name: str
    kind: str
    project: str
    because: Because
    account: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of a workload identity pool. ``kind``: ``oidc``, ``aws``, ``saml``; ``pool`` is its pool's name.

    ``issuer`` without ``https://``, for AWS the account. ``mapping``: attribute to CEL over ``assertion``.
    """

    name: str
    pool: str
    kind: str
    issuer: str
    because: Because
    mapping: Mapping[str, str] = field(default_factory=dict)
    condition: str | None = None
    audiences: tuple[str, ...] = ()


@dataclass(slots=True)
class Gcp:
    """All of it. ``parents`` leads from a full resource name to that of what it lies in.

    ``whole`` holds resources whose policy is known wholly, so that nothing is granted by default. ``numbers``: the
    id of each project number. ``denies`` is None when no file speaks of deny policies. ``bound``: the principal sets
    that policies of ``boundaries`` are bound to, by the policy's name.
    """

    bindings: list[Binding] = field(default_factory=list)
    roles: dict[str, Role] = field(default_factory=dict)
    denies: list[DenyRule] | None = None
    accounts: dict[str, Account] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    places: dict[str, Because] = field(default_factory=dict)  # projects, folders, organisations
    providers: dict[str, Provider] = field(default_factory=dict)
    groups: dict[str, dict[str, Because]] = field(default_factory=dict)  # group:E to its members
    whole: set[str] = field(default_factory=set)
    numbers: dict[str, str] = field(default_factory=dict)
    constraints: list[OrgPolicy] = field(default_factory=list)
    boundaries: dict[str, AccessBoundary] = field(default_factory=dict)
    bound: dict[str, list[str]] = field(default_factory=dict)
    firewalls: list[tuple[Mapping[str, Any], Because]] = field(default_factory=list)  # as the API writes them
    parts: list[tuple[str, Mapping[str, Any], Because]] = field(default_factory=list)  # of load balancing, by kind
    uses: list[Use] = field(default_factory=list)  # what audit logs show, by members
