import json

import pytest
from tests.support.evidence import BOB, MODEL, OTHER, START, contain, lift, reason_of, without_words, workload
from tests.support.rules import (
    DATA,
    WARDEN,
    asking,
    exception,
    provenance,
    requirement,
    review,
    several,
)

from assaymark.core.canonical import canonical_json
from assaymark.core.decision import Mode, Outcome
from assaymark.core.errors import InputError
from assaymark.core.statement import CONTAINMENT, parse_statement
from assaymark.policy.statement import decision_payload, parse_decision

PERMIT, DENY, INDETERMINATE = Outcome.PERMIT, Outcome.DENY, Outcome.INDETERMINATE
OWN = requirement("review")
EXCEPTIONS = '[environments.production.exceptions]\nroles = ["policy"]\nmax-duration = "90d"\n'
OPEN = asking(OWN, requirement("second"), EXCEPTIONS)
TWO = asking(OWN, EXCEPTIONS + "threshold = 2\n")
DAY = 86_400


@pytest.mark.parametrize("mode", ["warn", "audit"])
def test_what_is_not_enforced_is_judged_shown_and_stops_nothing(mode):
    ask = asking(OWN, requirement("soft", f'mode = "{mode}"', 'where = [{ field = "good", equals = true }]'))
    decision = ask.decide([review(0)])
    assert decision.outcome is PERMIT
    soft = reason_of(decision, "soft")
    assert (soft.outcome, soft.met, soft.mode, soft.stops) == (INDETERMINATE, False, Mode(mode), False)
    assert soft.remedy


def test_what_only_warns_permits_nothing():
    decision = asking(requirement("soft", 'mode = "warn"')).decide([review(0)])
    assert decision.outcome is DENY
    assert "what requires nothing permits nothing" in reason_of(decision, "policy").message


def test_what_only_warns_neither_ends_a_decision_nor_stops_a_lift():
    ask = asking(OWN, requirement("soft", 'mode = "warn"', 'max-age = "30d"', predicate="https://example.com/soft"))
    old = START - 29 * DAY - 86_000
    soft = several(0, (MODEL,), "https://example.com/soft", BOB)
    soft = type(soft)(soft.statement, soft.envelope, soft.signers, 0, old)
    assert ask.decide([review(1), soft]).valid_until == ask.now + 3_600
    assert ask.decide([review(1), contain(2), review(3), lift(4, after=3)]).outcome is PERMIT


def test_an_exception_stands_for_what_is_not_met_and_shows():
    decision = OPEN.decide([review(0, good=1), exception(1, "second")])
    assert decision.outcome is PERMIT, "both requirements are met by the review"
    assert all(reason.exception is None for reason in decision.reasons), "an exception that is not needed is not used"
    decision = OPEN.decide([exception(1, "second", "review")])
    assert decision.outcome is PERMIT
    reason = reason_of(decision, "second")
    assert (reason.outcome, reason.exception, reason.met, reason.stops) == (DENY, 1, False, False)
    assert "excepted until 2026-05-02T12:00:00Z (entry 1), owner Eve: in service before" in reason.message
    assert reason.remedy


def test_an_exception_holds_for_what_it_names_alone():
    decision = OPEN.decide([exception(1, "second")])
    assert decision.outcome is DENY
    assert [reason.requirement for reason in decision.reasons if reason.stops] == ["review"]


def test_a_refusal_and_no_answer_may_be_excepted_too():
    ask = asking(requirement("review", 'where = [{ field = "good", equals = true }]'), EXCEPTIONS)
    assert ask.decide([review(0, good=False), exception(1)]).outcome is PERMIT
    assert ask.decide([review(0), exception(1)]).outcome is PERMIT


def test_an_exception_ends_by_itself_and_a_decision_before_it():
    until = START + 2_000
    assert OPEN.decide([exception(1, "review", "second", until=until)]).valid_until == until - 1
    for now, outcome in ((until - 1, PERMIT), (until, DENY), (until + 1, DENY)):
        decision = OPEN.but(now=now).decide([exception(1, "review", "second", until=until)])
        assert decision.outcome is outcome
    assert "the exception of entry 1 does not count: it ended at" in reason_of(decision, "review").message


