"""C2SP signed-note with Ed25519 keys (signature type 0x01).

Strict: a note has one spelling. No private key is ever here: who signs passes a callable.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError, UsageError, VerificationError
from assaymark.core.limits import NOTE_MAX_BYTES, NOTE_MAX_SIGNATURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ED25519: Final = 0x01
PUBLIC_KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 4
_DASH: Final = "\u2014 "
_FORBIDDEN: Final = re.compile("[\\x00-\\x09\\x0b-\\x1f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the key's name, its 4-byte id and the signature, not yet verified."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A public key that may sign notes under a name. Read it from a vkey with ``parse_vkey``."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that name the key in a signature line."""
        return key_id(self.name, self.public)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether ``signature`` is of ``message`` under this key (RFC 8032)."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A key that signs notes: its public half, and a callable that returns 64 bytes for a message."""

    verifier: NoteVerifier
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Note:
    """A note: ``text`` ends with a newline. ``verified`` is empty until ``verify_note`` has checked it."""

    text: str
    signatures: tuple[NoteSignature, ...]
    verified: tuple[NoteVerifier, ...] = ()


def key_id(name: str, public: bytes) -> bytes:
    """The id of an Ed25519 note key: SHA-256(name, newline, 0x01, public key), first 4 bytes."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([ED25519]) + public).digest()[:KEY_ID_BYTES]


def vkey(name: str, public: bytes) -> str:
    """The verifier key string of an Ed25519 public key: what is given to who checks notes.

    Raises:
        UsageError: ``key-name`` or ``key-form`` when they cannot be a note key.
    """
    if not is_key_name(name):
        raise UsageError("key-name", f"{name!r} cannot name a note key", remedy="use no spaces, controls or plus")
    if len(public) != PUBLIC_KEY_BYTES:
        raise UsageError("key-form", "an Ed25519 public key has 32 bytes")
    return f"{name}+{key_id(name, public).hex()}+{encode_base64(bytes([ED25519]) + public)}"


def parse_vkey(text: str) -> NoteVerifier:
    """The key that a vkey string holds.

    Raises:
        InputError: ``vkey-form``.
    """
    name, plus, rest = text.partition("+")
    hexadecimal, plus2, encoded = rest.partition("+")
    if not plus or not plus2 or not is_key_name(name):
        raise InputError("vkey-form", f"{text[:120]!r} is not a verifier key", remedy="write NAME+ID+KEY")
    material = decode_base64(encoded, "vkey-form", "key")
    if len(material) != 1 + PUBLIC_KEY_BYTES or material[0] != ED25519:
        raise InputError("vkey-form", "not an Ed25519 key of signature type 0x01", position="key")
    if hexadecimal != key_id(name, material[1:]).hex():
        raise InputError("vkey-form", "the id is not that of the key", position="id")
    return NoteVerifier(name, material[1:])


def parse_note(data: bytes) -> Note:
    """Split a note into its text and its signature lines, which are not verified.

    Raises:
        InputError: ``note-size``, ``note-utf8``, ``note-form`` or ``note-signatures``.
    """
    if len(data) > NOTE_MAX_BYTES:
        raise InputError("note-size", f"{len(data)} bytes, above the limit of {NOTE_MAX_BYTES}")
    try:
        content = data.decode()
    except UnicodeDecodeError as error:
        raise InputError("note-utf8", "not UTF-8", position=f"byte {error.start}") from None
    _text_bytes(content)
    text, blank, tail = content.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise InputError("note-form", "a note is text, an empty line and signature lines")
    lines = tail[:-1].split("\n")
    if len(lines) > NOTE_MAX_SIGNATURES:
        raise InputError("note-signatures", f"{len(lines)} signatures, above the limit of {NOTE_MAX_SIGNATURES}")
    first = text.count("\n") + 3
    return Note(text + "\n", tuple(_signature(line, first + i) for i, line in enumerate(lines)))


def format_note(text: str, signatures: Iterable[NoteSignature]) -> bytes:
    """The bytes of a note.

    Raises:
        InputError: as ``parse_note`` when the parts do not make a note.
    """
    lines = [f"{_DASH}{item.name} {encode_base64(item.key_id + item.value)}\n" for item in signatures]
    data = _text_bytes(text + "\n" + "".join(lines))
    if parse_note(data).text != text:
        raise InputError("note-form", "the text would be read as a signature")
    return data


def sign_note(text: str, signers: Sequence[NoteSigner]) -> bytes:
    """A note over ``text`` with one signature a signer; each is verified before the note is returned.

    Raises:
        InputError: as ``format_note``.
        VerificationError: ``note-signature`` when a callable returned what its public key refuses: publishing
            it would make a checkpoint that nobody can verify.
    """
    message = _text_bytes(text)
    signatures = []
    for signer in signers:
        value = signer.sign(message)
        if not signer.verifier.verify(message, value):
            raise VerificationError(
                "note-signature", "the signature just made does not verify", source=signer.verifier.name
            )
        signatures.append(NoteSignature(signer.verifier.name, signer.verifier.key_id, value))
    return format_note(text, signatures)


def verify_note(data: bytes, verifiers: Sequence[NoteVerifier]) -> Note:
    """The note with the keys that verified it; unknown keys are ignored, as signed-note demands.

    Raises:
        InputError: as ``parse_note``.
        VerificationError: ``note-signature`` when a known key's signature is bad, ``note-unsigned`` when no
            known key signed.
    """
    note = parse_note(data)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    message = note.text.encode()
    verified: list[NoteVerifier] = []
    for signature in note.signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            continue
        if not verifier.verify(message, signature.value):
            raise VerificationError(
                "note-signature", "the signature does not belong to this text", source=signature.name
            )
        if verifier not in verified:
            verified.append(verifier)
    if not verified:
        names = ", ".join(sorted({signature.name for signature in note.signatures}))
        raise VerificationError("note-unsigned", f"signed by no known key (signature lines: {names[:200]})")
    return Note(note.text, note.signatures, tuple(verified))


def is_key_name(name: str) -> bool:
    """Whether ``name`` can name a note key: not empty, no spaces, no controls, no plus."""
    return bool(name) and not any(c == "+" or c.isspace() or c < " " or "\ud800" <= c <= "\udfff" for c in name)


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode()


def decode_base64(text: str, code: str, position: str) -> bytes:
    """The bytes of canonical base64: standard alphabet, padded, no stray bits.

    Raises:
        InputError: ``code``.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(code, "not base64", position=position) from None
    if encode_base64(data) != text:
        raise InputError(code, "not canonical base64", position=position)
    return data


def parse_decimal(text: str, limit: int, code: str, position: str) -> int:
    """A number in ASCII digits without leading zeroes, at most ``limit``.

    Raises:
        InputError: ``code``.
    """
    if text.isascii() and text.isdigit() and len(text) <= len(str(limit)):
        value = int(text)
        if value <= limit and str(value) == text:
            return value
    raise InputError(code, f"{text[:40]!r} is not a plain number up to {limit}", position=position)


def _text_bytes(content: str) -> bytes:
    """The UTF-8 of text that may stand in a note: no controls but newline, no lone surrogates."""
    bad = _FORBIDDEN.search(content)
    if bad is not None:
        line = content.count("\n", 0, bad.start()) + 1
        raise InputError("note-form", f"the character {ord(bad[0]):#04x}", position=f"line {line}")
    return content.encode()


def _signature(line: str, number: int) -> NoteSignature:
    position = f"line {number}"
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not is_key_name(name):
        raise InputError("note-form", "not a signature line", position=position)
    value = decode_base64(encoded, "note-form", position)
    if len(value) <= KEY_ID_BYTES:
        raise InputError("note-form", "a signature without bytes", position=position)
    return NoteSignature(name, value[:KEY_ID_BYTES], value[KEY_ID_BYTES:])
