"""The exact set of functions by which NumPy, joblib and Python write arrays and plain containers.

Sources: ``numpy/_core/src/multiarray/methods.c`` (``array_setstate``), ``descriptor.c`` (``arraydescr_setstate``),
``numpy/_core/numeric.py`` (``_frombuffer``), ``joblib/numpy_pickle.py`` (``NumpyArrayWrapper``).
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.convert.torch_values import Malformed
from assaymark.convert.tree import DType, NumpyArray, Object
from assaymark.core.limits import CONVERT_MAX_DIMENSIONS, SCAN_MAX_STRING
from assaymark.formats.pickle.trace import Loaded
from assaymark.formats.pickle.values import Blob, Dict, Global

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.view import View
    from assaymark.formats.pickle.values import Value

# NumPy's types that safetensors has too, by code and width.
SAFETENSORS_TYPES: Final = {
    "b1": "bool",
    "i1": "int8",
    "i2": "int16",
    "i4": "int32",
    "i8": "int64",
    "u1": "uint8",
    "u2": "uint16",
    "u4": "uint32",
    "u8": "uint64",
    "f2": "float16",
    "f4": "float32",
    "f8": "float64",
    "c8": "complex64",
}
_CODE: Final = re.compile(r"([biufcSUVO])(\d{1,9})", re.ASCII)
_MAX_FIELDS: Final = 1_000
_ARRAY_CLASSES: Final = ("ndarray", "memmap")


def _dtype(arguments: tuple[Value, ...]) -> DType:
    match arguments:
        case (str() as text, *_) if (found := _CODE.fullmatch(text)) and len(arguments) <= 3:  # noqa: PLR2004
            code, width = found[1], int(found[2])
            return DType(code, 4 * width if code == "U" else 8 if code == "O" else width, known=code != "V")
    return DType("", 0, known=False)


def _dtype_state(dtype: DType, state: Value) -> None:
    """(version, order, subarray, names, fields, width, alignment, flags[, metadata])."""
    match state:
        case (_, "<" | ">" | "|" | "=" as order, None, None, None, _, _, _, *_):
            dtype.order = ">" if order == ">" else "<"
        case (_, _, None, tuple() as names, Dict(more=False) as fields, int() as width, *_) if names:
            pairs = zip(fields.items[::2], fields.items[1::2], strict=True)
            entries = {key: value for key, value in pairs if isinstance(key, str)}
            dtype.fields = tuple(_field(name, entries) for name in names[:_MAX_FIELDS])
            dtype.width, dtype.known = width, len(names) <= _MAX_FIELDS and width > 0
        case _:
            dtype.known = False


def _field(name: Value, entries: dict[str, Value]) -> tuple[str, DType, int]:
    match entries.get(name) if isinstance(name, str) else None:
        case (DType(known=True) as inner, int() as offset, *_) if inner.code != "O":
            return name, inner, offset
    raise Malformed("with a structure that is not understood")


def _reconstruct(arguments: tuple[Value, ...]) -> NumpyArray | Object:
    match arguments:
        case (Global(name=name), (0,), _) if name in _ARRAY_CLASSES:
            return NumpyArray()
        case (Global() as cls, *_):
            return Object(cls.dotted, True, (), 0)
    raise Malformed("with something that is no array class")


def _array_state(array: NumpyArray, state: Value) -> None:
    """([version, ]shape, dtype, Fortran order, raw data or list of objects)."""
    match state[-4:] if isinstance(state, tuple) else None:
        case (tuple() as shape, DType() as dtype, bool() | int() as fortran, data):
            _settle(array, dtype, shape, bool(fortran), data)
        case _:
            raise Malformed("with a state that NumPy does not write")


def _settle(array: NumpyArray, dtype: DType, shape: tuple[Value, ...], fortran: bool, data: Value) -> None:
    if array.dtype is not None or not _is_shape(shape):
        raise Malformed("with a malformed shape, or a second time")
    array.dtype, array.shape, array.fortran = dtype, shape, fortran
    if isinstance(data, list):
        array.objects = data
        return
    if not dtype.known:
        return
    if not isinstance(data, Blob) or data.kind == "str" or dtype.code == "O":
        raise Malformed("with data that are no bytes")
    if data.exact is not None and data.exact != math.prod(shape) * dtype.width:
        raise Malformed("with another number of bytes than its shape takes")
    array.data = data.data
    array.start = data.offset if data.data is None and not data.encoded else None
    array.encoded = data if data.encoded else None
    if array.data is None and array.start is None and array.encoded is None:
        raise Malformed("with bytes that the stream computes")


def _is_shape(shape: tuple[Value, ...]) -> bool:
    return len(shape) <= CONVERT_MAX_DIMENSIONS and all(type(n) is int and 0 <= n < 2**63 for n in shape)


def _scalar(arguments: tuple[Value, ...]) -> NumpyArray | Value:
    match arguments:
        case (DType(code="O"), value):
            return value
        case (DType() as dtype, Blob() as data):
            array = NumpyArray(scalar=True)
            _settle(array, dtype, (), False, data)
            return array
    raise Malformed("with something that is no type and its bytes")


def _frombuffer(arguments: tuple[Value, ...]) -> NumpyArray:
    match arguments:
        case (Blob() as data, DType() as dtype, tuple() as shape, "C" | "F" as order):
            array = NumpyArray()
            _settle(array, dtype, shape, order == "F", data)
            return array
    raise Malformed("with something that is no buffer, type, shape and order")


def _encode(arguments: tuple[Value, ...]) -> Value:
    """Bytes, as protocol 0 to 2 write them: text of which each character is a byte."""
    match arguments:
        case (str() as text, "latin1" | "latin-1") if len(text) <= SCAN_MAX_STRING:
            try:
                data = text.encode("latin-1")
            except UnicodeEncodeError:
                raise Malformed("with text that is no bytes") from None
            return Blob("bytes", len(data), data=data)
        case (Blob(kind="str", encoded=True) as text, "latin1" | "latin-1"):
            return replace(text, kind="bytes")
    return Object("_codecs.encode", True, (), 0)


def _bytearray(arguments: tuple[Value, ...]) -> Value:
    """Of bytes, or of what ``_encode`` takes, as protocols below 5 write it."""
    match arguments:
        case ():
            return Blob("bytearray", 0, data=b"")
        case (Blob(kind="bytes") as raw,):
            return replace(raw, kind="bytearray")
        case (_, "latin1" | "latin-1"):
            made = _encode(arguments)
            if isinstance(made, Blob):
                return replace(made, kind="bytearray")
    return Object("builtins.bytearray", True, arguments, 0)


def _bytes(arguments: tuple[Value, ...]) -> Value:
    return Blob("bytes", 0, data=b"") if not arguments else Object("builtins.bytes", True, (), 0)


def _set_of(name: str) -> Callable[[tuple[Value, ...]], Value]:
    def make(arguments: tuple[Value, ...]) -> Value:
        match arguments:
            case (list() | tuple() as items,):
                return Object(name, False, (), 0, appended=list(items))
            case ():
                return Object(name, False, (), 0)
        raise Malformed("with something that is no list")

    return make


def _complex(arguments: tuple[Value, ...]) -> Value:
    return Object("builtins.complex", False, arguments, 0)


def read_wrapped(view: View, state: Value, start: int) -> Loaded | None:
    """The array that joblib reads behind its wrapper's state, and where the pickle goes on; ``None`` for objects.

    Raises:
        Malformed: for a state that joblib does not write, or data that are not there.
    """
    if not isinstance(state, Dict) or state.more:
        raise Malformed("with a state that is no dict")
    fields: dict[Any, Value] = {
        key: value for key, value in zip(state.items[::2], state.items[1::2], strict=True) if isinstance(key, str)
    }
    match fields.get("shape"), fields.get("dtype"), fields.get("subclass"), fields.get("order"):
        case (tuple() as shape, DType() as dtype, Global(name=name), "C" | "F" as order) if name in _ARRAY_CLASSES:
            pass
        case _:
            raise Malformed("with a state that joblib does not write")
    if dtype.code == "O":
        return None
    if fields.get("numpy_array_alignment_bytes") is not None:
        start += 1 + int.from_bytes(view.read(start, 1), "little")
    array = NumpyArray()
    if not _is_shape(shape):
        raise Malformed("with a malformed shape")
    length = math.prod(shape) * dtype.width
    if start + length > view.size:
        raise Malformed("with data that are cut short")
    _settle(array, dtype, shape, order == "F", Blob("bytes", length, start))
    return Loaded(array, start + length)


WRAPPER: Final = ("joblib.numpy_pickle", "NumpyArrayWrapper")
CALLS: Final[dict[tuple[str, str], Callable[[tuple[Value, ...]], Value]]] = {
    ("numpy", "dtype"): _dtype,
    **{
        (f"numpy.{core}.multiarray", name): make
        for core in ("core", "_core")
        for name, make in (("_reconstruct", _reconstruct), ("scalar", _scalar))
    },
    **{(f"numpy.{core}.numeric", "_frombuffer"): _frombuffer for core in ("core", "_core")},
    ("_codecs", "encode"): _encode,
    ("builtins", "bytes"): _bytes,
    ("builtins", "bytearray"): _bytearray,
    ("builtins", "set"): _set_of("builtins.set"),
    ("builtins", "frozenset"): _set_of("builtins.frozenset"),
    ("builtins", "complex"): _complex,
}
STATES: Final[dict[type, Callable[[Any, Value], None]]] = {DType: _dtype_state, NumpyArray: _array_state}
NAMES: Final = frozenset({*CALLS, *(("numpy", name) for name in _ARRAY_CLASSES), WRAPPER})
