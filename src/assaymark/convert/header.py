"""The header of a safetensors file, in the reference writer's order, and where each tensor then lies.

Format: https://github.com/huggingface/safetensors ("Format"): 8 bytes of header length, JSON padded with spaces to
a multiple of 8, data. The reference writer lays wider types first, then by name, so that all are aligned.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from assaymark.convert.plan import stored_shape
from assaymark.core.errors import InputError
from assaymark.core.limits import SAFETENSORS_MAX_HEADER_BYTES
from assaymark.formats.safetensors import DTYPE_BITS

if TYPE_CHECKING:
    from assaymark.convert.plan import Plan, PlannedTensor

_ALIGNMENT: Final = 8


def layout(plan: Plan) -> tuple[bytes, tuple[PlannedTensor, ...]]:
    """The first bytes of the result, and the tensors in the order in which they follow.

    Raises:
        InputError: ``convert-limit`` when readers would refuse so long a header.
    """
    ordered = tuple(sorted(plan.tensors, key=lambda tensor: (-DTYPE_BITS[tensor.dtype], tensor.name)))
    header: dict[str, Any] = {"__metadata__": dict(sorted(plan.metadata.items()))} if plan.metadata else {}
    offset = 0
    for tensor in ordered:
        header[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": list(stored_shape(tensor)),
            "data_offsets": [offset, offset + tensor.size],
        }
        offset += tensor.size
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    if len(text) > SAFETENSORS_MAX_HEADER_BYTES:
        raise InputError("convert-limit", f"a header of {len(text)} bytes, above safetensors' limit")
    return len(text).to_bytes(8, "little") + text, ordered
