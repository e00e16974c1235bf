"""in-toto Statement v1 in a DSSE envelope. The payload bytes are kept as signed, never serialised again."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

from assaymark.core.canonical import canonical_json, check_signable, parse_object
from assaymark.core.digest import is_digest, sha256_digest
from assaymark.core.errors import InputError
from assaymark.core.limits import (
    ENVELOPE_MAX_BYTES,
    ENVELOPE_MAX_SIGNATURES,
    STATEMENT_MAX_SUBJECTS,
)
from assaymark.core.subject import Subject

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
IN_TOTO_PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
ROOT_PAYLOAD_TYPE: Final = "application/vnd.assaymark.root+json"

SCAN: Final = "assaymark:scan/v1"
APPROVAL: Final = "assaymark:approval/v1"
RELEASE: Final = "assaymark:release/v1"
CONFIGURATION: Final = "assaymark:configuration/v1"
CONTAINMENT: Final = "assaymark:containment/v1"
POLICY: Final = "assaymark:policy/v1"
DATASET: Final = "assaymark:dataset/v1"
EXCEPTION: Final = "assaymark:exception/v1"
KEY_EVENT: Final = "assaymark:key-event/v1"
OPINION: Final = "assaymark:opinion/v1"
ATTEMPT: Final = "assaymark:attempt/v1"
CONVERSION: Final = "assaymark:conversion/v1"
ASSESSMENT: Final = "assaymark:assessment/v1"
DECISION: Final = "https://slsa.dev/verification_summary/v1"
PROVENANCE: Final = "https://slsa.dev/provenance/v1"

# What follows from evidence, or reports a try: neither is evidence for a decision.
NOT_EVIDENCE: Final = frozenset({ATTEMPT, DECISION})

_URI_FORBIDDEN: Final = frozenset(' \t\r\n<>"{}|\\^`')


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of an envelope: the key id is a hint, the key that verifies is what counts."""

    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A DSSE v1 envelope. ``data`` is the envelope as it was read or written; its SHA-256 is the log's leaf."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]
    data: bytes

    @property
    def digest(self) -> str:
        """The digest of the envelope's bytes."""
        return sha256_digest(self.data)


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact about subjects, not yet verified. Unknown fields survive in ``payload``."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: dict[str, Any]
    payload: bytes


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE v1 pre-authentication encoding: what a signature is over."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def make_envelope(payload_type: str, payload: bytes, signatures: tuple[Signature, ...]) -> Envelope:
    """An envelope in canonical JSON, its signatures sorted by key id."""
    ordered = tuple(sorted(signatures, key=lambda signature: signature.key_id))
    document = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": payload_type,
        "signatures": [
            {"keyid": signature.key_id, "sig": base64.b64encode(signature.value).decode()} for signature in ordered
        ],
    }
    return Envelope(payload_type, payload, ordered, canonical_json(document))


def parse_envelope(data: bytes) -> Envelope:
    """Read a DSSE envelope. Both base64 alphabets are read, as DSSE v1 demands.

    Raises:
        InputError: a ``json-*`` code, ``envelope-form``, ``envelope-base64`` or ``envelope-signatures``.
    """
    document = parse_object(data, limit=ENVELOPE_MAX_BYTES)
    payload_type, payload, signatures = (document.get(key) for key in ("payloadType", "payload", "signatures"))
    if not isinstance(payload_type, str) or not isinstance(payload, str) or not isinstance(signatures, list):
        raise InputError("envelope-form", "a DSSE envelope has payloadType, payload and signatures", position="$")
    if not payload_type or not payload_type.isascii():
        raise InputError("envelope-form", "payloadType is not ASCII text", position="$.payloadType")
    if not 0 < len(signatures) <= ENVELOPE_MAX_SIGNATURES:
        raise InputError(
            "envelope-signatures",
            f"{len(signatures)} signatures; from 1 to {ENVELOPE_MAX_SIGNATURES} are read",
            position="$.signatures",
        )
    read = []
    for i, item in enumerate(signatures):
        position = f"$.signatures[{i}]"
        if not isinstance(item, dict) or not isinstance(item.get("sig"), str):
            raise InputError("envelope-form", "a signature has keyid and sig", position=position)
        key_id = item.get("keyid", "")
        if not isinstance(key_id, str):
            raise InputError("envelope-form", "keyid is text", position=position)
        read.append(Signature(key_id, decode_base64(item["sig"], f"{position}.sig")))
    return Envelope(payload_type, decode_base64(payload, "$.payload"), tuple(read), data)


