"""What an expression can stand for where stores are followed: texts, what lies in a store, and clients of stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from assaymark.assess.source.addresses import joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.estate.loads import Store, Words
    from assaymark.core.graph import Because


@dataclass(frozen=True, slots=True)
class Text:
    """A text. ``origin``: where the first known part of it is written."""

    words: Words
    origin: Because


@dataclass(frozen=True, slots=True)
class Kept:
    """What lies in a store, or the path that it was put at."""

    store: Store
    origin: Because


@dataclass(frozen=True, slots=True)
class Thing:
    """An object that stores are asked by, or an object of the input.

    ``kind``: ``bucket`` and ``account`` of a ``platform``, ``files`` (a file system of it), ``options`` (of the
    command), ``instance`` (of the class ``name`` in the module ``platform``).
    """

    kind: str
    platform: str
    origin: Because
    name: Words = ()
    within: Words = ()


Atom: TypeAlias = Text | Kept | Thing
Value: TypeAlias = frozenset[Atom]
NOTHING: Final[Value] = frozenset()
_MOST: Final = 8  # texts that one expression may be


def texts(value: Iterable[Atom]) -> Iterator[Text]:
    """The texts among what an expression may be, in an order that does not change."""
    found = [one for one in value if isinstance(one, Text)]
    return iter(sorted(found, key=lambda one: (str(one.words), one.origin))[:_MOST])


def kept(value: Iterable[Atom]) -> list[Kept]:
    """What lies in stores among what an expression may be."""
    return [one for one in value if isinstance(one, Kept)]


def things(value: Iterable[Atom], *kinds: str) -> list[Thing]:
    """The things of these kinds among what an expression may be."""
    found = [one for one in value if isinstance(one, Thing) and one.kind in kinds]
    return sorted(found, key=lambda one: (one.kind, one.platform, str(one.name), one.origin))


def added(left: Value, right: Value, place: Because, between: str = "") -> Value:
    """Texts one after the other; what lies in a store stays that."""
    found: set[Atom] = {*kept(left), *kept(right)}
    unknown = Text((None,), place)
    for one in list(texts(left)) or [unknown]:
        for other in list(texts(right)) or [unknown]:
            words = joined(one.words, (between,) if between else (), other.words)
            origin = one.origin if one.words != (None,) else other.origin
            if any(part is not None for part in words) and len(found) < _MOST:
                found.add(Text(words, origin))
    return frozenset(found)
