"""Checks in code of what the standard library writes, for the allow-list ``python``.

Sources: ``copyreg.py``, ``Lib/pickle.py`` (how protocols 0 to 2 write what later ones have opcodes for), the
``__reduce__`` of each type.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from assaymark.formats.pickle.values import (
    FROZENSET,
    SET,
    Blob,
    Dict,
    Global,
    Instance,
    Naming,
    Plain,
    Value,
    describe,
)
from assaymark.scanning.pickle.permit import is_bytes, is_class, is_integer, is_text
from assaymark.scanning.pickle.refusal import Refused, is_instance
from assaymark.scanning.pickle.shapes import check_attributes, is_special

if TYPE_CHECKING:
    from collections.abc import Callable

# What a defaultdict may call for a key that is not there.
_FACTORIES: Final = frozenset(
    (
        *(f"builtins.{name}" for name in ("list", "dict", "int", "float", "set", "str", "bool", "tuple")),
        *(f"collections.{name}" for name in ("OrderedDict", "Counter", "deque")),
    )
)
_BASES: Final[dict[str, Callable[[Value], bool]]] = {
    "builtins.object": lambda state: state is None,
    "builtins.dict": lambda state: (
        isinstance(state, Dict) and not state.more and not any(map(is_special, state.items))
    ),
    "builtins.list": lambda state: isinstance(state, list),
    "builtins.tuple": lambda state: isinstance(state, tuple),
    "builtins.str": is_text,
    "builtins.int": is_integer,
    "builtins.float": lambda state: isinstance(state, float),
    "builtins.set": lambda state: isinstance(state, (list, Plain)),
    "builtins.frozenset": lambda state: isinstance(state, (list, Plain)),
}


def pairs(arguments: tuple[Value, ...]) -> Value:
    """``OrderedDict()``, or of a list of pairs."""
    if arguments and not (len(arguments) == 1 and isinstance(arguments[0], (list, Dict))):
        raise Refused("with something that is no list of pairs")
    return Instance("OrderedDict")


def latin1(arguments: tuple[Value, ...]) -> Value:
    """How protocols 0 to 2 write bytes. Other codecs do other things (``zlib`` expands, for one)."""
    if len(arguments) != 2 or not is_text(arguments[0]) or arguments[1] not in ("latin1", "latin-1"):  # noqa: PLR2004
        raise Refused('with anything but (text, "latin1")')
    return _encoded("bytes", arguments[0])


def _encoded(kind: str, text: str | Blob) -> Blob:
    """The bytes of ``text`` in Latin-1."""
    if not isinstance(text, str):
        return replace(text, kind=kind)
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        raise Refused("with text that is no Latin-1") from None
    return Blob(kind, len(data), data=data)


def new_bytearray(arguments: tuple[Value, ...]) -> Value:
    """``bytearray()``, of bytes, or of (text, "latin-1")."""
    match arguments:
        case ():
            return Blob("bytearray", 0)
        case (Blob(kind="bytes") as raw,):
            return replace(raw, kind="bytearray")
        case (text, "latin-1" | "latin1") if is_text(text):
            return _encoded("bytearray", text)
    raise Refused("with something that is no bytes")


def empty_bytes(arguments: tuple[Value, ...]) -> Value:
    """``bytes()``, which is how protocols 0 to 2 write no bytes."""
    if arguments:
        raise Refused("with arguments")
    return Blob("bytes", 0)


def _collection(result: Plain) -> Callable[[tuple[Value, ...]], Value]:
    def make(arguments: tuple[Value, ...]) -> Value:
        if arguments and (
            len(arguments) != 1 or not isinstance(arguments[0], (list, tuple)) or isinstance(arguments[0], Naming)
        ):
            raise Refused("with something that is no list")
        return result

    return make


def default_dict(arguments: tuple[Value, ...]) -> Value:
    """``defaultdict(factory)``; only factories that make an empty container or number."""
    match arguments:
        case () | (None,):
            return Instance("defaultdict")
        case (Global() as factory,) if factory.permit is not None and factory.dotted in _FACTORIES:
            return Instance("defaultdict")
    raise Refused(f"with {describe(arguments[0]) if arguments else 'more'} as what makes missing values")


def reconstructor(arguments: tuple[Value, ...]) -> Value:
    """``copyreg._reconstructor(cls, base, state)``: ``base.__new__(cls, state)`` of protocols 0 and 1.

    It goes past ``cls.__new__`` and ``cls.__init__``, so a class that may be made with any arguments may be made so.
    """
    match arguments:
        case (Global() as cls, Global(permit=permit) as base, state) if permit is not None and is_class(cls):
            expected = _BASES.get(base.dotted)
            if expected is not None and expected(state):
                return Instance(cls.permit.kind, cls.permit)
    raise Refused(f"with ({', '.join(map(describe, arguments[:3]))}), which is no permitted class with its base")


def new_object(arguments: tuple[Value, ...]) -> Value:
    """``copyreg.__newobj__(cls, *args)`` and the like: what NEWOBJ does."""
    if not arguments or not is_class(arguments[0]):
        raise Refused("with something that is no permitted class")
    made: Value = arguments[0].permit.new(arguments[1:])
    return made


def typed_array(arguments: tuple[Value, ...]) -> Value:
    """``array._array_reconstructor(array.array, typecode, format, bytes)``."""
    match arguments:
        case (Global(module="array", name="array"), str(), int(), raw) if is_bytes(raw):
            return Instance("array.array")
    raise Refused("with something that is no typed array")


def user_dict(_instance: Instance, state: Value) -> None:
    """``UserDict`` passes items on to its ``data``: those of another class would have its methods called."""
    check_attributes(state)
    if not isinstance(state, Dict):
        raise Refused("with a state that is no dict")
    for key, value in zip(state.items[::2], state.items[1::2], strict=True):
        if key == "data" and not (isinstance(value, Dict) or is_instance(value, "OrderedDict")):
            raise Refused(f"with {describe(value)} as its data")


CHECKS: Final[dict[str, Callable[..., Value]]] = {
    "python.pairs": pairs,
    "python.latin1": latin1,
    "python.bytearray": new_bytearray,
    "python.bytes": empty_bytes,
    "python.set": _collection(SET),
    "python.frozenset": _collection(FROZENSET),
    "python.defaultdict": default_dict,
    "python.reconstructor": reconstructor,
    "python.newobj": new_object,
    "python.user_dict": user_dict,
    "python.array": typed_array,
}
