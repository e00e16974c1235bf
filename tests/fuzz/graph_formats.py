"""Fuzz target: the readers of graph and table formats, each over the same bytes."""

from collections.abc import Callable

from tests.support.examples_graphs import EXAMPLES

from assaymark.core.errors import InputError
from assaymark.core.view import BytesView, View
from assaymark.formats import (
    coreml,
    executorch,
    ggml,
    gguf,
    msgpack,
    onnx,
    paddle,
    r,
    tensorflow,
    tensorflow_tables,
    tflite,
    trees,
    ubjson,
    xml,
)
from assaymark.formats.tensorflow_text import read_tensorflow_text
from assaymark.formats.torchscript import read_torchscript

SEEDS = [data for files in EXAMPLES.values() for data in files.values()]
READERS: tuple[Callable[[View], object], ...] = (
    coreml.read_coreml,
    coreml.read_weights,
    executorch.read_executorch,
    ggml.read_ggml,
    gguf.read_gguf,
    msgpack.read_msgpack,
    onnx.read_onnx,
    paddle.read_paddle,
    paddle.read_parameters,
    r.read_r,
    tensorflow.read_tensorflow,
    tensorflow_tables.begins_as_records,
    tensorflow_tables.read_records,
    tensorflow_tables.read_table,
    tflite.read_tflite,
    trees.read_catboost,
    trees.read_lightgbm,
    trees.read_xgboost,
    ubjson.read_ubjson,
    lambda view: xml.read_xml(view, lambda *_: None),
    lambda view: read_tensorflow_text(view.read(0, view.size)),
    lambda view: read_torchscript(view.read(0, view.size)),
)


def fuzz(data: bytes) -> None:
    """Nothing but InputError is raised, also behind the magic of each format."""
    for front in (
        b"",
        b"GGUF\3\0\0\0",
        b"\x1c\0\0\0TFL3",
        b"\x1c\0\0\0ET12",
        b"CBM1",
        b"X\n\0\0\0\2\0\4\3\1\0\2\3\0",
    ):
        for read in READERS:
            try:
                read(BytesView(front + data))
            except InputError as error:
                if not error.code or not error.message:
                    raise AssertionError("an error without a code") from error
