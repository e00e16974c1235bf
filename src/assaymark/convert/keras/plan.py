"""``plan_keras``: which array of a Keras HDF5 model is which variable of Keras 3, and its configuration anew."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.convert.hdf5_file import assembled, in_chunks, planned
from assaymark.convert.keras.hdf5_writer import DTYPES
from assaymark.convert.keras.layers import MODELS, Source, convert_layer
from assaymark.convert.keras.models import convert_model
from assaymark.convert.keras.objects import REMEDY, refuse, shown
from assaymark.convert.keras.tree import weights
from assaymark.convert.plan import CONFIGURATION, KERAS_HDF5, METADATA, Plan, find_aliases
from assaymark.core.errors import InputError
from assaymark.formats.hdf5.reader import Hdf5, read_hdf5
from assaymark.formats.text import json_value

if TYPE_CHECKING:
    from assaymark.convert.keras.tree import Part
    from assaymark.convert.plan import Piece, PlannedTensor
    from assaymark.core.view import View
    from assaymark.formats.hdf5.datasets import Dataset

_WEIGHTS: Final = "/model_weights"
_TOP: Final = "top_level_model_weights"
_OPTIMIZER: Final = "/optimizer_weights/"
# Variables of Keras 2 and 3 that say where a random generator is: no layer needs them to compute.
_RANDOM: Final = frozenset(("StateVar", "state_var", "seed_generator_state"))
_LISTED: Final = 20
_VERSIONS: Final = ("2", "3")


def plan_keras(view: View) -> Plan:
    """The plan of a ``.keras`` archive: arrays by their place in ``model.weights.h5``, other members as texts.

    Raises:
        InputError: ``convert-keras`` with the layer as position, ``convert-unsupported``, ``hdf5-structure``,
            ``hdf5-limit`` or a ``json-*`` code.
    """
    file = read_hdf5(view, arrays=True)
    if "model_config" not in file.texts:
        raise InputError(
            "convert-keras", "an HDF5 file without a Keras model: it has no 'model_config'", remedy=REMEDY
        )
    version = file.texts.get("keras_version", "")
    major = version.partition(".")[0]
    if major not in _VERSIONS:
        refuse("keras_version", f"a model of Keras {shown(version) or 'before 2'}, which is not converted")
    config = untupled(json_value(file.texts["model_config"].encode("utf-8", "surrogatepass")))
    if not isinstance(config, dict) or str(config.get("class_name")) not in MODELS:
        name = config.get("class_name") if isinstance(config, dict) else None
        refuse("", f"a model of the class {shown(name)}, whose code is not in the file")
    source = Source(second=major == "2", model=convert_model)
    model = convert_layer(config, "", source)
    if source.second and source.masks and source.states:
        # Keras 2 loses the mask of an input that is passed along with states; Keras 3 applies it.
        refuse(
            source.states, f"called with states, where {source.masks} masks steps: Keras 3 computes another output"
        )
    tensors, pieces, unused = _tensors(file, model, view.size)
    dropped = [f"{part.path}: {part.kind} {part.target}"[:400] for part in file.outside]
    dropped += [*source.notes, *_left(file, unused)]
    texts = {
        CONFIGURATION: json.dumps(model.config, separators=(",", ":")),
        METADATA: json.dumps({"keras_version": version if major == "3" else "3.0.0"}),
    }
    derived = sum(piece.length for piece in pieces)
    return Plan(KERAS_HDF5, tensors, find_aliases(tensors), tuple(dropped), texts, derived=derived, pieces=pieces)


def untupled(value: Any) -> Any:
    """``value`` with what Keras' own JSON writes for tuples and shapes as lists (``json_utils.py``)."""
    if isinstance(value, list):
        return [untupled(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") in ("__tuple__", "TensorShape") and isinstance(value.get("items"), list):
        return untupled(value["items"])
    return {key: untupled(item) for key, item in value.items()}


def _tensors(
    file: Hdf5, model: Part, end: int
) -> tuple[tuple[PlannedTensor, ...], tuple[Piece, ...], dict[str, Dataset]]:
    """Each variable's array, by the order of ``weight_names``; what makes those in chunks; and the arrays left over.

    ``end``: where the bytes begin that lie behind the file.
    """
    arrays: dict[str, Dataset] = {}
    for array in file.datasets:
        if array.path in arrays:
            refuse("", f"two arrays of the path {shown(array.path)}")
        arrays[array.path] = array
    saved = {name: _listed(file, f"{_WEIGHTS}/{name}", "weight_names") for name in _layer_names(file)}
    if _listed(file, f"{_WEIGHTS}/{_TOP}", "weight_names"):
        refuse(_TOP, "weights of the model itself, whose code is not in the file")
    renamed = {name.replace("/", "_"): name for name in saved}
    found = []
    pieces: list[Piece] = []
    for place, layer in model.parts:
        name = renamed.get(layer.name, layer.name)
        for given, target in _matched(layer, place, saved.pop(name, []), f"{model.name}/{layer.name}"):
            path = f"{_WEIGHTS}/{name}/{given}"
            if path not in arrays:
                refuse(f"{model.name}/{layer.name}", f"the weight {shown(given)} is named and is not there")
            array = arrays.pop(path)
            if in_chunks(array):
                found.append(_planned(array, target, end))
                pieces.append(assembled(array))
                end += pieces[-1].length
            else:
                found.append(_planned(array, target))
    for name, names in saved.items():
        if names:
            refuse(name, "weights of a layer that the model does not have")
    return tuple(sorted(found, key=lambda tensor: tensor.name)), tuple(pieces), arrays


def _matched(layer: Part, place: str, given: list[str], where: str) -> list[tuple[str, str]]:
    """(the name in the file, the place in the result) of each variable of a layer at the top of the model."""
    names = [name for name in given if _last(name) not in _RANDOM]
    expected = weights(layer, place)
    if len(names) != len(expected):
        refuse(
            where, f"{layer.class_name} has {len(expected)} weights in Keras 3, and the file has {len(names)} of it"
        )
    for name, (target, variable) in zip(names, expected, strict=True):
        if _last(name) not in variable.names:
            refuse(where, f"the weight {shown(name)} stands where {variable.names[0]} of {target} is due")
    return [(name, target) for name, (target, _) in zip(names, expected, strict=True)]


def _last(name: str) -> str:
    return name.rpartition("/")[2].partition(":")[0]


def _planned(array: Dataset, name: str, derived: int | None = None) -> PlannedTensor:
    tensor = planned(array, derived)
    if tensor.dtype not in DTYPES:
        refuse(name, f"an array of the type {tensor.dtype}, which is not written")
    return replace(tensor, name=name)


def _layer_names(file: Hdf5) -> list[str]:
    names = _listed(file, _WEIGHTS, "layer_names")
    if len(set(names)) != len(names):
        refuse("layer_names", "two layers of one name")
    return names


def _listed(file: Hdf5, path: str, name: str) -> list[str]:
    """A list of names; a long one is split over numbered attributes (``load_attributes_from_hdf5_group``)."""
    if (path, name) in file.lists:
        return list(file.lists[path, name])
    found: list[str] = []
    number = 0
    while (path, f"{name}{number}") in file.lists:
        found += file.lists[path, f"{name}{number}"]
        number += 1
    return found


def _left(file: Hdf5, unused: dict[str, Dataset]) -> list[str]:
    """What is not carried over."""
    dropped = []
    if "training_config" in file.texts:
        dropped.append("the training configuration: optimizer, loss and metrics; compile the model to train it on")
    state = [path for path in unused if path.startswith(_OPTIMIZER)]
    if state:
        dropped.append(f"the state of the optimizer: {len(state)} arrays")
    others = [path for path in unused if not path.startswith(_OPTIMIZER)]
    dropped += [f"the array {shown(path.strip('/'))}" for path in others[:_LISTED]]
    if len(others) > _LISTED:
        dropped.append(f"and {len(others) - _LISTED} arrays more")
    return dropped
