"""The language of the allow-lists: what a permitted global may be used for, and with what.

One use is one text, several make the entry of a name. This is the boundary between what passes and what is refused.

    import              it may stand as a value: an attribute, an argument, an item
    new (SHAPE, ...)    NEWOBJ, and OBJ or INST without arguments: ``cls.__new__(cls, ...)``
    call (SHAPE, ...)   REDUCE, and OBJ or INST with arguments; ``-> 1`` behind it: the result is an instance of the
                        class that is argument 1, else of what is called
    build SHAPE         BUILD, once for each instance: ``__setstate__`` or attributes
    build attributes !NAME ...
                        the same without attributes of these names, which ``__setstate__`` would call instead of the
                        methods of the class
    items               SETITEM and SETITEMS on an instance
    append              APPEND, APPENDS and ADDITEMS on an instance
    new @check, call @check, build @check
                        a check written in code, in the table that ``permits`` hands over

A SHAPE is an atom, several with ``|`` between them, or a tuple ``(SHAPE, ...)`` of exactly so many. In a tuple ``?``
behind a shape says that it and those after it may be missing, ``...`` as the last element that the one before it
may come any number of times, none included. The atoms:

    none bool           None, True or False
    int float           a number of that type; ``number`` is either, or a NumPy scalar
    text bytes          str; bytes or bytearray
    array dtype         a NumPy array that has its state; a NumPy dtype
    tensor storage      what torch's rebuild functions return; what a persistent id refers to
    list tuple dict set the container, whatever it holds: what it holds was judged when it was made
    class               a class that the lists permit to make (``new``)
    function            a global that the lists permit as a value (``import``)
    object              an instance of a permitted class
    data                anything but a global
    attributes          a dict (or the pair of it and None) that becomes part of ``__dict__``: all keys are text that
                        is known, none of them begins and ends with two underscores (``__setstate__`` in an instance
                        is called by a later BUILD, ``__class__`` changes what it is), and no value is a global but
                        such as have ``import``; ``__doc__``,
                        ``__name__`` and the like may be text. In ``A|attributes`` it comes last: it says what is
                        wrong
    slots               the pair of such a dict or None and another whose items are set by ``setattr``, which calls
                        setters of properties: for classes that have ``__slots__``

Shapes look one level deep, so a check takes time in proportion to the arguments that the stream wrote for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.formats.pickle.values import Dict, Global, Instance, Naming, Plain, describe
from assaymark.scanning.pickle.permit import Permit, is_bytes, is_class, is_integer, is_text
from assaymark.scanning.pickle.refusal import Refused, is_instance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from assaymark.formats.pickle.values import Value

    Shape = Callable[[Value], bool]
    Check = Callable[..., Value]

_TOKEN: Final = re.compile(r"\s*(\.\.\.|[(),|?]|[a-z]+)")
_NAMES: Final = ("__doc__", "__name__", "__qualname__", "__module__")  # what wrappers of functions carry
_TEXTS: Final = ("_sklearn_version",)  # which scikit-learn compares and shows while it loads
_SHOWN: Final = 80  # characters of a key or shape in a message


def is_value(value: Value) -> bool:
    """No global, or one that may stand as a value, nor a tuple around another."""
    if type(value) is Naming:
        return False
    return not isinstance(value, Global) or (value.permit is not None and value.permit.value)


def is_special(key: Value) -> bool:
    """Whether ``key`` is the name of an attribute that Python itself uses."""
    return isinstance(key, str) and key.startswith("__") and key.endswith("__")


def check_attributes(state: Value, *, slots: bool = False) -> None:
    """Raise unless ``state`` only sets plain attributes; see ``attributes`` and ``slots`` above.

    Raises:
        Refused: with the attribute that it is about.
    """
    if isinstance(state, tuple) and len(state) == 2 and (slots or state[1] is None):  # noqa: PLR2004 - dict, slots
        parts = [part for part in state if part is not None]
    else:
        parts = [state]
    for part in parts:
        if not isinstance(part, Dict):
            raise Refused(f"from {describe(part)}, where attributes are due")
        _check_dict(part)


def _check_dict(attributes: Dict) -> None:
    if attributes.more:
        raise Refused("with more attributes than are examined")
    items = attributes.items
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, str):
            raise Refused(f"with an attribute whose name is {describe(key)}")
        if key in _NAMES and (value is None or is_text(value)):
            continue
        if is_special(key):
            raise Refused(f"with an attribute {key[:_SHOWN]}, which Python itself uses")
        if not is_value(value):
            raise Refused(f"with {describe(value)} as its attribute {key[:_SHOWN]!r}")
        if key in _TEXTS and not (value is None or is_text(value)):
            raise Refused(f"with {describe(value)} as its attribute {key[:_SHOWN]!r}, which is shown at once")


def _attributes(value: Value) -> bool:
    check_attributes(value)
    return True


def _slots(value: Value) -> bool:
    check_attributes(value, slots=True)
    return True


_ATOMS: Final[dict[str, Shape]] = {
    "none": lambda value: value is None,
    "bool": lambda value: isinstance(value, bool),
    "int": is_integer,
    "float": lambda value: isinstance(value, float),
    "number": lambda value: is_integer(value) or isinstance(value, float) or is_instance(value, "numpy scalar"),
    "text": is_text,
    "bytes": is_bytes,
    "array": lambda value: is_instance(value, "numpy.ndarray") and value.built,
    "dtype": lambda value: is_instance(value, "numpy.dtype"),
    "tensor": lambda value: is_instance(value, "torch.Tensor"),
    "storage": lambda value: is_instance(value, "torch storage"),
    "list": lambda value: isinstance(value, list),
    "tuple": lambda value: isinstance(value, tuple) and not isinstance(value, Naming),
    "dict": lambda value: isinstance(value, Dict) or (isinstance(value, Instance) and _is_mapping(value)),
    "set": lambda value: isinstance(value, Plain),
    "class": is_class,
    "function": lambda value: isinstance(value, Global) and is_value(value),
    "object": lambda value: isinstance(value, Instance),
    "data": lambda value: not isinstance(value, (Global, Naming)),
    "attributes": _attributes,
    "slots": _slots,
}


def _is_mapping(value: Instance) -> bool:
    return value.permit is not None and value.permit.items


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        if "".join(self.tokens) != "".join(text.split()):
            raise ValueError(f"{text!r} is no shape")
        self.tokens.reverse()

    def peek(self) -> str:
        return self.tokens[-1] if self.tokens else ""

    def take(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.tokens.pop()
        return True

    def shape(self) -> Shape:
        shapes = [self.one()]
        while self.take("|"):
            shapes.append(self.one())
        if len(shapes) == 1:
            return shapes[0]
        return lambda value: any(shape(value) for shape in shapes)

    def one(self) -> Shape:
        if self.take("("):
            return self.tuple()
        return _ATOMS[self.tokens.pop()]

    def tuple(self) -> Shape:
        shapes: list[Shape] = []
        least: int | None = None
        repeats = False
        while not self.take(")"):
            if self.take("..."):
                repeats = True
            else:
                shapes.append(self.shape())
                if self.take("?") and least is None:
                    least = len(shapes) - 1
            if not self.take(",") and self.peek() != ")":
                raise ValueError("a tuple that does not end")
        most = len(shapes)
        if least is None:
            least = most - 1 if repeats else most

        def matches(value: Value) -> bool:
            if not isinstance(value, tuple) or len(value) < least or (len(value) > most and not repeats):
                return False
            return all(shapes[min(index, most - 1)](item) for index, item in enumerate(value))

        return matches


def parse_shape(text: str) -> Shape:
    """The check that ``text`` stands for.

    Raises:
        ValueError, KeyError: when it is no shape: the lists are ours, and a test parses them all.
    """
    parser = _Parser(text)
    shape = parser.shape()
    if parser.tokens:
        raise ValueError(f"{text!r} goes on behind the shape")
    return shape


def make_permit(kind: str, uses: list[str], checks: Mapping[str, Check], name: str) -> Permit:
    """The permit that ``uses`` grant to the global ``name``. ``kind`` is what its instances are called.

    Raises:
        ValueError, KeyError: when a use is not of the language.
    """
    calls: dict[str, Callable[[tuple[Value, ...]], Value]] = {}
    build: Callable[[Instance, Value], None] | None = None
    flags: set[str] = set()

    def own() -> Permit:
        return permit

    for use in uses:
        verb, _, rest = use.partition(" ")
        if verb in ("import", "items", "append") and not rest:
            flags.add(verb)
        elif verb in ("new", "call"):
            calls[verb] = _caller(rest, kind, checks, own)
        elif verb == "build":
            build = _builder(rest, checks)
        else:
            raise ValueError(f"{use!r} is no use of {name}")
    permit = Permit(
        kind,
        calls.get("call"),
        calls.get("new"),
        build,
        items="items" in flags,
        append="append" in flags,
        value="import" in flags,
    )
    return permit


def _caller(
    text: str, kind: str, checks: Mapping[str, Check], own: Callable[[], Permit]
) -> Callable[[tuple[Value, ...]], Value]:
    if text.startswith("@"):
        check = checks[text[1:]]

        def checked(arguments: tuple[Value, ...]) -> Value:
            result = check(arguments)
            if isinstance(result, Instance) and result.permit is None:
                result.permit = own()
            return result

        return checked
    spec, _, of_first = text.partition(" -> ")
    if of_first not in ("", "1"):
        raise ValueError(f"{text!r}: only argument 1 may be the class of the result")
    shape = parse_shape(spec)

    def call(arguments: tuple[Value, ...]) -> Value:
        if not shape(arguments):
            raise Refused(_mismatch(arguments, spec))
        if of_first:
            cls = arguments[0]
            if not is_class(cls):
                raise Refused(f"for {describe(cls)}, which is no class that may be made")
            return Instance(cls.dotted, cls.permit)
        return Instance(kind, own())

    return call


def _builder(text: str, checks: Mapping[str, Check]) -> Callable[[Instance, Value], None]:
    text, *barred = text.split(" !")
    check = checks[text[1:]] if text.startswith("@") else None
    shape = parse_shape(text) if check is None else None

    def build(instance: Instance, state: Value) -> None:
        if instance.built:
            raise Refused("a second time, which calls what the first may have set")
        if check is not None:
            check(instance, state)
        elif shape is not None and not shape(state):
            raise Refused(_mismatch(state, text))
        for name in barred:
            if isinstance(state, Dict) and any(key == name for key in state.items[::2] if isinstance(key, str)):
                raise Refused(f"with an attribute {name!r}, which would be called at once")

    return build


def _mismatch(value: Value, spec: str) -> str:
    """What was there, a few words an item, and what is due."""
    if isinstance(value, tuple):
        there = f"({', '.join(describe(item) for item in value[:8])}{', ...' if len(value) > 8 else ''})"  # noqa: PLR2004
    else:
        there = describe(value)
    return f"with {there} where {spec} is due"
