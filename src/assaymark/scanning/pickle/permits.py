"""The reviewed table of what a pickle may import, and what it may do with each: everything else is refused.

Names are those that PyTorch (``torch/_utils.py``, ``torch/_weights_only_unpickler.py``) and NumPy
(``numpy/_core``) write for tensors, arrays and plain values. A permit is per use: an import may be harmless
and a call of it not, or only with certain arguments. Left out on purpose, although torch's ``weights_only``
reader lets them through: ``_rebuild_from_type_v2`` and ``_rebuild_wrapper_subclass`` (they call what they
are given), ``_rebuild_parameter_with_state`` (sets any attribute), ``torch.nn.Parameter`` itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.formats.pickle.values import DICT, FROZENSET, SET, Blob, Global, Instance, Plain, Value
from assaymark.scanning.pickle import numpy_permits, torch_permits
from assaymark.scanning.pickle.refusal import Refused, is_count

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Permit:
    """What may be done with one global.

    ``call`` gets the argument tuple and returns the result, or raises ``Refused``; ``None`` when it may only
    stand as a value or argument. ``new`` says that NEWOBJ, OBJ and INST may make it too. ``build`` checks
    (instance, state). ``items`` says that APPEND, SETITEM and ADDITEMS may add to an instance.
    """

    kind: str
    call: Callable[[tuple[Value, ...]], Value] | None = None
    new: bool = False
    build: Callable[[Instance, Value], None] | None = None
    items: bool = False


def _is_text(value: Value) -> bool:
    return isinstance(value, str) or (isinstance(value, Blob) and value.kind == "str")


def _ordered_dict(arguments: tuple[Value, ...]) -> Value:
    if arguments and not (len(arguments) == 1 and (isinstance(arguments[0], list) or arguments[0] is DICT)):
        raise Refused("with something that is no list of pairs")
    return Instance("OrderedDict", PERMITS["collections", "OrderedDict"])


def _ordered_dict_build(target: Instance, state: Value) -> None:
    """Torch keeps ``_metadata`` there. A second BUILD could call a ``__setstate__`` that the first one set."""
    if state is not DICT:
        raise Refused("with a state that is no dict")
    if target.built:
        raise Refused("a second time, which calls what the first may have set")


def _latin1(arguments: tuple[Value, ...]) -> Value:
    """How protocols 0 to 2 write bytes. Other codecs do other things (``zlib`` expands, for one)."""
    if len(arguments) != 2 or not _is_text(arguments[0]) or arguments[1] not in ("latin1", "latin-1"):  # noqa: PLR2004
        raise Refused('with anything but (text, "latin1")')
    return Blob("bytes", len(arguments[0]) if isinstance(arguments[0], str) else None)


def _bytearray(arguments: tuple[Value, ...]) -> Value:
    match arguments:
        case () | (Blob(kind="bytes"),):
            return Blob("bytearray")
        case (text, "latin-1" | "latin1") if _is_text(text):
            return Blob("bytearray")
    raise Refused("with something that is no bytes")


def _empty_bytes(arguments: tuple[Value, ...]) -> Value:
    if arguments:
        raise Refused("with arguments")
    return Blob("bytes", 0)


def _collection(result: Plain) -> Callable[[tuple[Value, ...]], Value]:
    def make(arguments: tuple[Value, ...]) -> Value:
        if arguments and not (len(arguments) == 1 and isinstance(arguments[0], (list, tuple))):
            raise Refused("with something that is no list")
        return result

    return make


def _complex(arguments: tuple[Value, ...]) -> Value:
    if len(arguments) != 2 or not all(isinstance(part, (int, float)) for part in arguments):  # noqa: PLR2004
        raise Refused("with something that is no pair of numbers")
    return Instance("complex")


def _range(arguments: tuple[Value, ...]) -> Value:
    if not 1 <= len(arguments) <= 3 or not all(isinstance(part, int) for part in arguments):  # noqa: PLR2004
        raise Refused("with something that is no integer")
    return Instance("range")


def _slice(arguments: tuple[Value, ...]) -> Value:
    if not 1 <= len(arguments) <= 3 or not all(part is None or isinstance(part, int) for part in arguments):  # noqa: PLR2004
        raise Refused("with something that is no integer")
    return Instance("slice")


def _size(arguments: tuple[Value, ...]) -> Value:
    if len(arguments) != 1 or not isinstance(arguments[0], (list, tuple)) or not all(map(is_count, arguments[0])):
        raise Refused("with something that is no list of sizes")
    return tuple(arguments[0])


def _device(arguments: tuple[Value, ...]) -> Value:
    if not 1 <= len(arguments) <= 2 or not isinstance(arguments[0], str) or not all(map(is_count, arguments[1:])):  # noqa: PLR2004
        raise Refused("with something that is no device name")
    return Instance("torch.device")


def _layout(arguments: tuple[Value, ...]) -> Value:
    if len(arguments) != 1 or not isinstance(arguments[0], str) or not arguments[0].startswith("torch.sparse_"):
        raise Refused("with something that is no layout")
    return Instance("torch.layout")


def _array_class(value: Value) -> bool:
    return isinstance(value, Global) and value.permit is not None and value.permit.kind == "numpy.ndarray class"


def _reconstruct(arguments: tuple[Value, ...]) -> Value:
    """NumPy writes (ndarray, (0,), b"b") and fills the array by BUILD."""
    match arguments:
        case (cls, (0,), Blob(kind="bytes") | str()) if _array_class(cls):
            return Instance("numpy.ndarray", PERMITS["numpy._core.multiarray", "_reconstruct"])
    raise Refused('with anything but (ndarray, (0,), b"b")')


def _dtype(arguments: tuple[Value, ...]) -> Value:
    result = numpy_permits.dtype(arguments)
    result.permit = PERMITS["numpy", "dtype"]
    return result


def _table() -> dict[tuple[str, str], Permit]:
    table: dict[tuple[str, str], Permit] = {
        ("collections", "OrderedDict"): Permit(
            "OrderedDict", _ordered_dict, new=True, build=_ordered_dict_build, items=True
        ),
        ("_codecs", "encode"): Permit("function", _latin1),
        ("builtins", "bytearray"): Permit("bytearray", _bytearray),
        ("builtins", "bytes"): Permit("bytes", _empty_bytes),
        ("builtins", "set"): Permit("set", _collection(SET)),
        ("builtins", "frozenset"): Permit("frozenset", _collection(FROZENSET)),
        ("builtins", "complex"): Permit("complex", _complex),
        ("builtins", "range"): Permit("range", _range),
        ("builtins", "slice"): Permit("slice", _slice),
        ("torch", "Size"): Permit("function", _size),
        ("torch", "device"): Permit("function", _device),
        ("torch.serialization", "_get_layout"): Permit("function", _layout),
        ("numpy", "ndarray"): Permit("numpy.ndarray class"),
        ("numpy", "dtype"): Permit("numpy.dtype", _dtype, build=numpy_permits.dtype_build),
    }
    for core in ("numpy._core", "numpy.core"):  # NumPy 2 and 1
        table[f"{core}.multiarray", "_reconstruct"] = Permit(
            "function", _reconstruct, build=numpy_permits.array_build
        )
        table[f"{core}.multiarray", "scalar"] = Permit("function", numpy_permits.scalar)
        table[f"{core}.numeric", "_frombuffer"] = Permit("function", numpy_permits.frombuffer)
    for name, function in torch_permits.FUNCTIONS.items():
        table["torch._utils", name] = Permit("function", function)
    for name in torch_permits.STORAGES:
        table["torch", name] = Permit("torch storage class")
    for name in ("UntypedStorage", "TypedStorage"):
        table["torch.storage", name] = Permit("torch storage class")
    for name in torch_permits.DTYPES:
        table["torch", name] = Permit("torch.dtype")
    for name in torch_permits.SCHEMES:
        table["torch", name] = Permit("torch quantisation scheme")
    return table


PERMITS: Final = _table()


def allowed_name(module: str, name: str) -> bool:
    """Whether ``module.name`` is in the reviewed table, for other formats that name what they construct."""
    return (module, name) in PERMITS
