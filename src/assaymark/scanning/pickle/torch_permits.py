"""What torch writes for tensors, with the checks that keep a tensor within its storage.

Sources: ``torch/_utils.py`` (the ``_rebuild_*`` functions), ``torch/serialization.py`` (``persistent_load``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.core.words import counted
from assaymark.formats.pickle.values import COMPUTED, Blob, Dict, Global, Instance, describe
from assaymark.formats.torch_layout import DTYPES, STORAGES, elements_spanned
from assaymark.scanning.pickle.permit import is_bytes, is_class, is_kind
from assaymark.scanning.pickle.refusal import Nested, NotChecked, Refused, is_count, is_instance
from assaymark.scanning.pickle.shapes import check_attributes

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.core.view import View
    from assaymark.formats.pickle.values import Value

CHANNEL_SCHEMES: Final = ("per_channel_affine", "per_channel_affine_float_qparams", "per_channel_symmetric")
SCHEMES: Final = ("per_tensor_affine", "per_tensor_symmetric")
STORAGE_KIND: Final = "torch storage"
TENSOR_KIND: Final = "torch.Tensor"


# "persistent" is what transformers notes on buffers.
_MARK: Final = re.compile(r"_[a-z][a-z0-9_]{0,60}|persistent", re.ASCII)
_OF_OPTIMIZERS: Final = ("_patch_step_function", "profile_hook_step")
_OF_TENSORS: Final = frozenset(
    ("_backward_hooks", "_post_accumulate_grad_hooks", "_base", "_cdata", "_grad", "_grad_fn")
)


class OutOfStorage(Refused):
    """A tensor reaches beyond its storage."""


@dataclass(frozen=True, slots=True)
class Storage:
    """What a persistent id refers to: ``elements`` of ``width`` bytes under ``key``; ``view`` has them if known."""

    key: str
    elements: int
    width: int
    view: View | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Laid:
    """How a tensor lies in its storage; offset and strides in elements of ``width`` bytes."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    width: int


def storage_of(identity: Value) -> Storage:
    """The storage that a persistent id of torch names: ``("storage", class, key, location, elements[, view])``.

    Raises:
        Refused: for anything else.
    """
    if not isinstance(identity, tuple) or not 5 <= len(identity) <= 6 or identity[0] != "storage":  # noqa: PLR2004
        raise Refused("that is not torch's (storage, class, key, location, elements)")
    cls, key, location, elements = identity[1:5]
    if not isinstance(cls, Global) or cls.permit is None or cls.permit.kind != "torch storage class":
        raise Refused("with a class that is no torch storage")
    if not isinstance(key, str) or not isinstance(location, str) or not is_count(elements):
        raise Refused("whose key, location or size is malformed")
    if len(identity) == 6 and identity[5] is not None:  # noqa: PLR2004 - torch before 0.4 shared storages by views
        raise Refused("with a view of another storage")
    return Storage(key, elements, STORAGES.get(cls.name, 1))


def module_class(identity: Value) -> Global | None:
    """The class that a persistent id ``("module", class, file, source)`` of torch's legacy form names, if permitted.

    torch compares the source with that of the class and warns; it does not use it.
    """
    match identity:
        case ("module", Global() as cls, str() | None | Blob(kind="str"), str() | None | Blob(kind="str")):
            return cls if is_class(cls) else None
    return None


def _fits(arguments: tuple[Value, ...], width: int | None = None) -> Instance:
    """A tensor over (storage, offset, size, stride), whose last element must lie within the storage."""
    storage, offset, size, stride = arguments[:4]
    if storage is COMPUTED:
        raise NotChecked("a tensor lies in a storage that is not known, so its bounds are not checked")
    if not is_instance(storage, STORAGE_KIND):
        raise Refused("with a storage that is not torch's")
    if isinstance(size, list):  # torch.Size may come as a list
        size = tuple(size)
    if not isinstance(size, tuple) or not isinstance(stride, tuple) or len(size) != len(stride):
        raise Refused("with a malformed shape")
    if not is_count(offset) or not all(map(is_count, size)) or not all(map(is_count, stride)):
        raise Refused("with a malformed shape")
    have = storage.detail.elements * storage.detail.width
    width = width or storage.detail.width
    reach = elements_spanned(offset, size, stride)
    if reach * width > have:
        raise OutOfStorage(f"for {reach} elements of {width} bytes in a storage of {have} bytes")
    return Instance(TENSOR_KIND, detail=Laid(storage.detail, offset, size, stride, width))