def test_the_exception_that_ends_last_is_used():
    entries = [exception(1, "review", "second", until=START + 5_000), exception(2, "review", until=START + 9_000)]
    decision = OPEN.decide([*entries, exception(3, "review", until=START + 7_000)])
    assert reason_of(decision, "review").exception == 2
    assert reason_of(decision, "second").exception == 1


def test_an_exception_is_not_longer_than_the_policy_allows():
    at = START + 10
    longest = at + 90 * DAY
    assert OPEN.decide([exception(1, "review", "second", until=longest, at=at)]).outcome is PERMIT
    late = OPEN.decide([exception(1, "review", "second", until=longest + 1, at=at)])
    assert "does not count: it is for longer than 90d" in reason_of(late, "review").message


@pytest.mark.parametrize(
    "changes",
    [
        {"environment": "dev"},
        {"tenant": "other"},
        {"environment": None},
        {"until": "2026-08-01"},
        {"until": 5},
        {"owner": " "},
        {"owner": 1},
        {"reason": ""},
        {"reason": None},
        {"requirements": []},
        {"requirements": "review"},
        {"requirements": [["review"]]},
        {"requirements": ["reviews"]},
    ],
)
def test_an_exception_of_another_form_or_place_does_not_count(changes):
    ask = asking(OWN, EXCEPTIONS)
    assert ask.decide([exception(1)]).outcome is PERMIT
    assert ask.decide([exception(1, **changes)]).outcome is DENY


def test_an_exception_on_another_subject_does_not_count():
    assert asking(OWN, EXCEPTIONS).decide([exception(1, subject=OTHER)]).outcome is DENY


def test_where_the_policy_names_nobody_no_exception_counts():
    decision = asking(OWN).decide([exception(1)])
    assert decision.outcome is DENY
    assert "the policy names nobody who may except" in reason_of(decision, "review").message


def test_who_signs_must_be_in_the_role_and_enough():
    one = asking(OWN, EXCEPTIONS)
    decision = one.decide([exception(1, by=(BOB,))])
    assert "0 of 1 distinct principals in role policy signed it" in reason_of(decision, "review").message
    assert one.decide([exception(1, by=())]).outcome is DENY
    other = type(WARDEN)("olga", "key-of-olga", frozenset({"policy"}))
    bot = workload("bot", "policy", registered_by="warden")
    assert TWO.decide([exception(1)]).outcome is DENY
    assert TWO.decide([exception(1, by=(WARDEN, bot))]).outcome is DENY, "a workload and its owner are one"
    assert TWO.decide([exception(1, by=(WARDEN, other))]).outcome is PERMIT
    apart = TWO.decide([exception(1), exception(4, by=(other,))])
    assert reason_of(apart, "review").exception == 4, "it counts from the entry with which they were enough"
    assert TWO.decide([exception(1), exception(4, by=(other,), until=START + 5_000)]).outcome is DENY
    assert TWO.decide([exception(1), exception(4)]).outcome is DENY, "the same person twice is one"


def test_how_long_it_runs_is_counted_from_the_first_signature():
    other = type(WARDEN)("olga", "key-of-olga", frozenset({"policy"}))
    until = START + 1 + 90 * DAY
    now = START + 60 * DAY
    late = [exception(1, until=until), exception(4, by=(other,), until=until, at=START + 50 * DAY)]
    assert TWO.but(now=now).decide(late).outcome is PERMIT
    too_long = [exception(1, until=until + 1), exception(4, by=(other,), until=until + 1, at=START + 50 * DAY)]
    assert TWO.but(now=now).decide(too_long).outcome is DENY


