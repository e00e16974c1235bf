"""What a decision costs on a log of many statements: the function itself, and read and verified from a workspace.

Usage: python -m bench.decide [--entries 10000]

All figures are CPU. "From the workspace" reads the subject's entries, checks each against the tree and the keys, and
decides; "logged" also signs the decision and appends it durably.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.decision import Request, Scope
from assaymark.core.digest import sha256_digest
from assaymark.core.statement import APPROVAL, RELEASE, SCAN, make_statement
from assaymark.core.subject import Subject
from assaymark.policy.predicates import approval_predicate
from assaymark.service.decide import decide_on
from assaymark.service.evidence import gather
from assaymark.service.publish import note_signer, sign_statement
from assaymark.service.setup import init_workspace
from assaymark.service.workspace import open_workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from assaymark.service.workspace import Workspace

NOW = 1_800_000_000
SIZES = (5, 50, 500)
SCOPE = Scope("default", "production")
BATCH = 500
# A decision is asked for at every start of a model server: below this nobody looks for a way around it.
LIMIT_SECONDS = 1.0


def subject_of(name: str) -> Subject:
    """A subject that has no files: only its digest matters here."""
    return Subject(name, sha256_digest(name.encode()))


def fill(workspace: Workspace, entries: int) -> None:
    """Log ``entries`` statements: a subject of each of the sizes, and subjects of ten for the rest."""
    owner, service = workspace.signer(None), workspace.signer(None, name="service")
    names = [f"model-{size}" for size in SIZES for _ in range(size)]
    names += [f"other-{n // 10}" for n in range(entries - len(names))]
    envelopes = []
    for n, name in enumerate(names):
        if n % 5 == 0:
            predicate = {"complete": True, "highest": "none", "n": n}
            kind, signer = SCAN, service
        elif n % 5 == 1:
            predicate, kind, signer = {"environment": "production", "tenant": "default", "n": n}, RELEASE, owner
        else:
            predicate, kind, signer = approval_predicate(SCOPE, after_entry=0, comment=str(n)), APPROVAL, owner
        envelopes.append(sign_statement(make_statement((subject_of(name),), kind, predicate).payload, [signer]).data)
    log_signer = note_signer(workspace.config.origin, workspace.signer(None, name="log"))
    for start in range(0, len(envelopes), BATCH):
        workspace.log.append(envelopes[start : start + BATCH], NOW, log_signer)


def rate(work: Callable[[], object], budget: float = 1.0) -> float:
    """How often a second of CPU does the work."""
    times, begin = 0, time.process_time()
    while (used := time.process_time() - begin) < budget:
        work()
        times += 1
    return times / used


def main() -> int:
    """Print the table; exit 1 when a decision takes longer than the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000)
    entries = parser.parse_args().entries
    slowest = 0.0
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "workspace"
        init_workspace(folder, NOW - 10)
        workspace = open_workspace(folder)
        fill(workspace, entries)
        for size in SIZES:
            request = Request(subject_of(f"model-{size}"), SCOPE)
            evidence = gather(workspace, request.subject.digest)  # the first look-up brings the index up to date
            memory = rate(lambda e=evidence, r=request: e.decide(r, NOW + 1))  # type: ignore[misc]
            read = rate(lambda r=request: gather(workspace, r.subject.digest).decide(r, NOW + 1))  # type: ignore[misc]
            logged = rate(lambda r=request: decide_on(workspace, r, lambda: NOW + 1))  # type: ignore[misc]
            rows.append(f"| {size} | {memory:,.0f} | {read:,.1f} | {logged:,.1f} |")
            slowest = max(slowest, 1 / read)
    print(f"Decisions a CPU-second, on a log of {entries:,} statements\n")
    print("| statements on the subject | in memory | from the workspace | from the workspace, and logged |")
    print("|---:|---:|---:|---:|")
    print("\n".join(rows))
    return 1 if slowest > LIMIT_SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
