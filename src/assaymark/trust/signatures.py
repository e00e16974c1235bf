"""Public keys, their ids, and which principals of a root signed an envelope.

Ed25519 as in RFC 8032. ``cryptography`` is imported at the first verification, for start-up's sake.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.attestation import Signer
from assaymark.core.errors import InputError
from assaymark.core.limits import VERIFY_MAX_ATTEMPTS
from assaymark.core.statement import pae

if TYPE_CHECKING:
    from assaymark.core.statement import Envelope, Signature
    from assaymark.trust.document import Root

ED25519: Final = "ed25519"
PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

# SubjectPublicKeyInfo of Ed25519 but for the key: RFC 8410 section 4.
_SPKI_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")
_FIELD_PRIME: Final = 2**255 - 19
# The y coordinates of the eight points of small order (RFC 7748 section 7; Cremers and Jackson, 2019): a signature
# under such a key can hold for any message.
_SMALL_ORDER: Final = frozenset({
    0,
    1,
    _FIELD_PRIME - 1,
    int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
    int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key in its canonical form: 32 bytes for the scheme ``ed25519``."""

    scheme: str
    public: bytes

    @property
    def key_id(self) -> str:
        """See ``key_id``."""
        return key_id(self.scheme, self.public)


def key_id(scheme: str, public: bytes) -> str:
    """SHA-256 in hexadecimal of the DER SubjectPublicKeyInfo, which names one key in one way.

    Raises:
        InputError: as ``check_public``.
    """
    return hashlib.sha256(spki(scheme, public)).hexdigest()


def spki(scheme: str, public: bytes) -> bytes:
    """The DER SubjectPublicKeyInfo (RFC 8410).

    Raises:
        InputError: as ``check_public``.
    """
    check_public(scheme, public)
    return _SPKI_PREFIX + public


def check_public(scheme: str, public: bytes) -> None:
    """Refuse what is no key, a second spelling of one, or one that vouches for anything.

    Raises:
        InputError: ``key-scheme``, ``key-form`` or ``key-weak``.
    """
    if scheme != ED25519:
        raise InputError("key-scheme", f"{scheme[:40]!r} is not a scheme that is read here", remedy=f"use {ED25519}")
    if len(public) != PUBLIC_KEY_BYTES:
        raise InputError("key-form", f"an Ed25519 key has {PUBLIC_KEY_BYTES} bytes, not {len(public)}")
    y = int.from_bytes(public, "little") & ~(1 << 255)
    if y >= _FIELD_PRIME:
        raise InputError("key-form", "not the canonical encoding of a point")
    if y in _SMALL_ORDER:
        raise InputError("key-weak", "a point of small order: its signatures prove nothing")


def verify_signature(scheme: str, public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` over ``message`` holds under the key. Wrong lengths and schemes are False."""
    if scheme != ED25519 or len(public) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        check_public(scheme, public)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
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
