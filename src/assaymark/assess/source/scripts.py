"""Commands that stand in scripts and in pipelines of other systems than GitHub's and GitLab's.

Sources: the references of Azure Pipelines ("steps.script", "steps.bash", inline scripts of tasks), Cloud Build
("Build configuration file schema"), CircleCI ("run"), Bitbucket Pipelines, Buildkite, Drone and Woodpecker, Travis;
Tekton ("script" of a step); Jenkins' steps ``sh`` and ``bat``; Procfile; systemd's ``ExecStart``.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.shell_lines import joined_lines
from assaymark.assess.source.commands import command_remarks
from assaymark.assess.source.places import standing
from assaymark.assess.source.programs import program_remarks
from assaymark.core.limits import SECRETS_MAX_BYTES
from assaymark.core.report import Severity
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.source import Remark, Source
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs
    from assaymark.core.graph import Because

_SCRIPTS: Final = (".sh", ".bash", ".zsh", ".service", "procfile")
_COMMANDS: Final = frozenset(
    (
        *("script", "bash", "pwsh", "powershell", "run", "command", "commands", "inlineScript", "before_script"),
        *("after_script", "install", "before_install", "args"),
    )
)
_FILES: Final = re.compile(
    r"(?:^|/)(?:azure-pipelines[\w.-]*|cloudbuild[\w.-]*|bitbucket-pipelines|\.drone|\.travis|\.woodpecker[\w.-]*)\.ya?ml$"
    r"|(?:^|/)\.(?:circleci|buildkite|azure-pipelines|azuredevops|woodpecker)/[\w./-]+\.ya?ml$",
    re.IGNORECASE,
)
_JENKINS: Final = re.compile(
    r"\b(?:sh|bat|powershell|pwsh)\b\s*\(?\s*(?:script\s*:\s*)?(?:'''(.*?)'''|\"\"\"(.*?)\"\"\"|'([^'\n]*)'|\"([^\"\n]*)\")",
    re.DOTALL,
)
_SHELL: Final = re.compile(rb"#!\S*(?: |/)(?:ba|z|da|k)?sh\b")
_BEFORE: Final = re.compile(
    r"^\s*(?:(?:sudo|nohup|exec|time|command|then|do|else)\s+(?:-\w+\s+)*|[A-Z_][A-Z0-9_]*=\S*\s+|[\w-]+:\s+(?=\S)|ExecStart=[-@:+!]*)"
)
_PARTS: Final = re.compile(r"&&|\|\||[;|]|(?<![>&])&(?!>)")
_STARTS: Final = re.compile(
    r"^(?:\S*/)?(?:python[\d.]*|vllm|mlflow|ray|jupyter\S*|tensorboard|ollama|llama-server|tritonserver|tensorflow_model_server"
    r"|uvicorn|gunicorn|hypercorn|waitress-serve|flask|daphne|fastapi|streamlit|bentoml|minio|redis-server|qdrant|chroma"
    r"|litellm|airflow|prefect|sglang|text-generation-launcher|lmdeploy|xinference\S*|marimo|dask\S*)\b"
)
_ANYWHERE: Final = re.compile(r"0\.0\.0\.0|\[?::\]?(?=[:\s]|$)|--(?:ip|host|dashboard-host)[= ]['\"]?\*")
_BY_DEFAULT: Final = re.compile(  # servers that listen on all addresses unless they are told otherwise
    r"^(?:\S*/)?(?:vllm|tritonserver|tensorflow_model_server|minio|text-generation-launcher|python[\d.]*\s+-m\s+vllm)\b"
)
# What a script for oneself does all day: whatever is newest is installed, and a file is fetched.
_DEEPEST: Final = 48  # nothing that a person writes
_EVERYDAY: Final = frozenset(("deps-unpinned", "deps-moving-source", "build-remote-file"))


def collect(inputs: Inputs, source: Source) -> None:
    """Adds what is remarkable in them."""
    for file, value in inputs.maps():
        if _FILES.search(file.path) or _is_azure(file, value) or _is_cloud_build(value):
            inputs.reading.read.add(file.path)
            name = posixpath.basename(file.path)
            for text, line in _commands(value, 0):
                source.remarks += _remarks(file, text, line, f"a step of {name}")
        elif "apiVersion" in value:
            shown = f"{value.get('kind', 'a manifest')} {_named(value)}"
            if str(value["apiVersion"]).startswith("tekton.dev/"):
                for text, line in _commands(value.get("spec"), 0):
                    source.remarks += _remarks(file, text, line, f"a step of {shown}")
            else:
                for one in _containers(value, 0):
                    source.remarks += _of_container(file, one, f"container {one.get('name', '')} of {shown}")
    for file in inputs.files:
        name = file.path.lower().rpartition("/")[2]
        if len(file.data) > SECRETS_MAX_BYTES:
            continue
        if name == "jenkinsfile" or name.endswith(".jenkinsfile"):
            inputs.reading.read.add(file.path)
            source.remarks += _of_jenkins(file)
        elif name.endswith(_SCRIPTS) or (
            b"\n" in file.data[:200] and re.match(rb"#!\S*(?: |/)(?:ba|z|da|k)?sh\b", file.data)
        ):
            inputs.reading.read.add(file.path)
            source.remarks += _of_script(file)


def _is_azure(file: SourceFile, value: Map) -> bool:
    """A template or pipeline of Azure under another name: steps beside what only it has."""
    if "/workflows/" in file.path or "apiVersion" in value:
        return False
    has = "pool" in value or "trigger" in value or "pr" in value or "parameters" in value
    steps = value.get("steps") or value.get("stages")
    return has and isinstance(steps, list) and any(isinstance(one, Map) for one in steps)


def _is_cloud_build(value: Map) -> bool:
    steps = value.get("steps")
    return (
        "apiVersion" not in value
        and isinstance(steps, list)
        and bool(steps)
        and all(isinstance(one, Map) and isinstance(one.get("name"), str) for one in steps)
        and any("args" in one or "entrypoint" in one for one in steps)
    )


def _commands(value: Any, depth: int) -> Iterator[tuple[str, int]]:
    """The commands in a pipeline, each with its line."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Map):
        for key, inner in value.items():
            if key in _COMMANDS and isinstance(inner, str):
                yield inner, value.at(key)
            elif key in _COMMANDS and isinstance(inner, Seq) and all(isinstance(one, str) for one in inner):
                if key == "args":
                    yield " ".join(inner), value.at(key)
                else:
                    yield from zip(inner, inner.lines or [value.at(key)] * len(inner), strict=False)
            else:
                yield from _commands(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _commands(inner, depth + 1)


def _named(value: Map) -> str:
    metadata = value.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, Map) else ""


