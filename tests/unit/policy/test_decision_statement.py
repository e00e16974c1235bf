import json
from dataclasses import replace

import pytest
from tests.support.evidence import ASK, MODEL, START, admitted, contain, scan, without_words

from assaymark.core.canonical import canonical_json
from assaymark.core.decision import Outcome
from assaymark.core.errors import InputError
from assaymark.core.statement import parse_statement
from assaymark.core.subject import Subject
from assaymark.policy.statement import decision_payload, parse_decision

PERMIT = ASK.decide(admitted())
DENY = ASK.decide([*admitted(), contain(7)])
INDETERMINATE = ASK.about("dev").decide([scan(2, complete=False)])


@pytest.mark.parametrize("decision", [PERMIT, DENY, INDETERMINATE, ASK.decide([])])
def test_a_decision_survives_signing(decision):
    payload = decision_payload(decision)
    assert parse_decision(parse_statement(payload)) == without_words(decision)


@pytest.mark.parametrize(("decision", "result"), [(PERMIT, "PASSED"), (DENY, "FAILED"), (INDETERMINATE, "FAILED")])
def test_it_is_a_slsa_verification_summary(decision, result):
    statement = json.loads(decision_payload(decision))
    predicate = statement["predicate"]
    assert statement["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert predicate["verificationResult"] == result
    assert predicate["timeVerified"] == "2026-05-01T12:16:40Z"
    assert set(predicate["policy"]) == {"digest", "uri"}
    assert predicate["verifiedLevels"] == []
    assert predicate["assaymark"]["outcome"] == decision.outcome
    assert [item["digest"] for item in predicate["inputAttestations"]] == [
        item["digest"] for item in predicate["assaymark"]["inputs"]
    ]


def spoilt(change) -> InputError:
    document = json.loads(decision_payload(PERMIT))
    change(document)
    with pytest.raises(InputError) as caught:
        parse_decision(parse_statement(canonical_json(document)))
    return caught.value


def put(path: str, value):
    def change(document):
        *parents, last = path.split(".")
        table = document
        for parent in parents:
            table = table[int(parent)] if isinstance(table, list) else table[parent]
        if value is ...:
            del table[last]
        else:
            table[last] = value

    return change


P = "predicate."
A = "predicate.assaymark."


@pytest.mark.parametrize(
    "change",
    [
        put("predicateType", "assaymark:scan/v1"),
        put("subject", [{"digest": {"sha256": "0" * 64}}] * 2),
        put("subject", [{"digest": {"sha256": "0" * 64}}]),
        put("extra", 1),
        put(P + "assaymark", ...),
        put(P + "assaymark", []),
        put(P + "extra", 1),
        put(P + "policy", 1),
        put(P + "policy", {"digest": {"sha256": "x"}}),
        put(P + "policy", {}),
        put(P + "verificationResult", "FAILED"),
        put(P + "timeVerified", "now"),
        put(P + "timeVerified", ...),
        put(P + "verifiedLevels", ["SLSA_BUILD_LEVEL_3"]),
        put(P + "inputAttestations", []),
        put(A + "outcome", "YES"),
        put(A + "outcome", "DENY"),
        put(A + "outcome", 1),
        put(A + "extra", 1),
        put(A + "reasons", {}),
        put(A + "reasons", [1]),
        put(A + "reasons", [{"message": "", "outcome": "PERMIT", "remedy": ""}]),
        put(A + "reasons", [{"message": 1, "outcome": "PERMIT", "remedy": "", "requirement": "x"}]),
        put(A + "reasons", [{"message": "", "outcome": "DENY", "remedy": "", "requirement": "x"}]),
        put(A + "reasons", []),
        put(A + "inputs", [1]),
        put(A + "inputs", [{"index": -1, "digest": {"sha256": "0" * 64}}]),
        put(A + "inputs", [{"index": True, "digest": {"sha256": "0" * 64}}]),
        put(A + "inputs", [{"index": 1}]),
        put(A + "inputs", []),
        put(A + "treeSize", "5"),
        put(A + "treeSize", -5),
        put(A + "rootVersion", ...),
        put(A + "rootDigest", "x"),
        put(A + "tenant", 1),
        put(A + "validUntil", 5),
        put(A + "validUntil", "2026-13-01T00:00:00Z"),
    ],
)
def test_any_other_form_is_refused(change):
    assert spoilt(change).code == "decision-form"


def test_a_pass_over_a_denying_reason_is_refused():
    def change(document):
        document["predicate"]["assaymark"]["reasons"][0]["outcome"] = "DENY"

    error = spoilt(change)
    assert error.message == "the outcome does not follow from the reasons"


def test_another_spelling_is_refused():
    payload = json.dumps(json.loads(decision_payload(PERMIT))).encode()
    with pytest.raises(InputError):
        parse_decision(parse_statement(payload))


def test_what_cannot_be_signed_is_an_input_error():
    odd = replace(PERMIT, request=replace(PERMIT.request, subject=Subject("\udc80", MODEL.digest)))
    with pytest.raises(InputError) as caught:
        decision_payload(odd)
    assert caught.value.code == "json-string"


def test_far_ends_of_time_stay_writable():
    trust = type(ASK.trust)(1, ASK.trust.root_digest, 253_402_300_799 * 2)
    decision = ASK.but(now=253_402_300_799, trust=trust).decide(admitted())
    assert decision.outcome is Outcome.PERMIT
    assert parse_decision(parse_statement(decision_payload(decision))) == without_words(decision)
    assert decision.valid_until > START


def test_another_wording_signs_the_same_bytes():
    decision = ASK.decide([*admitted(), contain(7)])
    assert any(reason.message for reason in decision.reasons)
    assert decision_payload(decision) == decision_payload(without_words(decision))
