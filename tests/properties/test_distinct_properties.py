"""What holds of a requirement that counts voices, over random histories of opinions."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.evidence import ALICE, SCANNER, START, attestation, contain, person, reason_of
from tests.support.rules import asking, requirement

from assaymark.core.decision import Outcome
from assaymark.core.statement import OPINION
from assaymark.policy.statement import decision_payload

FAST = settings(max_examples=200, deadline=None)
SECOND = person("second", "scanner")
RULE = requirement(
    "votes",
    'distinct = "scanner"',
    "at-least-distinct = 2",
    'max-age = "1d"',
    'where = [{ field = "outcome", equals = "pass", indeterminate-when = ["incomplete"] }]',
    predicate=OPINION,
).replace('"reviewer"', '"scanner"')
ASK = asking(RULE, now=START + 50_000)


def make(outcomes):
    return st.builds(
        lambda scanner, outcome, by, at, after: (
            lambda position: attestation(
                position,
                OPINION,
                {"scanner": scanner, "outcome": outcome, "afterEntry": after, "n": position},
                by,
                at=START + at,
            )
        ),
        st.sampled_from(["picklescan", "modelscan", "fickling", 1, True, None]),
        outcomes,
        st.sampled_from([SCANNER, SCANNER, SECOND, ALICE]),
        st.sampled_from([-90_000, -40_000, 0, 40_000]),
        st.integers(0, 9),
    )


anything = make(st.sampled_from(["pass", "pass", "fail", "incomplete", 7]))
failing = make(st.just("fail"))
contains = st.builds(
    lambda action, after: lambda at: contain(at, action=action, after=after),
    st.sampled_from(["contain", "lift"]),
    st.integers(0, 9),
)
histories = st.lists(st.one_of(anything, anything, anything, contains), max_size=8).map(
    lambda makers: [one(position) for position, one in enumerate(makers)]
)


@FAST
@given(histories, failing)
def test_a_failing_opinion_more_never_permits(history, fail):
    before, after = ASK.decide(history), ASK.decide([*history, fail(len(history))])
    if before.outcome is not Outcome.PERMIT:
        assert after.outcome is not Outcome.PERMIT
    if reason_of(before, "votes").outcome is Outcome.DENY:
        assert reason_of(after, "votes").outcome is Outcome.DENY


@FAST
@given(histories, st.randoms(use_true_random=False))
def test_order_does_not_matter(history, random):
    shuffled = list(history)
    random.shuffle(shuffled)
    assert decision_payload(ASK.decide(shuffled)) == decision_payload(ASK.decide(history))


@FAST
@given(histories, st.integers(0, 200_000))
def test_waiting_alone_never_permits(history, seconds):
    if ASK.decide(history).outcome is not Outcome.PERMIT:
        assert ASK.but(now=ASK.now + seconds).decide(history).outcome is not Outcome.PERMIT


@FAST
@given(histories)
def test_a_permit_has_two_passing_scanners_that_are_fresh_and_stands_to_its_last_second(history):
    decision = ASK.decide(history)
    if decision.outcome is Outcome.PERMIT:
        passing = {
            repr(item.statement.predicate["scanner"])
            for item in history
            if item.statement.predicate_type == OPINION and item.statement.predicate["outcome"] == "pass"
        }
        assert len(passing) >= 2
        assert ASK.but(now=decision.valid_until).decide(history).outcome is Outcome.PERMIT


@FAST
@given(histories)
def test_asking_for_fewer_never_denies_more(history):
    fewer = asking(RULE.replace("distinct = 2", "distinct = 1"), now=ASK.now)
    if ASK.decide(history).outcome is Outcome.PERMIT:
        assert fewer.decide(history).outcome is Outcome.PERMIT
