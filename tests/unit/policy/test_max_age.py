from tests.support.evidence import RESPONDER, START, contain, lift, reason_of
from tests.support.rules import JUDGE, SECOND, asking, requirement, review

from assaymark.core.decision import Outcome

DAY = 86_400
AGED = requirement(
    "review", 'max-age = "30d"', 'where = [{ field = "good", equals = true, indeterminate-when = [false] }]'
)
END = START + 30 * DAY


def test_an_entry_counts_to_the_last_second_of_its_age():
    entries = [review(0, at=START, good=True)]
    assert asking(AGED, now=END).decide(entries).outcome is Outcome.PERMIT
    late = asking(AGED, now=END + 1).decide(entries)
    assert late.outcome is Outcome.DENY
    reason = reason_of(late, "review")
    assert "judge (entry 0) is too old: logged at 2026-05-01T12:00:00Z, more than 30d ago" in reason.message
    assert "each at most 30d old" in reason.remedy


def test_a_decision_ends_before_what_it_needs_is_too_old():
    entries = [review(0, at=START, good=True)]
    assert asking(AGED, now=END - 10).decide(entries).valid_until == END
    assert asking(AGED, now=START).decide(entries).valid_until == START + 3_600


def test_a_signer_more_than_needed_does_not_shorten_a_decision():
    entries = [review(0, at=START, good=True), review(1, SECOND, at=END - 60, good=True)]
    assert asking(AGED, now=END - 10).decide(entries).valid_until == END - 10 + 3_600
    two = AGED.replace('max-age = "30d"', 'max-age = "30d"\nthreshold = 2')
    assert asking(two, now=END - 10).decide(entries).valid_until == END
    assert asking(two, now=END + 1).decide(entries).outcome is Outcome.DENY


def test_a_newer_word_of_the_same_signer_renews_it():
    entries = [review(0, at=START, good=True), review(5, at=END, good=True)]
    assert asking(AGED, now=END + 1).decide(entries).outcome is Outcome.PERMIT


def test_a_refusal_does_not_grow_old():
    bad = [review(0, at=START, good="no"), review(1, SECOND, at=END, good=True)]
    for now in (END, END + 1, END + 29 * DAY):
        assert asking(AGED, now=now).decide(bad).outcome is Outcome.DENY


def test_no_answer_that_is_too_old_is_nothing():
    unsure = [review(0, at=START, good=False)]
    assert asking(AGED, now=END).decide(unsure).outcome is Outcome.INDETERMINATE
    assert asking(AGED, now=END + 1).decide(unsure).outcome is Outcome.DENY


def test_a_lift_that_counted_once_counts_when_its_evidence_has_grown_old():
    other = requirement("fresh", 'max-age = "90d"').replace("production.require", "production.lift.require")
    ask = asking(requirement("always"), other)
    entries = [
        review(0, at=START, good=True),
        contain(1),
        review(2, JUDGE, at=START + 2, good=True),
        lift(3, RESPONDER, after=2),
    ]
    for days in (1, 89, 91, 365):
        assert ask.but(now=START + days * DAY).decide(entries).outcome is Outcome.PERMIT, days


def test_a_lift_with_evidence_that_is_too_old_at_its_entry_does_not_count():
    ask = asking(AGED, now=END + 2 * DAY)
    entries = [contain(1), review(2, at=START + 2, good=True)]
    late = contain(3, action="lift", after=2, reason="fixed")
    late = type(late)(late.statement, late.envelope, late.signers, late.position, END + DAY)
    assert "contained" in reason_of(ask.decide([*entries, late]), "containment").message
