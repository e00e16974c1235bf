from tests.support.evidence import (
    ASK,
    BOB,
    CAROL,
    MODEL,
    RESPONDER,
    STARTER,
    admitted,
    approval,
    attestation,
    contain,
    lift,
    person,
    reason_of,
    release,
    scan,
    scope_fields,
)

from assaymark.core.decision import Outcome
from assaymark.core.statement import CONTAINMENT
from assaymark.policy.containment import containment_state, lift_reasons
from assaymark.policy.parse import parse_policy
from assaymark.policy.starter import starter_policy


def renewed(first: int, after: int) -> list:
    """All that the starter policy asks of a lift, logged from entry ``first`` on."""
    return [scan(first), approval(first + 1, BOB, after=after), approval(first + 2, CAROL, after=after)]


def state_of(attestations, policy=STARTER):
    return containment_state(policy, attestations, ASK.request)


def test_containment_denies_what_was_admitted_and_says_since_when_by_whom_and_why():
    decision = ASK.decide([*admitted(), contain(7, reason="drift alarm 118")])
    reason = reason_of(decision, "containment")
    assert decision.outcome is Outcome.DENY
    assert reason.message == "contained since 2026-05-01T12:00:07Z (entry 7) by robin: drift alarm 118"
    assert reason.remedy == (
        "assaymark contain digits --for production --lift"
        "  # once these are met anew, by evidence logged after entry 7: scan, approvals"
    )
    assert reason_of(decision, "scan").met


def test_a_containment_holds_where_it_was_made():
    entries = [*admitted(), contain(7, environment="dev")]
    assert ASK.decide(entries).outcome is Outcome.PERMIT
    assert ASK.about("dev").decide(entries).outcome is Outcome.DENY


def test_a_containment_without_an_environment_holds_everywhere():
    entries = [*admitted(), attestation(7, CONTAINMENT, {"action": "contain"}, RESPONDER)]
    decision = ASK.decide(entries)
    assert decision.outcome is Outcome.DENY
    assert "no reason given" in reason_of(decision, "containment").message


def test_who_lacks_the_role_cannot_contain_or_lift():
    outsider = person("eve", "scanner")
    assert ASK.decide([*admitted(), contain(7, outsider)]).outcome is Outcome.PERMIT
    entries = [*admitted(), contain(7), *renewed(8, 8), lift(11, outsider, after=8)]
    assert ASK.decide(entries).outcome is Outcome.DENY
    assert state_of(entries).after_entry == 12


def test_without_a_contain_table_any_principal_contains():
    toml = starter_policy().decode().split("# Who may contain a model at once")[0]
    policy = parse_policy(toml.encode())
    assert ASK.but(policy=policy).decide([*admitted(), contain(7, person("eve"))]).outcome is Outcome.DENY


def test_a_lift_after_new_evidence_restores():
    entries = [*admitted(), contain(7), *renewed(8, 8), lift(11, after=8)]
    assert ASK.decide(entries).outcome is Outcome.PERMIT
    assert not state_of(entries).contained
    assert lift_reasons(STARTER, entries, ASK.request) == ()


def test_a_lift_without_new_evidence_stays_without_effect_even_when_evidence_follows():
    entries = [*admitted(), contain(7), lift(8, after=8), *renewed(9, 9)]
    decision = ASK.decide(entries)
    assert decision.outcome is Outcome.DENY
    assert "the lift at entry 8 came before the evidence" in reason_of(decision, "containment").message
    assert state_of(entries).refused_lifts == (8,)
    assert ASK.decide([*entries, lift(12, after=9)]).outcome is Outcome.PERMIT


def test_old_evidence_does_not_lift():
    late = [scan(8), approval(9, BOB, after=8)]
    assert ASK.decide([*admitted(), contain(7), *late, lift(10, after=8)]).outcome is Outcome.DENY


def test_an_approval_signed_before_the_containment_and_logged_after_it_does_not_lift():
    held_back = [scan(8), approval(9, BOB, after=8), approval(10, CAROL, after=0)]
    entries = [*admitted(), contain(7), *held_back]
    assert ASK.decide([*entries, lift(11, after=8)]).outcome is Outcome.DENY
    reasons = {reason.requirement: reason for reason in lift_reasons(STARTER, entries, ASK.request)}
    assert reasons["scan"].met
    assert "entry 10 was signed or logged before the containment" in reasons["approvals"].message


def test_a_lift_signed_before_the_containment_does_not_lift():
    assert ASK.decide([*admitted(), contain(7), *renewed(8, 8), lift(11, after=0)]).outcome is Outcome.DENY


