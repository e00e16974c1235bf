"""Strict reader of TensorFlow Lite: operators, and indexes and buffers within their bounds.

Schema: tensorflow/compiler/mlir/lite/schema/schema.fbs, version 3. Indexes that lead out of lists were memory
errors in the interpreter more than once (CVE-2020-15211, CVE-2022-23558).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.formats.flatbuffers import Buffer, Table

if TYPE_CHECKING:
    from assaymark.core.view import View

_CUSTOM: Final = 32
_VERSION: Final = 3


@dataclass(slots=True)
class Tflite:
    """``custom``: names of custom operators, with the byte of each's table. ``end``: where the last buffer ends."""

    custom: dict[str, int] = field(default_factory=dict)
    operators: int = 0
    end: int = 0


def read_tflite(view: View) -> Tflite:
    """The model's custom operators.

    Raises:
        InputError: ``tflite-malformed``, ``flatbuffers-malformed``, ``graph-size``.
    """
    if view.read(4, 4) != b"TFL3":
        raise InputError("tflite-malformed", "no TensorFlow Lite model", position="byte 4")
    model = Buffer(view).root()
    if model.number(0, 4) != _VERSION:
        raise InputError("tflite-malformed", f"version {model.number(0, 4)}", position=f"byte {model.at}")
    found = Tflite()
    codes = model.tables(1)
    for code in codes:
        builtin = max(code.number(0, 1, signed=True), code.number(3, 4, signed=True))
        if builtin == _CUSTOM:
            found.custom.setdefault(code.text(1), code.at)
    buffers = model.tables(4)
    for item in buffers:
        found.end = max(found.end, _buffer(view, item))
    for graph in model.tables(2):
        _subgraph(graph, len(codes), len(buffers))
        found.operators += graph.vector(3, 4)[1]
    return found


def _buffer(view: View, item: Table) -> int:
    start, count = item.vector(0, 1)
    offset, size = item.number(1, 8), item.number(2, 8)
    if offset > 1 and offset + size > view.size:
        raise InputError("tflite-malformed", "a buffer leads out of the file", position=f"byte {item.at}")
    return max(start + count, offset + size if offset > 1 else 0)


def _subgraph(graph: Table, codes: int, buffers: int) -> None:
    tensors = graph.tables(0)
    for tensor in tensors:
        if tensor.number(2, 4) >= max(buffers, 1):
            raise InputError("tflite-malformed", "a tensor's buffer is not there", position=f"byte {tensor.at}")
    indexes = [*graph.numbers(1), *graph.numbers(2)]
    for operator in graph.tables(3):
        if operator.number(0, 4) >= codes:
            raise InputError("tflite-malformed", "an operator's code is not there", position=f"byte {operator.at}")
        indexes += operator.numbers(1)
        indexes += operator.numbers(2)
    if any(not -1 <= index < len(tensors) for index in indexes):
        raise InputError(
            "tflite-malformed", "an index of a tensor leads out of the list", position=f"byte {graph.at}"
        )
