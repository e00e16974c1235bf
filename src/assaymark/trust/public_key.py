"""Public keys and their ids: Ed25519 (RFC 8032) and ECDSA on P-256 (FIPS 186-5, SP 800-186)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from assaymark.core.errors import InputError

ED25519: Final = "ed25519"
P256: Final = "ecdsa-sha2-nistp256"  # the name that TUF gives it
SCHEMES: Final = (ED25519, P256)
PUBLIC_KEY_BYTES: Final = 32
P256_PUBLIC_BYTES: Final = 65

# SubjectPublicKeyInfo but for the key: RFC 8410 section 4, and RFC 5480 section 2 with a named curve.
_SPKI_PREFIXES: Final = {
    ED25519: bytes.fromhex("302a300506032b6570032100"),
    P256: bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200"),
}
# SP 800-186 section 3.2.1.3: y^2 = x^3 - 3x + b modulo p. The group has prime order: no point of it is weak.
_P256_PRIME: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_P256_B: Final = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_UNCOMPRESSED: Final = 0x04
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
    """A public key in its canonical form.

    32 bytes for the scheme ``ed25519``, the 65 of the uncompressed point for ``ecdsa-sha2-nistp256``.
    """

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
    """The DER SubjectPublicKeyInfo (RFC 8410, RFC 5480).

    Raises:
        InputError: as ``check_public``.
    """
    check_public(scheme, public)
    return _SPKI_PREFIXES[scheme] + public


def check_public(scheme: str, public: bytes) -> None:
    """Refuse what is no key, a second spelling of one, or one that vouches for anything.

    Raises:
        InputError: ``key-scheme``, ``key-form`` or ``key-weak``.
    """
    if scheme == ED25519:
        _check_ed25519(public)
    elif scheme == P256:
        _check_p256(public)
    else:
        raise InputError(
            "key-scheme",
            f"{scheme[:40]!r} is not a scheme that is read here",
            remedy=f"use {' or '.join(SCHEMES)}",
        )


def _check_ed25519(public: bytes) -> None:
    if len(public) != PUBLIC_KEY_BYTES:
        raise InputError("key-form", f"an Ed25519 key has {PUBLIC_KEY_BYTES} bytes, not {len(public)}")
    y = int.from_bytes(public, "little") & ~(1 << 255)
    if y >= _FIELD_PRIME:
        raise InputError("key-form", "not the canonical encoding of a point")
    if y in _SMALL_ORDER:
        raise InputError("key-weak", "a point of small order: its signatures prove nothing")


def _check_p256(public: bytes) -> None:
    if len(public) != P256_PUBLIC_BYTES or public[0] != _UNCOMPRESSED:
        raise InputError("key-form", f"a P-256 key is an uncompressed point of {P256_PUBLIC_BYTES} bytes")
    x, y = int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")
    if x >= _P256_PRIME or y >= _P256_PRIME:
        raise InputError("key-form", "not the canonical encoding of a point")
    if (y * y - x * x * x + 3 * x - _P256_B) % _P256_PRIME:
        raise InputError("key-form", "not a point of the curve P-256")
