"""The public Python interface: its guide runs as written, and a loader gets only what was admitted."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.cli import Team

import assaymark

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "python.md"


def test_the_guide_runs_as_written(team: Team, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    team.run("submit", model, "--to", "production")
    team.approve(model, "alice", "bob")
    (team.folder / "evil.pkl").write_bytes(b"cposix\nsystem\n(S'touch /tmp/never'\ntR.")
    monkeypatch.chdir(team.folder)
    text = GUIDE.read_text()
    parsed = doctest.DocTestParser().get_doctest(text, {"root": team.root}, "python.md", str(GUIDE), 0)
    assert len(parsed.examples) >= 8
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    assert runner.run(parsed).failed == 0


def test_the_copy_is_private_verified_and_gone_afterwards(team: Team, model: Path) -> None:
    dossier = team.admit(model)
    with assaymark.admitted(model, "production", dossier=dossier, root=team.root) as folder:
        assert folder.stat().st_mode & 0o077 == 0 or folder.parent.stat().st_mode & 0o077 == 0
        (model / "config.json").write_text("swapped after the check")
        assert (folder / "config.json").read_text().startswith('{"threshold"')
        assert (folder / "config.json").stat().st_mode & 0o222 == 0
    assert not folder.exists()
    with (
        pytest.raises(assaymark.VerificationError, match="DENY for production") as refused,
        assaymark.admitted(model, "production", dossier=dossier, root=team.root),
    ):
        pytest.fail("a changed model was loaded")
    assert refused.value.code == "not-admitted"


def test_a_model_of_one_file_is_admitted_as_a_file(team: Team, model: Path) -> None:
    weights = model / "model.safetensors"
    team.run("submit", weights, "--to", "dev")
    with assaymark.admitted(weights, "dev", workspace=team.workspace) as file:
        assert file.name == "model.safetensors"
        assert file.read_bytes() == weights.read_bytes()


def test_a_contained_model_is_not_loaded(team: Team, model: Path) -> None:
    team.admit(model)
    team.run("contain", model, "--for", "production", "--reason", "drift")
    with (
        pytest.raises(assaymark.VerificationError, match="drift"),
        assaymark.admitted(model, "production", workspace=team.workspace),
    ):
        pytest.fail("a contained model was loaded")


def test_a_pinned_root_holds_for_a_workspace_too(team: Team, model: Path) -> None:
    """Whoever hands out a workspace of their own making is the owner there, and approves what they like."""
    team.admit(model)
    assert assaymark.verify(model, "production", workspace=team.workspace, root=team.root).outcome == "PERMIT"
    another = "sha256:" + "0" * 64
    with pytest.raises(assaymark.VerificationError) as refused:
        assaymark.verify(model, "production", workspace=team.workspace, root=another)
    assert refused.value.code == "root-pin"
    with (
        pytest.raises(assaymark.VerificationError, match="pins"),
        assaymark.admitted(model, "production", workspace=team.workspace, root=another),
    ):
        pytest.fail("a model was loaded under another root than the pinned one")


def test_nothing_to_check_against_is_an_error_and_not_a_yes(model: Path, tmp_path: Path) -> None:
    with pytest.raises(assaymark.UsageError):
        assaymark.verify(model, "production")
    with pytest.raises(assaymark.UsageError):
        assaymark.verify(model, "production", dossier=tmp_path / "x")
    with pytest.raises(assaymark.UsageError):
        assaymark.verify(model, "production", workspace=tmp_path / "nowhere")


def test_importing_loads_nothing_heavy() -> None:
    source = str(Path(assaymark.__file__).parents[1])
    heavy = ("cryptography", "sqlite3", "argparse", "json", "subprocess", "jsonschema_rs", "ctypes")
    code = (
        f"import sys; sys.path.insert(0, {source!r}); import assaymark;"
        f" print(*(m for m in sys.modules if m.partition('.')[0] in {heavy!r}))"
    )
    # -S: what an environment's own start-up files import is not ours.
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError):
        _ = assaymark.certify  # type: ignore[attr-defined]
    assert "verify" in dir(assaymark)
