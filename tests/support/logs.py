"""Logs, signers and envelopes for tests."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assaymark.core.statement import APPROVAL, IN_TOTO_PAYLOAD_TYPE, Signature, make_envelope, make_statement
from assaymark.core.subject import Subject
from assaymark.store.log_store import LogStore
from assaymark.tlog.note import NoteSigner, NoteVerifier

ORIGIN = "log.example/tests"
NOW = 1_777_636_800


def make_signer(name=ORIGIN, seed=1):
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return NoteSigner(NoteVerifier(name, key.public_key().public_bytes_raw()), key.sign)


SIGNER = make_signer()


def subject_digest(name):
    return "sha256:" + hashlib.sha256(str(name).encode()).hexdigest()


def make_test_envelope(number, subject="model", predicate_type=APPROVAL):
    statement = make_statement((Subject(str(subject), subject_digest(subject)),), predicate_type, {"number": number})
    return make_envelope(IN_TOTO_PAYLOAD_TYPE, statement.payload, (Signature("key", bytes(64)),)).data


def make_log(folder, count=0, store="folder"):
    log = LogStore.create(folder, ORIGIN, SIGNER, store=store)
    if count:
        log.append([make_test_envelope(i) for i in range(count)], NOW, SIGNER)
    return log
