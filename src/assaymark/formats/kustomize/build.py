"""``Builder``: what kustomizations come to: objects as ``kustomize build`` prints them, each value with its line.

Source: Kubernetes' kustomize documentation. A kustomization takes in its resources and bases, then its components,
which go on with all there is; then it generates; then patches, namespace, names, labels, annotations, replicas,
images and replacements follow in this order. Names that others refer to, and variables, are put right at the end.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import KUSTOMIZE_MAX_DEPTH, KUSTOMIZE_MAX_OBJECTS, KUSTOMIZE_MAX_STEPS
from assaymark.formats.kustomize import transform
from assaymark.formats.kustomize.builtin import patches_in, paths_of, transformed
from assaymark.formats.kustomize.edit import copied, moved
from assaymark.formats.kustomize.fields import Fields, every_field
from assaymark.formats.kustomize.generate import GENERATORS, absorbed, files_of, generated
from assaymark.formats.kustomize.patches import Entry, apply, entries_of
from assaymark.formats.kustomize.references import put_variables, refer
from assaymark.formats.kustomize.replace import field_of, parts_of, replaced
from assaymark.formats.kustomize.resource import Resource, objects_in, selected
from assaymark.formats.located import Elsewhere, Map, Seq, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assaymark.formats.kustomize.sources import Sources

_TAKES_IN: Final = ("resources", "bases")
_BEFORE: Final = ("patchesStrategicMerge", "patches")
_REMOTE: Final = ("://", "git@", "github.com/", "?ref=")
# What kustomize does and is not done here: what these may change stays as it was read.
_NOT_DONE: Final = {
    "helmChartInflationGenerator": "charts of Helm that it renders",
    "generators": "generators in files",
    "openapi": "schemas that say how lists are merged",
    "crds": "definitions that say where names stand",
}


@dataclass(slots=True)
class Built:
    """What a kustomization comes to. ``files``: the ones that it takes in, by itself or by others, objects or not."""

    resources: list[Resource] = field(default_factory=list)
    fields: Fields = field(default_factory=Fields)
    variables: dict[str, Map] = field(default_factory=dict)


class Builder:
    """Builds kustomizations; one that several take in is built once.

    ``files`` are all that were named on the way; ``manifests`` those of them that hold objects.
    """

    def __init__(self, sources: Sources) -> None:
        self.files: set[str] = set()
        self.manifests: set[str] = set()
        self.sources = sources
        self._known: dict[str, Built] = {}
        self._steps = 0

    def build(self, folder: str) -> list[Resource]:
        """The objects of an outermost kustomization.

        Raises:
            InputError: ``kustomize-patch``: it comes to too much.
        """
        self._steps = 0
        built = self.whole(folder, ())
        resources = [one.copy() for one in built.resources]
        fields = every_field()
        fields.take(built.fields)
        refer(resources, fields)
        put_variables(resources, self._values(resources, built.variables), fields)
        return resources

    def _values(self, resources: list[Resource], variables: dict[str, Map]) -> dict[str, Any]:
        """The values of ``vars``."""
        found: dict[str, Any] = {}
        for name, entry in variables.items():
            wanted = entry.get("objref")
            if not isinstance(wanted, Map):
                continue
            target = Map(entry.line)
            group, _, version = str(wanted.get("apiVersion") or "").rpartition("/")
            given = {"group": group, "version": version}
            for key in ("group", "version", "kind", "name", "namespace"):
                target.put(key, wanted.get(key) or given.get(key), entry.line)
            place = entry.get("fieldref")
            path = place.get("fieldpath") or place.get("fieldPath") if isinstance(place, Map) else None
            meant = selected(resources, target)
            value = field_of(meant[0].value, parts_of(path or "metadata.name")) if len(meant) == 1 else None
            if value is not None and not isinstance(value, (Map, Seq)):
                found[name] = value
        return found

    def whole(self, folder: str, above: tuple[str, ...]) -> Built:
        """What a kustomization comes to by itself. ``above``: those that take it in."""
        if folder not in self._known:
            built = Built()
            self.into(built, folder, above)
            self._known[folder] = built
        return self._known[folder]

    def into(self, built: Built, folder: str, above: tuple[str, ...]) -> None:
        """Does all that a kustomization says to what there is already; a component finds something there."""
        known = self.sources.kustomization(folder)
        if known is None:
            return
        path, written = known
        self.files.add(path)
        digest = self.sources.digest(path)
        value = moved(written, partial(Elsewhere, path=path, digest=digest))
        run = _Run(self, built, folder, path, value, (*above, folder))
        run.resources()
        run.components()
        run.configurations()
        run.charts()
        run.generators()
        run.transformers()

    def step(self, count: int) -> None:
        """Counts work.

        Raises:
            InputError: ``kustomize-patch``: it is too much.
        """
        self._steps += count + 1
        if self._steps > KUSTOMIZE_MAX_STEPS:
            raise InputError("kustomize-patch", f"it takes more than {KUSTOMIZE_MAX_STEPS} steps")


@dataclass(slots=True)
class _Run:
    """One kustomization at work on ``built``."""

    builder: Builder
    built: Built
    folder: str
    path: str
    value: Map
    above: tuple[str, ...]
    fields: Fields = field(default_factory=every_field)

    def _join(self, entry: Any) -> str:
        path = posixpath.normpath(posixpath.join(self.folder, str(entry)))
        return "" if path == "." else path

    def _note(self, line: int, reason: str) -> None:
        self.builder.sources.note(self.path, int(line), reason)

    def _tried(self, what: str, line: int, do: Callable[[], None]) -> None:
        """Does something, or notes why it cannot be done."""
        self.builder.step(len(self.built.resources))
        try:
            do()
        except InputError as error:
            if str(KUSTOMIZE_MAX_STEPS) in error.message:
                raise
            self._note(line, f"{what} of the kustomization is not applied: {error.message}")

    def _entries(self, *keys: str) -> Iterable[tuple[str, Any, int]]:
        for key in keys:
            given = self.value.get(key)
            for index, entry in enumerate(listed(given)):
                yield key, entry, given.at(index) if isinstance(given, Seq) else self.value.line

    def resources(self) -> None:
        """Takes in files and other kustomizations."""
        for key, entry, line in self._entries(*_TAKES_IN):
            path = self._join(entry)
            if self.builder.sources.kustomization(path) is not None:
                if path in self.above or len(self.above) > KUSTOMIZE_MAX_DEPTH:
                    self._note(line, f"{key} of the kustomization takes in {path or '.'}, which takes it in")
                    continue
                other = self.builder.whole(path, self.above)
                self.built.fields.take(other.fields)
                self.built.variables.update(other.variables)
                self._append((one.copy() for one in other.resources), line)
            elif any(mark in str(entry) for mark in _REMOTE):
                self._note(line, f"{key} of the kustomization names {entry}, which is not in the folder")
            else:
                self._append(self._file(path, key, line), line)

    def _file(self, path: str, key: str, line: int) -> list[Resource]:
        self.builder.files.add(path)
        self.builder.manifests.add(path)
        documents = self.builder.sources.documents(path)
        if documents is None:
            self._note(line, f"{key} of the kustomization names {path}, which is not there or cannot be read")
            return []
        return [Resource(one, path) for document in documents for one in objects_in(document)]

    def _append(self, resources: Iterable[Resource], line: int) -> None:
        known = {one.id: one for one in self.built.resources}
        for one in resources:
            other = known.get(one.id)
            if other is None:
                known[one.id] = one
                self.built.resources.append(one)
            elif other.value != one.value:
                self._note(line, f"{one.id.kind} {one.id.name} is taken in twice, which kustomize refuses")
        self.builder.step(len(self.built.resources))
        if len(self.built.resources) > KUSTOMIZE_MAX_OBJECTS:
            raise InputError("kustomize-patch", f"it takes more than {KUSTOMIZE_MAX_STEPS} steps")

    def components(self) -> None:
        """Has each component go on with what there is."""
        for _, entry, line in self._entries("components"):
            path = self._join(entry)
            if path in self.above or len(self.above) > KUSTOMIZE_MAX_DEPTH:
                self._note(line, f"components of the kustomization takes in {path or '.'}, which takes it in")
            elif self.builder.sources.kustomization(path) is None:
                self._note(line, f"components of the kustomization names {entry}, which is not in the folder")
            else:
                self.builder.step(len(self.built.resources))
                self.builder.into(self.built, path, self.above)

    def configurations(self) -> None:
        """Reads what is said of fields, and notes what is not done here."""
        own = Fields()
        for _, entry, line in self._entries("configurations"):
            path = self._join(entry)
            self.builder.files.add(path)
            documents = self.builder.sources.documents(path)
            for document in documents or ():
                unknown = own.read(document) if isinstance(document, Map) else []
                if unknown:
                    self._note(line, f"{', '.join(unknown)} of {path} is not applied")
            if documents is None:
                self._note(line, f"configurations of the kustomization names {path}, which cannot be read")
        self.built.fields.take(own)
        self.fields.take(self.built.fields)
        for key, what in _NOT_DONE.items():
            if self.value.get(key):
                self._note(self.value.at(key), f"{key} of the kustomization, {what}, is not applied")
        for entry in listed(self.value.get("vars")):
            if isinstance(entry, Map) and isinstance(entry.get("name"), str):
                self.built.variables[entry["name"]] = entry

    def generators(self) -> None:
        """Makes ConfigMaps and Secrets, or adds to those that are there."""
        for key, entry, line in self._entries(*GENERATORS):
            if isinstance(entry, Map):
                for name in files_of(entry):
                    self.builder.files.add(self._join(name))
                self._tried(key, line, partial(self._generate, key, entry))

    def charts(self) -> None:
        """Takes in what charts come to, which kustomize renders before it changes anything."""
        for _, entry, line in self._entries("helmCharts"):
            found = self.builder.sources.chart(self.path, self.folder, entry) if isinstance(entry, Map) else None
            if found is None:
                name = entry.get("name") if isinstance(entry, Map) else entry
                self._note(line, f"helmCharts of the kustomization renders {name}, which is not here")
                continue
            paths = {path for path, _ in found}
            self.builder.files |= paths
            self.builder.manifests |= paths
            self._append((Resource(one, path) for path, value in found for one in objects_in(value)), line)

    def _generate(self, key: str, entry: Map) -> None:
        sources = self.builder.sources
        general = self.value.get("generatorOptions")

        def at(path: str, line: int) -> int:
            return Elsewhere(line, path, sources.digest(path))

        new = Resource(generated(key, entry, general, self.folder, sources.data, at), self.path, generated=True)
        behavior = entry.get("behavior")
        old = [one for one in self.built.resources if new.id in one.ids]
        if behavior in ("merge", "replace"):
            if len(old) != 1:
                raise InputError("kustomize-patch", f"{new.id.kind} {new.id.name} is not there")
            old[0].put(absorbed(old[0].value, new.value, behavior))
        elif old:
            raise InputError("kustomize-patch", f"{new.id.kind} {new.id.name} is there already")
        else:
            self.built.resources.append(new)

    def transformers(self) -> None:
        """Changes what there is, in kustomize's order."""
        value = self.value
        for key in _BEFORE:
            self._patches(key)
        namespace = value.get("namespace")
        if isinstance(namespace, str) and namespace:
            self.builder.step(len(self.built.resources))
            transform.set_namespace(self.built.resources, namespace, value.at("namespace"), self.fields)
        for key in ("namePrefix", "nameSuffix"):
            given = value.get(key)
            if given:
                self.builder.step(len(self.built.resources))
                both = (str(given), "") if key == "namePrefix" else ("", str(given))
                transform.set_names(self.built.resources, *both, value.at(key))
        self._labels()
        self._patches("patchesJson6902")
        for key, entry, line in self._entries("replicas", "images"):
            if isinstance(entry, Map):
                self._tried(key, line, partial(self._set, key, entry))
        for entry, line in self._replacements():
            self._tried("replacements", line, partial(replaced, self.built.resources, entry))
        for path in paths_of(value, self.folder):
            self._tried("transformers", value.at("transformers"), partial(self._own, path))

    def _own(self, path: str) -> None:
        """Does what kustomize's own transformers in a file say."""
        sources = self.builder.sources
        self.builder.files.add(path)
        digest = sources.digest(path)
        for document in sources.documents(path) or [None]:
            one = moved(document, partial(Elsewhere, path=path, digest=digest))
            patches = (
                patches_in(one, self.folder) if isinstance(one, Map) and one.get("apiVersion") == "builtin" else None
            )
            for entry in patches or ():
                self.builder.files |= {entry.path} if entry.path else set()
                self._patch(entry, path)
            known = isinstance(one, Map) and one.get("apiVersion") == "builtin"
            if patches is None and not (known and transformed(self.built.resources, one, self.fields)):
                raise InputError("kustomize-patch", f"{path} is none of kustomize's own that is known here")

    def _set(self, key: str, entry: Map) -> None:
        if key == "replicas":
            transform.set_replicas(self.built.resources, entry)
        else:
            transform.set_images(self.built.resources, entry, self.fields)

    def _labels(self) -> None:
        for entry in listed(self.value.get("labels")):
            pairs = entry.get("pairs") if isinstance(entry, Map) else None
            if isinstance(pairs, Map):
                self.builder.step(len(self.built.resources))
                transform.set_labels(self.built.resources, pairs, transform.label_specs(entry, self.fields))
        pairs = self.value.get("commonLabels")
        if isinstance(pairs, Map):
            self.builder.step(len(self.built.resources))
            transform.set_labels(self.built.resources, pairs, self.fields.labels)
        pairs = self.value.get("commonAnnotations")
        if isinstance(pairs, Map):
            self.builder.step(len(self.built.resources))
            transform.set_annotations(self.built.resources, pairs, self.fields)

    def _patches(self, key: str) -> None:
        for entry in entries_of(self.value, key, self.folder):
            if entry.path:
                self.builder.files.add(entry.path)
            self._tried(key, entry.line, partial(self._patch, entry))

    def _patch(self, entry: Entry, where: str = "") -> None:
        sources = self.builder.sources
        if entry.text:
            path = where or self.path
            documents: list[Any] | None = sources.inline(path, entry.text, int(entry.line))
        else:
            documents, path = sources.documents(entry.path), entry.path
        if documents is None:
            raise InputError("kustomize-patch", f"{path or 'a patch'} is not there or cannot be read")
        digest = sources.digest(path)
        placed = [moved(one, partial(Elsewhere, path=path, digest=digest)) for one in documents]
        whole = [copied(one) if isinstance(one, Map) else one for one in placed]
        was = [(one, one.value, one.before, one.id) for one in self.built.resources]
        try:
            self.built.resources[:] = apply(self.built.resources, entry, whole)
        except InputError:
            for one, value, before, id_ in was:  # all of a patch or nothing
                one.value, one.before, one.id = value, before, id_
            raise

    def _replacements(self) -> list[tuple[Map, int]]:
        found: list[tuple[Map, int]] = []
        sources = self.builder.sources
        for _, entry, line in self._entries("replacements"):
            path = entry.get("path") if isinstance(entry, Map) else None
            if not isinstance(path, str) or not path:
                found += [(entry, line)] if isinstance(entry, Map) else []
                continue
            where = self._join(path)
            self.builder.files.add(where)
            documents = sources.documents(where)
            if documents is None:
                self._note(line, f"replacements of the kustomization names {where}, which cannot be read")
            digest = sources.digest(where)
            for document in documents or ():
                for one in document if isinstance(document, Seq) else [document]:
                    if isinstance(one, Map):
                        found.append((moved(one, partial(Elsewhere, path=where, digest=digest)), line))
        return found
