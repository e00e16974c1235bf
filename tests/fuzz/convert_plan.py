"""Fuzz target: the engine that plans a conversion, and the reader of its answer."""

from collections.abc import Generator
from typing import Any

from assaymark.convert.engine import answer
from assaymark.convert.plan import plan_from_json
from assaymark.core.view import BytesView


def drained(made: Generator[bytes, None, dict[str, Any]]) -> tuple[dict[str, Any], int]:
    """The answer, and how many bytes were handed out before it."""
    size = 0
    while True:
        try:
            size += len(next(made))
        except StopIteration as end:
            return end.value, size


def fuzz(data: bytes) -> None:
    """Every plan that is made for some bytes is one that their reader takes, and stays within them."""
    said, derived = drained(answer(BytesView(data), "x"))
    if "unpacked" in said:
        if said["unpacked"] != derived:
            raise AssertionError("other bytes than were handed out")
        return
    if "error" in said:
        if not said["error"]["code"]:
            raise AssertionError("an error without a code")
        return
    plan = plan_from_json(said["plan"], len(data), derived)
    if any(tensor.reach > len(data) + derived for tensor in plan.tensors):
        raise AssertionError("a tensor beyond the file")
