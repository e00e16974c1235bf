"""What NumPy writes for arrays and scalars, with checks on the states that its C code trusts.

``dtype.__setstate__`` (numpy/_core/src/multiarray/descriptor.c) takes element size, alignment and flags from the
stream. A size that differs from the type's, or an object flag on a plain type, makes NumPy read wild memory later,
an alignment of 0 divides by it, so all must say what the type string says. ``ndarray.__setstate__`` reads one object
for each element from the list, however short that is, and frees what the array held before.
"""

from __future__ import annotations

import itertools
import math
import re
from typing import TYPE_CHECKING, Final

from assaymark.core.limits import SCAN_MAX_LIST_ITEMS
from assaymark.core.words import counted
from assaymark.formats.pickle.values import Blob, Dict, Global, Instance, Unknown
from assaymark.scanning.pickle.permit import is_bytes, is_kind
from assaymark.scanning.pickle.refusal import NotChecked, Refused, is_count, is_instance

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.formats.pickle.values import Value

DTYPE_KIND: Final = "numpy.dtype"
ARRAY_KIND: Final = "numpy.ndarray"
ARRAY_CLASS: Final = "numpy.ndarray class"
_CODE: Final = re.compile(r"[<>|=]?([biufcSUVOmM])(\d{1,9})")
_FIXED: Final = {
    "b": {1}, "i": {1, 2, 4, 8}, "u": {1, 2, 4, 8}, "f": {2, 4, 8, 12, 16}, "c": {8, 16, 24, 32}, "m": {8}, "M": {8},
    "O": {4, 8},
}  # fmt: skip
_FLEXIBLE: Final = frozenset("SUV")  # whose size and alignment NumPy takes from the state; -1 for all others
_ALIGNMENTS: Final = {"U": (4,), "S": (1,), "V": (1, 2, 4, 8, 16)}
_MAX_DIMENSIONS: Final = 64  # NPY_MAXDIMS of NumPy 2
_MAX_FIELDS: Final = 1_000  # of a structured type; trees have eight
_ALIGNED: Final = 0x80  # NPY_ALIGNED_STRUCT
_FROM_FIELDS: Final = 0x1B  # NPY_FROM_FIELDS: what a structured type takes over from its fields
_NEEDS_INIT: Final = 0x08
_NEEDS_PYTHON: Final = 0x10
_LIST_PICKLE: Final = 0x02  # the elements are pickled one by one, because they hold objects
_FLAGS: Final = {"O": 0x3F, "U": 0x08}  # NPY_OBJECT_DTYPE_FLAGS; NPY_NEEDS_INIT


class DType(tuple[str, int]):  # noqa: SLOT001 - a tuple cannot have slots of its own
    """(kind, element size) of a type, with the flags that a structured type takes over from it.

    ``kind`` is "O" for whatever holds objects. ``settled`` says that no BUILD can change size or fields any more.
    """

    flags: int = 0
    settled: bool = True


def _described(kind: str, size: int, *, flags: int, settled: bool) -> DType:
    made = DType((kind, size))
    made.flags = flags
    made.settled = settled
    return made


def dtype(arguments: tuple[Value, ...]) -> Instance:
    """``numpy.dtype("f8", False, True)``; ``detail`` is (kind, element size).

    Raises:
        Refused: for anything but the type strings that NumPy writes.
    """
    if not 1 <= len(arguments) <= 3 or not all(isinstance(flag, int) for flag in arguments[1:]):  # noqa: PLR2004
        raise Refused("with malformed arguments")
    if is_kind(arguments[0], "numpy.record"):  # its size comes with the state
        return Instance(DTYPE_KIND, detail=_described("V", -1, flags=0, settled=False))
    if not isinstance(arguments[0], str):
        raise Refused("with something that is no type string")
    match = _CODE.fullmatch(arguments[0])
    if match is None:
        raise Refused("with something that is no type string")
    kind, size = match[1], int(match[2])
    if kind in _FIXED and size not in _FIXED[kind]:
        raise Refused("with a type of a size that does not exist")
    size = size * 4 if kind == "U" else size
    return Instance(
        DTYPE_KIND, detail=_described(kind, size, flags=_FLAGS.get(kind, 0), settled=kind not in _FLEXIBLE)
    )


def settled(value: Value) -> DType:
    """What elements of the type ``value`` are like, when nothing in the stream can change that any more.

    A BUILD that came after would change the type of arrays that exist: their raw data would be taken for objects.

    Raises:
        Refused: for anything else.
    """
    if not is_instance(value, DTYPE_KIND) or not isinstance(value.detail, DType):
        raise Refused("with something that is no type")
    if not value.detail.settled:
        raise Refused("with a type that has no state yet")
    return value.detail


