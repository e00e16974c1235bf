"""Any bytes as an enforcement point's tallies: refused, or read and written again."""

from assaymark.core.attempt import AttemptKind
from assaymark.core.decision import Outcome
from assaymark.core.errors import InputError
from assaymark.core.subject import Subject
from assaymark.enforce.attempts import Attempts, Tally, read_attempts, write_attempts

_KIND = AttemptKind(Subject("model", "sha256:" + "0" * 64), "production", "stop", Outcome.DENY, ("containment",))
SEEDS = [write_attempts(Attempts({_KIND: Tally(3, 0, 9, 9)}, 2)), write_attempts(Attempts())]


def fuzz(data: bytes) -> None:
    try:
        state = read_attempts(data)
        again = read_attempts(write_attempts(state))
    except InputError:
        return
    assert (dict(again.tallies), again.dropped) == (dict(state.tallies), state.dropped)
    assert state.waiting >= 0
