"""``replaced``: values of one object put into others, as ``replacements`` say; ``field_of``: a field by its path.

Source: kustomize's documentation of "replacements": field paths, delimiter and index, create, select and reject.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.formats.kustomize.edit import at_path, bounded, items_of, sequence, with_entry
from assaymark.formats.kustomize.resource import selected
from assaymark.formats.located import Map, Seq, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assaymark.formats.kustomize.resource import Resource

_LONGEST: Final = 1_000_000  # characters that one text may come to
_PART: Final = re.compile(r"\[[^\]]*\]|(?:\\.|[^.\[\\])+")
_NAMED: Final = re.compile(r"\[(?P<key>[^=\]]*)=(?P<value>[^\]]*)\]")


def parts_of(path: Any) -> list[str]:
    """The parts of a path with dots; a dot behind a backslash, or in brackets, parts nothing."""
    return [part.replace("\\.", ".") for part in _PART.findall(str(path or ""))]


def field_of(value: Any, path: Sequence[str]) -> Any:
    """The first value that a path leads to; None where it leads nowhere."""
    for part in path:
        match = _NAMED.fullmatch(part)
        if match is not None and isinstance(value, Seq):
            value = next((one for one in value if _is(one, match)), None)
        elif isinstance(value, Seq):
            index = part.strip("[]")
            value = value[int(index)] if index.isdecimal() and len(index) < 6 and int(index) < len(value) else None  # noqa: PLR2004
        else:
            key = part[1:-1] if part.startswith("[") else part
            value = value.get(key) if isinstance(value, Map) else None
    return value


def _is(item: Any, match: re.Match[str]) -> bool:
    had = item.get(match["key"]) if isinstance(item, Map) else item
    return str(had) == match["value"].strip("\"'") if match["key"] == "" or isinstance(item, Map) else False


def replaced(resources: list[Resource], entry: Map) -> None:
    """Does what one item of ``replacements`` says.

    Raises:
        InputError: ``kustomize-patch``: no object, or several, are meant by the source, or it has no such field.
    """
    source = entry.get("source")
    if "sourceValue" in entry:
        value = entry["sourceValue"]
    elif isinstance(source, Map):
        meant = _meant(resources, source)
        if len(meant) != 1:
            raise _wrong(f"the source of a replacement means {len(meant)} objects", source.line)
        value = field_of(meant[0].value, parts_of(source.get("fieldPath") or "metadata.name"))
        if value is None:
            raise _wrong(f"the source of a replacement has no {source.get('fieldPath')}", source.line)
        value = _cut(value, source.get("options"))
    else:
        raise _wrong("a replacement without a source", entry.line)
    for target in listed(entry.get("targets")):
        if isinstance(target, Map):
            _into(resources, target, value, source.line if isinstance(source, Map) else entry.line)


def _wrong(message: str, line: int) -> InputError:
    return InputError("kustomize-patch", message, position=f"line {int(line)}")


def _meant(resources: list[Resource], source: Map) -> list[Resource]:
    """The objects with exactly these names, and with the labels that are asked for."""
    labelled = Map(source.line)
    for key in ("labelSelector", "annotationSelector"):
        labelled.put(key, source.get(key), source.line)
    keys = ("group", "version", "kind", "name", "namespace")
    asked = {key: str(source[key]) for key in keys if source.get(key)}
    return [
        one
        for one in selected(resources, labelled)
        if any(all(getattr(id_, key) == value for key, value in asked.items()) for id_ in one.ids)
    ]


def _cut(value: Any, options: Any) -> Any:
    """The part of a text that options name."""
    delimiter = options.get("delimiter") if isinstance(options, Map) else None
    if not isinstance(delimiter, str) or not delimiter or not isinstance(value, str):
        return value
    parts, index = value.split(delimiter), options.get("index") or 0
    if not isinstance(index, int) or not 0 <= index < len(parts):
        raise _wrong(f"there is no part {index}", options.line)
    return parts[index]


def _into(resources: list[Resource], target: Map, value: Any, line: int) -> None:
    select, options = target.get("select"), target.get("options")
    chosen = _meant(resources, select) if isinstance(select, Map) else []
    rejected = {
        id(one)
        for entry in listed(target.get("reject"))
        if isinstance(entry, Map)
        for one in _meant(resources, entry)
    }
    create = isinstance(options, Map) and options.get("create") is True
    for one in chosen:
        if id(one) in rejected:
            continue
        new: Any = one.value
        for path in map(parts_of, listed(target.get("fieldPaths")) or ["metadata.name"]):
            texts = path[:2] in (["metadata", "annotations"], ["metadata", "labels"])
            given = str(value) if texts and not isinstance(value, (Map, Seq)) else bounded(value, len(path))
            new = _put(new, path, given, options, line, create=create)
        if new is not one.value:
            one.put(new, keep=_renamed(one.value, new))


def _renamed(old: Map, new: Map) -> bool:
    return any(
        at_path(old, path) != at_path(new, path)
        for path in (("kind",), ("metadata", "name"), ("metadata", "namespace"))
    )


def _put(place: Any, path: list[str], value: Any, options: Any, line: int, *, create: bool) -> Any:
    if not path:
        return _joined(place, value, options)
    part, rest = path[0], path[1:]
    match = _NAMED.fullmatch(part)
    if isinstance(place, Seq) and (match is not None or part == "*" or part.strip("[]").isdecimal()):
        items = [
            (_put(item, rest, value, options, line, create=create), line if not rest else at)
            if (part == "*" or (_is(item, match) if match is not None else str(index) == part.strip("[]")))
            else (item, at)
            for index, (item, at) in enumerate(items_of(place))
        ]
        return sequence(items, place.line)
    if not isinstance(place, Map):
        return place
    key = part[1:-1] if part.startswith("[") else part
    if part == "*":
        found = place
        for name in place:
            found = with_entry(found, name, _put(place[name], rest, value, options, line, create=create), line)
        return found
    if place.get(key) is None and not create:
        return place
    inner = place.get(key) if place.get(key) is not None or not rest else Map(line)
    new = _put(inner, rest, value, options, line, create=create)
    return place if new is inner else with_entry(place, key, new, line if not rest else place.at(key))


def _joined(old: Any, value: Any, options: Any) -> Any:
    """What comes in the place of a value: all of it, or the part that options name."""
    delimiter = options.get("delimiter") if isinstance(options, Map) else None
    if not isinstance(delimiter, str) or not delimiter or not isinstance(old, str):
        return value
    parts, index = old.split(delimiter), options.get("index") or 0
    if not isinstance(index, int) or len(old) + len(str(value)) > _LONGEST:
        return old
    if index < 0:
        return delimiter.join([str(value), *parts])
    if index >= len(parts):
        return delimiter.join([*parts, str(value)])
    parts[index] = str(value)
    return delimiter.join(parts)
