"""The distributions that an interpreter has installed, by the files in which their installers said what they did."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assaymark.core.canonical import parse_object
from assaymark.core.errors import InputError
from assaymark.core.limits import PROVENANCE_MAX_DEPENDENCIES, RECORD_MAX_LISTING_BYTES, RECORD_MAX_PROBE_BYTES
from assaymark.core.provenance import pypi_package
from assaymark.recording.command import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assaymark.core.provenance import Package

_SECONDS: Final = 60.0
# Isolated (-I), so that nothing in the current folder is imported; the places that isolation leaves out are added by
# hand, since the program itself looks there.
_PROBE: Final = """
import sys
from importlib import metadata
import json, os, platform, site, sysconfig
extra = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
if not os.environ.get("PYTHONNOUSERSITE"):
    extra.append(site.getusersitepackages())
found = []
for dist in metadata.distributions(path=[*extra, *sys.path]):
    try:
        name, version = dist.metadata["Name"], dist.version
        place = getattr(dist, "_path", None)
    except Exception:
        name, version, place = None, None, None
    found.append([name, version, None if place is None else str(place)])
paths = sysconfig.get_paths()
print(json.dumps({
    "distributions": found,
    "implementation": platform.python_implementation(),
    "library": sorted({os.path.realpath(paths[k]) for k in ("stdlib", "platstdlib")}),
    "version": platform.python_version(),
}))
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """What an interpreter has. ``files`` are the real paths of all files that the distributions list as theirs.

    ``library`` are the folders of its own library. A package's digest is the SHA-256 of its RECORD: of the list of
    its files and their hashes as the installer wrote it, not of the files as they are now.
    """

    implementation: str
    version: str
    library: tuple[str, ...]
    packages: tuple[Package, ...]
    files: frozenset[str]
    unnamed: int


def read_installed(interpreter: Sequence[str], environment: dict[str, str]) -> Installed | str:
    """What an interpreter has installed, or why that is not known. It is asked before the program starts."""
    try:
        asked = subprocess.run(  # noqa: S603 - the interpreter that the caller is about to run
            [*interpreter, "-I", "-c", _PROBE],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=_SECONDS,
        )
        answer = parse_object(asked.stdout.splitlines()[-1], limit=RECORD_MAX_PROBE_BYTES)
        return _installed(answer)
    except OSError as error:
        return f"the interpreter could not be asked: {error.strerror}"
    except subprocess.SubprocessError:
        return "the interpreter could not say what is installed (Python 3.8 or later is needed)"
    except (InputError, IndexError, KeyError, TypeError, ValueError):
        return "the interpreter did not say what is installed in a form that can be read"


def _installed(answer: dict[str, Any]) -> Installed:
    packages: dict[str, Package] = {}
    files: set[str] = set()
    unnamed = 0
    for name, version, place in answer["distributions"]:
        if not isinstance(name, str) or not isinstance(version, str) or not name or not version:
            unnamed += 1  # what an interrupted installation leaves
            continue
        digest = ""
        if isinstance(place, str):
            listing = _listing(Path(place))
            if listing is not None:
                digest = "sha256:" + hashlib.sha256(listing).hexdigest()
                files.update(listed_files(os.path.realpath(Path(place).parent), listing))
        package = pypi_package(shown(name), shown(version), digest)
        packages.setdefault(package.url, package)  # the first on the path is the one that is imported
    return Installed(
        str(answer["implementation"]),
        str(answer["version"]),
        tuple(str(item) for item in answer["library"]),
        tuple(packages[url] for url in sorted(packages))[: PROVENANCE_MAX_DEPENDENCIES // 2],
        frozenset(files),
        unnamed,
    )


def _listing(place: Path) -> bytes | None:
    """The RECORD of a distribution; None for one without (an egg, or what the system's own tool installed)."""
    try:
        with (place / "RECORD").open("rb") as stream:
            data = stream.read(RECORD_MAX_LISTING_BYTES + 1)
    except OSError:
        return None
    return data if len(data) <= RECORD_MAX_LISTING_BYTES else None


def listed_files(root: str, listing: bytes) -> set[str]:
    """The files that a RECORD lists, below or beside ``root``; none where it cannot be read as one.

    Source: https://packaging.python.org/specifications/recording-installed-packages.
    """
    text = listing.decode("utf-8", "surrogateescape")
    if '"' in text:
        try:
            rows = [row[0] for row in csv.reader(io.StringIO(text, newline="")) if row]
        except csv.Error:
            return set()
    else:  # nearly all of them, and ten times as fast
        rows = [line.partition(",")[0] for line in text.replace("\r", "").split("\n")]
    return {_absolute(root, row) for row in rows if row and "\0" not in row}


def _absolute(root: str, row: str) -> str:
    path = row if row.startswith("/") else f"{root}/{row}"
    return os.path.normpath(path) if "/." in path or "//" in path else path
