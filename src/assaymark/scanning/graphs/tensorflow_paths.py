"""Where the name of a file that a TensorFlow operator takes comes from.

The ordinary saver of a model is in its graph: it writes and reads where whoever saves or loads the model says. So
the same operators are harmless with the saver's name, or with an asset of the model, and are not with a name that
the graph holds, or that comes with a request. Names are followed backwards through what only passes texts on, into
and out of functions' arguments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from assaymark.formats.tensorflow import Function, Graph, Node

SAVER: Final = "saver"
ASSET: Final = "asset"
INPUT: Final = "input"
TEXT: Final = "text"
UNKNOWN: Final = "unknown"
_MAX_STEPS: Final = 20_000
_MAX_DEPTH: Final = 64  # a saver's name passes about ten operators
_PASSING: Final = frozenset(
    ("Identity", "Reshape", "ExpandDims", "Squeeze", "StopGradient", "EnsureShape", "ShardedFilename",
     "ShardedFilespec", "StridedSlice", "Unpack", "Tile", "Fill", "BroadcastTo", "Cast")
)  # fmt: skip
_JOINING: Final = frozenset(("StringJoin", "Add", "AddV2"))
_GATHERING: Final = frozenset(("Pack", "ConcatV2", "Concat", "Select", "SelectV2", "Merge", "Switch"))
_CALLS: Final = frozenset(("PartitionedCall", "StatefulPartitionedCall"))
# What tf.train.Saver writes for the default name of a checkpoint.
_PLAIN: Final = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Origin:
    """``kind``: who says the name. ``texts``: the names, when the graph does."""

    kind: str
    texts: tuple[bytes, ...] = ()


class Paths:
    """Follows names of files through one graph; what is asked twice is answered from memory."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._nodes: dict[str, dict[str, Node]] = {"": {node.name: node for node in graph.nodes}}
        for name, function in graph.functions.items():
            self._nodes[name] = {node.name: node for node in function.nodes}
        self._calls: dict[str, list[tuple[str, Node]]] = {}
        self._others: set[str] = set()
        for scope, nodes in self._nodes.items():
            for node in nodes.values():
                self._call(scope, node)
        self._known: dict[tuple[str, str], tuple[Origin, ...]] = {}
        self._steps = 0
        self._depth = 0

    def _call(self, scope: str, node: Node) -> None:
        if node.operator in self._graph.functions:
            self._calls.setdefault(node.operator, []).append((scope, node))
        for attribute in node.attributes.values():
            for name in attribute.functions:
                if node.operator in _CALLS and len(attribute.functions) == 1:
                    self._calls.setdefault(name, []).append((scope, node))
                else:
                    self._others.add(name)

    def origins(self, scope: str, tensor: str) -> tuple[Origin, ...]:
        """Who says the text in ``tensor`` of the function ``scope`` (empty: the graph itself)."""
        key = (scope, tensor)
        if key not in self._known:
            self._steps += 1
            self._known[key] = (Origin(UNKNOWN),)  # what goes in circles
            if self._steps <= _MAX_STEPS and self._depth < _MAX_DEPTH:
                self._depth += 1
                self._known[key] = self._follow(scope, tensor, tensor.split(":", 1)[0])
                self._depth -= 1
        return self._known[key]

    def _follow(self, scope: str, tensor: str, name: str) -> tuple[Origin, ...]:
        function = self._graph.functions.get(scope)
        if function is not None and tensor in function.arguments:
            return self._argument(function, function.arguments.index(tensor))
        node = self._nodes[scope].get(name)
        if node is None:
            return (Origin(UNKNOWN),)
        inputs = [item for item in node.inputs if not item.startswith("^")]
        if not scope and name in self._graph.assets:
            return (Origin(ASSET),)
        if node.operator == "Const":
            return (Origin(TEXT, tuple(text for key in node.attributes.values() for text in key.texts)),)
        if node.operator in ("Placeholder", "PlaceholderV2", "PlaceholderWithDefault"):
            return self._placeholder(scope, node, inputs)
        if node.operator in _PASSING and inputs:
            return self.origins(scope, inputs[0])
        if node.operator in _JOINING and inputs:
            return self._joined(scope, inputs)
        if node.operator in _GATHERING:
            found = [origin for item in inputs for origin in self.origins(scope, item)]
            return _merged([origin for origin in found if origin != Origin(TEXT)])
        if node.operator == "ReadVariableOp" and inputs and not scope:
            return self._variable(inputs[0].split(":", 1)[0])
        return (Origin(UNKNOWN),)

    def _placeholder(self, scope: str, node: Node, inputs: list[str]) -> tuple[Origin, ...]:
        if inputs:
            default = self.origins(scope, inputs[0])
            plain = all(
                origin.kind == SAVER or (origin.texts and all(_PLAIN.fullmatch(text) for text in origin.texts))
                for origin in default
            )
            return (Origin(SAVER),) if plain else default
        if node.name in self._graph.savers or not self._graph.meta:
            return (Origin(SAVER),)
        return (Origin(INPUT),)

    def _joined(self, scope: str, inputs: list[str]) -> tuple[Origin, ...]:
        """A saver's name with something harmless behind it is the saver's."""
        first = self.origins(scope, inputs[0])
        for item in inputs[1:]:
            for origin in self.origins(scope, item):
                if origin.kind == INPUT or any(b".." in text for text in origin.texts):
                    return (*first, Origin(INPUT) if origin.kind == INPUT else origin)
        if all(origin.kind == TEXT for origin in first):
            return _merged([*first, *(origin for item in inputs[1:] for origin in self.origins(scope, item))])
        return first

    def _variable(self, variable: str) -> tuple[Origin, ...]:
        found: list[Origin] = []
        for node in self._nodes[""].values():
            if node.operator == "AssignVariableOp" and node.inputs[:1] in ([variable], [f"{variable}:0"]):
                found.extend(self.origins("", node.inputs[1]) if len(node.inputs) > 1 else ())
        return _merged(found) if found else (Origin(UNKNOWN),)

    def _argument(self, function: Function, index: int) -> tuple[Origin, ...]:
        found: list[Origin] = []
        for scope, node in self._calls.get(function.name, ()):
            inputs = [item for item in node.inputs if not item.startswith("^")]
            found.extend(self.origins(scope, inputs[index]) if index < len(inputs) else (Origin(UNKNOWN),))
        if function.name in self._others:
            found.append(Origin(UNKNOWN))
        bound = self._graph.bound.get(function.name, [])
        place = index - (len(function.arguments) - len(bound))
        if bound and place >= 0:
            kind = bound[place]
            if kind == ASSET:
                found.append(Origin(ASSET))
            else:
                found.extend(self.origins("", kind[1:]) if kind.startswith("=") else (Origin(UNKNOWN),))
        return _merged(found) if found else (Origin(INPUT),)


def _merged(found: list[Origin]) -> tuple[Origin, ...]:
    return tuple(dict.fromkeys(found)) or (Origin(UNKNOWN),)
