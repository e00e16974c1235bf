"""Fuzz target: whole examinations of graphs and tables, by names that promise each format."""

from tests.fuzz import graph_formats

from assaymark.core.canonical import canonical_json
from assaymark.core.report_json import report_to_json
from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine

SEEDS = graph_formats.SEEDS
NAMES = (
    "m.onnx",
    "m.pb",
    "m.pbtxt",
    "m.gguf",
    "m.tflite",
    "m.mlmodel",
    "m.pdmodel",
    "m.ubj",
    "m.msgpack",
    "m.rds",
    "m.xml",
)


def fuzz(data: bytes) -> None:
    """Nothing is raised, and the report can be signed."""
    for name in (NAMES[len(data) % len(NAMES)], "model"):
        canonical_json(report_to_json(examine(BytesView(data), name)))
