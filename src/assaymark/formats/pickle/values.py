"""What lies on the machine's stack.

Numbers, short texts and bytes, ``None``, booleans and tuples are themselves. Everything else is one of the
classes below. Values are never compared, hashed or printed as a whole: a tuple may hold itself many times
over and would take exponential time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

# Any of the Python values named above, or an object of this module.
Value = Any


class EightBit(str):
    """A text that protocol 0 to 2 wrote as bytes (STRING, BINSTRING): what it says depends on the loader's encoding.

    Python's own pickler never uses one as a name for STACK_GLOBAL.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """A mutable built-in container whose contents do not matter: set, frozenset."""

    kind: str


@dataclass(slots=True, eq=False)
class Dict:
    """A dict: ``items`` is key, value, key, value in the order written, equal keys again.

    ``more`` says that items beyond SCAN_MAX_DICT_ITEMS, or of a malformed DICT, are not among them.
    """

    items: list[Value]
    more: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Blob:
    """Text, bytes or a number that is too long to keep, or bytes of any length.

    ``length`` in bytes, ``None`` when not known; ``offset`` is where they lie in the view, ``None`` when they are not
    written there as they are. ``utf8`` says that the bytes are the Latin-1 form of UTF-8 text that lies there,
    ``escaped`` that they are that of raw-unicode-escape text. ``data`` has them where they are few and computed.
    """

    kind: str
    length: int | None = None
    offset: int | None = None
    utf8: bool = False
    data: bytes | None = None
    escaped: bool = False

    @property
    def encoded(self) -> bool:
        """Whether it lies in the view as text, and not as it is."""
        return self.utf8 or self.escaped

    @property
    def exact(self) -> int | None:
        """How many bytes it is; ``None`` when only decoding them tells."""
        return None if self.encoded and self.kind != "str" else self.length


@dataclass(frozen=True, slots=True, eq=False)
class Unknown:
    """A value that the machine does not know, and why."""

    why: str


@dataclass(slots=True, eq=False)
class Global:
    """What GLOBAL, STACK_GLOBAL or INST imported.

    ``module`` and ``name`` are after the renaming of Python 2 names (``_compat_pickle``) that readers do below
    protocol 3; ``raw`` is the dotted name as written. ``constant`` is false when a name was not a constant of
    the stream. ``permit`` and ``value`` belong to the observer; ``value`` says that containers may hold it.
    """

    module: str
    name: str
    raw: str
    offset: int
    opcode: str
    constant: bool = True
    permit: Any = None
    value: bool = True

    @property
    def dotted(self) -> str:
        """``module.name``."""
        return f"{self.module}.{self.name}"


class Naming(tuple[Any, ...]):
    """A tuple that holds, at any depth, a global that no container may hold: good for arguments, and nothing else."""

    __slots__ = ()


def is_naming(value: Value) -> bool:
    """Whether ``value`` is a global that no container may hold, or a tuple around one."""
    return not value.value if type(value) is Global else type(value) is Naming


@dataclass(slots=True, eq=False)
class Instance:
    """The result of a call that the observer knows: ``kind`` says of what, ``detail`` what else it needs."""

    kind: str
    permit: Any = None
    detail: Any = None
    built: bool = False


SET: Final = Plain("set")
FROZENSET: Final = Plain("frozenset")
MALFORMED: Final = Unknown("a malformed constant")
BUFFER: Final = Unknown("an out-of-band buffer")
COMPUTED: Final = Unknown("a value that the stream computes")


def describe(value: Value) -> str:
    """A few words for a message about ``value``; shallow, so constant time."""
    if isinstance(value, Global):
        return value.dotted
    if isinstance(value, Instance):
        return f"a {value.kind}"
    if isinstance(value, Unknown):
        return value.why
    if type(value) is Naming:
        held = next((item for item in value if type(item) is Global), None)
        return f"a tuple that holds {held.dotted if held is not None else 'what only may be called'}"
    if isinstance(value, (Plain, Blob)):
        return f"a {value.kind}"
    if isinstance(value, Dict):
        return "a dict"
    if value is None:
        return "None"
    return f"a {'str' if isinstance(value, str) else type(value).__name__}"
