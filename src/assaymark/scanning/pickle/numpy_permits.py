"""What NumPy writes for arrays and scalars, with checks on the states that its C code trusts.

``dtype.__setstate__`` (numpy/_core/src/multiarray/descriptor.c) takes element size, alignment and flags from the
stream. A size that differs from the type's, or an object flag on a plain type, makes NumPy read wild memory later,
an alignment of 0 divides by it, so all must say what the type string says. ``ndarray.__setstate__`` reads one object
for each element from the list, however short that is, and frees what the array held before.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from assaymark.core.limits import SCAN_MAX_LIST_ITEMS
from assaymark.formats.pickle.values import Blob, Instance
from assaymark.scanning.pickle.refusal import NotChecked, Refused, is_count, is_instance

if TYPE_CHECKING:
    from assaymark.formats.pickle.values import Value

DTYPE_KIND: Final = "numpy.dtype"
ARRAY_KIND: Final = "numpy.ndarray"
_CODE: Final = re.compile(r"[<>|=]?([biufcSUVOmM])(\d{1,9})")
_FIXED: Final = {"b": {1}, "i": {1, 2, 4, 8}, "u": {1, 2, 4, 8}, "f": {2, 4, 8, 16}, "c": {8, 16, 32}}
_FLEXIBLE: Final = frozenset("SUV")  # whose size and alignment NumPy takes from the state; -1 for all others
_ALIGNMENTS: Final = {"U": (4,), "S": (1,), "V": (1, 2, 4, 8, 16)}
_MAX_DIMENSIONS: Final = 64  # NPY_MAXDIMS of NumPy 2
_OBJECT_FLAGS: Final = 63  # NPY_OBJECT_DTYPE_FLAGS; UNICODE has NPY_NEEDS_INIT (8)


def dtype(arguments: tuple[Value, ...]) -> Instance:
    """``numpy.dtype("f8", False, True)``; ``detail`` is (kind, element size).

    Raises:
        Refused: for anything but the type strings that NumPy writes.
    """
    if not 1 <= len(arguments) <= 3 or not all(isinstance(flag, int) for flag in arguments[1:]):  # noqa: PLR2004
        raise Refused("with malformed arguments")
    if not isinstance(arguments[0], str):
        raise Refused("with something that is no type string")
    match = _CODE.fullmatch(arguments[0])
    if match is None:
        raise Refused("with something that is no type string")
    kind, size = match[1], int(match[2])
    if kind in _FIXED and size not in _FIXED[kind]:
        raise Refused("with a type of a size that does not exist")
    return Instance(DTYPE_KIND, detail=(kind, size * 4 if kind == "U" else size))


def dtype_build(target: Instance, state: Value) -> None:
    """(version, byte order, sub-array, names, fields, element size, alignment, flags[, metadata]).

    Raises:
        Refused: when the state contradicts the type.
        NotChecked: for structured types, whose fields may overlap or lie outside.
    """
    if not isinstance(state, tuple) or not 8 <= len(state) <= 9:  # noqa: PLR2004 - versions 3 and 4
        raise Refused("with a malformed state")
    version, order, subarray, names, fields, size, alignment, flags = state[:8]
    if version not in (3, 4) or order not in ("<", ">", "|", "="):
        raise Refused("with a malformed state")
    if subarray is not None or names is not None or fields is not None:
        raise NotChecked("the layout of a structured NumPy type is not checked")
    kind, have = target.detail
    if size != have and (size != -1 or kind in _FLEXIBLE):
        raise Refused(f"with elements of {size if isinstance(size, int) else '?'} bytes for a type of {have}")
    allowed = {"O": (_OBJECT_FLAGS,), "U": (8, 0), "S": (0,), "V": (0,)}.get(kind, (0,))
    if not isinstance(alignment, int) or alignment not in _ALIGNMENTS.get(kind, (-1, 1, 2, 4, 8, 16)):
        raise Refused("with an alignment of another type")
    if flags not in allowed:
        raise Refused("with flags of another type")


def array_build(target: Instance, state: Value) -> None:
    """([version, ]shape, dtype, Fortran order, raw data or list of objects).

    Raises:
        Refused: for any other state, and for a second one: what shares the array's memory would be left with none.
        NotChecked: for more objects than the machine remembers.
    """
    if target.built:
        raise Refused("a second time")
    if not is_instance(target, ARRAY_KIND) or not isinstance(state, tuple):
        raise Refused("with a malformed state")
    fields = state[1:] if len(state) == 5 and is_count(state[0]) else state  # noqa: PLR2004
    match fields:
        case (tuple() as shape, Instance(kind="numpy.dtype", detail=(kind, size)), bool() | int(), data):
            pass
        case _:
            raise Refused("with a malformed state")
    if len(shape) > _MAX_DIMENSIONS or not all(map(is_count, shape)):
        raise Refused("with a malformed shape")
    if kind == "O":
        if not isinstance(data, list):
            raise Refused("with objects that are no list")
        if math.prod(shape) > len(data):
            if len(data) >= SCAN_MAX_LIST_ITEMS:
                raise NotChecked(f"an array of more than {SCAN_MAX_LIST_ITEMS} objects is not checked")
            raise Refused(f"with {len(data)} objects for {math.prod(shape)}")
        return
    if not isinstance(data, (Blob, str)) or (
        isinstance(data, Blob) and data.kind not in ("bytes", "bytearray", "str")
    ):
        raise Refused("with data that is no bytes")
    length = data.length if isinstance(data, Blob) else len(data)
    expected = size * math.prod(shape)
    if length is not None and length != expected:
        raise Refused(f"with {length} bytes of data for {expected}")


def scalar(arguments: tuple[Value, ...]) -> Value:
    """``scalar(dtype, raw)``; raw bytes must be there for the whole element."""
    match arguments:
        case (Instance(kind="numpy.dtype", detail=(kind, size)), Blob() | str() as data) if kind != "O":
            length = data.length if isinstance(data, Blob) else len(data)
            if length is None or length >= size:
                return Instance("numpy scalar")
        case (Instance(kind="numpy.dtype", detail=("O", _)), _):
            raise NotChecked("a NumPy scalar of objects is not examined")
    raise Refused("with something that is no scalar")


def frombuffer(arguments: tuple[Value, ...]) -> Value:
    """``_frombuffer(buffer, dtype, shape, order)`` of protocol 5."""
    match arguments:
        case (
            Blob(kind="bytes" | "bytearray"),
            Instance(kind="numpy.dtype", detail=(kind, _)),
            tuple() as shape,
            "C" | "F",
        ):
            if kind != "O" and all(map(is_count, shape)):
                return Instance(ARRAY_KIND)
    raise Refused("with something that is no buffer")
