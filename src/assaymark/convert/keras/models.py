"""Sequential and functional models, nested ones too."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.convert.keras.graph import Node, Ref, layer_order, read_ends, read_node
from assaymark.convert.keras.layers import Source, batch_shape, convert_layer, input_layer
from assaymark.convert.keras.objects import keras_object, refuse, shown
from assaymark.convert.keras.tree import Part, in_container

if TYPE_CHECKING:
    from collections.abc import Callable

_FUNCTIONAL: Final = ("name", "trainable", "layers", "input_layers", "output_layers", "dtype")
_SEQUENTIAL: Final = ("name", "trainable", "layers", "build_input_shape", "dtype")


def convert_model(item: dict[str, Any], where: str, source: Source, depth: int = 0) -> Part:
    """The model that ``item`` describes.

    Raises:
        InputError: ``convert-keras``.
    """
    config = item.get("config")
    if isinstance(config, list):  # Keras 2.0 to 2.2.2
        config = {"name": "sequential", "layers": config}
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        refuse(where, "a model without layers: a class of a user's own, whose code is not in the file")
    name = config.get("name")
    if not isinstance(name, str):
        refuse(where, "a model without a name")
    here = f"{where}/{name}" if where else name
    sequential = item["class_name"] == "Sequential"
    known = _SEQUENTIAL if sequential else _FUNCTIONAL
    for key in config:
        if key not in known:
            refuse(here, f"a model with {shown(key)}, which is not converted")
    trainable = config.get("trainable", True)
    if not isinstance(trainable, bool):
        refuse(here, "trainable that is neither true nor false")
    name = source.layer_name(name)
    children = [convert_layer(layer, here, source, depth) for layer in config["layers"]]
    twice = [found for found, count in Counter(child.name for child in children).items() if count > 1]
    if twice:
        refuse(here, f"two layers of the name {shown(twice[0])}")
    make = _sequential if sequential else _functional
    part = make(name, config, children, here, source)
    part.trainable = trainable
    if not trainable:  # said of a model, Keras 3 sets it for every layer within
        part.config["config"]["trainable"] = False
    return part


def _sequential(name: str, config: dict[str, Any], children: list[Part], where: str, source: Source) -> Part:
    del source
    if any(child.class_name == "InputLayer" for child in children[1:]):
        refuse(where, "an input in the midst of a sequential model")
    if children and children[0].class_name == "InputLayer":
        first, layers = children[0], children[1:]
    else:
        layers = children
        shape = children[0].shape if children else None
        shape = shape or batch_shape(config.get("build_input_shape"), where)
        if shape is None:
            refuse(
                where, "a sequential model that does not say the shape of its input: it was saved before it was built"
            )
        first = input_layer(_free("input_layer", layers), shape, _input_type(layers[0]) if layers else "float32")
    part = Part("Sequential", name, {}, shape=first.shape)
    places = in_container(layers, "layers")
    part.parts = [(places[id(layer)], layer) for layer in layers]
    made = {
        "name": name,
        "layers": [first.config, *(layer.config for layer in layers)],
        "build_input_shape": first.shape,
    }
    part.config = keras_object("keras", "Sequential", made)
    return part


def _input_type(layer: Part) -> str:
    """The type of the input that Keras makes before a layer: the layer's own."""
    dtype = layer.config["config"].get("dtype")
    name = dtype["config"]["name"] if isinstance(dtype, dict) else "float32"
    return "float32" if name.startswith("mixed_") else str(name)


def _free(name: str, layers: list[Part]) -> str:
    taken = {layer.name for layer in layers}
    while name in taken:
        name += "_"
    return name


def _functional(name: str, config: dict[str, Any], children: list[Part], where: str, source: Source) -> Part:
    by_name = {child.name: child for child in children}
    calls = [layer.get("inbound_nodes") for layer in config["layers"]]
    if not all(isinstance(call, list) for call in calls):
        refuse(where, "a layer that does not say how it is called")
    inside, ends = _renames(by_name, where, source)
    nodes: dict[str, list[Node]] = {}
    for child, call in zip(children, calls, strict=True):
        here = f"{where}/{child.name}"
        nodes[child.name] = [read_node(node, child.class_name, here, inside) for node in call]
        if any("initial_state" in node.kwargs for node in nodes[child.name]):
            source.states = here
        if child.class_name == "InputLayer":
            nodes[child.name] = [Node([], {})]
        elif not call:
            refuse(here, "a layer that is never called")
    inputs = read_ends(config.get("input_layers"), where, ends)
    outputs = read_ends(config.get("output_layers"), where, ends)
    if any(by_name[ref.layer].class_name != "InputLayer" for ref in inputs):
        refuse(where, "an input that is not the model's own")
    order = layer_order(nodes, inputs, outputs, where)
    places = in_container((by_name[found] for found in order), "layers")
    part = Part("Functional", name, {}, shape=by_name[inputs[0].layer].shape if len(inputs) == 1 else None)
    part.parts = [(places[id(child)], child) for child in children if child.class_name != "InputLayer"]
    layers = []
    for child in children:
        written = [] if child.class_name == "InputLayer" else [node.written() for node in nodes[child.name]]
        layers.append({**child.config, "name": child.name, "inbound_nodes": written})
    made = {
        "name": name,
        "layers": layers,
        "input_layers": _written_ends(inputs, by_name),
        "output_layers": _written_ends(outputs, by_name),
    }
    part.config = keras_object("keras.src.models.functional", "Functional", made)
    part.config["registered_name"] = "Functional"
    return part


def _renames(
    by_name: dict[str, Part], where: str, source: Source
) -> tuple[Callable[[Ref], Ref], Callable[[Ref], Ref]]:
    """How to name the output of a call, within the graph and at its ends.

    Keras 2 counts a nested model's calls from 1, for it was called once when it was made; Keras 3 does so at the
    ends alone, and for functional models only (``keras/src/models/functional.py``).
    """

    def known(ref: Ref) -> Part:
        found = by_name.get(ref.layer)
        if found is None:
            refuse(where, f"a call of {shown(ref.layer)}, which is no layer of the model")
        return found

    def renamed(ref: Ref, from_one: tuple[str, ...]) -> Ref:
        ref = replace(ref, layer=ref.layer.replace("/", "_"))
        if known(ref).class_name not in from_one:
            return ref
        if not ref.node:
            refuse(where, f"a call of {shown(ref.layer)} within another model")
        return replace(ref, node=ref.node - 1)

    second = ("Functional", "Sequential") if source.second else ()
    return (
        lambda ref: renamed(ref, second),
        lambda ref: renamed(ref, second or ("Functional",)),
    )


def _written_ends(refs: list[Ref], by_name: dict[str, Part]) -> list[Any]:
    ends = [
        [ref.layer, ref.node + (1 if by_name[ref.layer].class_name == "Functional" else 0), ref.tensor]
        for ref in refs
    ]
    return ends[0] if len(ends) == 1 else list(ends)
