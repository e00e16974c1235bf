"""Runs Assaymark and four other scanners over one file or folder: refused, passed, or nothing said."""

from __future__ import annotations

import concurrent.futures
import json
import os
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
_AUDIT: Final = _ROOT / ".venv-modelaudit" / "bin" / "python"
_ASK_AUDIT: Final = Path(__file__).with_name("ask_modelaudit.py")
_SILENT: Final = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1"}  # modelaudit sends its use to its makers


def _answer(command: list[str], seconds: int = 60) -> tuple[int, str]:
    with tempfile.TemporaryDirectory() as elsewhere:  # fickling leaves a file where it runs
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
                cwd=elsewhere,
            )
        except subprocess.TimeoutExpired:
            return -1, ""
    return done.returncode, done.stdout + ("" if "json" in command else done.stderr)


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
    return REFUSED if code == 1 else UNSURE if "Scanned files: 0" in text or code == 2 else PASSED


def _modelscan(path: Path) -> str:
    code, text = _answer([str(PEERS_BIN / "modelscan"), "-r", "json", "-p", str(path)])
    if code == 1:
        return REFUSED
    if code == 0:  # small files of an archive that it skips count as looked at
        return UNSURE if '"total_scanned": 0' in text else PASSED
    return UNSURE if code == 3 else CRASHED


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


def _each(scan: Callable[[Path], str]) -> Callable[[list[Path]], dict[Path, str]]:
    """A scanner that is started for each file."""

    def several(paths: list[Path]) -> dict[Path, str]:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return dict(zip(paths, pool.map(scan, paths), strict=True))

    return several


def _modelaudit(paths: list[Path]) -> dict[Path, str]:
    """Its command, loaded once a core since its start takes seconds; a finding is its "warning" or "critical"."""
    cores = os.cpu_count() or 1
    with concurrent.futures.ThreadPoolExecutor(cores) as pool:
        parts = pool.map(_modelaudit_some, [paths[core::cores] for core in range(cores)])
        return {path: answer for part in parts for path, answer in part.items()}


def _modelaudit_some(paths: list[Path]) -> dict[Path, str]:
    done = subprocess.run(
        [str(_AUDIT), str(_ASK_AUDIT)],
        input="".join(f"{path}\n" for path in paths),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        env={**os.environ, **_SILENT},
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {path: _verdict(answer) for path, answer in zip(paths, answers, strict=True)}


def _verdict(answer: dict[str, int | None]) -> str:
    if answer["grave"] is None:
        return CRASHED
    return REFUSED if answer["grave"] else {0: PASSED, 1: PASSED, 2: UNSURE}.get(answer["code"] or 0, CRASHED)


PEERS: Final[dict[str, tuple[Path, Callable[[list[Path]], dict[Path, str]]]]] = {
    "picklescan": (PEERS_BIN / "picklescan", _each(_picklescan)),
    "modelscan": (PEERS_BIN / "modelscan", _each(_modelscan)),
    "fickling": (PEERS_BIN / "fickling", _each(_fickling)),
    "modelaudit": (_AUDIT, _modelaudit),
}
