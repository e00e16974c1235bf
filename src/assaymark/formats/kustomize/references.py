"""``refer``: names of objects that others name, after these were given others; ``put_variables``: ``$(NAME)``.

Source: kustomize's documentation of "nameReference" and "vars". Names are looked for among what objects were called,
in the namespace of who names them, and among several those with the same prefixes and suffixes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from assaymark.formats.kustomize.edit import at_path, edited, items_of, sequence, with_entry
from assaymark.formats.kustomize.resource import CLUSTER_KINDS
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from assaymark.formats.kustomize.fields import Fields, Reference, Spec
    from assaymark.formats.kustomize.resource import Resource

_LONGEST: Final = 1_000_000  # characters that one text may be given
_VARIABLE: Final = re.compile(r"\$\$|\$\(([\w.-]+)\)")


class _Names:
    """The objects by what they were called."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_name: defaultdict[tuple[str, str], dict[int, Resource]] = defaultdict(dict)
        for one in resources:
            for id_ in one.before:
                self._by_name[id_.kind, id_.name][id(one)] = one

    def find(self, asked: Reference, name: str, by: Resource, namespace: str | None = None) -> Resource | None:
        """Who is meant by a name. ``namespace``: the one beside it, empty where there may be one and is none."""
        found = [
            one
            for one in self._by_name.get((asked.kind, name), {}).values()
            if any(_is(asked, id_) and id_.name == name for id_ in one.before)
        ]
        if namespace:
            found = [
                one for one in found if any(id_.namespace == namespace and id_.name == name for id_ in one.before)
            ]
        elif by.id.kind not in CLUSTER_KINDS and asked.kind not in CLUSTER_KINDS:
            near = [one for one in found if one.id.namespace == by.id.namespace]
            found = near if near or namespace is None else found
        if len(found) > 1:
            found = [one for one in found if _alike(one, by)] or found
        return found[0] if found and len({one.id.name for one in found}) == 1 else None


def _is(asked: Reference, id_: Any) -> bool:
    return (not asked.group or asked.group == id_.group) and (not asked.version or asked.version == id_.version)


def _alike(one: Resource, other: Resource) -> bool:
    """Whether both went the same way: one's prefixes begin the other's."""
    size, ends = len(one.prefixes), len(one.suffixes)
    return one.prefixes == other.prefixes[:size] and one.suffixes == other.suffixes[:ends]


def refer(resources: list[Resource], fields: Fields) -> None:
    """Has what names others name them as they are called now."""
    if not any(one.before for one in resources):
        return
    names = _Names(resources)
    by_kind: defaultdict[str, list[tuple[Reference, Spec]]] = defaultdict(list)
    for reference in fields.references:
        for spec in reference.specs:
            by_kind[spec.kind].append((reference, spec))
    for one in resources:
        value = one.value
        for reference, spec in (*by_kind[one.id.kind], *by_kind[""]):
            if spec.means(one.id):
                value = edited(value, spec.path, _naming(names, reference, one))
        if value is not one.value:
            one.put(value)


def _naming(names: _Names, asked: Reference, by: Resource) -> Callable[[Any, int], tuple[Any, int] | None]:
    def change(old: Any, line: int) -> tuple[Any, int] | None:
        if isinstance(old, str):
            return _name(names, asked, by, old, line)
        if isinstance(old, Map):
            new = _mapping(names, asked, by, old)
            return (new, line) if new is not old else None
        if isinstance(old, Seq):
            return sequence((_item(names, asked, by, item, at) for item, at in items_of(old)), old.line), line
        return None

    return change


def _item(names: _Names, asked: Reference, by: Resource, item: Any, line: int) -> tuple[Any, int]:
    if isinstance(item, str):
        return _name(names, asked, by, item, line) or (item, line)
    return (_mapping(names, asked, by, item) if isinstance(item, Map) else item), line


def _name(names: _Names, asked: Reference, by: Resource, old: str, line: int) -> tuple[str, int] | None:
    """Another name, on the line where it is written still."""
    role = by.value.get("roleRef")
    if isinstance(role, Map) and asked.kind in ("Role", "ClusterRole") and role.get("kind") != asked.kind:
        return None
    found = names.find(asked, old, by)
    return (found.id.name, line) if found is not None and found.id.name != old else None


def _mapping(names: _Names, asked: Reference, by: Resource, old: Map) -> Map:
    """A mapping with a name and, it may be, a namespace."""
    name, namespace = old.get("name"), old.get("namespace")
    if not isinstance(name, str):  # the kind is not looked at: kustomize renames users that are called so, too
        return old
    found = names.find(asked, name, by, namespace if isinstance(namespace, str) else "")
    if found is None:
        return old
    written = at_path(found.value, ("metadata", "namespace"))
    new = old
    if found.id.name != name:
        new = with_entry(new, "name", found.id.name, old.at("name"))
    if isinstance(written, str) and written != namespace:
        new = with_entry(new, "namespace", written, _line_of_namespace(found, old))
    return new


def _line_of_namespace(found: Resource, old: Map) -> int:
    metadata = found.value.get("metadata")
    line = metadata.at("namespace") if isinstance(metadata, Map) else old.at("namespace")
    return line if type(line) is not int else old.at("namespace")


def put_variables(resources: Iterable[Resource], values: Mapping[str, Any], fields: Fields) -> None:
    """Puts values in the place of ``$(NAME)``; other names, which containers have, stay."""
    if not values:
        return

    def change(old: Any, line: int) -> tuple[Any, int] | None:
        new = _replaced(old, values)
        return (new, line) if new is not old else None

    for one in resources:
        value = one.value
        for spec in fields.variables:
            if spec.means(one.id):
                value = edited(value, spec.path, change)
        if value is not one.value:
            one.put(value)


def _replaced(old: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(old, str):
        whole = _VARIABLE.fullmatch(old)
        if whole and whole[1] in values:
            return values[whole[1]]
        size = max(len(str(one)) for one in values.values()) * old.count("$(")
        if not 0 < size <= _LONGEST:
            return old
        return _VARIABLE.sub(lambda match: str(values.get(match[1], match[0])) if match[1] else "$", old)
    if isinstance(old, Seq):
        return sequence(((_replaced(item, values), line) for item, line in items_of(old)), old.line)
    if isinstance(old, Map):
        found = Map(old.line, old.path)
        for key, item in old.items():
            found.put(key, _replaced(item, values), old.at(key))
        return found
    return old
