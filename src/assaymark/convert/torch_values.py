"""The exact set of torch's functions that make tensors, each done as arithmetic on places in the file.

Sources: ``torch/_utils.py`` (the ``_rebuild_*`` functions), ``torch/_tensor.py`` (``_rebuild_from_type_v2``),
``torch/serialization.py`` (``persistent_load``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.convert.tree import Array, Lost, Object, Storage
from assaymark.core.limits import CONVERT_MAX_DIMENSIONS
from assaymark.formats.pickle.values import Dict, Global
from assaymark.formats.torch_layout import DTYPES, STORAGE_DTYPES, STORAGES, elements_spanned

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.formats.pickle.values import Value

# The types that safetensors 0.8 and torch share. A complex32 or complex128 has none there, nor have quantised ones.
SAFETENSORS_DTYPES: Final = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "uint16": "U16",
    "int16": "I16",
    "uint32": "U32",
    "int32": "I32",
    "uint64": "U64",
    "int64": "I64",
    "float16": "F16",
    "bfloat16": "BF16",
    "float32": "F32",
    "float64": "F64",
    "complex64": "C64",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2": "F8_E5M2",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "float8_e8m0fnu": "F8_E8M0",
    "float4_e2m1fn_x2": "F4",
}
_STORAGE_MODULES: Final = ("torch", "torch.storage", "torch.cuda")
_PARAMETERS: Final = ("Parameter", "Buffer")


class Malformed(Exception):  # noqa: N818 - internal to the package: becomes an InputError that says where
    """Arguments that torch's own writer does not write; the text goes on from the name of the function."""


def storage_of(identity: Value, offset: int) -> Storage:
    """The storage of ``("storage", class, key, location, elements[, view])``.

    Raises:
        Malformed: for anything else.
    """
    if not isinstance(identity, tuple) or not 5 <= len(identity) <= 6 or identity[0] != "storage":  # noqa: PLR2004
        raise Malformed("that is not torch's (storage, class, key, location, elements)")
    cls, key, _, elements = identity[1:5]
    if not isinstance(cls, Global) or cls.module not in _STORAGE_MODULES or cls.name not in STORAGES:
        raise Malformed("with a class that is no storage of torch")
    if len(identity) == 6 and identity[5] is not None:  # noqa: PLR2004
        raise Malformed("with a view of another storage, as torch before 0.4 wrote them")
    if not isinstance(key, str) or not _count(elements):
        raise Malformed("whose key or size is malformed")
    return Storage(key, STORAGE_DTYPES.get(cls.name, ""), elements, STORAGES[cls.name], offset)


def _array(arguments: tuple[Value, ...], dtype: str = "") -> Array:
    storage, first, size, stride = arguments[:4]
    if not isinstance(storage, Storage):
        raise Malformed("with a storage that is not in the file")
    size = tuple(size) if isinstance(size, list) else size
    if not isinstance(size, tuple) or not isinstance(stride, tuple) or len(size) != len(stride):
        raise Malformed("with a malformed shape")
    if len(size) > CONVERT_MAX_DIMENSIONS or not all(map(_count, (first, *size, *stride))):
        raise Malformed("with a malformed shape")
    dtype = dtype or storage.dtype
    if not dtype:
        raise Malformed("with a storage that has no type")
    if elements_spanned(first, size, stride) * DTYPES[dtype] > storage.elements * storage.width:
        raise Malformed("for more elements than its storage has")
    refused = "" if dtype in SAFETENSORS_DTYPES else f"torch.{dtype} has no place in safetensors"
    return Array(storage, dtype, first, size, stride, refused)


def _tensor(arguments: tuple[Value, ...]) -> Value:
    if len(arguments) != 4:  # noqa: PLR2004
        raise Malformed(f"with {len(arguments)} arguments")
    return _array(arguments)


def _tensor_v2(arguments: tuple[Value, ...]) -> Value:
    if not 6 <= len(arguments) <= 7:  # noqa: PLR2004
        raise Malformed(f"with {len(arguments)} arguments")
    return _extras(_array(arguments), arguments[4], arguments[5], arguments[6:])


def _tensor_v3(arguments: tuple[Value, ...]) -> Value:
    if not 7 <= len(arguments) <= 8:  # noqa: PLR2004
        raise Malformed(f"with {len(arguments)} arguments")
    dtype = arguments[6]
    if not isinstance(dtype, Global) or dtype.module != "torch" or dtype.name not in DTYPES:
        raise Malformed("with something that is no dtype")
    return _extras(_array(arguments, dtype.name), arguments[4], arguments[5], arguments[7:])


