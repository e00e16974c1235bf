"""Every verb explains itself: help with examples, the same options everywhere, completion for the shell."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.cli import Team, cli

from assaymark.ui.cli.main import build_parser

SOURCE = Path(__file__).parents[2] / "src"


def commands(parser: argparse.ArgumentParser, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    nested = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not nested:
        return [words]
    return [found for name, child in nested[0].choices.items() for found in commands(child, (*words, name))]


ALL = commands(build_parser(everything=True))


def test_the_verbs_of_the_product_are_there() -> None:
    verbs = {words[0] for words in ALL}
    assert verbs >= {"init", "scan", "submit", "attest", "decide", "verify", "contain", "log", "policy", "explain"}
    assert {words for words in ALL if words[0] == "log"} == {
        ("log", name) for name in ("show", "prove", "check", "export", "collect")
    }


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_examples_and_the_common_options(words: tuple[str, ...]) -> None:
    shown = cli(*words, "--help")
    assert shown.code == 0
    assert "examples:" in shown.out
    assert f"assaymark {' '.join(words)}" in shown.out.partition("examples:")[2]
    if words[0] != "completion":
        for option in ("--workspace", "--format", "--output"):
            assert option in shown.out


def test_the_overview_lists_every_verb_and_the_exit_codes() -> None:
    shown = cli("--help")
    assert shown.code == 0
    for words in ALL:
        assert f" {words[0]} " in shown.out or f" {words[0]}\n" in shown.out
    assert "3 no answer" in shown.out
    assert cli("--version").out.startswith("assaymark ")


def test_the_workspace_may_stand_before_the_verb_or_in_the_environment(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("--workspace", team.workspace, "log", "show").code == 0
    assert cli("log", "show").code == 2
    monkeypatch.setenv("ASSAYMARK_WORKSPACE", str(team.workspace))
    assert cli("log", "show").code == 0


def test_the_workspace_is_found_above(team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(team.workspace, tmp_path / ".assaymark")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert cli("log", "show").code == 0


def test_another_users_workspace_is_not_taken_for_lying_above(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(team.workspace, tmp_path / ".assaymark")
    monkeypatch.chdir(tmp_path)
    try:
        os.chown(tmp_path / ".assaymark", 12345, -1)
    except PermissionError:
        pytest.skip("this user gives no files away")
    refused = cli("log", "show")
    assert refused.code == 2
    assert "workspace-foreign" in refused.err
    assert cli("log", "show", "--workspace", ".assaymark").code == 0


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_completion_completes_verbs(tmp_path: Path) -> None:
    script = tmp_path / "completion.bash"
    script.write_text(cli("completion", "bash").out)
    done = subprocess.run(
        ["bash", "-c", f"source {script}; COMP_WORDS=(assaymark co); COMP_CWORD=1; _shtab_assaymark; echo ${{COMPREPLY[@]}}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert set(done.stdout.split()) == {"contain", "convert", "completion"}
    assert "_assaymark" in cli("completion", "zsh").out


def test_no_public_function_is_hidden_by_a_package() -> None:
    import assaymark

    packages = {p.parent.name for p in Path(assaymark.__file__).parent.glob("*/__init__.py")}
    assert not packages & set(assaymark.__all__)


def test_an_answer_is_given_where_the_locale_lacks_its_characters(team: Team, tmp_path: Path) -> None:
    model = tmp_path / "modèle ☃"
    model.mkdir()
    (model / "README.md").write_text("# A model\n")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-m", "assaymark", "verify", model, "--for", "dev", "--workspace", team.workspace]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 1, done
    assert done.stdout.decode().startswith("DENY  modèle ☃ for dev\n"), "UTF-8, whatever the locale says"
