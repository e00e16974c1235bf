"""Makes the adversarial corpus, shows that it executes, and compares scanners on it.

Usage: python -m bench.corpus_table [--corpus FOLDER] [--peers NAME ...]

The corpus is made and shown by the interpreter of ``.venv-corpus`` (``make bench`` installs it); with ``--corpus`` a
folder that is there already is taken. Exit code 1 unless Assaymark refuses every malicious file and passes every
ordinary one; incomplete counts as neither.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from assaymark.core.view import BytesView
from assaymark.scanning.examine import examine
from bench.corpus.classes import CLASSES
from bench.corpus.scanners import CRASHED, PASSED, PEERS, REFUSED, UNSURE, assaymark

_ROOT = Path(__file__).parents[1]
_PYTHON = _ROOT / ".venv-corpus" / "bin" / "python"
_OLD_SKOPS = _ROOT / ".venv-corpus" / "old-skops"
_SECONDS_LIMIT = 30.0
_MEMORY_LIMIT = 1 << 30


def make(folder: Path) -> None:
    """Generate and show, in the environment of the libraries."""
    environment = {
        **os.environ,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "HF_HUB_OFFLINE": "1",
        "CORPUS_OLD_SKOPS": str(_OLD_SKOPS),
    }
    for module in ("generate", "show"):
        subprocess.run(
            [str(_PYTHON), "-m", f"bench.corpus.{module}", str(folder)], check=True, cwd=_ROOT, env=environment
        )


def ask(corpus: Path, manifest: dict[str, Any], peers: list[str]) -> dict[str, dict[str, str]]:
    """Scanner to name to answer, over everything."""
    paths = {row["name"]: corpus / "malicious" / row["folder"] for row in manifest["malicious"]}
    for name, path in paths.items():  # a folder of one file is that file
        files = list(path.iterdir())
        if len(files) == 1 and files[0].is_file():
            paths[name] = files[0]
    paths |= {row["name"]: corpus / row["name"] for row in manifest["benign"]}
    ours = assaymark(list(paths.values()))
    answers = {"assaymark": {name: ours[path] for name, path in paths.items()}}
    for peer in peers:
        program, scan = PEERS[peer]
        if not program.exists():
            print(f"{peer}: not installed, left out")
            continue
        said = scan(list(paths.values()))
        answers[peer] = {name: said[path] for name, path in paths.items()}
    return answers


def tables(manifest: dict[str, Any], shown: dict[str, Any], answers: dict[str, dict[str, str]]) -> bool:
    """Print them; whether Assaymark keeps the limits."""
    tools = list(answers)
    head = " | ".join(tools)
    print(f"| class | files | shown | {head} |\n|---|---:|---:|" + "---:|" * len(tools))
    total: Counter[str] = Counter()
    for evasion in CLASSES:
        names = [row["name"] for row in manifest["malicious"] if row["evasion"] == evasion]
        if not names:
            continue
        counts = Counter({tool: sum(answers[tool][name] == REFUSED for name in names) for tool in tools})
        counts["shown"] = sum(shown.get(name, {}).get("shown", False) for name in names)
        counts["files"] = len(names)
        total.update(counts)
        print(
            f"| {evasion} | {counts['files']} | {counts['shown']} | "
            + " | ".join(str(counts[t]) for t in tools)
            + " |"
        )
    print(
        f"| **all** | {total['files']} | {total['shown']} | "
        + " | ".join(f"{total[t]} ({100 * total[t] / total['files']:.1f} %)" for t in tools)
        + " |"
    )
    executed = [row["name"] for row in manifest["malicious"] if shown.get(row["name"], {}).get("shown")]
    print(
        f"| **of those shown** | {len(executed)} | {len(executed)} | "
        + " | ".join(
            f"{100 * sum(answers[t][n] == REFUSED for n in executed) / max(len(executed), 1):.1f} %" for t in tools
        )
        + " |"
    )
    print(f"\n| ordinary files of | files | {head} |\n|---|---:|" + "---|" * len(tools))
    for library in sorted({row["library"] for row in manifest["benign"]}):
        names = [row["name"] for row in manifest["benign"] if row["library"] == library]
        print(f"| {library} | {len(names)} | " + " | ".join(_benign(answers[tool], names) for tool in tools) + " |")
    names = [row["name"] for row in manifest["benign"]]
    print(f"| **all** | {len(names)} | " + " | ".join(_benign(answers[tool], names) for tool in tools) + " |")
    ours = answers["assaymark"]
    wrong = [
        f"not refused: {row['name']} ({ours[row['name']]})"
        for row in manifest["malicious"]
        if ours[row["name"]] != REFUSED
    ]
    wrong += [f"not passed: {name} ({ours[name]})" for name in names if ours[name] != PASSED]
    print("\n".join(["", *wrong]))
    return not wrong


def _benign(answers: dict[str, str], names: list[str]) -> str:
    counts = Counter(answers[name] for name in names)
    parts = [
        f"{counts[kind]} {word}"
        for kind, word in ((REFUSED, "flagged"), (CRASHED, "crashed"), (UNSURE, "not understood"))
        if counts[kind]
    ]
    return ", ".join(parts) or "-"


def worst(corpus: Path) -> bool:
    """The most time that one file takes the engine, and the most memory of this process over all of them."""
    slowest: tuple[float, str] = (0.0, "")
    for path in sorted(corpus.rglob("*")):
        if path.is_file() and not path.is_symlink():
            before = time.perf_counter()
            examine(BytesView(path.read_bytes()), path.name)
            slowest = max(slowest, (time.perf_counter() - before, str(path.relative_to(corpus))))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    print(
        f"slowest file: {slowest[0]:.2f} s ({slowest[1]}), limit {_SECONDS_LIMIT:.0f} s; most memory {memory >> 20} MiB, limit 1024 MiB"
    )
    return slowest[0] <= _SECONDS_LIMIT and memory <= _MEMORY_LIMIT


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    arguments = parser.parse_args()
    if arguments.corpus is None and not _PYTHON.exists():
        sys.exit("the libraries that write the corpus are not installed: make bench BENCH=corpus_table")
    with tempfile.TemporaryDirectory() as temporary:
        corpus = (arguments.corpus or Path(temporary)).resolve()
        if arguments.corpus is None:
            make(corpus)
        manifest = json.loads((corpus / "manifest.json").read_text())
        shown = json.loads((corpus / "shown.json").read_text()) if (corpus / "shown.json").exists() else {}
        answers = ask(corpus, manifest, arguments.peers)
        kept = tables(manifest, shown, answers)
        return 0 if worst(corpus) and kept else 1


if __name__ == "__main__":
    sys.exit(main())
