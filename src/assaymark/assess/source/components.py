"""Steps of Kubeflow pipelines that are written in Python: what each installs when it runs, and in which image."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import Remark
from assaymark.assess.source.commands import command_remarks, index_remarks, moving
from assaymark.assess.source.modules import argument, keyword, text_of, texts_of
from assaymark.assess.source.sequences import items
from assaymark.core.errors import InputError
from assaymark.core.report import Severity
from assaymark.formats.located import Map
from assaymark.formats.requirements_file import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.inputs import Inputs
    from assaymark.assess.source.modules import Module
    from assaymark.core.graph import Because

_MAKERS: Final = re.compile(
    r"^kfp\.(?:v2\.)?(?:dsl\.)?(?:component|ContainerOp|(?:structures\.)?ContainerSpec)$|^kfp\.(?:v2\.)?components\.\w*create_component\w*$|^kfp\.components\.func_to_container_op$"
)
_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")


def components(module: Module) -> Iterator[Remark]:
    """What is open in the steps that a module makes."""
    if not module.imports("kfp"):
        return
    for call, _ in module.calls:
        name = module.dotted(call.func)
        if not _MAKERS.match(name):
            continue
        yield from _packages(module, call)
        contained = name.endswith(("ContainerSpec", "ContainerOp"))
        place = 0 if name.endswith("ContainerSpec") else 1
        given = argument(call, place, "image") if contained else keyword(call, "base_image") or keyword(call, "image")
        image = module.constant(given)
        if isinstance(image, str) and not _DIGEST.search(image):
            moving_tag = ":" not in image.rpartition("/")[2] or image.endswith(":latest")
            message = f"a step of a pipeline runs in {image}, which is named by a tag"
            because = (module.because(given or call if contained else call),)
            yield Remark("build-image-unpinned", image, message, because, None if moving_tag else Severity.LOW)
        if contained:
            yield from _container(module, call, place + 1)


def _container(module: Module, call: ast.Call, place: int) -> Iterator[Remark]:
    """What is open in the command of a container: a word that is a script by itself, the others together."""
    said = [argument(call, place, "command"), argument(call, place + 1, "args") or keyword(call, "arguments")]
    words: list[str] = []
    for node in said:
        value = module.values.get(node.id, node) if isinstance(node, ast.Name) else node
        for one in value.elts if isinstance(value, (ast.List, ast.Tuple)) else [value]:
            text = module.constant(one)
            if isinstance(text, str) and " " in text and one is not None:
                yield from _of_component(text, module.because(one))
            elif isinstance(text, str):
                words.append(text)
    first = next((one for one in said if one is not None), None)
    if words and first is not None:
        yield from _of_component(" ".join(words), module.because(first))


def _of_component(text: str, because: Because) -> Iterator[Remark]:
    for one in command_remarks(text, because, "a step of a pipeline"):
        yield replace(one, rule="deps-component-unpinned") if one.rule == "deps-unpinned" else one


def specifications(inputs: Inputs) -> Iterator[Remark]:
    """What is open in the steps that are written as YAML (``implementation.container``)."""
    for file, value in inputs.maps():
        made = value.get("implementation")
        container = made.get("container") if isinstance(made, Map) else None
        if not isinstance(container, Map):
            continue
        inputs.reading.read.add(file.path)
        image = container.get("image")
        if isinstance(image, str) and not _DIGEST.search(image):
            moving_tag = ":" not in image.rpartition("/")[2] or image.endswith(":latest")
            message = f"a step of a pipeline runs in {image}, which is named by a tag"
            because = (file.because(container.at("image")),)
            yield Remark("build-image-unpinned", image, message, because, None if moving_tag else Severity.LOW)
        for key in ("command", "args"):
            for line, item in items(container.get(key), container.at(key)):
                if isinstance(item, str):
                    yield from _of_component(item, file.because(line))


def _packages(module: Module, call: ast.Call) -> Iterator[Remark]:
    given = keyword(call, "packages_to_install")
    if isinstance(given, ast.Name):
        given = module.values.get(given.id)
    loose, place = [], module.because(given or call)
    for item in given.elts if isinstance(given, (ast.List, ast.Tuple)) else ():
        text = text_of(item)
        try:
            one = parse_requirement(text) if text else None
        except InputError:
            continue
        if one is None:
            continue
        if one.url:
            yield from moving(one.url, module.because(item), one.name or "a package")
        elif not one.exact:
            loose.append(text)
    if loose:
        message = f"a step of a pipeline installs whatever is newest of {', '.join(loose[:8])} each time it runs"
        yield Remark("deps-component-unpinned", " ".join(loose[:8]), message, (place,))
    for url in _texts(keyword(call, "pip_index_urls")):
        yield from index_remarks("--index-url", url, module.because(call), "a step of a pipeline", hashed=False)


def _texts(node: ast.expr | None) -> list[str]:
    return texts_of(node)
