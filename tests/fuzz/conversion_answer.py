"""Fuzz target: what a confined process may answer instead of a plan."""

from assaymark.convert.plan import plan_from_json
from assaymark.core.canonical import parse_json
from assaymark.core.errors import InputError


def fuzz(data: bytes) -> None:
    """A plan, or a clear refusal."""
    try:
        plan_from_json(parse_json(data), 4096)
    except InputError:
        return
