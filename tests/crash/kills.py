"""Writers that are killed at random, one after another: ``python -m tests.crash.kills FOLDER STORE KILLS [SEED]``.

A child appends in a loop and says over a pipe which index each entry got; it is killed, and whoever comes next must
find every entry that it named, at that index, in a log that has only grown.
"""

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from tests.support.logs import NOW, SIGNER, make_log, make_test_envelope

from assaymark.store.log_store import LogStore

LOG_KILLS = 500  # then a new log: looking at all of one takes time in proportion to its size
FULL_CHECKS = 5  # of each log


def run(folder, store, kills, seed=1, on_progress=lambda done: None):
    """Returns how many entries were acknowledged; raises AssertionError for the first that is not there."""
    chance = random.Random(seed)
    entries = done = 0
    while done < kills:
        count = min(LOG_KILLS, kills - done)
        entries += _one_log(folder / f"log-{done}", store, count, chance, lambda n, done=done: on_progress(done + n))
        shutil.rmtree(folder / f"log-{done}")
        done += count
    return entries


def _one_log(folder, store, kills, chance, on_progress):
    make_log(folder, 0, store).close()
    acknowledged = {}
    seen = LogStore.open(folder).checkpoint()[1]
    for kill in range(1, kills + 1):
        fresh = _one_life(folder, max(acknowledged, default=-1) + 1, chance)
        assert not set(fresh) & set(acknowledged)
        acknowledged |= fresh
        log = LogStore.open(folder)
        now = log.checkpoint()[1]
        assert now.size >= max(seen.size, max(acknowledged.values(), default=-1) + 1), "entries are gone"
        assert log.root_at(seen.size) == seen.root_hash, "the log was forked"
        seen = now
        looked_at = acknowledged if kill % max(1, kills // FULL_CHECKS) == 0 or kill == kills else fresh
        for number, index in looked_at.items():
            assert log.entry(index)[1] == make_test_envelope(number), f"entry {index} is not {number}"
        if looked_at is acknowledged:
            digests = {log.entry(index)[0].envelope_digest for index in range(now.size)}
            assert len(digests) == now.size, "an entry is there twice"
            problems = log.check(SIGNER.verifier)
            assert problems == [], problems
        log.close()
        on_progress(kill)
    return len(acknowledged)


def _one_life(folder, number, chance):
    """The entries that a writer acknowledged before it was killed."""
    reading, writing = os.pipe()
    seed = chance.random()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _append(folder, number, random.Random(seed), writing)
    os.close(writing)
    lines = b""
    wanted = chance.choice((0, 0, 1, 2))
    while lines.count(b"\n") < wanted and (piece := os.read(reading, 65_536)):
        lines += piece
    time.sleep(chance.random() * 0.008)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the writer ended by itself: see its error above"
    while piece := os.read(reading, 65_536):
        lines += piece
    os.close(reading)
    pairs = (line.split() for line in lines.split(b"\n")[:-1])
    return {int(number): int(index) for number, index in pairs}


def _append(folder, number, chance, writing):
    try:
        log = LogStore.open(folder)
        while True:
            count = chance.choice((1, 1, 1, 2, 5))
            indices = log.append([make_test_envelope(number + i) for i in range(count)], NOW, SIGNER)
            os.write(writing, b"".join(b"%d %d\n" % (number + i, index) for i, index in enumerate(indices)))
            number += count
    except BaseException:  # noqa: BLE001 - a child that goes on would be a second test
        sys.excepthook(*sys.exc_info())
        os._exit(1)


if __name__ == "__main__":
    where, kind, how_many, *rest = sys.argv[1:]
    begin = time.monotonic()
    total = run(Path(where), kind, int(how_many), int(rest[0]) if rest else 1)
    print(f"{kind}: {how_many} kills, {total} acknowledged entries, {time.monotonic() - begin:.0f} s, nothing lost")  # noqa: T201
