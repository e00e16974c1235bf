"""Which principals of a root signed an envelope.

``cryptography`` is imported at the first verification, for start-up's sake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.attestation import Signer
from assaymark.core.errors import InputError
from assaymark.core.limits import VERIFY_MAX_ATTEMPTS
from assaymark.core.statement import pae
from assaymark.trust.public_key import ED25519, P256, check_public

if TYPE_CHECKING:
    from assaymark.core.statement import Envelope, Signature
    from assaymark.trust.document import Root


def verify_signature(scheme: str, public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` over ``message`` holds under the key. Wrong lengths and schemes are False.

    An ECDSA signature is the DER of RFC 3279 section 2.2.3, over SHA-256. Who has one can write down a second one
    (its s negated): whoever counts signatures counts keys and payloads instead.
    """
    from cryptography.exceptions import InvalidSignature

    try:
        check_public(scheme, public)
        if scheme == ED25519:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        elif scheme == P256:
            from cryptography.hazmat.primitives.asymmetric import ec
            from cryptography.hazmat.primitives.hashes import SHA256

            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
            key.verify(signature, message, ec.ECDSA(SHA256()))
        else:
            return False
    except (InvalidSignature, InputError, ValueError):
        return False
    return True


def verified_signers(envelope: Envelope, root: Root) -> tuple[Signer, ...]:
    """The principals of ``root`` whose keys verify a signature of ``envelope``: distinct by key, sorted.

    The key id of a signature is a hint (DSSE v1): a known one names the only key that is tried; an empty or
    unknown one has all keys tried, up to ``VERIFY_MAX_ATTEMPTS`` for the envelope, after those that are named.
    """
    message = pae(envelope.payload_type, envelope.payload)
    found: set[str] = set()
    unnamed: list[Signature] = []
    for signature in envelope.signatures:
        if signature.key_id not in root.keys:
            unnamed.append(signature)
        elif _verifies(root, signature.key_id, signature, message):
            found.add(signature.key_id)
    attempts = 0
    for signature in unnamed:
        for candidate in sorted(root.keys):
            if candidate in found:
                continue
            if attempts == VERIFY_MAX_ATTEMPTS:
                break
            attempts += 1
            if _verifies(root, candidate, signature, message):
                found.add(candidate)
                break
    return tuple(sorted((_signer(root, key) for key in found), key=lambda signer: (signer.principal, signer.key_id)))


def _verifies(root: Root, key: str, signature: Signature, message: bytes) -> bool:
    public = root.keys[key]
    return verify_signature(public.scheme, public.public, signature.value, message)


def _signer(root: Root, key: str) -> Signer:
    principal = root.owner(key)
    return Signer(principal.name, key, root.roles_of(principal.name), principal.kind, principal.registered_by)
