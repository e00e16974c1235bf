"""Dotted names that a configuration has called: Hydra, NeMo, Lightning, torchtune, latent diffusion.

Reviewed data. A class below one of these packages only makes a part of a model or of its training; whatever is not
listed is a finding. Sources: hydra.utils.instantiate, nemo.core.classes.common, jsonargparse's ``class_path``.
"""

from __future__ import annotations

import re
from typing import Final

from assaymark.core.report import Severity
from assaymark.scanning.pickle.dangerous import is_dangerous

_CLASS: Final = re.compile(r"_?[A-Z]\w*")
_NAME: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
# Packages whose classes are parts of models, data pipelines, optimisers, schedules, metrics and loggers.
_PACKAGES: Final = (
    "torch.nn",
    "torch.optim",
    "torch.utils.data",
    "torch.distributions",
    "torchaudio.transforms",
    "torchaudio.models",
    "torchvision.transforms",
    "torchvision.models",
    "torchmetrics",
    "torchtune",
    "nemo.collections",
    "nemo.core",
    "nemo.utils",
    "nemo.lightning",
    "megatron.core",
    "pytorch_lightning",
    "lightning.pytorch",
    "lightning_fabric",
    "transformers",
    "diffusers",
    "peft",
    "timm",
    "ldm",
    "sgm",
    "open_clip",
    "monai.networks",
    "monai.losses",
    "monai.metrics",
    "monai.transforms",
    "monai.inferers",
    "speechbrain.nnet",
    "speechbrain.lobes",
    "speechbrain.processing",
    "speechbrain.dataio",
    "speechbrain.decoders",
    "speechbrain.utils",
    "speechbrain.inference",
    "speechbrain.augment",
    "keras.layers",
    "keras.optimizers",
    "keras.losses",
    "omegaconf",
)
# Functions, which only give numbers, tensors or types.
_FUNCTIONS: Final = re.compile(
    r"torch\.(?:tensor|device|float(?:16|32|64)|bfloat16|int(?:8|16|32|64)|bool)"
    r"|torch\.nn\.(?:functional|init)\.[a-z]\w*_?|torch\.optim\.lr_scheduler\.\w+"
    r"|(?:transformers|diffusers)(?:\.[a-z]\w*)*\.[A-Z]\w*\.from_(?:pretrained|config)"
    r"|transformers\.get_\w+_schedule\w*"
    r"|torchtune\.(?:models|datasets|modules|training|utils|rlhf)(?:\.[a-z]\w*)*"
    r"|megatron\.core(?:\.[a-z]\w*)*\.get_gpt_layer\w*"
)
# What imports and calls a name that comes as an argument.
_CALLERS: Final = (
    "hydra",
    "importlib",
    "pydoc.locate",
    "jsonargparse",
    "nemo.utils.model_utils.import_class_by_path",
)
# Classes in the packages above that load files of any format or start programs.
_LOADERS: Final = re.compile(r"\.(?:ModelPT|SaveRestoreConnector|PickleIO|Popen|Pool|Process)$")


def judge_target(name: str) -> Severity | None:
    """None when calling ``name`` is known to be harmless; critical when it is known to run code, else high."""
    name = name.strip()
    if not _NAME.fullmatch(name):
        return Severity.HIGH
    module, _, last = name.rpartition(".")
    root, _, rest = name.partition(".")
    if is_dangerous(module or "builtins", last) or (module and is_dangerous(root, rest)):
        return Severity.CRITICAL
    if any(name == caller or name.startswith(f"{caller}.") for caller in _CALLERS):
        return Severity.CRITICAL
    if _FUNCTIONS.fullmatch(name):
        return None
    inside = any(name.startswith(f"{package}.") for package in _PACKAGES)
    plain = all(part[:1] != "_" for part in module.split("."))
    if inside and plain and _CLASS.fullmatch(last) and not _LOADERS.search(name):
        return None
    return Severity.HIGH
