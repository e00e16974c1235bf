"""Arrays of an HDF5 file, such as the weights of a Keras 2 model; its configuration is data beside them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from assaymark.convert.plan import Piece, Plan, PlannedTensor, find_aliases
from assaymark.core.errors import InputError
from assaymark.core.limits import CONVERT_MAX_DROPPED
from assaymark.core.report_json import printable
from assaymark.formats.hdf5.chunks import bands
from assaymark.formats.hdf5.filters import unknown_filter
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
        InputError: ``convert-unsupported`` for arrays elsewhere, behind other filters or of other types,
            ``convert-name``, a ``hdf5-*`` code.
    """
    file = read_hdf5(view, arrays=True)
    dropped = [printable(f"{part.path}: {part.kind} {part.target}", 400) for part in file.outside]
    dropped += [f"the attribute {name[:200]!r}" for name in file.texts if name not in TEXTS]
    metadata = {TEXT_PREFIX + name: file.texts[name] for name in TEXTS if name in file.texts}
    tensors: list[PlannedTensor] = []
    pieces: list[Piece] = []
    end = view.size
    for dataset in file.datasets:
        if in_chunks(dataset):
            tensors.append(planned(dataset, end))
            pieces.append(assembled(dataset))
            end += pieces[-1].length
        else:
            tensors.append(planned(dataset))
    _check_names(tensors)
    if len(dropped) > CONVERT_MAX_DROPPED:
        dropped[CONVERT_MAX_DROPPED:] = [f"{len(dropped) - CONVERT_MAX_DROPPED} more that are not listed"]
    ordered = tuple(sorted(tensors, key=lambda tensor: tensor.name))
    aliases = find_aliases(ordered)
    return Plan(SOURCE, ordered, aliases, tuple(dropped), metadata, derived=end - view.size, pieces=tuple(pieces))


def _check_names(tensors: list[PlannedTensor]) -> None:
    seen = {"", "__metadata__"}
    for tensor in tensors:
        if tensor.name in seen:
            what = f"the array {tensor.name[:200]!r} has the name of another, or one that is not to be had"
            raise InputError("convert-name", what)
        seen.add(tensor.name)


def in_chunks(dataset: Dataset) -> bool:
    """Whether the array must be put together, as its elements do not lie in one range of the file."""
    return dataset.chunks is not None and dataset.start is None and 0 not in dataset.shape


def assembled(dataset: Dataset) -> Piece:
    """The elements of an array in chunks, in their order."""
    chunks, shape, width = dataset.chunks, dataset.shape, dataset.width
    if chunks is None:
        raise InputError("convert-unsupported", "an array that is not in chunks")
    unknown = unknown_filter(chunks.filters)
    if unknown:
        what = f"the array {dataset.path.strip('/')[:200]!r} is behind the filter {printable(unknown)}"
        raise InputError("convert-unsupported", what, remedy="save it with gzip, or without compression")
    return Piece(width * math.prod(shape), lambda: bands(chunks, shape, width))


def planned(dataset: Dataset, derived: int | None = None) -> PlannedTensor:
    """Where the array lies, named by its path; ``derived`` is where its elements lie behind the file, if not in it.

    Raises:
        InputError: ``convert-unsupported`` for one that lies in neither as it is, or of another type.
    """
    name = dataset.path.strip("/")
    where = f"the array {name[:200]!r}"
    dtype = _DTYPES.get(f"{dataset.kind}{dataset.width}")
    if dtype is None:
        raise InputError("convert-unsupported", f"{where} is of a type that safetensors has not")
    strides = tuple(dataset.width * math.prod(dataset.shape[i + 1 :]) for i in range(len(dataset.shape)))
    empty = 0 in dataset.shape
    start = dataset.start if derived is None else derived
    if (
        derived is None
        and not empty
        and (dataset.start is None or dataset.size != dataset.width * math.prod(dataset.shape))
    ):
        what = f"{where} does not lie in the file: never written, elsewhere, or in chunks of an unknown form"
        raise InputError("convert-unsupported", what, remedy="save it without compression")
    swap = dataset.width if dataset.big and dataset.width > 1 else 0
    return PlannedTensor(name, dtype, dataset.shape, strides, 0 if empty else start or 0, swap)