def dtype_build(target: Instance, state: Value) -> None:
    """(version, byte order, sub-array, names, fields, element size, alignment, flags[, metadata]).

    Raises:
        Refused: when the state contradicts the type, or fields lie outside of the element or over objects.
    """
    if target.built:
        raise Refused("a second time")
    match state:
        case (3 | 4, "<" | ">" | "|" | "=", subarray, names, fields, size, alignment, flags, *more) if len(more) <= 1:
            pass
        case _:
            raise Refused("with a malformed state")
    kind, have = target.detail
    if have == -1 and is_count(size):
        have = size
    if size != have and (size != -1 or kind in _FLEXIBLE):
        raise Refused(f"with elements of {size if isinstance(size, int) else '?'} bytes for a type of {have}")
    if type(alignment) is not int or alignment not in _ALIGNMENTS.get(kind, (-1, 1, 2, 4, 8, 16)):
        raise Refused("with an alignment of another type")
    if (subarray is not None or names is not None or fields is not None) and kind != "V":
        raise Refused("with fields that its type does not have")
    if type(flags) is not int or not -128 <= flags <= 255:  # noqa: PLR2004 - a byte, signed in NumPy 1
        raise Refused("with malformed flags")
    expected = _expected_flags(target.detail, subarray, names, fields, have)
    # Releases differ in whether a plain structured type says that it needs Python, and text that it is cleared first.
    if (flags & 0xFF ^ expected) & ~_ALIGNED & ~(_NEEDS_PYTHON if kind == "V" else _NEEDS_INIT if kind == "U" else 0):
        raise Refused("with flags of another type")
    if expected & _LIST_PICKLE:
        kind = "O"
    target.detail = _described(kind, have, flags=expected, settled=True)


def _expected_flags(detail: DType, subarray: Value, names: Value, fields: Value, size: int) -> int:
    if subarray is not None:
        return _subarray_flags(subarray, size)
    if fields is not None or names is not None:
        return _field_flags(names, fields, size)
    return detail.flags


def _subarray_flags(subarray: Value, size: int) -> int:
    """The flags of (base type, shape), of which an element of ``size`` bytes is full."""
    if not isinstance(subarray, tuple) or len(subarray) != 2:  # noqa: PLR2004
        raise Refused("with a malformed sub-array")
    base = settled(subarray[0])
    shape = subarray[1] if isinstance(subarray[1], tuple) else (subarray[1],)
    if len(shape) > _MAX_DIMENSIONS or not all(map(is_count, shape)) or math.prod(shape) * base[1] != size:
        raise Refused("with a sub-array of another size")
    return base.flags & _FROM_FIELDS


def _field_flags(names: Value, fields: Value, size: int) -> int:
    """The flags of a structured type. Each field lies within the element; where objects are, nothing overlaps."""
    if not isinstance(names, tuple) or not isinstance(fields, Dict) or fields.more or len(names) > _MAX_FIELDS:
        raise Refused("with malformed fields")
    places: dict[str, tuple[int, int]] = {}
    flags = 0
    for name, field in zip(fields.items[::2], fields.items[1::2], strict=True):
        if not isinstance(name, str) or not isinstance(field, tuple) or not 2 <= len(field) <= 3:  # noqa: PLR2004
            raise Refused("with a malformed field")
        element, offset = settled(field[0]), field[1]
        if not is_count(offset) or offset + element[1] > size:
            raise Refused(f"with a field {name[:40]!r} beyond the element")
        if name in places:
            raise Refused(f"with two fields {name[:40]!r}")
        places[name] = (offset, offset + element[1])
        flags |= element.flags & _FROM_FIELDS
    if not all(isinstance(name, str) and name in places for name in names) or len(set(names)) != len(names):
        raise Refused("with names that are no fields")
    if flags & _LIST_PICKLE:
        # A title names the same place again; two different places may not share a byte.
        ordered = sorted(set(places.values()))
        if any(after[0] < before[1] for before, after in itertools.pairwise(ordered)):
            raise Refused("with fields that lie over objects")
    return flags


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
        case (tuple() as shape, Instance() as kept, bool() | int(), data):
            kind, size = settled(kept)
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
            raise Refused(f"with {counted(len(data), 'object')} for {math.prod(shape)}")
        return
    if not isinstance(data, (Blob, str)) or (
        isinstance(data, Blob) and data.kind not in ("bytes", "bytearray", "str")
    ):
        raise Refused("with data that is no bytes")
    length = data.exact if isinstance(data, Blob) else len(data)
    expected = size * math.prod(shape)
    if length is not None and length != expected:
        raise Refused(f"with {length} bytes of data for {expected}")


def reconstruct(arguments: tuple[Value, ...]) -> Value:
    """NumPy writes (ndarray, (0,), b"b") and fills the array by BUILD."""
    match arguments:
        case (cls, (0,), Blob(kind="bytes") | str()) if is_kind(cls, ARRAY_CLASS):
            return Instance(ARRAY_KIND)
    raise Refused('with anything but (ndarray, (0,), b"b")')


