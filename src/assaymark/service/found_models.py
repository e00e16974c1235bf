"""Find every model in a tree, by content: what is one file, and what is a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import IDENTIFY_INFLATED_BYTES
from assaymark.scanning.identity.identified import FORMATS, PART, Identified
from assaymark.scanning.identity.identify import identify
from assaymark.scanning.identity.model_folders import model_folder, needed
from assaymark.store.survey import LeftOut, Opened, look, survey
from assaymark.store.unpack import UNPACKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from assaymark.store.survey import Folder, Identity

_EVERY: Final = 256  # files between two calls of on_progress


@dataclass(frozen=True, slots=True)
class Found:
    """A model: one file, or a folder that is one. ``parts`` are the files in it that hold weights or code, by format.

    ``identities`` are those files on the disk. ``beside`` names files that it needs and that are not in its digest.
    """

    path: str
    folder: bool
    format: str
    name: str
    kind: str
    examined: bool
    parts: tuple[tuple[str, Identified], ...] = ()
    beside: tuple[str, ...] = ()
    identities: frozenset[Identity] = frozenset()


@dataclass(slots=True)
class Finder:
    """Walks trees and says what it found; ``left_out`` fills with what it did not look into."""

    skip: frozenset[Identity] = frozenset()
    on_progress: Callable[[int, int], None] | None = None
    left_out: list[LeftOut] = field(default_factory=list)
    files: int = 0
    folders: int = 0
    models: int = 0

    def find(self, roots: Sequence[Path]) -> list[Found]:
        """Every model below ``roots``, each once, a file that is stored for a folder's model not again."""
        found: dict[str, Found] = {}
        for root in roots:
            for item in self._root(os.path.realpath(root)):
                found.setdefault(item.path, item)
        held = frozenset(identity for item in found.values() if item.folder for identity in item.identities)
        return [item for item in found.values() if item.folder or not item.identities <= held]

    def _root(self, root: str) -> Iterator[Found]:
        if os.path.isfile(root):  # noqa: PTH113 - paths stay text
            one = self._identify(root)
            if one is None:
                self.left_out.append(LeftOut(root, "not recognised as a model", unread=False))
            else:
                yield self._file(root, *one)
            return
        for folder in survey(root, self.left_out.append, self.skip):
            self.folders += 1
            yield from self._folder(folder)

    def _folder(self, folder: Folder) -> Iterator[Found]:
        seen = self._look(folder.path, folder.files)
        linked = self._look(folder.path, folder.links, follow=True)
        models = {name: one for name, (one, _) in (seen | linked).items()}
        names = [*folder.files, *folder.links]
        kind = model_folder(models, names, lambda name: _head(os.path.join(folder.path, name)))  # noqa: PTH118
        if kind:
            folder.descend = False
            yield self._whole(folder, kind, seen | linked)
            return
        there = frozenset(names)
        halves = {name for own, one in models.items() for name in needed(own, one, there)}
        for name, one in seen.items():
            if name not in halves:
                beside = needed(name, one[0], there)
                yield self._file(os.path.join(folder.path, name), *one, beside=beside)  # noqa: PTH118

    def _look(self, path: str, names: list[str], *, follow: bool = False) -> dict[str, tuple[Identified, Identity]]:
        found = {}
        for name in names:
            one = self._identify(os.path.join(path, name), follow=follow)  # noqa: PTH118
            if one is not None:
                found[name] = one
        return found

    def _identify(self, path: str, *, follow: bool = False) -> tuple[Identified, Identity] | None:
        self.files += 1
        if self.on_progress is not None and self.files % _EVERY == 0:
            self.on_progress(self.files, self.models)
        opened = look(path, follow=follow)
        if isinstance(opened, LeftOut):
            self.left_out.append(opened)
            return None
        try:
            found = identify(opened, UNPACKERS)
        except (InputError, OSError) as error:
            why = error.message if isinstance(error, InputError) else f"cannot be read: {error.strerror}"
            self.left_out.append(LeftOut(path, why))
            return None
        finally:
            opened.close()
        return None if found is None else (found, opened.identity)

    def _file(self, path: str, one: Identified, identity: Identity, beside: tuple[str, ...] = ()) -> Found:
        self.models += 1
        kind = "model" if one.kind == PART else one.kind
        parts = ((os.path.basename(path), one),)  # noqa: PTH119
        identities = frozenset([identity])
        return Found(path, False, one.format, one.name, kind, one.examined, parts, beside, identities)

    def _whole(self, folder: Folder, kind: str, seen: dict[str, tuple[Identified, Identity]]) -> Found:
        """A folder that is one model, with what lies below it: all of that is in its digest."""
        self.models += 1
        parts = {name: one for name, (one, _) in seen.items()}
        identities = {identity for _, identity in seen.values()}
        for name in folder.folders:
            below = os.path.join(folder.path, name)  # noqa: PTH118
            for inner in survey(below, self.left_out.append, self.skip):
                found = self._look(inner.path, inner.files) | self._look(inner.path, inner.links, follow=True)
                relative = os.path.relpath(inner.path, folder.path)
                parts |= {f"{relative}/{own}": one for own, (one, _) in found.items()}
                identities |= {identity for _, identity in found.values()}
        examined = bool(parts) and all(one.examined for one in parts.values())
        inner_names = sorted({one.name for one in parts.values()})
        name = FORMATS[kind][0] + (f": {', '.join(inner_names)}" if inner_names and kind not in _SINGLE else "")
        return Found(
            folder.path, True, kind, name, "model", examined, tuple(sorted(parts.items())), (), frozenset(identities)
        )


# Folders whose format is that of the files in them.
_SINGLE: Final = frozenset(FORMATS) - {"huggingface", "diffusers", "mlflow"}


def _head(path: str) -> bytes:
    opened = look(path, follow=True)
    if not isinstance(opened, Opened):
        return b""
    try:
        return opened.read(0, IDENTIFY_INFLATED_BYTES)
    except OSError:
        return b""
    finally:
        opened.close()
