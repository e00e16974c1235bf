"""The patches of a kustomization: which there are, whether they merge or operate, and what they are put on."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.formats.kustomize.edit import at_path, edited
from assaymark.formats.kustomize.merge import merged, schema_of
from assaymark.formats.kustomize.operations import operated
from assaymark.formats.kustomize.resource import Resource, id_of, selected
from assaymark.formats.located import Map, Seq, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_UNKNOWN: Final = ("$setElementOrder", "$deleteFromPrimitiveList", "$retainKeys")


@dataclass(frozen=True, slots=True)
class Entry:
    """A patch as a kustomization names it: in a file of ``path`` or as a ``text`` whose lines begin at ``line``."""

    line: int
    path: str
    text: str
    target: Map | None
    options: Map | None
    exact: bool  # the target is one object by its name


def entries_of(value: Map, field: str, folder: str) -> Iterator[Entry]:
    """The patches in a field of a kustomization."""
    given = value.get(field)
    for index, item in enumerate(listed(given)):
        line = given.at(index) if isinstance(given, Seq) else value.line
        if isinstance(item, str):
            inline = "\n" in item or ":" in item
            path = "" if inline else posixpath.normpath(posixpath.join(folder, item))
            yield Entry(line, path, item if inline else "", None, None, exact=False)
        elif isinstance(item, Map):
            file = item.get("path")
            where = posixpath.normpath(posixpath.join(folder, file)) if isinstance(file, str) and file else ""
            text = item.get("patch")
            target, options = item.get("target"), item.get("options")
            yield Entry(
                item.at("patch") if isinstance(text, str) else line,
                where,
                text if isinstance(text, str) else "",
                target if isinstance(target, Map) else None,
                options if isinstance(options, Map) else None,
                exact=field == "patchesJson6902",
            )


def apply(resources: list[Resource], entry: Entry, documents: Sequence[Any]) -> list[Resource]:
    """The objects after a patch, whose documents have the lines of where they are written.

    Raises:
        InputError: ``kustomize-patch``: no object is meant, or one does not take it.
    """
    gone: set[int] = set()
    for document in documents:
        if document is None:
            continue
        operations = _operations(document)
        if operations is not None:
            if entry.target is None:
                raise InputError("kustomize-patch", "a JSON patch without a target")
            for one in _meant(resources, entry):
                changed = operated(one.value, operations)
                if not isinstance(changed, Map):
                    raise InputError("kustomize-patch", "an operation leaves no object")
                one.put(changed, keep=True)
        elif isinstance(document, Map):
            if any(name.startswith(_UNKNOWN) for name in _names(document)):
                raise InputError("kustomize-patch", f"it uses one of {', '.join(_UNKNOWN)}, which are not applied")
            for one in _meant(resources, entry) if entry.target is not None else _own(resources, document):
                _merge(one, document, entry, gone)
        else:
            raise InputError("kustomize-patch", "it is neither an object nor a list of operations")
    return [one for one in resources if id(one) not in gone] if gone else resources


def _operations(document: Any) -> Seq | None:
    if isinstance(document, Seq) and all(isinstance(one, Map) and "op" in one for one in document):
        return document
    if isinstance(document, Map) and "op" in document and "path" in document:
        found = Seq(document.line)
        found.put(document, document.line)
        return found
    return None


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Map):
        for key, item in value.items():
            yield key
            yield from _names(item)
    elif isinstance(value, Seq):
        for item in value:
            yield from _names(item)


def _meant(resources: list[Resource], entry: Entry) -> list[Resource]:
    target = entry.target if entry.target is not None else Map(0)
    found = selected(resources, target)
    if entry.exact:
        asked = {key: str(target.get(key) or "") for key in ("kind", "name")}
        found = [
            one for one in found if any(id_.kind == asked["kind"] and id_.name == asked["name"] for id_ in one.ids)
        ]
    if entry.exact and not found:
        raise InputError("kustomize-patch", "its target means no object")
    return found


def _own(resources: list[Resource], document: Map) -> list[Resource]:
    """The object that a patch itself names."""
    id_ = id_of(document)
    found = [one for one in resources if id_ in one.ids]
    current = [one for one in found if one.id == id_]
    found = current if len(found) > 1 and current else found
    if len(found) != 1:
        raise InputError(
            "kustomize-patch",
            f"{id_.kind} {id_.name}, which it changes, is {'not there' if not found else 'ambiguous'}",
        )
    return found


def _merge(one: Resource, document: Map, entry: Entry, gone: set[int]) -> None:
    options = entry.options if entry.options is not None else Map(0)
    value = merged(one.value, document, schema_of(one.id.api, one.id.kind))
    if not value:
        gone.add(id(one))
        return
    kept = [("apiVersion",), ("metadata", "namespace")]
    if options.get("allowKindChange") is not True:
        kept.append(("kind",))
    if options.get("allowNameChange") is not True:
        kept.append(("metadata", "name"))
    for path in kept:
        old = at_path(one.value, path)
        if at_path(value, path) != old:
            holder: Any = at_path(one.value, path[:-1])
            line = holder.at(path[-1]) if isinstance(holder, Map) else one.value.line
            value = _put(value, path, old, line)
    one.put(value, keep=id_of(value) != one.id)


def _put(value: Map, path: tuple[str, ...], old: Any, line: int) -> Map:
    found: Map = edited(value, path, lambda _new, _at: (old, line), line)
    if old is None:
        found = edited(found, path[:-1], lambda inner, at: (_less(inner, path[-1]), at))
    return found


def _less(inner: Any, key: str) -> Any:
    found = Map(inner.line)
    for name, item in inner.items():
        if name != key:
            found.put(name, item, inner.at(name))
    return found
