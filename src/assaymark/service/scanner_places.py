"""Where second scanners are: each in an environment of its own, found by a variable or in the user's data folder."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assaymark.core.errors import UsageError
from assaymark.scanning.opinions.second_scanners import SECOND_SCANNERS

VARIABLE: Final = "ASSAYMARK_SCANNER_"
_SHEBANG_BYTES: Final = 512
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+!_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Place:
    """An installed scanner. ``version`` as its distribution says it, ``unknown`` without one.

    ``reads`` is what it needs to read of the file system besides the system's libraries, in order to run.
    """

    executable: Path
    version: str
    reads: tuple[Path, ...]


def scanner_names(words: list[str]) -> tuple[str, ...]:
    """The ids in the values of ``--with``, each once, in their order; ``all`` for every one.

    Raises:
        UsageError: ``scanner-unknown``.
    """
    known = [part.id for part in SECOND_SCANNERS]
    named = [name.strip() for word in words for name in word.split(",") if name.strip()]
    chosen = [name for word in named for name in (known if word == "all" else [word])]
    for name in chosen:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise UsageError(
                "scanner-unknown",
                f"there is no second scanner {name[:64]!r}",
                remedy=f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}, or all",
            )
    return tuple(dict.fromkeys(chosen))


def scanners_folder() -> Path:
    """Where ``assaymark scanners install`` puts them: ``$XDG_DATA_HOME/assaymark/scanners`` (XDG Base Directory 0.8).

    Raises:
        UsageError: ``scanner-home`` for a user without a home.
    """
    base = os.environ.get("XDG_DATA_HOME")
    if base:
        return Path(base) / "assaymark" / "scanners"
    try:
        return Path.home() / ".local" / "share" / "assaymark" / "scanners"
    except RuntimeError:
        raise UsageError(
            "scanner-home", "this user has no home folder", remedy=f"set XDG_DATA_HOME, or {VARIABLE}<ID>"
        ) from None


def find_scanner(name: str) -> Place | None:
    """The installed scanner, or None. What the variable ``ASSAYMARK_SCANNER_<ID>`` names must be there.

    Raises:
        UsageError: ``scanner-path`` when the variable names no program, ``scanner-home``.
    """
    said = os.environ.get(VARIABLE + name.upper())
    executable = Path(said) if said else scanners_folder() / name / "bin" / name
    if not executable.is_file() or not os.access(executable, os.X_OK):
        if said:
            raise UsageError(
                "scanner-path",
                f"{VARIABLE}{name.upper()} names no program",
                source=said,
                remedy="give the path of its executable, or take the variable away",
            )
        return None
    executable = executable.resolve()
    roots = [root for root in (executable.parent.parent, *_interpreter_roots(executable)) if _is_environment(root)]
    reads = [executable, *roots]
    for root in roots:
        reads += _base(root / "bin" / "python")
    return Place(executable, _version(executable.parent.parent, name), tuple(dict.fromkeys(reads)))


def _is_environment(root: Path) -> bool:
    return (root / "pyvenv.cfg").is_file()


def _interpreter_roots(executable: Path) -> list[Path]:
    """The environment of the interpreter that a script names in its first line."""
    with executable.open("rb") as stream:
        line = stream.read(_SHEBANG_BYTES).split(b"\n", 1)[0]
    words = line[2:].split() if line.startswith(b"#!") else []
    return [Path(os.fsdecode(words[0])).parent.parent] if words else []


def _base(python: Path) -> list[Path]:
    """The interpreter that an environment was made from, and its libraries; not what else is in its prefix."""
    real = python.resolve()
    prefix = real.parent.parent
    return [real, prefix / "lib", prefix / "lib64"]


def _version(root: Path, name: str) -> str:
    """The version of the distribution of that name: listed, not asked of the program."""
    found = sorted(root.glob(f"lib/python3*/site-packages/{name}-*.dist-info"))
    version = found[0].name.removeprefix(f"{name}-").removesuffix(".dist-info") if found else ""
    return version if _VERSION.fullmatch(version) else "unknown"
