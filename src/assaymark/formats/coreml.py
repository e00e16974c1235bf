"""Reader of Core ML models: what they need from outside, and which files they name.

Schemas: mlmodel/format/Model.proto, NeuralNetwork.proto, CustomModel.proto, LinkedModel.proto and MIL.proto of
coremltools 9. Weights are passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.protobuf import LENGTH, VARINT, Field, Messages

if TYPE_CHECKING:
    from assaymark.core.view import View

_VERSION_MOST: Final = 100
_MAX_BLOBS: Final = 1_000_000
# Model.Type: fields of the models that are looked into.
_PIPELINES: Final = {200: 1, 201: 1, 202: None}  # classifier and regressor hold a Pipeline in field 1
_NETWORKS: Final = frozenset((303, 403, 500))
_PROGRAM: Final = 502
_CUSTOM_MODEL: Final = 555
_LINKED_MODEL: Final = 556
# NeuralNetworkLayer: fields of layers that hold networks -> the networks' fields.
_NESTED: Final = {600: (1, 2), 615: (4, 5)}
_CUSTOM_LAYER: Final = 500


@dataclass(slots=True)
class CoreMl:
    """``custom``: (what, class, byte) of code that the application must bring. ``files``: (name, byte)."""

    custom: list[tuple[str, str, int]] = field(default_factory=list)
    files: list[tuple[str, int]] = field(default_factory=list)
    operators: set[str] = field(default_factory=set)


def read_coreml(view: View) -> CoreMl:
    """What the model needs from outside.

    Raises:
        InputError: ``coreml-malformed``, or a ``protobuf-*`` code.
    """
    reader = _Reader(Messages(view))
    reader.model(reader.messages.top(), 0)
    return reader.found


class _Reader:
    def __init__(self, messages: Messages) -> None:
        self.messages = messages
        self.found = CoreMl()

    def _inner(self, outer: Field, number: int, depth: int = 0) -> list[Field]:
        fields = self.messages.fields(outer, depth)
        return [item for item in fields if (item.number, item.wire) == (number, LENGTH)]

    def _text(self, outer: Field, number: int) -> str:
        return next((self.messages.text(item) for item in self._inner(outer, number)), "")

    def model(self, fields: list[Field], depth: int) -> None:
        version = [item.value for item in fields if (item.number, item.wire) == (1, VARINT)]
        kinds = [item for item in fields if item.number >= 200 and item.wire == LENGTH]  # noqa: PLR2004 - Model.Type
        if len(version) != 1 or not 1 <= version[0] <= _VERSION_MOST or len(kinds) != 1:
            message = "a model has one version and is of one type"
            raise InputError("coreml-malformed", message, position=f"byte {fields[0].start if fields else 0}")
        kind = kinds[0]
        if kind.number in _PIPELINES:
            inner = _PIPELINES[kind.number]
            for pipeline in self._inner(kind, inner) if inner else [kind]:
                for model in self._inner(pipeline, 1, depth):
                    self.model(self.messages.fields(model, depth + 1), depth + 1)
        elif kind.number in _NETWORKS:
            self._network(kind, depth)
        elif kind.number == _PROGRAM:
            self._program(kind)
        elif kind.number == _CUSTOM_MODEL:
            self.found.custom.append(("model", self._text(kind, 10), kind.start))
        elif kind.number == _LINKED_MODEL:
            for link in self._inner(kind, 1):
                for number in (1, 2):
                    for name in self._inner(link, number):
                        self.found.files.append((self._text(name, 1), name.start))

    def _network(self, outer: Field, depth: int) -> None:
        for layer in self._inner(outer, 1, depth):
            for item in self.messages.fields(layer):
                if item.wire != LENGTH:
                    continue
                if item.number == _CUSTOM_LAYER:
                    self.found.custom.append(("layer", self._text(item, 10), item.start))
                for number in _NESTED.get(item.number, ()):
                    for network in self._inner(item, number):
                        self._network(network, depth + 1)

    def _program(self, outer: Field) -> None:
        for entry in self._inner(outer, 2):
            for function in self._inner(entry, 2):
                for specialised in self._inner(function, 3):
                    for block in self._inner(specialised, 2):
                        self._block(block, 0)

    def _block(self, outer: Field, depth: int) -> None:
        for item in self.messages.fields(outer, depth):
            if (item.number, item.wire) == (3, LENGTH):
                self._operation(item, depth)

    def _operation(self, outer: Field, depth: int) -> None:
        kind = ""
        for item in self.messages.fields(outer):
            if item.wire != LENGTH:
                continue
            if item.number == 1:
                kind = self.messages.text(item)
                self.found.operators.add(kind)
            elif item.number == 2:  # noqa: PLR2004 - inputs: name to arguments, which may be values
                for argument in self._inner(item, 2):
                    for binding in self._inner(argument, 1):
                        for value in self._inner(binding, 2):
                            self._value(value)
            elif item.number == 4:  # noqa: PLR2004 - blocks
                self._block(item, depth + 1)
            elif item.number == 5:  # noqa: PLR2004 - attributes: name to value
                for value in self._inner(item, 2):
                    self._value(value)
        if kind == "custom_layer":
            self.found.custom.append(("layer", kind, outer.start))

    def _value(self, outer: Field) -> None:
        for blob in self._inner(outer, 5):
            self.found.files.append((self._text(blob, 1), blob.start))


def read_weights(view: View) -> int:
    """The number of blobs in a file of weights beside an ML program (mlmodel/src/MILBlob/Blob/StorageFormat.hpp).

    Raises:
        InputError: ``coreml-weights``.
    """
    head = view.read(0, 64)
    count, version = int.from_bytes(head[:4], "little"), int.from_bytes(head[4:8], "little")
    place = 64
    if len(head) < place or version != 2 or any(head[8:]) or not 0 < count <= view.size // 64:  # noqa: PLR2004
        raise InputError("coreml-weights", "no file of weights", position="byte 0")
    if count > _MAX_BLOBS:
        raise InputError("graph-size", f"{count} blobs", position="byte 0")
    for _ in range(count):
        entry = view.read(place, 64)
        size, offset = int.from_bytes(entry[8:16], "little"), int.from_bytes(entry[16:24], "little")
        if entry[:4] != b"\xef\xbe\xad\xde" or offset != place + 64 or offset + size > view.size:
            raise InputError(
                "coreml-weights", "a blob that is none, or leads out of the file", position=f"byte {place}"
            )
        place = -(-(offset + size) // 64) * 64
    if place < view.size:
        raise InputError("coreml-weights", f"{view.size - place} bytes after the last blob", position=f"byte {place}")
    return count
