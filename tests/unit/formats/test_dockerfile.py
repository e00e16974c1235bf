"""Dockerfiles, as the reference of their format says they are split."""

from __future__ import annotations

import pytest

from assaymark.core.errors import InputError
from assaymark.formats.dockerfile import read_dockerfile


def test_continued_lines_comments_and_flags() -> None:
    text = '# syntax=docker/dockerfile:1\nFROM --platform=linux/amd64 a AS b\n\nRUN one && \\\n# said\n\n    two\ncmd ["x"]\n'
    first, second, third = read_dockerfile(text)
    assert (first.name, first.text, first.flag("platform"), first.line) == ("FROM", "a AS b", "linux/amd64", 2)
    assert (second.text, second.line, second.parts) == ("one && two", 4, ((4, "RUN one &&"), (7, "two")))
    assert third.name == "CMD"


def test_another_escape_character() -> None:
    text = "# escape=`\nFROM a\nRUN one `\n  two\nCOPY c:\\ d:\\\n"
    assert [one.text for one in read_dockerfile(text)] == ["a", "one two", "c:\\ d:\\"]


def test_here_documents() -> None:
    text = 'FROM a\nRUN <<EOF\npip install x\nEOF\nCOPY <<-"A" <<B /x/\n\tone\n\tA\ntwo\nB\nUSER b\n'
    _, run, copy, user = read_dockerfile(text)
    assert run.parts == ((2, "RUN <<EOF"), (3, "pip install x"))
    assert [part for _, part in copy.parts][1:] == ["one", "two"]
    assert user.line == 10


@pytest.mark.parametrize("text", ["", "hello\n", "RUN x\n", "FROM a\nRUN <<EOF\nx\n", "# escape=x\nFROM a\n"])
def test_what_is_no_dockerfile(text: str) -> None:
    with pytest.raises(InputError) as raised:
        read_dockerfile(text)
    assert raised.value.code == "dockerfile-syntax"
