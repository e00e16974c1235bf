"""``items``: the items of a value that may be a sequence, each with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assaymark.formats.located import Seq

if TYPE_CHECKING:
    from collections.abc import Iterator


def items(value: Any, line: int = 1) -> Iterator[tuple[int, Any]]:
    """Line and item of each; a value that is no sequence is its only item, and nothing has none.

    ``line`` is that of a value that does not know its own.
    """
    if isinstance(value, Seq):
        yield from ((value.at(index), item) for index, item in enumerate(value))
    elif isinstance(value, list):
        yield from ((line, item) for item in value)
    elif value is not None:
        yield line, value
