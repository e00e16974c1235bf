"""Checks in code of what pandas writes, for the allow-list ``pandas``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.formats.pickle.values import Instance
from assaymark.scanning.pickle.permit import is_kind
from assaymark.scanning.pickle.refusal import Refused
from assaymark.scanning.pickle.shapes import check_attributes

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.formats.pickle.values import Value


def new_index(arguments: tuple[Value, ...]) -> Value:
    """``_new_Index(cls, keywords)``: ``cls.__new__(cls, **keywords)``."""
    if len(arguments) != 2 or not is_kind(arguments[0], "pandas index class"):  # noqa: PLR2004
        raise Refused("with something that is no index")
    check_attributes(arguments[1])
    return Instance("pandas index")


CHECKS: Final[dict[str, Callable[..., Value]]] = {"pandas.new_index": new_index}
