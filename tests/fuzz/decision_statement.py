"""Any bytes as a signed decision: refused, or the same bytes again."""

from tests.support.dossiers import good_dossier
from tests.support.evidence import ASK, admitted, contain

from assaymark.core.errors import InputError
from assaymark.core.statement import parse_envelope, parse_statement
from assaymark.policy.statement import decision_payload, parse_decision

SEEDS = [
    parse_envelope(good_dossier().decision.envelope).payload,
    decision_payload(ASK.decide([*admitted(), contain(7)])),
]


def fuzz(data: bytes) -> None:
    try:
        decision = parse_decision(parse_statement(data))
    except InputError:
        return
    assert decision_payload(decision) == data
