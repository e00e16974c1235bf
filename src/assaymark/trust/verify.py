"""From bytes in a log to an ``Attestation``: the only place that makes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.attestation import Attestation, Receipt
from assaymark.core.digest import sha256_digest
from assaymark.core.errors import InputError, VerificationError
from assaymark.core.statement import IN_TOTO_PAYLOAD_TYPE, parse_envelope, parse_statement
from assaymark.tlog.checkpoint import Checkpoint
from assaymark.tlog.checkpoint import verify_checkpoint as verify_signed_checkpoint
from assaymark.tlog.leaf import parse_leaf
from assaymark.tlog.merkle import leaf_hash, verify_inclusion
from assaymark.tlog.note import parse_vkey
from assaymark.trust.signatures import verified_signers

_OURS: Final = "assaymark:"

if TYPE_CHECKING:
    from assaymark.trust.document import Root


def verify_checkpoint(note: bytes, root: Root) -> Checkpoint:
    """The tree that the log of ``root`` signed.

    Raises:
        InputError: the note or checkpoint is malformed.
        VerificationError: ``checkpoint-origin`` for another log's, or a ``note-*`` code when no log key of
            the root signed it.
    """
    checkpoint = verify_signed_checkpoint(note, [parse_vkey(vkey) for vkey in root.log.keys])
    if checkpoint.origin != root.log.origin:
        raise VerificationError(
            "checkpoint-origin",
            f"the checkpoint is of log {checkpoint.origin!r}, the root names {root.log.origin!r}",
        )
    return checkpoint


def verify_entry(envelope: bytes, receipt: Receipt, checkpoint: Checkpoint, root: Root) -> Attestation:
    """One entry of the log as an attestation.

    ``checkpoint`` was verified by ``verify_checkpoint``. An entry that nobody in the root signed becomes an
    attestation without signers: it is in the log, so it is among a decision's inputs, and it counts for
    nothing.

    Steps, each needing the ones before:
        1. the receipt is of the checkpoint's tree;
        2. the inclusion proof leads from the leaf to the tree's root hash;
        3. the leaf commits to this envelope, byte by byte;
        4. the envelope is DSSE and holds an in-toto statement;
        5. signatures are checked with the root's keys, over the payload bytes as they are;
        6. the statement is read from those same bytes; one of ours that names another log is said by nobody here.

    Raises:
        InputError: leaf, envelope or statement is malformed.
        VerificationError: ``receipt-tree``, ``proof-inclusion`` or ``receipt-envelope``.
    """
    # 1 to 3
    logged_at = verify_inclusion_of(envelope, receipt, checkpoint)
    # 4
    parsed = parse_envelope(envelope)
    if parsed.payload_type != IN_TOTO_PAYLOAD_TYPE:
        raise InputError(
            "envelope-type", f"payload type {parsed.payload_type!r} is no statement", source=f"entry {receipt.index}"
        )
    # 5
    signers = verified_signers(parsed, root)
    # 6
    statement = parse_statement(parsed.payload)
    if (
        statement.predicate_type.startswith(_OURS)
        and statement.predicate.get("origin", receipt.origin) != receipt.origin
    ):
        signers = ()
    return Attestation(statement, parsed, signers, receipt.index, logged_at)


def verify_inclusion_of(envelope: bytes, receipt: Receipt, checkpoint: Checkpoint) -> int:
    """That an envelope, byte for byte, is the log's entry that the receipt says; returns the leaf's time, seconds.

    Raises:
        InputError: the leaf is malformed.
        VerificationError: ``receipt-tree``, ``proof-inclusion`` or ``receipt-envelope``.
    """
    entry = f"entry {receipt.index}"
    if (receipt.origin, receipt.tree_size, receipt.root_hash) != (
        checkpoint.origin,
        checkpoint.size,
        checkpoint.root_hash,
    ):
        raise VerificationError("receipt-tree", "the receipt is of another tree than the checkpoint", source=entry)
    verify_inclusion(leaf_hash(receipt.leaf), receipt.index, checkpoint.size, receipt.hashes, checkpoint.root_hash)
    leaf = parse_leaf(receipt.leaf)
    if sha256_digest(envelope) != leaf.envelope_digest:
        raise VerificationError("receipt-envelope", "the log's entry commits to another envelope", source=entry)
    return leaf.logged_at
