"""Any bytes as the statement of an attempt: refused, or an attempt that is written with the same meaning."""

from assaymark.core.attempt import Attempt, AttemptKind, attempt_statement, parse_attempt
from assaymark.core.decision import Outcome
from assaymark.core.errors import InputError
from assaymark.core.statement import parse_statement
from assaymark.core.subject import Subject

_KIND = AttemptKind(
    Subject("model", "sha256:" + "0" * 64), "production", "stop", Outcome.DENY, ("containment",), "run", "a", "t", "o"
)
SEEDS = [attempt_statement(Attempt(_KIND, 3, 0, 9, "0" * 32, 1)).payload]


def fuzz(data: bytes) -> None:
    try:
        attempt = parse_attempt(parse_statement(data))
    except InputError:
        return
    assert parse_attempt(attempt_statement(attempt)) == attempt
    assert attempt.count >= 1
