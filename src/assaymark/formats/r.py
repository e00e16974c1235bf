"""Reader of R's serialised data: which kinds of objects it holds. Nothing is rebuilt.

R Internals, "Serialization Formats", and serialize.c of R 4.5: XDR (``X``), native (``B``) and ASCII (``A``),
versions 2 and 3, with or without the header of a workspace (``RDX3``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from assaymark.core.errors import InputError
from assaymark.core.limits import R_MAX_ITEMS, SCAN_MAX_TEXT_BYTES
from assaymark.formats.paged import PagedView

if TYPE_CHECKING:
    from assaymark.core.view import View

SYMBOL, PAIRS, CLOSURE, ENVIRONMENT, PROMISE, CALL = 1, 2, 3, 4, 5, 6
SPECIAL, BUILTIN, CHARS, DOTS, CODE, POINTER, WEAK = 7, 8, 9, 17, 21, 22, 23
ALTERNATIVE, NAMESPACE, PACKAGE, PERSISTENT = 238, 249, 248, 247
_CALL_WITH_ATTRIBUTES, _PAIRS_WITH_ATTRIBUTES, _REFERENCE = 240, 239, 255
_VECTORS: Final = {10: 4, 13: 4, 14: 8, 15: 16, 24: 1}
_LISTS: Final = frozenset((16, 19, 20))
_S4: Final = 25
# Values that are only named: NULL, the global environment, unbound, missing, base's namespace and environment, empty.
_CONSTANTS: Final = frozenset((0, 254, 253, 252, 251, 250, 242, 241))
_TREES: Final = frozenset((PAIRS, CLOSURE, PROMISE, CALL, DOTS, _CALL_WITH_ATTRIBUTES, _PAIRS_WITH_ATTRIBUTES))
_HAS_ATTRIBUTES, _HAS_TAG = 1 << 9, 1 << 10
_MAX_NAME: Final = 1 << 20
_MAPPED: Final = frozenset((b"mmap_integer", b"mmap_real"))


@dataclass(slots=True)
class RData:
    """``kinds``: type -> the byte (or, in ASCII, the word) of its first object.

    ``mapped``: a vector whose values are a file that R maps (ALTREP classes mmap_integer and mmap_real).
    """

    kinds: dict[int, int] = field(default_factory=dict)
    whole: bool = True
    mapped: bool = False


class _Source(Protocol):
    place: int

    def integer(self) -> int: ...

    def skip(self, count: int, width: int) -> None: ...

    def text(self, length: int) -> bytes: ...

    def at_end(self) -> bool: ...


def read_r(view: View) -> RData:
    """The kinds of objects in the data. Byte code ends the walk: ``whole`` is then false.

    Raises:
        InputError: ``r-malformed``, ``graph-size``.
    """
    head = view.read(0, 7)
    start = 5 if head[:5] in (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"RDB2\n", b"RDB3\n") else 0
    form = head[start : start + 2]
    if form not in (b"X\n", b"B\n", b"A\n"):
        raise InputError("r-malformed", "no serialised data of R", position="byte 0")
    source: _Source = _Words(view, start + 2) if form == b"A\n" else _Bytes(view, start + 2, form == b"X\n")
    version = source.integer()
    source.integer()
    source.integer()
    if version == 3:  # noqa: PLR2004 - with the encoding of its texts
        source.text(_length(source.integer()))
    elif version != 2:  # noqa: PLR2004
        raise InputError("r-malformed", f"version {version}", position=f"byte {start + 2}")
    found = _Walk(source).walk()
    if found.whole and not source.at_end():
        raise InputError("r-malformed", "bytes follow the data", position=f"byte {source.place}")
    return found


def _length(value: int) -> int:
    if not 0 <= value <= _MAX_NAME:
        raise InputError("r-malformed", f"a name of {value} bytes")
    return value


class _Walk:
    def __init__(self, source: _Source) -> None:
        self._source = source
        self._found = RData()
        self._left = R_MAX_ITEMS

    def walk(self) -> RData:
        """Objects in the order of the stream: a stack of how many are due at each level."""
        due = [1]
        while due and self._found.whole:
            if due[-1] == 0:
                due.pop()
                continue
            due[-1] -= 1
            more = self._item()
            if more:
                due.append(more)
            while due and due[-1] == 0:
                due.pop()
        return self._found

    def _item(self) -> int:
        """Read one object up to its parts; returns how many objects follow that belong to it."""
        self._left -= 1
        if self._left < 0:
            raise InputError("graph-size", f"more than {R_MAX_ITEMS} objects", position=f"byte {self._source.place}")
        place = self._source.place
        flags = self._source.integer()
        kind = flags & 0xFF
        self._found.kinds.setdefault(kind, place)
        attributes = 1 if flags & _HAS_ATTRIBUTES else 0
        if kind in _CONSTANTS:
            return 0
        if kind == _REFERENCE:
            if not flags >> 8:
                self._source.integer()
            return 0
        if kind in _TREES:
            tag = 1 if flags & _HAS_TAG else 0
            with_attributes = kind in (_CALL_WITH_ATTRIBUTES, _PAIRS_WITH_ATTRIBUTES)
            return (1 if with_attributes else attributes) + tag + 2
        if kind == SYMBOL:
            return 1
        if kind == CHARS:
            length = self._source.integer()
            if length < -1:
                raise InputError("r-malformed", f"a text of {length} bytes", position=f"byte {place}")
            if length >= 0:
                self._chars(length)
            return 0
        return self._other(kind, attributes, place)

    def _chars(self, length: int) -> None:
        if length <= _MAX_NAME:
            text = self._source.text(length)
            self._found.mapped = self._found.mapped or (ALTERNATIVE in self._found.kinds and text in _MAPPED)
        else:
            self._source.skip(length, 1)

    def _count(self, place: int) -> int:
        count = self._source.integer()
        if count == -1:
            count = (self._source.integer() << 32) + self._source.integer()
        if count < 0:
            raise InputError("r-malformed", f"a vector of {count} values", position=f"byte {place}")
        return count

    def _other(self, kind: int, attributes: int, place: int) -> int:
        if kind in _VECTORS:
            self._source.skip(self._count(place), _VECTORS[kind])
            return attributes
        if kind in _LISTS:
            return self._count(place) + attributes
        if kind == ENVIRONMENT:
            self._source.integer()
            return 4
        if kind in (SPECIAL, BUILTIN):
            self._source.text(_length(self._source.integer()))
            return 0
        if kind == POINTER:
            return 2 + attributes
        if kind in (WEAK, _S4):
            return attributes
        if kind in (NAMESPACE, PACKAGE, PERSISTENT):
            self._source.integer()
            return self._count(place)
        if kind == ALTERNATIVE:
            return 3
        if kind == CODE:
            self._found.whole = False
            return 0
        raise InputError("r-malformed", f"an object of type {kind}", position=f"byte {place}")


class _Bytes:
    """XDR and native numbers."""

    def __init__(self, view: View, start: int, big: bool) -> None:
        self._view = PagedView(view)
        self._big = big
        self.place = start

    def integer(self) -> int:
        data = self.text(4)
        return int.from_bytes(data, "big" if self._big else "little", signed=True)

    def text(self, length: int) -> bytes:
        data = self._view.read(self.place, length)
        if len(data) != length:
            raise InputError("r-malformed", "the data are cut off", position=f"byte {self.place}")
        self.place += length
        return data

    def skip(self, count: int, width: int) -> None:
        if width < 0 or count * width > self._view.size - self.place:
            raise InputError("r-malformed", "a vector is longer than the file", position=f"byte {self.place}")
        self.place += count * width

    def at_end(self) -> bool:
        return self.place == self._view.size


class _Words:
    """ASCII: a word a line; texts with escapes, which are passed over as they stand."""

    def __init__(self, view: View, start: int) -> None:
        if view.size > SCAN_MAX_TEXT_BYTES:
            raise InputError("graph-size", f"{view.size} bytes of text", position="byte 0")
        text = view.read(start, view.size)
        if text.count(b"\n") > 2 * R_MAX_ITEMS:
            raise InputError("graph-size", f"more than {2 * R_MAX_ITEMS} words", position="byte 0")
        self._words = text.split(b"\n")
        self.place = 0

    def _word(self) -> bytes:
        if self.place >= len(self._words):
            raise InputError("r-malformed", "the data are cut off", position=f"word {self.place}")
        self.place += 1
        return self._words[self.place - 1]

    def integer(self) -> int:
        word = self._word().strip()
        if word == b"NA":
            return -(2**31)
        if not word.lstrip(b"-").isdigit() or len(word) > 12:  # noqa: PLR2004 - longer than any
            raise InputError("r-malformed", "a number is missing", position=f"word {self.place}")
        return int(word)

    def text(self, length: int) -> bytes:
        if length == 0:
            if self._words[self.place : self.place + 1] == [b""]:
                self.place += 1
            return b""
        return self._word()

    def skip(self, count: int, width: int) -> None:
        if width < 0:
            raise InputError("r-malformed", "a text of negative length", position=f"word {self.place}")
        words = 2 * count if width == 16 else count  # noqa: PLR2004 - complex numbers are two
        if words > len(self._words) - self.place:
            raise InputError("r-malformed", "a vector is longer than the file", position=f"word {self.place}")
        self.place += words

    def at_end(self) -> bool:
        return not any(word.strip() for word in self._words[self.place :])
