"""The tour in the README does what it says, command by command, and prints what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from tests.support.cli import cli, make_model

README = (Path(__file__).parents[2] / "README.md").read_text()


def commands() -> list[tuple[list[str], list[str]]]:
    """Each ``$ assaymark`` line of the tour, with the lines that are shown below it."""
    tour = README.partition("## A tour of five minutes")[2].partition("\n## ")[0]
    found: list[tuple[list[str], list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", tour, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((shlex.split(line[2:], comments=True), []))
            elif not line.strip().endswith("...") and "sha256:" not in line:
                found[-1][1].append(line)
    return [(words[1:], shown) for words, shown in found if words[0] == "assaymark"]


def test_the_tour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASSAYMARK_WORKSPACE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    make_model(tmp_path, "digits")
    root = ""
    codes = []
    for words, shown in commands():
        ran = cli(*(root if word.startswith("sha256:") else word for word in words))
        codes.append((words[0], ran.code))
        assert not [line for line in shown if line not in ran.out.splitlines()], (words, ran)
        root = root or re.findall(r"root +(sha256:[0-9a-f]{64})", ran.out)[0]
    assert [code for verb, code in codes if verb in {"init", "decide", "attest", "contain"}] == [0, 0, 0, 0, 0]
    assert [code for verb, code in codes if verb == "submit"] == [1]
    assert [code for verb, code in codes if verb == "verify"] == [0, 1]
