"""Signers by URI: one table, one line a scheme."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from assaymark.core.errors import UsageError
from assaymark.keys.file import load_private, load_public

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.trust.public_key import PublicKey

    Passphrase = Callable[[], bytes]


class Signer(Protocol):
    """Something that signs with one key, wherever that key is."""

    @property
    def key_id(self) -> str:
        """The id under which a root lists the key."""
        ...

    @property
    def scheme(self) -> str:
        """``ed25519`` or ``ecdsa-sha2-nistp256``."""
        ...

    @property
    def public(self) -> bytes:
        """The canonical bytes of the public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over ``message``."""
        ...


def _file_signer(rest: str, passphrase: Passphrase | None) -> Signer:
    return load_private(_path(rest), passphrase)


def _file_public(rest: str, passphrase: Passphrase | None) -> PublicKey:
    return load_public(_path(rest), passphrase)


SIGNERS: Final[dict[str, Callable[[str, Passphrase | None], Signer]]] = {"file": _file_signer}
PUBLIC_KEYS: Final[dict[str, Callable[[str, Passphrase | None], PublicKey]]] = {"file": _file_public}


def load_signer(uri: str, passphrase: Passphrase | None = None) -> Signer:
    """The signer that ``uri`` names, such as ``file:alice.key``; ``passphrase`` is called when one is needed.

    Raises:
        UsageError: ``key-uri``, or as the scheme's loader (``keys.file.load_private``).
        InputError: ``key-form``.
    """
    scheme, rest = _split(uri)
    return SIGNERS[scheme](rest, passphrase)


def load_public_key(uri: str, passphrase: Passphrase | None = None) -> PublicKey:
    """The public key that ``uri`` names, such as ``file:alice.pub``.

    Raises:
        UsageError: ``key-uri``, or as the scheme's loader (``keys.file.load_public``).
        InputError: ``key-form`` or ``key-weak``.
    """
    scheme, rest = _split(uri)
    return PUBLIC_KEYS[scheme](rest, passphrase)


def _split(uri: str) -> tuple[str, str]:
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme not in SIGNERS or not rest:
        known = ", ".join(f"{name}:" for name in SIGNERS)
        remedy = f"write file:{uri}" if not colon and uri else f"known schemes: {known}"
        raise UsageError("key-uri", f"{uri[:200]!r} names no key", remedy=remedy)
    return scheme, rest


def _path(rest: str) -> Path:
    """``file:KEY``, ``file:/KEY`` and ``file:///KEY`` (RFC 8089) name files; a host other than this one does not."""
    if rest.startswith("//"):
        if not rest.startswith("///"):
            raise UsageError(
                "key-uri", "a file on another host", source=f"file:{rest[:200]}", remedy="write file:PATH"
            )
        rest = rest[2:]
    return Path(rest)
