"""Models that are protocol buffers, which have no magic: the fields of the outer messages decide.

Schemas: onnx/onnx.proto, tensorflow/core/protobuf/saved_model.proto and meta_graph.proto, graph.proto, coremltools
Model.proto, paddle/fluid/framework/framework.proto.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import IDENTIFY_MAX_FIELDS, IDENTIFY_REFERENCES_BYTES
from assaymark.formats.protobuf import LENGTH, VARINT, read_fields
from assaymark.scanning.identity.identified import Identified

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.view import View
    from assaymark.formats.protobuf import Field

_SMALLEST: Final = 8  # bytes
_LOOKED_AT: Final = 256  # fields of an inner message
# ModelProto: ir_version, producer_name, producer_version, domain, model_version, doc_string, graph, opset_import,
# metadata_props, training_info, functions, configuration.
_ONNX: Final = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
# GraphProto: node, name, initializer, doc_string, input, output, value_info, quantization, sparse, metadata.
_ONNX_GRAPH: Final = dict.fromkeys((1, 2, 5, 10, 11, 12, 13, 14, 15, 16), LENGTH)
_ONNX_IR_MOST: Final = 100
# MetaGraphDef: meta_info, graph, saver, collection, signature, asset, object graph.
_META_GRAPH: Final = dict.fromkeys(range(1, 8), LENGTH)
# GraphDef: node, library, version, versions, debug info.
_GRAPH: Final = {1: 2, 2: 2, 3: 0, 4: 2, 5: 2}
# Core ML Model: specificationVersion, description, isUpdatable; the model itself is a field from 200 on.
_COREML: Final = {1: 0, 2: 2, 10: 0}
_COREML_MODEL: Final = range(200, 10_000)
_COREML_VERSION_MOST: Final = 100
# ProgramDesc: blocks, version, op_version_map; BlockDesc: idx, parent_idx, vars, ops, forward_block_idx.
_PADDLE: Final = {1: 2, 4: 2, 5: 2}
_PADDLE_BLOCK: Final = {1: 0, 2: 0, 3: 2, 4: 2, 5: 0}
_OPERATION: Final = re.compile(rb"[A-Z_][A-Za-z0-9_>]{0,127}")
_LOCATION: Final = re.compile(rb"\x0a\x08location\x12([\x01-\x7f])")

# A first byte is a key that one of these schemas may begin with.
_FIRST_KEYS: Final = frozenset(
    number << 3 | wire
    for schema in (_ONNX, _GRAPH, _COREML, _PADDLE)
    for number, wire in schema.items()
    if number < 16  # noqa: PLR2004 - larger numbers take two bytes
)


def identify_protobuf(view: View, head: bytes) -> Identified | None:
    """``onnx``, ``savedmodel``, ``tensorflow-graph``, ``coreml`` or ``paddle``; None for anything else.

    The fields must lead exactly to the end of the file, each of the type that the schema gives it.
    """
    if view.size < _SMALLEST or not head or head[0] not in _FIRST_KEYS:
        return None
    try:
        fields = list(read_fields(view, 0, view.size, IDENTIFY_MAX_FIELDS))
        return next((found for probe in _PROBES if (found := probe(view, fields)) is not None), None)
    except InputError as error:
        if error.code == "identify-limit":
            raise
        return None


def _fits(fields: list[Field], schema: dict[int, int]) -> bool:
    return all(schema.get(field.number) == field.wire for field in fields)


def _inner(view: View, field: Field) -> list[Field]:
    return list(islice(read_fields(view, field.start, field.end, IDENTIFY_MAX_FIELDS), _LOOKED_AT))


def _one(fields: list[Field], number: int) -> Field | None:
    found = [field for field in fields if field.number == number]
    return found[0] if len(found) == 1 else None


def _onnx(view: View, fields: list[Field]) -> Identified | None:
    graph, version = _one(fields, 7), _one(fields, 1)
    if graph is None or version is None or not 1 <= version.value <= _ONNX_IR_MOST or not _fits(fields, _ONNX):
        return None
    inner = _inner(view, graph)
    if not inner or not _fits(inner, _ONNX_GRAPH):
        return None
    return Identified("onnx", refers=_locations(view))


def _locations(view: View) -> tuple[str, ...]:
    """Names of files that hold tensors, from ``external_data`` entries (key ``location``) near the beginning."""
    data = view.read(0, min(view.size, IDENTIFY_REFERENCES_BYTES))
    names = (data[match.end() : match.end() + match[1][0]] for match in _LOCATION.finditer(data))
    return tuple(dict.fromkeys(name.decode("utf-8", "replace") for name in names))


def _savedmodel(view: View, fields: list[Field]) -> Identified | None:
    graphs = [field for field in fields if field.number == 2]  # noqa: PLR2004 - SavedModel.meta_graphs
    if not graphs or not _fits(fields, {1: VARINT, 2: LENGTH}):
        return None
    inner = _inner(view, graphs[0])
    graph = _one(inner, 2)
    if graph is None or not _fits(inner, _META_GRAPH) or not _fits(_inner(view, graph), _GRAPH):
        return None
    return Identified("savedmodel")


def _tensorflow_graph(view: View, fields: list[Field]) -> Identified | None:
    nodes = [field for field in fields if field.number == 1 and field.wire == LENGTH]
    if not nodes or not _fits(fields, _GRAPH):
        return None
    for node in nodes[:8]:
        inner = _inner(view, node)
        operation = _one(inner, 2)
        if operation is None or _one(inner, 1) is None or operation.wire != LENGTH:
            return None
        if not _OPERATION.fullmatch(view.read(operation.start, min(operation.end - operation.start, _LOOKED_AT))):
            return None
    return Identified("tensorflow-graph")


def _coreml(_view: View, fields: list[Field]) -> Identified | None:
    version = _one(fields, 1)
    models = [field for field in fields if field.number in _COREML_MODEL and field.wire == LENGTH]
    rest = [field for field in fields if field.number not in _COREML_MODEL]
    if version is None or not 1 <= version.value <= _COREML_VERSION_MOST:
        return None
    if len(models) != 1 or len(models) + len(rest) != len(fields) or not _fits(rest, _COREML):
        return None
    return Identified("coreml")


def _paddle(view: View, fields: list[Field]) -> Identified | None:
    block = next((field for field in fields if field.number == 1), None)
    if block is None or not _fits(fields, _PADDLE):
        return None
    inner = _inner(view, block)
    if not inner or not _fits(inner, _PADDLE_BLOCK) or not {1, 2} <= {field.number for field in inner}:
        return None
    return Identified("paddle")


_PROBES: Final[tuple[Callable[[View, list[Field]], Identified | None], ...]] = (
    _onnx,
    _savedmodel,
    _paddle,
    _tensorflow_graph,
    _coreml,
)
