import base64
import errno
import hashlib
import os
import pickle
import re
import shutil
import stat
import subprocess
import traceback

import pytest

from assaymark.core.errors import AssaymarkError, InputError, UnavailableError, UsageError
from assaymark.keys import file as module
from assaymark.keys.encrypted import encrypt_pkcs8
from assaymark.keys.file import generate, load_private, load_public, parse_private, parse_public, public_path
from assaymark.trust.public_key import P256 as P256_SCHEME
from assaymark.trust.signatures import verify_signature

# RFC 8410 sections 10.1 and 10.3.
PUBLIC = b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
PRIVATE = b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n"
SEED = bytes.fromhex("d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842")
# The same key, written by OpenSSL 3.0.19: `openssl pkcs8 -topk8`, with -scrypt and with -v2 aes-256-cbc.
SCRYPT = b"""-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGTME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAigQjWr5MSfOAICQAAC
AQgCAQEwHQYJYIZIAWUDBAEqBBCE4Vu7eFMnQtY9k/JAlB6vBEB6rqqfn4skhOJe
+X/WmcGQUPVbQbf56IBTx3XaagHn0LCtP5as4XNegepDfd/ZnQIcplifRzLGkTLG
dTXK2MzN
-----END ENCRYPTED PRIVATE KEY-----
"""
PBKDF2 = b"""-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgifP4dAohqmgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEC2rtT9KD0RL268OX/JtPRwEQDOb
3qSE2ilKs/+7Es+jVrCyBLGT50I7QjG/ugJUtcZM8SSqS+FOzdnLAsZXp0KqnwL5
YlRjBk3JxqdcnVhGxA0=
-----END ENCRYPTED PRIVATE KEY-----
"""
OPENSSL = shutil.which("openssl")


def secret() -> bytes:
    return b"swordfish"


def refused(kind, call, *arguments):
    with pytest.raises(kind) as caught:
        call(*arguments)
    return caught.value


def put(path, data, mode=0o600):
    path.write_bytes(data)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("data", [PRIVATE, SCRYPT, PBKDF2])
def test_the_key_of_rfc_8410_is_read_however_it_is_encrypted(data):
    signer = parse_private(data, secret)
    assert signer.public == parse_public(PUBLIC).public
    assert verify_signature("ed25519", signer.public, signer.sign(b"message"), b"message")


def test_a_generated_key_signs_and_is_readable_by_its_owner_only(tmp_path):
    old = os.umask(0)
    try:
        made = generate(tmp_path / "alice.key")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "alice.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "alice.pub").stat().st_mode) == 0o644
    signer = load_private(tmp_path / "alice.key")
    assert signer.scheme == made.scheme == "ed25519"
    assert signer.key_id == made.key_id == load_public(tmp_path / "alice.pub").key_id
    assert verify_signature("ed25519", made.public, signer.sign(b"x"), b"x")


def test_two_keys_are_different(tmp_path):
    assert generate(tmp_path / "a").key_id != generate(tmp_path / "b").key_id


def test_an_encrypted_key_needs_its_passphrase(tmp_path):
    path = tmp_path / "alice.key"
    made = generate(path, b"swordfish")
    assert b"ENCRYPTED" in path.read_bytes()
    assert load_private(path, secret).key_id == made.key_id
    for passphrase in (None, lambda: b"wrong", lambda: b""):
        error = refused(UsageError, load_private, path, passphrase)
        assert (error.code, error.source) == ("key-passphrase", str(path))
    assert refused(UsageError, generate, tmp_path / "b.key", b"").code == "key-passphrase"
    assert not (tmp_path / "b.key").exists()


