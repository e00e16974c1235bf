"""What builds which Dockerfile under which name: compose files, pipelines, Skaffold, Bake, scripts.

Sources: Compose specification ("build"), the reference of ``docker build``, the inputs of docker/build-push-action,
Skaffold's schema ("artifacts"). Tags are left out; what a variable holds is ``*``.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.source import Build
from assaymark.assess.shell_lines import joined_lines
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.estate.source import Source
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

_VARIABLE: Final = re.compile(r"\$\{\{[^}]*\}\}|\$\{[^}]*\}|\$\([^)]*\)|\$[A-Za-z_]\w*")
_BUILDS: Final = re.compile(r"\b(?:docker|podman|buildah|nerdctl)\b[^\n]{0,40}\b(?:build|bud)\b")
_GOES: Final = re.compile(r"(?:^|[\s;&(@])(?:cd|pushd)\s+((?:\"[^\"\n]*\"|'[^'\n]*'|\$\([^)\n]*\)|[^\s;&|()])+)")
_OWN: Final = re.compile(r"\$\(\s*dirname[^)]*\)|\$\{(?:BASH_SOURCE(?:\[0\])?|0)%/\*\}|\$PSScriptRoot")
_ENDS: Final = re.compile(r"([;)])$")
_SCRIPTS: Final = ("makefile", ".mk", ".sh", "justfile", "taskfile.yml", "taskfile.yaml")
_TAKES: Final = frozenset(
    ("--build-arg", "--platform", "--target", "--cache-from", "--cache-to", "--secret", "--label", "--output", "-o")
)


def collect(inputs: Inputs, source: Source) -> None:
    """Adds them. Dockerfiles were read before."""
    known = {one.path for one in source.images}
    if not known:
        return
    for file, value in inputs.maps():
        for build in _of(file, value):
            if build.dockerfile in known:
                source.builds.append(build)
    for file in inputs.named(*_SCRIPTS):
        if file.path.lower().endswith((".yml", ".yaml")):
            continue
        folder = posixpath.dirname(file.path)
        made = posixpath.basename(file.path).lower() == "makefile"  # each of its lines is a shell of its own
        for number, line, inside in _placed(_lines(file), folder if made else "", folder, shells=made):
            source.builds += [one for one in _command(file, line, number, inside) if one.dockerfile in known]


def _of(file: SourceFile, value: Map) -> Iterator[Build]:
    services, jobs = value.get("services"), value.get("jobs")
    if isinstance(services, Map):
        for one in services.values():
            if isinstance(one, Map):
                yield from _service(file, one)
    if isinstance(jobs, Map):
        for job in jobs.values():
            steps = job.get("steps") if isinstance(job, Map) else None
            for step in steps if isinstance(steps, list) else ():
                if isinstance(step, Map):
                    yield from _step(file, step)
    elif ".gitlab-ci" in file.path:
        for job in value.values():
            for number, line, inside in _placed(_scripts(job), ""):
                yield from _command(file, line, number, inside)
    if str(value.get("apiVersion", "")).startswith("skaffold/"):
        yield from _skaffold(file, value)


def _service(file: SourceFile, one: Map) -> Iterator[Build]:
    build, image = one.get("build"), one.get("image")
    folder = posixpath.dirname(file.path)
    if isinstance(image, str) and build is not None:
        context = build.get("context", ".") if isinstance(build, Map) else build
        dockerfile = build.get("dockerfile", "Dockerfile") if isinstance(build, Map) else "Dockerfile"
        where = _joined(folder, str(context))
        yield Build(_joined(where, str(dockerfile)), where, bare(image), file.because(one.at("image")))


def _step(file: SourceFile, step: Map) -> Iterator[Build]:
    uses, given, run = step.get("uses"), step.get("with"), step.get("run")
    if isinstance(uses, str) and "build-push-action" in uses and isinstance(given, Map):
        context = _joined("", str(given.get("context") or "."))
        dockerfile = _joined("", str(given["file"])) if given.get("file") else _joined(context, "Dockerfile")
        for tag in re.split(r"[\s,]+", str(given.get("tags") or "").strip()):
            if tag:
                yield Build(dockerfile, context, bare(tag), file.because(given.at("tags")))
    if isinstance(run, str):
        folder = _joined("", str(step.get("working-directory") or ""))
        for number, line, inside in _placed(joined_lines(run, step.at("run")), folder):
            yield from _command(file, line, number, inside)


def _skaffold(file: SourceFile, value: Map) -> Iterator[Build]:
    build = value.get("build")
    artifacts = build.get("artifacts") if isinstance(build, Map) else None
    folder = posixpath.dirname(file.path)
    for one in artifacts if isinstance(artifacts, list) else ():
        if isinstance(one, Map) and isinstance(one.get("image"), str):
            docker = one.get("docker")
            context = _joined(folder, str(one.get("context") or "."))
            name = docker.get("dockerfile") if isinstance(docker, Map) else None
            yield Build(
                _joined(context, str(name or "Dockerfile")),
                context,
                bare(one["image"]),
                file.because(one.at("image")),
            )


def _scripts(job: Any) -> Iterator[tuple[int, str]]:
    for key in ("before_script", "script", "after_script") if isinstance(job, Map) else ():
        given = job.get(key)
        for item in given if isinstance(given, list) else [given]:
            if isinstance(item, str):
                yield from joined_lines(item, job.at(key))


def _lines(file: SourceFile) -> Iterator[tuple[int, str]]:
    text = file.data.decode("utf-8", "replace")
    if _BUILDS.search(text) is not None:
        yield from joined_lines(text, 1)


def _placed(
    lines: Iterable[tuple[int, str]], inside: str, own: str = "", *, shells: bool = False
) -> Iterator[tuple[int, str, str | None]]:
    """Lines with the folder that they run in; None where a variable names it. ``own``: the folder of their file."""
    start: str | None = inside
    for number, line in lines:
        builds = _BUILDS.search(line)
        here = start
        for match in _GOES.finditer(line[: builds.start()] if builds else line):
            here = _gone(here, match[1], own)
        yield number, line, here
        if not shells and not line.lstrip().startswith("("):
            start = here


def _gone(here: str | None, written: str, own: str) -> str | None:
    """The folder that ``cd`` goes to."""
    to_own = _OWN.sub("", written.strip("\"'"))
    if to_own != written.strip("\"'"):
        return None if "$" in to_own else _joined(own, to_own.strip("\"'/") or ".")
    if here is None or _VARIABLE.search(written) or written.startswith(("~", "-", "/")):
        return None
    return _joined(here, written.strip("\"'"))


def _command(file: SourceFile, line: str, number: int, inside: str | None) -> Iterator[Build]:
    match = _BUILDS.search(line)
    if match is None or inside is None:
        return
    try:
        words = shlex.split(_VARIABLE.sub("*", line[match.end() :]), comments=True)
    except ValueError:
        return
    words = [part for word in words for part in _ENDS.split(word) if part]
    tags: list[str] = []
    dockerfile, context = "", ""
    pending = iter(words)
    for word in pending:
        name, equals, value = word.partition("=")
        if word in ("&&", "||", ";", "|", ")"):
            break
        if name in ("-t", "--tag"):
            tags.append(value if equals else next(pending, ""))
        elif name in ("-f", "--file"):
            dockerfile = value if equals else next(pending, "")
        elif word in _TAKES:
            next(pending, "")
        elif not word.startswith("-"):
            context = word
    if not context or "*" in context:
        return
    where = _joined(inside, context)
    path = _joined(inside, dockerfile) if dockerfile else _joined(where, "Dockerfile")
    yield from (Build(path, where, bare(tag), file.because(number)) for tag in tags if tag)


def bare(image: str) -> str:
    """The repository of an image's name, without tag and digest, lower case, with ``*`` for what is not written."""
    name = _VARIABLE.sub("*", image.strip()).partition("@")[0]
    before, slash, last = name.rpartition("/")
    return re.sub(r"\*+", "*", f"{before}{slash}{last.partition(':')[0]}").lower()


def _joined(folder: str, rest: str) -> str:
    """A path of the input: empty for its root."""
    found = posixpath.normpath(posixpath.join(folder, rest))
    return "" if found in (".", "/") else found