def _hooks(value: Value) -> None:
    if not (is_instance(value, "OrderedDict") or value is None):
        raise Refused("with backward hooks")


def _extras(arguments: tuple[Value, ...], least: int, most: int) -> None:
    """(..., requires_grad, hooks, ...[, metadata])."""
    if not least <= len(arguments) <= most:
        raise Refused(f"with {counted(len(arguments), 'argument')}")
    if not isinstance(arguments[4], bool):
        raise Refused("with a malformed requires_grad")
    _hooks(arguments[5])
    if len(arguments) == most and arguments[-1] is not None and not isinstance(arguments[-1], Dict):
        raise Refused("with malformed metadata")


def _tensor(arguments: tuple[Value, ...]) -> Value:
    if len(arguments) != 4:  # noqa: PLR2004
        raise Refused(f"with {counted(len(arguments), 'argument')}")
    return _fits(arguments)


def _tensor_v2(arguments: tuple[Value, ...]) -> Value:
    _extras(arguments, 6, 7)
    return _fits(arguments)


def _tensor_v3(arguments: tuple[Value, ...]) -> Value:
    _extras(arguments, 7, 8)
    return _fits(arguments, _dtype_width(arguments[6]))


def _dtype_width(value: Value) -> int:
    if not isinstance(value, Global) or value.permit is None or value.permit.kind != "torch.dtype":
        raise Refused("with something that is no dtype")
    return DTYPES[value.name]


def _qtensor(arguments: tuple[Value, ...]) -> Value:
    """Per-channel schemes have a scale and a zero point for each slice: torch did not always check how many."""
    if len(arguments) != 7:  # noqa: PLR2004
        raise Refused(f"with {counted(len(arguments), 'argument')}")
    match arguments[4]:
        case (Global(module="torch", name=scheme), float() | int(), int()) if scheme in SCHEMES:
            pass
        case (Global(module="torch", name=scheme), scales, zeros, int(axis)) if scheme in CHANNEL_SCHEMES:
            size = arguments[2]
            if not isinstance(size, tuple) or not 0 <= axis < len(size):
                raise Refused("with an axis that it has not")
            if not (_length(scales) == _length(zeros) == size[axis]):
                raise Refused("with another number of scales than its axis has slices")
        case _:
            raise Refused("with malformed quantisation parameters")
    if not isinstance(arguments[5], bool):
        raise Refused("with a malformed requires_grad")
    _hooks(arguments[6])
    return _fits(arguments)


def _length(value: Value) -> int | None:
    """How many numbers a list, or a tensor of one dimension, has."""
    if isinstance(value, list):
        return len(value)
    if isinstance(value, Instance) and isinstance(value.detail, Laid) and len(value.detail.size) == 1:
        return value.detail.size[0]
    return None


def _parameter(arguments: tuple[Value, ...]) -> Value:
    if arguments and arguments[0] is COMPUTED:
        raise NotChecked("a parameter of a tensor that is not known")
    if len(arguments) != 3 or not is_instance(arguments[0], TENSOR_KIND) or not isinstance(arguments[1], bool):  # noqa: PLR2004
        raise Refused("with something that is no tensor")
    _hooks(arguments[2])
    return Instance(TENSOR_KIND)


def _marks(state: Value) -> None:
    """What libraries note on a tensor: private attributes that are numbers, text or nothing, set by setattr."""
    if isinstance(state, tuple) and len(state) == 2 and state[1] is None:  # noqa: PLR2004 - (dict, slots)
        state = state[0]
    if not isinstance(state, Dict) or state.more:
        raise Refused("with attributes that are no dict")
    for key, value in zip(state.items[::2], state.items[1::2], strict=True):
        if not isinstance(key, str) or _MARK.fullmatch(key) is None or key in _OF_TENSORS:
            raise Refused("with an attribute that is torch's own")
        if not (value is None or isinstance(value, (bool, int, float, str))):
            raise Refused(f"with {describe(value)} as its attribute {key!r}")


def _parameter_with_state(arguments: tuple[Value, ...]) -> Value:
    if len(arguments) != 4:  # noqa: PLR2004
        raise Refused(f"with {counted(len(arguments), 'argument')}")
    _marks(arguments[3])
    return _parameter(arguments[:3])


