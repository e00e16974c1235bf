"""The transformers of a kustomization, one function each: namespace, names, labels, annotations, replicas, images.

Source: kustomize's documentation of the kustomization file, the pages of the fields.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from assaymark.formats.kustomize.edit import edited, items_of, sequence, with_entry
from assaymark.formats.kustomize.fields import TEMPLATE_LABELS, Fields, Spec
from assaymark.formats.kustomize.resource import CLUSTER_KINDS, Resource, named
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_UNNAMED: Final = frozenset(("CustomResourceDefinition", "APIService", "Namespace"))
_SCALED: Final = ("Deployment", "ReplicationController", "ReplicaSet", "StatefulSet")
_TAG: Final = re.compile(r"(?P<tag>:[\w.{}-]*)?(?P<digest>@sha256:[\w.{}-]*)?")


def set_namespace(resources: Iterable[Resource], namespace: str, line: int, fields: Fields) -> None:
    """Puts objects into a namespace, and accounts called ``default`` that bindings name."""
    for one in resources:
        value = one.value
        if one.id.kind == "Namespace":
            value = named(value, namespace, line)
        elif one.id.kind not in CLUSTER_KINDS:
            value = edited(value, ("metadata", "namespace"), lambda _old, _at: (namespace, line), line)
        if one.id.kind in ("RoleBinding", "ClusterRoleBinding"):
            value = edited(value, ("subjects",), lambda old, at: (_default_accounts(old, namespace, line), at))
        for spec in fields.namespaces:
            if spec.means(one.id) and spec.path not in (("metadata", "namespace"), ("subjects",)):
                value = edited(value, spec.path, lambda _old, _at: (namespace, line), line if spec.create else None)
        if value is not one.value:
            one.put(value, keep=True)


def _default_accounts(subjects: Any, namespace: str, line: int) -> Any:
    if not isinstance(subjects, Seq):
        return subjects
    return sequence(
        (
            (with_entry(one, "namespace", namespace, line), at)
            if isinstance(one, Map) and one.get("kind") == "ServiceAccount" and one.get("name") == "default"
            else (one, at)
            for one, at in items_of(subjects)
        ),
        subjects.line,
    )


def set_names(resources: Iterable[Resource], prefix: str, suffix: str, line: int) -> None:
    """Puts a prefix before names and a suffix behind them."""
    for one in resources:
        if one.id.kind in _UNNAMED or not one.id.name:
            continue
        if prefix:
            one.prefixes = (*one.prefixes, prefix)
        if suffix:
            one.suffixes = (*one.suffixes, suffix)
        one.put(named(one.value, f"{prefix}{one.id.name}{suffix}", line), keep=True)


def _put_all(pairs: Map) -> Callable[[Any, int], tuple[Any, int] | None]:
    def change(old: Any, at: int) -> tuple[Any, int] | None:
        if old is not None and not isinstance(old, Map):
            return None
        found = Map(at)
        for source in (old, pairs):
            if source is not None:
                for key, value in source.items():
                    found.put(key, value, source.at(key))
        return found, at

    return change


def set_labels(resources: Iterable[Resource], pairs: Map, specs: Iterable[Spec]) -> None:
    """Adds labels to objects, and at the other places that are named."""
    some = tuple(specs)
    for one in resources:
        value = edited(one.value, ("metadata", "labels"), _put_all(pairs), pairs.line)
        for spec in some:
            if spec.means(one.id):
                value = edited(value, spec.path, _put_all(pairs), pairs.line if spec.create else None)
        one.put(value)


def set_pairs(resources: Iterable[Resource], pairs: Map, specs: Iterable[Spec]) -> None:
    """Adds labels or annotations at the places that are named, and nowhere else."""
    some = tuple(specs)
    for one in resources:
        value = one.value
        for spec in some:
            if spec.means(one.id):
                value = edited(value, spec.path, _put_all(pairs), pairs.line if spec.create else None)
        if value is not one.value:
            one.put(value)


def label_specs(entry: Map, fields: Fields) -> list[Spec]:
    """Where an item of ``labels`` puts them besides the objects themselves."""
    found = []
    if entry.get("includeSelectors") is True:
        found += fields.labels
    if entry.get("includeTemplates") is True:
        found += list(TEMPLATE_LABELS)
    own = Fields()
    wrapped = Map(entry.line)
    wrapped.put("commonLabels", entry.get("fields"), entry.line)
    own.read(wrapped)
    return [*found, *own.labels]


def set_annotations(resources: Iterable[Resource], pairs: Map, fields: Fields) -> None:
    """Adds annotations to objects and to the templates of pods."""
    for one in resources:
        value = edited(one.value, ("metadata", "annotations"), _put_all(pairs), pairs.line)
        for spec in fields.annotations:
            if spec.means(one.id):
                value = edited(value, spec.path, _put_all(pairs), pairs.line if spec.create else None)
        one.put(value)


def set_replicas(resources: Iterable[Resource], entry: Map) -> None:
    """Sets how many pods those of a name have."""
    count, line = entry.get("count"), entry.at("count")
    for one in resources:
        if one.id.kind in _SCALED and any(id_.name == entry.get("name") for id_ in one.ids):
            one.put(edited(one.value, ("spec", "replicas"), lambda _old, _at: (count, line), line))


def set_images(resources: Iterable[Resource], entry: Map, fields: Fields) -> None:
    """Puts another image in the place of those of a name: in all lists of containers, wherever they are."""
    name = str(entry.get("name") or "")
    if not name:
        return

    def change(old: Any, _at: int) -> tuple[Any, int] | None:
        return _image(old, name, entry) if isinstance(old, str) else None

    for one in resources:
        if one.id.kind == "CustomResourceDefinition":
            continue
        value = _containers(one.value, change, 0)
        for spec in fields.images:
            if spec.means(one.id):
                value = edited(value, spec.path, change)
        if value is not one.value:
            one.put(value)


def _image(old: str, name: str, entry: Map) -> tuple[str, int] | None:
    match = _TAG.fullmatch(old.removeprefix(name)) if old.startswith(name) else None
    if match is None:
        return None
    new = str(entry.get("newName") or name)
    tag, digest = entry.get("newTag"), entry.get("digest")
    line = next((entry.at(key) for key in ("digest", "newTag", "newName") if entry.get(key)), entry.line)
    if tag or digest:
        own = f":{tag}" if tag else ""
        return f"{new}{own}{f'@{digest}' if digest else ''}", line
    suffix = entry.get("tagSuffix")
    return f"{new}{match['tag'] or ''}{suffix or ''}{match['digest'] or ''}", line


def _containers(value: Any, change: Callable[[Any, int], tuple[Any, int] | None], depth: int) -> Any:
    if isinstance(value, Map):
        found = value
        for key, item in value.items():
            if key in ("containers", "initContainers") and isinstance(item, Seq):
                new = edited(item, ("image",), change)
            elif isinstance(item, (Map, Seq)):
                new = _containers(item, change, depth + 1)
            else:
                continue
            if new is not item:
                found = with_entry(found, key, new, value.at(key))
        return found
    if isinstance(value, Seq):
        items = [(_containers(item, change, depth + 1), line) for item, line in items_of(value)]
        if all(new is item for (new, _), item in zip(items, value, strict=True)):
            return value
        return sequence(items, value.line)
    return value
