"""``locks_of``: the lock files of the input, each as the packages that it names with their digests.

Sources: PEP 751 (``pylock.toml``), and the formats that uv, Poetry, Pipenv and pip-compile write. A lock is *closed*:
what its packages need is in it too. Which of them need which, only uv's and Poetry's say.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.errors import InputError
from assaymark.formats.requirements_file import normal_name, parse_requirement, read_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

_PYLOCK: Final = re.compile(r"pylock(?:\.[\w-]+)?\.toml")
_SHA256: Final = re.compile(r"sha256:([0-9a-f]{64})")
_ORDER: Final = ("uv.lock", "pylock.toml", "poetry.lock", "pipfile.lock")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_HASHED: Final = re.compile(r"--hash[=\s]\s*(sha256:[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Need:
    """A package that another one needs, with which extras, when the marker holds."""

    name: str
    extras: frozenset[str] = frozenset()
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Locked:
    """A package at its version. ``needs`` has what it needs under ``""``, and what each extra of it adds."""

    name: str
    version: str
    hashes: tuple[str, ...]
    origin: str = ""
    needs: dict[str, tuple[Need, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file. ``packages`` are those that it has in one version only; ``others`` are its other names.

    ``graph``: whether it says what needs what. ``commits``: repository, as ``repository_of`` has it, and the branch
    or tag that is asked for (empty without) to the commit that it was then.
    """

    path: str
    packages: dict[str, Locked]
    others: frozenset[str]
    graph: bool
    commits: dict[tuple[str, str], str] = field(default_factory=dict)


def locks_of(inputs: Inputs) -> dict[str, list[Lock]]:
    """Folder to the locks in it, those first that say most. Asked for by ``inputs.once``."""
    found: dict[str, list[Lock]] = {}
    for file in inputs.files:
        folder, _, name = file.path.rpartition("/")
        lock = _read(file, name.lower())
        if lock is not None and (lock.packages or lock.commits):
            found.setdefault(folder, []).append(lock)
    for some in found.values():
        some.sort(key=lambda one: (_rank(one.path), one.path))
    return found


def locks_for(path: str, locks: dict[str, list[Lock]]) -> Iterator[Lock]:
    """The locks beside a file and above it, the nearest first."""
    parts = path.split("/")[:-1]
    for count in range(len(parts), -1, -1):
        yield from (one for one in locks.get("/".join(parts[:count]), ()) if one.path != path)


def _rank(path: str) -> int:
    name = path.rpartition("/")[2].lower()
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def _read(file: SourceFile, name: str) -> Lock | None:
    try:
        if name == "uv.lock":
            value = _toml(file)
            return replace(_lock(file, _uv(value), graph=True), commits=dict(_uv_commits(value)))
        if name == "poetry.lock":
            value = _toml(file)
            return replace(_lock(file, _poetry(value), graph=True), commits=dict(_poetry_commits(value)))
        if _PYLOCK.fullmatch(name):
            return _lock(file, _pylock(_toml(file)), graph=False)
        if name == "pipfile.lock":
            return _lock(file, _pipenv(_table(json.loads(file.text()), "default")), graph=False)
        if name.endswith(".txt") and b"--hash" in file.data:
            return _lock(file, _hashed(file), graph=False)
    except (
        InputError,
        ValueError,
        RecursionError,
    ):  # what no reader understands pins nothing; that is said elsewhere
        return None
    return None


def _lock(file: SourceFile, packages: Iterable[Locked], *, graph: bool) -> Lock:
    found: dict[str, Locked] = {}
    others: set[str] = set()
    for one in packages:
        if one.name in found or not (one.version and one.hashes) or "+" in one.version:
            others.add(one.name)
        else:
            found[one.name] = one
    for name in others:
        found.pop(name, None)
    return Lock(file.path, found, frozenset(others), graph)


def _toml(file: SourceFile) -> dict[str, Any]:
    return tomllib.loads(file.text())


def _uv(value: dict[str, Any]) -> Iterator[Locked]:
    for one in _maps(value.get("package")):
        source = _table(one, "source")
        origin = source.get("registry")
        if not isinstance(origin, str):
            continue  # the project itself, a folder or a repository
        files = [*_maps(one.get("wheels")), _table(one, "sdist")]
        needs = {"": _uv_needs(one.get("dependencies"))}
        for extra, some in _table(one, "optional-dependencies").items():
            needs[normal_name(extra)] = _uv_needs(some)
        hashes = _digests(item.get("hash") for item in files if item)
        yield Locked(normal_name(_text(one, "name")), _text(one, "version"), hashes, origin, needs)


def _uv_needs(value: Any) -> tuple[Need, ...]:
    return tuple(
        Need(
            normal_name(_text(one, "name")),
            frozenset(normal_name(str(name)) for name in one.get("extra", ()) if isinstance(one["extra"], list)),
            _text(one, "marker"),
        )
        for one in _maps(value)
    )


