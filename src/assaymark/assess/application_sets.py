"""``applications``: what an ``ApplicationSet`` of Argo CD makes: its template, filled with what its generators give.

Sources: Argo CD, "Generators" (list, git directories and files, matrix, merge; what lists clusters, repositories or
requests is not in the input), "Templates" (``{{name}}``) and "Go Template".
"""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import GENERATORS_MAX_STEPS, HELM_MAX_CHARTS
from assaymark.formats.located import Map, Seq, listed, maps_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from assaymark.assess.files import SourceFile

_SIMPLE: Final = re.compile(r"\{\{-?\s*\.?([\w.\[\]-]+?)\s*-?\}\}")
_ODD: Final = re.compile(r"[^a-z0-9-]")


class _Set:
    """One of them."""

    def __init__(self, spec: Map, files: Mapping[str, SourceFile], read: Callable[[SourceFile], list[Any]]) -> None:
        self.go = spec.get("goTemplate") is True
        self._files = files
        self._read = read
        self._steps = 0

    def given(self, generators: Iterable[Map], known: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What each element of generators gives; one that gives nothing where it is not known."""
        found: list[dict[str, Any]] = []
        for one in generators:
            self._steps += 1
            if self._steps > GENERATORS_MAX_STEPS:  # generators of generators of generators
                return found
            found += [{**known, **given} for given in self._of(filled(one, known, go=self.go), known)]
        return found[:HELM_MAX_CHARTS]

    def _of(self, one: Map, known: Mapping[str, Any]) -> list[dict[str, Any]]:
        for kind, make in (
            ("list", self._listed),
            ("git", self._git),
            ("matrix", self._matrix),
            ("merge", self._merge),
        ):
            part = one.get(kind)
            if isinstance(part, Map):
                made = make(part, known)
                extra = part.get("values")
                more = {"values": extra} if isinstance(extra, Map) else {}
                return [{**each, **more} for each in made] or [{}]
        return [{}]

    def _listed(self, part: Map, _: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [dict(one) for one in listed(part.get("elements")) if isinstance(one, Map)]

    def _matrix(self, part: Map, known: Mapping[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [dict(known)]
        for one in listed(part.get("generators")):
            if isinstance(one, Map):
                found = [each for before in found for each in self.given([one], before)][:HELM_MAX_CHARTS]
        return found

    def _merge(self, part: Map, known: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The elements of the first generator, with what those of the others add that agree in the keys."""
        first, *others = [self.given([one], known) for one in maps_in(part.get("generators"))] or [[]]
        keys = [str(one) for one in listed(part.get("mergeKeys"))]
        found = [dict(one) for one in first]
        for one, other in product(found, [each for group in others for each in group]):
            if all(_at(one, key) == _at(other, key) is not None for key in keys):
                one.update(other)
        return found

    def _git(self, part: Map, _: Mapping[str, Any]) -> list[dict[str, Any]]:
        if "files" in part:
            found, below = _fitting(self._files, maps_in(part.get("files")))
            return [
                {**value, **self._path(posixpath.dirname(path), path)}
                for path in found
                for document in self._read(self._files[f"{below}{path}"])
                for value in maps_in(document)
            ]
        folders = {path[: end.start()] for path in self._files for end in re.finditer("/", path)}
        return [self._path(path, "") for path in _fitting(folders, maps_in(part.get("directories")))[0]]

    def _path(self, folder: str, file: str) -> dict[str, Any]:
        segments, base, name = folder.split("/"), posixpath.basename(folder), posixpath.basename(file)
        parts = {"basename": base, "basenameNormalized": _ODD.sub("-", base.lower())}
        parts |= {"filename": name} if name else {}
        if self.go:
            return {"path": {"path": folder, "segments": segments, **parts}}
        found = {"path": folder, **{f"path.{key}": value for key, value in parts.items()}}
        return found | {f"path[{index}]": one for index, one in enumerate(segments)}


def applications(spec: Map, files: Mapping[str, SourceFile], read: Callable[[SourceFile], list[Any]]) -> list[Map]:
    """The applications of a set, with the lines of its template; what is not known of them stays as it is written."""
    template = spec.get("template")
    if not isinstance(template, Map):
        return []
    one = _Set(spec, files, read)
    given = one.given(maps_in(spec.get("generators")), {}) or [{}]
    return [filled(template, each, go=one.go) for each in given]


def unfilled(value: Any) -> bool:
    """Whether something in a value is still to be filled in."""
    if isinstance(value, dict):
        return any(unfilled(one) for one in value.values())
    return (
        any(unfilled(one) for one in value) if isinstance(value, list) else isinstance(value, str) and "{{" in value
    )


def settled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values without those that are still to be filled in."""
    found = {key: settled(one) if isinstance(one, dict) else one for key, one in values.items()}
    return {key: one for key, one in found.items() if not unfilled(one)}


def filled(value: Any, given: Mapping[str, Any], *, go: bool) -> Any:
    """A value with what is given in the place of what is named."""
    if isinstance(value, Map):
        found = Map(value.line, value.path)
        for key, one in value.items():
            found.put(key, filled(one, given, go=go), value.at(key))
        return found
    if isinstance(value, Seq):
        sequence = Seq(value.line, value.path)
        for index, one in enumerate(value):
            sequence.put(filled(one, given, go=go), value.at(index))
        return sequence
    return _text(value, given, go=go) if isinstance(value, str) and "{{" in value and given else value


def _text(text: str, given: Mapping[str, Any], *, go: bool) -> str:
    def put(match: re.Match[str]) -> str:
        found = _at(given, match[1])
        if isinstance(found, bool):
            return str(found).lower()
        return str(found) if isinstance(found, (str, int, float)) else match[0]

    plain = _SIMPLE.sub(put, text)
    return _rendered(plain, given) if go and "{{" in plain else plain


def _rendered(text: str, given: Mapping[str, Any]) -> str:
    """A text with functions of Go's templates; itself where it cannot be run, or names what is not known."""
    from assaymark.formats.helm.functions import functions
    from assaymark.formats.helm.templates import Templates

    if any(name not in given for name in re.findall(r"(?:^|[\s({|])\.(\w+)", text)):
        return text
    templates = Templates(functions())
    try:
        templates.parse("text", text)
        return templates.run("text", dict(given))[0]
    except InputError:
        return text


def _at(given: Mapping[str, Any], name: str) -> Any:
    """What a name, with dots, stands for; None for nothing."""
    if name in given:
        return given[name]
    found: Any = given
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _fitting(paths: Iterable[str], entries: list[Map]) -> tuple[list[str], str]:
    """The paths that entries of a generator name, from the repository's root, and where in the input that is."""
    named = [_Glob(str(one.get("path"))) for one in entries if one.get("exclude") is not True]
    left_out = [_Glob(str(one.get("path"))) for one in entries if one.get("exclude") is True]
    for below in _roots(paths, named):
        own = [path.removeprefix(below) for path in paths if path.startswith(below)]
        found = [path for path in own if any(one.fits(path) for one in named)]
        return sorted(path for path in found if not any(one.fits(path) for one in left_out)), below
    return [], ""


def _roots(paths: Iterable[str], named: list[_Glob]) -> list[str]:
    """The folder that has what is named: the input itself, else the only one that has."""
    if any(one.fits(path) for path in paths for one in named):
        return [""]
    ends = {path[: at.end()] for path in paths for at in re.finditer("/", path)}
    found = [end for end in sorted(ends) if any(_within(path, end, named) for path in paths)]
    return found if len(found) == 1 else []


def _within(path: str, end: str, named: list[_Glob]) -> bool:
    return path.startswith(end) and any(one.fits(path[len(end) :]) for one in named)


class _Glob:
    """A pattern of paths: a star stands for a part of a name, two for any number of folders."""

    def __init__(self, pattern: str) -> None:
        plain = pattern.removeprefix("./").rstrip("/").replace("[", "[[]")
        self._parts = plain.split("/")

    def fits(self, path: str) -> bool:
        """Whether all of a path is meant; each part is held against each once, whatever the pattern is."""
        names, reached = path.split("/"), {0}
        for at, part in enumerate(self._parts, 1):
            if part == "**":
                least = min(reached, default=len(names)) + (at == len(self._parts))
                reached = set(range(least, len(names) + 1)) if reached else reached
            else:
                reached = {one + 1 for one in reached if one < len(names) and fnmatchcase(names[one], part)}
        return len(names) in reached
