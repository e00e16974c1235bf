"""Ed25519 and P-256 keys in files: PKCS#8 PEM for the private half, SubjectPublicKeyInfo PEM for the public one.

A private key's bytes are in no error, repr or argument list: what reads them answers with codes of its own and
cuts the chain of exceptions.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shlex
import stat
from typing import TYPE_CHECKING, Final, NoReturn

from assaymark.core.errors import AssaymarkError, InputError, UnavailableError, UsageError
from assaymark.core.limits import KEY_FILE_MAX_BYTES
from assaymark.keys.encrypted import IV_BYTES, SALT_BYTES, encrypt_pkcs8
from assaymark.trust.public_key import ED25519, P256, PublicKey, check_public

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    Passphrase = Callable[[], bytes]

_LABEL: Final = re.compile(rb"^-----BEGIN ([A-Z0-9 ]{1,40})-----[ \t]*\r?$", re.MULTILINE)
_ENCRYPTED: Final = b"ENCRYPTED PRIVATE KEY"
_PRIVATE: Final = (b"PRIVATE KEY", _ENCRYPTED)
_PUBLIC: Final = b"PUBLIC KEY"
_PASSPHRASE_REMEDY: Final = "name a file that holds it: --passphrase-file FILE"  # noqa: S105 - words
_PRIVATE_MODE: Final = 0o600
_PUBLIC_MODE: Final = 0o644


class FileSigner:
    """Signs with a private key that was read from a file. It shows its key id and nothing else."""

    __slots__ = ("_private", "_public")

    def __init__(self, private: Ed25519PrivateKey | EllipticCurvePrivateKey) -> None:
        self._private = private
        self._public = _public_half(private.public_key())

    @property
    def scheme(self) -> str:
        """``ed25519`` or ``ecdsa-sha2-nistp256``."""
        return self._public.scheme

    @property
    def public(self) -> bytes:
        """The canonical bytes of the public key."""
        return self._public.public

    @property
    def key_id(self) -> str:
        """The id under which a root lists the key."""
        return self._public.key_id

    def sign(self, message: bytes) -> bytes:
        """The signature over ``message``: 64 bytes of Ed25519, or the DER of ECDSA with SHA-256."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if isinstance(self._private, Ed25519PrivateKey):
            return self._private.sign(message)
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.hashes import SHA256

        return self._private.sign(message, ECDSA(SHA256()))

    def __repr__(self) -> str:
        return f"FileSigner(key_id={self.key_id!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is not serialised")


def public_path(path: Path) -> Path:
    """Where the public half of the key at ``path`` lies: ``.key`` becomes ``.pub``, else ``.pub`` is appended."""
    return path.with_suffix(".pub") if path.suffix == ".key" else path.with_name(path.name + ".pub")


def generate(path: Path, passphrase: bytes | None = None, *, scheme: str = ED25519) -> PublicKey:
    """Write a new private key to ``path`` (mode 0600) and its public half beside it; nothing is overwritten.

    With a passphrase the private key is encrypted (see ``keys.encrypted``). Both files are on disk on return.

    Raises:
        UsageError: ``key-exists``, ``key-folder``, ``key-scheme``; ``key-passphrase`` for an empty passphrase.
        UnavailableError: ``disk-full``, ``store-read-only`` or ``store-io``; no file is left behind.
    """
    from cryptography.hazmat.primitives import serialization

    if passphrase is not None and not passphrase:
        raise UsageError("key-passphrase", "an empty passphrase protects nothing", source=str(path))
    private = _generate_private(scheme)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    if passphrase is None:
        secret = private.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    else:
        der = private.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, plain)
        secret = encrypt_pkcs8(der, passphrase, secrets.token_bytes(SALT_BYTES), secrets.token_bytes(IV_BYTES))
    public = private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    with contextlib.ExitStack() as undo:
        for target, data, mode in (
            (public_path(path), public, _PUBLIC_MODE),
            (path, secret, _PRIVATE_MODE),
        ):
            _create(target, data, mode, undo)
        _sync_folder(path.parent)
        undo.pop_all()
    return _public_half(private.public_key())


def load_private(path: Path, passphrase: Passphrase | None = None) -> FileSigner:
    """The signer of the private key at ``path``. ``passphrase`` is called only when the key is encrypted.

    Raises:
        UsageError: ``key-not-found``, ``key-unreadable``, ``key-mode``, ``key-passphrase`` or ``key-scheme``.
        InputError: ``key-form``.
    """
    try:
        return parse_private(_read(path, private=True), passphrase)
    except AssaymarkError as error:
        raise error.at(str(path)) from None


def load_public(path: Path, passphrase: Passphrase | None = None) -> PublicKey:
    """The public key at ``path``, or the public half of a private key there (with its mode checked).

    Raises:
        UsageError: as ``load_private``.
        InputError: ``key-form`` or ``key-weak``.
    """
    try:
        data = _read(path, private=False)
        if _label(data) in _PRIVATE:
            signer = parse_private(_read(path, private=True), passphrase)
            return PublicKey(signer.scheme, signer.public)
        return parse_public(data)
    except AssaymarkError as error:
        raise error.at(str(path)) from None


