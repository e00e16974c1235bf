"""What may be done with one global, and the words that checks use of values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assaymark.formats.pickle.values import Blob, Global, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.formats.pickle.values import Instance


@dataclass(frozen=True, slots=True)
class Permit:
    """What may be done with one global besides importing it. What is ``None`` or false is refused.

    ``call`` gets the argument tuple of REDUCE (and of OBJ or INST with arguments, which call too), ``new`` that of
    NEWOBJ (and the empty one of OBJ and INST): both return the result or raise ``Refused`` or ``NotChecked``.
    ``build`` checks (instance, state). ``items`` says that SETITEM and SETITEMS may add to an instance, ``append``
    that APPEND, APPENDS and ADDITEMS may. ``value`` says that it may stand as an attribute or argument, where the
    library calls it later, if at all, with data of the user's.
    """

    kind: str
    call: Callable[[tuple[Value, ...]], Value] | None = None
    new: Callable[[tuple[Value, ...]], Value] | None = None
    build: Callable[[Instance, Value], None] | None = None
    items: bool = False
    append: bool = False
    value: bool = False


def is_text(value: Value) -> bool:
    """Text of any length."""
    return isinstance(value, str) or (isinstance(value, Blob) and value.kind == "str")


def is_bytes(value: Value) -> bool:
    """Bytes or a bytearray, never text."""
    return isinstance(value, Blob) and value.kind in ("bytes", "bytearray")


def is_integer(value: Value) -> bool:
    """A whole number, no boolean."""
    return type(value) is int or (isinstance(value, Blob) and value.kind == "int")


def is_class(value: Value) -> bool:
    """A permitted class of which NEWOBJ may make an instance."""
    return isinstance(value, Global) and value.permit is not None and value.permit.new is not None


def is_kind(value: Value, kind: str) -> bool:
    """A permitted global of that kind."""
    return isinstance(value, Global) and value.permit is not None and value.permit.kind == kind
