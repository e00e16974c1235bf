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

from assaymark.core.statement import make_statement
from assaymark.core.subject import Subject
from assaymark.keys.file import generate
from assaymark.keys.signers import load_signer
from assaymark.service.publish import note_signer, sign_statement
from assaymark.store.log_store import LogStore

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
        signer = note_signer(ORIGIN, key)
        log = LogStore.create(folder / "log", ORIGIN, signer)
        subject = Subject("model", "sha256:" + "0" * 64)
        envelopes = [
            sign_statement(make_statement((subject,), "https://example.com/x/v1", {"n": n}).payload, [key]).data
            for n in range(entries + SINGLES)
        ]
        begin = time.monotonic()
        for envelope in envelopes[:SINGLES]:
            log.append([envelope], 1_800_000_000, signer)
        single = time.monotonic() - begin
        begin = time.monotonic()
        with (folder / "bare").open("ab") as bare:
            for envelope in envelopes[:SINGLES]:
                bare.write(envelope)
                bare.flush()
                os.fsync(bare.fileno())
        plain = time.monotonic() - begin
        begin = time.monotonic()
        for start in range(SINGLES, entries + SINGLES, 500):
            log.append(envelopes[start : start + 500], 1_800_000_000, signer)
        batched = time.monotonic() - begin
        used = time.process_time()
        for index in range(0, entries, max(1, entries // 500)):
            log.receipt(index)
        proof = (time.process_time() - used) / len(range(0, entries, max(1, entries // 500)))
        used = time.process_time()
        problems = log.check(signer.verifier)
        checked = time.process_time() - used
        log.close()
    print("| | |\n|---|---:|")
    print(f"| single durable appends a second | {SINGLES / single:,.0f} |")
    print(f"| bare append and fsync a second, same run | {SINGLES / plain:,.0f} |")
    print(f"| entries a second in batches of 500 | {entries / batched:,.0f} |")
    print(f"| one inclusion proof, CPU-ms | {proof * 1e3:.2f} |")
    print(f"| check of {entries + SINGLES:,} entries, CPU-s | {checked:.2f} |")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
