"""Compose files: services, what they have of the host, and what they open on it."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.loads import Task
from assaymark.assess.estate.source import Remark
from assaymark.assess.source.commands import command_remarks
from assaymark.assess.source.images import SECRET_VARIABLE
from assaymark.assess.source.placeholders import placeholder, to_fill
from assaymark.assess.source.programs import program_remarks
from assaymark.assess.source.sequences import items
from assaymark.core.report import Severity
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.source import Source
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs
    from assaymark.core.graph import Because

_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
_SOCKET: Final = re.compile(r"docker\.sock|containerd\.sock|podman\.sock|crio\.sock")
_WHOLE: Final = re.compile(r"^(?:/|/etc|/root|/var/lib/docker|/proc|/sys|/home|/var/run):")
_CAPABILITIES: Final = frozenset(
    ("ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "NET_ADMIN", "DAC_READ_SEARCH", "BPF")
)
_HARMLESS: Final = re.compile(
    r"(?:_file|_path|_dir|_name|_id|_url|_uri|_mode|_ttl|_type|_enabled|_length)$", re.IGNORECASE
)
_PLAIN: Final = re.compile(r"^(?:http|redis|amqp|ftp|mongodb|mqtt)://(?!localhost|127\.|host\.docker)", re.IGNORECASE)


def collect(inputs: Inputs, source: Source) -> None:
    """Reads each compose file, by what it holds."""
    for file, value in inputs.maps():
        services = value.get("services")
        if not isinstance(services, Map) or "apiVersion" in value or not _compose(file, services):
            continue
        inputs.reading.read.add(file.path)
        for name, one in services.items():
            if isinstance(one, Map):
                source.remarks += _service(file, name, one)
                source.tasks.append(_task(file, name, one))


def _task(file: SourceFile, name: str, one: Map) -> Task:
    """What a service runs: its own command in its image, or what its Dockerfile starts."""
    said = " ".join([*_words(one.get("entrypoint")), *_words(one.get("command"))])
    build, folder = one.get("build"), posixpath.dirname(file.path)
    given = build if isinstance(build, Map) else {}
    context = given.get("context", build if isinstance(build, str) else "")
    where = posixpath.normpath(posixpath.join(folder, context)) if isinstance(context, str) else folder
    dockerfile = given.get("dockerfile", "Dockerfile")
    path = posixpath.normpath(posixpath.join(where, dockerfile)) if isinstance(dockerfile, str) else ""
    image = one.get("image")
    return Task(
        f"service:{file.path}#{name}",
        f"service {name} of {file.path}",
        folder,
        said,
        tuple((key, "<set>" if "$" in value else value) for key, value in _variables(one).items()),
        file.because(one.at("command") if one.get("command") else one.line),
        image if isinstance(image, str) else "",
        path.removeprefix("./") if build else "",
        made=True,
    )


def _compose(file: SourceFile, services: Map) -> bool:
    named = re.search(r"compose[\w.-]*\.ya?ml$", file.path, re.IGNORECASE)
    shaped = all(isinstance(one, Map) for one in services.values()) and any(
        "image" in one or "build" in one for one in services.values() if isinstance(one, Map)
    )
    return bool(named) or shaped


def _service(file: SourceFile, name: str, one: Map) -> Iterator[Remark]:
    def at(key: str) -> Because:
        return file.because(one.at(key))

    image = one.get("image")
    if isinstance(image, str) and not _DIGEST.search(image) and "build" not in one:
        moving = (":" not in image.rpartition("/")[2] or image.endswith(":latest")) and "$" not in image
        message = f"service {name} runs {image}, which is named by a tag"
        yield Remark(
            "build-image-unpinned", f"{name} {image}", message, (at("image"),), None if moving else Severity.LOW
        )
    if one.get("privileged") is True:
        yield Remark(
            "build-host-access",
            f"{name} privileged",
            f"service {name} is privileged: it has the host",
            (at("privileged"),),
        )
    for key in ("network_mode", "pid", "ipc"):
        if one.get(key) == "host":
            severity = Severity.MEDIUM if key != "pid" else None
            yield Remark(
                "build-host-access", f"{name} {key}", f"service {name} shares the host's {key}", (at(key),), severity
            )
    added = {str(item).upper().removeprefix("CAP_") for item in _list(one.get("cap_add"))}
    if added & _CAPABILITIES:
        message = f"service {name} has capabilities that reach the host: {', '.join(sorted(added & _CAPABILITIES))}"
        yield Remark("build-host-access", f"{name} capabilities", message, (at("cap_add"),))
    for line, volume in items(one.get("volumes"), one.at("volumes")):
        text = volume if isinstance(volume, str) else f"{volume.get('source')}:" if isinstance(volume, Map) else ""
        place = file.because(line)
        if _SOCKET.search(text):
            message = f"service {name} has the container engine's socket: it has the host"
            yield Remark("build-host-access", f"{name} socket", message, (place,))
        elif _WHOLE.match(text) and not text.startswith("/home"):
            message = f"service {name} has {text.split(':')[0]} of the host"
            yield Remark("build-host-access", f"{name} {text}", message, (place,))
    yield from _environment(file, name, one)
    variables = _variables(one)
    said = " ".join([*_words(one.get("entrypoint")), *_words(one.get("command"))])
    first = "image" if "image" in one else "build"
    place = at("command") if one.get("command") else at(first)
    yield from program_remarks(str(image or ""), said, variables, place, f"service {name}", published=_published(one))
    yield from command_remarks(" ".join(_words(one.get("command"))), place, f"service {name}")


def _environment(file: SourceFile, name: str, one: Map) -> Iterator[Remark]:
    given = one.get("environment")
    for key, value, line in _pairs(given, one.at("environment")):
        if SECRET_VARIABLE.search(key) and not _HARMLESS.search(key) and not to_fill(value):
            message = f"service {name} has the value of {key} in its file ({value[:4]}...)"
            weak = len(value) < 8 or placeholder(value)  # noqa: PLR2004 - a development password
            severity = Severity.MEDIUM if weak else None
            yield Remark("secret-password", f"{name} {key}", message, (file.because(line),), severity)
        elif _PLAIN.match(value) and re.search(
            r"mlflow|minio|s3|tracking|storage|artifact|registry", f"{key} {value}", re.IGNORECASE
        ):
            shown = re.sub(r"//[^/@\s]*@", "//", value)[:80]
            message = f"service {name} talks to {shown} without TLS ({key})"
            yield Remark("build-server-plaintext", f"{name} {key}", message, (file.because(line),), Severity.LOW)


def _pairs(given: Any, line: int) -> Iterator[tuple[str, str, int]]:
    if isinstance(given, Map):
        yield from ((key, "" if value is None else str(value), given.at(key)) for key, value in given.items())
        return
    for number, item in items(given, line):
        if isinstance(item, str):
            key, _, value = item.partition("=")
            yield key, value, number


def _variables(one: Map) -> dict[str, str]:
    return {key: value or "<set>" for key, value, _ in _pairs(one.get("environment"), 1)}


def _published(one: Map) -> bool:
    """Whether a port is opened on addresses that others reach; without an address it is on all."""
    if one.get("network_mode") == "host":
        return True
    for port in _list(one.get("ports")):
        if isinstance(port, Map):
            address = str(port.get("host_ip") or "")
            if port.get("published") and not address.startswith(("127.", "localhost", "::1")):
                return True
        else:
            parts = str(port).split(":")
            if len(parts) > 1 and not str(port).startswith(("127.", "localhost:", "[::1]")):
                return True
    return False


def _words(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)] if value else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
