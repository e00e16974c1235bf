"""The values of a pickle as a converter sees them: what the machine leaves on its stack, and these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assaymark.formats.pickle.values import Value


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
    """A storage of torch: ``elements`` of ``width`` bytes under ``key``; ``dtype`` is empty when it has none."""

    key: str
    dtype: str
    elements: int
    width: int
    offset: int


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
