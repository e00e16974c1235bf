"""The trust root as values. Format: docs/spec/root.md; the reader is ``trust.parse``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.core.digest import sha256_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assaymark.trust.public_key import PublicKey

PERSON: Final = "person"
WORKLOAD: Final = "workload"


@dataclass(frozen=True, slots=True)
class Principal:
    """A person, or a workload (a scanner, a build) that ``registered_by``, a person, answers for.

    ``former`` are keys that sign nothing any more: what they signed before the key-event that cut them off stands.
    """

    name: str
    keys: tuple[str, ...]
    kind: str = PERSON
    registered_by: str = ""
    former: tuple[str, ...] = ()

    @property
    def person(self) -> str:
        """Whoever answers for what it signs: the person who registered a workload, else itself."""
        return self.registered_by or self.name


@dataclass(frozen=True, slots=True)
class Role:
    """Who may act in a role. ``threshold`` is None where the policy alone says how many."""

    name: str
    principals: tuple[str, ...]
    threshold: int | None = None


@dataclass(frozen=True, slots=True)
class LogTrust:
    """The log of the tenant: its origin and the verifier keys (C2SP vkeys) that sign its checkpoints."""

    origin: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Root:
    """One version of the trust root. ``expires`` in seconds; ``digest`` is that of ``payload``."""

    tenant: str
    version: int
    expires: int
    log: LogTrust
    keys: Mapping[str, PublicKey]
    principals: Mapping[str, Principal]
    roles: Mapping[str, Role]
    payload: bytes
    owners: Mapping[str, str] = field(repr=False)

    @property
    def digest(self) -> str:
        """What a verifier pins."""
        return sha256_digest(self.payload)

    def owner(self, key: str) -> Principal:
        """The one principal that a key belongs to."""
        return self.principals[self.owners[key]]

    def is_former(self, key: str) -> bool:
        """Whether a key of this root is one that its owner no longer signs with."""
        return key in self.owner(key).former

    def roles_of(self, principal: str) -> frozenset[str]:
        """The roles that a principal acts in."""
        return frozenset(role.name for role in self.roles.values() if principal in role.principals)
