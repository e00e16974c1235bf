"""What packages a model, or starts machines for it, by a file of a tool's own: packages, commands, addresses.

Sources: Cog ("cog.yaml reference"), BentoML ("bentofile.yaml"), Truss ("Truss configuration"), MLflow ("MLproject
file"), Ray ("Cluster YAML configuration options"), SkyPilot ("Task YAML").
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.source import Remark, Requirement
from assaymark.assess.shell_lines import joined_lines
from assaymark.assess.source.commands import command_remarks, index_remarks, moving
from assaymark.assess.source.places import standing
from assaymark.assess.source.scripts import started_remarks
from assaymark.assess.source.sequences import items
from assaymark.core.errors import InputError
from assaymark.core.report import Severity
from assaymark.formats.located import Map
from assaymark.formats.requirements_file import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.source import Source
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

_RAY: Final = (
    *("initialization_commands", "setup_commands", "head_setup_commands", "worker_setup_commands"),
    *("head_start_ray_commands", "worker_start_ray_commands"),
)
_IMAGES: Final = (
    *(("docker", key) for key in ("base_image", "image", "head_image", "worker_image")),
    *(("base_image", "image"), ("resources", "image_id")),
)
_FEW: Final = 8  # names that a message lists


def collect(inputs: Inputs, source: Source) -> None:
    """Adds requirements and what is remarkable."""
    for file, value in inputs.maps():
        name = posixpath.basename(file.path).lower()
        if "apiVersion" in value:
            continue
        if name == "cog.yaml":
            build = _inner(value, "build")
            _packages(file, source, build, "python_packages")
            _commands(file, source, [_command_of(one) for one in items(build.get("run"), build.line)], name)
        elif name in ("bentofile.yaml", "bentofile.yml"):
            python = _inner(value, "python")
            _packages(file, source, python, "packages")
            _indexes(file, source, python)
        elif "model_name" in value and ("python_version" in value or "requirements" in value):
            _packages(file, source, value, "requirements")
            _commands(file, source, items(value.get("build_commands"), value.line), name)
        elif "cluster_name" in value and any(key in value for key in _RAY):
            steps = (one for key in _RAY for one in items(value.get(key), value.line))
            _commands(file, source, steps, name)
        elif isinstance(value.get("run"), str) and ("resources" in value or "setup" in value) and "jobs" not in value:
            for key in ("setup", "run"):
                _commands(file, source, [(value.at(key), value.get(key))], name)
        else:
            continue
        for where, key in _IMAGES:
            _image(file, source, _inner(value, where), key, name)
        inputs.reading.read.add(file.path)
    for file in [one for one in inputs.files if posixpath.basename(one.path) == "MLproject"]:
        _project(inputs, source, file)


def _project(inputs: Inputs, source: Source, file: SourceFile) -> None:
    """An ``MLproject`` of MLflow, which is YAML by another name."""
    from assaymark.formats.located_yaml import read_located_yaml

    try:
        value = next(iter(read_located_yaml(file.text())), None)
    except InputError as error:
        inputs.reading.skip(file.path, error.message)
        return
    if isinstance(value, Map):
        inputs.reading.read.add(file.path)
        _image(file, source, _inner(value, "docker_env"), "image", "MLproject")
        for one in _inner(value, "entry_points").values():
            if isinstance(one, Map):
                _commands(file, source, [(one.at("command"), one.get("command"))], "MLproject")


def _inner(value: Map, key: str) -> Map:
    found = value.get(key)
    return found if isinstance(found, Map) else Map(value.line)


def _image(file: SourceFile, source: Source, value: Map, key: str, name: str) -> None:
    """An image that is built upon or run in, when no digest says which it is."""
    given = value.get(key)
    image = given.removeprefix("docker:") if isinstance(given, str) else ""
    if not image or "@sha256:" in image or "$" in image or (key == "image_id" and image == given):
        return
    moving = ":" not in image.rpartition("/")[2] or image.endswith(":latest")
    message = f"{name} names the image {image} by a tag, which may be moved"
    place = (file.because(value.at(key)),)
    source.remarks.append(Remark("build-image-unpinned", image, message, place, None if moving else Severity.LOW))


def _command_of(one: tuple[int, Any]) -> tuple[int, Any]:
    """A command of Cog, alone or with its mounts."""
    line, given = one
    return (given.at("command"), given.get("command")) if isinstance(given, Map) else (line, given)


def _commands(file: SourceFile, source: Source, given: Iterator[tuple[int, Any]] | list[Any], name: str) -> None:
    where = f"a step of {name}"
    for first, text in given:
        block = isinstance(text, str) and "\n" in text
        for line, command in joined_lines(text, first + block) if isinstance(text, str) else ():
            if not command.lstrip().startswith("#"):
                source.remarks += command_remarks(command, file.because(line), where)
                if not standing(file.path):
                    source.remarks += started_remarks(command, file.because(line), where)


def _packages(file: SourceFile, source: Source, value: Map, key: str) -> None:
    loose: list[tuple[str, int]] = []
    for line, text in items(value.get(key), value.line):
        try:
            one = parse_requirement(str(text), line)
        except InputError:
            continue
        because = file.because(line)
        if one.option:
            source.remarks += index_remarks(one.option, one.value, because, "the image", hashed=False)
        elif one.url:
            source.remarks += moving(one.url, because, one.name or "a requirement")
        elif one.name:
            source.requirements.append(Requirement(one.name, one.specifier, one.exact, because))
            loose += [] if one.exact else [(one.name, line)]
    if loose:
        more = f" and {len(loose) - _FEW} more" if len(loose) > _FEW else ""
        message = f"{', '.join(name for name, _ in loose[:_FEW])}{more}: an image takes whatever is newest"
        places = tuple(file.because(line) for _, line in loose)
        source.remarks.append(Remark("deps-unpinned", "requirements", message, places))


def _indexes(file: SourceFile, source: Source, python: Map) -> None:
    for key, option in (
        ("index_url", "--index-url"),
        ("extra_index_url", "--extra-index-url"),
        ("trusted_host", "--trusted-host"),
    ):
        given = python.get(key)
        for line, text in items(given if isinstance(given, list) else [given] * (given is not None), python.at(key)):
            if isinstance(text, str):
                source.remarks += index_remarks(option, text, file.because(line), "the image", hashed=False)
