"""``Charts``: the Helm charts of an architecture; their templates are read as what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assaymark.assess.files import Reading, SourceFile
    from assaymark.formats.helm.chart import Chart

_PACKED: Final = (".tgz", ".tar.gz")


class Charts:
    """Those whose ``Chart.yaml`` lies in no other chart's ``charts``; each is rendered once, when it is asked for."""

    def __init__(self, files: Iterable[SourceFile], reading: Reading) -> None:
        self._files = {file.path: file for file in files}
        self._reading = reading
        roots = sorted(path.removesuffix("Chart.yaml") for path in self._files if _is_chart(path))
        self._roots = [root for root in roots if not any(root.startswith(f"{one}charts/") for one in roots)]
        self._known: dict[str, Chart | None] = {}
        self._packed: dict[str, list[str]] = {}  # packed charts, with the paths that their templates would have

    def documents_of(self, file: SourceFile) -> list[Any] | None:
        """The objects that a template comes to, each part with the template's line; None for what is no template."""
        root = self._root(file.path)
        chart = self._chart(root) if root is not None else None
        if chart is None:
            return None
        if file.path.endswith(_PACKED):
            return self._of_packed(file, chart) if file.path in self._packed else []
        self._reading.read.add(file.path)
        if file.path in chart.failed:
            self._reading.read.discard(file.path)
            self._reading.skip(file.path, f"a template of Helm that cannot be rendered: {chart.failed[file.path]}")
        rendered = chart.rendered.get(file.path)
        if rendered is None:
            return []
        from assaymark.formats.located_yaml import read_located_yaml

        try:
            values = read_located_yaml(rendered.text)
        except InputError as error:
            self._reading.read.discard(file.path)
            self._reading.skip(file.path, f"what the template comes to is no YAML: {error.message}")
            return []
        return [_relined(value, rendered.lines) for value in values if value is not None and not _is_test(value)]

    def _of_packed(self, file: SourceFile, chart: Chart) -> list[Any]:
        """The objects of a packed chart: all are said to be of its first line, since it has none."""
        from assaymark.formats.located_yaml import read_located_yaml

        found: list[Any] = []
        self._reading.read.add(file.path)
        for path in self._packed[file.path]:
            if path in chart.failed:
                self._reading.skip(file.path, f"{path} in it cannot be rendered: {chart.failed[path]}")
            elif path in chart.rendered:
                try:
                    values = read_located_yaml(chart.rendered[path].text)
                except InputError as error:
                    self._reading.skip(file.path, f"what {path} in it comes to is no YAML: {error.message}")
                    continue
                found += [_relined(value, ()) for value in values if value is not None and not _is_test(value)]
        return found

    def has(self, path: str) -> bool:
        """Whether a path is a template of a chart that could be read."""
        root = self._root(path)
        return root is not None and self._chart(root) is not None

    def _root(self, path: str) -> str | None:
        if path.endswith(_PACKED):
            return next((one for one in self._roots if path.startswith(f"{one}charts/")), None)
        if "templates/" not in path:
            return None
        return next((one for one in self._roots if path.startswith(one) and _is_template(path, one)), None)

    def _chart(self, root: str) -> Chart | None:
        if root not in self._known:
            self._known[root] = self._rendered(root)
        return self._known[root]

    def _rendered(self, root: str) -> Chart | None:
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
        try:
            chart = render_chart(texts, root)
        except InputError as error:
            self._reading.skip(f"{root}Chart.yaml", f"a chart of Helm that cannot be read: {error.message}")
            return None
        for path, reason in chart.failed.items():
            if path.endswith("Chart.yaml"):
                self._reading.skip(path, reason)
        self._reading.gap(
            f"the chart {chart.name} is read with its own values.yaml, as release {chart.name} in namespace default"
        )
        return chart

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
