"""The graph of a functional model: its calls, as each version writes them, and the order of its layers in Keras 3.

Keras 3 finds the weights of a layer by its class and its place in that order, which it computes anew when it loads
(``map_graph`` in ``keras/src/ops/function.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.convert.keras.objects import plain, refuse, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TENSOR: Final = "__keras_tensor__"
# Arguments of a call that are tensors, and those that are plain.
_TENSORS: Final = frozenset(("value", "key", "query", "initial_state", "mask", "attention_mask"))
_PLAIN: Final = frozenset(("training", "return_attention_scores", "use_causal_mask"))
_SEVERAL: Final = frozenset(("MultiHeadAttention",))  # classes that are called with more than one argument
# Classes that take a list of tensors as one argument.
_LISTS: Final = frozenset(
    (
        *("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"),
        *("Attention", "AdditiveAttention", "Functional", "Sequential"),
    )
)
_STATEFUL: Final = frozenset(("GRU", "LSTM", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"))


@dataclass(frozen=True, slots=True)
class Ref:
    """The output of a call: which layer, which of its calls, which of the tensors.

    ``shape`` and ``dtype`` are written for people: Keras computes both anew.
    """

    layer: str
    node: int
    tensor: int
    shape: tuple[int | None, ...] = (None,)
    dtype: str = "float32"


@dataclass(frozen=True, slots=True)
class Node:
    """A call of a layer."""

    args: list[Any]
    kwargs: dict[str, Any]

    def refs(self) -> Iterator[Ref]:
        """The tensors that it takes, in Keras' order."""
        yield from _refs([self.args, [self.kwargs[key] for key in sorted(self.kwargs)]])

    def written(self) -> dict[str, Any]:
        """As Keras 3 writes it."""
        kwargs = {key: _written(self.kwargs[key]) for key in sorted(self.kwargs)}
        return {"args": [_written(value) for value in self.args], "kwargs": kwargs}


def read_node(value: Any, class_name: str, where: str, rename: Callable[[Ref], Ref]) -> Node:
    """A call as either version wrote it. ``rename`` gives the layer's new name and counts its calls from 0.

    Raises:
        InputError: ``convert-keras``.
    """
    if isinstance(value, dict):
        args, kwargs = value.get("args"), value.get("kwargs")
        if not isinstance(args, (list, tuple)) or not isinstance(kwargs, dict):
            refuse(where, "a malformed call")
        read = [_structure(item, where, rename) for item in args]
        found = {key: _structure(item, where, rename) for key, item in kwargs.items()}
    elif isinstance(value, list) and value:
        read, found = _read_second(value, class_name, where, rename)
    else:
        refuse(where, "a call without tensors")
    for key, item in list(found.items()):
        if item is None:
            del found[key]
        elif key in _PLAIN:
            plain(item, where, key)
        elif key not in _TENSORS or not any(True for _ in _refs([item])):
            refuse(where, f"a call with {shown(key)}, which is not converted")
    if class_name not in _SEVERAL and len(read) != 1:
        refuse(where, f"{shown(class_name)} called with {len(read)} arguments, as an operation, not as a layer")
    if class_name not in _LISTS and any(isinstance(item, list) for item in read):
        refuse(where, f"{shown(class_name)} called with a list of tensors")
    if not all(any(True for _ in _refs([item])) for item in read):
        refuse(where, "a call with a constant, which is not converted")
    return Node(read, found)


def _read_second(
    value: list[Any], class_name: str, where: str, rename: Callable[[Ref], Ref]
) -> tuple[list[Any], dict[str, Any]]:
    """Keras 2: ``[[layer, call, tensor, arguments], ...]``; a tensor among the arguments is the first three."""
    entries = [value] if isinstance(value[0], str) else value
    refs: list[Ref] = []
    kwargs: dict[str, Any] = {}
    for entry in entries:
        if not isinstance(entry, list) or not 3 <= len(entry) <= 4:  # noqa: PLR2004
            refuse(where, "a call whose arguments are neither a tensor nor a list of them")
        refs.append(rename(_ref(entry[:3], where)))
        more = entry[3] if len(entry) == 4 else {}  # noqa: PLR2004
        if not isinstance(more, dict):
            refuse(where, "a malformed call")
        kwargs |= {key: _second(item, where, rename) if key in _TENSORS else item for key, item in more.items()}
    if len(refs) == 1:
        return refs, kwargs
    if class_name in _STATEFUL:  # Keras 2 passes states along with the input
        return refs[:1], {**kwargs, "initial_state": refs[1:]}
    return [refs], kwargs


