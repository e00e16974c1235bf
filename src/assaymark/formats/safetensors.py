"""Strict reader of safetensors: the header, checked against the file's size. No tensor data is read.

Format: https://github.com/huggingface/safetensors (README, "Format"): 8 bytes of header length, a JSON object,
tensor data. The reference reader refuses holes and overlaps since they let a second file hide inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.canonical import parse_object
from assaymark.core.errors import InputError
from assaymark.core.limits import SAFETENSORS_MAX_HEADER_BYTES

if TYPE_CHECKING:
    from assaymark.core.view import View

# Bits of one element, as the reference implementation's Dtype (safetensors 0.8).
DTYPE_BITS: Final = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}
_PREFIX: Final = 8


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: ``start`` and ``end`` are byte offsets in the file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Safetensors:
    """A well-formed file: tensors in the order of their data, and the free-text metadata."""

    tensors: tuple[Tensor, ...]
    metadata: dict[str, str]
    header_size: int


def has_safetensors_shape(view: View) -> bool:
    """Whether ``view`` begins as safetensors does: a header length that fits the file, then ``{``."""
    head = view.read(0, _PREFIX + 1)
    length = int.from_bytes(head[:_PREFIX], "little")
    return head[_PREFIX:] == b"{" and 2 <= length <= min(view.size - _PREFIX, SAFETENSORS_MAX_HEADER_BYTES)  # noqa: PLR2004


def read_safetensors(view: View) -> Safetensors:
    """The checked header.

    Raises:
        InputError: ``safetensors-header``, ``safetensors-metadata``, ``safetensors-tensor``,
            ``safetensors-layout`` or a ``json-*`` code.
    """
    read = read_header(view)
    position = _PREFIX + read.header_size
    for tensor in read.tensors:
        if tensor.start != position:
            what = (
                "overlaps the tensor before" if tensor.start < position else "leaves bytes that belong to no tensor"
            )
            raise InputError("safetensors-layout", f"{tensor.name[:80]!r} {what}", position=f"byte {position}")
        position = tensor.end
    if position != view.size:
        what = (
            f"{view.size - position} bytes after the last tensor" if position < view.size else "the file is cut off"
        )
        raise InputError("safetensors-layout", what, position=f"byte {min(position, view.size)}")
    return read


def read_header(view: View) -> Safetensors:
    """As ``read_safetensors``, for a file whose tensors may leave gaps, overlap or reach beyond the end.

    Raises:
        InputError: as ``read_safetensors``, but for ``safetensors-layout``.
    """
    length = int.from_bytes(view.read(0, _PREFIX), "little")
    if length > SAFETENSORS_MAX_HEADER_BYTES or view.size < _PREFIX or length > view.size - _PREFIX:
        raise InputError("safetensors-header", "the header is longer than the file", position="byte 0")
    raw = view.read(_PREFIX, length)
    if not raw.startswith(b"{"):
        raise InputError("safetensors-header", "the header is no JSON object", position=f"byte {_PREFIX}")
    if not raw.rstrip(b" ").endswith(b"}"):
        raise InputError("safetensors-header", "the header ends with something else than its padding of spaces")
    header = parse_object(raw, limit=SAFETENSORS_MAX_HEADER_BYTES)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise InputError("safetensors-metadata", "__metadata__ is no object of texts")
    data_start = _PREFIX + length
    tensors = [_tensor(name, item, data_start) for name, item in header.items()]
    tensors.sort(key=lambda tensor: (tensor.start, tensor.end))
    return Safetensors(tuple(tensors), metadata, length)


def _tensor(name: str, item: Any, data_start: int) -> Tensor:
    where = f"tensor {name[:80]!r}"
    if not isinstance(item, dict) or set(item) != {"dtype", "shape", "data_offsets"}:
        raise InputError("safetensors-tensor", "a tensor has dtype, shape and data_offsets", position=where)
    dtype, shape, offsets = item["dtype"], item["shape"], item["data_offsets"]
    bits = DTYPE_BITS.get(dtype) if isinstance(dtype, str) else None
    if bits is None:
        raise InputError("safetensors-tensor", f"unknown dtype {str(dtype)[:40]!r}", position=where)
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:  # noqa: PLR2004
        raise InputError("safetensors-tensor", "shape or offsets are malformed", position=where)
    for length in shape:
        bits *= length
        if bits >= 2**67:
            raise InputError("safetensors-tensor", "the shape overflows", position=where)
    if bits % 8 or bits // 8 != offsets[1] - offsets[0]:
        raise InputError("safetensors-tensor", "shape and dtype take another size than the offsets", position=where)
    return Tensor(name, dtype, tuple(shape), data_start + offsets[0], data_start + offsets[1])


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 2**63 for item in value)
