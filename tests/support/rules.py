"""Policies and statements for tests of the rules beyond the starter policy."""

from __future__ import annotations

from typing import Any

from tests.support.evidence import ASK, MODEL, START, Asked, attestation, person, scope_fields

from assaymark.core.attestation import Attestation, Signer
from assaymark.core.digest import sha256_digest
from assaymark.core.statement import (
    CONFIGURATION,
    EXCEPTION,
    IN_TOTO_PAYLOAD_TYPE,
    PROVENANCE,
    Signature,
    make_envelope,
    make_statement,
)
from assaymark.core.subject import Subject
from assaymark.core.times import format_time
from assaymark.policy.parse import parse_policy

HEAD = 'format = "assaymark:policy/v1"\n'
REVIEW = "https://example.com/review/v1"
JUDGE = person("judge", "reviewer")
SECOND = person("second", "reviewer")
BUILDER = person("builder", "builder")
WARDEN = person("warden", "policy")
DATA = Subject("customers", sha256_digest(b"customers"), "dataset")
MORE_DATA = Subject("suppliers", sha256_digest(b"suppliers"), "dataset")
BASE = Subject("base", sha256_digest(b"base model"))
CONFIG = Subject("pre.json", sha256_digest(b"pre"), "configuration")


def requirement(name: str = "review", *more: str, environment: str = "production", predicate: str = REVIEW) -> str:
    lines = [f"[[environments.{environment}.require]]", f'id = "{name}"', f'predicate = "{predicate}"']
    return "\n".join([*lines, 'roles = ["reviewer"]', *more, ""])


def asking(*parts: str, **changes: Any) -> Asked:
    return ASK.but(policy=parse_policy((HEAD + "\n".join(parts)).encode()), **changes)


def review(
    position: int, *by: Signer, subject: Subject = MODEL, at: int | None = None, **predicate: Any
) -> Attestation:
    predicate.setdefault("n", position)
    return attestation(position, REVIEW, predicate, *(by or (JUDGE,)), subject=subject, at=at)


def provenance(
    position: int, *parents: Subject, subject: Subject = MODEL, by: tuple[Signer, ...] = (BUILDER,), **changes: Any
) -> Attestation:
    predicate = {
        "buildDefinition": {
            "buildType": "assaymark:record/v1",
            "externalParameters": {"operation": "train"},
            "resolvedDependencies": [
                {
                    "annotations": {"how": "declared", "kind": parent.kind},
                    "digest": {"sha256": parent.digest[7:]},
                    "name": parent.name,
                }
                for parent in parents
            ],
        },
        "runDetails": {"builder": {"id": "https://example.com/builder"}},
    } | changes
    return attestation(position, PROVENANCE, predicate, *by, subject=subject)


def several(position: int, subjects: tuple[Subject, ...], predicate_type: str, *by: Signer, **predicate: Any):
    statement = make_statement(subjects, predicate_type, predicate)
    signatures = tuple(Signature(signer.key_id, bytes(64)) for signer in by)
    envelope = make_envelope(IN_TOTO_PAYLOAD_TYPE, statement.payload, signatures)
    return Attestation(statement, envelope, by, position, START + position)


def bind(position: int, *files: Subject, model: Subject = MODEL, by: tuple[Signer, ...] = (BUILDER,)):
    return several(position, (model, *files), CONFIGURATION, *by, model=model.digest[7:], files=[])


def exception(
    position: int,
    *names: str,
    by: tuple[Signer, ...] = (WARDEN,),
    until: Any = START + 86_400,
    after: int = 0,
    subject: Subject = MODEL,
    at: int | None = None,
    **changes: Any,
) -> Attestation:
    predicate = {
        **scope_fields(),
        "afterEntry": after,
        "owner": "Eve",
        "reason": "in service before",
        "requirements": list(names or ("review",)),
        "until": format_time(until) if isinstance(until, int) and until > START else until,
    } | changes
    return attestation(position, EXCEPTION, predicate, *by, subject=subject, at=at)
