"""Fuzz target: the engine that plans a ``.keras`` archive, and the reader of its answer."""

from pathlib import Path

from tests.fuzz.convert_plan import drained
from tests.support.hdf5_files import hdf5, text_attribute

from assaymark.convert.engine import answer_keras
from assaymark.convert.plan import plan_from_json
from assaymark.core.view import BytesView

_VECTORS = Path(__file__).parents[1] / "vectors" / "keras"
SEEDS = (
    hdf5([text_attribute("model_config", '{"class_name": "Sequential"}'), text_attribute("keras_version", "2.15.0")]),
    (_VECTORS / "graph-2.h5").read_bytes(),
)


def fuzz(data: bytes) -> None:
    """Every plan that is made for some bytes is one that their reader takes, and stays within them."""
    said, derived = drained(answer_keras(BytesView(data), "x"))
    if "unpacked" in said:
        return
    if "error" in said:
        if not said["error"]["code"]:
            raise AssertionError("an error without a code")
        return
    plan = plan_from_json(said["plan"], len(data), derived)
    if plan.target != "keras" or any(tensor.reach > len(data) + derived for tensor in plan.tensors):
        raise AssertionError("a tensor beyond the file, or another target")
