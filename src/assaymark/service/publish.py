"""Sign statements and append them to the log: durable before it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assaymark.core.statement import IN_TOTO_PAYLOAD_TYPE, Signature, make_envelope, pae
from assaymark.tlog.note import NoteSigner, NoteVerifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assaymark.core.attestation import Receipt
    from assaymark.core.statement import Envelope
    from assaymark.keys.signers import Signer
    from assaymark.service.workspace import Workspace


def sign(payload_type: str, payload: bytes, signers: Sequence[Signer]) -> Envelope:
    """A DSSE envelope of the payload, signed by each signer."""
    message = pae(payload_type, payload)
    return make_envelope(
        payload_type, payload, tuple(Signature(signer.key_id, signer.sign(message)) for signer in signers)
    )


def sign_statement(payload: bytes, signers: Sequence[Signer]) -> Envelope:
    """As ``sign``, for an in-toto statement."""
    return sign(IN_TOTO_PAYLOAD_TYPE, payload, signers)


def publish(workspace: Workspace, envelopes: Sequence[Envelope], now: int) -> list[Receipt]:
    """Append envelopes in one batch; one already in the log keeps its place. Returns their receipts.

    Raises:
        UnavailableError: ``log-locked``, ``clock-went-back``, ``disk-full``, ``store-read-only``, ``store-io``.
    """
    signer = note_signer(workspace.config.origin, workspace.signer(None, name="log"))
    indices = workspace.log.append([envelope.data for envelope in envelopes], now, signer)
    return [workspace.log.receipt(index) for index in indices]


def note_signer(origin: str, key: Signer) -> NoteSigner:
    """The log's key as a signer of checkpoints."""
    return NoteSigner(NoteVerifier(origin, key.public), key.sign)
