"""The pre-commit hook and the GitHub Action call the command as it is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from assaymark.ui.cli.main import build_parser

ROOT = Path(__file__).parents[3]


def test_the_hook_takes_model_files_and_no_others() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"].split() == ["assaymark", "scan"]
    wanted = re.compile(hook["files"])
    for name in ("a/model.pt", "m.pkl", "x.safetensors", "deep/config.json", "tokenizer_config.json", "w.keras"):
        assert wanted.search(name), name
    for name in (
        "m.pt2",
        "M.PKL",
        "n.dill",
        "c.pdparams",
        "w.tgz",
        "chat_template.jinja",
        "mlflow/MLmodel",
        "r.RData",
    ):
        assert wanted.search(name), name
    for name in ("main.py", "README.md", "data.json", "config.json.bak"):
        assert not wanted.search(name), name


def scripts() -> list[str]:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    return [step["run"] for step in action["runs"]["steps"] if "run" in step]


def test_the_action_names_inputs_that_it_has() -> None:
    text = (ROOT / "action.yml").read_text()
    action = yaml.safe_load(text)
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(action["inputs"])
    # What a user gives goes through the environment, never into the script's text.
    assert not any("${{" in script for script in scripts())


@pytest.mark.parametrize("config", ["", "scan.toml"])
def test_the_action_scans_each_path_with_options_that_exist(tmp_path: Path, config: str) -> None:
    binary = tmp_path / "assaymark" / "bin" / "assaymark"
    binary.parent.mkdir(parents=True)
    binary.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > words\n')
    binary.chmod(0o755)
    environment = {
        "PATH": "/usr/bin:/bin",
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "PATHS": "models/a b.pt\n\n  \nmodels/c\n",
        "FAIL_ON": "medium",
        "CONFIG": config,
        "SARIF": "out.sarif",
    }
    subprocess.run(["bash", "-euo", "pipefail", "-c", scripts()[-1]], cwd=tmp_path, env=environment, check=True)
    words = (tmp_path / "words").read_text().splitlines()
    arguments = build_parser("scan").parse_args(words)
    assert arguments.paths == ["models/a b.pt", "models/c"]
    assert arguments.fail_on == "medium"
    assert arguments.config == (config or None)
    assert arguments.format == "github"
    assert arguments.output == ["sarif=out.sarif"]
    assert (tmp_path / "output").read_text() == "sarif=out.sarif\n"