def _second(value: Any, where: str, rename: Callable[[Ref], Ref]) -> Any:
    if isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str):
        return rename(_ref(value[:3], where))
    if isinstance(value, list):
        return [_second(item, where, rename) for item in value[:100]]
    return plain(value, where, "an argument")


def _ref(value: list[Any], where: str) -> Ref:
    layer, node, tensor = value
    if not isinstance(layer, str) or type(node) is not int or type(tensor) is not int or min(node, tensor) < 0:
        refuse(where, "a call with a constant, which is not converted")
    return Ref(layer, node, tensor)


def _structure(value: Any, where: str, rename: Callable[[Ref], Ref]) -> Any:
    """Keras 3: tensors are objects; lists of them, and plain values."""
    if isinstance(value, list):
        return [_structure(item, where, rename) for item in value]
    if isinstance(value, dict) and value.get("class_name") == _TENSOR and isinstance(value.get("config"), dict):
        config = value["config"]
        history, shape, dtype = config.get("keras_history"), config.get("shape"), config.get("dtype")
        if not isinstance(history, list) or len(history) != 3 or not isinstance(dtype, str):  # noqa: PLR2004
            refuse(where, "a malformed tensor")
        if not isinstance(shape, list) or not all(size is None or type(size) is int for size in shape):
            refuse(where, "a malformed tensor")
        ref = _ref(history, where)
        return rename(Ref(ref.layer, ref.node, ref.tensor, tuple(shape), dtype))
    return plain(value, where, "a call")


def read_ends(value: Any, where: str, rename: Callable[[Ref], Ref]) -> list[Ref]:
    """``input_layers`` or ``output_layers``: one ``[layer, call, tensor]``, or a list of them.

    Raises:
        InputError: ``convert-keras``.
    """
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):  # noqa: PLR2004
        return [rename(_ref(value, where))]
    if not isinstance(value, list) or not value or not all(isinstance(x, list) and len(x) == 3 for x in value):  # noqa: PLR2004
        refuse(where, "inputs or outputs that are neither a tensor nor a list of them")
    return [rename(_ref(item, where)) for item in value]


def layer_order(nodes: dict[str, list[Node]], inputs: list[Ref], outputs: list[Ref], where: str) -> list[str]:
    """The names of the layers in Keras 3's order: by depth, then as a walk from the outputs meets them.

    Raises:
        InputError: ``convert-keras`` for a graph with a loop, or with what no output needs.
    """
    indices: dict[str, int] = {}
    finished: list[tuple[str, int]] = []
    _walk(nodes, outputs, where, indices, finished)
    depths: dict[tuple[str, int], int] = {}
    layers: dict[str, int] = {}
    for node in reversed(finished):
        depth = max(depths.get(node, 0), layers.get(node[0], 0))
        layers[node[0]] = depths[node] = depth
        for ref in nodes[node[0]][node[1]].refs():
            before = (ref.layer, ref.node)
            depths[before] = max(depth + 1, depths.get(before, 0))
    for ref in inputs:
        if ref.layer not in layers:
            layers[ref.layer], indices[ref.layer] = 0, -1
    for name in nodes:
        if name not in layers:
            refuse(f"{where}/{name}", "a layer that no output needs, which Keras 3 would leave out")
    return sorted(layers, key=lambda name: (-layers[name], indices[name]))


def _walk(
    nodes: dict[str, list[Node]],
    outputs: list[Ref],
    where: str,
    indices: dict[str, int],
    finished: list[tuple[str, int]],
) -> None:
    """Depth first from the outputs; ``finished`` are calls behind all that they need."""
    done: set[tuple[str, int]] = set()
    active: set[tuple[str, int]] = set()
    for output in outputs:
        stack: list[tuple[tuple[str, int], Iterator[Ref]]] = []
        refs: Iterator[Ref] = iter((output,))
        while True:
            ref = next(refs, None)
            if ref is None:
                if not stack:
                    break
                node, refs = stack.pop()
                done.add(node)
                active.remove(node)
                finished.append(node)
                continue
            node = (ref.layer, ref.node)
            if node in done:
                continue
            if node in active or ref.node >= len(nodes.get(ref.layer, ())):
                refuse(where, f"a graph that leads back or nowhere, at {shown(ref.layer)}")
            indices.setdefault(ref.layer, len(indices))
            active.add(node)
            stack.append((node, refs))
            refs = nodes[ref.layer][ref.node].refs()


def _refs(value: Any) -> Iterator[Ref]:
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _refs(item)


def _written(value: Any) -> Any:
    if isinstance(value, Ref):
        history = [value.layer, value.node, value.tensor]
        config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": history}
        return {"class_name": _TENSOR, "config": config}
    if isinstance(value, list):
        return [_written(item) for item in value]
    return value
