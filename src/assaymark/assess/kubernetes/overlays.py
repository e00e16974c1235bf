"""``Overlays``: what the kustomizations of an architecture come to, and which files are theirs.

Those that no other takes in are what is deployed; a base is an object by itself only where no overlay uses it.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.releases import chart_folder
from assaymark.core.errors import InputError
from assaymark.formats.kustomize.build import Builder
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from assaymark.assess.inputs import Inputs
    from assaymark.formats.kustomize.resource import Resource

_NAMES: Final = ("kustomization.yaml", "kustomization.yml", "kustomization")
_TAKES_IN: Final = ("resources", "bases", "components")


class Overlays:
    """``built``: the objects of each outermost kustomization, by its folder.

    ``files`` are no objects by themselves; those of them that change others, or are put into them, are ``changes``.
    """

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._known: dict[str, tuple[str, Map]] = {}  # folder to its kustomization
        for file in inputs.files:
            folder, name = posixpath.split(file.path)
            if name.lower() in _NAMES and folder not in self._known:
                value = next((one for one in self.documents(file.path) or () if isinstance(one, Map)), None)
                if value is not None:
                    self._known[folder] = (file.path, value)
        self.built: dict[str, list[Resource]] = {}
        self.files: set[str] = set()
        self.changes: frozenset[str] = frozenset()
        self._quiet = False
        self._build()

    def _build(self) -> None:
        if not self._known:
            return
        builder = Builder(self)
        below = {folder: self._below(folder) for folder in self._known}
        inner = {other for folder, others in below.items() for other in others if other != folder}
        reached: set[str] = set()
        outer = [folder for folder in sorted(self._known) if folder not in inner]
        for folder in [*outer, *sorted(inner)]:
            if folder in reached:
                continue
            pending = [folder]
            while pending:
                one = pending.pop()
                if one not in reached:
                    reached.add(one)
                    pending += below[one]
            path, value = self._known[folder]
            self._quiet = value.get("kind") == "Component"
            if self._quiet:
                self._inputs.reading.gap(f"the component {folder} is used by no kustomization that is here")
            known = set(builder.files)
            try:
                self.built[folder] = builder.build(folder)
            except InputError as error:
                self._inputs.reading.skip(path, f"a kustomization that is not applied: {error.message}")
                manifests = builder.manifests & known
                builder = Builder(self)
                builder.files |= known
                builder.manifests |= manifests
        self.files = builder.files
        self.changes = frozenset(builder.files - builder.manifests)
        self._inputs.reading.read |= {path for path in self.files if self._inputs.file(path) is not None}

    def _below(self, folder: str) -> set[str]:
        """The folders of kustomizations that one takes in itself."""
        value = self._known[folder][1]
        named = [str(entry) for key in _TAKES_IN for entry in listed(value.get(key))]
        paths = {posixpath.normpath(posixpath.join(folder, one)) for one in named}
        return {"" if path == "." else path for path in paths} & self._known.keys()

    def kustomization(self, folder: str) -> tuple[str, Map] | None:
        """The path and the value of a folder's kustomization."""
        return self._known.get(folder)

    def documents(self, path: str) -> list[Any] | None:
        """The documents of a YAML or JSON file, whatever it is called; None when there is none that can be read."""
        file = self._inputs.file(path)
        if file is None:
            return None
        found = [one.value for one in self._inputs.documents_of(file)]
        if found or path.lower().endswith((".yaml", ".yml", ".json")):
            return found if found or self._inputs.charts.has(path) or _is_empty(file.data) else None
        try:
            return self.inline(path, file.text(), 0)
        except InputError:
            return None

    def inline(self, path: str, text: str, line: int) -> list[Any]:
        """The documents of a text in a file, at a key on ``line``, with the lines of that file.

        Raises:
            InputError: it is no YAML.
        """
        from assaymark.formats.kustomize.edit import moved
        from assaymark.formats.located_yaml import read_located_yaml

        file = self._inputs.file(path)
        lines = file.text().split("\n") if file is not None and line else []
        written = lines[line - 1] if 0 < line <= len(lines) else ""
        plain = bool(line) and "|" not in written and ">" not in written  # in quotes, on the line of its key
        values = read_located_yaml(text)
        return [moved(one, lambda number: line if plain else line + number) for one in values if one is not None]

    def data(self, path: str) -> bytes | None:
        """A file's bytes."""
        file = self._inputs.file(path)
        return file.data if file is not None else None

    def digest(self, path: str) -> str:
        """A file's SHA-256, empty when there is none."""
        file = self._inputs.file(path)
        return file.digest if file is not None else ""

    def chart(self, path: str, folder: str, entry: Map) -> list[tuple[str, Any]] | None:
        """What an entry of ``helmCharts`` comes to, each object with its file; None when its chart is not here."""
        known = self._known.get(folder)
        root = chart_folder(folder, known[1], entry) if known is not None else ""
        found = self._inputs.charts.inflated(root, path, int(entry.line))
        return None if found is None else [(file.path, value) for file, value in found]

    def note(self, path: str, line: int, reason: str) -> None:
        """Something of a kustomization could not be done."""
        if not self._quiet:
            self._inputs.reading.skip(path, reason, line)


def _is_empty(data: bytes) -> bool:
    """Whether a file has nothing but comments."""
    return all(line.lstrip().startswith((b"#", b"---")) or not line.strip() for line in data.splitlines())
