"""``Releases``: who installs the charts of an architecture, under which names and with which values.

Sources: Argo CD, "Application" and "ApplicationSet" (source.helm); Flux, "HelmRelease"; helmfile, "Configuration";
Skaffold, "Helm deployer"; Helm, ``helm install`` and ``helm upgrade``. Where nothing says it, a chart is installed
with its own values, and with each other file of values beside them.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.application_sets import applications, settled, unfilled
from assaymark.assess.helmfile_templates import plain_releases
from assaymark.assess.release_values import LONGEST, VARIABLE, ReleaseValues, above
from assaymark.assess.shell_lines import joined_lines
from assaymark.core.limits import HELM_MAX_RELEASES
from assaymark.formats.located import Map, listed, maps_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from assaymark.assess.files import Reading, SourceFile

_MARKS: Final = (b"argoproj.io/", b"helm.toolkit.fluxcd.io/", b"skaffold/", b"releases:", b"helmCharts:")
_SCRIPTS: Final = ("makefile", ".mk", ".sh", "justfile", ".yml", ".yaml", "jenkinsfile")
_HELMFILE: Final = re.compile(r"(?:^|/)(?:helmfile[^/]*|helmfile\.d/[^/]+)\.ya?ml$")
_HELMFILE_TEMPLATE: Final = re.compile(r"(?:^|/)(?:helmfile[^/]*|helmfile\.d/[^/]+)\.ya?ml\.gotmpl$")
_COMMAND: Final = re.compile(r"\bhelm\s+(upgrade|install|template)\b")
_TEMPLATES: Final = "/templates/"
_ENDS: Final = frozenset(("&&", "||", ";", "|"))
_VALUES_FILE: Final = re.compile(
    r"(?:values[-._][\w.-]+|[\w.-]+[-._]values|(?:values|environments|envs?)/[\w.-]+)\.ya?ml"
)
# Clusters that last as long as a test does, and what charts are tried with on them.
_PASSING: Final = re.compile(rb"\b(?:kind-action|kind create|minikube|k3d|kind load|chart-testing|ct install)\b")
_TRIED: Final = re.compile(
    r"(?:^|[-_./])(?:kind|minikube|k3d|ci|test|tests|testing|e2e|examples?|samples?|schema|local)(?:[-_./]|$)"
)
_TAKES: Final = frozenset(  # options of Helm that take a value of no interest here
    ("--timeout", "--version", "--repo", "--kube-context", "--kubeconfig", "--history-max", "--post-renderer")
)


@dataclass(frozen=True, slots=True)
class Release:
    """A chart as it is installed: ``values`` stand over the chart's own; ``label`` tells it from others.

    ``inflated``: the path of the kustomization that takes in what it comes to, and the line that says so.
    """

    name: str = ""
    namespace: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    inflated: tuple[str, int] = ("", 0)


@dataclass(frozen=True, slots=True)
class Installed:
    """A chart that Terraform installs. ``texts``: values as YAML; ``sets``: mappings of ``name`` and ``value``."""

    file: SourceFile
    line: int
    chart: str
    name: str
    namespace: Any
    texts: Sequence[str]
    sets: Sequence[Map]


@dataclass(slots=True)
class _Command:
    """The words of a command of Helm: plain ones, files of values, assignments, the namespace."""

    plain: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    sets: list[tuple[str, bool]] = field(default_factory=list)
    namespace: str = ""


class Releases:
    """Those of the charts in ``roots`` (folders that end with a slash, or empty), by the chart's folder."""

    def __init__(
        self,
        files: Sequence[SourceFile],
        roots: Sequence[str],
        reading: Reading,
        read: Callable[[SourceFile], list[Any]],
        installed: Sequence[Installed] = (),
    ) -> None:
        self._files = {file.path: file for file in files}
        self._roots = roots
        self._reading = reading
        self._read = read
        self._values = ReleaseValues(self._files, reading, read)
        self._found: dict[str, list[Release]] = {root: [] for root in roots}
        for file in files:
            if not any(file.path.startswith(root) and _TEMPLATES in f"/{file.path[len(root) :]}" for root in roots):
                self._of_file(file)
        for one in installed:
            self._terraform(one)

    def of(self, root: str) -> tuple[list[Release], bool]:
        """The releases of a chart, and whether something says them."""
        said = {(one.name, one.namespace, one.inflated, repr(one.values)): one for one in reversed(self._found[root])}
        if said:
            if len(said) > HELM_MAX_RELEASES:
                reason = f"{len(said)} releases of this chart are in the input, of which {HELM_MAX_RELEASES} are read"
                self._reading.skip(f"{root}Chart.yaml", reason)
            return list(reversed(said.values()))[:HELM_MAX_RELEASES], True
        beside = [path for path in sorted(self._files) if self._is_variant(path, root)]
        variants = [Release(values=self._values.of_file(path), label=path) for path in beside]
        return [Release(label=f"{root}values.yaml"), *variants][:HELM_MAX_RELEASES], False

    def _is_variant(self, path: str, root: str) -> bool:
        """Whether a file of values lies beside a chart's own, or in a folder for such."""
        inner = any(other != root and other.startswith(root) and path.startswith(other) for other in self._roots)
        name = path.removeprefix(root)
        return path.startswith(root) and not inner and bool(_VALUES_FILE.fullmatch(name)) and not _TRIED.search(name)

    # who says it

    def _of_file(self, file: SourceFile) -> None:
        name = file.path.lower()
        if name.endswith((".yaml", ".yml")) and any(mark in file.data for mark in _MARKS):
            for value in self._read(file):
                if isinstance(value, Map):
                    self._of_document(file, value)
        elif _HELMFILE_TEMPLATE.search(file.path) and b"releases:" in file.data:
            self._helmfile_template(file)
        passing = _TRIED.search(name) or _PASSING.search(file.data)
        if name.endswith(_SCRIPTS) and b"helm" in file.data and not passing:
            self._of_script(file)

    def _of_document(self, file: SourceFile, value: Map) -> None:
        version, kind, spec = str(value.get("apiVersion", "")), value.get("kind"), _inner(value, "spec")
        if version.startswith("argoproj.io/") and kind == "Application":
            self._argo(file, value, spec)
        elif version.startswith("argoproj.io/") and kind == "ApplicationSet":
            self._argo_set(file, value, spec)
        elif version.startswith("helm.toolkit.fluxcd.io/"):
            self._flux(file, value, spec)
        elif version.startswith("skaffold/"):
            for part in (value, *maps_in(value.get("profiles"))):
                for one in maps_in(_inner(_inner(part, "deploy"), "helm").get("releases")):
                    self._skaffold(file, one)
        elif "helmCharts" in value:
            for one in maps_in(listed(value.get("helmCharts"))):
                self._kustomize(file, value, one)
        elif _HELMFILE.search(file.path):
            for one in maps_in(listed(value.get("releases"))):
                if one.get("installed") is not False:
                    self._helmfile(file, one)

    def _argo(self, file: SourceFile, value: Map, spec: Map, *, made: bool = False) -> None:
        """An application; of one that a set has ``made``, what is still to be filled in says nothing."""
        for source in _sources(spec):
            helm = _inner(source, "helm")
            text = helm.get("values")
            written = self._values.of_text(file, text, helm.at("values")) if isinstance(text, str) else None
            name = str(helm.get("releaseName") or _inner(value, "metadata").get("name") or "")
            for root in self._charts(source.get("path"), ""):
                for files in self._values.layers(file, root, helm, "valueFiles"):
                    said = above(written, helm.get("valuesObject"))
                    values = above(files, settled(said) if made else said)
                    values = self._values.with_parameters(file, values, maps_in(helm.get("parameters")))
                    self._add(root, file, name, _inner(spec, "destination").get("namespace"), values)

    def _argo_set(self, file: SourceFile, value: Map, spec: Map) -> None:
        made = applications(spec, self._files, self._read)
        for one in made:
            self._argo(file, one, _inner(one, "spec"), made=True)
        if any(unfilled([each.get("helm") for each in _sources(_inner(one, "spec"))]) for one in made):
            name = _inner(value, "metadata").get("name")
            self._reading.gap(
                f"what generators of the ApplicationSet {name} give to charts is not known; their own values stand"
            )

    def _flux(self, file: SourceFile, value: Map, spec: Map) -> None:
        chart, metadata = _inner(_inner(spec, "chart"), "spec"), _inner(value, "metadata")
        roots = self._charts(chart.get("chart"), "")
        if roots and spec.get("valuesFrom"):
            reason = "values that a HelmRelease takes from the cluster are not known"
            self._reading.skip(file.path, reason, spec.at("valuesFrom"))
        target = spec.get("targetNamespace")
        composed = [str(one) for one in (target, metadata.get("name")) if one]
        name = str(spec.get("releaseName") or "-".join(composed))
        place = target or metadata.get("namespace")
        for root in roots:
            for files in self._values.layers(file, "", chart, "valuesFiles"):
                self._add(root, file, name, place, above(files, spec.get("values")))

    def _skaffold(self, file: SourceFile, one: Map) -> None:
        folder = posixpath.dirname(file.path)
        sets = [(f"{key}={value}", False) for key, value in _inner(one, "setValues").items()]
        for root in self._charts(one.get("chartPath"), folder):
            for files in self._values.layers(file, folder, one, "valuesFiles"):
                values = above(files, one.get("overrides"))
                values = self._values.with_assignments(file, values, sets, one.line)
                self._add(root, file, str(one.get("name") or ""), one.get("namespace"), values)

    def _helmfile(self, file: SourceFile, one: Map) -> None:
        folder = posixpath.dirname(file.path)
        for root in self._charts(one.get("chart"), folder):
            for files in self._values.layers(file, folder, one, "values"):
                values = self._values.with_parameters(file, files, maps_in(one.get("set")))
                self._add(root, file, str(one.get("name") or ""), one.get("namespace"), values)

    def _helmfile_template(self, file: SourceFile) -> None:
        """A helmfile that is a template: what of it is plain."""
        found = plain_releases(file.data.decode("utf-8", "replace"))
        for one in found:
            if one.get("installed") is not False:
                self._helmfile(file, one)
        if found:
            self._reading.read.add(file.path)
            reason = (
                "a template: releases in which something is to be filled in are not read; assess what it comes to"
            )
            self._reading.skip(file.path, reason)

    def _kustomize(self, file: SourceFile, value: Map, one: Map) -> None:
        """Charts that a kustomization renders; source: kustomize's "HelmChartInflationGenerator"."""
        folder = posixpath.dirname(file.path)
        root = chart_folder(folder, value, one)
        if root not in self._found:
            return
        first = [one["valuesFile"]] if isinstance(one.get("valuesFile"), str) else []
        more = [name for name in listed(one.get("additionalValuesFiles")) if isinstance(name, str)]
        inline = one.get("valuesInline")
        for files in self._values.of_files(file, folder, [*first, *more], one.line):
            merge = one.get("valuesMerge")
            said = _beside(inline, files) if merge == "merge" else inline
            replaced = {} if merge == "replace" and inline else files
            place = one.get("namespace") or value.get("namespace")
            name = str(one.get("releaseName") or "release-name")
            self._add(root, file, name, place, above(replaced, said), (file.path, int(one.line)))

    def _terraform(self, one: Installed) -> None:
        folder = posixpath.dirname(one.file.path)
        within = folder and one.chart.startswith(f"{folder}/")  # as ``path.module`` gives it
        roots = self._charts(one.chart, "" if within else folder) if "/" in one.chart else []
        layers = [self._values.of_text(one.file, text, one.line) for text in one.texts] if roots else []
        for root in roots:
            values = self._values.with_parameters(one.file, above(*layers), one.sets)
            self._add(root, one.file, one.name, one.namespace, values)

    def _of_script(self, file: SourceFile) -> None:
        folder = posixpath.dirname(file.path)
        for number, line in joined_lines(file.data.decode("utf-8", "replace")):
            match = _COMMAND.search(line) if len(line) <= LONGEST else None
            if match is None or (match[1] == "template" and not ("kubectl" in line and "apply" in line)):
                continue
            try:
                words = shlex.split(VARIABLE.sub("*", line[match.end() :]), comments=True)
            except ValueError:
                continue
            said = _command(words)
            if not said.plain:
                continue
            name = said.plain[0] if len(said.plain) > 1 and "*" not in said.plain[0] else ""
            for root in self._charts(said.plain[-1] if len(said.plain) < 2 else said.plain[1], folder):  # noqa: PLR2004
                for files in self._values.of_files(file, folder, said.files, number):
                    values = self._values.with_assignments(file, files, said.sets, number)
                    self._add(root, file, name, said.namespace, values)

    # charts

    def _charts(self, given: Any, folder: str) -> list[str]:
        """The charts that a path may be of: from ``folder``, from the root, or below one folder or other."""
        if not isinstance(given, str) or not 0 < len(given) <= LONGEST or "://" in given or given.startswith("@"):
            return []
        plain = VARIABLE.sub("*", given)
        for path in (posixpath.normpath(posixpath.join(folder, plain)), posixpath.normpath(plain.lstrip("/"))):
            found = [one for one in self._roots if fnmatchcase(one, "" if path == "." else f"{path}/")]
            if found:
                return found
        ends = posixpath.normpath(plain).lstrip("./")
        found = [one for one in self._roots if f"/{one}".endswith(f"/{ends}/")] if ends else []
        return found if len(found) == 1 else []

    def _add(
        self,
        root: str,
        file: SourceFile,
        name: str,
        namespace: Any,
        values: Mapping[str, Any],
        inflated: tuple[str, int] = ("", 0),
    ) -> None:
        """A release. What a generator puts into its name or namespace is not known."""
        known = "" if "{{" in name else name
        place = namespace if isinstance(namespace, str) and not re.search(r"\{\{|\*", namespace) else ""
        label = f"{file.path}:{known}" if known else file.path
        same = sum(one.label.partition("#")[0] == label for one in self._found[root])
        self._found[root].append(Release(known, place, values, f"{label}#{same + 1}" if same else label, inflated))


