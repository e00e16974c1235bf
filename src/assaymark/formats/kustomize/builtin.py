"""``transformed``: kustomize's own transformers where a kustomization names them in files, with their settings.

Source: kustomize's documentation of "Builtin Plugins" (``apiVersion: builtin``). Others are programs: none is run.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from assaymark.formats.kustomize import transform
from assaymark.formats.kustomize.edit import edited
from assaymark.formats.kustomize.fields import Fields, specs_of
from assaymark.formats.kustomize.patches import Entry, entries_of
from assaymark.formats.kustomize.replace import replaced
from assaymark.formats.located import Map, Seq, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assaymark.formats.kustomize.fields import Spec
    from assaymark.formats.kustomize.resource import Resource

_NAME = ("metadata", "name")
_NAMESPACE = ("metadata", "namespace")


def patches_in(value: Map, folder: str) -> list[Entry] | None:
    """The patches of a transformer of patches; None for another."""
    single = Seq(value.line)
    single.put(value, value.line)
    wrapped = Map(value.line)
    match value.get("kind"):
        case "PatchTransformer":
            wrapped.put("patches", single, value.line)
        case "PatchJson6902Transformer":
            one = Map(value.line)
            for key in ("target", "path"):
                one.put(key, value.get(key), value.at(key))
            one.put("patch", value.get("jsonOp"), value.at("jsonOp"))
            single[0] = one
            wrapped.put("patchesJson6902", single, value.line)
        case "PatchStrategicMergeTransformer":
            wrapped.put("patchesStrategicMerge", value.get("paths"), value.at("paths"))
            text = value.get("patches")
            inline = [Entry(value.at("patches"), "", text, None, None, exact=False)] if isinstance(text, str) else []
            return [*entries_of(wrapped, "patchesStrategicMerge", folder), *inline]
        case _:
            return None
    return [one for key in wrapped for one in entries_of(wrapped, key, folder)]


def transformed(resources: list[Resource], value: Map, fields: Fields) -> bool:
    """Does what a transformer says, patches aside; False for one that is not known here."""
    specs = list(specs_of(value.get("fieldSpecs")))
    metadata = value.get("metadata")
    match value.get("kind"):
        case "PrefixTransformer" | "SuffixTransformer" | "PrefixSuffixTransformer":
            prefix, suffix = (str(value.get(key) or "") for key in ("prefix", "suffix"))
            line = value.at("prefix" if prefix else "suffix")
            if not specs or any(spec.path == _NAME for spec in specs):
                meant = [one for one in resources if not specs or _means(specs, _NAME, one)]
                transform.set_names(meant, prefix, suffix, line)
            others = [spec for spec in specs if spec.path != _NAME]
            _everywhere(
                resources, others, lambda old: f"{prefix}{old}{suffix}" if isinstance(old, str) else old, line
            )
        case "NamespaceTransformer":
            namespace = metadata.get("namespace") if isinstance(metadata, Map) else None
            if isinstance(namespace, str) and isinstance(metadata, Map):
                line = metadata.at("namespace")
                meant = resources
                if specs:
                    meant = [
                        one for one in resources if _means(specs, _NAMESPACE, one) and one.id.kind != "Namespace"
                    ]
                transform.set_namespace(meant, namespace, line, fields)
                others = [spec for spec in specs if spec.path != _NAMESPACE]
                _everywhere(resources, others, lambda _old: namespace, line)
        case "LabelTransformer" | "AnnotationsTransformer" as kind:
            pairs = value.get("labels" if kind == "LabelTransformer" else "annotations")
            if isinstance(pairs, Map):
                transform.set_pairs(resources, pairs, specs)
        case _:
            return _set(resources, value, fields)
    return True


def _set(resources: list[Resource], value: Map, fields: Fields) -> bool:
    """Those whose setting is that of a kustomization's field."""
    image, replica = value.get("imageTag"), value.get("replica")
    match value.get("kind"):
        case "ImageTagTransformer" if isinstance(image, Map):
            transform.set_images(resources, image, fields)
        case "ReplicaCountTransformer" if isinstance(replica, Map):
            transform.set_replicas(resources, replica)
        case "ReplacementTransformer":
            for one in listed(value.get("replacements")):
                if isinstance(one, Map) and "path" not in one:
                    replaced(resources, one)
        case _:
            return False
    return True


def _means(specs: list[Spec], path: tuple[str, ...], one: Resource) -> bool:
    return any(spec.path == path and spec.means(one.id) for spec in specs)


def _everywhere(resources: list[Resource], specs: list[Spec], change: Callable[[Any], Any], line: int) -> None:
    for one in resources:
        new = one.value
        for spec in specs:
            if spec.means(one.id):
                new = edited(new, spec.path, lambda old, _at: (change(old), line), line if spec.create else None)
        if new is not one.value:
            one.put(new)


def paths_of(value: Map, folder: str) -> Iterator[str]:
    """The files that ``transformers`` name."""
    for entry in listed(value.get("transformers")):
        if isinstance(entry, str) and "\n" not in entry:
            path = posixpath.normpath(posixpath.join(folder, entry))
            yield "" if path == "." else path
