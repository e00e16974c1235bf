from tests.support.evidence import (
    ALICE,
    ASK,
    BOB,
    CAROL,
    DAVE,
    OTHER,
    ROOT,
    SCANNER,
    START,
    admitted,
    approval,
    attestation,
    person,
    reason_of,
    release,
    scan,
    scan_predicate,
    workload,
)

from assaymark.core.decision import Outcome
from assaymark.core.digest import sha256_digest
from assaymark.core.statement import DECISION
from assaymark.core.subject import Subject
from assaymark.policy.document import Environment, Policy
from assaymark.policy.parse import parse_policy


def outcome_of(attestations):
    return ASK.decide(attestations).outcome


def test_what_the_policy_asks_for_permits_and_names_who_signed():
    decision = ASK.decide(admitted())
    assert decision.outcome is Outcome.PERMIT
    assert [reason.requirement for reason in decision.reasons] == ["scan", "approvals"]
    assert reason_of(decision, "approvals").message == "2 of 2: bob (entry 3), carol (entry 4)"
    assert all(reason.remedy == "" for reason in decision.reasons)


def test_a_decision_binds_root_policy_log_inputs_and_validity():
    entries = admitted()
    decision = ASK.decide(entries)
    assert (decision.root_version, decision.root_digest) == (ROOT.root_version, ROOT.root_digest)
    assert decision.position.tree_size == ASK.tree_size
    assert decision.inputs == tuple((item.position, item.envelope.digest) for item in entries)
    assert (decision.decided_at, decision.valid_until) == (ASK.now, ASK.now + 3_600)


def test_a_decision_does_not_outlive_the_root():
    trust = type(ROOT)(1, ROOT.root_digest, ASK.now + 60)
    assert ASK.but(trust=trust).decide(admitted()).valid_until == ASK.now + 60


def test_nothing_there_denies_with_the_exact_commands():
    decision = ASK.decide([])
    assert decision.outcome is Outcome.DENY
    assert "missing" in reason_of(decision, "scan").message
    assert reason_of(decision, "scan").remedy.startswith("assaymark submit digits --to production  # ")
    assert reason_of(decision, "approvals").remedy == "assaymark submit digits --to production  # first"


def test_a_missing_approval_says_who_can_give_it_and_how_many_are_there():
    decision = ASK.decide(admitted()[:3])
    reason = reason_of(decision, "approvals")
    assert reason.message == "1 of 2 approvals by distinct principals in role approver: bob (entry 3)"
    assert reason.remedy == (
        "assaymark attest approval digits --for production --key file:KEY"
        "  # by a principal in role approver, not alice who submitted it; 1 of 2 there so far"
    )


def test_commands_quote_names_for_the_shell():
    name = "it's a model; rm -rf ~"
    subject = Subject(name, sha256_digest(b"model"))
    reason = reason_of(ASK.about(subject=subject).decide([]), "scan")
    assert reason.remedy.startswith("assaymark submit 'it'\\''s a model; rm -rf ~' --to production  #")
    for hidden in ("", "a\x1b[2Jb", "line\nfeed"):
        decision = ASK.about(subject=Subject(hidden, subject.digest)).decide([])
        assert reason_of(decision, "scan").remedy.startswith("assaymark submit PATH --to")
    decision = ASK.about(subject=Subject("-rf", subject.digest)).decide([])
    assert "submit '-rf' " in reason_of(decision, "scan").remedy


def test_an_environment_that_the_policy_lacks_denies():
    decision = ASK.about("staging").decide(admitted())
    assert decision.outcome is Outcome.DENY
    assert "it has dev, production" in reason_of(decision, "environment").message


def test_an_empty_policy_and_an_empty_requirement_list_deny():
    nothing = parse_policy(b'format = "assaymark:policy/v1"')
    assert reason_of(ASK.but(policy=nothing).decide(admitted()), "policy").outcome is Outcome.DENY
    empty = Policy((Environment("production"),))
    decision = ASK.but(policy=empty).decide(admitted())
    assert decision.outcome is Outcome.DENY
    assert "requires nothing" in reason_of(decision, "policy").message


