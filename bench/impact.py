"""Blast radius in a log of 100,000 statements, and decisions on 10,000.

Usage: python -m bench.impact [--statements 100000]

The log holds data sets, base models made from them, fine-tunes of those, and a decision on each model. What is timed
is the answer to ``impact``, in a process that has the log's index on disk, wall and CPU.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from assaymark.core.provenance import Material, derivation_predicate
from assaymark.core.statement import DATASET, DECISION, PROVENANCE, make_statement
from assaymark.core.subject import Subject
from assaymark.service.impact import KEY, SUBJECT, Cause, impact
from assaymark.service.publish import note_signer, sign_statement
from assaymark.service.setup import init_workspace
from assaymark.service.workspace import open_workspace

SETS = 100
LIMIT_SECONDS = 1.0
NOW = 1_800_000_000


def digest(kind: str, number: int) -> str:
    """A digest of something that is not there."""
    return f"sha256:{kind.encode().hex():0<8}{number:056x}"


def statements(count: int) -> list[tuple[Subject, str, dict[str, Any]]]:
    """``count`` statements: data sets, models in a tree of derivations eight wide, a decision on each model."""
    made: list[tuple[Subject, str, dict[str, Any]]] = [
        (Subject(f"data-{n}", digest("data", n), "dataset"), DATASET, {"files": 1, "manifest": "0" * 64, "size": n})
        for n in range(SETS)
    ]
    number = 0
    while len(made) < count:
        model = Subject(f"model-{number}", digest("mode", number))
        parent = (
            Material(f"data-{number % SETS}", digest("data", number % SETS), "dataset", declared=True)
            if number < SETS
            else Material("base", digest("mode", (number - SETS) // 8), "model", declared=True)
        )
        made.append((model, PROVENANCE, derivation_predicate("fine-tune", (parent,), builder="x:y", level=0)))
        ours = {"outcome": "PERMIT", "environment": "production", "validUntil": "2027-01-15T08:00:00Z"}
        made.append((model, DECISION, {"assaymark": ours}))
        number += 1
    return made[:count]


def main() -> int:
    """Print the table; 1 when an answer takes longer than its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", type=int, default=100_000)
    count = parser.parse_args().statements
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "workspace"
        init_workspace(folder, NOW)
        workspace = open_workspace(folder)
        key = workspace.signer(None)
        signer = note_signer(workspace.config.origin, workspace.signer(None, name="log"))
        rows = statements(count)
        begin = time.monotonic()
        for start in range(0, len(rows), 2000):
            batch = [
                sign_statement(make_statement((s,), t, p).payload, [key]).data
                for s, t, p in rows[start : start + 2000]
            ]
            workspace.log.append(batch, NOW, signer)
        print(f"{count} statements were signed, logged and indexed in {time.monotonic() - begin:.0f} s\n")
        print("| cause | models | decisions | wall, s | CPU, s | limit, s |\n|---|---:|---:|---:|---:|---:|")
        worst = 0.0
        for name, kind, place in (
            ("a data set with few descendants", SUBJECT, digest("data", SETS - 1)),
            ("a data set with many", SUBJECT, digest("data", 0)),
            ("a base model in the middle", SUBJECT, digest("mode", 200)),
            ("something that nothing rests on", SUBJECT, digest("none", 1)),
            ("the key that signed them all", KEY, key.key_id),
        ):
            fresh = open_workspace(folder)
            wall, used = time.monotonic(), time.process_time()
            found = impact(fresh, Cause(kind, place, name), NOW)
            wall, used = time.monotonic() - wall, time.process_time() - used
            worst = max(worst, wall)
            sizes = f"{len(found.subjects):,} | {len(found.decisions):,}"
            print(f"| {name} | {sizes} | {wall:.3f} | {used:.3f} | {LIMIT_SECONDS} |")
    return int(worst > LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
