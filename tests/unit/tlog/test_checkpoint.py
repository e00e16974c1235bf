"""Checkpoints: the specification's example, one spelling, and who must have signed."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assaymark.core.errors import InputError, VerificationError
from assaymark.tlog.checkpoint import (
    Checkpoint,
    format_checkpoint,
    parse_checkpoint,
    read_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from assaymark.tlog.merkle import EMPTY_ROOT
from assaymark.tlog.note import NoteSigner, NoteVerifier, sign_note

EXAMPLE = (Path(__file__).parents[2] / "vectors/c2sp/checkpoint-example.txt").read_bytes()
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


def _signer(name, seed=1):
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return NoteSigner(NoteVerifier(name, key.public_key().public_bytes_raw()), key.sign)


def test_the_example_of_the_specification():
    checkpoint = read_checkpoint(EXAMPLE)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert EXAMPLE.decode().startswith(format_checkpoint(checkpoint) + "\n")


def test_extension_lines_survive():
    text = f"log.example\n3\n{ROOT}\nextra 1\nextra 2\n"
    assert parse_checkpoint(text).extensions == ("extra 1", "extra 2")
    assert format_checkpoint(parse_checkpoint(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log.example\n3\n",
        f"log.example\n3\n{ROOT}",
        f"\n3\n{ROOT}\n",
        f"log.example\n03\n{ROOT}\n",
        f"log.example\n+3\n{ROOT}\n",
        f"log.example\n-3\n{ROOT}\n",
        f"log.example\n3 \n{ROOT}\n",
        f"log.example\n\u0663\n{ROOT}\n",
        f"log.example\n9223372036854775808\n{ROOT}\n",
        f"log.example\n3\n{ROOT[:-1]}\n",
        f"log.example\n3\n{ROOT[:-2]}J=\n",
        "log.example\n3\nAAAA\n",
        f"log.example\n0\n{ROOT}\n",
        f"log.example\n3\n{ROOT}\n\n",
        f"log.example\n3\n{ROOT}\nextra\n\n",
    ],
)
def test_what_is_not_a_checkpoint_is_refused(text):
    with pytest.raises(InputError) as caught:
        parse_checkpoint(text)
    assert caught.value.code == "checkpoint-form"


def test_a_checkpoint_is_signed_and_verified_by_the_logs_own_key():
    signer = _signer("log.example")
    checkpoint = Checkpoint("log.example", 0, EMPTY_ROOT)
    assert verify_checkpoint(sign_checkpoint(checkpoint, signer), [signer.verifier]) == checkpoint


def test_a_known_key_of_another_name_does_not_speak_for_the_log():
    signer = _signer("other.example")
    checkpoint = Checkpoint("log.example", 0, EMPTY_ROOT)
    with pytest.raises(VerificationError) as caught:
        sign_checkpoint(checkpoint, signer)
    assert caught.value.code == "checkpoint-origin"
    note = sign_note(format_checkpoint(checkpoint), [signer])
    with pytest.raises(VerificationError) as caught:
        verify_checkpoint(note, [signer.verifier])
    assert caught.value.code == "checkpoint-origin"


@pytest.mark.parametrize("origin", ["", "two\nlines", "control\x01"])
def test_an_origin_that_cannot_be_written_is_refused(origin):
    with pytest.raises(InputError):
        sign_checkpoint(Checkpoint(origin, 0, EMPTY_ROOT), _signer(origin))