def _sources(spec: Map) -> list[Map]:
    """What an application of Argo CD is made of."""
    return [*maps_in(spec.get("source")), *maps_in(spec.get("sources"))]


def _beside(inline: Any, files: Mapping[str, Any]) -> Any:
    """Values without those that say nothing where a file says something, as kustomize merges them."""
    if not isinstance(inline, dict):
        return inline
    found = {}
    for key, value in inline.items():
        other = files.get(key)
        inner = _beside(value, other) if isinstance(other, dict) else value
        if inner or other is None:
            found[key] = inner
    return found


def chart_folder(folder: str, value: Map, one: Map) -> str:
    """Where the chart would lie that a kustomization in ``folder`` renders by one of its ``helmCharts``."""
    home = _inner(value, "helmGlobals").get("chartHome")
    path = posixpath.normpath(posixpath.join(folder, str(home or "charts"), str(one.get("name"))))
    return "" if path == "." else f"{path}/"


def _inner(value: Map, key: str) -> Map:
    """The mapping under a key; an empty one for none."""
    found = value.get(key)
    return found if isinstance(found, Map) else Map(value.line)


def _command(words: list[str]) -> _Command:
    found = _Command()
    pending = iter(words)
    for word in pending:
        name, equals, value = word.partition("=")
        if word in _ENDS:
            break
        if not word.startswith("-"):
            found.plain.append(word)
        elif name in ("-f", "--values", "--set", "--set-string", "-n", "--namespace", *_TAKES):
            given = value if equals else next(pending, "")
            if name in ("-f", "--values"):
                found.files += given.split(",")
            elif name in ("--set", "--set-string"):
                found.sets.append((given, name == "--set-string"))
            elif name in ("-n", "--namespace"):
                found.namespace = given
    return found
