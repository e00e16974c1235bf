"""``ReleaseValues``: the values that a chart is installed with: of files, of texts, and one by one."""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.core.limits import HELM_MAX_RELEASES
from assaymark.formats.helm.assign import assigned, parameter
from assaymark.formats.helm.values import as_read
from assaymark.formats.located import Map, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from assaymark.assess.files import Reading, SourceFile

# What a shell, a pipeline or a generator puts in when it runs.
VARIABLE: Final = re.compile(r"\$\{\{[^{}]*\}\}|\{\{[^{}]*\}\}|\$\{[^{}]*\}|\$\([^()]*\)|\$[A-Za-z_]\w*")
LONGEST: Final = 10_000  # characters of a command or path that is looked at
_ROOT: Final = re.compile(r"^\$[\w-]+/")  # Argo CD: "$values/prod.yaml" is of another source's root


class ReleaseValues:
    """Reads them. ``read`` gives the documents of a file; what cannot be read is noted in ``reading``."""

    def __init__(
        self, files: Mapping[str, SourceFile], reading: Reading, read: Callable[[SourceFile], list[Any]]
    ) -> None:
        self._files = files
        self._reading = reading
        self._read = read

    def of_file(self, path: str) -> dict[str, Any]:
        """The values of a file; none where it has no mapping."""
        value = next((one for one in self._read(self._files[path]) if isinstance(one, Map)), Map(1))
        found: dict[str, Any] = as_read(value)
        return found

    def of_files(self, file: SourceFile, base: str, names: Sequence[str], line: int) -> list[dict[str, Any]]:
        """The values of files that ``file`` names, the last above the others.

        A pattern stands for one of the files that it fits: there is an answer for each.
        """
        chosen: list[list[str]] = [[]]
        for name in names:
            found = self._matching(base, name)
            if found:
                chosen = [[*before, path] for before in chosen for path in found][:HELM_MAX_RELEASES]
            else:
                self._reading.skip(file.path, f"the values {name[:200]} of a chart are not in the input", line)
        return [above(*(self.of_file(path) for path in paths)) for paths in chosen]

    def layers(self, file: SourceFile, base: str, given: Map, paths: str) -> list[dict[str, Any]]:
        """What the list under a key comes to, whose entries are files and values themselves."""
        entries = listed(given.get(paths))
        line = given.at(paths) if paths in given else given.line
        inline = [one for one in entries if isinstance(one, Map)]
        named = [one for one in entries if isinstance(one, str)]
        return [above(values, *inline) for values in self.of_files(file, base, named, line)]

    def of_text(self, file: SourceFile, text: str, line: int) -> Any:
        """The values of a text in a file; None for none."""
        from assaymark.formats.located_yaml import read_located_yaml

        try:
            return next(iter(read_located_yaml(text)), None)
        except InputError as error:
            self._reading.skip(file.path, f"values of Helm that are no YAML: {error.message}", line)
            return None

    def with_parameters(self, file: SourceFile, values: dict[str, Any], given: Iterable[Map]) -> dict[str, Any]:
        """Values with others one by one, each a mapping with ``name`` and ``value``."""
        for one in given:
            name, value = one.get("name"), one.get("value")
            if isinstance(name, str) and isinstance(value, (str, int, float)) and "{{" not in str(value):
                text = str(value).lower() if isinstance(value, bool) else str(value)
                try:
                    values = parameter(values, name, text, strings=one.get("forceString") is True)
                except InputError as error:
                    self._unreadable(file, error, one.line)
        return values

    def with_assignments(
        self, file: SourceFile, values: dict[str, Any], given: Iterable[tuple[str, bool]], line: int
    ) -> dict[str, Any]:
        """Values with those of ``--set`` and ``--set-string``, which leaves them texts."""
        for text, strings in given:
            try:
                values = values if "*" in text else assigned(values, text, strings=strings)
            except InputError as error:
                self._unreadable(file, error, line)
        return values

    def _unreadable(self, file: SourceFile, error: InputError, line: int) -> None:
        self._reading.skip(file.path, f"a value of Helm that cannot be read: {error.message}", line)

    def _matching(self, base: str, name: str) -> list[str]:
        """The files that a name may be of: from ``base``, from the root, or below one folder or other."""
        if len(name) > LONGEST:
            return []
        plain = VARIABLE.sub("*", _ROOT.sub("/", name))
        inner = posixpath.normpath(plain.lstrip("/"))
        for path in (posixpath.normpath(posixpath.join(base, plain)), inner):
            found = sorted(one for one in self._files if fnmatchcase(one, path)) if "*" in path else [path]
            if found and found[0] in self._files:
                return found
        found = [one for one in self._files if fnmatchcase(f"/{one}", f"*/{inner.lstrip('./')}")]
        return sorted(found) if len(found) == 1 or "*" in plain else []


def above(*layers: Any) -> dict[str, Any]:
    """Values above one another, the last counts most. Nothing (null) stays: it takes away what the chart has."""
    found: dict[str, Any] = {}
    for layer in layers:
        for key, value in as_read(layer).items() if isinstance(layer, dict) else ():
            known = found.get(key)
            both = isinstance(known, dict) and isinstance(value, dict)
            found[key] = above(known, value) if both else value
    return found
