"""The collector of source: each kind of file to who reads it, and the modules of Python together."""

from __future__ import annotations

import posixpath
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.loads import Program
from assaymark.assess.source import (
    builds,
    compose,
    credentials,
    dependencies,
    entry_points,
    images,
    log_shipping,
    packagings,
    process_files,
    scripts,
    stored_images,
    workflows,
)
from assaymark.assess.source.applications import Applications
from assaymark.assess.source.auth import Guards
from assaymark.assess.source.azure_functions import triggers
from assaymark.assess.source.client_calls import client_calls
from assaymark.assess.source.cloud_calls import cloud_calls
from assaymark.assess.source.cloud_files import library_calls
from assaymark.assess.source.commands import command_remarks
from assaymark.assess.source.components import components, specifications
from assaymark.assess.source.django import Django
from assaymark.assess.source.flows import Flows
from assaymark.assess.source.inline import inline_modules
from assaymark.assess.source.loads import loads, revisions, torch_release
from assaymark.assess.source.modules import Module, Project, parse_module
from assaymark.assess.source.ninja import Ninja
from assaymark.assess.source.notebooks import code_of, is_notebook
from assaymark.assess.source.places import standing
from assaymark.assess.source.routes import Routes
from assaymark.assess.source.served_models import lit_routes
from assaymark.assess.source.serving import serving
from assaymark.assess.source.stored import Stored
from assaymark.assess.source.web_applications import Imports, web_applications
from assaymark.core.errors import InputError
from assaymark.core.limits import SOURCE_MAX_STEPS
from assaymark.core.words import counted
from assaymark.formats.located import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.estate.source import Source
    from assaymark.assess.files import Reading
    from assaymark.assess.inputs import Inputs
    from assaymark.assess.source.azure_functions import Trigger


def collect(inputs: Inputs, estates: Estates) -> None:
    """Adds what the files say to the estate of source."""
    source = estates.source
    dependencies.collect(inputs, source)
    entry_points.collect(inputs, source)
    images.collect(inputs, source)
    compose.collect(inputs, source)
    workflows.collect(inputs, source)
    builds.collect(inputs, source)
    stored_images.collect(inputs, source)
    scripts.collect(inputs, source)
    process_files.collect(inputs, source)
    packagings.collect(inputs, source)
    _others(inputs)
    source.remarks += specifications(inputs)
    log_shipping.collect(inputs, estates)
    modules = [*_modules(inputs), *_notebooks(inputs, source), *inline_modules(inputs)]
    _python(modules, source, inputs.reading, triggers(inputs))
    if any(b"GRADIO_SERVER_NAME" in file.data for file in inputs.files):  # which says where its servers listen
        source.routes = [replace(one, local=False) for one in source.routes]
    if any(b"LIT_SERVER_API_KEY" in file.data for file in inputs.files):  # which LitServe then asks for
        source.routes = [
            replace(one, authenticated=one.authenticated or one.framework == "LitServe") for one in source.routes
        ]
    credentials.collect(inputs, source)
    for resource in estates.terraform:
        if resource.kind == "aws_iam_access_key" and resource.text("id"):
            source.owners.setdefault(resource.text("id"), (resource.text("user"), resource.because()))
            source.inactive |= {resource.text("id")} if resource.text("status") == "Inactive" else set()


_LANGUAGES: Final = {
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), "JavaScript"),
    **dict.fromkeys((".ts", ".tsx"), "TypeScript"),
    **dict.fromkeys((".c", ".cc", ".cpp", ".cu"), "C and C++"),
    **dict.fromkeys((".kt", ".kts"), "Kotlin"),
    ".go": "Go",
    ".java": "Java",
    ".scala": "Scala",
    ".rs": "Rust",
    ".rb": "Ruby",
    ".php": "PHP",
    ".cs": "C#",
    ".r": "R",
    ".jl": "Julia",
    ".swift": "Swift",
    ".ps1": "PowerShell",
}


_CLOSED: Final = frozenset((".whl", ".egg", ".jar", ".war", ".7z", ".rar", ".deb", ".rpm"))


