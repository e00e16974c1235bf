"""A private key as encrypted PKCS#8, with scrypt.

``BestAvailableEncryption`` of cryptography 50 derives its key by 2,048 rounds of PBKDF2, which a graphics card
tries millions of times a second. This writes what it reads, and what OpenSSL reads: PBES2 (RFC 8018 section 6.2)
with scrypt (RFC 7914 section 7) and AES-256-CBC.
"""

from __future__ import annotations

import base64
import hashlib
import textwrap
from typing import Final

# OWASP Password Storage Cheat Sheet: N=2**14, r=8, p=5 is as strong as its other choices and needs 16 MiB, below
# the 32 MiB that OpenSSL allows a reader of PKCS#8.
SCRYPT_N: Final = 2**14
SCRYPT_R: Final = 8
SCRYPT_P: Final = 5
SALT_BYTES: Final = 16
IV_BYTES: Final = 16

_PBES2: Final = bytes.fromhex("06092a864886f70d01050d")  # 1.2.840.113549.1.5.13
_SCRYPT: Final = bytes.fromhex("06092b06010401da47040b")  # 1.3.6.1.4.1.11591.4.11
_AES_256_CBC: Final = bytes.fromhex("060960864801650304012a")  # 2.16.840.1.101.3.4.1.42


def encrypt_pkcs8(der: bytes, passphrase: bytes, salt: bytes, iv: bytes) -> bytes:
    """PEM of the DER PrivateKeyInfo ``der`` under ``passphrase``; ``salt`` and ``iv`` are random, 16 bytes each."""
    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = hashlib.scrypt(passphrase, salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, dklen=32)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    ciphertext = encryptor.update(padder.update(der) + padder.finalize()) + encryptor.finalize()
    kdf = _sequence(_SCRYPT, _sequence(_octets(salt), _integer(SCRYPT_N), _integer(SCRYPT_R), _integer(SCRYPT_P)))
    cipher = _sequence(_AES_256_CBC, _octets(iv))
    blob = _sequence(_sequence(_PBES2, _sequence(kdf, cipher)), _octets(ciphertext))
    lines = "\n".join(textwrap.wrap(base64.b64encode(blob).decode(), 64))
    return f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{lines}\n-----END ENCRYPTED PRIVATE KEY-----\n".encode()


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _octets(content: bytes) -> bytes:
    return _tagged(0x04, content)


def _integer(value: int) -> bytes:
    return _tagged(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _tagged(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:  # noqa: PLR2004 - DER, X.690 section 8.1.3: the short form of a length
        return bytes((tag, length)) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content
