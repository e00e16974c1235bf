"""Sparse tensors of torch: indices must lie within the tensor, and are read to know.

``torch.load`` validates them at its end only where ``check_sparse_tensor_invariants`` was turned on; without, whoever
computes with an index that leads out reads or writes beyond the tensor. Source: ``torch/_utils.py``,
``_rebuild_sparse_tensor``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from assaymark.core.limits import SPARSE_MAX_BYTES
from assaymark.formats.pickle.values import Instance
from assaymark.scanning.pickle.refusal import NotChecked, Refused, is_count
from assaymark.scanning.pickle.torch_permits import TENSOR_KIND, Laid

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.view import View
    from assaymark.formats.pickle.values import Value

_LONG: Final = 8  # bytes of an index
_COMPRESSED: Final = {"torch.sparse_csr": 0, "torch.sparse_csc": 1}  # and which dimension is compressed


@dataclass(frozen=True, slots=True)
class Sparse:
    """Indices to be looked at: rows of ``indices`` (coordinates), or ``starts`` and ``indices`` (compressed)."""

    size: tuple[int, ...]
    indices: Laid
    starts: Laid | None = None
    compressed: int = 0


def sparse(arguments: tuple[Value, ...]) -> Value:
    """``_rebuild_sparse_tensor(layout, data)``; its ``detail`` says what must still be looked at.

    Raises:
        Refused: for shapes that do not fit each other.
        NotChecked: for layouts whose indices are not looked at here.
    """
    match arguments:
        case (Instance(kind="torch.layout", detail=str(layout)), tuple() as data):
            pass
        case _:
            raise Refused("with something that is no sparse tensor")
    if layout == "torch.sparse_coo":
        return Instance(TENSOR_KIND, detail=_coordinates(data))
    if layout in _COMPRESSED:
        return Instance(TENSOR_KIND, detail=_rows(data, _COMPRESSED[layout]))
    raise NotChecked(f"the indices of a tensor of layout {layout[:40]} are not checked")


def _laid(value: Value) -> Laid:
    if not isinstance(value, Instance) or value.kind != TENSOR_KIND:
        raise Refused("with something that is no tensor")
    if not isinstance(value.detail, Laid):
        raise NotChecked("the indices of a sparse tensor lie where they are not checked")
    return value.detail


def _sizes(value: Value) -> tuple[int, ...]:
    if not isinstance(value, tuple) or not all(map(is_count, value)):
        raise Refused("with a malformed shape")
    return value


def _coordinates(data: tuple[Value, ...]) -> Sparse:
    if not 3 <= len(data) <= 4:  # noqa: PLR2004 - indices, values, size[, whether it is coalesced]
        raise Refused("with malformed data")
    indices, values, size = _laid(data[0]), _laid(data[1]), _sizes(data[2])
    if len(indices.size) != 2 or indices.width != _LONG or indices.size[0] > len(size):  # noqa: PLR2004
        raise Refused("with malformed indices")
    dense = len(size) - indices.size[0]
    if (
        len(values.size) != 1 + dense
        or values.size[0] != indices.size[1]
        or values.size[1:] != size[len(size) - dense :]
    ):
        raise Refused("with values of another shape")
    return Sparse(size, indices)


def _rows(data: tuple[Value, ...], compressed: int) -> Sparse:
    if len(data) != 4:  # noqa: PLR2004 - starts, indices, values, size
        raise Refused("with malformed data")
    starts, indices, values, size = _laid(data[0]), _laid(data[1]), _laid(data[2]), _sizes(data[3])
    if len(size) != 2 or not len(starts.size) == len(indices.size) == len(values.size) == 1:  # noqa: PLR2004
        raise NotChecked("batches of compressed sparse tensors are not checked")
    if starts.width != _LONG or indices.width != _LONG or starts.size[0] != size[compressed] + 1:
        raise Refused("with malformed indices")
    if values.size[0] != indices.size[0]:
        raise Refused("with values of another shape")
    return Sparse(size, indices, starts, compressed)


def indices_outside(tensor: Sparse, storage: Callable[[str], View | None]) -> str:
    """What is wrong with the indices; empty when they all lie within. ``storage`` gives the bytes of a storage's key.

    Raises:
        NotChecked: when they are too many, or not to be had.
    """
    if tensor.starts is None:
        for row, bound in enumerate(tensor.size[: tensor.indices.size[0]]):
            numbers = _numbers(tensor.indices, row, storage)
            if numbers is not None and not (min(numbers) >= 0 and max(numbers) < bound):
                return f"has an index outside of its {bound} rows of dimension {row}"
        return ""
    numbers, starts = _numbers(tensor.indices, None, storage), _numbers(tensor.starts, None, storage)
    if starts is None or starts[0] != 0 or starts[-1] != tensor.indices.size[0]:
        return "has rows that do not begin and end where its indices do"
    if any(after < before for before, after in pairwise(starts)):
        return "has rows that end before they begin"
    bound = tensor.size[1 - tensor.compressed]
    if numbers is not None and not (min(numbers) >= 0 and max(numbers) < bound):
        return f"has an index outside of its {bound} columns"
    return ""


def _numbers(laid: Laid, row: int | None, storage: Callable[[str], View | None]) -> memoryview | None:
    """The numbers of one row, or of a tensor of one dimension; None when there are none."""
    count = laid.size[-1]
    if count == 0:
        return None
    step = laid.stride[-1]
    first = laid.offset + (row * laid.stride[0] if row is not None else 0)
    length = ((count - 1) * step + 1) * _LONG
    if length > SPARSE_MAX_BYTES:
        raise NotChecked(f"more than {SPARSE_MAX_BYTES >> 20} MiB of indices of a sparse tensor are not checked")
    view = laid.storage.view or storage(laid.storage.key)
    data = b"" if view is None else view.read(first * _LONG, length)
    if len(data) != length:
        raise NotChecked("the indices of a sparse tensor are not where its storage is said to be")
    numbers = memoryview(data).cast("q")
    return numbers[:: step or 1][: count if step else 1]
