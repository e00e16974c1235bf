"""Patches of compose files: servers that ask for a key or password, which who starts them gives in the environment.

``${NAME:?}`` is compose's own way to refuse to start without a value. A server is patched where it takes its key from
a variable, or by one more option of its command; MLflow is not, whose first administrator has a known password.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.patch import Patch, Place
from assaymark.assess.patches.pipelines import alone, indent_of
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLES: Final = {
    "LiteLLM": "LITELLM_MASTER_KEY",
    "MinIO": "MINIO_ROOT_PASSWORD",
    "Qdrant": "QDRANT__SERVICE__API_KEY",
    "Text Embeddings Inference": "API_KEY",
    "Text Generation Inference": "API_KEY",
    "llama.cpp": "LLAMA_API_KEY",
    "vLLM": "VLLM_API_KEY",
}
_OPTIONS: Final = {
    "Redis": ("--requirepass", "REDIS_PASSWORD"),
    "SGLang": ("--api-key", "SGLANG_API_KEY"),
}
_BLOCK: Final = re.compile(r"""\s*["']?[\w.-]+["']?\s*:(?:\s+[&!]\S+)*\s*(?:#.*)?""")
_REDIS: Final = re.compile(r"(?:docker\.io/)?(?:library/)?redis(?:[:@].*)?|(?:docker\.io/)?valkey/valkey(?:[:@].*)?")


def asked(place: Place) -> Iterator[Patch]:
    """What makes the server of a service ask who calls."""
    match = re.fullmatch(r"service (\S+) (.+)", place.finding.name)
    for document in place.inputs.documents_of(place.file) if match is not None else ():
        services = document.value.get("services") if isinstance(document.value, Map) else None
        service = services.get(match[1]) if isinstance(services, Map) and match is not None else None
        if not isinstance(service, Map) or match is None:
            continue
        block = isinstance(services, Map) and _BLOCK.fullmatch(place.at(services.at(match[1]))) is not None
        if not block:
            continue  # entries between braces take no lines of their own
        if match[2] in _VARIABLES:
            yield from _variable(place, service, match[2], _VARIABLES[match[2]])
        elif match[2] in _OPTIONS:
            yield from _option(place, service, match[2], *_OPTIONS[match[2]])


def _title(server: str, name: str) -> str:
    return f"have {server} ask for {name}, which who starts it gives in the environment"


def _variable(place: Place, service: Map, server: str, name: str) -> Iterator[Patch]:
    value, title = f"${{{name}:?}}", _title(server, name)
    given = service.get("environment")
    if isinstance(given, Map) and name in given:
        line = given.at(name)
        if alone(place, given, name):
            yield Patch(title, place.path, line, 1, (f"{indent_of(place.at(line))}{name}: {value}",), safe=False)
    elif isinstance(given, Seq) and any(str(one).partition("=")[0] == name for one in given):
        for index, one in enumerate(given):
            text = place.at(given.at(index))
            if str(one).partition("=")[0] == name and re.fullmatch(rf"\s*-\s+{name}(?:=[\w-]*)?\s*", text):
                changed = f"{indent_of(text)}- {name}={value}"
                yield Patch(title, place.path, given.at(index), 1, (changed,), safe=False)
    elif isinstance(given, (Map, Seq)) and given:
        line = min(given.lines.values()) if isinstance(given, Map) else given.at(0)
        item = f"{name}: {value}" if isinstance(given, Map) else f"- {name}={value}"
        if line > service.at("environment"):
            yield Patch(title, place.path, line, 0, (f"{indent_of(place.at(line))}{item}",), safe=False)
    elif "environment" not in service:
        yield from _entry(place, service, title, ("environment:", f"  {name}: {value}"))


def _option(place: Place, service: Map, server: str, option: str, name: str) -> Iterator[Patch]:
    value, title = f"${{{name}:?}}", _title(server, name)
    command = service.get("command")
    if isinstance(command, str):
        line = service.at("command")
        text = place.at(line).rstrip()
        if alone(place, service, "command") and text.endswith(f"command: {command}"):
            yield Patch(title, place.path, line, 1, (f"{text} {option} {value}",), safe=False)
    elif "command" not in service and "entrypoint" not in service and server == "Redis":
        image = service.get("image")
        if isinstance(image, str) and _REDIS.fullmatch(image):
            program = "valkey-server" if "valkey" in image else "redis-server"
            yield from _entry(place, service, title, (f"command: {program} {option} {value}",))


def _entry(place: Place, service: Map, title: str, lines: tuple[str, ...]) -> Iterator[Patch]:
    """One more entry of a service, above its first one."""
    first = min(service.lines.values(), default=0)
    indent = indent_of(place.at(first))
    if indent and re.fullmatch(r"\s*[\w-]+:(?:\s.*)?", place.at(first)):
        yield Patch(title, place.path, first, 0, tuple(f"{indent}{one}" for one in lines), safe=False)
