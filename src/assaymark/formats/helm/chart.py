"""``render_chart``: what a Helm chart's templates come to with values.

Source: Helm's documentation, "Charts", "Values Files", "Subcharts and Global Values", "Built-in Objects", "Chart
Hooks". Tests are left out.
"""

from __future__ import annotations

import posixpath
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import HELM_MAX_CHARTS, HELM_MAX_DEPTH
from assaymark.formats.helm.functions import functions
from assaymark.formats.helm.patterns import matches
from assaymark.formats.helm.templates import Methods, Templates, truth
from assaymark.formats.helm.values import as_read, deep_copy, filled, to_yaml
from assaymark.formats.located_yaml import read_located_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

_MANIFESTS: Final = (".yaml", ".yml", ".json")
_KUBERNETES: Final = "v1.34.0"
_API_VERSIONS: Final = frozenset(
    (
        *("v1", "apps/v1", "batch/v1", "autoscaling/v1", "autoscaling/v2", "networking.k8s.io/v1", "policy/v1"),
        *("rbac.authorization.k8s.io/v1", "storage.k8s.io/v1", "apiextensions.k8s.io/v1", "coordination.k8s.io/v1"),
        *("admissionregistration.k8s.io/v1", "certificates.k8s.io/v1", "discovery.k8s.io/v1", "events.k8s.io/v1"),
        *("scheduling.k8s.io/v1", "node.k8s.io/v1", "authentication.k8s.io/v1", "authorization.k8s.io/v1"),
        *("flowcontrol.apiserver.k8s.io/v1", "networking.k8s.io/v1/Ingress", "policy/v1/PodDisruptionBudget"),
    )
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template's text; ``lines`` has for each line of it the line of the template that it comes from."""

    text: str
    lines: tuple[int, ...]


@dataclass(slots=True)
class Chart:
    """What came of it: by path the templates that could be rendered, and why others, or parts, could not."""

    name: str
    rendered: dict[str, Rendered] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Part:
    """A chart or subchart with its values. ``above``: the folders of the charts around it."""

    root: str
    chart: dict[str, Any]
    values: dict[str, Any]
    prefix: str  # what its templates' names begin with
    name: str = ""
    above: tuple[str, ...] = ()
    below: list[_Part] = field(default_factory=list)

    def named(self, path: str) -> str:
        """What a template of it is called: by charts and subcharts, wherever their folders are."""
        return f"{self.prefix}/{path.removeprefix(self.root)}"


def render_chart(
    files: Mapping[str, str],
    root: str,
    given: Mapping[str, Any] | None = None,
    release_name: str = "",
    namespace: str = "",
) -> Chart:
    """The chart whose ``Chart.yaml`` lies in ``root`` (empty, or ending in ``/``).

    Args:
        files: texts by path, of the chart at least.
        root: the chart's folder.
        given: values above the chart's own.
        release_name: what it is installed as; the chart's own name when empty.
        namespace: where; ``default`` when empty.

    Raises:
        InputError: ``yaml-syntax``, ``template-go``: the chart or its values cannot be read.
    """
    chart = _mapping(files, f"{root}Chart.yaml")
    found = Chart(str(chart.get("name") or posixpath.basename(root.rstrip("/"))))
    if chart.get("type") == "library":
        return found
    values = filled(dict(given or {}), as_read(_mapping(files, f"{root}values.yaml")))
    parts: list[_Part] = []
    _gather(files, _Part(root, chart, values, found.name), parts, found)
    templates = Templates(functions())
    texts = {part.root: _templates(files, part.root) for part in parts}
    for part in parts:
        for path, text in texts[part.root]:
            try:
                templates.parse(part.named(path), text)
            except InputError as error:
                found.failed[path] = _why(error)
    release: dict[str, Any] = {"Name": release_name or found.name, "Namespace": namespace or "default"}
    release |= {"IsInstall": True, "IsUpgrade": False, "Revision": 1}
    dots: dict[int, dict[str, Any]] = {}
    _dot(files, parts[0], {**release, "Service": "Helm"}, dots)
    for part in parts:
        dot = dots[id(part)]
        for path, _ in texts[part.root]:
            name = posixpath.basename(path)
            if name.startswith("_") or not name.endswith(_MANIFESTS) or path in found.failed:
                continue
            inner = {**dot, "Template": {"Name": part.named(path), "BasePath": f"{part.prefix}/templates"}}
            try:
                text, lines = templates.run(part.named(path), inner)
                known = found.rendered.get(path)  # of the same chart under another alias
                if known is None:
                    found.rendered[path] = Rendered(text, tuple(lines))
                else:
                    both = (*known.lines, lines[0], *lines)
                    found.rendered[path] = Rendered(f"{known.text}\n---\n{text}", both)
            except InputError as error:
                found.failed[path] = _why(error)
    return found


def _why(error: InputError) -> str:
    return f"{error.message}{f' ({error.position})' if error.position else ''}"


def _mapping(files: Mapping[str, str], path: str) -> dict[str, Any]:
    values = [one for one in read_located_yaml(files[path]) if one is not None] if path in files else []
    if values and not isinstance(values[0], dict):
        raise InputError("template-go", f"{posixpath.basename(path)} is no mapping")
    return deep_copy(values[0]) if values else {}


def _templates(files: Mapping[str, str], root: str) -> list[tuple[str, str]]:
    """The templates of a chart, in the order of their names."""
    folder = f"{root}templates/"
    return sorted((path, text) for path, text in files.items() if path.startswith(folder))


def _gather(files: Mapping[str, str], part: _Part, parts: list[_Part], found: Chart) -> None:
    """Adds a chart, and those below it that are switched on, with the values that it gives them.

    Raises:
        InputError: ``template-go``: it consists of too many.
    """
    parts.append(part)
    if len(parts) > HELM_MAX_CHARTS:
        raise InputError("template-go", f"it consists of more than {HELM_MAX_CHARTS} charts")
    given = part.chart.get("dependencies")
    wanted = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    for one in wanted:
        folder = f"{part.root}charts/{one.get('name')}/"
        here = f"{folder}Chart.yaml" in files
        if not here and str(one.get("repository", "")).startswith("file://"):
            folder = posixpath.normpath(posixpath.join(part.root, str(one["repository"])[7:])) + "/"
            here = f"{folder}Chart.yaml" in files
        name = str(one.get("alias") or one.get("name"))
        if not _switched_on(one, part.values):
            continue
        if not here or len(part.above) >= HELM_MAX_DEPTH or folder in (part.root, *part.above):
            found.failed[f"{part.root}Chart.yaml"] = f"the chart {one.get('name')} that it depends on is not here"
            continue
        part.below.append(_below(files, part, folder, name))
        _gather(files, part.below[-1], parts, found)
        _import(one.get("import-values"), part.below[-1].values, part.values)
    listed = {str(one.get("name")) for one in wanted}
    for path in sorted(files):
        name, mark, rest = path.removeprefix(f"{part.root}charts/").partition("/")
        below = (
            path.startswith(f"{part.root}charts/")
            and mark
            and rest == "Chart.yaml"
            and len(part.above) < HELM_MAX_DEPTH
        )
        if below and name not in listed:
            part.below.append(_below(files, part, f"{part.root}charts/{name}/", name))
            _gather(files, part.below[-1], parts, found)


def _below(files: Mapping[str, str], part: _Part, folder: str, name: str) -> _Part:
    own = as_read(_mapping(files, f"{folder}values.yaml"))
    given = part.values.get(name)
    values = filled(given if isinstance(given, dict) else {}, own)
    shared = part.values.get("global")
    if isinstance(shared, dict):
        own_shared = values.get("global")
        values["global"] = filled(shared, own_shared if isinstance(own_shared, dict) else {})
    part.values[name] = values  # a parent sees what its subcharts have
    prefix = f"{part.prefix}/charts/{name}"
    return _Part(folder, _mapping(files, f"{folder}Chart.yaml"), values, prefix, name, (*part.above, part.root))


def _import(asked: Any, below: dict[str, Any], values: dict[str, Any]) -> None:
    """Puts values that a subchart exports into its parent's, where they count.

    Source: Helm's documentation, "Importing Child Values via dependencies".
    """
    for entry in asked if isinstance(asked, list) else ():
        pair = isinstance(entry, dict)
        path = [*str(entry.get("child")).split(".")] if pair else ["exports", str(entry)]
        given: Any = below
        for key in path:
            given = given.get(key) if isinstance(given, dict) else None
        target = values
        to = str(entry.get("parent") or "") if pair else ""
        for key in to.split(".") if to not in ("", ".") else ():
            inner = target.get(key)
            if not isinstance(inner, dict):
                inner = target[key] = {}
            target = inner
        if isinstance(given, dict):
            both = filled(given, target)
            target.clear()
            target.update(both)


def _switched_on(dependency: dict[str, Any], values: dict[str, Any]) -> bool:
    for path in str(dependency.get("condition") or "").split(","):
        place: Any = values
        for key in path.strip().split(".") if path.strip() else ():
            place = place.get(key) if isinstance(place, dict) else None
        if isinstance(place, bool):
            return place
    tags = values.get("tags")
    asked = dependency.get("tags")
    asked = [str(one) for one in asked] if isinstance(asked, list) else []
    named = [tags[tag] for tag in asked if isinstance(tags, dict) and tag in tags]
    return not named or any(truth(one) for one in named)


def _dot(
    files: Mapping[str, str], part: _Part, release: dict[str, Any], dots: dict[int, dict[str, Any]]
) -> dict[str, Any]:
    """What the templates of a chart are given; that of each chart below goes into ``dots``, by its part."""
    version = _KUBERNETES
    capabilities = {
        "KubeVersion": {"Version": version, "GitVersion": version, "Major": "1", "Minor": version.split(".")[1]},
        "APIVersions": {"Has": lambda name: str(name) in _API_VERSIONS},
        "HelmVersion": {"Version": "v3.19.0"},
    }
    chart = {f"{key[:1].upper()}{key[1:]}": value for key, value in part.chart.items()}
    chart.setdefault("AppVersion", "")
    dots[id(part)] = {
        "Values": part.values,
        "Release": release,
        "Chart": {**chart, "Name": part.name or str(part.chart.get("name", ""))},
        "Capabilities": capabilities,
        "Files": _files(files, part.root),
        "Subcharts": {one.name: _dot(files, one, release, dots) for one in part.below},
    }
    return dots[id(part)]


def _files(files: Mapping[str, str], root: str) -> dict[str, Any]:
    """``.Files``: what lies in the chart and is no template."""
    own = {
        path.removeprefix(root): text
        for path, text in files.items()
        if path.startswith(root) and not path.startswith((f"{root}templates/", f"{root}charts/"))
    }

    def glob(pattern: Any) -> dict[str, Any]:
        some = {path: text for path, text in sorted(own.items()) if matches(str(pattern), path)}
        as_config = {posixpath.basename(path): text for path, text in some.items()}
        secrets = {name: b64encode(text.encode("utf-8", "replace")).decode() for name, text in as_config.items()}
        methods = {"AsConfig": lambda: to_yaml(as_config), "AsSecrets": lambda: to_yaml(secrets)}
        return Methods(some, {**methods, "Get": lambda path: some.get(str(path), "")})

    return {
        "Get": lambda path: own.get(str(path), ""),
        "GetBytes": lambda path: own.get(str(path), ""),
        "Lines": lambda path: own.get(str(path), "").split("\n"),
        "Glob": glob,
    }
