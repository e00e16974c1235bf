"""Fuzz target: log entries."""

from assaymark.core.errors import InputError
from assaymark.tlog.leaf import format_leaf, parse_leaf


def fuzz(data: bytes) -> None:
    """What parses is the only spelling; anything else is an InputError."""
    try:
        leaf = parse_leaf(data)
    except InputError:
        return
    if format_leaf(leaf) != data:
        raise AssertionError("an entry with two spellings")
