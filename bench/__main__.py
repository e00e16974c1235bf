"""Run every benchmark and print its table.

Usage: python -m bench [NAME ...]   (the names are in BENCHES and NAMED; all of BENCHES by default)
"""

from __future__ import annotations

import platform
import subprocess
import sys

BENCHES = (
    "commands",
    "digest",
    "scan",
    "convert",
    "log",
    "decide",
    "impact",
    "record",
    "run",
    "admission",
    "inventory",
    "assess_policies",
    "assess",
)
# Run when they are named: they need an environment of their own, and long.
NAMED = ("corpus",)


def main() -> int:
    """Exit 1 when a benchmark says that a figure is above its limit."""
    names = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES + NAMED]
    if unknown:
        sys.exit(f"no benchmark {unknown[0]}; there are {', '.join(BENCHES + NAMED)}")
    print(f"{platform.machine()}, {platform.system()} {platform.release()}, Python {platform.python_version()}")
    worst = 0
    for name in names:
        print(f"\n## {name}\n", flush=True)
        worst = max(worst, subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
