"""What must hold of a log after any crash."""

from tests.support.logs import NOW, ORIGIN, SIGNER, make_test_envelope

from assaymark.core.errors import InputError
from assaymark.store.log_store import LogStore
from assaymark.tlog.checkpoint import verify_checkpoint
from assaymark.tlog.merkle import verify_consistency

OTHER = 1_000_000  # numbers of envelopes that no test acknowledges


def expect_sound(folder, acknowledged, seen, made=True, note=""):
    """The log in ``folder`` opens and holds what was acknowledged, whatever was seen is its past, and it goes on.

    ``acknowledged``: index by number of envelope. ``seen``: the trees that a reader has read, as {size: root}.
    """
    try:
        log = LogStore.open(folder)
        size = log.checkpoint()[1].size
    except InputError as error:
        assert error.code == "log-missing", (note, error)
        assert not made, (note, "the log is gone")
        return
    verify_checkpoint(log.checkpoint()[0], [SIGNER.verifier])
    assert size >= max(acknowledged.values(), default=-1) + 1, (note, size, acknowledged)
    assert size >= max(seen, default=0), (note, "a reader saw more entries than there are", size, seen)
    assert log.check(SIGNER.verifier) == [], (note, log.check(SIGNER.verifier))
    for number, index in acknowledged.items():
        assert log.entry(index)[1] == make_test_envelope(number), (note, number)
    new = [make_test_envelope(OTHER + i) for i in range(2)]
    wanted = new + [make_test_envelope(number) for number in acknowledged]
    indices = log.append(wanted, NOW, SIGNER)
    assert indices[2:] == list(acknowledged.values()), (note, "an entry has moved or is there twice")
    assert [log.entry(index)[1] for index in indices[:2]] == new
    _, now = log.checkpoint()
    assert now.origin == ORIGIN
    for old, root in seen.items():
        assert log.root_at(old) == root, (note, f"a fork: the tree of {old} entries is another")
        if old:
            verify_consistency(old, now.size, log.consistency(old, now.size), root, now.root_hash)
    assert log.check(SIGNER.verifier) == [], (note, log.check(SIGNER.verifier))
    log.close()
