"""Check the lock files: every requirement pinned and hashed, no index address, known vulnerabilities.

Usage: python bench/audit_locks.py

Form is checked always and fails the run. Known vulnerabilities are asked of the OSV database (osv.dev) where it can
be reached; where it cannot, that is said in so many words, because "not checked" is not "nothing found".
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
OSV = "https://api.osv.dev/v1/querybatch"
REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")


def read_lock(file: Path) -> tuple[dict[str, str], list[str]]:
    """Name to version, and what is wrong with the file's form."""
    pins: dict[str, str] = {}
    problems: list[str] = []
    logical = file.read_text().replace("\\\n", " ").splitlines()
    for number, line in enumerate(logical, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("-") or "://" in text:
            problems.append(f"{file.name}: {text[:60]!r}: an option or address; a lock holds requirements only")
            continue
        match = REQUIREMENT.match(text)
        if match is None:
            problems.append(f"{file.name}: requirement {number} is not pinned with ==: {text[:60]!r}")
        elif "--hash=sha256:" not in text:
            problems.append(f"{file.name}: {match[1]} has no sha256 hash")
        else:
            pins[match[1].lower().replace("_", "-")] = match[2]
    return pins, problems


def missing_dependencies(pins: dict[str, str], lock: str) -> list[str]:
    """Direct dependencies of the project that the lock lacks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    if lock != "run.txt":
        wanted += project["optional-dependencies"]["serve" if lock == "serve.txt" else "demo"]
    names = [re.split(r"[<>=!~; \[]", item, maxsplit=1)[0].lower() for item in wanted]
    return [f"{lock}: {name} of pyproject.toml is not locked" for name in names if name not in pins]


def vulnerabilities(pins: dict[str, str]) -> list[str] | None:
    """Known vulnerabilities of these versions, or None when the database cannot be reached."""
    names = sorted(pins)
    queries = [{"package": {"ecosystem": "PyPI", "name": name}, "version": pins[name]} for name in names]
    request = urllib.request.Request(
        OSV, json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            results = json.load(answer)["results"]
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return None
    return [
        f"{name} {pins[name]}: {item['id']}"
        for name, result in zip(names, results, strict=True)
        for item in result.get("vulns", [])
    ]


def main() -> int:
    """Exit 0 when all is well, 1 when not."""
    problems: list[str] = []
    everything: dict[str, str] = {}
    scanners = sorted(f"scanners/{file.name}" for file in (ROOT / "requirements" / "scanners").glob("*.txt"))
    for name in ("run.txt", "serve.txt", "demo.txt", "dev.txt", "bench.txt", *scanners):
        pins, wrong = read_lock(ROOT / "requirements" / name)
        problems += wrong
        if name in ("bench.txt", *scanners):  # peers in environments of their own, with versions of their own
            continue
        problems += missing_dependencies(pins, name)
        for package, version in pins.items():
            if everything.setdefault(package, version) != version:
                problems.append(f"{name}: {package} is {version} here and {everything[package]} elsewhere")
    if not everything:
        problems.append("the locks hold nothing")
    found = vulnerabilities(everything)
    if found is None:
        print("known vulnerabilities: NOT CHECKED, the database cannot be reached from here")
    else:
        problems += found
        print(f"known vulnerabilities of {len(everything)} distributions: {len(found)}")
    for problem in problems:
        print(problem)
    print(f"locks: {'NOT WELL' if problems else 'well formed'}, {len(everything)} distributions")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
