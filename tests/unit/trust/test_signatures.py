import hashlib
import subprocess
import sys

import pytest
from tests.support.roots import key_of, private, public, root_payload, signed

from assaymark.core.errors import InputError
from assaymark.core.statement import Signature, make_envelope, pae
from assaymark.trust import public_key, signatures
from assaymark.trust.public_key import PublicKey, check_public, key_id, spki
from assaymark.trust.root import Principal, parse_root
from assaymark.trust.signatures import verified_signers, verify_signature

# RFC 8032 section 7.1, tests 1 to 3: public key, message, signature.
RFC8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC8032)
def test_rfc_8032_vectors(key, message, signature):
    key, message, signature = (bytes.fromhex(text) for text in (key, message, signature))
    assert verify_signature("ed25519", key, signature, message)
    assert not verify_signature("ed25519", key, signature, message + b"x")
    assert not verify_signature("ed25519", key, signature[:-1] + bytes([signature[-1] ^ 1]), message)


def test_wrong_lengths_schemes_and_keys_are_no_signature():
    key, message, signature = (bytes.fromhex(text) for text in RFC8032[0])
    assert not verify_signature("ed25519", key[:31], signature, message)
    assert not verify_signature("ed25519", key, signature[:63], message)
    assert not verify_signature("ed25519", key, signature + b"\0", message)
    assert not verify_signature("ed448", key, signature, message)
    assert not verify_signature("ed25519", b"\xff" * 32, signature, message)
    assert not verify_signature("ed25519", b"\x02" + bytes(31), signature, message)  # not on the curve


def test_the_key_id_is_the_digest_of_the_spki_of_rfc_8410():
    # RFC 8410 section 10.1.
    public_key = bytes.fromhex("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1")
    der = bytes.fromhex("302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1")
    assert spki("ed25519", public_key) == der
    assert key_id("ed25519", public_key) == PublicKey("ed25519", public_key).key_id == hashlib.sha256(der).hexdigest()


PRIME = 2**255 - 19
D = -121665 * pow(121666, -1, PRIME) % PRIME


def add(one, other):
    """Edwards addition (RFC 8032 section 5.1.4, affine)."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2
    return (
        (x1 * y2 + x2 * y1) * pow(1 + product, -1, PRIME) % PRIME,
        (y1 * y2 + x1 * x2) * pow(1 - product, -1, PRIME) % PRIME,
    )


def points_with(y):
    square = (y * y - 1) * pow(D * y * y + 1, -1, PRIME) % PRIME
    root = pow(square, (PRIME + 3) // 8, PRIME)
    if root * root % PRIME != square:
        root = root * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    return [(root, y), (PRIME - root, y)] if root * root % PRIME == square else []


def test_the_refused_points_are_those_of_small_order():
    found = set()
    for y in public_key._SMALL_ORDER:
        for point in points_with(y):
            doubled = add(point, point)
            eightfold = add(add(doubled, doubled), add(doubled, doubled))
            assert eightfold == (0, 1)
            found.add((point[0] % PRIME, y))
    assert len(found) == 8


def test_keys_of_small_order_and_second_encodings_are_refused():
    for sign in (0, 0x80):
        for y in public_key._SMALL_ORDER:
            blob = bytearray(y.to_bytes(32, "little"))
            blob[31] |= sign
            with pytest.raises(InputError) as caught:
                check_public("ed25519", bytes(blob))
            assert caught.value.code == "key-weak"
    for y in (PRIME, PRIME + 1, 2**255 - 1):
        with pytest.raises(InputError) as caught:
            check_public("ed25519", y.to_bytes(32, "little"))
        assert caught.value.code == "key-form"
    with pytest.raises(InputError) as caught:
        key_id("ed25519", bytes(31))
    assert caught.value.code == "key-form"
    with pytest.raises(InputError) as caught:
        key_id("rsa", bytes(32))
    assert caught.value.code == "key-scheme"


ROOT = parse_root(root_payload())


def names(envelope, root=ROOT):
    return [signer.principal for signer in verified_signers(envelope, root)]


def test_signers_are_sorted_and_carry_roles_and_who_answers_for_them():
    signers = verified_signers(signed(b"{}", "scanner", "carol", "bob"), ROOT)
    assert [signer.principal for signer in signers] == ["bob", "carol", "scanner"]
    assert signers[0].roles == {"root", "policy", "approver"}
    assert (signers[2].kind, signers[2].registered_by, signers[2].roles) == ("workload", "alice", {"scanner"})


def test_the_key_id_is_a_hint_only():
    for hint in ("", "unknown", "0" * 64):
        assert names(signed(b"{}", "bob", key_ids={"bob": hint})) == ["bob"]
    assert names(signed(b"{}", "bob", key_ids={"bob": key_of("carol")})) == []


def test_one_key_twice_is_one_signer():
    message = pae("a/b", b"{}")
    twice = tuple(Signature(hint, private("bob").sign(message)) for hint in (key_of("bob"), "", "other"))
    assert names(make_envelope("a/b", b"{}", twice)) == ["bob"]


def test_strangers_and_broken_signatures_sign_nothing():
    assert names(signed(b"{}", "mallory")) == []
    envelope = signed(b"{}", "bob")
    moved = make_envelope("another/type", envelope.payload, envelope.signatures)
    assert names(moved) == []
    changed = make_envelope(envelope.payload_type, b"{ }", envelope.signatures)
    assert names(changed) == []


def test_a_principal_with_two_keys_appears_with_both():
    payload = root_payload(
        keys=[public(name) for name in ("alice", "alice-2", "bob", "carol", "scanner")],
        principals=[
            Principal("alice", (key_of("alice"), key_of("alice-2"))),
            Principal("bob", (key_of("bob"),)),
            Principal("carol", (key_of("carol"),)),
            Principal("scanner", (key_of("scanner"),), "workload", "alice"),
        ],
    )
    assert names(signed(b"{}", "alice", "alice-2"), parse_root(payload)) == ["alice", "alice"]


def test_junk_signatures_cannot_crowd_out_named_ones(monkeypatch):
    monkeypatch.setattr(signatures, "VERIFY_MAX_ATTEMPTS", 6)
    good = signed(b"{}", "bob").signatures
    junk = tuple(Signature("", bytes(64)) for _ in range(60))
    unnamed = signed(b"{}", "carol", key_ids={"carol": "zzz"}).signatures  # sorts after the junk
    envelope = make_envelope(signed(b"{}", "bob").payload_type, b"{}", (*good, *junk, *unnamed))
    assert names(envelope) == ["bob"]


def test_importing_trust_does_not_import_cryptography():
    code = "import sys, assaymark.trust.root, assaymark.policy.decide; print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