def _extras(array: Array, requires_grad: Value, hooks: Value, metadata: tuple[Value, ...]) -> Array:
    """Flags, hooks and metadata; a conjugate or negative view has other values than its bytes say."""
    if not isinstance(requires_grad, bool):
        raise Malformed("with a malformed requires_grad")
    if requires_grad:
        array.notes.append("requires_grad flags")
    if hooks is not None and not (isinstance(hooks, Object) and not hooks.items and hooks.arguments == ()):
        array.notes.append("backward hooks")
    if metadata and metadata[0] is not None:
        if not isinstance(metadata[0], Dict) or metadata[0].more:
            raise Malformed("with malformed metadata")
        items = metadata[0].items
        for key, value in zip(items[::2], items[1::2], strict=True):
            if key in ("conj", "neg") and value is not False:
                array.refused = "a lazily conjugated or negated view, whose values are not its bytes"
        if items:
            array.notes.append("metadata of tensors")
    return array


def _parameter(arguments: tuple[Value, ...]) -> Value:
    if len(arguments) != 3 or not isinstance(arguments[0], (Array, Lost)):  # noqa: PLR2004
        raise Malformed("with something that is no tensor")
    if isinstance(arguments[0], Array):
        _extras(arguments[0], arguments[1], arguments[2], ())
    return arguments[0]


def _parameter_with_state(arguments: tuple[Value, ...]) -> Value:
    if len(arguments) != 4:  # noqa: PLR2004
        raise Malformed(f"with {len(arguments)} arguments")
    made = _parameter(arguments[:3])
    if isinstance(made, Array):
        made.notes.append("attributes of tensors")
    return made


def _from_type(arguments: tuple[Value, ...]) -> Value:
    """``(function, class, arguments, state)`` calls it, and the result becomes the class, which has no place."""
    match arguments:
        case (Global(module=module, name=name), Global() as cls, tuple() as inner, _) if (module, name) in FUNCTIONS:
            made = FUNCTIONS[module, name](inner)
            if isinstance(made, Array) and cls.name not in ("Tensor", *_PARAMETERS):
                made.notes.append(f"the class {cls.dotted[:200]} of tensors")
            if isinstance(made, Array):
                made.notes.append("attributes of tensors")
            return made
    return Lost("a tensor of a class of its own")


def _no_form(what: str) -> Callable[[tuple[Value, ...]], Value]:
    def refuse(_arguments: tuple[Value, ...]) -> Value:
        return Array(None, "", 0, (), (), refused=f"{what} has no place in safetensors")

    return refuse


def _ordered(arguments: tuple[Value, ...]) -> Value:
    """Empty, or of a list of pairs, as Python 2 wrote it."""
    made = Object("collections.OrderedDict", False, (), 0)
    match arguments:
        case ():
            return made
        case (list() as given,):
            for pair in given:
                if not isinstance(pair, (list, tuple)) or len(pair) != 2:  # noqa: PLR2004
                    raise Malformed("with something that is no list of pairs")
                made.items += pair
            return made
    raise Malformed("with something that is no list of pairs")


def _size(arguments: tuple[Value, ...]) -> Value:
    if len(arguments) != 1 or not isinstance(arguments[0], (list, tuple)) or not all(map(_count, arguments[0])):
        raise Malformed("with something that is no list of sizes")
    return tuple(arguments[0])


def _device(arguments: tuple[Value, ...]) -> Value:
    if not 1 <= len(arguments) <= 2 or not isinstance(arguments[0], str) or not all(map(_count, arguments[1:])):  # noqa: PLR2004
        raise Malformed("with something that is no device")
    return ":".join(map(str, arguments))


def _count(value: Value) -> bool:
    return type(value) is int and 0 <= value < 2**63


FUNCTIONS: Final[dict[tuple[str, str], Callable[[tuple[Value, ...]], Value]]] = {
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor_v2,
    ("torch._utils", "_rebuild_tensor_v3"): _tensor_v3,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter_with_state,
    ("torch._utils", "_rebuild_qtensor"): _no_form("a quantised tensor"),
    ("torch._utils", "_rebuild_sparse_tensor"): _no_form("a sparse tensor"),
    ("torch._utils", "_rebuild_sparse_csr_tensor"): _no_form("a sparse tensor"),
    ("torch._utils", "_rebuild_meta_tensor_no_storage"): _no_form("a tensor without values"),
    ("torch._tensor", "_rebuild_from_type_v2"): _from_type,
    ("collections", "OrderedDict"): _ordered,
    ("torch", "Size"): _size,
    ("torch", "device"): _device,
}
# What may be imported without a word: it is data here.
KNOWN: Final = frozenset(
    {
        *FUNCTIONS,
        *((module, name) for module in _STORAGE_MODULES for name in STORAGES),
        *(("torch", name) for name in DTYPES),
        *(("torch", name) for name in ("per_tensor_affine", "per_channel_affine", "Tensor", "strided", "sparse_coo")),
        ("torch.serialization", "_get_layout"),
        *(("torch.nn.parameter", name) for name in _PARAMETERS),
        ("torch._tensor", "Tensor"),
    }
)
