"""A safetensors file laid anew: without the gaps, order or second file for which readers refuse it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from assaymark.convert.plan import Plan, PlannedTensor
from assaymark.core.errors import InputError
from assaymark.formats.safetensors import DTYPE_BITS, read_header

if TYPE_CHECKING:
    from assaymark.core.view import View
    from assaymark.formats.safetensors import Tensor

_PREFIX = 8


def plan_safetensors(view: View) -> Plan:
    """The plan of the same tensors without gaps. Tensors that overlap are refused: one of them is not what it says.

    Raises:
        InputError: ``convert-overlap``, ``convert-unsupported``, a ``safetensors-*`` or ``json-*`` code.
    """
    read = read_header(view)
    position = _PREFIX + read.header_size
    dropped = []
    for tensor in read.tensors:
        where = f"byte {tensor.start}"
        if tensor.end > view.size:
            raise InputError("convert-overlap", f"{tensor.name[:200]!r} reaches beyond the file", position=where)
        if tensor.start < position and tensor.end > tensor.start:
            what = f"{tensor.name[:200]!r} overlaps the tensor before it"
            raise InputError("convert-overlap", what, position=where, remedy="no reading of it can be trusted")
        if tensor.start > position:
            dropped.append(f"{tensor.start - position} bytes at {position} that belong to no tensor")
        position = max(position, tensor.end)
    if position < view.size:
        dropped.append(f"{view.size - position} bytes at {position} after the last tensor")
    tensors = tuple(map(_planned, read.tensors))
    return Plan("safetensors", tensors, (), tuple(dropped), read.metadata)


def _planned(tensor: Tensor) -> PlannedTensor:
    """A run of bytes; numbers of fewer than eight bits are counted as torch counts them, two in a byte."""
    bits = DTYPE_BITS[tensor.dtype]
    shape = tensor.shape
    if bits == 4:  # noqa: PLR2004
        if not shape or shape[-1] % 2:
            raise InputError("convert-unsupported", f"{tensor.name[:200]!r} has half a byte in its last dimension")
        shape = (*shape[:-1], shape[-1] // 2)
    elif bits < 8:  # noqa: PLR2004
        raise InputError("convert-unsupported", f"{tensor.name[:200]!r} has numbers of {bits} bits")
    width = max(1, bits // 8)
    strides = tuple(width * math.prod(shape[i + 1 :]) for i in range(len(shape)))
    return PlannedTensor(tensor.name, tensor.dtype, shape, strides, tensor.start)
