"""Which models a Kubernetes object names, and where it loads one without naming it: pure, over parsed JSON.

A pod template is found wherever it stands, so a Deployment, a RayCluster and a kind that nobody has heard of are read
alike. Read are the places of docs/guide/kubernetes.md; a container's image is never one, for it holds the program.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.limits import ADMISSION_MAX_MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DOMAIN: Final = "assaymark.dev/"
ANNOTATION: Final = DOMAIN + "model"
HOW_TO_NAME: Final = f'add the annotation {ANNOTATION}: "sha256:..."; `assaymark digest PATH` prints it'

# A digest in a text; in a URI its colon may be escaped. Upper-case digits are the same digest to whoever reads them.
_DIGEST: Final = re.compile(r"sha256(?::|%3a)([0-9a-f]*)", re.IGNORECASE)
_DIGITS: Final = 64
# Words that a program is started with, wherever they stand: containers, probes, hooks, Ray's jobs and Serve's text.
# Members whose every text is read: words of a program, and whatever a volume or a mount says of where bytes lie.
_WORDS: Final = frozenset({
    "args",
    "command",
    "entrypoint",
    "rayStartParams",
    "runtimeEnvYAML",
    "serveConfigV2",
    "volumeAttributes",
    "volumeMounts",
    "volumes",
    "workingDir",
})  # fmt: skip
_CONTAINERS: Final = frozenset({"containers", "initContainers", "ephemeralContainers"})
# KServe and Seldon: a place that a model is fetched from.
_LOADS: Final = frozenset({"storageUri", "storageURI", "modelUri", "modelURI"})
_HOLDS_URI: Final = frozenset({"model", "adapters", "storageUris"})
_FETCHED: Final = "internal.serving.kserve.io/storage-initializer-sourceuri"  # of a pod that KServe made
# Kinds that exist to serve a model: one that names none loads one all the same.
_SERVING: Final = frozenset(
    {
        ("serving.kserve.io", "InferenceService"),
        ("serving.kserve.io", "LLMInferenceService"),
        ("serving.kserve.io", "TrainedModel"),
    }
)
_OURS: Final = "ASSAYMARK_MODEL"  # the variables that name the model to a program


@dataclass(frozen=True, slots=True)
class Named:
    """What an object says about models.

    ``digests`` are those that it names, each once, in order. ``faults`` say where it loads a model without naming it,
    or names one wrongly: any of them refuses the object. ``loose`` are image volumes whose image is named by no
    digest, which may be models or not. ``pods`` says whether there is a pod template.
    """

    digests: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    pods: bool = False


@dataclass(slots=True)
class _Found:
    """What a walk has met so far; ``loads`` maps places to what is loaded from there."""

    digests: dict[str, None] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)  # digests within the address that a model is loaded from
    loads: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    pods: bool = False


def named_models(item: Mapping[str, Any], group: str = "", kind: str = "") -> Named:
    """The models of an object of this API group and kind. Status and managed fields are what others wrote of it."""
    found = _Found()
    for key, value in item.items():
        if key == "metadata" and isinstance(value, dict):
            _walk({name: part for name, part in value.items() if name != "managedFields"}, "$.metadata", found)
        elif key != "status":
            _walk({key: value}, "$", found)
    faults = [*found.faults, *_unnamed(found)]
    if (group, kind) in _SERVING and not found.digests:
        faults.append(f"a {kind} serves a model, and this one names no digest")
    if len(found.digests) > ADMISSION_MAX_MODELS:
        faults.append(f"it names {len(found.digests)} models, more than {ADMISSION_MAX_MODELS}")
    digests = tuple(found.digests)[:ADMISSION_MAX_MODELS]
    return Named(digests, tuple(dict.fromkeys(faults)), tuple(found.loose), found.pods)


def _unnamed(found: _Found) -> Iterator[str]:
    """Each place that a model is loaded from must be told by a digest of its own."""
    free = len(found.digests) - len(found.own & found.digests.keys())
    addresses: dict[str, str] = {}
    for place, address in found.loads.items():
        addresses.setdefault(address, place)
    for address, place in list(addresses.items())[free:]:
        yield f"{place} loads {address[:200]!r} without naming its digest"


def _walk(item: Any, path: str, found: _Found) -> None:
    """Look at every table below ``item``; without recursion, whatever the depth."""
    stack: list[tuple[Any, str, str]] = [(item, path, "")]
    while stack:
        value, place, under = stack.pop()
        if isinstance(value, list):
            stack.extend((part, f"{place}[{i}]", under) for i, part in reversed(list(enumerate(value))))
        elif isinstance(value, dict):
            for key, part in value.items():
                _look(key, part, f"{place}.{key}", under, found)
            stack.extend((part, f"{place}.{key}", key) for key, part in reversed(value.items()))


def _look(key: str, value: Any, place: str, under: str, found: _Found) -> None:
    """One member of a table, by its name."""
    if key == "annotations" and isinstance(value, dict):
        for name, text in value.items():
            _annotation(name, text, place, found)
    elif key in _WORDS:
        for text in _texts(value):
            _digests(text, place, found)
    elif key == "env" and isinstance(value, list):
        for i, variable in enumerate(value):
            _variable(variable, f"{place}[{i}]", found)
    elif key in _CONTAINERS and isinstance(value, list):
        found.pods = True
    elif key in _LOADS or (key == "uri" and under in _HOLDS_URI):
        _load(value, place, found)
    elif key in ("storage", "image") and isinstance(value, dict):
        _table(key, value, place, found)


def _table(key: str, value: dict[str, Any], place: str, found: _Found) -> None:
    """KServe's other way to say where the model lies, and an image volume."""
    if key == "storage":
        for name in ("path", "key"):
            if isinstance(value.get(name), str):
                _load(value[name], f"{place}.{name}", found)
                break
        return
    reference = value.get("reference")
    if isinstance(reference, str) and not _digests(reference, f"{place}.reference", found):
        found.loose.append(f"{place}.reference")


