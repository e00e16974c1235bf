"""Which folders are one model: a marker that the format itself defines, and content that bears it out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.scanning.identity.identified import PART

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from assaymark.scanning.identity.identified import Identified

_TRANSFORMERS: Final = re.compile(rb'"(?:model_type|architectures|transformers_version|auto_map|_class_name)"\s*:')
_SHARD: Final = re.compile(r"(.+)[-_](\d{2,5})-of-(\d{2,5})(\.[^.]+)?")
# Folders whose parts are models of their own, with their own markers.
_MLFLOW: Final = re.compile(rb"^flavors:", re.MULTILINE)
_HALVES: Final = {"openvino": (".bin",), "paddle": (".pdiparams", ".pdiparams.info")}


def model_folder(models: Mapping[str, Identified], names: Sequence[str], head: Callable[[str], bytes]) -> str:
    """The format of the model that a folder is; empty when its models are files of their own.

    ``models`` are the files in it that were identified, ``names`` all its files, ``head`` gives the beginning of one.
    """
    there = frozenset(names)
    if "saved_model.pb" in models and models["saved_model.pb"].format == "savedmodel":
        return "savedmodel"
    if "MLmodel" in there and _MLFLOW.search(head("MLmodel")):
        return "mlflow"
    if "model_index.json" in there and b'"_class_name"' in head("model_index.json"):
        return "diffusers"
    if "Manifest.json" in there and b'"itemInfoEntries"' in head("Manifest.json"):
        return "coreml-package"
    if not models:
        return ""
    for name in ("config.json", "adapter_config.json"):
        pattern = _TRANSFORMERS if name == "config.json" else re.compile(rb'"peft_type"\s*:')
        if name in there and pattern.search(head(name)):
            return "huggingface"
    return _set_of_files(models, there)


def _set_of_files(models: Mapping[str, Identified], there: frozenset[str]) -> str:
    """Shards of one model, or one file with others that it needs, and nothing else in the folder that is a model."""
    models = {name: one for name, one in models.items() if one.kind != PART}
    if not models:
        return ""
    shards = {match[1]: match for name in models if (match := _SHARD.fullmatch(name)) and int(match[3]) > 1}
    first = next(iter(models))
    if len(shards) == 1 and all(_SHARD.fullmatch(name) for name in models):
        return models[first].format
    if len(models) == 1 and needed(first, models[first], there):
        return models[first].format
    return ""


def needed(name: str, found: Identified, there: frozenset[str]) -> tuple[str, ...]:
    """The files beside ``name`` that its model is not whole without, those that are there."""
    stem = name.rpartition(".")[0] or name
    halves = tuple(stem + suffix for suffix in _HALVES.get(found.format, ()))
    return tuple(other for other in (*halves, *found.refers) if other in there and other != name)
