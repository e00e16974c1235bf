"""``web_applications``: the web applications of a project, each with the modules that it is made of.

What an application is made of is what its module imports, and what that imports. A route in a module that no
application imports makes an application of its own: frameworks whose handlers are classes need no other object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import WebApplication
from assaymark.assess.source.places import standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from assaymark.assess.estate.source import Route
    from assaymark.assess.source.applications import Applications
    from assaymark.assess.source.modules import Project
    from assaymark.core.graph import Because

_DJANGO: Final = "manage.py"
_OF_DJANGO: Final = ("Django", "Django Ninja")


def web_applications(
    project: Project, applications: Applications, routes: Iterable[Route]
) -> Iterator[WebApplication]:
    """Those that answer anything, in the order of their paths."""
    graph = Imports(project)
    routed = {route.because.path: route for route in routes if not standing(route.because.path)}
    made: dict[str, tuple[str, Because]] = {}
    for one in applications.all.values():
        if not one.part and one.call is not None and not standing(one.module.path):
            made.setdefault(one.module.path, (one.framework, one.module.because(one.call)))
    left = dict(routed)
    for path, (framework, because) in sorted(made.items()):
        parts = graph.parts(path)
        if routed.keys() & parts:
            for part in parts:
                left.pop(part, None)
            yield WebApplication(framework, path, because, parts, graph.starters(path))
    for manage in graph.named(_DJANGO):
        below = frozenset(one for one in graph.paths() if one.startswith(manage.removesuffix(_DJANGO)))
        own = [route for path, route in sorted(left.items()) if path in below and route.framework in _OF_DJANGO]
        if own:
            for route in own:
                del left[route.because.path]
            yield WebApplication("Django", manage, graph.first(manage), below, below)
    while left:
        path, route = min(left.items())
        parts = graph.parts(path)
        for part in parts | {path}:
            left.pop(part, None)
        yield WebApplication(route.framework, path, route.because, parts, graph.starters(path))


class Imports:
    """Which module imports which."""

    def __init__(self, project: Project) -> None:
        self._modules = {one.path: one for one in project.modules}
        self._imports: dict[str, set[str]] = {}
        self._importers: dict[str, set[str]] = {}
        for module in project.modules:
            found = {project.module(name, module) for name in module.imported}
            paths = {one.path for one in found if one is not None} - {module.path}
            self._imports[module.path] = paths
            for path in paths:
                self._importers.setdefault(path, set()).add(module.path)

    def paths(self) -> Iterable[str]:
        """Those of all modules."""
        return self._modules

    def first(self, path: str) -> Because:
        """Where a module begins."""
        return self._modules[path].file.because(1)

    def named(self, name: str) -> list[str]:
        """Paths of the modules whose file has this name, those deepest first."""
        found = [path for path in self._modules if path.rpartition("/")[2] == name and not standing(path)]
        return sorted(found, key=lambda path: (-path.count("/"), path))

    def parts(self, path: str) -> frozenset[str]:
        """A module and all that it imports, and what these import."""
        return _closure(path, self._imports)

    def starters(self, path: str) -> frozenset[str]:
        """A module and all by which it is imported."""
        return _closure(path, self._importers)


def _closure(start: str, arcs: Mapping[str, set[str]]) -> frozenset[str]:
    found = {start}
    pending = [start]
    while pending:
        for path in arcs.get(pending.pop(), ()):
            if path not in found:
                found.add(path)
                pending.append(path)
    return frozenset(found)
