"""What a newcomer meets: typing errors, other locales, flags that would be ignored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.cli import Team, cli, make_model, make_team

import assaymark
from assaymark.core.errors import UsageError


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return make_team(tmp_path_factory.mktemp("team"))


@pytest.fixture(scope="module")
def model(team: Team) -> Path:
    model = make_model(team.folder)
    assert team.run("submit", model, "--to", "dev").code == 0
    return model


def in_ascii(*words: object) -> subprocess.CompletedProcess[bytes]:
    env = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    command = [sys.executable, "-m", "assaymark", *map(str, words)]
    return subprocess.run(command, capture_output=True, env=env, check=False)


def test_a_locale_without_unicode_is_no_bug_of_ours(team: Team, model: Path) -> None:
    said = in_ascii("verify", model, "--for", "dev", "--workspace", team.workspace)
    assert said.returncode == 0, said.stderr
    assert "✓ scan" in said.stdout.decode()


def test_a_proof_is_the_same_bytes_in_every_locale(team: Team) -> None:
    proof = in_ascii("log", "prove", 0, "--workspace", team.workspace).stdout
    assert proof == team.run("log", "prove", 0).out.encode()
    assert "\n— ".encode() in proof


def test_a_closed_stdout_leaves_the_exit_code(model: Path) -> None:
    said = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "assaymark", "scan", str(model)],
        capture_output=True,
        check=False,
    )
    assert (said.returncode, said.stderr) == (0, b"")


def test_a_copy_of_a_log_says_that_nothing_can_be_added_to_it(team: Team, model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert team.run("log", "export", copy).code == 0
    said = cli("submit", model, "--to", "dev", "--workspace", copy)
    assert said.code == 2
    assert "workspace-copy" in said.err
    assert str(copy) in said.err


def test_a_root_that_decide_would_ignore_is_refused(team: Team, model: Path) -> None:
    said = team.run("decide", model, "--for", "dev", "--root", "sha256:" + "0" * 64)
    assert said.code == 2
    assert "root-alone" in said.err


def test_what_could_not_be_hashed_has_no_empty_line_for_a_digest(team: Team, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = team.run("submit", tmp_path / "empty", "--to", "dev")
    assert said.code == 3
    assert not [line for line in said.out.splitlines() if line and not line.strip()]


def test_a_scan_of_an_empty_folder_says_why_it_is_incomplete(tmp_path: Path) -> None:
    said = cli("scan", tmp_path)
    assert said.code == 3
    assert "there is no file to look at" in said.out


def test_a_type_of_ones_own_is_named_whole(team: Team, model: Path, tmp_path: Path) -> None:
    predicate = tmp_path / "review.json"
    predicate.write_text(json.dumps({"result": "fine"}))
    said = team.run("attest", "https://example.com/review/v1", model, "--predicate", predicate)
    assert said.code == 0
    assert "Logged https://example.com/review/v1 of" in said.out


def test_what_is_wrong_with_a_predicate_names_its_file(team: Team, model: Path, tmp_path: Path) -> None:
    predicate = tmp_path / "scan.json"
    for text in ('{"x": 1}', '{"complete": 0.5}'):
        predicate.write_text(text)
        said = team.run("attest", "scan", model, "--predicate", predicate)
        assert said.code == 3
        assert str(predicate) in said.err


def test_an_environment_that_a_predicate_would_not_be_bound_to_is_refused(
    team: Team, model: Path, tmp_path: Path
) -> None:
    predicate = tmp_path / "review.json"
    words = ("attest", "https://example.com/review/v2", model, "--for", "dev", "--predicate", predicate)
    predicate.write_text(json.dumps({"result": "fine"}))
    said = team.run(*words)
    assert said.code == 2
    assert '"environment": "dev"' in said.err
    predicate.write_text(json.dumps({"result": "fine", "environment": "dev"}))
    assert team.run(*words).code == 0


def test_a_role_that_nothing_asks_for_is_pointed_out(team: Team) -> None:
    key = team.folder / "zed.key"
    cli("keys", "generate", "zed", "--out", key)
    said = team.run("keys", "add", "zed", "--role", "aprover", "--public", key.with_suffix(".pub"))
    assert said.code == 0
    assert "asks for role aprover" in said.err
    assert "asks for" not in team.run("keys", "add", "zed", "--role", "approver").err


def test_a_workload_is_registered_by_a_person_who_is_there(team: Team) -> None:
    cli("keys", "generate", "gpu7", "--out", team.folder / "gpu7.key")
    words = ("keys", "add", "gpu7", "--role", "point", "--public", team.folder / "gpu7.pub", "--registered-by")
    for name in ("nobody-here", "service"):
        said = team.run(*words, name)
        assert said.code == 2
        assert "registrar-unknown" in said.err
        assert "one of alice, bob, " in said.err
    said = team.run(*words, "alice")
    assert said.code == 0
    assert "asks for role" not in said.err, "the guide enrols points in this role, and no policy asks for it"


def test_a_key_for_what_cannot_be_a_principals_name_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = cli("keys", "generate", "Al ice")
    assert said.code == 2
    assert not list(tmp_path.iterdir())
    made = cli("keys", "generate", "--out", tmp_path / "Al ice.key")
    assert f"keys add NAME --role ROLE --public '{tmp_path / 'Al ice.pub'}'" in made.out


def test_a_policy_that_drops_an_environment_says_so(tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    cli("init", "--workspace", workspace)
    policy = tmp_path / "staging.toml"
    policy.write_text('format = "assaymark:policy/v1"\n\n[environments.staging]\nrequire = []\n')
    said = cli("policy", "set", policy, "--workspace", workspace)
    assert said.code == 0
    assert "environments: staging" in said.out
    assert "nothing may run in them: dev, production" in said.out


def test_a_commit_of_everything_leaves_the_workspaces_keys_out(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    cli("init", "--workspace", tmp_path / ".assaymark")
    subprocess.run(["git", "-C", tmp_path, "add", "-A"], check=True)
    added = subprocess.run(["git", "-C", tmp_path, "ls-files"], capture_output=True, text=True, check=True).stdout
    assert ".assaymark/assaymark.toml" in added
    assert "key" not in added


def test_what_an_interrupted_submission_left_is_gone_after_the_next(team: Team, model: Path) -> None:
    left = team.workspace / "blobs" / "staging" / ("0" * 32)
    left.write_bytes(b"the first half of a model")
    os.utime(left, (0, 0))  # long ago: what is fresh may be another process about to take its lock
    assert team.run("submit", model, "--to", "dev").code == 0
    assert not left.exists()


def test_a_dossier_beside_a_log_that_contains_the_model_since_is_denied(tmp_path: Path) -> None:
    team = make_team(tmp_path)
    model = make_model(tmp_path)
    dossier = team.admit(model)
    words = ("verify", model, "--for", "production", "--dossier", dossier, "--root", team.root)
    assert team.ask(*words).code == 0
    team.run("contain", model, "--for", "production", "--reason", "drift")
    said = team.ask(*words)
    assert said.code == 1
    assert said.json["outcome"] == "DENY"
    assert [reason["requirement"] for reason in said.json["reasons"] if not reason["met"]] == ["containment"]
    assert "drift" in said.json["reasons"][0]["message"]


@pytest.mark.parametrize(
    "words", [("scan", ""), ("digest", ""), ("verify", "", "--for", "dev"), ("scan", "--fail-on=")]
)
def test_a_variable_that_is_not_set_does_not_mean_the_current_folder(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model(tmp_path)
    monkeypatch.chdir(tmp_path)
    said = cli(*words)
    assert said.code == 2
    assert "empty" in said.err or "expected one argument" in said.err or "invalid choice" in said.err


def test_an_empty_path_does_not_mean_the_current_folder_in_a_program_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        assaymark.scan("")
    with pytest.raises(UsageError), assaymark.admitted("", "dev", workspace="w"):
        pass


def test_a_flag_without_its_value_is_not_taken_for_no_flag(team: Team, model: Path) -> None:
    for words in (("--dossier", ""), ("--dossier=",), ("--root", "", "--dossier", "")):
        said = team.run("verify", model, "--for", "dev", *words)
        assert said.code == 2
        assert "argument-empty" in said.err


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_logged(
    team: Team, model: Path, tmp_path: Path
) -> None:
    before = team.ask("log", "show").json["tree_size"]
    nowhere = tmp_path / "nowhere" / "file"
    for words in (("--output", f"json={nowhere}"), ("--dossier", nowhere), ("--payload", tmp_path)):
        said = team.run("decide", model, "--for", "dev", *words)
        assert said.code == 2
        assert str(words[1]).removeprefix("json=") in said.err
    assert team.ask("log", "show").json["tree_size"] == before


def test_what_is_wrong_with_a_dossier_names_the_dossier(team: Team, model: Path, tmp_path: Path) -> None:
    dossier = tmp_path / "other.json"
    dossier.write_text("{}")
    said = team.run("verify", model, "--for", "dev", "--dossier", dossier, "--root", team.root)
    assert said.code == 3
    assert str(dossier) in said.out
    assert str(dossier) in cli("decide", "--replay", dossier, "--root", team.root).out
