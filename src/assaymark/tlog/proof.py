"""Receipts in the text of C2SP tlog-proof: one small file that shows offline that an entry is in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.attestation import Receipt
from assaymark.core.errors import InputError, VerificationError
from assaymark.core.limits import ENTRY_MAX_BYTES, PROOF_MAX_BYTES, PROOF_MAX_HASHES, TREE_MAX_SIZE
from assaymark.tlog.checkpoint import Checkpoint, read_checkpoint, verify_checkpoint
from assaymark.tlog.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from assaymark.tlog.note import NoteVerifier, decode_base64, encode_base64, parse_decimal

if TYPE_CHECKING:
    from collections.abc import Sequence

PROOF_FORMAT: Final = "c2sp.org/tlog-proof@v1"
_FIRST_HASH: Final = 3


def make_receipt(index: int, leaf: bytes, hashes: Sequence[bytes], checkpoint: bytes) -> Receipt:
    """A receipt from its parts; origin, size and root are those of the signed ``checkpoint``.

    Raises:
        InputError: ``note-*`` or ``checkpoint-form``.
    """
    commitment = read_checkpoint(checkpoint)
    return Receipt(
        origin=commitment.origin,
        index=index,
        tree_size=commitment.size,
        root_hash=commitment.root_hash,
        leaf=leaf,
        hashes=tuple(hashes),
        checkpoint=checkpoint,
    )


def format_receipt(receipt: Receipt) -> bytes:
    """The bytes of a ``.tlog-proof`` file; ``extra`` holds the entry.

    Raises:
        InputError: as ``parse_receipt`` when the parts do not make a proof.
    """
    lines = [PROOF_FORMAT, f"extra {encode_base64(receipt.leaf)}", f"index {receipt.index}"]
    lines += [encode_base64(digest) for digest in receipt.hashes]
    data = "".join(f"{line}\n" for line in lines).encode() + b"\n" + receipt.checkpoint
    parse_receipt(data)
    return data


def parse_receipt(data: bytes) -> Receipt:
    """Read a ``.tlog-proof`` file; there is one spelling. Nothing is verified.

    Raises:
        InputError: ``proof-size``, ``proof-form``, ``proof-extra``, ``note-*`` or ``checkpoint-form``.
    """
    if len(data) > PROOF_MAX_BYTES:
        raise InputError("proof-size", f"{len(data)} bytes, above the limit of {PROOF_MAX_BYTES}")
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank:
        raise InputError("proof-form", "a proof ends with an empty line and a checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise InputError("proof-form", "not ASCII", position=f"byte {error.start}") from None
    if lines[0] != PROOF_FORMAT:
        raise InputError("proof-form", f"not a proof of format {PROOF_FORMAT}", position="line 1")
    if len(lines) < 2 or not lines[1].startswith("extra "):  # noqa: PLR2004 - the second line
        raise InputError(
            "proof-extra", "the proof does not carry its entry", position="line 2", remedy="ask for the receipt again"
        )
    if len(lines) < _FIRST_HASH or not lines[2].startswith("index "):
        raise InputError("proof-form", "expected the index", position="line 3")
    leaf = decode_base64(lines[1][6:], "proof-form", "line 2")
    if not 0 < len(leaf) <= ENTRY_MAX_BYTES:
        raise InputError("proof-extra", f"an entry of {len(leaf)} bytes", position="line 2")
    index = parse_decimal(lines[2][6:], TREE_MAX_SIZE, "proof-form", "line 3")
    if len(lines) - _FIRST_HASH > PROOF_MAX_HASHES:
        raise InputError("proof-form", f"more than {PROOF_MAX_HASHES} hashes")
    hashes = tuple(_hash(line, f"line {i}") for i, line in enumerate(lines[_FIRST_HASH:], _FIRST_HASH + 1))
    return make_receipt(index, leaf, hashes, checkpoint)


def verify_receipt(receipt: Receipt, verifiers: Sequence[NoteVerifier]) -> Checkpoint:
    """The checkpoint of a receipt that holds: (1) signed by the log's own key, (2) same log, (3) entry included.

    Witness cosignatures are not read yet: a receipt is unwitnessed, and says so.

    Raises:
        InputError: ``note-*`` or ``checkpoint-form``.
        VerificationError: ``note-signature``, ``note-unsigned``, ``checkpoint-origin``, ``proof-checkpoint`` or
            ``proof-inclusion``.
    """
    checkpoint = verify_checkpoint(receipt.checkpoint, verifiers)
    if (receipt.origin, receipt.tree_size, receipt.root_hash) != (
        checkpoint.origin,
        checkpoint.size,
        checkpoint.root_hash,
    ):
        raise VerificationError("proof-checkpoint", "the receipt says something else than its checkpoint")
    verify_inclusion(leaf_hash(receipt.leaf), receipt.index, checkpoint.size, receipt.hashes, checkpoint.root_hash)
    return checkpoint


def _hash(line: str, position: str) -> bytes:
    digest = decode_base64(line, "proof-form", position)
    if len(digest) != HASH_BYTES:
        raise InputError("proof-form", "a hash does not have 32 bytes", position=position)
    return digest