def _annotation(name: str, text: Any, place: str, found: _Found) -> None:
    where = f"{place}[{name}]"
    if name == _FETCHED:
        _load(text, where, found)
    if not name.startswith(DOMAIN):
        return
    if not isinstance(text, str):
        found.faults.append(f"{where} is no text")
        return
    if not name.startswith(ANNOTATION):
        _digests(text, where, found)
        return
    for word in text.split(","):
        match = _DIGEST.fullmatch(word.strip())
        if match is None or len(match[1]) != _DIGITS:
            found.faults.append(f"{where} names no digest: {word.strip()[:100]!r}")
        else:
            found.digests["sha256:" + match[1].lower()] = None


def _variable(variable: Any, place: str, found: _Found) -> None:
    """One environment variable. A field of the pod itself (an annotation) is read where it stands."""
    if not isinstance(variable, dict):
        return
    for text in _texts(variable.get("value")):
        _digests(text, f"{place}.value", found)
    source, name = variable.get("valueFrom"), variable.get("name")
    elsewhere = isinstance(source, dict) and "fieldRef" not in source
    if elsewhere and isinstance(name, str) and name.startswith(_OURS):
        found.faults.append(f"{place}.valueFrom takes {name} from elsewhere, where nobody here can read it")


def _load(value: Any, place: str, found: _Found) -> None:
    """An address that a model is loaded from; with a digest in it it tells itself."""
    if not isinstance(value, str) or not value:
        return
    own = _digests(value, place, found)
    found.own.update(own)
    if not own:
        found.loads[place] = value


def _digests(text: str, place: str, found: _Found) -> list[str]:
    """The digests in a text, noted; one of another length is a fault, for somebody meant to name a model."""
    digests = []
    for match in _DIGEST.finditer(text):
        if len(match[1]) == _DIGITS:
            digests.append("sha256:" + match[1].lower())
        elif match[1]:
            found.faults.append(f"{place} holds a digest of {len(match[1])} digits; there are {_DIGITS}")
    found.digests.update(dict.fromkeys(digests))
    return digests


def _texts(value: Any) -> Iterator[str]:
    """Every text below a value, keys left out."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            stack.extend(reversed(item))
        elif isinstance(item, dict):
            stack.extend(reversed(item.values()))
