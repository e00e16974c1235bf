"""``Kustomizations``: which files a kustomization takes in, and what it puts in the place of images and namespaces.

Source: Kubernetes documentation, "Declarative Management of Kubernetes Objects Using Kustomize"; the field pages
``resources``, ``components``, ``images`` and ``namespace`` of the kustomization file.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.inputs import Inputs

_NAMES: Final = ("kustomization.yaml", "kustomization.yml", "kustomization")
_TAKES_IN: Final = ("resources", "bases", "components")
_PATCHES: Final = ("patches", "patchesStrategicMerge", "patchesJson6902")


class Kustomizations:
    """What is said here is what kustomizations of the input say; overlays elsewhere are not known."""

    def __init__(self, inputs: Inputs) -> None:
        self._files: dict[str, Map] = {}  # folder to its kustomization
        for file, value in inputs.maps():
            folder, name = posixpath.split(file.path)
            if name.lower() in _NAMES:
                self._files.setdefault(folder, value)
        self._patches = {
            posixpath.normpath(posixpath.join(folder, path))
            for folder, value in self._files.items()
            for path in _patch_files(value)
        }
        self._of: defaultdict[str, list[str]] = defaultdict(list)  # file to the folders that take it in
        inner: set[str] = set()
        for folder in self._files:
            paths, folders = self._taken_in(folder)
            inner |= folders - {folder}
            for path in paths:
                self._of[path].append(folder)
        self._landing: defaultdict[str, dict[str, None]] = defaultdict(dict)
        landed: set[tuple[str, str]] = set()
        for folder in sorted(self._files):
            if folder not in inner:
                self._land(folder, landed)

    def _land(self, start: str, landed: set[tuple[str, str]]) -> None:
        """Notes where what a kustomization takes in lands: the outermost that names a namespace decides.

        ``landed``: kustomizations that were there already, each with the namespace that those around it name.
        """
        pending = [(start, "")]
        while pending:
            folder, around = pending.pop()
            if (folder, around) in landed:
                continue
            landed.add((folder, around))
            named = self._files[folder].get("namespace")
            namespace = around or (named if isinstance(named, str) else "")
            paths, folders = self._entries(folder)
            for path in paths:
                self._landing[path][namespace] = None
            pending += [(other, namespace) for other in sorted(folders, reverse=True)]

    def _entries(self, folder: str) -> tuple[set[str], set[str]]:
        """The files, and the folders of kustomizations, that one names."""
        paths: set[str] = set()
        folders: set[str] = set()
        for key in _TAKES_IN:
            entries = self._files[folder].get(key)
            for entry in entries if isinstance(entries, list) else ():
                path = posixpath.normpath(posixpath.join(folder, str(entry)))
                path = "" if path == "." else path
                (folders if path in self._files else paths).add(path)
        return paths, folders

    def _taken_in(self, folder: str) -> tuple[set[str], set[str]]:
        """The files, and the folders of others, that a kustomization takes in, itself or by others."""
        found: set[str] = set()
        seen = {folder}
        pending = [folder]
        while pending:
            paths, folders = self._entries(pending.pop())
            found |= paths
            pending += folders - seen
            seen |= folders
        return found, seen

    def images(self, path: str) -> dict[str, str]:
        """Names of images to the new name with tag or digest, for objects of a file; the nearest overlay's first."""
        found: dict[str, str] = {}
        for folder in sorted(self._of.get(path, ()), key=lambda one: (-_common(one, path), one)):
            images = self._files[folder].get("images")
            for item in images if isinstance(images, list) else ():
                if isinstance(item, Map) and isinstance(item.get("name"), str):
                    name = str(item.get("newName") or item["name"])
                    tag = f":{item['newTag']}" if item.get("newTag") else ""
                    found.setdefault(
                        item["name"], f"{name}@{item['digest']}" if item.get("digest") else f"{name}{tag}"
                    )
        return found

    def landing(self, path: str) -> tuple[str, ...]:
        """The namespaces that kustomizations give what a file declares; empty texts for its own."""
        return tuple(self._landing[path]) if path in self._landing else ("",)

    def namespaces(self, path: str, own: str) -> frozenset[str]:
        """Where the objects of a file land: the namespaces that overlays set, else their own."""
        said = {str(self._files[folder]["namespace"]) for folder in self._of.get(path, ()) if self._sets(folder)}
        return frozenset(said or {own})

    def is_patch(self, path: str) -> bool:
        """Whether a file is a change of objects that others declare."""
        return path in self._patches

    def _sets(self, folder: str) -> bool:
        return isinstance(self._files[folder].get("namespace"), str)


def _patch_files(value: Map) -> Iterator[str]:
    for key in _PATCHES:
        entries = value.get(key)
        for entry in entries if isinstance(entries, list) else ():
            path = entry.get("path") if isinstance(entry, Map) else entry
            if isinstance(path, str):
                yield path


def _common(folder: str, path: str) -> int:
    """How many parts two paths begin with together."""
    count = 0
    for one, other in zip(folder.split("/"), path.split("/"), strict=False):
        if one != other:
            break
        count += 1
    return count
