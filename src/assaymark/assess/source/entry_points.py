"""What a command starts by another file: shell scripts, files of processes, and commands that a package brings.

Sources: Python packaging user guide ("Entry points specification"), Poetry ("scripts"), Dockerfile reference
(``COPY``, ``WORKDIR``): a path in an image is that of the file of the build's context that was copied there.
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from typing import TYPE_CHECKING, Final

from assaymark.assess.source.process_files import started_by
from assaymark.core.errors import InputError
from assaymark.core.limits import SECRETS_MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assaymark.assess.estate.source import BuiltImage, Source
    from assaymark.assess.inputs import Inputs
    from assaymark.formats.dockerfile import Instruction

_SHELL: Final = re.compile(rb"#!\S*(?: |/)(?:ba|z|da|k)?sh\b")
_PATH: Final = re.compile(r"(?<![\w./:@$}-])(?:\.{0,2}/)?[\w.-]+(?:/[\w.-]+)*")
_NAME: Final = re.compile(
    r"(?:^|&&|\|\||[;|&\n])[ \t]*(?:exec\s+)?(?:(?:uv|poetry|pdm|hatch|pixi|rye)\s+run\s+(?:--?[\w-]+\s+)*)?([\w.-]+)"
)
_BRANCHES: Final = re.compile(r"(?m)(?:^|[;&|]\s*|\s)(?:case|elif|else)\b")
_ENTRY: Final = re.compile(r"([A-Za-z_][\w.]*):[A-Za-z_][\w.]*")
_MOST: Final = 20  # scripts that a command leads to, one by another


def collect(inputs: Inputs, source: Source) -> None:
    """Adds the texts of shell scripts and the commands of packages."""
    for file in inputs.files:
        shell = file.path.lower().endswith((".sh", ".bash")) or _SHELL.match(file.data) is not None
        if shell and len(file.data) <= SECRETS_MAX_BYTES:
            source.shell[file.path] = file.data.decode("utf-8", "replace")
    for file in inputs.named("pyproject.toml"):
        try:
            value = tomllib.loads(file.text())
        except (InputError, tomllib.TOMLDecodeError, RecursionError):
            continue  # which is said where requirements are read
        tool = value.get("tool")
        poetry = tool.get("poetry") if isinstance(tool, dict) else None
        for table in (value.get("project"), poetry):
            given = table.get("scripts") if isinstance(table, dict) else None
            for name, target in given.items() if isinstance(given, dict) else ():
                match = _ENTRY.match(target) if isinstance(target, str) else None
                if match:
                    source.commands[posixpath.dirname(file.path), name] = match[1]


def copied(instructions: Iterable[Instruction]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The folder in which the last stage's command runs, and where in it what of the context lies.

    Each of these is a path in the image with one of the context, empty for all of it.
    """
    stages: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    folder, found, name, count = "/", list[tuple[str, str]](), "", 0
    for one in instructions:
        if one.name == "FROM":
            if count:
                stages[name] = stages[str(count - 1)] = (folder, found)
            base, *alias = re.split(r"\s+as\s+", one.text.strip().lower(), maxsplit=1)
            name, count = (alias[0].strip() if alias else ""), count + 1
            folder, before = stages.get(base, ("/", []))
            found = list(before)
        elif one.name == "WORKDIR":
            folder = posixpath.normpath(posixpath.join(folder, one.text.strip().strip("\"'")))
        elif one.name in ("COPY", "ADD") and not one.here:
            words = re.findall(r'[^\s\[\]",]+', one.text)
            of = one.flag("from").lower()
            if len(words) > 1 and (not of or of in stages):
                for path in words[:-1]:
                    found += _put(path, words[-1], folder, stages[of][1] if of else None)
    return folder, tuple(found)


def _put(path: str, to: str, folder: str, stage: list[tuple[str, str]] | None) -> Iterator[tuple[str, str]]:
    target = posixpath.normpath(posixpath.join(folder, to))
    last = posixpath.basename(path.rstrip("/"))
    file = "." in last.strip(".") and not path.endswith("/")
    if "*" in path or "?" in path:
        path, file = posixpath.dirname(path) or ".", False
    elif file and (to.endswith("/") or to in (".", "..") or "." not in posixpath.basename(target)):
        target = posixpath.join(target, last)
    if stage is None:
        yield target, _own(path.lstrip("/"))
        return
    inner = posixpath.normpath(posixpath.join("/", path)).rstrip("/")
    for there, own in stage:
        base = there.rstrip("/")
        if f"{base}/".startswith(f"{inner}/"):
            yield posixpath.normpath(target + base[len(inner) :]), own
        elif f"{inner}/".startswith(f"{base}/"):
            yield target, _own(posixpath.join(own, inner[len(base) :].lstrip("/")))


def _own(path: str) -> str:
    """A path of the context, empty for all of it."""
    found = posixpath.normpath(path or ".")
    return "" if found == "." else found


def of_context(path: str, built: BuiltImage) -> str:
    """What a path in an image is in the context that it is built from; the path itself where nothing says."""
    whole = posixpath.normpath(posixpath.join(built.workdir, path))
    for there, own in reversed(built.copies):
        if whole == there or whole.startswith(there.rstrip("/") + "/"):
            return posixpath.join(own, whole[len(there.rstrip("/")) :].lstrip("/")).rstrip("/")
    return path


def opened(command: str, built: BuiltImage, source: Source, folders: list[str]) -> tuple[str, str]:
    """A command with what the scripts and the commands of packages do that it starts, and what that hangs on.

    Paths are those of the context. A script that has branches may start something else: it is named then.
    """
    found, seen, branches = [placed(command, built)], set[str](), ""
    for text in found:
        if len(found) > _MOST:
            break
        for path in _scripts(text, built, source, folders):
            if path not in seen:
                seen.add(path)
                found.append(placed(source.shell[path], built))
                branches = branches or (path if _BRANCHES.search(source.shell[path]) else "")
        for path, commands in started_by(text, built, source, folders):
            if path not in seen:
                seen.add(path)
                found.append(placed(commands, built))
        for match in _NAME.finditer(text):
            for folder in folders:
                module = source.commands.get((folder, match[1]))
                if module is not None and module not in seen:
                    seen.add(module)
                    found.append(f"python -m {module}")
    return " ; ".join(found), branches


def placed(command: str, built: BuiltImage) -> str:
    """A command with the paths of the context in place of those of the image."""

    def moved(match: re.Match[str]) -> str:
        known = match[0].startswith("/") and match[0].endswith((".py", ".sh"))
        return of_context(match[0], built) if known else match[0]

    return _PATH.sub(moved, command)


def _scripts(text: str, built: BuiltImage, source: Source, folders: list[str]) -> Iterator[str]:
    """The scripts of the folders that a command names: at that path, or below it the nearest."""
    given = dict.fromkeys(match[0] for match in _PATH.finditer(text))
    known = {posixpath.basename(one) for one in source.shell}
    named = [one for one in given if posixpath.basename(one) in known]
    words = [of_context(one, built) if one.startswith("/") else one for one in named]
    for word in [one.removeprefix("./").lstrip("/") for one in words]:
        for folder in folders:
            inner = [one for one in source.shell if f"/{one}".endswith(f"/{word}") and _below(one, folder, source)]
            nearest = min((one.count("/") for one in inner), default=0)
            yield from (one for one in inner if one.count("/") == nearest)


def _below(path: str, folder: str, source: Source) -> bool:
    return not folder or path.startswith(f"{folder}/") or path in source.packed.get(folder, ())
