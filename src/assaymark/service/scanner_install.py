"""Install a second scanner in an environment of its own, from the lock that comes with us: each file by its hash."""

from __future__ import annotations

import importlib.resources
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assaymark.core.errors import UnavailableError
from assaymark.core.opinion import OpinionOutcome
from assaymark.service.opinions import ask_scanners
from assaymark.service.scanner_places import find_scanner, scanners_folder

if TYPE_CHECKING:
    from assaymark.service.scanner_places import Place

_SAMPLE: Final = b"\x80\x04}\x94."  # an empty dict
_SECONDS: Final = 1_800
_MAX_WORDS: Final = 400  # characters of what the installer said last


def lock_of(name: str) -> str:
    """The pinned and hashed requirements of a scanner."""
    packaged = importlib.resources.files("assaymark") / "_scanners"
    folder = packaged if packaged.is_dir() else Path(__file__).parents[3] / "requirements" / "scanners"
    return (folder / f"{name}.txt").read_text()


def install_scanner(name: str) -> Place:
    """Make the scanner's environment anew and install what its lock says; returns where it is.

    The old environment stays until the new one is whole. Only what the lock has a hash for is installed, and only
    built distributions: nothing of theirs runs before it is asked for.

    Raises:
        UnavailableError: ``scanner-install``.
        UsageError: ``scanner-home``.
    """
    folder = scanners_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}-", ignore_cleanup_errors=True) as half:
            target, old = folder / name, Path(half) / "old"
            lock = Path(half) / "lock.txt"
            lock.write_text(lock_of(name))
            if target.exists():
                target.replace(old)
            try:
                # An environment knows its own path: it is made where it stays.
                _run([sys.executable, "-m", "venv", str(target)])
                _run(
                    [
                        *(str(target / "bin" / "python"), "-m", "pip", "install", "--quiet"),
                        *("--disable-pip-version-check", "--no-input", "--only-binary", ":all:", "--no-deps"),
                        *("--require-hashes", "-r", str(lock)),
                    ]
                )
                place = _tried(name, Path(half))
            except BaseException:
                shutil.rmtree(target, ignore_errors=True)
                if old.exists():
                    old.replace(target)
                raise
    except OSError as error:
        raise UnavailableError(
            "scanner-install", f"cannot write: {error.strerror}", source=str(error.filename or folder)
        ) from None
    return place


def _tried(name: str, folder: Path) -> Place:
    """Where it is, after it has said of an empty pickle that it is clean: what does not start is not installed."""
    place = find_scanner(name)
    if place is None:
        raise UnavailableError("scanner-install", f"{name} brought no program of that name")
    sample = folder / "sample.pkl"
    sample.write_bytes(_SAMPLE)
    (opinion,) = ask_scanners([name], [(sample.name, sample)])
    if opinion.outcome is not OpinionOutcome.PASS:
        why = opinion.detail or ", ".join(finding.message for finding in opinion.findings)
        raise UnavailableError(
            "scanner-install",
            f"{name} was installed and does not work: of an empty pickle it says {opinion.outcome}: {why}",
        )
    return place


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - words of ours
            command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError("scanner-install", f"it took longer than {_SECONDS} s") from None
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip()[-_MAX_WORDS:]
        raise UnavailableError(
            "scanner-install",
            f"the installer ended with {done.returncode}: {last}",
            remedy="is the package index reachable? pip's own configuration and variables are used",
        )
