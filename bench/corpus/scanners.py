"""Runs Assaymark and four other scanners over one file or folder: refused, passed, or nothing said."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REFUSED, PASSED, UNSURE, CRASHED = "refused", "passed", "unsure", "crashed"
_ROOT: Final = Path(__file__).parents[2]
PEERS_BIN: Final = _ROOT / ".venv-bench" / "bin"
_AUDIT: Final = _ROOT / ".venv-modelaudit" / "bin" / "modelaudit"


def _answer(command: list[str], seconds: int = 60) -> tuple[int, str]:
    with tempfile.TemporaryDirectory() as elsewhere:  # fickling leaves a file where it runs
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=seconds, check=False, cwd=elsewhere
            )
        except subprocess.TimeoutExpired:
            return -1, ""
    return done.returncode, done.stdout + done.stderr


def assaymark(paths: list[Path]) -> dict[Path, str]:
    """All of them in a few runs of the command line, as a user would."""
    found: dict[Path, str] = {}
    for start in range(0, len(paths), 40):
        some = paths[start : start + 40]
        command = [sys.executable, "-m", "assaymark", "scan", "--no-cache", "--format", "json", *map(str, some)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        reports = json.loads(done.stdout)["reports"]
        by_path = {Path(report["path"]): report["outcome"] for report in reports}
        for path in some:
            found[path] = {"fail": REFUSED, "pass": PASSED}.get(by_path.get(path, ""), UNSURE)
    return found


def _picklescan(path: Path) -> str:
    code, text = _answer([str(PEERS_BIN / "picklescan"), "--path", str(path)])
    if code not in (0, 1) and "Scanned files" not in text:
        return CRASHED
    return REFUSED if code == 1 else UNSURE if "Scanned files: 0" in text or code == 2 else PASSED  # noqa: PLR2004 - its error


def _modelscan(path: Path) -> str:
    code, text = _answer([str(PEERS_BIN / "modelscan"), "-p", str(path)])
    if code == 1:
        return REFUSED
    if code == 0:
        return UNSURE if "Skipped" in text else PASSED
    return UNSURE if code == 3 else CRASHED  # noqa: PLR2004 - nothing it supports


def _fickling(path: Path) -> str:
    answers = [_fickling_one(file) for file in _files(path)]
    return next((kind for kind in (REFUSED, CRASHED, UNSURE) if kind in answers), PASSED)


def _fickling_one(path: Path) -> str:
    code, text = _answer([str(PEERS_BIN / "fickling"), "--check-safety", "--print-results", str(path)])
    if "Traceback" in text:
        return CRASHED
    return {0: PASSED, 1: REFUSED}.get(code, UNSURE)


def _files(path: Path) -> Iterable[Path]:
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def _modelaudit(path: Path) -> str:
    code, text = _answer([str(_AUDIT), "scan", "--format", "json", str(path)], 120)
    if code == 1:
        return REFUSED
    return PASSED if code == 0 else CRASHED if "Traceback" in text else UNSURE


PEERS: Final[dict[str, tuple[Path, Callable[[Path], str]]]] = {
    "picklescan": (PEERS_BIN / "picklescan", _picklescan),
    "modelscan": (PEERS_BIN / "modelscan", _modelscan),
    "fickling": (PEERS_BIN / "fickling", _fickling),
    "modelaudit": (_AUDIT, _modelaudit),
}
