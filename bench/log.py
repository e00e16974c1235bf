"""What the log costs: durable appends beside bare append and fsync, proofs, the full check, decisions.

Usage: python -m bench.log [--entries 2000]

Appends are wall time, because a disk is waited for, and stand beside as many bare appends with fsync in the same run;
the rest is CPU.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from assaymark.core.statement import make_statement
from assaymark.core.subject import Subject
from assaymark.keys.file import generate
from assaymark.keys.signers import load_signer
from assaymark.service.publish import note_signer, sign_statement
from assaymark.store.log_media import STORES
from assaymark.store.log_store import LogStore

if TYPE_CHECKING:
    from assaymark.tlog.note import NoteSigner

ORIGIN = "bench.example/log"
SINGLES = 200


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=2000)
    entries = parser.parse_args().entries
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        generate(folder / "log.key")
        key = load_signer(f"file:{folder / 'log.key'}")
        subject = Subject("model", "sha256:" + "0" * 64)
        envelopes = [
            sign_statement(make_statement((subject,), "https://example.com/x/v1", {"n": n}).payload, [key]).data
            for n in range(entries + SINGLES)
        ]
        figures = [measure(folder, store, envelopes, note_signer(ORIGIN, key)) for store in STORES]
    print("| | " + " | ".join(STORES) + " |\n|---|" + "---:|" * len(STORES))
    for name in figures[0]:
        print(f"| {name} | " + " | ".join(str(figure[name]) for figure in figures) + " |")
    return 0


def measure(folder: Path, store: str, envelopes: list[bytes], signer: NoteSigner) -> dict[str, str]:
    """One column: a log is made, written, asked and checked."""
    entries = len(envelopes) - SINGLES
    log = LogStore.create(folder / store, ORIGIN, signer, store=store)
    begin = time.monotonic()
    used = time.process_time()
    for envelope in envelopes[:SINGLES]:
        log.append([envelope], 1_800_000_000, signer)
    single, single_cpu = time.monotonic() - begin, time.process_time() - used
    begin = time.monotonic()
    with (folder / f"bare-{store}").open("ab") as bare:
        for envelope in envelopes[:SINGLES]:
            bare.write(envelope)
            bare.flush()
            os.fsync(bare.fileno())
    plain = time.monotonic() - begin
    begin = time.monotonic()
    for start in range(SINGLES, entries + SINGLES, 500):
        log.append(envelopes[start : start + 500], 1_800_000_000, signer)
    batched = time.monotonic() - begin
    asked = range(0, entries, max(1, entries // 500))
    used = time.process_time()
    for index in asked:
        log.receipt(index)
    proof = (time.process_time() - used) / len(asked)
    used = time.process_time()
    problems = log.check(signer.verifier)
    checked = time.process_time() - used
    log.close()
    if problems:
        sys.exit(f"the log is not sound: {problems}")
    return {
        "single durable appends a second": f"{SINGLES / single:,.0f}",
        "CPU-ms of one": f"{single_cpu / SINGLES * 1e3:.1f}",
        "bare append and fsync of the same bytes a second, same run": f"{SINGLES / plain:,.0f}",
        "entries a second in batches of 500": f"{entries / batched:,.0f}",
        "one inclusion proof, CPU-ms": f"{proof * 1e3:.2f}",
        f"check of {entries + SINGLES:,} entries, CPU-s": f"{checked:.2f}",
    }


if __name__ == "__main__":
    sys.exit(main())