def parse_private(data: bytes, passphrase: Passphrase | None = None) -> FileSigner:
    """Read a PKCS#8 PEM private key, encrypted or not.

    Raises:
        UsageError: ``key-passphrase`` or ``key-scheme``.
        InputError: ``key-form``.
    """
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    label = _label(data)
    if label not in _PRIVATE:
        raise InputError("key-form", "not a private key in PKCS#8 PEM", remedy="make one: assaymark keys generate")
    secret: bytes | None = None
    if label == _ENCRYPTED:
        if passphrase is None:
            raise UsageError(
                "key-passphrase", "the key is encrypted, and no passphrase was given", remedy=_PASSPHRASE_REMEDY
            )
        secret = passphrase()
        if not secret:
            raise UsageError(
                "key-passphrase",
                "the key is encrypted, and the passphrase given is empty",
                remedy=_PASSPHRASE_REMEDY,
            )
    try:
        private = load_pem_private_key(data, secret)
    except UnsupportedAlgorithm:
        raise UsageError("key-scheme", "a kind of key or of encryption that is not read here") from None
    except (ValueError, TypeError, InternalError):  # the last for an Ed448 key of 32 bytes
        if secret is not None:
            raise UsageError(
                "key-passphrase",
                "the passphrase does not open the key, or the key is damaged",
                remedy=_PASSPHRASE_REMEDY,
            ) from None
        raise InputError("key-form", "not a private key in PKCS#8 PEM") from None
    if not isinstance(private, (Ed25519PrivateKey, EllipticCurvePrivateKey)):
        raise _other_scheme()
    return FileSigner(private)


def parse_public(data: bytes) -> PublicKey:
    """Read a SubjectPublicKeyInfo PEM public key.

    Raises:
        UsageError: ``key-scheme``.
        InputError: ``key-form`` or ``key-weak``.
    """
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if _label(data) != _PUBLIC:
        raise InputError("key-form", "not a public key in PEM (SubjectPublicKeyInfo)")
    try:
        public = load_pem_public_key(data)
    except UnsupportedAlgorithm:
        raise UsageError("key-scheme", "a kind of key that is not read here") from None
    except (ValueError, TypeError, InternalError):
        raise InputError("key-form", "not a public key in PEM (SubjectPublicKeyInfo)") from None
    half = _public_half(public)
    check_public(half.scheme, half.public)
    return half


def _generate_private(scheme: str) -> Ed25519PrivateKey | EllipticCurvePrivateKey:
    if scheme == P256:
        from cryptography.hazmat.primitives.asymmetric import ec

        return ec.generate_private_key(ec.SECP256R1())
    if scheme != ED25519:
        raise _other_scheme()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def _public_half(public: object) -> PublicKey:
    """The canonical form of a public key of ``cryptography``; other schemes and curves are refused."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if isinstance(public, Ed25519PublicKey):
        return PublicKey(ED25519, public.public_bytes_raw())
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        return PublicKey(P256, public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    raise _other_scheme()


def _other_scheme() -> UsageError:
    return UsageError(
        "key-scheme", "the key is neither Ed25519 nor ECDSA P-256", remedy="make one: assaymark keys generate"
    )


def is_encrypted(path: Path) -> bool:
    """Whether the private key at ``path`` wants a passphrase.

    Raises:
        UsageError: ``key-not-found``, ``key-unreadable`` or ``key-mode``.
    """
    return _label(_read(path, private=True)) == _ENCRYPTED


def _label(data: bytes) -> bytes:
    """What the one PEM block of a file says it is; empty when there is none, or more than one."""
    if len(data) > KEY_FILE_MAX_BYTES:
        raise InputError("key-form", f"{len(data)} bytes, above the limit of {KEY_FILE_MAX_BYTES} for a key")
    labels = _LABEL.findall(data)
    return labels[0] if len(labels) == 1 else b""


def _read(path: Path, *, private: bool) -> bytes:
    try:
        # Without O_NONBLOCK a named pipe in the key's place would hang us.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise UsageError("key-not-found", "no such key", remedy="make one: assaymark keys generate") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
        raise UsageError("key-unreadable", f"the key cannot be read: {reason}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError("key-unreadable", "not a file")
        if private and status.st_mode & 0o077:
            raise UsageError(
                "key-mode",
                f"others may read this private key (mode {stat.S_IMODE(status.st_mode):04o})",
                remedy=f"chmod 600 {shlex.quote(str(path))}",
            )
        data = b""
        while chunk := os.read(descriptor, KEY_FILE_MAX_BYTES + 1 - len(data)):
            data += chunk
    except OSError as error:
        raise UsageError("key-unreadable", f"the key cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)
    return data


def _create(path: Path, data: bytes, mode: int, undo: contextlib.ExitStack) -> None:
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, mode)
        undo.callback(path.unlink, missing_ok=True)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor that was opened with flags
            os.fchmod(descriptor, mode)  # whatever the umask
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise _unwritable(error, path) from None


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unwritable(error, folder) from None


def _unwritable(error: OSError, path: Path) -> AssaymarkError:
    source = str(path)
    if isinstance(error, FileExistsError):
        return UsageError(
            "key-exists",
            "there is a file already, and keys are never overwritten",
            source=source,
            remedy="give another name",
        )
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return UsageError(
            "key-folder", "no such folder", source=source, remedy=f"mkdir -p {shlex.quote(str(path.parent))}"
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnavailableError("disk-full", "the disk is full", source=source)
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return UnavailableError("store-read-only", "the folder cannot be written", source=source)
    return UnavailableError("store-io", f"writing failed: {error.strerror}", source=source)
