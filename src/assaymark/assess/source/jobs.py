"""Who runs programs beside pods and servers: jobs of the clouds' services, as they name images, commands and scripts.

Sources: AWS Batch User Guide, "Job definition parameters"; SageMaker API reference, ``CreateTrainingJob`` (with the
hyperparameters that its Python SDK's containers read: ``sagemaker_program``), ``CreateProcessingJob``,
``CreateModel``; AWS Glue, "Using job parameters"; Amazon EMR, "Add a Spark step"; Cloud Run, ``jobs``; Vertex AI,
``CustomJobSpec``; Dataproc, ``PySparkJob``; Azure, ``Microsoft.App/jobs`` and ``workspaces/jobs``.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.source.runners import Runner
from assaymark.assess.values import json_of, mappings
from assaymark.formats.located import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assaymark.assess.estate.estates import Estates
    from assaymark.assess.graph import Builder
    from assaymark.core.graph import Because

_IMAGES: Final = frozenset(
    (
        *("image", "image_uri", "imageuri", "container_image", "trainingimage", "training_image"),
        *("executorimageuri", "executor_image_uri"),
    )
)
_ENTRIES: Final = ("entrypoint", "entry_point", "containerentrypoint", "container_entrypoint", "command")
_ARGUMENTS: Final = ("containerarguments", "container_arguments", "args", "arguments")
_VARIABLES: Final = ("environment", "environment_variables", "env", "environmentvariables")
_JSON: Final = ("container_properties", "ecs_properties", "node_properties", "container_definitions")
_GCP: Final = ("run:job", "aiplatform:custom-job", "dataproc:batch")
_AZURE: Final = ("microsoft.app/jobs", "microsoft.machinelearningservices/workspaces/jobs")


def jobs(estates: Estates, builder: Builder) -> Iterator[Runner]:
    """What they run: an image with a command, or a script by its address."""
    for arn, one in sorted(estates.aws.resources.items()):
        if builder.has(arn) and not arn.startswith("arn:aws:s3:::"):
            yield from _containers(arn, one.settings, one.because)
            yield from _scripts(arn, one.kind, one.settings, one.because)
    for name, found in sorted(estates.gcp.resources.items()):
        if found.kind in _GCP and builder.has(name):
            yield from _containers(name, found.settings, found.because)
            yield from _of_google(name, found.settings, found.because)
    for identifier, each in sorted(estates.azure.resources.items()):
        if each.kind in _AZURE and builder.has(identifier):
            yield from _containers(identifier, each.settings, each.because)


def _lower(part: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key).lower(): value for key, value in part.items()}


def _parts(settings: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All mappings of settings, those in texts of JSON too, their keys in lower case."""
    opened = [json_of(settings.get(name), 1) for name in _JSON if isinstance(settings.get(name), str)]
    for part in mappings(dict(settings), *opened):
        yield _lower(part)


def _containers(node: str, settings: Mapping[str, Any], because: Because) -> Iterator[Runner]:
    """What names an image, with the command and variables beside it; those of a SageMaker job stand above it."""
    above = _lower(settings)
    for part in _parts(settings):
        image = next((part[key] for key in part if key in _IMAGES and isinstance(part[key], str)), "")
        if not image:
            continue
        entry = [word for key in _ENTRIES for word in _words(part.get(key))]
        words = [*entry, *(word for key in _ARGUMENTS for word in _words(part.get(key)))]
        given = _variables(above) | _variables(part)
        program = _program(above, given)
        command = program or shlex.join(words)
        yield Runner(node, image, command, because, adds=not (entry or program), variables=tuple(given.items()))


def _program(above: Mapping[str, Any], variables: Mapping[str, str]) -> str:
    """What the containers of SageMaker's SDK start: the script that hyperparameters or variables name."""
    told = above.get("hyperparameters", above.get("hyper_parameters"))
    given = {str(key): str(value).strip('"') for key, value in told.items()} if isinstance(told, dict) else {}
    script = given.get("sagemaker_program") or variables.get("SAGEMAKER_PROGRAM", "")
    plain = {key: value for key, value in given.items() if not key.startswith("sagemaker_")}
    options = [word for key, value in plain.items() for word in (f"--{key}", value)]
    return shlex.join(["python", script, *options]) if script.endswith(".py") else ""


def _words(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in listed(value) if isinstance(one, str)]


def _variables(part: Mapping[str, Any]) -> dict[str, str]:
    """Variables as a list of names and values, or as a mapping."""
    found: dict[str, str] = {}
    for key in _VARIABLES:
        given = part.get(key)
        for item in listed(given):
            one = _lower(item) if isinstance(item, dict) else {}
            name, value = one.get("name", one.get("key")), one.get("value")
            if isinstance(name, str):
                found[name] = value if isinstance(value, str) else "<set>" if value is None else str(value)
        inner = given.get("variables", given.get("Variables", given)) if isinstance(given, dict) else {}
        for name, value in inner.items() if isinstance(inner, dict) else ():
            if isinstance(value, str):
                found[str(name)] = value
    return found


def _scripts(node: str, kind: str, settings: Mapping[str, Any], because: Because) -> Iterator[Runner]:
    """Scripts that lie in buckets: of Glue's jobs and of EMR's steps."""
    if kind == "glue:job":
        arguments: dict[str, Any] = {}
        for name in ("default_arguments", "DefaultArguments", "non_overridable_arguments"):
            given = settings.get(name)
            arguments |= {str(key): value for key, value in given.items()} if isinstance(given, dict) else {}
        options = [word for key, value in arguments.items() for word in (key, str(value))]
        for part in _parts(settings):
            script = part.get("script_location", part.get("scriptlocation"))
            if isinstance(script, str) and script.endswith(".py"):
                yield Runner(node, "", shlex.join(["spark-submit", script, *options]), because)
    if kind.startswith(("emr:", "elasticmapreduce:", "emr-serverless:", "emr-containers:")):
        for part in _parts(settings):
            args = _words(part.get("args"))
            entry = part.get("entrypoint", part.get("entry_point"))
            if args and any(one.endswith(".py") for one in args):
                yield Runner(node, "", shlex.join(args), because)
            elif isinstance(entry, str) and entry.endswith(".py"):
                told = _words(part.get("entrypointarguments", part.get("entry_point_arguments")))
                yield Runner(node, "", shlex.join(["spark-submit", entry, *told]), because)


def _of_google(node: str, settings: Mapping[str, Any], because: Because) -> Iterator[Runner]:
    """Modules of Vertex AI's Python packages, and main files of Dataproc's jobs."""
    for part in _parts(settings):
        module = part.get("pythonmodule", part.get("python_module"))
        main = part.get("mainpythonfileuri", part.get("main_python_file_uri"))
        words = _words(part.get("args"))
        if isinstance(module, str):
            yield Runner(node, "", shlex.join(["python", "-m", module, *words]), because)
        elif isinstance(main, str) and main.endswith(".py"):
            yield Runner(node, "", shlex.join(["spark-submit", main, *words]), because)
