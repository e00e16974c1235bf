"""Signed notes: the specification's example, what a verifier must refuse, and that there is one spelling."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assaymark.core.errors import InputError, UsageError, VerificationError
from assaymark.core.limits import NOTE_MAX_BYTES
from assaymark.tlog.note import (
    NoteSignature,
    NoteSigner,
    NoteVerifier,
    format_note,
    parse_note,
    parse_vkey,
    sign_note,
    verify_note,
    vkey,
)

C2SP = Path(__file__).parents[2] / "vectors/c2sp"
EXAMPLE = (C2SP / "signed-note-example.txt").read_bytes()
EXAMPLE_KEY = (C2SP / "signed-note-example.vkey").read_text().strip()


def _signer(name, seed=1):
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return NoteSigner(NoteVerifier(name, key.public_key().public_bytes_raw()), key.sign)


def test_the_example_of_the_specification_verifies():
    note = verify_note(EXAMPLE, [parse_vkey(EXAMPLE_KEY)])
    assert note.text == "This is an example message.\n"
    assert [verifier.name for verifier in note.verified] == ["example.com/foo"]


def test_a_verifier_key_has_one_spelling():
    verifier = parse_vkey(EXAMPLE_KEY)
    assert vkey(verifier.name, verifier.public) == EXAMPLE_KEY


def test_a_changed_text_is_refused():
    with pytest.raises(VerificationError) as caught:
        verify_note(EXAMPLE.replace(b"example message", b"example massage"), [parse_vkey(EXAMPLE_KEY)])
    assert caught.value.code == "note-signature"


def test_signatures_of_unknown_keys_are_ignored_but_one_known_key_must_have_signed():
    ours, other = _signer("log.example"), _signer("other.example", 2)
    note = sign_note("text\n", [other, ours])
    assert verify_note(note, [ours.verifier]).verified == (ours.verifier,)
    same_name = _signer("log.example", 3)
    with pytest.raises(VerificationError) as caught:
        verify_note(note, [same_name.verifier])
    assert caught.value.code == "note-unsigned"


def test_a_bad_signature_of_a_known_key_refuses_the_note_even_beside_a_good_one():
    ours, other = _signer("log.example"), _signer("other.example", 2)
    good = parse_note(sign_note("text\n", [ours])).signatures[0]
    bad = NoteSignature(other.verifier.name, other.verifier.key_id, bytes(64))
    note = format_note("text\n", [good, bad])
    assert verify_note(note, [ours.verifier]).verified == (ours.verifier,)
    with pytest.raises(VerificationError):
        verify_note(note, [ours.verifier, other.verifier])


def test_a_key_that_signs_twice_counts_once():
    ours = _signer("log.example")
    signature = parse_note(sign_note("text\n", [ours])).signatures[0]
    assert verify_note(format_note("text\n", [signature, signature]), [ours.verifier]).verified == (ours.verifier,)


def test_text_may_hold_empty_lines_and_dashes():
    ours = _signer("log.example")
    text = "a\n\n\u2014 not a signature\n\nend\n"
    assert verify_note(sign_note(text, [ours]), [ours.verifier]).text == text


def test_a_signature_that_does_not_verify_is_not_published():
    ours = _signer("log.example")
    with pytest.raises(VerificationError):
        sign_note("text\n", [NoteSigner(ours.verifier, lambda message: bytes(64))])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\n\xe2\x80\x94 name AAAAAAE=",
        b"text\n\xe2\x80\x94 name AAAAAAE=\n",
        b"text\n\n- name AAAAAAE=\n",
        b"text\n\n\xe2\x80\x94 name\n",
        b"text\n\n\xe2\x80\x94 na+me AAAAAAE=\n",
        b"text\n\n\xe2\x80\x94 na\xc2\xa0me AAAAAAE=\n",
        b"text\n\n\xe2\x80\x94  AAAAAAE=\n",
        b"text\n\n\xe2\x80\x94 name AAAAAA==\n",
        b"text\n\n\xe2\x80\x94 name AAAAAAF=\n",
        b"text\n\n\xe2\x80\x94 name AAAAAAE\n",
        b"text\n\n\xe2\x80\x94 name AAAA-_E=\n",
        b"text\n\n\xe2\x80\x94 name AAAAAAE= \n",
        b"text\n\n\xe2\x80\x94 name AAAAAAE=\n\n",
        b"te\x00xt\n\n\xe2\x80\x94 name AAAAAAE=\n",
        b"te\rxt\n\n\xe2\x80\x94 name AAAAAAE=\r\n",
        b"\xff\n\n\xe2\x80\x94 name AAAAAAE=\n",
        b"a" * NOTE_MAX_BYTES + b"\n\n\xe2\x80\x94 name AAAAAAE=\n",
        b"text\n\n" + b"\xe2\x80\x94 name AAAAAAE=\n" * 101,
    ],
)
def test_what_is_not_a_note_is_refused(data):
    with pytest.raises(InputError) as caught:
        parse_note(data)
    assert caught.value.code.startswith("note-")


@pytest.mark.parametrize("text", ["no newline", "a control \x07\n", "half a pair \ud800\n"])
def test_text_that_cannot_be_a_note_is_not_signed(text):
    def sign(message):
        pytest.fail("signed")

    with pytest.raises(InputError):
        sign_note(
            text,
            [NoteSigner(_signer("log.example").verifier, sign)]
            if "newline" not in text
            else [_signer("log.example")],
        )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        EXAMPLE_KEY.replace("530d903a", "530d903b"),
        EXAMPLE_KEY.replace("530d903a", "530D903A"),
        EXAMPLE_KEY[:-1],
        EXAMPLE_KEY + "\n",
        EXAMPLE_KEY.replace("+Aeky", "+Beky"),
        EXAMPLE_KEY.replace("example.com/foo", "exa mple"),
        EXAMPLE_KEY.replace("example.com/foo", ""),
    ],
)
def test_what_is_not_a_verifier_key_is_refused(text):
    with pytest.raises(InputError) as caught:
        parse_vkey(text)
    assert caught.value.code == "vkey-form"


def test_a_name_or_key_that_cannot_be_written_is_the_callers_mistake():
    with pytest.raises(UsageError):
        vkey("two words", bytes(32))
    with pytest.raises(UsageError):
        vkey("name", bytes(31))
