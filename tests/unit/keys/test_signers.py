import pytest

from assaymark.core.errors import UsageError
from assaymark.keys.file import generate
from assaymark.keys.signers import load_public_key, load_signer


@pytest.mark.parametrize("form", ["file:{}", "file://{}"])
def test_a_file_uri_names_a_key(tmp_path, form):
    made = generate(tmp_path / "my alice.key")
    assert load_signer(form.format(tmp_path / "my alice.key")).key_id == made.key_id
    assert load_public_key(form.format(tmp_path / "my alice.pub")) == made


def test_a_relative_path_is_relative_to_the_working_folder(tmp_path, monkeypatch):
    made = generate(tmp_path / "alice.key")
    monkeypatch.chdir(tmp_path)
    assert load_signer("file:alice.key").public == made.public


def test_the_passphrase_reaches_the_key(tmp_path):
    made = generate(tmp_path / "a.key", b"swordfish")
    assert load_signer(f"file:{tmp_path}/a.key", lambda: b"swordfish").key_id == made.key_id
    assert load_public_key(f"file:{tmp_path}/a.key", lambda: b"swordfish") == made


@pytest.mark.parametrize(
    ("uri", "remedy"),
    [
        ("alice.key", "write file:alice.key"),
        ("", "known schemes: file:"),
        ("file:", "known schemes: file:"),
        ("awskms:alias/x", "known schemes: file:"),
        ("file://host/alice.key", "write file:PATH"),
    ],
)
def test_what_names_no_key_says_what_would(uri, remedy):
    for load in (load_signer, load_public_key):
        with pytest.raises(UsageError) as caught:
            load(uri)
        assert (caught.value.code, caught.value.remedy) == ("key-uri", remedy)
