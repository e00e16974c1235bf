"""Puts the elements of a strided tensor in order, by slices of bytes: no element is interpreted."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final, Literal

from assaymark.core.errors import InputError
from assaymark.core.limits import CONVERT_MAX_STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assaymark.convert.plan import PlannedTensor

# Formats of memoryview that are as wide as an element; none is ever read as a number.
_FORMATS: Final[dict[int, Literal["B", "H", "I", "Q"]]] = {1: "B", 2: "H", 4: "I", 8: "Q"}


def gather(tensor: PlannedTensor, source: bytes) -> bytes:
    """The elements of ``tensor`` in order and byte order; ``source`` are the bytes from its start to its reach.

    The longest dimension is copied by one slice, the others are counted through, so that the number of steps is the
    number of elements over the longest dimension.

    Raises:
        InputError: ``convert-limit`` for more steps than CONVERT_MAX_STEPS.
    """
    width, shape, strides = tensor.width, tensor.shape, tensor.strides
    target = bytearray(tensor.size)
    if not tensor.size or not shape:
        return swapped(source[: tensor.size], tensor.swap)
    own = [width * math.prod(shape[i + 1 :]) for i in range(len(shape))]
    longest = max(range(len(shape)), key=shape.__getitem__)
    outer = [i for i in range(len(shape)) if i != longest]
    _check_steps(tensor, [shape[i] for i in outer])
    into, out_of = memoryview(target), memoryview(source)
    length, step, stride = shape[longest], own[longest], strides[longest]
    for index in itertools.product(*(range(shape[i]) for i in outer)):
        at = sum(place * own[i] for place, i in zip(index, outer, strict=True))
        off = sum(place * strides[i] for place, i in zip(index, outer, strict=True))
        there = into[at : at + (length - 1) * step + width]
        there.cast(_FORMATS[width])[:: step // width] = _line(out_of, off, length, stride, width)
    return swapped(bytes(target), tensor.swap)


def rows(tensor: PlannedTensor, source: bytes) -> Iterator[bytes]:
    """The same elements again in another order of steps, a row of the last dimension at a time.

    It is what the written result is compared with.

    Raises:
        InputError: as ``gather``.
    """
    width = tensor.width
    if not tensor.size or not tensor.shape:
        yield swapped(source[: tensor.size], tensor.swap)
        return
    _check_steps(tensor, tensor.shape[:-1])
    last, stride = tensor.shape[-1], tensor.strides[-1]
    out_of = memoryview(source)
    for index in itertools.product(*(range(length) for length in tensor.shape[:-1])):
        off = sum(place * step for place, step in zip(index, tensor.strides, strict=False))
        yield swapped(_line(out_of, off, last, stride, width).tobytes(), tensor.swap)


def _line(source: memoryview, offset: int, length: int, stride: int, width: int) -> memoryview[int]:
    """``length`` elements that lie ``stride`` bytes apart; a multiple of the width, or 0 for the same one again."""
    form = _FORMATS[width]
    if not stride:
        return memoryview(source[offset : offset + width].tobytes() * length).cast(form)
    return source[offset : offset + (length - 1) * stride + width].cast(form)[:: stride // width]


def _check_steps(tensor: PlannedTensor, counted: Sequence[int]) -> None:
    if math.prod(counted) > CONVERT_MAX_STEPS:
        what = f"the tensor {tensor.name[:200]!r} lies in {math.prod(counted)} pieces"
        raise InputError("convert-limit", what, remedy="make it contiguous before it is saved")


def swapped(data: bytes, swap: int) -> bytes:
    """Numbers of ``swap`` bytes in the other byte order; ``data`` as it is when ``swap`` is 0."""
    if not swap:
        return data
    turned = bytearray(len(data))
    for i in range(swap):
        turned[i::swap] = data[swap - 1 - i :: swap]
    return bytes(turned)
