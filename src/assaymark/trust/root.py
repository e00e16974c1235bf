"""The trust root: who may sign what for one tenant, and its chain of versions from a pinned digest.

In the spirit of TUF's root (The Update Framework, specification 1.0.33 section 5.3): version N+1 is signed by the
thresholds of both, so that neither a thief of the new keys nor one of the old alone changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.errors import InputError, VerificationError
from assaymark.core.limits import ROOT_MAX_VERSIONS
from assaymark.core.statement import ROOT_PAYLOAD_TYPE
from assaymark.trust.document import LogTrust, Principal, Role, Root
from assaymark.trust.parse import ROOT_ROLE, make_root, parse_root
from assaymark.trust.signatures import verified_signers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assaymark.core.statement import Envelope

__all__ = ["LogTrust", "Principal", "Role", "Root", "make_root", "parse_root", "verify_root_chain"]


def verify_root_chain(envelopes: Iterable[Envelope], pinned_digest: str, *, minimum_version: int = 1) -> Root:
    """The newest root of the chain, trusted because the pinned one is.

    Steps:
        1. Every envelope holds a root document; versions are distinct, or hold the same payload.
        2. One of them has the pinned digest. What comes before it is not looked at.
        3. From there on every version is one more than the last, of the same tenant and log origin.
        4. Each is signed by the root role's threshold of the version before it and of its own, by distinct
           people with distinct keys, a workload counted as its person; a former key signs no root.
        5. The newest is not below ``minimum_version``, the highest version that the verifier has seen.

    That a version in between has expired does not matter; the newest one's expiry is judged by the decision.

    Raises:
        InputError: as ``parse_root``, or ``root-limit`` above ``ROOT_MAX_VERSIONS`` envelopes.
        VerificationError: ``root-pin``, ``root-chain``, ``root-threshold`` or ``root-rollback``, naming the version.
    """
    chain = _by_version(envelopes)
    pinned = next((root for root, _ in chain if root.digest == pinned_digest), None)
    if pinned is None:
        raise VerificationError(
            "root-pin",
            "no root of the chain has the pinned digest",
            source=pinned_digest[:80],
            remedy="check the digest with who gave it to you; do not pin another one because it fits",
        )
    newest = pinned
    for root, signed in chain:
        if root.version > newest.version:
            _check_step(newest, root, signed)
            newest = root
    if newest.version < minimum_version:
        raise VerificationError(
            "root-rollback",
            f"the newest root is version {newest.version}, and version {minimum_version} was seen before",
            remedy="get the whole chain; a chain that ends early hides keys that were taken away",
        )
    return newest


def _by_version(envelopes: Iterable[Envelope]) -> list[tuple[Root, list[Envelope]]]:
    versions: dict[int, tuple[Root, list[Envelope]]] = {}
    for number, envelope in enumerate(envelopes, 1):
        if number > ROOT_MAX_VERSIONS:
            raise InputError("root-limit", f"more than {ROOT_MAX_VERSIONS} root envelopes")
        if envelope.payload_type != ROOT_PAYLOAD_TYPE:
            raise VerificationError(
                "root-chain", f"an envelope of type {envelope.payload_type[:80]!r} among the roots"
            )
        root = parse_root(envelope.payload)
        known, signed = versions.setdefault(root.version, (root, []))
        if known.payload != root.payload:
            raise VerificationError("root-chain", f"two different roots of version {root.version}")
        signed.append(envelope)
    return [versions[version] for version in sorted(versions)]


def _check_step(before: Root, after: Root, signed: list[Envelope]) -> None:
    if after.version != before.version + 1:
        raise VerificationError("root-chain", f"version {before.version + 1} of the root is missing")
    if after.tenant != before.tenant:
        raise VerificationError("root-chain", f"version {after.version} of the root is another tenant's")
    if after.log.origin != before.log.origin:
        raise VerificationError("root-chain", f"version {after.version} of the root names another log")
    for root in (before, after):
        role = root.roles[ROOT_ROLE]
        signers = [
            signer
            for envelope in signed
            for signer in verified_signers(envelope, root)
            if ROOT_ROLE in signer.roles and not root.is_former(signer.key_id)
        ]
        count = min(len({signer.person for signer in signers}), len({signer.key_id for signer in signers}))
        if role.threshold is None or count < role.threshold:
            raise VerificationError(
                "root-threshold",
                f"version {after.version} of the root has {count} of the {role.threshold} signatures that version "
                f"{root.version} demands of its role {ROOT_ROLE}",
                remedy="sign by as many: --sign-with file:KEY for each of them, the owner's too",
            )
