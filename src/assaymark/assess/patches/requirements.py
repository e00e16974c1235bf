"""Patches of requirements: the versions and digests that a lock file of the same folder, or of one above, has.

pip demands a digest of all that it installs as soon as one is given, so digests are written for a whole file or not
at all: only where the lock says what each of its packages needs, or where the file names all that the lock has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from assaymark.assess.patch import Patch, Place
from assaymark.assess.patches.tree import calls_at, spliced
from assaymark.assess.source.lock_closure import closure
from assaymark.assess.source.locks import locks_for, locks_of, repository_of
from assaymark.assess.source.modules import keyword, text_of
from assaymark.core.errors import InputError
from assaymark.formats.requirements_file import parse_requirement, read_requirements

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from assaymark.assess.inputs import Inputs
    from assaymark.assess.source.locks import Lock, Locked
    from assaymark.formats.requirements_file import RequirementLine

_LINE: Final = re.compile(r"(\s*)([A-Za-z0-9][\w.-]*)(\s*\[[^\]]*\])?([^;#]*?)(\s*;[^#]*?)?((?:\s+#.*)?)\s*")
_INCLUDES: Final = re.compile(rb"(?m)^[ \t]{0,20}(?:-r|-c|--requirement|--constraint)[ \t=]{0,9}([^\s#]{1,300})")
_RELEASE: Final = re.compile(r"\d+(?:\.\d+)*")
_CLAUSE: Final = re.compile(r"(~=|===?|!=|<=|>=|<|>)\s*v?([\w.*+!-]+)")
_GIT: Final = re.compile(
    r"\bgit\+(?P<url>(?:https?|ssh|git)://(?:[^/@\s\"']{1,200}@)?[^@#\s\"';&]{1,300})(?:@(?P<asked>[\w./-]{1,100}))?(?=[#\s\"';&]|$)"
)
_SHOWN: Final = 8  # words that a finding about a command names


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A line of a requirements file that names a package."""

    said: RequirementLine
    extras: frozenset[str]
    marker: str
    start: str
    comment: str


def of_requirements(place: Place) -> Iterator[Patch]:
    """What a requirements file leaves open, as its lock has it; commands that install have theirs beside them."""
    if place.finding.name == "requirements":
        yield from _of_file(place)
    elif place.finding.rule != "deps-unhashed" and place.finding.name.startswith("pip install "):
        yield from _of_command(place)


def of_component(place: Place) -> Iterator[Patch]:
    """The versions of what a step of a pipeline installs (``packages_to_install``)."""
    words = place.finding.name.split(" ")
    lock = _lock_with(place, words) if len(words) < _SHOWN else None
    if lock is None:
        return
    for call in calls_at(place):
        given = keyword(call, "packages_to_install")
        changes: list[tuple[ast.expr, str]] = [
            (one, f'"{_pinned(text_of(one), lock)}"')
            for one in getattr(given, "elts", ())
            if text_of(one) in words and "\n" not in text_of(one)
        ]
        if changes:
            yield spliced(place, changes, _title(lock, digests=False))
            return


def of_repositories(place: Place) -> Iterator[Patch]:
    """The commit of a repository that something is installed from, where a lock has the same branch or tag at one."""
    if place.path.lower().endswith((".toml", ".ipynb", ".lock")):
        return
    for line in place.at_lines:
        text = place.at(line)
        for match in _GIT.finditer(text):
            key = (repository_of(match["url"]), match["asked"] or "")
            locks = locks_for(place.path, place.inputs.once(locks_of))
            lock = next((one for one in locks if key in one.commits), None)
            if lock is not None:
                text = f"{text[: match.end('url')]}@{lock.commits[key]}{text[match.end() :]}"
                title = f"name the commit that {lock.path} has"
                yield Patch(title, place.path, line, 1, (text,), safe=False)
                break


def _title(lock: Lock, *, digests: bool) -> str:
    what = "the versions and digests" if digests else "the versions"
    more = "; pip then asks for a digest of all that it installs with them" if digests else ""
    return f"name {what} that {lock.path} has{more}"


def _of_file(place: Place) -> Iterator[Patch]:
    try:
        said = read_requirements(place.file.text())
    except InputError:
        return
    plain = [_wanted(place, one) for one in said if one.name and not one.url]
    wanted = [one for one in plain if one is not None]
    lock = _lock_of(place, wanted)
    if len(wanted) != len(plain) or lock is None:
        return
    alone = all(one.name and not one.url and not one.editable for one in said if not one.option)
    alone = alone and not any(one.option in ("-r", "--requirement", "-c", "--constraint") for one in said)
    needed = closure(lock, {one.said.name: (one.extras, one.marker) for one in wanted})
    if alone and needed is not None and place.path not in place.inputs.once(_included):
        title = _title(lock, digests=True)
        for one in wanted:
            if not one.said.hashes:
                yield Patch(title, place.path, one.said.line, 1, _hashed(one, lock), safe=False)
        more = [(lock.packages[name], marker) for name, marker in sorted(needed.items())]
        inserted = [line for locked, marker in more for line in _line(locked, marker)]
        if inserted:
            yield Patch(title, place.path, len(place.lines) + 1, 0, tuple(inserted), safe=False)
    elif place.finding.rule == "deps-unpinned":
        for one in wanted:
            if not one.said.exact and not one.said.hashes:
                text = _exactly(one, lock) + one.comment
                yield Patch(_title(lock, digests=False), place.path, one.said.line, 1, (text,), safe=False)


