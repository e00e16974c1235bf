"""``Charts``: the Helm charts of an architecture; their templates are read as what they come to."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.releases import Releases
from assaymark.core.errors import InputError
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from assaymark.assess.files import Reading, SourceFile
    from assaymark.assess.releases import Installed, Release
    from assaymark.formats.helm.chart import Chart

_PACKED: Final = (".tgz", ".tar.gz")


class Charts:
    """Those whose ``Chart.yaml`` lies in no other chart's ``charts``; rendered when they are asked for.

    Each is rendered once for each release of it. What the first release comes to stands for the templates; of a chart
    with several, ``installed`` has what each comes to.
    """

    def __init__(
        self, files: Sequence[SourceFile], reading: Reading, read: Callable[[SourceFile], list[Any]] = lambda _: []
    ) -> None:
        self._files = {file.path: file for file in files}
        self._reading = reading
        self._read = read  # the documents of a file that is no template
        roots = sorted(path.removesuffix("Chart.yaml") for path in self._files if _is_chart(path))
        self._roots = [root for root in roots if not any(root.startswith(f"{one}charts/") for one in roots)]
        self._known: dict[str, list[tuple[Release, Chart]]] = {}
        self._installed: list[Installed] = []
        self._packed: dict[str, list[str]] = {}  # packed charts, with the paths that their templates would have

    @cached_property
    def _releases(self) -> Releases:
        return Releases(list(self._files.values()), self._roots, self._reading, self._read, self._installed)

    def install(self, one: Installed) -> None:
        """Something else than a file of its own installs a chart; said before anything is rendered."""
        self._installed.append(one)

    def documents_of(self, file: SourceFile) -> list[Any] | None:
        """The objects that a template comes to, each part with the template's line; None for what is no template."""
        root = self._root(file.path)
        charts = self._charts(root) if root is not None else []
        if not charts:
            return None
        return self._documents(file, *charts[0], note=True)

    def _documents(self, file: SourceFile, release: Release, chart: Chart, *, note: bool) -> list[Any]:
        if file.path.endswith(_PACKED):
            packed = file.path in self._packed
            return self._of_packed(file, release, chart, note=note) if packed else []
        if note:
            self._reading.read.add(file.path)
        if file.path in chart.failed:
            if note:
                self._reading.read.discard(file.path)
            self._reading.skip(file.path, f"a template of Helm that cannot be rendered: {chart.failed[file.path]}")
        rendered = chart.rendered.get(file.path)
        if rendered is None:
            return []
        try:
            return _objects(rendered.text, rendered.lines, release)
        except InputError as error:
            if note:
                self._reading.read.discard(file.path)
            self._reading.skip(file.path, f"what the template comes to is no YAML: {error.message}")
            return []

    def _of_packed(self, file: SourceFile, release: Release, chart: Chart, *, note: bool) -> list[Any]:
        """The objects of a packed chart: all are said to be of its first line, since it has none."""
        found: list[Any] = []
        if note:
            self._reading.read.add(file.path)
        for path in self._packed[file.path]:
            if path in chart.failed:
                self._reading.skip(file.path, f"{path} in it cannot be rendered: {chart.failed[path]}")
            elif path in chart.rendered:
                try:
                    found += _objects(chart.rendered[path].text, (), release)
                except InputError as error:
                    self._reading.skip(file.path, f"what {path} in it comes to is no YAML: {error.message}")
        return found

    def installed(self) -> Iterator[tuple[str, list[tuple[SourceFile, Any]]]]:
        """Of charts with several releases what each comes to, by what tells the releases from each other."""
        for root in self._roots:
            charts = self._charts(root)
            for release, chart in charts if len(charts) > 1 else ():
                if not release.inflated[0]:
                    yield release.label, self._all(root, release, chart)

    def inflated(self, root: str, path: str, line: int) -> list[tuple[SourceFile, Any]] | None:
        """What a chart comes to as the kustomization at a path renders it by a line; None where it is not here."""
        for release, chart in self._charts(root) if root in self._roots else ():
            if release.inflated == (path, line):
                return self._all(root, release, chart)
        return None

    def _all(self, root: str, release: Release, chart: Chart) -> list[tuple[SourceFile, Any]]:
        own = (file for path, file in self._files.items() if self._root(path) == root)
        return [(file, one) for file in own for one in self._documents(file, release, chart, note=False)]

    def several(self, path: str) -> bool:
        """Whether a path is a template of a chart with several releases."""
        root = self._root(path)
        return root is not None and len(self._charts(root)) > 1

    def has(self, path: str) -> bool:
        """Whether a path is a template of a chart that could be read."""
        root = self._root(path)
        return root is not None and bool(self._charts(root))

    def _root(self, path: str) -> str | None:
        if path.endswith(_PACKED):
            return next((one for one in self._roots if path.startswith(f"{one}charts/")), None)
        if "templates/" not in path:
            return None
        return next((one for one in self._roots if path.startswith(one) and _is_template(path, one)), None)

    def _charts(self, root: str) -> list[tuple[Release, Chart]]:
        if root not in self._known:
            self._known[root] = []
            self._known[root] = self._rendered(root)
        return self._known[root]

    def _rendered(self, root: str) -> list[tuple[Release, Chart]]:
        from assaymark.formats.helm.chart import render_chart

        texts = {}
        beside = b"file://" in self._files[f"{root}Chart.yaml"].data  # it depends on charts of the repository
        for path, file in self._files.items():
            if beside or path.startswith(root):
                try:
                    texts[path] = file.text()
                except InputError:
                    continue  # no template is binary
        self._unpack(root, texts)
        releases, said = self._releases.of(root)
        found: list[tuple[Release, Chart]] = []
        for release in releases:
            try:
                chart = render_chart(texts, root, release.values, release.name, release.namespace)
            except InputError as error:
                self._reading.skip(f"{root}Chart.yaml", f"a chart of Helm that cannot be read: {error.message}")
                continue
            found.append((release, chart))
            for path, reason in chart.failed.items():
                if path.endswith("Chart.yaml"):
                    self._reading.skip(path, reason)
        if found and not said:
            name, others = found[0][1].name, [release.label for release, _ in found[1:]]
            also = f", and with each of {', '.join(others)} above it" if others else ""
            self._reading.gap(
                f"the chart {name} is read with its own values.yaml{also}, as release {name} in namespace default"
            )
        return found

    def _unpack(self, root: str, texts: dict[str, str]) -> None:
        """Adds what packed charts hold, where it would lie if they were unpacked."""
        for path, file in self._files.items():
            if not (path.startswith(f"{root}charts/") and path.endswith(_PACKED)):
                continue
            from assaymark.formats.helm.packed import is_packed, unpacked

            if not is_packed(path):
                continue
            folder = path.rpartition("/")[0]
            try:
                inner = {f"{folder}/{name}": text for name, text in unpacked(file.data).items()}
            except InputError as error:
                self._reading.skip(path, f"a packed chart of Helm that cannot be read: {error.message}")
                continue
            new = {name: text for name, text in inner.items() if name not in texts}
            texts.update(new)
            self._packed[path] = sorted(new)


