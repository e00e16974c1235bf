"""Patches of scripts in workflows: texts of others come in by a variable, which the shell does not read as commands.

A script is changed only where it is known how the shell reads the place of the expression: in ``sh`` or ``bash``, as
a plain line or a block of YAML, without here-documents and backquotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from assaymark.assess.patch import Patch, Place
from assaymark.assess.patches.pipelines import Step, steps_of
from assaymark.assess.source.workflows import OTHERS_INPUT, OTHERS_TEXT
from assaymark.formats.located import Map

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXPRESSION: Final = re.compile(r"\$\{\{[^}]*\}\}")
_UNCLEAR: Final = re.compile(r"<<(?!<)|`|(?:^|\s)case\s|\$'|\$\(\(|(?:^|[\s;])eval\s")
# What takes a text for a program: in a variable it is still one.
_PROGRAM: Final = re.compile(
    r"(?:^|[\s;&|(/])(?:(?:ba|da|z|k|a)?sh|python[\d.]*|node|deno|bun|perl|ruby|php|pwsh|powershell|su)\s(?:[^\n]*\s)?"
    r"(?:-\w*[ceE]|--eval|--command|-Command)\b|(?:^|[\s;&|(/])(?:ssh|psql|mysql|sqlite3|g?awk|sed|jq|yq|xargs|envsubst)\s"
)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH: Final = re.compile(r"\b(?:github\.(?:event\.)?|(?=inputs\.))([\w.-]+)")
# What is several words on purpose; quoted it would be one.
_WORDS: Final = re.compile(
    r"(?:args|arguments|flags|opts|options|params|parameters|command|cmd|list|[^s]s)$", re.IGNORECASE
)
_RESERVED: Final = re.compile(r"(?:GITHUB|RUNNER|ACTIONS)_|(?:PATH|HOME|SHELL|USER|CI|ENV|BASH_ENV|IFS|PWD|LD_\w+)$")


def moved(place: Place) -> Iterator[Patch]:
    """The script of each step that the finding names, with what others write in variables."""
    lines = set(place.at_lines)
    for one in steps_of(place):
        run = one.step.get("run")
        if not isinstance(run, str) or not _EXPRESSION.search(run):
            continue
        start = one.step.at("run")
        if lines & set(range(start, start + run.count("\n") + 2)) and _posix(one):
            yield from _changed(place, one.step, run)


def _posix(one: Step) -> bool:
    """Whether the step's shell is one that reads ``"${NAME}"``."""
    shells = [one.step.get("shell")]
    for holder in (one.job, one.whole):
        defaults = holder.get("defaults")
        run = defaults.get("run") if isinstance(defaults, Map) else None
        shells.append(run.get("shell") if isinstance(run, Map) else None)
    said = next((shell for shell in shells if shell is not None), None)
    if said is not None:
        return str(said).split(" ")[0] in ("bash", "sh")
    runner = str(one.job.get("runs-on", "")).lower()
    return bool(re.search(r"ubuntu|macos|linux", runner)) and "windows" not in runner and "${{" not in runner


def _changed(place: Place, step: Map, run: str) -> Iterator[Patch]:
    start = step.at("run")
    head = place.at(start)
    match = re.fullmatch(r"(?P<before>\s*(?:-\s+)?)run:\s+(?P<value>\S.*?)\s*", head)
    if match is None or _UNCLEAR.search(run) or _PROGRAM.search(run):
        return
    given = step.get("env")
    known = {str(value): key for key, value in given.items()} if isinstance(given, Map) else {}
    names: dict[str, str] = {}
    script = _quoted(run, names, known, {*known.values()})
    if script is None or not names.keys() - known.keys():
        return
    column = len(match["before"])
    lines = _written(place, match["value"], start, run, script)
    if lines is None:
        return
    added = tuple(f"{name}: {text}" for text, name in names.items() if text not in known)
    title = "hand what others write over as variables, which the shell does not read as commands"
    blank = " " * column
    if isinstance(given, Map):
        first = min(given.lines.values(), default=0)
        if first <= step.at("env"):
            return
        indent = re.match(r" *", place.at(first))
        inserted = tuple(f"{indent[0] if indent else ''}{one}" for one in added)
        yield Patch(title, place.path, first, 0, inserted, safe=False)
        yield Patch(
            title, place.path, start, len(lines), (f"{match['before']}run: {lines[0]}", *lines[1:]), safe=False
        )
    elif "env" not in step:
        variables = (f"{match['before']}env:", *(f"{blank}  {one}" for one in added))
        whole = (*variables, f"{blank}run: {lines[0]}", *lines[1:])
        yield Patch(title, place.path, start, len(lines), whole, safe=False)


