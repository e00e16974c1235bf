"""``make run ASSESS=1``: the estate of examples/estate is assessed as it grew and as mended, with both reports.

Everything runs offline; the reports are in out/assess.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ESTATE = ROOT / "examples" / "estate"
OUT = ROOT / "out" / "assess"


def step(title: str, expected: int, *words: str) -> None:
    """Show a command and what it says; another exit code than the one that is expected ends the tour.

    Raises:
        SystemExit: naming the command.
    """
    print(f"\n== {title}\n$ assaymark {' '.join(words)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "assaymark", *words], cwd=ROOT, check=False)
    if done.returncode != expected:
        raise SystemExit(f"exit code {done.returncode}, where {expected} is due")


def main() -> None:
    """Before, one question, after."""
    OUT.mkdir(parents=True, exist_ok=True)
    before, after = (str((ESTATE / name).relative_to(ROOT)) for name in ("before", "after"))
    page, sarif, second = (
        str((OUT / name).relative_to(ROOT)) for name in ("before.html", "before.sarif", "after.html")
    )
    step("As it grew", 1, "assess", before, "--output", f"html={page}", "--output", f"sarif={sarif}")
    ends = ("k8s:training/job/tune-tenant-a", "arn:aws:s3:::example-tenant-b-data")
    step("Does tenant A's job reach tenant B's data?", 1, "assess", before, "--isolated", *ends)
    ends = ("k8s:tenant-a/job/tune", "arn:aws:s3:::example-tenant-b-data")
    step("And when it is mended?", 0, "assess", after, "--isolated", *ends)
    config = str((ESTATE / "assess.toml").relative_to(ROOT))
    words = ("--baseline", before, "--config", config, "--output", f"html={second}")
    step("As it was mended: how much access went, and that no needed one did", 0, "assess", after, *words)
    print(f"\nReports: {page} and {second}")


if __name__ == "__main__":
    main()
