"""Arrays of an HDF5 file, such as the weights of a Keras 2 model; its configuration is data beside them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from assaymark.convert.plan import Plan, PlannedTensor, find_aliases
from assaymark.core.errors import InputError
from assaymark.formats.hdf5.reader import read_hdf5

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.formats.hdf5.datasets import Dataset

SOURCE: Final = "hdf5"
_DTYPES: Final = {
    "f2": "F16",
    "f4": "F32",
    "f8": "F64",
    **{f"{kind}{width}": f"{kind.upper()}{8 * width}" for kind in "iu" for width in (1, 2, 4, 8)},
}
# What of the root's attributes is kept: whoever reads it chooses what to make of it.
TEXTS: Final = ("model_config", "training_config", "keras_version", "backend")
TEXT_PREFIX: Final = "keras."


def plan_hdf5(view: View) -> Plan:
    """The plan of every array of the file, named by its path.

    Raises:
        InputError: ``convert-unsupported`` for arrays in chunks, filtered or of other types, ``hdf5-structure``,
            ``hdf5-limit``.
    """
    file = read_hdf5(view, arrays=True)
    dropped = [f"{part.path}: {part.kind} {part.target}"[:400] for part in file.outside]
    dropped += [f"the attribute {name[:200]!r}" for name in file.texts if name not in TEXTS]
    metadata = {TEXT_PREFIX + name: file.texts[name] for name in TEXTS if name in file.texts}
    tensors = tuple(sorted(map(planned, file.datasets), key=lambda tensor: tensor.name))
    return Plan(SOURCE, tensors, find_aliases(tensors), tuple(dropped), metadata)


def planned(dataset: Dataset) -> PlannedTensor:
    """Where the array lies, named by its path.

    Raises:
        InputError: ``convert-unsupported`` for one that does not lie in the file as it is, or of another type.
    """
    name = dataset.path.strip("/")
    where = f"the array {name[:200]!r}"
    dtype = _DTYPES.get(f"{dataset.kind}{dataset.width}")
    if dtype is None:
        raise InputError("convert-unsupported", f"{where} is of a type that safetensors has not")
    strides = tuple(dataset.width * math.prod(dataset.shape[i + 1 :]) for i in range(len(dataset.shape)))
    empty = 0 in dataset.shape
    if not empty and (dataset.start is None or dataset.size != dataset.width * math.prod(dataset.shape)):
        what = f"{where} does not lie in the file as it is: in chunks, compressed or elsewhere"
        raise InputError("convert-unsupported", what, remedy="save it without compression")
    swap = dataset.width if dataset.big and dataset.width > 1 else 0
    return PlannedTensor(name, dtype, dataset.shape, strides, 0 if empty else dataset.start or 0, swap)
