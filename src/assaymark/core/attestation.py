"""A statement that was verified: who signed it, and where in the log it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assaymark.core.statement import Envelope, Statement


@dataclass(frozen=True, slots=True)
class Signer:
    """A principal of the trust root whose key verified. ``key_id`` is of the canonical public key.

    ``registered_by`` names the person who answers for a workload; empty for a person. No one approves their own
    change through a workload of theirs, so the two count as one.
    """

    principal: str
    key_id: str
    roles: frozenset[str]
    kind: str = "person"
    registered_by: str = ""

    @property
    def person(self) -> str:
        """Whoever answers for the signature: thresholds count people, so that nobody meets one with a helper."""
        return self.registered_by or self.principal


@dataclass(frozen=True, slots=True)
class Receipt:
    """A C2SP tlog-proof in memory: the entry at ``index`` is in the tree that ``checkpoint`` commits to.

    ``leaf`` is the entry's bytes, ``hashes`` the inclusion proof from the leaf's sibling up, ``checkpoint``
    the signed note. ``cosignatures`` names the witnesses whose cosignatures verified; none means
    unwitnessed: evident to those who kept a checkpoint, no more.
    """

    origin: str
    index: int
    tree_size: int
    root_hash: bytes
    leaf: bytes
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    cosignatures: tuple[str, ...] = ()

    @property
    def witnessed(self) -> str:
        """``unwitnessed``, or the witnesses' names."""
        return ", ".join(self.cosignatures) or "unwitnessed"


@dataclass(frozen=True, slots=True)
class Attestation:
    """Made only by ``trust.verify``: policy and faces accept nothing weaker (``policy.cases`` supposes some).

    ``position`` is the index in the log, ``logged_at`` the leaf's time, in seconds (log-claimed).
    ``signers`` are distinct by key and sorted by principal; every one verified.
    """

    statement: Statement
    envelope: Envelope
    signers: tuple[Signer, ...]
    position: int
    logged_at: int

    @property
    def principals(self) -> frozenset[str]:
        """The distinct principals that signed."""
        return frozenset(signer.principal for signer in self.signers)