def test_there_is_none_from_a_containment_and_a_containment_ends_it():
    ask = asking(OWN, EXCEPTIONS)
    contained = ask.decide([exception(1, "containment", "review"), contain(2)])
    assert contained.outcome is DENY
    assert reason_of(contained, "containment").exception is None
    assert "signed or logged before the containment" in reason_of(contained, "review").message
    lifted = [exception(1), contain(2), review(3), lift(4, after=3)]
    assert ask.decide(lifted).outcome is PERMIT
    strict = asking(OWN, requirement("second", predicate="https://example.com/other"), EXCEPTIONS)
    lifting = strict.but(policy=type(strict.policy)(tuple(_lifted_by_review(strict.policy))))
    history = [exception(1, "second"), contain(2), review(3), lift(4, after=3)]
    assert lifting.decide([exception(1, "second"), review(3)]).outcome is PERMIT
    assert lifting.decide(history).outcome is DENY, "it was made before the containment"
    assert lifting.decide([*history, exception(5, "second", after=0)]).outcome is DENY, "its signer did not know"
    assert lifting.decide([*history, exception(5, "second", after=5)]).outcome is PERMIT


def _lifted_by_review(policy):
    from dataclasses import replace

    return (replace(item, lift=item.require[:1]) for item in policy.environments)


def test_no_exception_helps_to_lift():
    ask = asking(OWN, EXCEPTIONS)
    history = [contain(1), exception(2, after=2), lift(3, after=2)]
    assert ask.decide(history).outcome is DENY


def test_a_lineage_may_be_excepted_but_not_a_contained_ancestor():
    ask = asking('[environments.production]\nlineage = "verified"\n', OWN, EXCEPTIONS)
    broken = [review(0), provenance(1, DATA), exception(2, "lineage")]
    decision = ask.decide(broken)
    assert decision.outcome is PERMIT
    assert reason_of(decision, "lineage").exception == 2
    held = several(3, (DATA,), CONTAINMENT, BOB, action="contain", environment="production", tenant="default")
    assert ask.decide([*broken, held]).outcome is DENY


def test_root_and_clock_have_no_exceptions():
    ask = asking(OWN, EXCEPTIONS)
    entries = [review(0), exception(1, "root", "clock", "policy", "environment")]
    expired = type(ask.trust)(1, ask.trust.root_digest, ask.now)
    assert ask.but(trust=expired).decide(entries).outcome is INDETERMINATE
    assert ask.but(now=START - 10).decide(entries).outcome is INDETERMINATE


EXCEPTED = asking(
    OWN, requirement("soft", 'mode = "warn"', 'where = [{ field = "x", equals = 1 }]'), EXCEPTIONS
).decide([exception(1)])


def test_modes_and_exceptions_are_signed_and_read_back():
    payload = decision_payload(EXCEPTED)
    reasons = json.loads(payload)["predicate"]["assaymark"]["reasons"]
    assert reasons == [
        {"exception": 1, "outcome": "DENY", "requirement": "review"},
        {"mode": "warn", "outcome": "DENY", "requirement": "soft"},
    ]
    assert parse_decision(parse_statement(payload)) == without_words(EXCEPTED)


@pytest.mark.parametrize(
    "reason",
    [
        {"exception": 2, "outcome": "DENY", "requirement": "review"},  # no input
        {"exception": -1, "outcome": "DENY", "requirement": "review"},
        {"exception": True, "outcome": "DENY", "requirement": "review"},
        {"exception": 1, "outcome": "DENY", "requirement": "containment"},
        {"exception": 1, "outcome": "DENY", "requirement": "root"},
        {"exception": 1, "outcome": "PERMIT", "requirement": "review"},
        {"exception": 1, "mode": "warn", "outcome": "DENY", "requirement": "review"},
        {"mode": "enforce", "outcome": "PERMIT", "requirement": "review"},
        {"mode": "warn", "outcome": "DENY", "requirement": "review"},  # enforces nothing, so it permits nothing
        {"mode": "off", "outcome": "PERMIT", "requirement": "review"},
        {"mode": 1, "outcome": "PERMIT", "requirement": "review"},
        {"outcome": "DENY", "requirement": "review"},
    ],
)
def test_a_permit_over_another_reason_is_refused(reason):
    document = json.loads(decision_payload(EXCEPTED))
    document["predicate"]["assaymark"]["reasons"][0] = reason
    with pytest.raises(InputError) as caught:
        parse_decision(parse_statement(canonical_json(document)))
    assert caught.value.code == "decision-form"
