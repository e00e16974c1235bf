"""Any bytes as a signed decision: refused, or the same bytes again."""

from assaymark.core.errors import InputError
from assaymark.core.statement import parse_statement
from assaymark.policy.statement import decision_payload, parse_decision


def fuzz(data: bytes) -> None:
    try:
        decision = parse_decision(parse_statement(data))
    except InputError:
        return
    assert decision_payload(decision) == data
