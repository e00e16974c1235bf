"""Receipts: the text of C2SP tlog-proof, and each thing that verification must refuse."""

import base64
import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assaymark.core.errors import InputError, VerificationError
from assaymark.core.limits import PROOF_MAX_BYTES
from assaymark.tlog.checkpoint import Checkpoint, format_checkpoint, sign_checkpoint
from assaymark.tlog.merkle import leaf_hash, node_hash
from assaymark.tlog.note import NoteSigner, NoteVerifier, sign_note
from assaymark.tlog.proof import format_receipt, make_receipt, parse_receipt, verify_receipt

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
SIGNER = NoteSigner(NoteVerifier("log.example", KEY.public_key().public_bytes_raw()), KEY.sign)
LEAF, SIBLING = b"entry one\n", leaf_hash(b"entry zero\n")
CHECKPOINT = sign_checkpoint(Checkpoint("log.example", 2, node_hash(SIBLING, leaf_hash(LEAF))), SIGNER)
RECEIPT = make_receipt(1, LEAF, [SIBLING], CHECKPOINT)
TEXT = (
    b"c2sp.org/tlog-proof@v1\nextra " + base64.b64encode(LEAF) + b"\nindex 1\n" + base64.b64encode(SIBLING) + b"\n\n"
) + CHECKPOINT


def test_the_text_is_that_of_the_specification():
    assert format_receipt(RECEIPT) == TEXT
    assert parse_receipt(TEXT) == RECEIPT
    assert RECEIPT.witnessed == "unwitnessed"


def test_a_receipt_that_holds():
    checkpoint = verify_receipt(parse_receipt(TEXT), [SIGNER.verifier])
    assert (checkpoint.origin, checkpoint.size) == ("log.example", 2)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"leaf": b"another entry\n"}, "proof-inclusion"),
        ({"index": 0}, "proof-inclusion"),
        ({"index": 2}, "proof-inclusion"),
        ({"hashes": ()}, "proof-inclusion"),
        ({"hashes": (SIBLING, SIBLING)}, "proof-inclusion"),
        ({"origin": "other.example"}, "proof-checkpoint"),
        ({"tree_size": 3}, "proof-checkpoint"),
        ({"root_hash": bytes(32)}, "proof-checkpoint"),
        ({"checkpoint": CHECKPOINT.replace(b"\n2\n", b"\n3\n")}, "note-signature"),
    ],
)
def test_a_receipt_that_says_something_else_is_refused(change, code):
    with pytest.raises(VerificationError) as caught:
        verify_receipt(dataclasses.replace(RECEIPT, **change), [SIGNER.verifier])
    assert caught.value.code == code


def test_a_receipt_of_an_unknown_log_is_refused():
    other = NoteVerifier("other.example", SIGNER.verifier.public)
    with pytest.raises(VerificationError) as caught:
        verify_receipt(RECEIPT, [other])
    assert caught.value.code == "note-unsigned"
    other_signer = NoteSigner(other, KEY.sign)
    note = sign_note(format_checkpoint(Checkpoint("log.example", 2, RECEIPT.root_hash)), [other_signer])
    with pytest.raises(VerificationError) as caught:
        verify_receipt(make_receipt(1, LEAF, [SIBLING], note), [other])
    assert caught.value.code == "checkpoint-origin"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"@v1", b"@v2"),
        (b"extra ", b"extra  "),
        (b"extra " + base64.b64encode(LEAF) + b"\n", b""),
        (b"extra " + base64.b64encode(LEAF), b"extra "),
        (b"index 1", b"index 01"),
        (b"index 1", b"index -1"),
        (b"index 1\n", b""),
        (b"index 1", b"index 9223372036854775808"),
        (base64.b64encode(SIBLING), base64.b64encode(SIBLING[:31])),
        (base64.b64encode(SIBLING), base64.b64encode(SIBLING)[:-1]),
        (base64.b64encode(SIBLING) + b"\n", (base64.b64encode(SIBLING) + b"\n") * 64),
        (b"\n\nlog.example", b"\nlog.example"),
        (b"\n\nlog.example", b"\n\n\nlog.example"),
        (b"c2sp", b"c2s\xff"),
    ],
)
def test_any_other_spelling_is_refused(old, new):
    assert old in TEXT
    with pytest.raises(InputError):
        parse_receipt(TEXT.replace(old, new, 1))


def test_a_proof_without_its_entry_says_what_to_do():
    with pytest.raises(InputError) as caught:
        parse_receipt(b"c2sp.org/tlog-proof@v1\nindex 1\n\n" + CHECKPOINT)
    assert caught.value.code == "proof-extra"
    assert caught.value.remedy


def test_too_long_or_cut_short():
    with pytest.raises(InputError):
        parse_receipt(TEXT + b"x" * PROOF_MAX_BYTES)
    for length in range(len(TEXT)):
        with pytest.raises(InputError):
            parse_receipt(TEXT[:length])
