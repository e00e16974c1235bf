"""What joblib writes for an array: a wrapper whose data follows its BUILD, outside of the pickle.

Source: ``joblib/numpy_pickle.py`` (``NumpyArrayWrapper.read_array``, ``NumpyUnpickler.load_build``). Since joblib 1.1
a byte says how much padding comes before the data; an array of objects is a pickle of its own there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.formats.pickle.values import Dict, Global, Instance
from assaymark.scanning.pickle.numpy_permits import settled
from assaymark.scanning.pickle.refusal import NotChecked, Refused, is_count

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.formats.pickle.values import Value

ARRAY_FILE_KIND: Final = "joblib array file"
_FIELDS: Final = frozenset(("subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"))
_ARRAY_CLASSES: Final = frozenset(("ndarray", "memmap", "matrix", "recarray"))
_MAX_ALIGNMENT: Final = 255  # the padding's length is one byte


@dataclass(frozen=True, slots=True)
class Block:
    """Where the data of an array ends; ``objects`` says that it is a pickle, whose end is not known yet."""

    array: Instance
    end: int
    objects: bool


def wrapper(arguments: tuple[Value, ...]) -> Instance:
    """``NumpyArrayWrapper.__new__()``, without a state yet."""
    if arguments:
        raise Refused("with arguments")
    return Instance(ARRAY_FILE_KIND)


def wrapper_build(target: Instance, state: Value) -> None:
    """The attributes of ``NumpyArrayWrapper``; ``target.detail`` becomes (shape, kind, element size, aligned).

    Raises:
        Refused: for any other attribute or value, and a second time.
    """
    if target.built:
        raise Refused("a second time")
    if not isinstance(state, Dict) or state.more:
        raise Refused("with a state that is no dict")
    fields = {key: value for key, value in zip(state.items[::2], state.items[1::2], strict=True) if type(key) is str}
    if len(fields) * 2 != len(state.items) or not fields.keys() <= _FIELDS:
        raise Refused("with attributes that joblib does not write")
    shape, dtype, subclass = fields.get("shape"), fields.get("dtype"), fields.get("subclass")
    if not isinstance(shape, tuple) or not all(map(is_count, shape)):
        raise Refused("with a malformed shape")
    if not isinstance(subclass, Global) or subclass.permit is None or subclass.name not in _ARRAY_CLASSES:
        raise Refused("with a class that is no array")
    alignment = fields.get("numpy_array_alignment_bytes")
    if alignment is not None and not (is_count(alignment) and alignment <= _MAX_ALIGNMENT):
        raise Refused("with a malformed alignment")
    if fields.get("order") not in ("C", "F") or not isinstance(fields.get("allow_mmap", False), bool):
        raise Refused("with a malformed order")
    kind, size = settled(dtype)
    target.detail = (shape, kind, size, alignment is not None)


def raw_block(view: View, target: Instance, start: int) -> Block:
    """Where the data of the array ends that joblib reads from ``start``. Nothing but the padding's length is read.

    Raises:
        Refused: when the data is not all there.
        NotChecked: for an array without a state.
    """
    if target.detail is None:
        raise NotChecked("an array of joblib whose layout is not known")
    shape, kind, size, aligned = target.detail
    array = Instance("numpy.ndarray", built=True)
    if kind == "O":
        return Block(array, start, objects=True)
    if aligned:
        start += 1 + int.from_bytes(view.read(start, 1), "little")
    end = start + size * math.prod(shape)
    if end > view.size:
        raise Refused(f"for {end - start} bytes of data where {max(view.size - start, 0)} follow")
    return Block(array, end, objects=False)
