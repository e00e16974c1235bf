"""Files that are of no platform: what a repository holds beside an architecture leaves the assessment complete."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.cli import cli

from assaymark.core.errors import InputError
from assaymark.formats.located import read_json, without_comments

COMMENTED = '{\n  // "not": a key\n  "a": ["//x", "/*", 1,], /* two\nlines */ "role": "b\\"//",\n}\n'
POD = "apiVersion: v1\nkind: Namespace\nmetadata: {name: ml}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "repository"
    place.mkdir()
    (place / "namespace.yaml").write_text(POD)
    return place


def skipped(folder: Path) -> tuple[int, list[str]]:
    done = cli("assess", folder, "--format", "json", "--fail-on", "none")
    return done.code, [item["path"] for item in json.loads(done.out)["skipped"]]


@pytest.mark.parametrize("name", ["tsconfig.json", ".vscode/settings.json", ".devcontainer/devcontainer.json"])
def test_json_with_comments_is_read(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(COMMENTED)
    assert skipped(folder) == (0, [])


def test_comments_go_and_lines_and_texts_stay() -> None:
    found = read_json(without_comments(COMMENTED))
    assert found == {"a": ["//x", "/*", 1], "role": 'b"//'}
    assert found.at("role") == 4
    for text in ("{/*", '{"a', "/*/", '"\\', "[1,,]"):
        with pytest.raises(InputError):
            read_json(without_comments(text))


@pytest.mark.parametrize(
    ("name", "text", "counts"),
    [
        ("words.json", "not JSON at all", False),
        ("page.yaml", "title: [a, b\n", False),
        ("roles.json", "", True),
        ("export.json", '{"RoleDetailList": [', True),
        ("x.json", '{"Bucket": nothing}', True),
        ("x.yaml", "apiVersion: v1\nkind: [\n", True),
        ("x.yml", "{{ if .Values.on }}\na: [\n", True),
    ],
)
def test_what_cannot_be_read_counts_when_it_may_be_a_platforms(
    folder: Path, name: str, text: str, counts: bool
) -> None:
    (folder / name).write_text(text)
    assert skipped(folder) == ((3, [name]) if counts else (0, []))


def test_an_export_in_utf_16_counts(folder: Path) -> None:
    (folder / "x.json").write_bytes('{"RoleDetailList": []}'.encode("utf-16"))
    assert skipped(folder) == (3, ["x.json"])


@pytest.mark.parametrize(
    ("place", "counts"), [(".idea", False), (".venv/bin", False), (".github", True), ("a", True)]
)
def test_links_that_lead_nowhere(folder: Path, place: str, counts: bool) -> None:
    (folder / place).mkdir(parents=True)
    (folder / place / "link").symlink_to("/usr/bin/nothing-here")
    assert skipped(folder) == ((3, [f"{place}/link"]) if counts else (0, []))


def test_caches_of_tools_are_no_loss_and_copies_of_others_files_are_said(folder: Path) -> None:
    for name in ("__pycache__", ".mypy_cache", ".terraform"):
        (folder / name).mkdir()
        (folder / name / "x.json").write_text("{}")
    assert skipped(folder) == (0, [])
    said = cli("assess", folder).out
    assert ".terraform holds 1 file that a tool put there" in said
    assert "__pycache__" not in said


def test_a_folder_of_tools_alone_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "x.json").write_text("{}")
    assert cli("assess", tmp_path).code == 3
