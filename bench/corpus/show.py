"""Loads each malicious file with its real loader, in a confined child, and says whether it did anything.

Usage: python -m bench.corpus.show CORPUS [--only TEXT]

One process a loader imports its libraries once; each file is loaded in a fork of it that may use little time, memory
and disk, lies in a folder of its own, and has no network where the system lets a user make a namespace. A file is
*shown* when the marker is there afterwards, or when what it loads holds the words of a file that it had to reach for.
Results are written to ``CORPUS/shown.json``.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.corpus.loaders import LOADERS
from bench.corpus.sample import MARKER, SECRET, SECRET_WORDS

_SECONDS = 40
_OLD_SKOPS = "CORPUS_OLD_SKOPS"  # a folder that holds skops 0.9


def _confine() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(_SECONDS)


def _load(sample: dict[str, Any], source: Path, folder: Path) -> None:
    """In the fork: load, and leave what was loaded as text where the parent looks for words."""
    import builtins

    os.setsid()
    _confine()
    home = folder / "home"
    work = folder / "work"
    shutil.copytree(source, work, symlinks=True)
    home.mkdir()
    os.environ.update({"HOME": str(home), "CORPUS_MARKER": str(work / MARKER), "TMPDIR": str(folder)})
    os.chdir(work)
    (work / SECRET).write_text(SECRET_WORDS)
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(quiet, descriptor)
    try:
        result = LOADERS[sample["loader"]][1](work / sample["first"])
        words = SECRET_WORDS.encode()
        held = repr(result).encode()
        if words in held or SECRET_WORDS in str(result):
            (folder / "betrayed").touch()
    except BaseException as error:
        with contextlib.suppress(Exception):
            (folder / "error").write_text(f"{type(error).__name__}: {error}"[:300])
    import atexit

    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    builtins.exec("import os; os._exit(0)")


def _one(sample: dict[str, Any], corpus: Path) -> tuple[bool, str]:
    folder = Path(tempfile.mkdtemp())  # not a TemporaryDirectory: the fork runs its exit functions too
    try:
        return _watched(sample, corpus, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _watched(sample: dict[str, Any], corpus: Path, folder: Path) -> tuple[bool, str]:
    child = os.fork()
    if not child:
        try:
            _load(sample, corpus / "malicious" / sample["folder"], folder)
        finally:
            os._exit(1)
    deadline = time.monotonic() + _SECONDS
    while not os.waitpid(child, os.WNOHANG)[0]:
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            break
        time.sleep(0.01)
    places = (folder / "work" / MARKER, folder / MARKER)
    made = any(path.exists() or path.is_symlink() for path in places)
    if not made:
        time.sleep(0.15)  # a process that was started and not waited for
        made = places[0].exists()
    error = folder / "error"
    return made or (folder / "betrayed").exists(), error.read_text() if error.exists() else ""


def _server(loader: str, corpus: Path) -> None:
    """All files of one loader; a JSON line each on standard output."""
    with contextlib.redirect_stdout(sys.stderr):
        for module in LOADERS[loader][0]:
            importlib.import_module(module)
    for line in sys.stdin:
        sample = json.loads(line)
        shown, error = _one(sample, corpus)
        print(json.dumps({"name": sample["name"], "shown": shown, "error": error}), flush=True)


def main() -> int:
    """Write shown.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--serve", default="")
    arguments = parser.parse_args()
    corpus = arguments.corpus.resolve()
    if arguments.serve:
        _server(arguments.serve, corpus)
        return 0
    manifest = json.loads((corpus / "manifest.json").read_text())["malicious"]
    path = corpus / "shown.json"
    results: dict[str, Any] = json.loads(path.read_text()) if arguments.only and path.exists() else {}
    for loader in LOADERS:
        samples = [
            s for s in manifest if s["loader"] == loader and arguments.only in s["name"] + s["evasion"] + loader
        ]
        if not samples:
            continue
        for answer in _answers(loader, samples, corpus):
            results[answer.pop("name")] = answer
        path.write_text(json.dumps(results, indent=1))
        count = sum(results.get(s["name"], {}).get("shown", False) for s in samples)
        print(f"{loader}: {count} of {len(samples)} shown", flush=True)
    return 0


def _answers(loader: str, samples: list[dict[str, Any]], corpus: Path) -> list[dict[str, Any]]:
    root = str(Path(__file__).parents[2])
    paths = [root] + ([os.environ[_OLD_SKOPS]] if loader == "skops" and _OLD_SKOPS in os.environ else [])
    code = f"import sys; sys.path[:0] = {paths[::-1]!r}; sys.argv = {['show', str(corpus), '--serve', loader]!r}\n"
    code += "from bench.corpus.show import main; main()"
    command = [sys.executable, "-I", "-c", code]
    confined = ["unshare", "--map-root-user", "--net"]
    if (
        shutil.which("unshare")
        and not subprocess.run([*confined, "true"], check=False, capture_output=True).returncode
    ):
        command = confined + command
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        command,
        input="".join(json.dumps(s) + "\n" for s in samples),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        start_new_session=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"name"')]
    if not answers:
        print(f"{loader}: not available ({done.stderr.strip().splitlines()[-1:]})")
    return answers


if __name__ == "__main__":
    sys.exit(main())
