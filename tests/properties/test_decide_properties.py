"""What holds of every decision, over random histories of one subject in two environments."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.evidence import (
    ALICE,
    ASK,
    BOB,
    CAROL,
    DAVE,
    MODEL,
    OTHER,
    RESPONDER,
    SCANNER,
    STARTER,
    approval,
    contain,
    person,
    release,
    scan,
    without_words,
    workload,
)

from assaymark.core.decision import Decision, LogPosition, Outcome, Reason, Request, Scope, combine
from assaymark.core.digest import digest_hex
from assaymark.core.statement import APPROVAL, CONTAINMENT, RELEASE, parse_statement
from assaymark.core.subject import Subject
from assaymark.policy.containment import containment_state, lift_reasons
from assaymark.policy.statement import decision_payload, parse_decision

FAST = settings(max_examples=200, deadline=None)

PEOPLE = [ALICE, BOB, CAROL, DAVE, RESPONDER, person("both", "approver", "owner")]
BOTS = [
    SCANNER,
    workload("scanner-2", "scanner", registered_by="bob"),
    workload("bot", "approver", registered_by="carol"),
]
people = st.sampled_from(PEOPLE)
signers = st.lists(st.sampled_from(PEOPLE + BOTS), min_size=1, max_size=3, unique_by=lambda signer: signer.key_id)
environments = st.sampled_from(["production", "dev"])
counts = st.integers(0, 14)

makers = st.one_of(
    st.builds(lambda by, env: lambda at: release(at, *by, environment=env), signers, environments),
    st.builds(
        lambda by, complete, highest: lambda at: scan(at, by=by, complete=complete, highest=highest),
        st.sampled_from(BOTS[:2]),
        st.sampled_from([True, True, False]),
        st.sampled_from(["none", "none", "low", "high"]),
    ),
    st.builds(
        lambda by, after, env: lambda at: approval(at, *by, after=after, environment=env),
        signers,
        counts,
        environments,
    ),
    st.builds(
        lambda by, action, after, env: lambda at: contain(at, by, action=action, after=after, environment=env),
        people,
        st.sampled_from(["contain", "lift", "lift"]),
        counts,
        environments,
    ),
    st.builds(lambda by: lambda at: approval(at, *by, subject=OTHER), signers),
)


@st.composite
def histories(draw, grow=makers):
    chosen = draw(st.lists(grow, max_size=12))
    return [make(position) for position, make in enumerate(chosen)]


# Most random histories deny; this prefix makes the permitted ones common.
ADMITTED = [release(0, ALICE), scan(1), approval(2, BOB), approval(3, CAROL)]


@st.composite
def continued(draw):
    chosen = draw(st.lists(makers, max_size=8))
    return ADMITTED + [make(position) for position, make in enumerate(chosen, len(ADMITTED))]


any_history = st.one_of(histories(), continued())
asks = st.sampled_from([ASK, ASK.about("dev"), ASK.about("staging")])


@FAST
@given(any_history, asks, st.randoms(use_true_random=False))
def test_order_does_not_matter(history, ask, random):
    shuffled = list(history)
    random.shuffle(shuffled)
    assert decision_payload(ask.decide(shuffled)) == decision_payload(ask.decide(history))


@FAST
@given(any_history, asks)
def test_the_outcome_follows_from_the_reasons_and_every_unmet_one_has_a_remedy(history, ask):
    decision = ask.decide(history)
    assert decision.outcome is combine([reason.outcome for reason in decision.reasons])
    assert decision.reasons
    assert all(reason.message for reason in decision.reasons)
    assert all(bool(reason.remedy) != reason.met for reason in decision.reasons)


@FAST
@given(any_history, signers, counts)
def test_an_approval_more_never_turns_a_permit_into_a_denial(history, by, after):
    if ASK.decide(history).outcome is Outcome.PERMIT:
        more = [*history, approval(len(history), *by, after=after)]
        assert ASK.decide(more).outcome is Outcome.PERMIT


@FAST
@given(any_history)
def test_a_permit_rests_on_two_approvers_who_did_not_submit(history):
    if ASK.decide(history).outcome is not Outcome.PERMIT:
        return
    on_model = [item for item in history if item.statement.subjects[0].digest == MODEL.digest]
    answers_for = {signer.principal: signer.registered_by or signer.principal for signer in PEOPLE + BOTS}
    submitters = {
        answers_for[signer.principal]
        for item in on_model
        if item.statement.predicate_type == RELEASE
        for signer in item.signers
    }
    approvers = {
        answers_for[signer.principal]
        for item in on_model
        if item.statement.predicate_type == APPROVAL and item.statement.predicate["environment"] == "production"
        for signer in item.signers
        if "approver" in signer.roles
    }
    assert submitters
    assert len(approvers - submitters) >= 2


@FAST
@given(any_history, asks)
def test_evidence_about_another_subject_changes_nothing_but_the_inputs(history, ask):
    only = [item for item in history if item.statement.subjects[0].digest == MODEL.digest]
    decision = ask.decide(history)
    assert decision.inputs == tuple((item.position, item.envelope.digest) for item in history)
    assert replace(ask.decide(only), inputs=decision.inputs) == decision


@FAST
@given(any_history, counts, asks)
def test_a_longer_log_replays_an_earlier_decision(history, size, ask):
    past = ask.but(tree_size=size)
    assert past.decide(history) == past.decide([item for item in history if item.position < size])


@FAST
@given(any_history, people)
def test_what_is_contained_last_is_denied(history, by):
    entry = contain(len(history), by)
    decision = ASK.decide([*history, entry])
    may = not by.roles.isdisjoint({"owner", "approver", "responder"})
    if may:
        assert decision.outcome is Outcome.DENY
        assert containment_state(STARTER, [*history, entry], ASK.request).contained


@FAST
@given(any_history)
def test_the_next_lift_counts_exactly_when_its_reasons_are_met(history):
    state = containment_state(STARTER, history, ASK.request)
    reasons = lift_reasons(STARTER, history, ASK.request)
    assert bool(reasons) is state.contained
    if state.contained:
        entry = contain(len(history), RESPONDER, action="lift", after=state.after_entry)
        after = containment_state(STARTER, [*history, entry], ASK.request)
        assert after.contained is not all(reason.met for reason in reasons)
    assert state.after_entry == max(
        (
            item.position + 1
            for item in history
            if item.statement.predicate_type == CONTAINMENT
            and item.statement.predicate["environment"] == "production"
        ),
        default=0,
    )


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
digests = st.binary(min_size=32, max_size=32).map(lambda data: "sha256:" + data.hex())
times = st.integers(0, 253_402_300_799)
sizes = st.integers(0, 2**53 - 1)
reasons_of = st.lists(st.builds(Reason, texts, st.sampled_from(Outcome), texts, texts), max_size=4).map(tuple)


@st.composite
def decisions(draw):
    reasons = draw(reasons_of)
    return Decision(
        outcome=combine([reason.outcome for reason in reasons]),
        reasons=reasons,
        request=Request(Subject(draw(texts), draw(digests), draw(texts)), Scope(draw(texts), draw(texts))),
        root_version=draw(sizes),
        root_digest=draw(digests),
        policy_digest=draw(digests),
        position=LogPosition(draw(texts), draw(sizes), digest_hex(draw(digests))),
        inputs=draw(st.lists(st.tuples(sizes, digests), max_size=4).map(tuple)),
        decided_at=draw(times),
        valid_until=draw(times),
    )


@FAST
@given(decisions())
def test_a_decision_and_its_payload_are_the_same_thing(decision):
    statement = parse_statement(decision_payload(decision))
    assert parse_decision(statement) == without_words(decision)
    assert decision_payload(parse_decision(statement)) == statement.payload