def _others(inputs: Inputs) -> None:
    """Says which languages' source is there and is not read, and which archives."""
    count: dict[str, int] = {}
    closed: dict[str, int] = {}
    for file in inputs.files:
        end = posixpath.splitext(file.path.lower())[1]
        language = _LANGUAGES.get(end)
        if language and not standing(file.path):
            count[language] = count.get(language, 0) + 1
        elif end in _CLOSED:
            closed[end] = closed.get(end, 0) + 1
    if count:
        inputs.reading.gap(f"source in other languages than Python is not followed: {_counts(count)}")
    if closed:
        inputs.reading.gap(f"archives of these kinds are not looked into: {_counts(closed)}")


def _counts(count: dict[str, int]) -> str:
    return ", ".join(f"{name} ({counted(number, 'file')})" for name, number in sorted(count.items()))


def _modules(inputs: Inputs) -> list[Module]:
    found = []
    for file in inputs.named(".py", ".pyw"):
        try:
            found.append(parse_module(file, file.text()))
            inputs.reading.read.add(file.path)
        except InputError as error:
            place = f" ({error.position})" if error.position else ""
            inputs.reading.skip(file.path, f"{error.message}{place}")
    return found


def _notebooks(inputs: Inputs, source: Source) -> list[Module]:
    found = []
    for file in inputs.named(".ipynb"):
        try:
            value = read_json(file.text())
            if not is_notebook(value):
                inputs.reading.skip(file.path, "no notebook of format 4")
                continue
            text, lines, commands = code_of(value)
            inputs.reading.read.add(file.path)
            for line, command in commands:
                source.remarks += command_remarks(command, file.because(line), "a cell")
            found.append(parse_module(file, text, lines))
        except InputError as error:
            inputs.reading.skip(file.path, f"{error.message}{f' ({error.position})' if error.position else ''}")
    return found


@contextmanager
def _whole(reading: Reading, module: Module) -> Iterator[None]:
    """Says what nests deeper than can be followed."""
    try:
        yield
    except RecursionError:
        reading.skip(module.path, "it nests too deep to be followed")


def _python(modules: list[Module], source: Source, reading: Reading, called: dict[tuple[str, str], Trigger]) -> None:
    project = Project(modules)
    guards = Guards(project)
    applications = Applications(project, guards)
    routes = Routes(project, guards, applications, called)
    django = Django(project, guards)
    ninja = Ninja(project, guards, django)
    source.rate_limited = applications.rate_limited()
    for module in modules:
        with _whole(reading, module):
            if not standing(module.path):
                source.routes += routes.collect(module)
                source.routes += django.collect(module)
                source.routes += ninja.collect(module)
                source.routes += lit_routes(project, module, guards)
                source.remarks += serving(module, applications)
            source.remarks += loads(module, source.requirements)
            if standing(module.path) != "test":
                for name, commit in revisions(module):
                    source.revisions.setdefault(name, set()).add(commit)
            source.remarks += components(module)
            if not standing(module.path):
                source.cloud_calls += cloud_calls(module, project)
                source.cloud_calls += library_calls(module, project)
                source.cloud_calls += client_calls(module, project)
    source.remarks += django.remarks()
    source.applications += web_applications(project, applications, source.routes)
    flows = Flows(project, routes.handlers | ninja.handlers, torch_release(source.requirements))
    for module in modules:
        if not standing(module.path):
            with _whole(reading, module):
                flows.collect(module)
            if flows.steps > SOURCE_MAX_STEPS:
                reading.skip(module.path, "its flows are more than are followed")
    source.flows += [flow for _, flow in sorted(flows.found.items())]
    _stores(project, source, reading)


def _stores(project: Project, source: Source, reading: Reading) -> None:
    """What programs run of what lies in stores, as far as something that they are made of runs anything."""
    graph, stored = Imports(project), Stored(project, source.requirements)
    own = [one for one in project.modules if not standing(one.path)]
    starters = {path for one in own if stored.loads_anything(one) for path in graph.starters(one.path)}
    parts = {part for path in starters for part in graph.parts(path)}
    for path in stored.collect([one for one in own if one.path in parts]):
        reading.skip(path, "what it loads from stores is more than is followed")
    source.loads += sorted(stored.loads.values(), key=lambda one: (one.because, one.origin, str(one.store)))
    source.trackings += sorted(
        ((one.words, one.origin) for one in stored.trackings), key=lambda one: (one[1], str(one[0]))
    )
    places = {one.because.path for one in source.loads}
    for path in sorted(starters):
        if not standing(path) and places & graph.parts(path):
            source.programs.append(Program(path, graph.parts(path)))
