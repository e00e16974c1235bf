"""A policy whose entry cannot be read is not passed over for the one before it."""

from pathlib import Path

import pytest
from tests.support.cli import make_model, make_team

from assaymark.core.statement import parse_envelope


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_a_damaged_policy_does_not_bring_back_the_laxer_one_before_it(folder):
    team = make_team(folder, "--store", "folder")
    model = make_model(folder)
    team.admit(model)
    text = team.run("policy", "show").out
    strict = folder / "strict.toml"
    strict.write_text(text.replace("threshold = 2", "threshold = 3", 1))
    owner = f"file:{team.workspace / 'keys' / 'owner.key'}"
    assert team.run("policy", "set", strict, "--key", owner).code == 0
    assert team.run("verify", model, "--for", "production").code == 1
    blobs = [place for place in (team.workspace / "log" / "blobs").rglob("*") if place.is_file()]
    (blob,) = (place for place in blobs if b"threshold = 3" in parse_envelope(place.read_bytes()).payload)
    blob.chmod(0o600)
    blob.unlink()
    for verb in ("verify", "decide"):
        ran = team.run(verb, model, "--for", "production")
        assert ran.code not in (0, 1), ran
        assert "blob-missing" in ran.out + ran.err
