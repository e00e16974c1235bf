"""The values of a pickle as a converter sees them: what the machine leaves on its stack, and these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assaymark.formats.pickle.values import Blob, Value


@dataclass(slots=True, eq=False)
class Object:
    """What the stream makes of ``name`` (dotted): ``called`` as a function, or an instance without a call.

    ``state`` is that of BUILD, ``items`` are keys and values in a row, ``appended`` what was put into it otherwise.
    """

    name: str
    called: bool
    arguments: Value
    offset: int
    state: Value = None
    built: bool = False
    items: list[Value] = field(default_factory=list)
    appended: list[Value] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """A storage of torch: ``elements`` of ``width`` bytes under ``key``; ``dtype`` is empty when it has none.

    ``place`` is where it begins in the pickle, when it lies within.
    """

    key: str
    dtype: str
    elements: int
    width: int
    offset: int
    place: int | None = None


@dataclass(slots=True, eq=False)
class Array:
    """Elements in the file: of a ``storage`` of torch from element ``first``, or raw from byte ``first``.

    ``dtype`` is torch's or NumPy's name of the type, ``stride`` in elements. ``refused`` says why it cannot be
    converted, where it cannot. ``notes`` are what a safe form has no place for.
    """

    storage: Storage | None
    dtype: str
    first: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    refused: str = ""
    notes: list[str] = field(default_factory=list)
    swap: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Lost:
    """A value that cannot be carried over, and what it is."""

    what: str


Node = Any


@dataclass(slots=True, eq=False)
class DType:
    """A type of NumPy: ``code`` such as ``f``, ``width`` in bytes, ``fields`` (name, type, offset) of a structure."""

    code: str
    width: int
    order: str = "<"
    fields: tuple[tuple[str, DType, int], ...] = ()
    known: bool = True

    def described(self) -> Any:
        """As JSON: NumPy's own text, or the fields of a structure."""
        if self.fields:
            named = [[name, dtype.described(), offset] for name, dtype, offset in self.fields]
            return {"fields": named, "width": self.width}
        return f"{self.order if self.width > 1 else '|'}{self.code}{self.width // (4 if self.code == 'U' else 1)}"


@dataclass(slots=True, eq=False)
class NumpyArray:
    """An array of NumPy. Its elements are at byte ``start`` of the pickle, or in ``data``, or are ``objects``.

    ``encoded`` is where they are text of the pickle. A ``scalar`` is an element of an array without an array.
    """

    dtype: DType | None = None
    shape: tuple[int, ...] = ()
    fortran: bool = False
    start: int | None = None
    data: bytes | None = None
    encoded: Blob | None = None
    objects: list[Value] | None = None
    scalar: bool = False
