"""Images that lie in the input as they are kept, or as ``docker image inspect`` describes them; and bundles of code.

What an image starts, as whom and with which variables is in its configuration, and so is the command of each build
step with the arguments of the build. Sources: OCI image format specification 1.1 (configuration); Docker Engine API,
"ImageInspect"; Dockerfile reference, "ARG" (what of it the history keeps).
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.archives import LAYERS, root_of
from assaymark.assess.estate.source import Build, BuiltImage, Remark
from assaymark.assess.source.builds import bare
from assaymark.assess.source.commands import command_remarks
from assaymark.assess.source.images import SECRET_FILE, secret_remark
from assaymark.assess.source.programs import program_remarks
from assaymark.assess.source.sequences import items
from assaymark.core.errors import InputError
from assaymark.core.report import Confidence
from assaymark.core.view import BytesView
from assaymark.formats.image_archive import stored_images
from assaymark.formats.located import Map, listed, maps_in, read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.estate.source import Source
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs
    from assaymark.core.view import View
    from assaymark.formats.image_archive import StoredImage

# "RUN |2 TOKEN=abc VERSION=1 /bin/sh -c ..." of the classic builder, "RUN |2 TOKEN=abc ..." of BuildKit too.
_ARGUMENTS: Final = re.compile(r"\|\d+ ((?:[A-Za-z_]\w*=(?:\"[^\"]*\"|'[^']*'|\S*) ?)+)")
_SET: Final = re.compile(r"([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|\S*)")
_PORT: Final = re.compile(r"(\d{1,5})(?:/tcp)?")
_CERTIFICATES: Final = re.compile(r"ca[-_.]|cert(?:s|ificate)?[-_.]|public|\.pub$|\.crt$")


def collect(inputs: Inputs, source: Source) -> None:
    """Adds what they are and start, what they are called, and what should not be in them."""
    for archive, paths in sorted(inputs.packed.items()):
        source.packed[archive] = _seen(inputs, paths, archive, f"{archive}/{LAYERS}")
        _archive(inputs, source, archive, paths)
    for document in inputs.documents():
        if isinstance(document.value, list):
            for one in maps_in(document.value):
                if isinstance(one.get("Config"), Map) and "RepoTags" in one and "RootFS" in one:
                    inputs.reading.read.add(document.file.path)
                    _inspected(source, document.file, one)


def _seen(inputs: Inputs, paths: list[str], folder: str, but: str) -> frozenset[str]:
    """The files below a folder, where they are read; those that only lower layers have are seen by nobody."""
    inside = (path for path in paths if path.startswith(f"{folder}/") and not path.startswith(but))
    return frozenset(inputs.same.get(path, path) for path in inside)


def _archive(inputs: Inputs, source: Source, archive: str, paths: list[str]) -> None:
    def opened(path: str) -> View | None:
        file = inputs.file(f"{archive}/{path}")
        return BytesView(file.data) if file is not None else None

    try:
        images = stored_images(opened)
    except InputError as error:
        inputs.reading.skip(archive, error.message)
        return
    for at, image in enumerate(images):
        folder = archive if len(images) == 1 else f"{archive}/{root_of(at, len(images))}".rstrip("/")
        source.packed[folder] = _seen(inputs, paths, folder, f"{archive}/{LAYERS}")
        _stored(inputs, source, archive, image, folder)
    for path in paths if images else ():
        source.remarks += _file_of_image(inputs, archive, path)


def _stored(inputs: Inputs, source: Source, archive: str, image: StoredImage, folder: str) -> None:
    file, listing = inputs.file(f"{archive}/{image.config}"), inputs.file(f"{archive}/{image.listing}")
    if file is None or listing is None:
        return
    try:
        value = read_json(file.text())
    except InputError as error:
        inputs.reading.skip(file.path, error.message)
        return
    if isinstance(value, Map):
        inputs.reading.read.update((file.path, listing.path))
        config = value.get("config")
        made = config if isinstance(config, Map) else Map(1)
        source.images.append(_built(file, file.path, folder, made))
        source.remarks += _remarks(file, made, (image.names or (archive,))[0], maps_in(value.get("history")))
        for name in image.names:
            source.builds.append(Build(file.path, folder, bare(name), listing.because(1)))


def _inspected(source: Source, file: SourceFile, one: Map) -> None:
    config = one["Config"]
    path = f"{file.path}:{one.line}"
    source.images.append(_built(file, path, path, config))
    names = [name for name in listed(one.get("RepoTags")) if isinstance(name, str)]
    source.remarks += _remarks(file, config, (names or [path])[0], [])
    for name in names:
        source.builds.append(Build(path, path, bare(name), file.because(one.at("RepoTags"))))


def _built(file: SourceFile, path: str, folder: str, config: Map) -> BuiltImage:
    """What an image starts. ``path`` tells it from others, ``folder`` is what holds its files."""
    entry = shlex.join(_words(config.get("Entrypoint")))
    command = shlex.join(_words(config.get("Cmd")))
    variables = dict(_variables(config))
    module = f"FLASK_APP={variables['FLASK_APP']}" if "FLASK_APP" in variables else ""
    start = " ".join(part for part in (module, entry) if part)
    exposed = config.get("ExposedPorts")
    ports = {int(match[1]) for port in exposed or () if (match := _PORT.fullmatch(str(port)))}
    line = config.at("Cmd" if config.get("Cmd") else "Entrypoint")
    whole = " ".join(part for part in (start, command) if part)
    return BuiltImage(
        path, folder, whole, file.because(line), frozenset(ports), start, tuple(sorted(variables.items()))
    )


def _words(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [word for word in listed(value) if isinstance(word, str)]


def _variables(config: Map) -> Iterator[tuple[str, str]]:
    for one in listed(config.get("Env")):
        if isinstance(one, str) and "=" in one:
            name, _, value = one.partition("=")
            yield name, value


def _remarks(file: SourceFile, config: Map, name: str, history: Iterable[Map]) -> Iterator[Remark]:
    """What is wrong with an image by what its configuration says."""
    for line, one in items(config.get("Env"), config.at("Env")):
        variable, equals, value = one.partition("=") if isinstance(one, str) else ("", "", "")
        if equals:
            yield from secret_remark("ENV", variable, value, file.because(line))
    told: set[tuple[str, str]] = set(_variables(config))
    for step in history:
        text = step.get("created_by")
        for arguments in _ARGUMENTS.finditer(text) if isinstance(text, str) else ():
            for match in _SET.finditer(arguments[1]):
                pair = (match[1], match[2].strip("\"'"))
                if pair not in told:
                    told.add(pair)
                    yield from secret_remark("ARG", *pair, file.because(step.at("created_by")))
    runs = [*_words(config.get("Entrypoint")), *_words(config.get("Cmd"))]
    user = str(config.get("User") or "").partition(":")[0]
    if runs and user in ("", "root", "0"):
        message = f"the programs of {name} run as root"
        yield Remark("build-root-user", name, message, (file.because(config.at("User")),), None, Confidence.MEDIUM)
    said = " ".join(runs)
    anywhere = None if "0.0.0.0" in said else False  # noqa: S104 - what is looked for
    known = dict(_variables(config))
    place = file.because(config.at("Cmd"))
    yield from command_remarks(said, place, f"the image {name}")
    yield from program_remarks(name, said, known, place, f"the image {name}", published=anywhere)


def _file_of_image(inputs: Inputs, archive: str, path: str) -> Iterator[Remark]:
    """Keys that lie in an image, or in a layer below one that removes them."""
    inner = path.removeprefix(f"{archive}/")
    file = inputs.file(path)
    if file is None or not SECRET_FILE.search(inner) or _CERTIFICATES.search(inner) or not file.data.strip():
        return
    gone = inner.startswith(LAYERS)
    where = "/" + inner.partition("/")[2].partition("/")[2] if gone else "/" + inner.partition("/")[2]
    how = "is in a layer of the image, though a later one removes it," if gone else "is in the image,"
    message = f"{where} {how} for whoever can pull it"
    yield Remark("build-secret-in-image", where, message, (file.because(1),), None, Confidence.MEDIUM)