def _uv_commits(value: dict[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    for one in _maps(value.get("package")):
        address, _, commit = _text(_table(one, "source"), "git").partition("#")
        url, _, query = address.partition("?")
        asked = dict(part.partition("=")[::2] for part in query.split("&") if part)
        if _COMMIT.fullmatch(commit) and asked.keys() <= {"rev", "branch", "tag"} and len(asked) <= 1:
            yield (repository_of(url), next(iter(asked.values()), "")), commit


def _poetry_commits(value: dict[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    for one in _maps(value.get("package")):
        source = _table(one, "source")
        commit, asked = _text(source, "resolved_reference"), _text(source, "reference")
        if source.get("type") == "git" and _COMMIT.fullmatch(commit) and "subdirectory" not in source:
            yield (repository_of(_text(source, "url")), "" if asked == "HEAD" else asked), commit


def repository_of(url: str) -> str:
    """An address of a repository without what may be written differently: scheme, credentials, ``.git``."""
    return re.sub(r"^[a-z+]+://", "", url).rpartition("@")[2].rstrip("/").removesuffix(".git").lower()


def _poetry(value: dict[str, Any]) -> Iterator[Locked]:
    old = _table(_table(value, "metadata"), "files")
    for one in _maps(value.get("package")):
        source = _table(one, "source")
        if source and source.get("type") != "legacy":
            continue
        name = _text(one, "name")
        files = _maps(one.get("files")) or _maps(old.get(name))
        hashes = _digests(item.get("hash") for item in files)
        yield Locked(normal_name(name), _text(one, "version"), hashes, _text(source, "url"), _poetry_needs(one))


def _poetry_needs(one: dict[str, Any]) -> dict[str, tuple[Need, ...]]:
    plain: list[Need] = []
    optional: dict[str, list[Need]] = {}
    for name, wanted in _table(one, "dependencies").items():
        for how in wanted if isinstance(wanted, list) else [wanted]:
            given = how if isinstance(how, dict) else {}
            extras = frozenset(normal_name(str(extra)) for extra in given.get("extras", ()))
            need = Need(normal_name(name), extras, _text(given, "markers"))
            if given.get("optional"):
                optional.setdefault(need.name, []).append(need)
            else:
                plain.append(need)
    found = {"": tuple(plain)}
    for extra, texts in _table(one, "extras").items():
        names = [re.split(r"[^\w.-]", str(text), maxsplit=1)[0] for text in texts]
        found[normal_name(extra)] = tuple(
            Need(need.name, need.extras, _chosen(need.marker))
            for name in names
            for need in optional.get(normal_name(name), ())
        )
    return found


def _chosen(marker: str) -> str:
    """The marker of what an extra adds, without that extra, which is chosen; as it is where that is not all of it."""
    if " or " in marker or "(" in marker:
        return marker
    return " and ".join(one for one in re.split(r"\s+and\s+", marker) if not one.startswith("extra =="))


def _pylock(value: dict[str, Any]) -> Iterator[Locked]:
    for one in _maps(value.get("packages")):
        if any(key in one for key in ("vcs", "directory", "archive")):
            continue
        files = [*_maps(one.get("wheels")), _table(one, "sdist")]
        hashes = _digests(f"sha256:{_text(_table(item, 'hashes'), 'sha256')}" for item in files if item)
        # A package that is for some environments only must not be installed in all.
        version = "" if one.get("marker") else _text(one, "version")
        yield Locked(normal_name(_text(one, "name")), version, hashes, _text(one, "index"))


def _pipenv(value: dict[str, Any]) -> Iterator[Locked]:
    for name, one in value.items():
        if isinstance(one, dict) and not one.get("editable"):
            version = _text(one, "version").removeprefix("==")
            given = one.get("hashes")
            hashes = _digests(given if isinstance(given, list) else ())
            yield Locked(normal_name(name), version, hashes, _text(one, "index"))


def _hashed(file: SourceFile) -> Iterator[Locked]:
    lines = read_requirements(file.text())
    given = [one for one in lines if one.name or one.url]
    if any(not one.hashes or one.url or not one.exact for one in given):
        return  # not closed: pip would refuse it
    text = re.sub(r"\\\r?\n", " ", re.sub(r"(?m)(?:^|\s)#.*$", "", file.text()))
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("-"):
            one = parse_requirement(line.strip())
            hashes = _digests(_HASHED.findall(line))
            yield Locked(one.name, "" if ";" in line.split("--hash")[0] else one.exact, hashes)


def _digests(values: Iterable[Any]) -> tuple[str, ...]:
    found = {f"sha256:{match[1]}" for value in values if (match := _SHA256.fullmatch(str(value)))}
    return tuple(sorted(found))


def _maps(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _table(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