def _from_type(arguments: tuple[Value, ...]) -> Value:
    """``_rebuild_from_type_v2(function, class, arguments, state)`` calls it; the result becomes the class."""
    match arguments:
        case (Global(module="torch._utils") as function, Global() as cls, tuple() as inner, state) if (
            function.permit is not None and function.permit.call is not None and is_kind(cls, "torch tensor class")
        ):
            _marks(state)
            return function.permit.call(inner)
    raise Refused("with anything but a rebuild function of torch, Tensor or Parameter, and marks")


def _from_numpy(arguments: tuple[Value, ...]) -> Value:
    """The tensor shares the array's memory, so the array must have got its own, for good, before."""
    if len(arguments) != 4 or not is_instance(arguments[0], "numpy.ndarray"):  # noqa: PLR2004
        raise Refused("with something that is no array")
    if not arguments[0].built:
        raise Refused("with an array that has no state yet")
    _dtype_width(arguments[1])
    return Instance(TENSOR_KIND)


def _meta(arguments: tuple[Value, ...]) -> Value:
    if len(arguments) != 4 or not isinstance(arguments[1], tuple) or not isinstance(arguments[2], tuple):  # noqa: PLR2004
        raise Refused("with a malformed shape")
    _dtype_width(arguments[0])
    return Instance("meta torch.Tensor")


def _load_from_bytes(arguments: tuple[Value, ...]) -> Value:
    """``torch.load`` of the bytes, without its ``weights_only``: how plain pickles hold storages."""
    if len(arguments) != 1 or not is_bytes(arguments[0]):
        raise Refused("with something that is no bytes")
    return Nested("torch", arguments[0])


def _size(arguments: tuple[Value, ...]) -> Value:
    if len(arguments) != 1 or not isinstance(arguments[0], (list, tuple)) or not all(map(is_count, arguments[0])):
        raise Refused("with something that is no list of sizes")
    return tuple(arguments[0])


def _device(arguments: tuple[Value, ...]) -> Value:
    if not 1 <= len(arguments) <= 2 or not isinstance(arguments[0], str) or not all(map(is_count, arguments[1:])):  # noqa: PLR2004
        raise Refused("with something that is no device name")
    return Instance("torch.device")


def _layout(arguments: tuple[Value, ...]) -> Value:
    match arguments:
        case (str(name),) if name.startswith(("torch.sparse_", "torch.strided")):
            return Instance("torch.layout", detail=name)
    raise Refused("with something that is no layout")


def _passed_on(arguments: tuple[Value, ...]) -> Value:
    """Marks of TorchScript's types (``torch/jit/_pickle.py``): each function returns what it is given."""
    match arguments:
        case (value,):
            return value
        case (value, str()):
            return value
    raise Refused("with something that is no marked value")


def _optimizer_state(_instance: Instance, state: Value) -> None:
    """``Optimizer.__setstate__`` and its subclasses' call methods of these three, and of themselves, at once."""
    check_attributes(state)
    if not isinstance(state, Dict):
        raise Refused("with a state that is no dict")
    for key, value in zip(state.items[::2], state.items[1::2], strict=True):
        if key in _OF_OPTIMIZERS:
            raise Refused(f"with an attribute {key!r}, which would be called at once")
        if key == "param_groups":
            fits = isinstance(value, list) and all(isinstance(group, Dict) for group in value)
        elif key in ("state", "defaults"):
            fits = isinstance(value, Dict) or is_instance(value, "defaultdict")
        else:
            continue
        if not fits:
            raise Refused(f"with {describe(value)} as {key!r}, whose methods would be called at once")


CHECKS: Final[dict[str, Callable[..., Value]]] = {
    "torch.optimizer_state": _optimizer_state,
    "torch.tensor": _tensor,
    "torch.tensor_v2": _tensor_v2,
    "torch.tensor_v3": _tensor_v3,
    "torch.qtensor": _qtensor,
    "torch.parameter": _parameter,
    "torch.parameter_with_state": _parameter_with_state,
    "torch.from_type": _from_type,
    "torch.from_numpy": _from_numpy,
    "torch.meta": _meta,
    "torch.load_from_bytes": _load_from_bytes,
    "torch.size": _size,
    "torch.device": _device,
    "torch.layout": _layout,
    "torch.passed_on": _passed_on,
}
