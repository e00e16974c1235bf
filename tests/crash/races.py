"""Two writers and a reader at once: ``python -m tests.crash.races FOLDER STORE SECONDS``.

Every writer has entries of its own and some that the other appends too. Afterwards each that was acknowledged must
be there once, at the index that was named, in one chain that holds every checkpoint that the reader saw.
"""

import json
import os
import random
import sys
import time
from pathlib import Path

from tests.support.logs import NOW, SIGNER, make_log, make_test_envelope

from assaymark.store.log_store import LogStore
from assaymark.tlog.checkpoint import verify_checkpoint
from assaymark.tlog.merkle import verify_consistency
from assaymark.tlog.proof import verify_receipt

WRITERS = 2
READERS = 1
SHARED = 10_000_000  # numbers from here on are appended by every writer


def run(folder, store, seconds):
    """Returns the entries in the log, and how many checkpoints the readers saw; raises AssertionError."""
    make_log(folder / "log", 1, store).close()
    end = time.monotonic() + seconds
    roles = [*[write] * WRITERS, *[read] * READERS]
    children = [_start(role, folder, place, end) for place, role in enumerate(roles)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * len(roles)
    said = [json.loads((folder / f"said-{place}").read_text()) for place in range(len(roles))]
    log = LogStore.open(folder / "log")
    size = log.checkpoint()[1].size
    by_index = {0: 0}
    for writer in said[:WRITERS]:
        for number, index in writer:
            assert by_index.setdefault(index, number) == number, f"two entries were told index {index}"
    assert sorted(by_index) == list(range(size)), "the log holds what nobody was told of, or lacks what somebody was"
    assert len(set(by_index.values())) == size, "an entry is there twice"
    assert all(len({number for number, _ in writer}) > seconds for writer in said[:WRITERS]), "a writer starved"
    for index, number in by_index.items():
        assert log.entry(index)[1] == make_test_envelope(number)
    seen = {tuple(item) for reader in said[WRITERS:] for item in reader}
    for old, root in seen:
        assert log.root_at(old).hex() == root, f"a reader saw another tree of {old} entries"
    assert log.check(SIGNER.verifier) == []
    log.close()
    return size, len(seen)


def _start(role, folder, place, end):
    child = os.fork()
    if child:
        return child
    try:
        (folder / f"said-{place}").write_text(json.dumps(role(folder / "log", place, end)))
        os._exit(0)
    except BaseException:  # noqa: BLE001 - a child that goes on would be a second test
        sys.excepthook(*sys.exc_info())
        os._exit(1)


def write(folder, place, end):
    chance = random.Random(place)
    log = LogStore.open(folder)
    told, number, shared = [], (place + 1) * 1_000_000, SHARED
    while time.monotonic() < end:
        count = chance.choice((1, 1, 2, 4))
        numbers = list(range(number, number + count))
        number += count
        if chance.random() < 0.3:
            numbers.append(shared)
            shared += 1
        if chance.random() < 0.1:
            log.close()
        told += zip(numbers, log.append([make_test_envelope(n) for n in numbers], NOW, SIGNER), strict=True)
    log.close()
    return told


def read(folder, place, end):
    chance = random.Random(place)
    log = LogStore.open(folder, read_only=chance.random() < 0.5)
    seen, last = {}, None
    while time.monotonic() < end:
        note, now = log.checkpoint()
        verify_checkpoint(note, [SIGNER.verifier])
        if last is not None and last.size != now.size:
            assert last.size < now.size, "the log became shorter"
            proof = log.consistency(last.size, now.size)
            verify_consistency(last.size, now.size, proof, last.root_hash, now.root_hash)
        last = now
        seen[now.size] = now.root_hash.hex()
        index = chance.randrange(now.size)
        leaf, _ = log.entry(index)
        verify_receipt(log.receipt(index), [SIGNER.verifier])
        if chance.random() < 0.1:
            assert log.find(leaf.envelope_digest) == index
        if chance.random() < 0.05:
            log.close()
    log.close()
    return list(seen.items())


if __name__ == "__main__":
    where, kind, how_long = sys.argv[1:]
    entries, trees = run(Path(where), kind, float(how_long))
    print(f"{kind}: {how_long} s, {entries} entries by {WRITERS} writers, {trees} trees seen, one chain")  # noqa: T201
