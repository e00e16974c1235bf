"""Which image a workload runs, and which module of the input that starts.

Manifests name images and not Dockerfiles; what shows that one is the other is, from the surest: the name under which
a compose file, pipeline or script builds it, the folder or file that is called as the image is, and that one image
and one Dockerfile are left that serve something. All but the first leave it unknown.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Generic, TypeVar

from assaymark.assess.overlaps import overlaps
from assaymark.assess.source.builds import bare
from assaymark.assess.source.entry_points import opened, placed
from assaymark.assess.source.runners import serves
from assaymark.assess.source.started import started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from assaymark.assess.estate.source import BuiltImage, Source
    from assaymark.assess.source.runners import Runner

T = TypeVar("T")
Likely = tuple["BuiltImage", tuple[str, ...]]  # an image, with what would decide that it is that one


class Images:
    """The images that the input builds."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def found(
        self, runners: Iterable[Runner], commanded: Callable[[BuiltImage], bool]
    ) -> Iterator[tuple[Runner, list[Likely]]]:
        """Each workload with the Dockerfiles that its image may be built from.

        ``commanded``: whether what an image starts is something of the input.
        """
        known = [(runner, self.of(runner.image)) for runner in runners]
        own = [one for one in self._source.images if commanded(one)]
        left = {bare(runner.image) for runner, images in known if not images and serves(runner)}
        taken = {built.path for _, images in known for built, _ in images}
        alone = len(left) == 1 and len(own) == 1 and own[0].path not in taken
        for runner, images in known:
            if alone and not images and serves(runner):
                yield runner, [(own[0], (f"{runner.image} is built from {own[0].path}",))]
            else:
                yield runner, images

    def of(self, image: str) -> list[Likely]:
        """The Dockerfiles that an image of this name may be built from."""
        name = bare(image)
        last = name.rpartition("/")[2]
        by_path = {one.path: one for one in self._source.images}
        sure, likely = {}, {}
        for build in self._source.builds:
            if build.name == name and "*" not in name:
                sure[build.dockerfile] = ()
            elif build.name.rpartition("/")[2].strip("*") and overlaps(build.name, name):
                likely[build.dockerfile] = (f"{image} is what {build.because.path} builds",)
        if not sure and not likely and "*" not in last:
            for one in self._source.images:
                if last in _called(one):
                    likely[one.path] = (f"{image} is built from {one.path}",)
        return [(by_path[path], decides) for path, decides in sorted((sure or likely).items())]

    def contexts(self, built: BuiltImage) -> list[str]:
        """The folders that its build may copy from."""
        given = sorted({one.context for one in self._source.builds if one.dockerfile == built.path})
        return given or [built.folder]

    def started(self, command: str, built: BuiltImage, modules: Modules[T]) -> Iterator[tuple[T, tuple[str, ...]]]:
        """What a command of an image starts, by itself and by scripts, with what would decide it."""
        folders = self.contexts(built)
        text, branches = opened(command, built, self._source, folders)
        known = modules.named(started(placed(command, built)), folders) if branches else []
        every = modules.named(started(text), folders)
        for one in every:
            unsure = branches and one not in known and len(every) > 1
            yield one, ((f"{branches} gets as far as starting it",) if unsure else ())


class Modules(Generic[T]):
    """Things of the input by the paths of the modules that start them. ``packed``: what archives hold."""

    def __init__(self, things: Iterable[tuple[str, T]], packed: Mapping[str, frozenset[str]]) -> None:
        self._packed = packed
        self._modules: defaultdict[str, dict[str, list[T]]] = defaultdict(dict)
        for path, thing in things:
            self._modules[importable(path).rpartition("/")[2]].setdefault(path, []).append(thing)

    def named(self, names: Iterable[str], folders: Iterable[str]) -> list[T]:
        """What modules of these names start, those nearest to the folders."""
        found: list[T] = []
        places = list(folders)
        for name in names:
            known = self._modules.get(name.rpartition("/")[2], {})
            paths = [
                path
                for path in sorted(known)
                if f"/{importable(path)}".endswith(f"/{name}")
                and any(inside(path, one, self._packed) for one in places)
            ]
            nearest = min((path.count("/") for path in paths), default=0)
            found += [one for path in paths if path.count("/") == nearest for one in known[path] if one not in found]
        return found

    def nearest(self, names: list[str], path: str) -> list[T]:
        """What they start in the folder of a file, or else in the nearest around it."""
        while path:
            path = path.rpartition("/")[0]
            found = self.named(names, [path])
            if found:
                return found
        return []


def told(runner: Runner, built: BuiltImage) -> str:
    """What a workload starts of an image: arguments alone go behind its entry point, commands replace all of it.

    Source: Kubernetes documentation, "Define a Command and Arguments for a Container".
    """
    if not runner.command:
        return built.command
    return f"{built.entrypoint} {runner.command}" if runner.adds and built.entrypoint else runner.command


def _called(built: BuiltImage) -> set[str]:
    """What an image may be called that is built from it: as its folder, or as a part of the file's name."""
    name = built.path.rpartition("/")[2].lower()
    return {built.folder.rpartition("/")[2].lower(), *re.split(r"[.]", name)} - {"", "dockerfile", "containerfile"}


def importable(path: str) -> str:
    """A path as an import or a command names it: without its ending, packages without ``__init__``."""
    return path.removesuffix(".py").removesuffix("/__init__").removesuffix("/__main__")


def inside(path: str, folder: str, packed: Mapping[str, frozenset[str]] | None = None) -> bool:
    """Whether a path is below a folder, is it itself, or is that of a file of an archive; the root is empty."""
    below = not folder or path == folder or path.startswith(f"{folder}/")
    return below or (packed is not None and path in packed.get(folder, ()))