def test_the_submitter_cannot_renew_their_own_approval():
    carol = person("carol", "approver")
    entries = [release(1, carol), *admitted()[1:], contain(7), *renewed(8, 8), lift(11, after=8)]
    assert ASK.decide(entries).outcome is Outcome.DENY


def test_a_failing_scan_in_between_keeps_it_contained():
    entries = [*admitted(), contain(7), *renewed(8, 8), scan(11, highest="high"), lift(12, after=8)]
    assert state_of(entries).contained


def test_a_second_containment_asks_for_evidence_after_itself_and_keeps_the_first_date():
    entries = [*admitted(), contain(7), *renewed(8, 8), contain(11, after=8), lift(12, after=12)]
    state = state_of(entries)
    assert (state.contained, state.since, state.latest, state.after_entry) == (True, 7, 11, 13)
    again = [*entries, *renewed(13, 12), lift(16, after=13)]
    assert not state_of(again).contained


def test_contained_again_after_a_lift():
    entries = [*admitted(), contain(7), *renewed(8, 8), lift(11, after=8), contain(12, after=12)]
    state = state_of(entries)
    assert (state.contained, state.since) == (True, 12)


def test_lifting_what_is_not_contained_changes_nothing_but_the_count():
    state = state_of([*admitted(), lift(7, after=0)])
    assert (state.contained, state.after_entry) == (False, 8)
    assert ASK.decide([*admitted(), lift(7, after=0)]).outcome is Outcome.PERMIT


def test_an_unknown_action_contains():
    assert ASK.decide([*admitted(), contain(7, action="pause")]).outcome is Outcome.DENY


def test_a_lift_names_exactly_what_it_lifts():
    vague = attestation(11, CONTAINMENT, {"action": "lift", "afterEntry": 8}, RESPONDER)
    assert ASK.decide([*admitted(), contain(7), *renewed(8, 8), vague]).outcome is Outcome.DENY


def test_a_reason_that_is_no_text_or_hostile_is_shown_safely():
    for reason in (7, "\x1b[2J\n" * 400):
        entry = attestation(7, CONTAINMENT, {**scope_fields(), "action": "contain", "reason": reason}, RESPONDER)
        message = reason_of(ASK.decide([*admitted(), entry]), "containment").message
        assert message.isprintable()
        assert len(message) < 500


def test_before_any_containment_nothing_needs_lifting():
    assert lift_reasons(STARTER, admitted(), ASK.request) == ()
    assert state_of(admitted()).after_entry == 0


def test_lift_reasons_say_what_is_still_missing():
    reasons = lift_reasons(STARTER, [*admitted(), contain(7)], ASK.request)
    assert [reason.met for reason in reasons] == [False, False]
    assert all(reason.remedy.startswith("assaymark ") for reason in reasons)


LIGHT = """
[[environments.production.lift.require]]
id = "owner-says-so"
predicate = "assaymark:approval/v1"
roles = ["approver"]
"""


def test_a_policy_may_ask_something_else_of_a_lift():
    policy = parse_policy(starter_policy() + LIGHT.encode())
    entries = [*admitted(), contain(7), approval(8, BOB, after=8), lift(9, after=8)]
    assert ASK.decide(entries).outcome is Outcome.DENY
    assert ASK.but(policy=policy).decide(entries).outcome is Outcome.PERMIT


def test_an_empty_lift_list_is_never_met():
    policy = parse_policy(starter_policy() + b"\n[environments.production.lift]\n")
    entries = [*admitted(), contain(7), *renewed(8, 8), lift(11, after=8)]
    decision = ASK.but(policy=policy).decide(entries)
    assert decision.outcome is Outcome.DENY
    assert "so it must change first" in reason_of(decision, "containment").remedy
    assert not any(reason.met for reason in lift_reasons(policy, entries, ASK.request))


def test_an_environment_that_the_policy_lacks_can_be_contained_and_not_lifted():
    ask = ASK.about("staging")
    entries = [attestation(7, CONTAINMENT, {**scope_fields("staging"), "action": "contain"}, person("eve"))]
    assert containment_state(STARTER, entries, ask.request).contained
    assert [reason.met for reason in lift_reasons(STARTER, entries, ask.request)] == [False]


def test_the_state_is_of_the_subject_asked_about():
    other = type(MODEL)("other", "sha256:" + "1" * 64)
    assert not containment_state(STARTER, [contain(7)], ASK.about(subject=other).request).contained