def decode_base64(text: str, position: str) -> bytes:
    """Strict base64, standard or URL-safe alphabet, padded.

    Raises:
        InputError: ``envelope-base64``.
    """
    if "-" in text or "_" in text:
        if "+" in text or "/" in text:
            raise InputError("envelope-base64", "two base64 alphabets in one value", position=position)
        text = text.replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("envelope-base64", "not base64", position=position) from None


def make_statement(subjects: tuple[Subject, ...], predicate_type: str, predicate: dict[str, Any]) -> Statement:
    """A statement ready to sign; its payload is canonical.

    Raises:
        InputError: a ``json-*`` code when the predicate holds what must not be signed, or as ``parse_statement``.
    """
    document = {
        "_type": STATEMENT_TYPE,
        "predicate": predicate,
        "predicateType": predicate_type,
        "subject": [
            {
                "annotations": {"kind": subject.kind},
                "digest": {"sha256": subject.digest.removeprefix("sha256:")},
                "name": subject.name,
            }
            for subject in subjects
        ],
    }
    return parse_statement(canonical_json(document))


def parse_statement(payload: bytes) -> Statement:
    """Read an in-toto Statement v1 whose values may be signed (no floats, ASCII keys).

    Raises:
        InputError: a ``json-*`` code, ``statement-type``, ``statement-subject`` or ``statement-predicate``.
    """
    document = parse_object(payload, limit=ENVELOPE_MAX_BYTES)
    check_signable(document)
    if document.get("_type") != STATEMENT_TYPE:
        raise InputError("statement-type", f"_type is not {STATEMENT_TYPE}", position="$._type")
    predicate_type, predicate = document.get("predicateType"), document.get("predicate", {})
    if not isinstance(predicate_type, str) or not is_predicate_type(predicate_type):
        raise InputError("statement-predicate", "predicateType is not a URI", position="$.predicateType")
    if not isinstance(predicate, dict):
        raise InputError("statement-predicate", "the predicate is not an object", position="$.predicate")
    subjects = document.get("subject")
    if not isinstance(subjects, list) or not 0 < len(subjects) <= STATEMENT_MAX_SUBJECTS:
        raise InputError("statement-subject", "a statement has one or more subjects", position="$.subject")
    return Statement(
        tuple(_subject(item, f"$.subject[{i}]") for i, item in enumerate(subjects)),
        predicate_type,
        predicate,
        payload,
    )


def is_predicate_type(text: str) -> bool:
    """Whether ``text`` can be a predicate type: an absolute URI in ASCII."""
    scheme, colon, rest = text.partition(":")
    return bool(
        colon
        and rest
        and scheme[:1].isalpha()
        and text.isascii()
        and text.isprintable()
        and not _URI_FORBIDDEN & set(text)
    )


def _subject(item: Any, position: str) -> Subject:
    digests = item.get("digest") if isinstance(item, dict) else None
    if not isinstance(digests, dict) or not isinstance(digests.get("sha256"), str):
        raise InputError("statement-subject", "a subject has a digest set with sha256", position=position)
    digest = "sha256:" + digests["sha256"]
    if not is_digest(digest):
        raise InputError("statement-subject", "sha256 is not 64 hexadecimal digits", position=position)
    name = item.get("name", "")
    annotations = item.get("annotations", {})
    kind = annotations.get("kind", "model") if isinstance(annotations, dict) else None
    if not isinstance(name, str) or not isinstance(kind, str):
        raise InputError("statement-subject", "name and kind are text", position=position)
    return Subject(name, digest, kind)
