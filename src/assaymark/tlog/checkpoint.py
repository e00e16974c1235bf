"""C2SP tlog-checkpoint: what a log commits to at one size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.core.errors import InputError, VerificationError
from assaymark.core.limits import TREE_MAX_SIZE
from assaymark.tlog.merkle import EMPTY_ROOT, HASH_BYTES
from assaymark.tlog.note import (
    NoteSigner,
    NoteVerifier,
    decode_base64,
    encode_base64,
    parse_decimal,
    parse_note,
    sign_note,
    verify_note,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIXED_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log ``origin`` holds ``size`` entries with ``root_hash``. ``extensions`` are opaque lines."""

    origin: str
    size: int
    root_hash: bytes
    extensions: tuple[str, ...] = ()


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """The note text of a checkpoint.

    Raises:
        InputError: as ``parse_checkpoint`` when the parts do not make a checkpoint.
    """
    lines = (
        checkpoint.origin,
        str(checkpoint.size),
        encode_base64(checkpoint.root_hash),
        *checkpoint.extensions,
    )
    text = "".join(f"{line}\n" for line in lines)
    if parse_checkpoint(text) != checkpoint:
        raise InputError("checkpoint-form", "a line of the checkpoint holds a newline")
    return text


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the note text of a checkpoint; any other spelling of the same content is refused.

    Raises:
        InputError: ``checkpoint-form``.
    """
    lines = text.split("\n")
    if lines.pop() or len(lines) < _FIXED_LINES or not all(lines):
        raise InputError("checkpoint-form", "a checkpoint is origin, size and root hash, each on its line")
    origin, size_text, root_text, *extensions = lines
    size = parse_decimal(size_text, TREE_MAX_SIZE, "checkpoint-form", "line 2")
    root = decode_base64(root_text, "checkpoint-form", "line 3")
    if len(root) != HASH_BYTES:
        raise InputError("checkpoint-form", "the root hash does not have 32 bytes", position="line 3")
    if size == 0 and root != EMPTY_ROOT:
        raise InputError("checkpoint-form", "an empty tree has another root hash", position="line 3")
    return Checkpoint(origin, size, root, tuple(extensions))


def read_checkpoint(data: bytes) -> Checkpoint:
    """The checkpoint in a signed note whose signatures are *not* verified.

    Raises:
        InputError: ``note-*`` or ``checkpoint-form``.
    """
    return parse_checkpoint(parse_note(data).text)


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> bytes:
    """The signed note of a checkpoint.

    Raises:
        InputError: when the parts do not make a checkpoint.
        VerificationError: ``note-signature``, see ``sign_note``; ``checkpoint-origin`` when the key has another
            name than the log: readers find a log's key by its origin.
    """
    if signer.verifier.name != checkpoint.origin:
        raise VerificationError(
            "checkpoint-origin", f"the key {signer.verifier.name!r} is not that of the log {checkpoint.origin!r}"
        )
    return sign_note(format_checkpoint(checkpoint), [signer])


def verify_checkpoint(data: bytes, verifiers: Sequence[NoteVerifier]) -> Checkpoint:
    """The checkpoint in a note that the log's own key signed: the key whose name is the origin.

    Raises:
        InputError: ``note-*`` or ``checkpoint-form``.
        VerificationError: ``note-signature``, ``note-unsigned``, or ``checkpoint-origin`` when only other
            known keys signed.
    """
    note = verify_note(data, verifiers)
    checkpoint = parse_checkpoint(note.text)
    if all(verifier.name != checkpoint.origin for verifier in note.verified):
        raise VerificationError(
            "checkpoint-origin", "not signed by the log's own key", source=checkpoint.origin[:200]
        )
    return checkpoint