def test_an_expired_root_is_no_answer_and_says_when():
    trust = type(ROOT)(1, ROOT.root_digest, ASK.now)
    decision = ASK.but(trust=trust).decide(admitted())
    assert decision.outcome is Outcome.INDETERMINATE
    assert "2026-05-01T12:16:40Z" in reason_of(decision, "root").message
    assert ASK.but(trust=trust).decide([]).outcome is Outcome.DENY


def test_a_clock_behind_the_log_is_no_answer():
    entries = admitted()
    assert ASK.but(now=START + 4 - 5).decide(entries).outcome is Outcome.PERMIT
    decision = ASK.but(now=START + 4 - 6).decide(entries)
    assert decision.outcome is Outcome.INDETERMINATE
    assert "entry 4" in reason_of(decision, "clock").message


def test_a_finding_of_high_severity_denies_and_names_the_field():
    decision = ASK.decide([release(1), scan(2, highest="high", outcome="fail"), *admitted()[2:]])
    reason = reason_of(decision, "scan")
    assert decision.outcome is Outcome.DENY
    assert 'scanner (entry 2): highest is "high"' in reason.message
    assert '"none", "info", "low" or "medium" is needed' in reason.message
    assert reason.remedy.startswith("assaymark scan digits")


def test_an_incomplete_scan_is_no_answer():
    decision = ASK.decide([release(1), scan(2, complete=False, outcome="incomplete"), *admitted()[2:]])
    assert decision.outcome is Outcome.INDETERMINATE
    assert "complete is false, which is no answer" in reason_of(decision, "scan").message


def test_an_incomplete_scan_with_a_finding_of_high_severity_denies():
    for changes in ({"highest": "high"}, {"highest": "critical"}):
        assert outcome_of([scan(2, complete=False, **changes)]) is Outcome.DENY
        assert ASK.about("dev").decide([scan(2, complete=False, **changes)]).outcome is Outcome.DENY


def test_a_missing_field_is_no_answer():
    predicate = scan_predicate()
    del predicate["highest"]
    decision = ASK.about("dev").decide([attestation(2, "assaymark:scan/v1", predicate, SCANNER)])
    assert decision.outcome is Outcome.INDETERMINATE
    assert "highest is missing" in reason_of(decision, "scan").message


def test_a_value_of_another_type_is_not_the_value():
    for value in (1, "true", None, [], {}):
        decision = ASK.about("dev").decide([scan(2, complete=value)])
        assert decision.outcome is Outcome.DENY, value


def test_a_newer_scan_by_the_same_scanner_replaces_the_older_one():
    good, bad = {"highest": "none"}, {"highest": "critical"}
    assert ASK.about("dev").decide([scan(2, **good), scan(5, **bad)]).outcome is Outcome.DENY
    assert ASK.about("dev").decide([scan(2, **bad), scan(5, **good)]).outcome is Outcome.PERMIT


def test_another_scanners_contradiction_denies_whatever_the_first_says():
    second = workload("second-scanner", "scanner", registered_by="zoe")
    entries = [scan(2, highest="critical", by=second), scan(5)]
    decision = ASK.about("dev").decide(entries)
    assert decision.outcome is Outcome.DENY
    assert "second-scanner (entry 2)" in reason_of(decision, "scan").message


def test_another_scanner_without_an_answer_does_not_undo_a_pass():
    second = workload("second-scanner", "scanner", registered_by="zoe")
    assert ASK.about("dev").decide([scan(2), scan(5, by=second, complete=False)]).outcome is Outcome.PERMIT


def test_evidence_about_another_subject_is_an_input_and_counts_for_nothing():
    entries = [release(1), scan(2), approval(3, BOB), approval(4, CAROL, subject=OTHER)]
    decision = ASK.decide(entries)
    assert decision.outcome is Outcome.DENY
    assert [index for index, _ in decision.inputs] == [1, 2, 3, 4]


def test_an_approval_for_another_environment_or_tenant_says_so():
    for wrong in (approval(4, CAROL, environment="dev"), approval(4, CAROL, tenant="other")):
        decision = ASK.decide([*admitted()[:3], wrong])
        assert decision.outcome is Outcome.DENY
        assert "entry 4 is for another environment or tenant" in reason_of(decision, "approvals").message