def _written(place: Place, value: str, start: int, run: str, script: str) -> list[str] | None:
    """The lines of the new script as the old ones stand in the file, the first without its key."""
    if value == run:
        return [script] if "\n" not in run and not script.startswith(('"', "'")) and " #" not in script else None
    if not re.fullmatch(r"\|[-+]?", value):
        return None
    old, new = run.removesuffix("\n").split("\n"), script.removesuffix("\n").split("\n")
    texts = place.lines[start : start + len(old)]
    indent = min((len(text) - len(text.lstrip(" ")) for text in texts if text.strip()), default=0)
    if [text[indent:].rstrip("\r") for text in texts] != old or len(new) != len(old):
        return None
    return [value, *(f"{' ' * indent}{text}" if text else text for text in new)]


def _quoted(run: str, names: dict[str, str], known: dict[str, str], taken: set[str]) -> str | None:
    """The script with variables for expressions of others, quoted for where each stands; None where one cannot be.

    ``names`` gets expression to name.
    """
    found: list[str] = []
    contexts = [""]  # the quotes that the text is in, from the outside in; a command substitution begins anew
    at = 0
    while at < len(run):
        character = run[at]
        match = _EXPRESSION.match(run, at) if character == "$" else None
        inside = contexts[-1]
        if match is not None:
            text = match[0]
            at = match.end()
            if not (OTHERS_TEXT.search(text) or OTHERS_INPUT.search(text)):
                found.append(text)
                continue
            name = names.get(text) or known.get(text) or _name(text, taken | set(names.values()))
            bare = f"${{{name}}}"
            if not name or not _fits(run, match, text, inside, name):
                return None
            names[text] = name
            found.append({"": f'"{bare}"', '"': bare, "'": f"'\"{bare}\"'"}[inside])
            continue
        found.append(character)
        at += 1
        if character == "\\" and inside != "'" and at < len(run):
            found.append(run[at])
            at += 1
        elif character == "#" and not inside and (len(found) < 2 or found[-2][-1:] in " \t\n;"):  # noqa: PLR2004
            end = run.find("\n", at)
            end = len(run) if end < 0 else end
            if _EXPRESSION.search(run, at, end):
                return None
            found.append(run[at:end])
            at = end
        elif character in "\"'" and inside in ("", character):
            contexts[-1] = "" if inside else character
        elif character == "(" and not inside:
            contexts.append("")
        elif character == "$" and inside == '"' and run[at : at + 1] == "(":
            contexts.append("")
            found.append("(")
            at += 1
        elif character == ")" and not inside and len(contexts) > 1:
            contexts.pop()
    return "".join(found) if contexts == [""] else None


def _fits(run: str, match: re.Match[str], text: str, inside: str, name: str) -> bool:
    """Whether a variable there is what the text was: not a command's name, not several words, not spelled already."""
    line = run[run.rfind("\n", 0, match.start()) + 1 : match.start()]
    if re.search(rf"\$\{{?{name}\b|\b{name}=", run):
        return False
    if inside:
        return True
    first = re.fullmatch(r"\s*|.*(?:[;&|(!]|\b(?:then|do|else))\s*", line) is not None
    several = OTHERS_TEXT.search(text) is None and _WORDS.search(re.sub(r"\s*\}\}$", "", text))
    return not first and not several and not re.match(r"\s*for\s", line)


def _name(text: str, taken: set[str]) -> str:
    """A name for an expression: ``github.event.issue.title`` is ``ISSUE_TITLE``; empty where none is left."""
    match = _PATH.search(text)
    parts = re.split(r"\.", match[1])[-2:] if match else []
    name = re.sub(r"[^A-Z0-9]+", "_", "_".join(parts).upper()).strip("_").replace("INPUTS_", "INPUT_", 1)
    return name if _NAME.fullmatch(name) and name not in taken and not _RESERVED.match(name) else ""
