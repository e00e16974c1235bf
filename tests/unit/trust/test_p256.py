"""ECDSA on P-256: vectors of RFC 6979 appendix A.2.5, and points that are none."""

import pytest

from assaymark.core.errors import InputError
from assaymark.trust.public_key import P256, PublicKey, check_public, key_id, spki
from assaymark.trust.signatures import verify_signature

X = bytes.fromhex("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6")
Y = bytes.fromhex("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299")
PUBLIC = b"\x04" + X + Y
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SIGNATURES = {
    b"sample": (
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    ),
    b"test": (
        0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
        0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083,
    ),
}


def der(r: int, s: int) -> bytes:
    """RFC 3279 section 2.2.3, written by hand."""

    def integer(value: int) -> bytes:
        data = value.to_bytes(value.bit_length() // 8 + 1, "big")
        return b"\x02" + bytes([len(data)]) + data

    body = integer(r) + integer(s)
    return b"\x30" + bytes([len(body)]) + body


@pytest.mark.parametrize("message", SIGNATURES)
def test_the_rfc_6979_vectors_hold(message):
    r, s = SIGNATURES[message]
    assert verify_signature(P256, PUBLIC, der(r, s), message)
    assert verify_signature(P256, PUBLIC, der(r, ORDER - s), message), "the other signature that anybody can derive"
    assert not verify_signature(P256, PUBLIC, der(r, s), message + b".")
    assert not verify_signature(P256, PUBLIC, der(s, r), message)
    assert not verify_signature("ed25519", PUBLIC, der(r, s), message)


@pytest.mark.parametrize("signature", [b"", b"\x30", bytes(64), b"\x30\x06\x02\x01\x00\x02\x01\x00", bytes(72)])
def test_what_is_no_signature_is_false(signature):
    assert not verify_signature(P256, PUBLIC, signature, b"sample")


def test_a_signature_with_something_behind_it_is_refused():
    assert not verify_signature(P256, PUBLIC, der(*SIGNATURES[b"sample"]) + b"\x00", b"sample")


@pytest.mark.parametrize(
    "public",
    [
        b"",
        PUBLIC[:-1],
        b"\x02" + X,  # the compressed form: a second spelling of the same key
        b"\x06" + X + Y,  # the hybrid form
        b"\x04" + Y + X,
        b"\x04" + X + bytes(32),
        b"\x04" + b"\xff" * 64,
        b"\x00" * 65,
    ],
)
def test_what_is_no_point_in_its_one_spelling_is_no_key(public):
    with pytest.raises(InputError) as caught:
        check_public(P256, public)
    assert caught.value.code == "key-form"
    assert not verify_signature(P256, public, der(*SIGNATURES[b"sample"]), b"sample")


def test_the_subject_public_key_info_is_what_cryptography_writes():
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), PUBLIC)
    assert spki(P256, PUBLIC) == key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert PublicKey(P256, PUBLIC).key_id == key_id(P256, PUBLIC)