def test_who_lacks_the_role_is_named():
    decision = ASK.decide([*admitted()[:3], approval(4, person("eve"))])
    assert "eve (entry 4) is not in role approver" in reason_of(decision, "approvals").message


def test_the_submitters_own_approval_is_named_as_such():
    submitter = person("carol", "approver")
    decision = ASK.decide([release(1, submitter), scan(2), approval(3, BOB), approval(4, submitter)])
    assert decision.outcome is Outcome.DENY
    assert "carol (entry 4) does not count: the submitter" in reason_of(decision, "approvals").message


def test_a_release_by_nobody_submits_nothing():
    decision = ASK.decide([attestation(1, "assaymark:release/v1", {}), *admitted()[1:]])
    assert "nobody has submitted" in reason_of(decision, "approvals").message


def test_one_statement_signed_by_two_approvers_counts_for_both():
    assert outcome_of([release(1), scan(2), approval(3, BOB, CAROL)]) is Outcome.PERMIT


def test_entries_beyond_the_tree_and_decisions_are_left_out():
    entries = admitted()
    summary = attestation(5, DECISION, {}, ALICE)
    before = ASK.but(tree_size=5).decide(entries)
    assert ASK.but(tree_size=5).decide([*entries, summary, scan(9, highest="critical")]) == before


def test_the_same_entry_twice_is_one_entry():
    entries = [release(1), scan(2), approval(3, BOB)]
    assert ASK.decide(entries + entries) == ASK.decide(entries)


ROUTINE = b"""
format = "assaymark:policy/v1"
[[environments.production.require]]
id = "review"
predicate = "https://example.com/review/v1"
roles = ["reviewer", "approver"]
threshold = 2
[[environments.production.require.where]]
field = "result.verdict"
equals = "good"
indeterminate-when = ["unsure"]
"""


def review(position, signer, verdict):
    return attestation(position, "https://example.com/review/v1", {"result": {"verdict": verdict}}, signer)


def test_other_predicates_are_asked_for_by_their_type():
    reason = reason_of(ASK.but(policy=parse_policy(ROUTINE)).decide([]), "review")
    assert reason.remedy == (
        "assaymark attest https://example.com/review/v1 digits --predicate FILE --key file:KEY"
        "  # by a principal in role reviewer or approver; 0 of 2 there so far"
    )


def test_no_answer_matters_only_where_it_could_meet_the_threshold():
    ask = ASK.but(policy=parse_policy(ROUTINE))
    assert ask.decide([review(1, BOB, "unsure")]).outcome is Outcome.DENY
    unsure = ask.decide([review(1, BOB, "unsure"), review(2, CAROL, "good")])
    assert unsure.outcome is Outcome.INDETERMINATE
    assert "assaymark attest" in reason_of(unsure, "review").remedy
    assert ask.decide([review(1, BOB, "good"), review(2, CAROL, "good")]).outcome is Outcome.PERMIT
    bad = ask.decide([review(1, BOB, "good"), review(2, CAROL, "good"), review(3, DAVE, "bad")])
    assert bad.outcome is Outcome.DENY
    assert "once its cause is gone" in reason_of(bad, "review").remedy


def test_a_policys_own_remedy_replaces_the_command():
    own = parse_policy(ROUTINE.replace(b"threshold = 2", b'threshold = 1\nremedy = "ask the model board"'))
    ask = ASK.but(policy=own)
    for entries in ([], [review(1, BOB, "unsure")], [review(1, BOB, "bad")]):
        assert reason_of(ask.decide(entries), "review").remedy == "ask the model board"


def test_long_and_unprintable_values_are_shown_safely():
    decision = ASK.about("dev").decide([scan(2, highest="\x1b[31m" + "x" * 1_000)])
    message = reason_of(decision, "scan").message
    assert message.isprintable()
    assert len(message) < 500
    assert "highest is 7" in reason_of(ASK.about("dev").decide([scan(2, highest=7)]), "scan").message