def _wanted(place: Place, said: RequirementLine) -> _Wanted | None:
    """What a line says beside what its reader keeps; None where a change of the line would not be its own."""
    text = place.at(said.line)
    if said.hashes:
        return _Wanted(said, frozenset(), "", "", "")
    match = _LINE.fullmatch(text)
    if match is None or text.endswith("\\") or " --" in text or "'" in match[4] or "@" in match[4]:
        return None
    extras = frozenset(one.strip() for one in (match[3] or "").strip().strip("[]").split(",") if one.strip())
    marker = (match[5] or "").strip().removeprefix(";").strip()
    return _Wanted(said, extras, marker, f"{match[1]}{match[2]}{match[3] or ''}", match[6])


def _lock_of(place: Place, wanted: list[_Wanted]) -> Lock | None:
    """The nearest lock that has all that is wanted, in versions that are wanted, of one index."""
    names = {one.said.name for one in wanted}
    if not wanted or len(names) != len(wanted):
        return None
    for lock in locks_for(place.path, place.inputs.once(locks_of)):
        found = [(one, lock.packages[one.said.name]) for one in wanted if one.said.name in lock.packages]
        if len(found) == len(wanted):
            fits = all(admits(one.said.specifier, locked.version) for one, locked in found)
            return lock if fits and len({locked.origin for _, locked in found}) == 1 else None
    return None


def admits(specifier: str, version: str) -> bool:
    """Whether a specifier surely lets a version in (PEP 440): of what is no plain release only the same text does."""
    clauses = [one.strip() for one in specifier.split(",") if one.strip()]
    return all(_admits(_CLAUSE.fullmatch(one), version) for one in clauses)


def _admits(match: re.Match[str] | None, version: str) -> bool:
    if match is None:
        return False
    how, said = match[1], match[2]
    if how in ("==", "===") and said == version:
        return True
    prefix = said.removesuffix(".*")
    if not _RELEASE.fullmatch(version) or not _RELEASE.fullmatch(prefix) or how == "===":
        return False
    have, want = ([int(part) for part in one.split(".")] for one in (version, prefix))
    same = have[: len(want)] == want if len(have) >= len(want) else False
    if said != prefix:
        return {"==": same, "!=": not same}.get(how, False)
    length = max(len(have), len(want))
    left, right = (one + [0] * (length - len(one)) for one in (have, want))
    if how == "~=":
        return left >= right and have[: len(want) - 1] == want[:-1] and len(want) > 1
    return {
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[how]


def _exactly(one: _Wanted, lock: Lock) -> str:
    marker = f" ; {one.marker}" if one.marker else ""
    return f"{one.start}=={one.said.exact or lock.packages[one.said.name].version}{marker}"


def _hashed(one: _Wanted, lock: Lock) -> tuple[str, ...]:
    lines = _with_digests(_exactly(one, lock), lock.packages[one.said.name])
    return (*lines[:-1], f"{lines[-1]}{one.comment}")


def _line(locked: Locked, marker: str) -> tuple[str, ...]:
    return _with_digests(f"{locked.name}=={locked.version}{f' ; {marker}' if marker else ''}", locked)


def _with_digests(text: str, locked: Locked) -> tuple[str, ...]:
    return (f"{text} \\", *(f"    --hash={one} \\" for one in locked.hashes[:-1]), f"    --hash={locked.hashes[-1]}")


def _included(inputs: Inputs) -> set[str]:
    """The files that requirements files include, for which pip asks the same as of those."""
    found: set[str] = set()
    for file in inputs.named(".txt", ".in", ".pip"):
        folder = file.path.rpartition("/")[0]
        for name in _INCLUDES.findall(file.data):
            parts = folder.split("/") if folder else []
            for part in name.decode("utf-8", "replace").strip("\"'").split("/"):
                if part == "..":
                    parts = parts[:-1]
                elif part not in ("", "."):
                    parts.append(part)
            found.add("/".join(parts))
    return found


# commands


def _of_command(place: Place) -> Iterator[Patch]:
    """The versions of what a command installs, on each line of the finding that has all words."""
    words = place.finding.name.split(" ")[2:]
    lock = _lock_with(place, words) if len(words) < _SHOWN and place.path[-6:] != ".ipynb" else None
    if lock is None:
        return
    for line in place.at_lines:
        text = _with_versions(place.at(line), words, lock)
        if text:
            yield Patch(_title(lock, digests=False), place.path, line, 1, (text,), safe=False)


def _with_versions(text: str, words: list[str], lock: Lock) -> str:
    """A command with its words at their versions; empty where one is not there once."""
    for word in words:
        bare = word.strip("\"'")
        pattern = re.compile(rf"(?<![^\s\"'=]){re.escape(bare)}(?![^\s\"';&|])")
        if len(pattern.findall(text)) != 1:
            return ""
        pinned = _pinned(bare, lock)
        text = pattern.sub(lambda _, pinned=pinned: pinned, text)  # type: ignore[misc]  # each its own
    return text


def _lock_with(place: Place, words: list[str]) -> Lock | None:
    """The nearest lock that has all packages that words name."""
    try:
        said = [parse_requirement(word.strip("\"'")) for word in words]
    except InputError:
        return None
    if any(not one.name or one.url for one in said):
        return None
    return _lock_of(place, [_Wanted(one, frozenset(), "", "", "") for one in said])


def _pinned(word: str, lock: Lock) -> str:
    """``name[extra]>=1`` as ``name[extra]==version``."""
    match = re.match(r"\s*([A-Za-z0-9][\w.-]*)(\s*\[[^\]]*\])?", word)
    if match is None:
        return word
    return f"{match[0].strip()}=={lock.packages[parse_requirement(word).name].version}"