def test_the_passphrase_is_asked_for_only_when_it_is_needed(tmp_path):
    generate(tmp_path / "a.key")

    def asked():
        raise AssertionError("nothing to decrypt")

    assert load_private(tmp_path / "a.key", asked).scheme == "ed25519"


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
@pytest.mark.parametrize("passphrase", [None, b"swordfish"])
def test_openssl_reads_what_was_generated(tmp_path, passphrase):
    path = tmp_path / "alice.key"
    generate(path, passphrase)
    command = [OPENSSL, "pkey", "-in", str(path), "-passin", "pass:swordfish", "-pubout"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == (tmp_path / "alice.pub").read_bytes()


def test_the_encryption_is_scrypt_as_rfc_8018_and_7914_say():
    # Salt and iv of the OpenSSL vector above, whose cost is N=16384, r=8, p=1; ours differs in p, so in the bytes.
    pem = encrypt_pkcs8(b"\x30\x00", b"swordfish", bytes(16), bytes(16))
    der = re.sub(rb"-----[^-]+-----|\s", b"", pem)
    assert bytes.fromhex("02024000" + "020108" + "020105") in base64.b64decode(der)


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "alice.key").write_text("mine")
    assert refused(UsageError, generate, tmp_path / "alice.key").code == "key-exists"
    assert (tmp_path / "alice.key").read_text() == "mine"
    assert not (tmp_path / "alice.pub").exists()
    (tmp_path / "bob.pub").write_text("mine")
    assert refused(UsageError, generate, tmp_path / "bob.key").code == "key-exists"
    assert not (tmp_path / "bob.key").exists()
    (tmp_path / "link.key").symlink_to(tmp_path / "elsewhere")
    assert refused(UsageError, generate, tmp_path / "link.key").code == "key-exists"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk-full"),
        (errno.EROFS, "store-read-only"),
        (errno.EACCES, "store-read-only"),
        (errno.EIO, "store-io"),
    ],
)
@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_failing_disk_leaves_nothing_behind(tmp_path, monkeypatch, number, code, call):
    calls = []

    def failing(descriptor):
        calls.append(descriptor)
        if len(calls) == call:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module.os, "fsync", failing)
    assert refused(UnavailableError, generate, tmp_path / "a.key").code == code
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path):
    error = refused(UsageError, generate, tmp_path / "no" / "a.key")
    assert error.code == "key-folder"
    assert error.remedy == f"mkdir -p {tmp_path / 'no'}"


def test_where_the_public_half_lies(tmp_path):
    assert public_path(tmp_path / "a.key").name == "a.pub"
    assert public_path(tmp_path / "a.pem").name == "a.pem.pub"
    assert public_path(tmp_path / "a").name == "a.pub"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_private_key_that_others_may_read_is_refused_with_the_command(tmp_path, mode):
    path = put(tmp_path / "a key", PRIVATE, mode)
    for load in (load_private, load_public):
        error = refused(UsageError, load, path)
        assert error.code == "key-mode"
        assert error.remedy == f"chmod 600 '{path}'"
    path.chmod(0o400)
    assert load_private(path).scheme == "ed25519"


def test_a_link_to_a_key_is_followed(tmp_path):
    put(tmp_path / "a.key", PRIVATE)
    (tmp_path / "link").symlink_to(tmp_path / "a.key")
    assert load_private(tmp_path / "link").public == load_public(tmp_path / "link").public


def test_the_public_half_of_a_private_key(tmp_path):
    assert load_public(put(tmp_path / "a", PRIVATE)) == parse_public(PUBLIC)
    assert load_public(put(tmp_path / "b", SCRYPT), secret) == parse_public(PUBLIC)
    assert refused(UsageError, load_public, tmp_path / "b").code == "key-passphrase"


def test_missing_unreadable_and_other_things_in_a_keys_place(tmp_path):
    assert refused(UsageError, load_private, tmp_path / "no.key").code == "key-not-found"
    assert refused(UsageError, load_private, tmp_path).code == "key-unreadable"
    os.mkfifo(tmp_path / "pipe")
    assert refused(UsageError, load_private, tmp_path / "pipe").code == "key-unreadable"
    assert refused(UsageError, load_private, put(tmp_path / "f", b"") / "a.key").code == "key-unreadable"
    assert refused(UsageError, load_private, type(tmp_path)("a\0b")).code == "key-unreadable"


def test_a_read_error_is_named(tmp_path, monkeypatch):
    path = put(tmp_path / "a.key", PRIVATE)

    def broken(_descriptor, _size):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(module.os, "read", broken)
    assert refused(UsageError, load_private, path).code == "key-unreadable"


GARBAGE = [
    b"",
    b"hello",
    PUBLIC,
    PRIVATE + PRIVATE,
    PRIVATE.replace(b"MC4C", b"MC4D"),
    PRIVATE.replace(b"MC4CAQAwBQ", b"!!!!!!!!!!"),
    PRIVATE[:40],
    b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
    b"x" * 70_000,
]


@pytest.mark.parametrize("data", GARBAGE)
def test_garbage_is_no_private_key(data, tmp_path):
    assert refused(InputError, parse_private, data).code == "key-form"
    error = refused(InputError, load_private, put(tmp_path / "a.key", data))
    assert (error.code, error.source) == ("key-form", str(tmp_path / "a.key"))