def _containers(value: Any, depth: int) -> Iterator[Map]:
    """What has an image and says what it runs, wherever it stands in a manifest."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Map):
        if isinstance(value.get("image"), str) and (
            isinstance(value.get("command"), list) or isinstance(value.get("args"), list)
        ):
            yield value
        for inner in value.values():
            yield from _containers(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _containers(inner, depth + 1)


def _of_container(file: SourceFile, one: Map, where: str) -> Iterator[Remark]:
    """Words that are a script go line by line, the others together."""
    words: list[str] = []
    place = 0
    for key in ("command", "args"):
        given = one.get(key)
        lines = getattr(given, "lines", [])
        for number, word in enumerate(given if isinstance(given, list) else ()):
            if isinstance(word, str) and "\n" in word:
                yield from _remarks(file, word, lines[number] if number < len(lines) else one.at(key), where)
            elif isinstance(word, str):
                words.append(word)
                place = place or one.at(key)
    if words:
        yield from command_remarks(" ".join(words), file.because(place), where)


def _remarks(file: SourceFile, text: str, first: int, where: str) -> Iterator[Remark]:
    """Of each line of a command, with what continues it."""
    block = "\n" in text
    for number, line in joined_lines(text, first + block if block else first):
        if line.lstrip().startswith("#"):
            continue
        yield from command_remarks(line, file.because(number), where)


def _of_jenkins(file: SourceFile) -> Iterator[Remark]:
    text = file.data.decode("utf-8", "replace")
    for match in _JENKINS.finditer(text):
        said = next(one for one in match.groups() if one is not None)
        first = text.count("\n", 0, match.start()) + 1
        for number, line in joined_lines(said, first):
            yield from command_remarks(line, file.because(number), "a step of the Jenkinsfile")


def _of_script(file: SourceFile) -> Iterator[Remark]:
    where = f"the script {posixpath.basename(file.path)}"
    for number, line in joined_lines(file.data.decode("utf-8", "replace"), 1):
        if line.lstrip().startswith("#"):
            continue
        because = file.because(number)
        for remark in command_remarks(line, because, where):
            if remark.rule not in _EVERYDAY or (remark.severity or Severity.MEDIUM) > Severity.MEDIUM:
                yield remark
        if not standing(file.path):
            yield from started_remarks(line, because, where)


def started_remarks(line: str, because: Because, where: str) -> Iterator[Remark]:
    """What is open in the servers that the commands of a line start on all addresses."""
    for part in _PARTS.split(line):
        said = part
        while match := _BEFORE.match(said):
            said = said[match.end() :]
        if _STARTS.match(said.strip()) and (_ANYWHERE.search(said) or _BY_DEFAULT.match(said.strip())):
            yield from program_remarks("", said.strip(), {}, because, where, published=None)
