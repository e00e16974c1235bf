"""Which graph or table format a file is, by content, and by name where the content is none that we know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import IDENTIFY_HEAD_BYTES
from assaymark.formats.protobuf import LENGTH, VARINT, read_fields
from assaymark.formats.tensorflow_tables import begins_as_records
from assaymark.scanning.identity.plain import identify_plain

if TYPE_CHECKING:
    from assaymark.core.view import View

# What the inventory recognises -> the scanner.
_BY_FORMAT: Final = {
    "onnx": "onnx",
    "savedmodel": "tensorflow",
    "tensorflow-graph": "tensorflow",
    "gguf": "gguf",
    "ggml": "ggml",
    "tflite": "tflite",
    "coreml": "coreml",
    "openvino": "openvino",
    "pmml": "pmml",
    "r": "r",
    "paddle": "paddle",
    "paddle-params": "paddle-params",
    "xgboost-ubj": "ubjson",
    "xgboost-binary": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
}
# A loader that is given this name reads the file as this format, whatever is in it.
_BY_SUFFIX: Final = {
    ".onnx": "onnx",
    ".ort": "onnx",
    ".pb": "tensorflow",
    ".meta": "tensorflow",
    ".gguf": "gguf",
    ".tflite": "tflite",
    ".mlmodel": "coreml",
    ".pdmodel": "paddle",
    ".ubj": "ubjson",
    ".cbm": "catboost",
    ".msgpack": "msgpack",
}
_GRAPH_TEXT: Final = re.compile(
    rb"\s*(?:#[^\n]*\n\s*)*(?:node|library|versions|saved_model_schema_version|meta_graphs|meta_info_def|graph_def)\s*[:{]"
)
_PMML: Final = re.compile(rb"<(?:\w+:)?PMML[\s>]")
_OPENVINO: Final = re.compile(rb"<net[\s>]")
_OPENVINO_TOO: Final = (b"<layers", b"<!DOCTYPE", b"<!ENTITY")
_TABLE_MAGIC: Final = (0xDB4775248B80FB57).to_bytes(8, "little")
_TABLE_FOOTER: Final = 48


def graph_kind(view: View) -> str:
    """The scanner's id of a graph or table format; empty when it is none."""
    head = view.read(0, IDENTIFY_HEAD_BYTES)
    if head.startswith(b"GGUF\0") or (head[4:8] in (b"\1\0\0\0", b"\2\0\0\0", b"\3\0\0\0") and head[:4] == b"GGUF"):
        return "gguf"
    if head[4:8] in (b"ET11", b"ET12", b"ET13"):
        return "executorch"
    if head[:4] in (b"ftrt", b"ptrt"):
        return "tensorrt"
    if head[64:68] == b"\xef\xbe\xad\xde" and head[4:8] == b"\2\0\0\0":
        return "coreml-weights"
    found = identify_plain(view, head)
    if found is not None and found.format in _BY_FORMAT and not (found.format == "paddle" and head[:1] == b"{"):
        return _BY_FORMAT[found.format]
    if begins_as_records(view):
        return "tensorflow-records"
    if _is_table(view):
        return "tensorflow-table"
    if head[:1] in (b"\x08", b"\x0a", b"\x12") and _is_meta(view):
        return "tensorflow"
    return ""


def graph_text_kind(text: bytes) -> str:
    """The scanner's id of a graph that is written as text; empty when it is none.

    What comes before the model in XML, a document type above all, may be long.
    """
    if _GRAPH_TEXT.match(text):
        return "tensorflow-text"
    if text[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "pmml" if _PMML.search(text) else "openvino" if _is_openvino(text) else ""
    return ""


def _is_openvino(text: bytes) -> bool:
    return any(word in text for word in _OPENVINO_TOO) and _OPENVINO.search(text) is not None


def kind_by_name(suffix: str) -> str:
    """The scanner of what is not recognised, by its name: what a loader of that format would take is a finding."""
    return _BY_SUFFIX.get(suffix, "")


def _is_table(view: View) -> bool:
    return view.size >= _TABLE_FOOTER and view.read(view.size - 8, 8) == _TABLE_MAGIC


def _is_meta(view: View) -> bool:
    """MetaGraphDef, keras_metadata.pb and fingerprint.pb, which are no models by themselves."""
    try:
        fields = list(read_fields(view, 0, view.size, 10_000))
    except InputError:
        return False
    shape = {(item.number, item.wire) for item in fields}
    if shape <= {(number, LENGTH) for number in range(1, 8)} and {(1, LENGTH), (2, LENGTH)} <= shape:
        return view.read(0, 1) == b"\x0a" and _holds_version(view, fields[0].start, fields[0].end)
    if {(number, VARINT) for number in range(1, 5)} <= shape <= _FINGERPRINT:
        return True
    head = view.read(0, IDENTIFY_HEAD_BYTES)
    return shape == {(1, LENGTH)} and b"\x22" in head and b"_tf_keras" in head


_FINGERPRINT: Final = {(number, VARINT) for number in range(1, 6)} | {(6, LENGTH), (7, LENGTH)}


def _holds_version(view: View, start: int, end: int) -> bool:
    """MetaInfoDef: a version, stripped operators, tags, TensorFlow's version."""
    try:
        inner = {(item.number, item.wire) for item in read_fields(view, start, end, 1000)}
    except InputError:
        return False
    return inner <= {(number, LENGTH) for number in (1, 2, 3, 4, 5, 6, 8)} | {(7, VARINT)} and (2, LENGTH) in inner
