"""How torch lays tensors out in a file: storage classes, types, the archive's members, the legacy file's order.

Sources: ``torch/storage.py`` (dtype of each storage class), ``torch/serialization.py`` (both file forms,
``persistent_load``), ``torch/_utils.py`` (the ``_rebuild_*`` functions).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Bytes of one element.
STORAGES: Final = {
    "ByteStorage": 1,
    "CharStorage": 1,
    "BoolStorage": 1,
    "QInt8Storage": 1,
    "QUInt8Storage": 1,
    "QUInt4x2Storage": 1,
    "QUInt2x4Storage": 1,
    "ShortStorage": 2,
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "IntStorage": 4,
    "FloatStorage": 4,
    "QInt32Storage": 4,
    "LongStorage": 8,
    "DoubleStorage": 8,
    "ComplexFloatStorage": 8,
    "ComplexDoubleStorage": 16,
    "UntypedStorage": 1,
}
# The type of the elements; an UntypedStorage has none.
STORAGE_DTYPES: Final = {
    "ByteStorage": "uint8",
    "CharStorage": "int8",
    "BoolStorage": "bool",
    "QInt8Storage": "qint8",
    "QUInt8Storage": "quint8",
    "QUInt4x2Storage": "quint4x2",
    "QUInt2x4Storage": "quint2x4",
    "ShortStorage": "int16",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "IntStorage": "int32",
    "FloatStorage": "float32",
    "QInt32Storage": "qint32",
    "LongStorage": "int64",
    "DoubleStorage": "float64",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}
# Bytes of one element of ``torch.<name>``.
DTYPES: Final = {
    "uint8": 1,
    "int8": 1,
    "bool": 1,
    "float8_e4m3fn": 1,
    "float8_e4m3fnuz": 1,
    "float8_e5m2": 1,
    "float8_e5m2fnuz": 1,
    "float8_e8m0fnu": 1,
    "float4_e2m1fn_x2": 1,
    "int16": 2,
    "uint16": 2,
    "float16": 2,
    "bfloat16": 2,
    "int32": 4,
    "uint32": 4,
    "float32": 4,
    "complex32": 4,
    "int64": 8,
    "uint64": 8,
    "float64": 8,
    "complex64": 8,
    "complex128": 16,
    "qint8": 1,
    "quint8": 1,
    "qint32": 4,
    "quint4x2": 1,
    "quint2x4": 1,
}
# MAGIC_NUMBER and PROTOCOL_VERSION open a legacy file: five pickles (these two, what the machine was, the object, the
# keys of the storages), then for each key the number of elements (8 bytes) and the elements.
LEGACY_MAGIC: Final = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL: Final = 1001
LEGACY_COUNT_BYTES: Final = 8
_LEGACY_PICKLES: Final = 5
_PICKLE: Final = "data.pkl"


def is_legacy(results: Sequence[Any]) -> bool:
    """Whether the values of the pickles in a row are those of torch's legacy file, which ends them."""
    return (
        len(results) == _LEGACY_PICKLES
        and results[:2] == [LEGACY_MAGIC, LEGACY_PROTOCOL]
        and isinstance(results[4], list)
    )


def archive_root(names: Iterable[str]) -> str | None:
    """The folder of torch's archive, with its slash or empty; ``None`` unless there is exactly one ``data.pkl``."""
    roots = [name[: -len(_PICKLE)] for name in names if name == _PICKLE or name.endswith("/" + _PICKLE)]
    return roots[0] if len(roots) == 1 else None


def elements_spanned(offset: int, size: Sequence[int], stride: Sequence[int]) -> int:
    """How many elements of its storage a tensor reaches into from the storage's start; 0 for one without elements."""
    if 0 in size:
        return 0
    return offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True)) + 1
