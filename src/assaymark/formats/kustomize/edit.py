"""Values that are changed without changing them: what is new is copied along the way, the rest is shared.

A base that many overlays take in is read once; each has its own objects, and what no overlay changes is one value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import LOCATED_MAX_DEPTH
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    # A value (None where there is none) and its line to what it becomes and that line; None to leave it as it is.
    Change = Callable[[Any, int], tuple[Any, int] | None]

_LARGEST: Final = 100_000  # values within one that is put elsewhere


def bounded(value: Any, depth: int) -> Any:
    """The value, which is to lie this deep.

    Raises:
        InputError: ``kustomize-patch``: it is too large or would nest too deep, as copies within copies do.
    """
    pending, count = [(value, depth)], 0
    while pending:
        item, deep = pending.pop()
        count += 1
        if count > _LARGEST or deep > LOCATED_MAX_DEPTH:
            raise InputError("kustomize-patch", "a value is put elsewhere that is too large or nests too deep")
        if isinstance(item, (Map, Seq)):
            pending += [(one, deep + 1) for one in (item.values() if isinstance(item, Map) else item)]
    return value


def copied(value: Map) -> Map:
    """A mapping with the same entries on the same lines."""
    found = Map(value.line, value.path)
    found.update(value)
    found.lines = dict(value.lines)
    return found


def with_entry(value: Map, key: str, item: Any, line: int) -> Map:
    """The mapping with another entry."""
    found = copied(value)
    found.put(key, item, line)
    return found


def without(value: Map, key: str) -> Map:
    """The mapping without an entry."""
    found = copied(value)
    found.pop(key, None)
    found.lines.pop(key, None)
    return found


def sequence(items: Iterable[tuple[Any, int]], line: int) -> Seq:
    """A list of items with their lines."""
    found = Seq(line)
    for item, at in items:
        found.put(item, at)
    return found


def items_of(value: Seq) -> list[tuple[Any, int]]:
    """The items of a list with their lines."""
    return [(item, value.at(index)) for index, item in enumerate(value)]


def moved(value: Any, place: Callable[[int], int]) -> Any:
    """The same value with each line as ``place`` has it."""
    if isinstance(value, Map):
        found = Map(place(value.line), value.path)
        for key, item in value.items():
            found.put(key, moved(item, place), place(value.at(key)))
        return found
    if isinstance(value, Seq):
        return sequence(((moved(item, place), place(line)) for item, line in items_of(value)), place(value.line))
    return value


def edited(value: Any, path: Sequence[str], change: Change, create: int | None = None) -> Any:
    """The value with what lies at ``path`` changed, in each item of the lists on the way.

    Args:
        value: a mapping or list; anything else stays.
        path: keys; one that ends in ``[]`` is not created.
        change: what is done with what is found.
        create: the line of what is made where the path leads nowhere; None: nothing is made.
    """
    if isinstance(value, Seq):
        items = [(edited(item, path, change, create), line) for item, line in items_of(value)]
        same = all(new is item for (new, _), item in zip(items, value, strict=True))
        return value if same else sequence(items, value.line)
    if not isinstance(value, Map) or not path:
        return value
    key, rest = path[0].removesuffix("[]"), path[1:]
    there = value.get(key) is not None
    if not there and (create is None or path[0].endswith("[]")):
        return value
    if not rest:
        line = value.at(key) if there or create is None else create
        changed = change(value.get(key), line)
        return value if changed is None else with_entry(value, key, *changed)
    inner = value[key] if there else Map(create or 0)
    new = edited(inner, rest, change, create)
    if new is inner:
        return value
    return with_entry(value, key, new, value.at(key) if there or create is None else create)


def at_path(value: Any, path: Sequence[str]) -> Any:
    """What lies at a path of keys; None where nothing does."""
    for key in path:
        value = value.get(key) if isinstance(value, Map) else None
    return value