def _objects(text: str, lines: Sequence[int], release: Release) -> list[Any]:
    """The objects of a text, in the namespace that they are installed into where they name none.

    Raises:
        InputError: it is no YAML.
    """
    from assaymark.formats.located_yaml import read_located_yaml

    found = [_relined(one, lines) for one in read_located_yaml(text) if one is not None and not _is_test(one)]
    for one in found if release.namespace else ():
        metadata = one.get("metadata") if isinstance(one, Map) else None
        if isinstance(metadata, Map) and not metadata.get("namespace"):
            metadata.put("namespace", release.namespace, metadata.line)
    return found


def _is_chart(path: str) -> bool:
    return path == "Chart.yaml" or path.endswith("/Chart.yaml")


def _is_template(path: str, root: str) -> bool:
    folders = path.removeprefix(root).split("/")[:-1]
    return "templates" in folders and (folders[0] == "templates" or folders[0] == "charts")


def _is_test(value: Any) -> bool:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    notes = metadata.get("annotations") if isinstance(metadata, dict) else None
    return isinstance(notes, dict) and str(notes.get("helm.sh/hook", "")).startswith("test")


def _relined(value: Any, lines: Sequence[int]) -> Any:
    """The same with the lines of the template."""

    def line(number: int) -> int:
        return lines[number - 1] if 0 < number <= len(lines) else number if lines else 1

    if isinstance(value, Map):
        found = Map(line(value.line), value.path)
        for key, item in value.items():
            found.put(key, _relined(item, lines), line(value.at(key)))
        return found
    if isinstance(value, Seq):
        sequence = Seq(line(value.line), value.path)
        for index, item in enumerate(value):
            sequence.put(_relined(item, lines), line(value.at(index)))
        return sequence
    return value