@pytest.mark.parametrize("data", [b"", PUBLIC[:50], PUBLIC.replace(b"MCow", b"MCox"), PUBLIC + PUBLIC, b"x" * 70_000])
def test_garbage_is_no_public_key(data):
    assert refused(InputError, parse_public, data).code == "key-form"


def test_other_kinds_of_keys_are_named_as_such(tmp_path):
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    for curve in (ec.SECP384R1(), ec.SECP256K1()):
        private = ec.generate_private_key(curve)
        secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        assert refused(UsageError, parse_private, secret).code == "key-scheme"
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        assert refused(UsageError, parse_public, public).code == "key-scheme"
    unknown = PUBLIC.replace(b"MCowBQYDK2Vw", b"MCowBQYDK2V+")
    other = PRIVATE.replace(b"BQYDK2Vw", b"BQYDK2V+")
    assert refused((UsageError, InputError), parse_private, other).code in ("key-scheme", "key-form")
    assert refused((UsageError, InputError), parse_public, unknown).code in ("key-scheme", "key-form")


def test_a_weak_public_key_is_refused():
    der = bytes.fromhex("302a300506032b6570032100") + bytes(32)
    pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(der) + b"\n-----END PUBLIC KEY-----\n"
    assert refused(InputError, parse_public, pem).code in ("key-weak", "key-form")


def leaks(text: str) -> bool:
    body = PRIVATE.splitlines()[1].decode()
    forms = (SEED.hex(), str(SEED)[2:-1], body, body[-30:], "swordfish", repr(list(SEED))[:40])
    return any(form in text for form in forms)


def test_private_bytes_are_in_no_repr_error_or_traceback(tmp_path):
    signer = parse_private(PRIVATE)
    shown = [repr(signer), str(signer), repr([signer]), repr(vars(type(signer)))]
    spoilt = [
        PRIVATE.replace(b"MC4C", b"MC4D"),
        PRIVATE + PRIVATE,
        PRIVATE.replace(b"BQYDK2Vw", b"BQYDK2Vx"),
        PRIVATE[:-30],
    ]
    cases = [(put(tmp_path / f"{i}.key", data), None) for i, data in enumerate(spoilt)]
    cases += [
        (put(tmp_path / "mode.key", PRIVATE, 0o644), None),
        (put(tmp_path / "enc.key", SCRYPT.replace(b"MIGT", b"MIGU")), secret),
        (put(tmp_path / "cut.key", SCRYPT.replace(b"dTXK2MzN", b"dTXK2MzO")), secret),
    ]
    for path, passphrase in cases:
        error = refused(AssaymarkError, load_private, path, passphrase)
        shown += [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    assert not any(leaks(text) for text in shown)
    assert repr(signer) == f"FileSigner(key_id={signer.key_id!r})"


def test_a_signer_is_not_serialised():
    with pytest.raises(TypeError):
        pickle.dumps(parse_private(PRIVATE))


def test_a_p256_key_signs_and_is_read_back(tmp_path):
    path = tmp_path / "alice.key"
    public = generate(path, scheme=P256_SCHEME)
    signer = load_private(path)
    assert (signer.scheme, signer.public, signer.key_id) == (P256_SCHEME, public.public, public.key_id)
    assert load_public(tmp_path / "alice.pub") == public == load_public(path)
    signature = signer.sign(b"message")
    assert verify_signature(P256_SCHEME, public.public, signature, b"message")
    assert not verify_signature(P256_SCHEME, public.public, signature, b"massage")


def test_a_p256_key_with_a_passphrase(tmp_path):
    path = tmp_path / "alice.key"
    public = generate(path, b"secret", scheme=P256_SCHEME)
    assert b"ENCRYPTED" in path.read_bytes()
    assert load_private(path, lambda: b"secret").key_id == public.key_id


def test_openssl_reads_the_p256_keys_that_we_write(tmp_path):
    path = tmp_path / "alice.key"
    public = generate(path, scheme=P256_SCHEME)
    out = subprocess.run(
        ["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], capture_output=True, check=True
    )
    assert hashlib.sha256(out.stdout).hexdigest() == public.key_id


def test_an_unknown_scheme_makes_no_key(tmp_path):
    with pytest.raises(UsageError) as caught:
        generate(tmp_path / "alice.key", scheme="rsa")
    assert caught.value.code == "key-scheme"
    assert list(tmp_path.iterdir()) == []
