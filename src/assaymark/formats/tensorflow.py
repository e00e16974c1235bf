"""Strict reader of TensorFlow's graphs: SavedModel, MetaGraphDef and GraphDef as protocol buffers.

Schemas: tensorflow/core/protobuf/saved_model.proto, meta_graph.proto, saver.proto, saved_object_graph.proto and
tensorflow/core/framework/graph.proto, function.proto, node_def.proto, attr_value.proto, tensor.proto. Values of
tensors are passed over but for texts, which may be names of files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import GRAPH_MAX_NAME
from assaymark.formats.protobuf import LENGTH, VARINT, Field, Messages

if TYPE_CHECKING:
    from assaymark.core.view import View

_OPERATION: Final = re.compile(r"[A-Za-z0-9_.>:-]{1,256}")
_TEXTS_KEPT: Final = 16  # texts of one tensor: a name of a file is one, a vocabulary is not looked at
_METADATA_MOST: Final = 8 << 20  # bytes of one Keras object's JSON


@dataclass(slots=True)
class Attribute:
    """The value of an attribute, as far as it is text, a tensor of texts or names of functions."""

    texts: list[bytes] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Node:
    """An operator and where it stands, in bytes or (of text) in lines."""

    name: str
    operator: str
    inputs: list[str]
    attributes: dict[str, Attribute]
    place: int


@dataclass(slots=True)
class Function:
    """A function of the library: the names of its arguments, and its nodes."""

    name: str
    arguments: list[str]
    nodes: list[Node]
    returns: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Graph:
    """A graph, its library, and what a MetaGraphDef says of it.

    ``savers`` are the tensors that take the name of a checkpoint. ``assets``: tensor -> file in the folder of assets.
    ``metadata``: texts of objects (Keras' JSON) with where they stand. ``meta`` tells a MetaGraphDef from a GraphDef.
    ``bound``: function -> what its last arguments are bound to: ``asset``, ``=`` and a node's name, or nothing known.
    """

    nodes: list[Node] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
    savers: set[str] = field(default_factory=set)
    assets: dict[str, str] = field(default_factory=dict)
    metadata: list[tuple[str, int]] = field(default_factory=list)
    bound: dict[str, list[str]] = field(default_factory=dict)
    meta: bool = False


@dataclass(slots=True)
class TensorFlow:
    """What a file holds: a ``savedmodel``, ``metagraph``, ``graph``, ``keras-metadata`` or ``fingerprint``."""

    kind: str
    graphs: list[Graph] = field(default_factory=list)
    metadata: list[tuple[str, int]] = field(default_factory=list)


def read_tensorflow(view: View) -> TensorFlow:
    """The graphs of the file, with the schema that its fields fit.

    Raises:
        InputError: ``tensorflow-malformed`` where none fits or a name stands twice, or a ``protobuf-*`` code.
    """
    reader = _Reader(Messages(view))
    fields = reader.messages.top()
    shape = {(item.number, item.wire) for item in fields}
    first = next((item for item in fields if item.wire == LENGTH), None)
    if first is None:
        raise InputError("tensorflow-malformed", "no message of TensorFlow's", position="byte 0")
    if shape <= {(1, VARINT), (2, LENGTH)} and (2, LENGTH) in shape:
        return TensorFlow("savedmodel", [reader.meta_graph(item) for item in fields if item.number == 2])  # noqa: PLR2004
    if len(shape & {(number, VARINT) for number in range(1, 6)}) > 3 and first.number in (6, 7):  # noqa: PLR2004
        return TensorFlow("fingerprint")
    if reader.is_node(first) or shape <= {(2, LENGTH), (3, VARINT), (4, LENGTH), (5, LENGTH)}:
        return TensorFlow("graph", [reader.graph(fields)])
    if reader.is_keras(first):
        return TensorFlow("keras-metadata", metadata=[reader.keras(item) for item in fields if item.number == 1])
    if shape <= {(number, LENGTH) for number in range(1, 8)} and (2, LENGTH) in shape:
        return TensorFlow("metagraph", [reader.meta_graph_fields(fields)])
    raise InputError("tensorflow-malformed", "no message of TensorFlow's", position="byte 0")


class _Reader:
    def __init__(self, messages: Messages) -> None:
        self.messages = messages

    def is_node(self, item: Field) -> bool:
        """Whether a first field is a NodeDef: a name and an operator."""
        try:
            inner = {found.number: found for found in self.messages.fields(item) if found.wire == LENGTH}
            return item.number == 1 and {1, 2} <= inner.keys() and bool(_OPERATION.fullmatch(self._text(inner[2])))
        except InputError:
            return False

    def is_keras(self, item: Field) -> bool:
        """Whether a first field is a SavedObject of keras_metadata.pb: an identifier of Keras."""
        try:
            inner = [found for found in self.messages.fields(item) if (found.number, found.wire) == (4, LENGTH)]
            return item.number == 1 and len(inner) == 1 and self._text(inner[0]).startswith("_tf_keras")
        except InputError:
            return False

    def keras(self, outer: Field) -> tuple[str, int]:
        """The JSON of a SavedObject, and where it stands."""
        for item in self.messages.fields(outer):
            if (item.number, item.wire) == (5, LENGTH):
                return self.messages.text(item, _METADATA_MOST), item.start
        return "", outer.start

    def _text(self, item: Field) -> str:
        return self.messages.text(item, GRAPH_MAX_NAME)

    def meta_graph(self, outer: Field) -> Graph:
        return self.meta_graph_fields(self.messages.fields(outer))

    def meta_graph_fields(self, fields: list[Field]) -> Graph:
        graphs = [item for item in fields if (item.number, item.wire) == (2, LENGTH)]
        if len(graphs) != 1:
            raise InputError("tensorflow-malformed", f"a meta graph with {len(graphs)} graphs", position="byte 0")
        graph = self.graph(self.messages.fields(graphs[0]))
        graph.meta = True
        for item in fields:
            if item.wire != LENGTH:
                continue
            match item.number:
                case 3:
                    graph.savers |= {_tensor(text) for text in self._texts(item, 1)}
                case 4:
                    self._collection(graph, item)
                case 6:
                    self._asset(graph, item)
                case 7:
                    self._objects(graph, item)
        return graph

    def _texts(self, outer: Field, number: int) -> list[str]:
        found = self.messages.fields(outer)
        return [self._text(item) for item in found if (item.number, item.wire) == (number, LENGTH)]

    def _asset(self, graph: Graph, outer: Field) -> None:
        tensor, name = "", ""
        for item in self.messages.fields(outer):
            if item.wire == LENGTH and item.number == 1:
                tensor = next(iter(self._texts(item, 1)), "")
            elif item.wire == LENGTH:
                name = self._text(item)
        graph.assets[_tensor(tensor)] = name

    def _collection(self, graph: Graph, outer: Field) -> None:
        """Assets of TensorFlow 1: AssetFileDef messages in the collection ``saved_model_assets``."""
        found = self.messages.fields(outer)
        if self._texts(outer, 1) != ["saved_model_assets"]:
            return
        for value in found:
            if (value.number, value.wire) == (2, LENGTH):
                for any_list in self._inner(value, 5):
                    for one in self._inner(any_list, 1):
                        for asset in self._inner(one, 2):
                            self._asset(graph, asset)

    def _inner(self, outer: Field, number: int) -> list[Field]:
        return [item for item in self.messages.fields(outer) if (item.number, item.wire) == (number, LENGTH)]

    def _objects(self, graph: Graph, outer: Field) -> None:
        """What objects are, and what the arguments of concrete functions are bound to."""
        kinds: list[str] = []
        functions: list[Field] = []
        for item in self.messages.fields(outer):
            if (item.number, item.wire) == (1, LENGTH):
                kinds.append(self._object(graph, item))
            elif (item.number, item.wire) == (2, LENGTH):
                functions.append(item)
        for item in functions:
            name = [*self._texts(item, 1), ""][0]
            for value in self._inner(item, 2):
                numbers: list[int] = []
                for inner in self.messages.fields(value):
                    if inner.number == 2:  # noqa: PLR2004 - bound_inputs
                        numbers.extend([inner.value] if inner.wire == VARINT else self.messages.numbers(inner))
                graph.bound[name] = [kinds[number] if number < len(kinds) else "" for number in numbers]

    def _object(self, graph: Graph, outer: Field) -> str:
        """Its kind; the texts of user objects, where Keras keeps its configuration, are kept."""
        kind = ""
        for item in self.messages.fields(outer):
            if item.wire != LENGTH:
                continue
            if item.number == 4:  # noqa: PLR2004 - user_object
                graph.metadata.extend(
                    (self.messages.text(inner, _METADATA_MOST), inner.start)
                    for inner in self._inner(item, 3)
                    if inner.end > inner.start
                )
            elif item.number == 5:  # noqa: PLR2004 - asset
                kind = "asset"
            elif item.number in (9, 12):  # constant, captured tensor
                kind = "=" + _tensor([*self._texts(item, 1), ""][0])
        return kind

    def graph(self, fields: list[Field]) -> Graph:
        graph = Graph()
        for item in fields:
            if (item.number, item.wire) == (1, LENGTH):
                graph.nodes.append(self._node(item))
            elif (item.number, item.wire) == (2, LENGTH):
                for inner in self.messages.fields(item):
                    if (inner.number, inner.wire) == (1, LENGTH):
                        function = self._function(inner)
                        _unique(function.name, graph.functions, inner.start)
                        graph.functions[function.name] = function
        _unique_nodes(graph.nodes)
        return graph

    def _function(self, outer: Field) -> Function:
        found = Function("", [], [])
        for item in self.messages.fields(outer):
            if item.wire != LENGTH:
                continue
            if item.number == 1:
                for inner in self.messages.fields(item):
                    if inner.number == 1 and inner.wire == LENGTH:
                        found.name = self._text(inner)
                    elif inner.number == 2 and inner.wire == LENGTH:  # noqa: PLR2004 - input_arg
                        found.arguments.append(next(iter(self._texts(inner, 1)), ""))
            elif item.number == 3:  # noqa: PLR2004 - node_def
                found.nodes.append(self._node(item))
            elif item.number == 4:  # noqa: PLR2004 - ret
                key, value = ([*self._texts(item, number), ""][0] for number in (1, 2))
                found.returns[key] = value
        _unique_nodes(found.nodes)
        return found

    def _node(self, outer: Field) -> Node:
        node = Node("", "", [], {}, outer.start)
        seen = [0, 0]
        for item in self.messages.fields(outer):
            if item.wire != LENGTH:
                continue
            if item.number == 1:
                node.name, seen[0] = self._text(item), seen[0] + 1
            elif item.number == 2:  # noqa: PLR2004 - op
                node.operator, seen[1] = self._text(item), seen[1] + 1
            elif item.number == 3:  # noqa: PLR2004 - input
                node.inputs.append(self._text(item))
            elif item.number == 5:  # noqa: PLR2004 - attr
                self._attribute(node, item)
        if max(seen) > 1:
            raise InputError(
                "tensorflow-malformed", "a node with two names or operators", position=f"byte {outer.start}"
            )
        return node

    def _attribute(self, node: Node, outer: Field) -> None:
        key, value = "", None
        for item in self.messages.fields(outer):
            if item.wire == LENGTH and item.number == 1:
                key = self._text(item)
            elif item.wire == LENGTH:
                value = item
        if value is None:
            return
        found = node.attributes.setdefault(key, Attribute())
        for item in self.messages.fields(value):
            if item.wire == LENGTH:
                self._value(found, item)

    def _value(self, found: Attribute, item: Field) -> None:
        match item.number:
            case 2:  # s
                found.texts.append(self.messages.data(item, GRAPH_MAX_NAME) if _short(item) else b"")
            case 10:  # func
                found.functions.extend(self._texts(item, 1))
            case 8:  # tensor
                self._tensor(found, item)
            case 1:  # list: s is 2, func is 9
                for inner in self.messages.fields(item):
                    if inner.wire == LENGTH and inner.number == 2 and _short(inner):  # noqa: PLR2004
                        found.texts.append(self.messages.data(inner, GRAPH_MAX_NAME))
                    elif inner.wire == LENGTH and inner.number == 9:  # noqa: PLR2004
                        found.functions.extend(self._texts(inner, 1))

    def _tensor(self, found: Attribute, outer: Field) -> None:
        kept = 0
        for item in self.messages.fields(outer):
            if (item.number, item.wire) == (8, LENGTH):
                found.texts.append(self.messages.data(item, GRAPH_MAX_NAME) if _short(item) else b"")
                kept += 1
                if kept == _TEXTS_KEPT:
                    return


def _short(item: Field) -> bool:
    return item.end - item.start <= GRAPH_MAX_NAME


def _tensor(name: str) -> str:
    return name.split(":", 1)[0]


def _unique(name: str, names: dict[str, Function], place: int) -> None:
    if name in names:
        raise InputError("tensorflow-malformed", f"two functions are named {name[:80]!r}", position=f"byte {place}")


def _unique_nodes(nodes: list[Node]) -> None:
    seen: set[str] = set()
    for node in nodes:
        if node.name in seen:
            message = f"two nodes are named {node.name[:80]!r}"
            raise InputError("tensorflow-malformed", message, position=f"byte {node.place}")
        seen.add(node.name)
