"""What environments install: requirements files, ``pyproject.toml``, lock files, Pipfiles, conda, ``setup.py``."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.estate.source import Remark, Requirement
from assaymark.assess.source.commands import index_remarks, moving
from assaymark.assess.source.places import for_development
from assaymark.assess.source.sequences import items
from assaymark.assess.source.setups import setup_remarks
from assaymark.core.errors import InputError
from assaymark.core.report import Confidence, Severity
from assaymark.formats.located import Map
from assaymark.formats.requirements_file import normal_name, parse_requirement, read_requirements

if TYPE_CHECKING:
    from assaymark.assess.estate.source import Source
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs
    from assaymark.formats.requirements_file import RequirementLine

_REQUIREMENTS: Final = re.compile(
    r"(?:^|/)(?:[\w.-]*requirements?[\w.-]*|constraints?[\w.-]*)\.(?:txt|in|pip)$|(?:^|/)requirements/[\w.-]+\.(?:txt|in)$",
    re.IGNORECASE,
)
_LOCKS: Final = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "pipfile.lock")
_FEW: Final = 8  # names that a message lists
_REPOSITORY: Final = re.compile(r"https?://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?(?:[/#].*)?$")


def collect(inputs: Inputs, source: Source) -> None:
    """Adds requirements and what is remarkable about them."""
    locked = {file.path.rpartition("/")[0] for file in inputs.named(*_LOCKS)}
    for file in inputs.files:
        name = file.path.rpartition("/")[2].lower()
        try:
            if _REQUIREMENTS.search(file.path):
                _requirements(file, source, inputs)
            elif (
                name in ("pyproject.toml", "pipfile")
                or (name.startswith("pylock.") and name.endswith(".toml"))
                or name in _LOCKS
            ):
                _toml(file, name, source, inputs, locked)
            elif name in ("pip.conf", "pip.ini", ".piprc"):
                _pip_conf(file, source, inputs)
            elif name == "setup.py":
                source.remarks += setup_remarks(file)
            elif name.endswith((".yml", ".yaml")):
                _conda(file, source, inputs)
        except InputError as error:
            inputs.reading.skip(file.path, f"{error.message}{f' ({error.position})' if error.position else ''}")


def _requirements(file: SourceFile, source: Source, inputs: Inputs) -> None:
    lines = read_requirements(file.text())
    inputs.reading.read.add(file.path)
    given = [one for one in lines if one.name or one.url]
    hashed = bool(given) and all(one.hashes or one.editable for one in given)
    hashed |= any(one.option == "--require-hashes" for one in lines)
    for one in lines:
        because = file.because(one.line)
        if one.option:
            source.remarks += index_remarks(one.option, one.value, because, "the requirements file", hashed=hashed)
        elif one.url and not one.hashes:
            source.remarks += [
                _mild(file, remark) for remark in moving(one.url, because, one.name or "a requirement")
            ]
        if one.name:
            source.requirements.append(Requirement(one.name, one.specifier, one.exact, because))
    if file.path.endswith(".in") or re.search(r"(?:^|/)constraints?", file.path):
        return  # what a lock is made from, and what is not installed by itself
    plain = [one for one in given if one.name and not one.url]
    _loose(file, source, [one for one in plain if not one.exact and not one.hashes])
    bare = [one for one in plain if not one.hashes]
    if bare and not hashed:
        message = f"{_list(bare)}: no digest says which file is meant, so an index may give another one"
        places = tuple(file.because(one.line) for one in bare)
        source.remarks.append(Remark("deps-unhashed", "requirements", message, places))


def _loose(file: SourceFile, source: Source, loose: list[RequirementLine]) -> None:
    if loose:
        message = f"{_list(loose)}: an installation takes whatever is newest"
        places = tuple(file.because(one.line) for one in loose)
        source.remarks.append(_mild(file, Remark("deps-unpinned", "requirements", message, places)))


def _mild(file: SourceFile, remark: Remark) -> Remark:
    if not for_development(file.path):
        return remark
    return Remark(remark.rule, remark.about, remark.message, remark.because, Severity.LOW, remark.confidence)


def _list(lines: list[RequirementLine]) -> str:
    names = [one.name for one in lines]
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return f"{', '.join(names[:_FEW])}{more}"


def _pip_conf(file: SourceFile, source: Source, inputs: Inputs) -> None:
    inputs.reading.read.add(file.path)
    key = ""
    for number, line in enumerate(file.text().splitlines(), 1):
        match = re.match(r"([a-z-]+)\s*[=:]\s*(.*)", line)
        if match:
            key = match[1]
        value = match[2] if match else line
        if line.strip().startswith(("#", ";")) or not key or not (match or line[:1].isspace()):
            continue
        for one in value.split():
            source.remarks += index_remarks(f"--{key}", one, file.because(number), "pip", hashed=False)


class _Lines:
    """Where a TOML file says something: ``tomllib`` keeps no lines."""

    def __init__(self, file: SourceFile, text: str) -> None:
        self._file = file
        self._lines = text.splitlines()

    def of(self, *words: str) -> int:
        """The first line that has all words, or 1."""
        for number, line in enumerate(self._lines, 1):
            if all(word in line for word in words) and not line.lstrip().startswith("#"):
                return number
        return 1


def _toml(file: SourceFile, name: str, source: Source, inputs: Inputs, locked: set[str]) -> None:
    text = file.text()
    if name == "pipfile.lock":
        inputs.reading.read.add(file.path)
        return
    try:
        value = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError("toml-syntax", f"no TOML: {error}") from None
    inputs.reading.read.add(file.path)
    lines = _Lines(file, text)
    folder = file.path.rpartition("/")[0]
    if name == "pyproject.toml":
        _pyproject(file, value, lines, source, _within(folder, locked))
    elif name == "pipfile":
        _pipfile(file, value, lines, source, _within(folder, locked))
    else:
        _lock(file, value, lines, source)


def _within(folder: str, locked: set[str]) -> bool:
    """Whether a lock file lies in the folder or above it, as that of a workspace does."""
    parts = folder.split("/") if folder else []
    return any("/".join(parts[:index]) in locked for index in range(len(parts) + 1))


def _pyproject(file: SourceFile, value: dict[str, Any], lines: _Lines, source: Source, locked: bool) -> None:
    project = _table(value, "project")
    tool = _table(value, "tool")
    poetry = _table(tool, "poetry")
    texts = [one for one in _array(project, "dependencies") if isinstance(one, str)]
    extras = [
        one for some in _table(project, "optional-dependencies").values() if isinstance(some, list) for one in some
    ]
    for address in _table(project, "urls").values():
        match = _REPOSITORY.match(address) if isinstance(address, str) else None
        if match:
            source.repositories.setdefault(match[1], file.because(lines.of(address)))
    found: list[RequirementLine] = []
    for text in [*texts, *(one for one in extras if isinstance(one, str))]:
        try:
            one = parse_requirement(text, lines.of(text[:60]))
        except InputError:
            continue
        source.requirements.append(Requirement(one.name, one.specifier, one.exact, file.because(one.line)))
        if one.url:
            source.remarks += moving(one.url, file.because(one.line), one.name)
        elif text in texts:
            found.append(one)
    for name, wanted in _table(poetry, "dependencies").items():
        if name.lower() != "python":
            _poetry(file, name, wanted, lines, source, found)
    elsewhere = _of_uv(file, _table(_table(tool, "uv"), "sources"), lines, source, locked)
    loose = [one for one in found if not one.exact and one.name not in elsewhere]
    if loose and not locked and not _library(value):
        places = tuple(file.because(one.line) for one in loose)
        message = f"{_list(loose)}: an installation takes whatever is newest, and no lock file is beside it"
        source.remarks.append(Remark("deps-unpinned", "project", message, places, None, Confidence.MEDIUM))
    _indexes(file, tool, poetry, lines, source)
    _backend(file, value, lines, source)


def _library(value: dict[str, Any]) -> bool:
    """A package that is published leaves versions open on purpose, for who installs it."""
    classifiers = _array(_table(value, "project"), "classifiers")
    return any(isinstance(one, str) and one.startswith("Development Status") for one in classifiers)


def _poetry(
    file: SourceFile, name: str, wanted: Any, lines: _Lines, source: Source, found: list[RequirementLine]
) -> None:
    from assaymark.formats.requirements_file import RequirementLine

    table = wanted if isinstance(wanted, dict) else {}
    version = wanted if isinstance(wanted, str) else table.get("version", "")
    line = lines.of(name, "=")
    address = table.get("git") or table.get("url")
    if isinstance(address, str):
        commit = table.get("rev")
        pinned = isinstance(commit, str) and re.fullmatch(r"[0-9a-f]{40}", commit)
        if not pinned:
            source.remarks += moving(f"git+{address}" if "git" in table else address, file.because(line), name)
        return
    exact = re.fullmatch(r"(?:==)?\d[\w.]*", version) if isinstance(version, str) else None
    specifier = f"=={version.removeprefix('==')}" if exact else str(version)
    one = RequirementLine(line, normal_name(name), specifier)
    source.requirements.append(Requirement(one.name, specifier, one.exact, file.because(line)))
    found.append(one)


def _of_uv(file: SourceFile, sources: dict[str, Any], lines: _Lines, source: Source, locked: bool) -> frozenset[str]:
    """What uv takes from elsewhere than an index, by name; without a lock a branch or tag decides what that is.

    Source: uv's documentation, "Dependency sources" (``git``, ``url``, ``path``, ``workspace``).
    """
    found = set()
    for name, some in sources.items():
        for one in some if isinstance(some, list) else [some]:
            if not isinstance(one, dict) or not {"git", "url", "path", "workspace"} & one.keys():
                continue
            found.add(normal_name(name))
            address = one.get("git") or one.get("url")
            pinned = isinstance(one.get("rev"), str) and re.fullmatch(r"[0-9a-f]{40}", one["rev"])
            if isinstance(address, str) and not pinned and not locked:
                line = lines.of(name, address)
                because = file.because(line if line > 1 else lines.of(address))
                source.remarks += moving(f"git+{address}" if "git" in one else address, because, name)
    return frozenset(found)


def _indexes(file: SourceFile, tool: dict[str, Any], poetry: dict[str, Any], lines: _Lines, source: Source) -> None:
    uv = _table(tool, "uv")
    pinned = {
        one.get("index")
        for some in _table(uv, "sources").values()
        for one in (some if isinstance(some, list) else [some])
        if isinstance(one, dict)
    }
    for one in _array(uv, "index"):
        url = one.get("url", "") if isinstance(one, dict) else ""
        if isinstance(url, str) and url.startswith("http://"):
            source.remarks += index_remarks("--index-url", url, file.because(lines.of(url)), "uv", hashed=False)
        del url
    if uv.get("index-strategy") in ("unsafe-best-match", "unsafe-first-match"):
        message = f"uv takes each package from any index that has it (index-strategy = {uv['index-strategy']})"
        source.remarks.append(Remark("deps-extra-index", "uv", message, (file.because(lines.of("index-strategy")),)))
    for url in _array(uv, "extra-index-url"):
        if isinstance(url, str) and not pinned and uv.get("index-strategy", "first-index") != "first-index":
            source.remarks += index_remarks("--extra-index-url", url, file.because(lines.of(url)), "uv", hashed=False)
    for one in _array(poetry, "source"):
        url, priority = (one.get("url", ""), one.get("priority", "primary")) if isinstance(one, dict) else ("", "")
        if isinstance(url, str) and url and (priority in ("supplemental", "secondary", "primary", "default")):
            because = file.because(lines.of(url))
            if url.startswith("http://"):
                source.remarks += index_remarks("--index-url", url, because, "Poetry", hashed=False)
            elif priority in ("supplemental", "secondary"):
                message = f"Poetry looks for packages in {url} too, so a name may be had from either"
                source.remarks.append(Remark("deps-extra-index", url, message, (because,), Severity.MEDIUM))


def _backend(file: SourceFile, value: dict[str, Any], lines: _Lines, source: Source) -> None:
    if "backend-path" in _table(value, "build-system"):
        message = "building the package runs a build backend of its own (backend-path)"
        because = (file.because(lines.of("backend-path")),)
        source.remarks.append(
            Remark("deps-install-code", "backend-path", message, because, Severity.LOW, Confidence.MEDIUM)
        )


def _pipfile(file: SourceFile, value: dict[str, Any], lines: _Lines, source: Source, locked: bool) -> None:
    found: list[RequirementLine] = []
    for name, wanted in _table(value, "packages").items():
        _poetry(file, name, wanted, lines, source, found)
    loose = [one for one in found if not one.exact]
    if loose and not locked:
        message = f"{_list(loose)}: an installation takes whatever is newest, and no lock file is beside it"
        places = tuple(file.because(one.line) for one in loose)
        source.remarks.append(Remark("deps-unpinned", "Pipfile", message, places))
    sources = [one for one in _array(value, "source") if isinstance(one, dict)]
    for number, one in enumerate(sources):
        url = str(one.get("url", ""))
        because = file.because(lines.of(url) if url else 1)
        if one.get("verify_ssl") is False or url.startswith("http://"):
            message = f"packages are taken from {url} without verifying its certificate"
            source.remarks.append(Remark("deps-insecure-index", url, message, (because,)))
        if number and not locked:
            message = f"Pipenv may take packages from {url} too"
            source.remarks.append(
                Remark("deps-extra-index", url, message, (because,), Severity.MEDIUM, Confidence.MEDIUM)
            )


def _lock(file: SourceFile, value: dict[str, Any], lines: _Lines, source: Source) -> None:
    """uv, Poetry, PDM and pylock (PEP 751) list packages with digests of their files."""
    bare: list[tuple[str, int]] = []
    old = {name: some for name, some in _table(_table(value, "metadata"), "files").items() if some}
    for one in [*_array(value, "package"), *_array(value, "packages")]:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            continue
        name, version = one["name"], str(one.get("version", ""))
        line = lines.of(f'name = "{name}"')
        source.requirements.append(Requirement(normal_name(name), f"=={version}", version, file.because(line)))
        origin = one.get("source", {})
        if isinstance(origin, dict) and {"editable", "virtual", "directory", "path", "git", "workspace"} & set(
            origin
        ):
            continue
        if (
            "vcs" in one
            or "directory" in one
            or (isinstance(origin, dict) and origin.get("type") in ("git", "directory", "file"))
        ):
            continue
        if not (_digests(one) or name in old):
            bare.append((name, line))
    if bare:
        names = ", ".join(name for name, _ in bare[:_FEW])
        places = tuple(file.because(line) for _, line in bare)
        source.remarks.append(
            Remark("deps-unhashed", "lock", f"{names}: the lock file has no digest of them", places)
        )


def _digests(one: dict[str, Any]) -> bool:
    text = str({key: one[key] for key in ("sdist", "wheels", "files", "archive") if key in one})
    return "sha256" in text or "hash" in text


def _conda(file: SourceFile, source: Source, inputs: Inputs) -> None:
    """``environment.yml`` of conda."""
    name = file.path.rpartition("/")[2].lower()
    if b"dependencies:" not in file.data or not re.search(r"env|conda", name):
        return
    for document in inputs.documents_of(file):
        value = document.value
        given = value.get("dependencies") if isinstance(value, Map) else None
        if not isinstance(given, list) or "apiVersion" in value:
            continue
        inputs.reading.read.add(file.path)
        loose: list[tuple[str, int]] = []
        for line, one in items(given, value.line):
            if isinstance(one, Map):
                _conda_pip(file, one, source, loose)
            elif isinstance(one, str):
                match = re.match(r"(?:[\w-]+::)?([\w.-]+)\s*(.*)", one)
                if match:
                    exact = re.fullmatch(r"==?\s*(\d[\w.]*)(?:=\S+)?", match[2])
                    source.requirements.append(
                        Requirement(normal_name(match[1]), match[2], exact[1] if exact else "", file.because(line))
                    )
                    if not exact:
                        loose.append((match[1], line))
        if loose:
            names = ", ".join(name for name, _ in loose[:_FEW])
            places = tuple(file.because(line) for _, line in loose)
            message = f"{names}: an environment takes whatever is newest"
            source.remarks.append(_mild(file, Remark("deps-unpinned", "environment", message, places)))


def _conda_pip(file: SourceFile, value: Map, source: Source, loose: list[tuple[str, int]]) -> None:
    for line, text in items(value.get("pip"), value.line):
        try:
            one = parse_requirement(str(text), line)
        except InputError:
            continue
        if one.option:
            source.remarks += index_remarks(
                one.option, one.value, file.because(line), "the environment", hashed=False
            )
        elif one.url:
            source.remarks += moving(one.url, file.because(line), one.name or "a requirement")
        else:
            source.requirements.append(Requirement(one.name, one.specifier, one.exact, file.because(line)))
            if not one.exact:
                loose.append((one.name, line))


def _table(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _array(value: dict[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    return found if isinstance(found, list) else []
