"""``Mounts``: what a ``Route`` of Starlette is part of: its application, the paths before its own, what guards these.

Source: Starlette's documentation, "Routing" (submounting routes), "Middleware" (applying middleware to Mounts).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.assess.source.modules import argument, keyword, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.source.applications import Application, Applications
    from assaymark.assess.source.auth import Guards
    from assaymark.assess.source.modules import Module, Project

_MOUNTS: Final = frozenset(("starlette.routing.Mount", "fastapi.routing.Mount"))
_DEPTH: Final = 8  # mounts in mounts
_MOST: Final = 5000  # routes in one list
_WAYS: Final = 64  # places of one route


@dataclass(frozen=True, slots=True)
class Place:
    """Where a route stands; without an application where nothing shows which it is of."""

    prefix: str = ""
    guarded: bool = False
    application: Application | None = None


class Mounts:
    """All of a project."""

    def __init__(self, project: Project, guards: Guards, applications: Applications) -> None:
        self._project = project
        self._guards = guards
        self._parents: dict[int, list[tuple[Module, ast.Call]]] = {}
        self._made = {id(one.call): one for one in applications.all.values() if one.call is not None}
        for module in project.modules:
            for call, _ in module.calls:
                if id(call) in self._made or module.dotted(call.func) in _MOUNTS:
                    for inner in self._inside(module, call):
                        self._parents.setdefault(id(inner), []).append((module, call))

    def _inside(self, module: Module, call: ast.Call) -> Iterator[ast.Call]:
        """The routes and mounts that stand directly in one, and the application that is mounted."""
        routes = keyword(call, "routes") or (argument(call, 2, "routes") if id(call) not in self._made else None)
        pending = [(module, one) for one in (routes,) if one is not None]
        hops = 0
        while pending and hops < _MOST:
            where, node = pending.pop()
            hops += 1
            if isinstance(node, (ast.List, ast.Tuple)):
                pending += [(where, one) for one in node.elts]
            elif isinstance(node, ast.BinOp):
                pending += [(where, node.left), (where, node.right)]
            elif isinstance(node, ast.Starred):
                pending.append((where, node.value))
            elif isinstance(node, (ast.Name, ast.Attribute)):
                meant, rest = self._project.where(where, node)
                if rest in meant.values and meant.values[rest] is not node:
                    pending.append((meant, meant.values[rest]))
            elif isinstance(node, ast.Call):
                yield node
        mounted = None if id(call) in self._made else argument(call, 1, "app")
        if isinstance(mounted, ast.Call):
            yield mounted
        elif isinstance(mounted, (ast.Name, ast.Attribute)):
            meant, rest = self._project.where(module, mounted)
            value = meant.values.get(rest)
            if isinstance(value, ast.Call):
                yield value

    def of(self, call: ast.Call, inner: Place | None = None, depth: int = _DEPTH) -> list[Place]:
        """Where a route stands, from the inside out: once for each place where it is mounted."""
        known = inner or Place()
        found: list[Place] = []
        for module, whole in self._parents.get(id(call), ()) if depth else ():
            made = self._made.get(id(whole))
            if made is not None:
                guarded = known.guarded or made.guarded
                place = Place(known.prefix, guarded, known.application or made)
            else:
                path = argument(whole, 0, "path")
                text = text_of(path) or ("" if path is None else f"{{{ast.unparse(path)}}}")
                guarded = known.guarded or any(self._guards.expression(module, one) for one in _middleware(whole))
                place = Place(text.rstrip("/") + known.prefix, guarded, known.application)
            found += self.of(whole, place, depth - 1)
        return found[:_WAYS] or [known]

    def middleware(self, module: Module, call: ast.Call) -> bool:
        """Whether middleware of a route's own refuses callers."""
        return any(self._guards.expression(module, one) for one in _middleware(call))


def _middleware(call: ast.Call) -> Iterator[ast.expr]:
    given = keyword(call, "middleware")
    for one in given.elts if isinstance(given, (ast.List, ast.Tuple)) else ():
        inner = one.args[0] if isinstance(one, ast.Call) and one.args else one
        if not ast.unparse(inner).endswith("AuthenticationMiddleware"):  # which tells who calls and refuses nobody
            yield inner
