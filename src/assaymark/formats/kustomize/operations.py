"""``operated``: JSON patches (RFC 6902) on values that know their lines."""

from __future__ import annotations

from typing import Any, Final

from assaymark.core.errors import InputError
from assaymark.formats.kustomize.edit import bounded, items_of, sequence, with_entry, without
from assaymark.formats.located import Map, Seq

_MOST: Final = 10_000  # of operations, and of items that a list may be given


def operated(value: Any, operations: Seq) -> Any:
    """The value after all operations, which have the lines of the patch.

    Raises:
        InputError: ``kustomize-patch``: one that the value does not take.
    """
    if len(operations) > _MOST:
        raise InputError("kustomize-patch", f"more than {_MOST} operations")
    for operation, line in items_of(operations):
        if not isinstance(operation, Map):
            raise _wrong("an operation is a mapping", line)
        value = _one(value, operation, line)
    return value


def _one(value: Any, operation: Map, line: int) -> Any:
    path = _pointer(operation.get("path"), line)
    match operation.get("op"):
        case "add":
            new = bounded(operation.get("value"), len(path))
            return _changed(value, path, new, operation.at("value"), line, new=True)
        case "replace":
            new = bounded(operation.get("value"), len(path))
            return _changed(value, path, new, operation.at("value"), line, new=False)
        case "remove":
            return _removed(value, path, line)
        case "copy":
            found = bounded(_found(value, _pointer(operation.get("from"), line), line), len(path))
            return _changed(value, path, found, line, line, new=True)
        case "move":
            source = _pointer(operation.get("from"), line)
            found = bounded(_found(value, source, line), len(path))
            return _changed(_removed(value, source, line), path, found, line, line, new=True)
        case "test":
            if _found(value, path, line) != operation.get("value"):
                raise _wrong(f"{operation.get('path')} has another value than the test asks for", line)
            return value
    raise _wrong(f"no operation {operation.get('op')}", line)


def _wrong(message: str, line: int) -> InputError:
    return InputError("kustomize-patch", message, position=f"line {int(line)}")


def _pointer(text: Any, line: int) -> list[str]:
    if text == "":
        return []
    if not isinstance(text, str) or not text.startswith("/"):
        raise _wrong("a path begins with a slash", line)
    return [part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/")]


def _index(items: Seq, key: str, line: int, *, end: bool = False) -> int:
    if key == "-" and end:
        return len(items)
    number = int(key) if key.isdecimal() and len(key) < 6 else -1  # noqa: PLR2004 - no list has more
    if not 0 <= number < len(items) + end:
        raise _wrong(f"the list has no item {key}", line)
    return number


def _found(value: Any, path: list[str], line: int) -> Any:
    for key in path:
        if isinstance(value, Map) and key in value:
            value = value[key]
        elif isinstance(value, Seq):
            value = value[_index(value, key, line)]
        else:
            raise _wrong(f"there is no {key}", line)
    return value


def _changed(value: Any, path: list[str], new_value: Any, at: int, line: int, *, new: bool) -> Any:
    """The value with another at a path; ``new``: it is added, else something must be there."""
    if not path:
        return new_value
    key, rest = path[0], path[1:]
    if isinstance(value, Map):
        if rest:
            inner = _changed(_found(value, [key], line), rest, new_value, at, line, new=new)
            return with_entry(value, key, inner, value.at(key))
        return with_entry(value, key, new_value, at)  # kustomize replaces what is not there too
    if not isinstance(value, Seq):
        raise _wrong(f"{key} is looked for in what is neither mapping nor list", line)
    items = items_of(value)
    if not rest and new:
        place = _index(value, key, line, end=True)
        return sequence([*items[:place], (new_value, at), *items[place:]], value.line)
    place = _index(value, key, line)
    items[place] = (
        (_changed(items[place][0], rest, new_value, at, line, new=new), items[place][1]) if rest else (new_value, at)
    )
    return sequence(items, value.line)


def _removed(value: Any, path: list[str], line: int) -> Any:
    if not path:
        raise _wrong("the whole object cannot be removed", line)
    key, rest = path[0], path[1:]
    if not rest:
        _found(value, [key], line)
        if isinstance(value, Map):
            return without(value, key)
        place = _index(value, key, line)
        return sequence([one for index, one in enumerate(items_of(value)) if index != place], value.line)
    inner = _removed(_found(value, [key], line), rest, line)
    if isinstance(value, Map):
        return with_entry(value, key, inner, value.at(key))
    place = _index(value, key, line)
    items = items_of(value)
    items[place] = (inner, items[place][1])
    return sequence(items, value.line)