def reconstruct_masked(arguments: tuple[Value, ...]) -> Value:
    """``numpy.ma.core._mareconstruct(MaskedArray, ndarray, (0,), b"b")``."""
    match arguments:
        case (cls, base, (0,), Blob(kind="bytes") | str()) if is_kind(cls, "masked array class") and is_kind(
            base, ARRAY_CLASS
        ):
            return Instance(ARRAY_KIND)
    raise Refused('with anything but (MaskedArray, ndarray, (0,), b"b")')


def masked_build(target: Instance, state: Value) -> None:
    """The state of an array, then the mask's bytes, whose length NumPy checks, and the fill value."""
    if not isinstance(state, tuple) or len(state) != 7 or not is_bytes(state[5]) or isinstance(state[6], Global):  # noqa: PLR2004
        raise Refused("with a malformed state")
    array_build(target, state[:5])


def scalar(arguments: tuple[Value, ...]) -> Value:
    """``scalar(dtype, raw)``; raw bytes must be there for the whole element. Of an object type it is the object."""
    match arguments:
        case (Instance() as kept, value):
            kind, size = settled(kept)
        case _:
            raise Refused("with something that is no scalar")
    if kind == "O":
        if kept.built and kept.detail.flags != _FLAGS["O"]:
            raise NotChecked("a structured NumPy scalar that holds objects is not examined")
        return value
    if isinstance(value, (Blob, str)):
        length = value.exact if isinstance(value, Blob) else len(value)
        if length is None or length >= size:
            return Instance("numpy scalar")
    raise Refused("with something that is no scalar")


def frombuffer(arguments: tuple[Value, ...]) -> Value:
    """``_frombuffer(buffer, dtype, shape, order)`` of protocol 5."""
    match arguments:
        case (Blob(kind="bytes" | "bytearray"), Instance() as kept, tuple() as shape, "C" | "F"):
            if settled(kept)[0] != "O" and all(map(is_count, shape)):
                return Instance(ARRAY_KIND, built=True)
        case (Unknown(), Instance(), tuple(), "C" | "F"):  # an out-of-band buffer: said where it is taken
            return Instance(ARRAY_KIND, built=True)
    raise Refused("with something that is no buffer")


def bit_generator(arguments: tuple[Value, ...]) -> Value:
    """``__bit_generator_ctor(name or class)``."""
    match arguments:
        case () | (str(),):
            return Instance(_BIT_GENERATOR)
        case (Global() as cls,) if is_kind(cls, "bit generator class"):
            return Instance(_BIT_GENERATOR)
    raise Refused("with something that is no bit generator")


def generator(arguments: tuple[Value, ...]) -> Value:
    """``__generator_ctor(bit generator or its name[, __bit_generator_ctor])``: it calls its second argument."""
    named = all(isinstance(value, str) or is_instance(value, _BIT_GENERATOR) for value in arguments[:1])
    maker = all(is_kind(value, _BIT_GENERATOR) for value in arguments[1:])
    if len(arguments) > 2 or not named or not maker:  # noqa: PLR2004
        raise Refused("with something that is no bit generator")
    return Instance("random generator")


def generator_build(_target: Instance, state: Value) -> None:
    """The dict of ``bit_generator.state``, or (it, seed sequence).

    ``pos`` and ``buffer_pos`` are where the C code reads next in a block of 624 and 4 words; it does not check them.
    """
    if isinstance(state, tuple) and len(state) == 2:  # noqa: PLR2004
        state = state[0]
    if state is None:
        return
    if not isinstance(state, Dict) or state.more:
        raise Refused("with a state that is no dict")
    for part in (state, *(value for value in state.items[1::2] if isinstance(value, Dict))):
        for key, value in zip(part.items[::2], part.items[1::2], strict=True):
            most = _POSITIONS.get(key) if isinstance(key, str) else None
            if part.more or (most is not None and not (is_count(value) and value <= most)):
                raise Refused("with a position that is outside of its block")


_BIT_GENERATOR: Final = "bit generator"
_POSITIONS: Final = {"pos": 624, "buffer_pos": 4}
CHECKS: Final[dict[str, Callable[..., Value]]] = {
    "numpy.dtype": dtype,
    "numpy.dtype_state": dtype_build,
    "numpy.reconstruct": reconstruct,
    "numpy.array_state": array_build,
    "numpy.mareconstruct": reconstruct_masked,
    "numpy.masked_state": masked_build,
    "numpy.scalar": scalar,
    "numpy.frombuffer": frombuffer,
    "numpy.bit_generator": bit_generator,
    "numpy.generator": generator,
    "numpy.generator_state": generator_build,
}
