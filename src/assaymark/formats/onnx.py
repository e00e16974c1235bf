"""Strict reader of ONNX models: nodes, functions and where tensors are kept; tensor data is passed over.

Schema: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (IR version 13). A field that may stand once and stands
twice is refused: readers of protocol buffers merge or replace, so two of them may see different models.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.protobuf import LENGTH, VARINT, Field, Messages

if TYPE_CHECKING:
    from assaymark.core.view import View

_IR_MOST: Final = 100
_EXTERNAL: Final = 1
_MAX_TEXT: Final = 1 << 20
# Fields that may stand once, by message: number -> wire type.
_MODEL_ONCE: Final = (1, 2, 3, 4, 5, 6, 7)
_GRAPH_ONCE: Final = (2, 10)
_NODE_ONCE: Final = (3, 4, 6, 7, 8)
_TENSOR_ONCE: Final = (2, 3, 8, 9, 12, 14)
_ATTRIBUTE_ONCE: Final = (1, 2, 3, 4, 5, 6, 13, 14, 20, 21, 22)
# Bits of one element: TensorProto.DataType.
_BITS: Final = {
    **dict.fromkeys((2, 3, 9, 17, 18, 19, 20, 24), 8),
    **dict.fromkeys((4, 5, 10, 16), 16),
    **dict.fromkeys((1, 6, 12), 32),
    **dict.fromkeys((7, 11, 13, 14), 64),
    15: 128,
    **dict.fromkeys((21, 22, 23), 4),
    **dict.fromkeys((25, 26), 2),
}
_STRING: Final = 8


@dataclass(frozen=True, slots=True)
class OnnxNode:
    """An operator: its domain as written (the empty one is ai.onnx), its text attributes, and its byte offset."""

    domain: str
    operator: str
    name: str
    texts: dict[str, str]
    offset: int


@dataclass(frozen=True, slots=True)
class External:
    """Where a tensor says that its data is: entries as written."""

    tensor: str
    entries: tuple[tuple[str, str], ...]
    offset: int


@dataclass(slots=True)
class Onnx:
    """A model. ``functions``: (domain, name) of those that it defines itself; ``opsets``: domain -> version."""

    version: int = 0
    opsets: dict[str, int] = field(default_factory=dict)
    nodes: list[OnnxNode] = field(default_factory=list)
    functions: set[tuple[str, str]] = field(default_factory=set)
    external: list[External] = field(default_factory=list)


def read_onnx(view: View) -> Onnx:
    """All nodes of the model, those of subgraphs, training graphs and functions among them.

    Raises:
        InputError: ``onnx-malformed``, or a ``protobuf-*`` code.
    """
    return _Reader(view).read()


class _Reader:
    def __init__(self, view: View) -> None:
        self._messages = Messages(view)
        self._model = Onnx()

    def read(self) -> Onnx:
        fields = self._messages.top()
        _once(fields, _MODEL_ONCE, "the model")
        for item in fields:
            match item.number, item.wire:
                case 1, 0:
                    self._model.version = item.value
                case 7, 2:
                    self._graph(item, 0)
                case 8, 2:
                    self._opset(item)
                case 20, 2:
                    self._training(item)
                case 25, 2:
                    self._function(item)
        if not 1 <= self._model.version <= _IR_MOST:
            raise InputError("onnx-malformed", f"IR version {self._model.version}", position="byte 0")
        if not any(item.number == 7 and item.wire == LENGTH for item in fields):  # noqa: PLR2004 - the graph
            raise InputError("onnx-malformed", "a model without a graph", position="byte 0")
        return self._model

    def _texts(self, fields: list[Field], *numbers: int) -> list[str]:
        found = {item.number: item for item in fields if item.wire == LENGTH and item.number in numbers}
        return [self._messages.text(found[number]) if number in found else "" for number in numbers]

    def _opset(self, outer: Field) -> None:
        fields = self._messages.fields(outer)
        (domain,) = self._texts(fields, 1)
        version = next((item.value for item in fields if (item.number, item.wire) == (2, VARINT)), 0)
        self._model.opsets[domain] = max(version, self._model.opsets.get(domain, 0))

    def _training(self, outer: Field) -> None:
        for item in self._messages.fields(outer):
            if item.number in (1, 2) and item.wire == LENGTH:
                self._graph(item, 1)

    def _function(self, outer: Field) -> None:
        fields = self._messages.fields(outer)
        name, domain = self._texts(fields, 1, 10)
        self._model.functions.add((domain, name))
        for item in fields:
            if item.wire != LENGTH:
                continue
            if item.number == 7:  # noqa: PLR2004 - node
                self._node(item, 1)
            elif item.number == 9:  # noqa: PLR2004 - opset_import
                self._opset(item)
            elif item.number == 11:  # noqa: PLR2004 - attribute_proto
                self._attribute(item, 1)

    def _graph(self, outer: Field, depth: int) -> None:
        fields = self._messages.fields(outer, depth)
        _once(fields, _GRAPH_ONCE, "a graph")
        for item in fields:
            if item.wire != LENGTH:
                continue
            if item.number == 1:
                self._node(item, depth)
            elif item.number == 5:  # noqa: PLR2004 - initializer
                self._tensor(item)
            elif item.number == 15:  # noqa: PLR2004 - sparse_initializer
                self._sparse(item)

    def _node(self, outer: Field, depth: int) -> None:
        fields = self._messages.fields(outer)
        _once(fields, _NODE_ONCE, "a node")
        name, operator, domain = self._texts(fields, 3, 4, 7)
        texts: dict[str, str] = {}
        for item in fields:
            if item.number == 5 and item.wire == LENGTH:  # noqa: PLR2004 - attribute
                key, value = self._attribute(item, depth)
                if value:
                    texts[key] = value
        self._model.nodes.append(OnnxNode(domain, operator, name, texts, outer.start))

    def _attribute(self, outer: Field, depth: int) -> tuple[str, str]:
        fields = self._messages.fields(outer)
        _once(fields, _ATTRIBUTE_ONCE, "an attribute")
        (key,) = self._texts(fields, 1)
        value = ""
        for item in fields:
            if item.wire != LENGTH:
                continue
            match item.number:
                case 4 if item.end - item.start <= _MAX_TEXT:
                    value = self._messages.text(item, _MAX_TEXT)
                case 5 | 10:
                    self._tensor(item)
                case 6 | 11:
                    self._graph(item, depth + 1)
                case 22 | 23:
                    self._sparse(item)
        return key, value

    def _sparse(self, outer: Field) -> None:
        for item in self._messages.fields(outer):
            if item.number in (1, 2) and item.wire == LENGTH:
                self._tensor(item)

    def _tensor(self, outer: Field) -> None:
        fields = self._messages.fields(outer)
        _once(fields, _TENSOR_ONCE, "a tensor")
        (name,) = self._texts(fields, 8)
        entries: list[tuple[str, str]] = []
        external = False
        for item in fields:
            if (item.number, item.wire) == (13, LENGTH):
                key, value = self._texts(self._messages.fields(item), 1, 2)
                entries.append((key, value))
            elif (item.number, item.wire) == (14, VARINT):
                external = item.value == _EXTERNAL
        if entries or external:
            self._model.external.append(External(name, tuple(entries), outer.start))
        elif any((item.number, item.wire) == (9, LENGTH) for item in fields):
            self._raw(fields, name)

    def _raw(self, fields: list[Field], name: str) -> None:
        """Raw data has the size that shape and type take: a reader that trusts one of them reads beyond the other."""
        kind = next((item.value for item in fields if (item.number, item.wire) == (2, VARINT)), 0)
        raw = next(item for item in fields if (item.number, item.wire) == (9, LENGTH))
        if kind == _STRING:
            raise InputError(
                "onnx-malformed", f"the tensor {name[:80]!r} keeps text as raw data", position=f"byte {raw.start}"
            )
        bits = _BITS.get(kind)
        if bits is None:
            return
        for item in fields:
            if item.number != 1:
                continue
            for size in self._sizes(item):
                bits *= size
                if size >= 1 << 63 or bits >= 1 << 67:
                    raise InputError(
                        "onnx-malformed", f"the shape of {name[:80]!r} overflows", position=f"byte {raw.start}"
                    )
        if (bits + 7) // 8 != raw.end - raw.start:
            message = f"the tensor {name[:80]!r} takes {(bits + 7) // 8} bytes and has {raw.end - raw.start}"
            raise InputError("onnx-malformed", message, position=f"byte {raw.start}")

    def _sizes(self, item: Field) -> list[int]:
        return [item.value] if item.wire == VARINT else self._messages.numbers(item)


def _once(fields: list[Field], numbers: tuple[int, ...], what: str) -> None:
    seen: set[int] = set()
    for item in fields:
        if item.number in numbers:
            if item.number in seen:
                message = f"field {item.number} of {what} stands twice: readers take one or the other, or both"
                raise InputError("onnx-malformed", message, position=f"byte {item.start}")
            seen.add(item.number)
