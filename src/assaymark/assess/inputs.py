"""``Inputs``: the files of an architecture and the documents in them, each parsed once, whoever asks."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from assaymark.assess.backups import BACKUP, older_states
from assaymark.assess.charts import Charts
from assaymark.assess.files import Reading, SourceFile, by_path, is_fetched
from assaymark.core.errors import InputError
from assaymark.formats.located import Map, read_json, without_comments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Made = TypeVar("_Made")
_JSON: Final = (".json", ".template", ".tfstate")
_YAML: Final = (".yaml", ".yml")
# What some collector could know a file by, in its path or its bytes. What cannot be read and has none of these is of
# no platform: nothing is lost by it.
_PLATFORM: Final = re.compile(
    r"apiversion|kind|metadata|spec\b|resources|template|manifest|values|format_version|planned|tfstate|terraform"
    r"|aws|arn|statement|polic|role|principal|bucket|grant|user|group|account|subscription|azure|microsoft|google|gcp"
    r"|\bgke|\beks|k8s|kube|helm|chart|kustom|deploy|infra|iam|secret|token|password|credential|key\w*\"?\s*:"
    r"|services|compose|jobs|stages|steps|script|runs|\bci\b|workflow|pipeline|implementation|container|image"
    r"|clients|handlers|dependencies|records|\{\{",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Document:
    """One value of a JSON or YAML file. ``value`` is mostly a ``Map``, whose parts know their lines."""

    file: SourceFile
    value: Any

    @property
    def line(self) -> int:
        """Where the document begins."""
        return int(getattr(self.value, "line", 1))


class Inputs:
    """What collectors read. ``reading`` gathers what was understood and what was not; ``charts`` are Helm's.

    ``packed``: archives with the paths of what is in them. ``same``: those of packed files that are another one of
    the input, with that one's path; they are read there alone.
    """

    def __init__(self, files: Iterable[SourceFile]) -> None:
        every = by_path(files)
        own = [file for file in every if not is_fetched(file.path)]
        self.fetched = [file for file in every if is_fetched(file.path)]  # modules that others wrote
        self.files, self.same = _apart(own)
        self.packed: defaultdict[str, list[str]] = defaultdict(list)
        for file in own:
            if file.archive:
                self.packed[file.archive].append(file.path)
        self.reading = Reading()
        self.quoted: set[str] = set()  # files whose text a template puts where it belongs
        self._documents: dict[str, list[Document]] = {}
        self._by_path = {file.path: file for file in (*self.files, *self.fetched)}
        self._older = older_states(self.files, self.reading)
        self.charts = Charts(self.files, self.reading, lambda file: [one.value for one in self.documents_of(file)])
        self._made: dict[Callable[[Inputs], Any], Any] = {}

    def file(self, path: str) -> SourceFile | None:
        """The file of this path; of a packed one, the one that it is the same as."""
        return self._by_path.get(self.same.get(path, path))

    def once(self, make: Callable[[Inputs], _Made]) -> _Made:
        """What a function makes of the files: made when it is first asked for, and kept."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast("_Made", self._made[make])

    def named(self, *endings: str) -> Iterator[SourceFile]:
        """Files whose path ends so, lower case or not."""
        return (file for file in self.files if file.path.lower().endswith(endings))

    def documents(self) -> Iterator[Document]:
        """All documents of all JSON and YAML files."""
        for file in self.files:
            yield from self.documents_of(file)

    def maps(self) -> Iterator[tuple[SourceFile, Map]]:
        """The documents that are mappings, which all that platforms export or take are, but lists of such."""
        return _maps_of(self.documents())

    def maps_of(self, *endings: str) -> Iterator[tuple[SourceFile, Map]]:
        """Those of files whose path ends so, lower case or not."""
        return _maps_of(one for file in self.named(*endings) for one in self.documents_of(file))

    def documents_of(self, file: SourceFile) -> list[Document]:
        """The documents of one file; none when it is of another format, or cannot be parsed, which is noted."""
        if file.path not in self._documents:
            self._documents[file.path] = self._parse(file)
        return self._documents[file.path]

    def _parse(self, file: SourceFile) -> list[Document]:
        name = BACKUP.sub(r"\1", file.path).lower()
        if file.path in self._older:
            return []
        rendered = self.charts.documents_of(file)
        if rendered is not None:
            return [Document(file, value) for value in rendered]
        try:
            if name.endswith(_JSON):
                return [Document(file, _json(file.text()))]
            if name.endswith(_YAML):
                from assaymark.formats.located_yaml import read_located_yaml

                values = read_located_yaml(file.text())
                return [Document(file, value) for value in values if value is not None]
        except InputError as error:
            if _of_platform(file):
                place = f" ({error.position})" if error.position else ""
                self.reading.skip(file.path, f"{error.message}{place}")
        return []


def _maps_of(documents: Iterable[Document]) -> Iterator[tuple[SourceFile, Map]]:
    for document in documents:
        if isinstance(document.value, Map):
            yield document.file, document.value
        elif isinstance(document.value, list):
            yield from ((document.file, item) for item in document.value if isinstance(item, Map))


def _apart(files: list[SourceFile]) -> tuple[list[SourceFile], dict[str, str]]:
    """The files without those packed ones that have the content and the name of another one."""
    if not any(file.archive for file in files):
        return files, {}
    known: dict[tuple[str, str], str] = {}
    kept, same = [], {}
    for file in sorted(files, key=lambda one: (bool(one.archive), one.path)):
        mark = (file.digest, file.path.rpartition("/")[2])
        if file.archive and file.data.strip() and mark in known:
            same[file.path] = known[mark]
        else:
            known.setdefault(mark, file.path)
            kept.append(file)
    return by_path(kept), same


def _json(text: str) -> Any:
    """A JSON text, also one with comments and trailing commas: editors' and compilers' settings have them."""
    try:
        return read_json(text)
    except InputError as error:
        plain = without_comments(text) if error.code == "json-syntax" else text
        if plain == text:
            raise
        try:
            return read_json(plain)
        except InputError:
            raise error from None


def _of_platform(file: SourceFile) -> bool:
    """Whether a file that cannot be read may be one that a collector knows. Exports may be UTF-16."""
    text = file.data.replace(b"\0", b"").decode("utf-8", "replace")
    return bool(_PLATFORM.search(file.path) or _PLATFORM.search(text))
