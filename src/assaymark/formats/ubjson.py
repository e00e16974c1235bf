"""Strict walk through UBJSON (https://ubjson.org, draft 12), as XGBoost writes it: one value that fills the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import GRAPH_MAX_DEPTH, TABLE_MAX_ITEMS
from assaymark.formats.paged import PagedView

if TYPE_CHECKING:
    from assaymark.core.view import View

_FIXED: Final = {b"Z": 0, b"T": 0, b"F": 0, b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8, b"d": 4, b"D": 8, b"C": 1}
_INTEGERS: Final = {b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8}


def read_ubjson(view: View) -> tuple[str, ...]:
    """The keys of the outermost object.

    Raises:
        InputError: ``ubjson-malformed`` with the byte, ``graph-size``.
    """
    return _Walk(view).walk()


class _Walk:
    def __init__(self, view: View) -> None:
        self._view = PagedView(view)
        self._at = 0
        self._left = TABLE_MAX_ITEMS
        self._keys: list[str] = []

    def _error(self, what: str) -> InputError:
        return InputError("ubjson-malformed", what, position=f"byte {self._at}")

    def _take(self, count: int) -> bytes:
        data = self._view.read(self._at, count)
        if len(data) != count:
            raise self._error("the file is cut off")
        self._at += count
        return data

    def _skip(self, count: int) -> None:
        if count > self._view.size - self._at:
            raise self._error("a length is larger than the file")
        self._at += count

    def walk(self) -> tuple[str, ...]:
        marker = self._take(1)
        if marker != b"{":
            raise self._error("no object")
        self._value(marker, 0)
        if self._at != self._view.size:
            raise self._error("bytes follow the value")
        return tuple(self._keys)

    def _length(self) -> int:
        marker = self._take(1)
        if marker not in _INTEGERS:
            raise self._error("a length is missing")
        value = int.from_bytes(self._take(_INTEGERS[marker]), "big", signed=marker != b"U")
        if value < 0:
            raise self._error("a negative length")
        return value

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise InputError("graph-size", f"more than {TABLE_MAX_ITEMS} values", position=f"byte {self._at}")

    def _value(self, marker: bytes, depth: int) -> None:
        self._count()
        if depth > GRAPH_MAX_DEPTH:
            raise self._error("values nest too deep")
        if marker in _FIXED:
            self._skip(_FIXED[marker])
        elif marker in (b"S", b"H"):
            self._skip(self._length())
        elif marker == b"[":
            self._items(depth, keys=False)
        elif marker == b"{":
            self._items(depth, keys=True)
        else:
            raise self._error("no value")

    def _items(self, depth: int, *, keys: bool) -> None:
        kind, count = self._header()
        end = b"}" if keys else b"]"
        if kind is not None and kind in _FIXED and not keys and count is not None:
            self._skip(_FIXED[kind] * count)
            return
        seen: set[bytes] = set()
        done = 0
        while count is None or done < count:
            if count is None and self._view.read(self._at, 1) == end:
                self._at += 1
                return
            if keys:
                self._key(seen, depth)
            marker = self._take(1) if kind is None else kind
            if marker == b"N" and not keys:
                continue
            self._value(marker, depth + 1)
            done += 1

    def _key(self, seen: set[bytes], depth: int) -> None:
        length = self._length()
        if length > 65_536:  # noqa: PLR2004 - a name
            raise self._error("a key is too long")
        key = self._take(length)
        if key in seen:
            raise self._error(f"the key {key[:80]!r} stands twice")
        seen.add(key)
        if depth == 0:
            self._keys.append(key.decode("utf-8", "backslashreplace"))

    def _header(self) -> tuple[bytes | None, int | None]:
        """The type (``$``) and count (``#``) of what follows, where they are given."""
        kind: bytes | None = None
        if self._view.read(self._at, 1) == b"$":
            self._at += 1
            kind = self._take(1)
        if self._view.read(self._at, 1) == b"#":
            self._at += 1
            count = self._length()
            if count > self._view.size and (kind is None or _FIXED.get(kind, 1)):
                raise self._error("a count is larger than the file")
            return kind, min(count, 1 << 62)
        if kind is not None:
            raise self._error("a type without a count")
        return None, None
