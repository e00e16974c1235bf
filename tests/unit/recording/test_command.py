"""What is recorded of a command line, and what is not."""

import pytest

from assaymark.core.canonical import canonical_json
from assaymark.recording.command import (
    REDACTED,
    chosen_variables,
    entry_script,
    interpreter_of,
    redact_words,
    shown,
)


@pytest.mark.parametrize(
    ("words", "secret"),
    [
        (["--password=hunter2"], "hunter2"),
        (["--db-password", "hunter2"], "hunter2"),
        (["-token=hunter2"], "hunter2"),
        (["--api-key", "hunter2"], "hunter2"),
        (["https://x.example/data?token=hunter2&part=1"], "hunter2"),
        (["https://dana:hunter2@x.example/data"], "hunter2"),
        (["sh", "-c", "train --secret hunter2 --epochs 3"], "hunter2"),
        (["HF_TOKEN=hunter2", "python"], "hunter2"),
        (['{"token": "hunter2"}'], "hunter2"),
        (["--hub", "hf_" + "a" * 30], "a" * 30),
        (["-c", "login('ghp_" + "b" * 36 + "')"], "b" * 36),
        (["AKIA" + "C" * 16], "C" * 16),
    ],
)
def test_what_looks_like_a_secret_is_not_recorded_and_that_is_said(words, secret):
    made, changed = redact_words(words)
    assert changed == 1
    assert secret not in " ".join(made)
    assert REDACTED in " ".join(made)
    assert len(made) == len(words)


@pytest.mark.parametrize(
    "words",
    [
        ["--tokenizer", "bert"],
        ["--max-tokens", "512"],
        ["--tokens=5"],
        ["--keyboard", "us"],
        ["train.py", "--lr", "0.1", "https://x.example/passwords"],
        ["--password", "--epochs", "3"],
    ],
)
def test_what_does_not_is_recorded_as_it_is(words):
    assert redact_words(words) == (words, 0)


def test_words_that_are_no_text_can_be_signed():
    words, _ = redact_words(["a\udcffb", "line\nbreak", "\u202egnp.exe"])
    assert words[0] == "a\\xffb"
    canonical_json(words)
    assert shown("\u202e") == "\u202e", "what can be signed is signed as it is; a terminal shows it escaped"


def test_variables_are_recorded_by_name_only():
    environment = {"PYTHONHASHSEED": "0", "HOME": "/home/dana", "SEED": "7", "MY_TOKEN": "x", "URL": "s3://u:p@h/"}
    found = chosen_variables(environment, ["SEED", "MY_TOKEN", "URL", "UNSET"])
    assert found == {"PYTHONHASHSEED": "0", "SEED": "7", "MY_TOKEN": REDACTED, "URL": f"s3://{REDACTED}@h/"}


@pytest.mark.parametrize(
    ("words", "script"),
    [
        (["python", "train.py", "-c"], "train.py"),
        (["/usr/bin/python3.12", "-u", "-W", "ignore", "-X", "dev", "train.py"], "train.py"),
        (["python3", "-OO", "train.py"], "train.py"),
        (["python", "-m", "package"], None),
        (["python", "-c", "print()"], None),
        (["python", "-Ic", "print()"], None),
        (["python", "-"], None),
        (["python"], None),
        (["torchrun", "train.py"], None),
    ],
)
def test_the_script_that_python_runs(words, script):
    assert entry_script(words) == script


def test_the_interpreter_is_named_by_the_command_or_by_its_first_line(tmp_path):
    def program(line):
        file = tmp_path / "tool"
        file.write_bytes(line)
        return interpreter_of(str(file), "tool")

    assert interpreter_of("/opt/env/bin/python3.12", "python3.12") == ["/opt/env/bin/python3.12"]
    assert interpreter_of("/usr/bin/pypy3", "pypy3") == ["/usr/bin/pypy3"]
    assert program(b"#!/opt/env/bin/python3\nimport x\n") == ["/opt/env/bin/python3"]
    assert program(b"#!/usr/bin/env -S python3 -u\n") == ["python3"]
    assert program(b"#!/bin/sh\n") is None
    assert program(b"#!\n") is None
    assert program(b"\x7fELF") is None
    assert interpreter_of(str(tmp_path / "nowhere"), "nowhere") is None
