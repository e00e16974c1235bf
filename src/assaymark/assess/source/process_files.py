"""Files that say which programs a container starts: ``supervisord.conf`` and ``Procfile``.

Sources: Supervisor's documentation, "Configuration File" (``[program:x]``, ``[include]``, the places that it is
looked for); Foreman and Honcho, "Procfile" and ``start``; Debian's package, whose configuration includes ``conf.d``.
"""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

from assaymark.assess.estate.source import ProcessFile
from assaymark.assess.source.commands import command_remarks
from assaymark.assess.source.places import standing
from assaymark.assess.source.scripts import started_remarks
from assaymark.core.limits import SECRETS_MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assaymark.assess.estate.source import BuiltImage, Source
    from assaymark.assess.files import SourceFile
    from assaymark.assess.inputs import Inputs

_SUPERVISOR: Final = re.compile(rb"(?m)^\[(?:program|fcgi-program|eventlistener):")
_SECTION: Final = re.compile(r"\[([\w-]+)(?::([^\]]*))?\]")
_VALUE: Final = re.compile(r"(\w+)\s*[=:]\s*(.*)")
_COMMENT: Final = re.compile(r"\s;.*$")
_VARIABLE: Final = re.compile(r"%\(ENV_(\w+)\)s")
_PROCESS: Final = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")
_STARTS: Final = re.compile(r"(?<![\w./-])(?:/\S*/)?supervisord(?![\w.])([^;&|\n]*)")
_MANAGES: Final = re.compile(
    r"(?<![\w./-])(?:/\S*/)?(?:honcho|foreman|forego|goreman|hivemind|overmind)(?![\w.])([^;&|\n]*)"
)
_NAMED: Final = re.compile(r"(?:^|\s)(?:-c\s*|--configuration[= ]|-f\s*|--procfile[= ])(\S+)")
_PLACES: Final = ("/etc/supervisord.conf", "/etc/supervisor/supervisord.conf")
_INCLUDED: Final = ("/etc/supervisor/conf.d/*.conf", "/etc/supervisord.d/*.ini", "/etc/supervisor.d/*.ini")


def collect(inputs: Inputs, source: Source) -> None:
    """Adds them, and what is remarkable in their commands; those of a ``Procfile`` are looked at as scripts are."""
    for file in inputs.files:
        name = file.path.rpartition("/")[2]
        if len(file.data) > SECRETS_MAX_BYTES:
            continue
        if name.lower() == "procfile" or name.startswith("Procfile."):
            lines = (match for line in _text(file).split("\n") if (match := _PROCESS.fullmatch(line.rstrip())))
            source.processes[file.path] = ProcessFile("procfile", tuple((one[1], one[2]) for one in lines))
        elif name.endswith((".conf", ".ini")) and _SUPERVISOR.search(file.data):
            inputs.reading.read.add(file.path)
            commands, included = [], list[str]()
            for section, program, key, value, line in _entries(_text(file)):
                if section == "include" and key == "files":
                    included += value.split()
                elif program and key == "command":
                    command = _VARIABLE.sub(r"${\1}", value)
                    commands.append((program, command))
                    where = f"program {program} of {name}"
                    source.remarks += command_remarks(command, file.because(line), where)
                    if not standing(file.path):
                        source.remarks += started_remarks(command, file.because(line), where)
            source.processes[file.path] = ProcessFile("supervisor", tuple(commands), tuple(included))


def _text(file: SourceFile) -> str:
    return file.data.decode("utf-8", "replace").replace("\r\n", "\n")


def _entries(text: str) -> Iterator[tuple[str, str, str, str, int]]:
    """Section, its name, key, value and line; a value goes on in lines that begin with a blank."""
    section, program, found = "", "", None
    for number, line in enumerate(text.split("\n"), 1):
        said = _COMMENT.sub("", line).rstrip()
        if said.startswith((";", "#")) or not said:
            continue
        if said[0] in " \t" and found is not None:
            found = (*found[:3], f"{found[3]} {said.strip()}", found[4])
            continue
        if found is not None:
            yield found
            found = None
        head, entry = _SECTION.fullmatch(said), _VALUE.fullmatch(said)
        if head is not None:
            section, program = head[1], (head[2] or "").strip()
        elif entry is not None:
            found = (section, program, entry[1], entry[2].strip(), number)
    if found is not None:
        yield found


def started_by(text: str, built: BuiltImage, source: Source, folders: list[str]) -> Iterator[tuple[str, str]]:
    """The files by which a command of an image starts programs, each with the commands of these."""
    known = [
        (path, place, one)
        for path, one in source.processes.items()
        for place in _placed(path, built, folders, source)
    ]
    for match in _STARTS.finditer(text):
        named = [posixpath.normpath(posixpath.join(built.workdir, one)) for one in _NAMED.findall(match[1])]
        usual = [posixpath.join(built.workdir, one) for one in ("supervisord.conf", "etc/supervisord.conf")]
        own = [each for each in known if each[2].kind == "supervisor" and each[1] in (named or (*usual, *_PLACES))]
        patterns = [
            posixpath.normpath(posixpath.join(posixpath.dirname(place), pattern))
            for _, place, one in own
            for pattern in one.included
        ]
        patterns += _INCLUDED if not own else ()
        own += [each for each in known if any(fnmatch(each[1], pattern) for pattern in patterns) and each not in own]
        for path, _, one in own:
            yield path, "\n".join(command for _, command in one.commands)
    for match in _MANAGES.finditer(text):
        named = _NAMED.findall(match[1]) or ["Procfile"]
        wanted = {posixpath.normpath(posixpath.join(built.workdir, one)) for one in named}
        names = {word for word in match[1].split() if not word.startswith("-") and word not in named}
        for path, place, one in known:
            if one.kind == "procfile" and place in wanted:
                some = [command for name, command in one.commands if name in names]
                yield path, "\n".join(some or (command for _, command in one.commands))


def _placed(path: str, built: BuiltImage, folders: list[str], source: Source) -> Iterator[str]:
    """Where in an image a file of the build's context lies."""
    for folder in folders:
        if folder and not path.startswith(f"{folder}/") and path not in source.packed.get(folder, ()):
            continue
        inner = path.removeprefix(f"{folder}/") if folder else path
        for there, own in built.copies:
            if inner == own or not own or inner.startswith(f"{own}/"):
                yield posixpath.normpath(posixpath.join(there, inner[len(own) :].lstrip("/")))
