"""Public keys and their ids. Ed25519 as in RFC 8032."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from assaymark.core.errors import InputError

ED25519: Final = "ed25519"
PUBLIC_KEY_BYTES: Final = 32

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
