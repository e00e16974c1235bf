"""Fuzz target: the engine that plans a conversion, and the reader of its answer."""

from assaymark.convert.engine import answer
from assaymark.convert.plan import plan_from_json
from assaymark.core.view import BytesView


def fuzz(data: bytes) -> None:
    """Every plan that is made for some bytes is one that their reader takes, and stays within them."""
    said = answer(BytesView(data), "x")
    if "error" in said:
        if not said["error"]["code"]:
            raise AssertionError("an error without a code")
        return
    plan = plan_from_json(said["plan"], len(data))
    if any(tensor.reach > len(data) for tensor in plan.tensors):
        raise AssertionError("a tensor beyond the file")
