"""Attestations as trust.verify would make them, for tests of what follows from them. No signature is made here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from assaymark.core.attestation import Attestation, Signer
from assaymark.core.decision import Decision, LogPosition, Request, Scope, TrustState
from assaymark.core.digest import sha256_digest
from assaymark.core.statement import (
    APPROVAL,
    CONTAINMENT,
    IN_TOTO_PAYLOAD_TYPE,
    RELEASE,
    SCAN,
    Signature,
    make_envelope,
    make_statement,
)
from assaymark.core.subject import Subject
from assaymark.core.times import format_time
from assaymark.policy.decide import decide
from assaymark.policy.parse import parse_policy
from assaymark.policy.starter import starter_policy

START = 1_777_636_800  # 2026-05-01T12:00:00Z
MODEL = Subject("digits", sha256_digest(b"model"))
OTHER = Subject("other", sha256_digest(b"another model"))
PRODUCTION = Scope("default", "production")
IN_PRODUCTION = Request(MODEL, PRODUCTION)
STARTER = parse_policy(starter_policy())
ROOT = TrustState(1, sha256_digest(b"root"), START + 10**8)


def person(name: str, *roles: str, key: str = "") -> Signer:
    return Signer(name, key or f"key-of-{name}", frozenset(roles))


def workload(name: str, *roles: str, registered_by: str) -> Signer:
    return Signer(name, f"key-of-{name}", frozenset(roles), "workload", registered_by)


ALICE = person("alice", "owner")
BOB = person("bob", "approver")
CAROL = person("carol", "approver")
DAVE = person("dave", "approver")
RESPONDER = person("robin", "responder")
SCANNER = workload("scanner", "scanner", registered_by="zoe")


def attestation(
    position: int,
    predicate_type: str,
    predicate: dict[str, Any],
    *signers: Signer,
    subject: Subject = MODEL,
    at: int | None = None,
) -> Attestation:
    statement = make_statement((subject,), predicate_type, predicate)
    signatures = tuple(Signature(signer.key_id, bytes(64)) for signer in signers)
    envelope = make_envelope(IN_TOTO_PAYLOAD_TYPE, statement.payload, signatures)
    logged_at = START + position if at is None else at
    return Attestation(statement, envelope, tuple(signers), position, logged_at)


def scan_predicate(**changes: Any) -> dict[str, Any]:
    return {
        "complete": True,
        "examined": [{"format": "safetensors", "path": "model.safetensors"}],
        "findings": [],
        "highest": "none",
        "inert": [],
        "outcome": "pass",
        "scannedOn": "2026-05-01T12:00:00Z",
        "skipped": [],
        "tool": {"name": "assaymark", "version": "0.1.0"},
    } | changes


def scope_fields(environment: str = "production", tenant: str = "default") -> dict[str, Any]:
    return {"environment": environment, "tenant": tenant}


def scan(position: int, *, by: Signer = SCANNER, subject: Subject = MODEL, **changes: Any) -> Attestation:
    """A scan made at the time of its entry: the log takes the same bytes once."""
    changes = {"scannedOn": format_time(START + position)} | changes
    return attestation(position, SCAN, scan_predicate(**changes), by, subject=subject)


def release(position: int, *by: Signer, environment: str = "production", subject: Subject = MODEL) -> Attestation:
    predicate = {**scope_fields(environment), "files": 1, "manifest": subject.digest[7:], "size": 10}
    return attestation(position, RELEASE, predicate, *(by or (ALICE,)), subject=subject)


def approval(
    position: int,
    *by: Signer,
    after: int = 0,
    environment: str = "production",
    tenant: str = "default",
    subject: Subject = MODEL,
) -> Attestation:
    return attestation(
        position, APPROVAL, {**scope_fields(environment, tenant), "afterEntry": after}, *by, subject=subject
    )


def contain(
    position: int,
    by: Signer = RESPONDER,
    *,
    action: str = "contain",
    after: int = 0,
    reason: str = "drift",
    environment: str = "production",
) -> Attestation:
    predicate = {**scope_fields(environment), "action": action, "afterEntry": after, "reason": reason}
    return attestation(position, CONTAINMENT, predicate, by)


def lift(position: int, by: Signer = RESPONDER, *, after: int) -> Attestation:
    return contain(position, by, action="lift", after=after, reason="fixed")


def admitted() -> list[Attestation]:
    """What the starter policy's production environment asks for, and no more."""
    return [release(1), scan(2), approval(3, BOB), approval(4, CAROL)]


@dataclass(frozen=True)
class Asked:
    """One question to ``decide``; a test changes what it is about."""

    policy: Any = STARTER
    request: Request = IN_PRODUCTION
    now: int = START + 1_000
    trust: TrustState = ROOT
    tree_size: int = 1_000

    def but(self, **changes: Any) -> Asked:
        return replace(self, **changes)

    def about(self, environment: str = "production", subject: Subject = MODEL, tenant: str = "default") -> Asked:
        return self.but(request=Request(subject, Scope(tenant, environment)))

    def decide(self, attestations: list[Attestation]) -> Decision:
        position = LogPosition("log.example.com/default", self.tree_size, "0" * 64)
        return decide(
            self.policy, sha256_digest(starter_policy()), attestations, self.request, self.now, self.trust, position
        )


ASK = Asked()


def reason_of(decision: Decision, requirement: str) -> Any:
    return next(reason for reason in decision.reasons if reason.requirement == requirement)


def without_words(decision: Decision) -> Decision:
    """The decision as it is signed: its reasons without the words for people."""
    return replace(decision, reasons=tuple(replace(reason, message="", remedy="") for reason in decision.reasons))
