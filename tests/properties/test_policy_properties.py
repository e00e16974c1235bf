"""What holds of every decision under ages, modes, exceptions and requirements by subject, over random histories."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.evidence import MODEL, OTHER, START, contain, person, reason_of, without_words
from tests.support.rules import (
    BASE,
    BUILDER,
    CONFIG,
    DATA,
    JUDGE,
    MORE_DATA,
    SECOND,
    WARDEN,
    asking,
    bind,
    exception,
    provenance,
    requirement,
    review,
)

from assaymark.core.decision import Mode, Outcome, outcome_of
from assaymark.core.statement import parse_statement
from assaymark.policy.conditions import number
from assaymark.policy.parse import parse_policy
from assaymark.policy.statement import decision_payload, parse_decision

FAST = settings(max_examples=200, deadline=None)
DAY = 86_400

GOOD = 'where = [{ field = "good", equals = true, indeterminate-when = ["?"] }]'
RULES = (
    requirement("review", 'max-age = "10d"', GOOD),
    requirement("data", 'about = "data"', GOOD),
    requirement("base", 'about = "base"', "threshold = 2"),
    requirement("pre", 'about = "configuration"', 'mode = "warn"', GOOD),
    '[environments.production.exceptions]\nroles = ["policy"]\nmax-duration = "30d"\n',
)
LINEAGE = '[environments.production]\nlineage = "verified"\n'
ASK = asking(*RULES, now=START + 5 * DAY)
STRICT = asking(LINEAGE, *RULES, now=START + 5 * DAY)
asks = st.sampled_from([ASK, STRICT])

SIGNERS = [JUDGE, SECOND, BUILDER, WARDEN, person("both", "reviewer", "policy")]
somebody = st.one_of(
    st.sampled_from(SIGNERS).map(lambda one: (one,)), st.just((JUDGE, SECOND)), st.just((WARDEN, JUDGE))
)
signers = st.one_of(somebody, st.just(()))
subjects = st.sampled_from([MODEL, MODEL, DATA, MORE_DATA, BASE, CONFIG, OTHER])
# Hypothesis prefers small numbers: days apart, so that some ages and ends lie on either side of the decision.
times = st.builds(
    lambda day, second: START + day * DAY + second, st.sampled_from([0, 2, 4, 6, 9, 20]), st.integers(0, 99)
)
logged = st.builds(
    lambda day, second: START + day * DAY + second, st.sampled_from([-20, -8, 0, 4, 5]), st.integers(-5, 0)
)
ids = st.lists(st.sampled_from(["review", "data", "base", "lineage", "containment", "root"]), min_size=1, max_size=3)

exceptions = st.builds(
    lambda names, by, until, after: lambda at: exception(at, *names, by=by, until=until, after=after),
    ids,
    signers,
    times,
    st.integers(0, 9),
)
makers = st.one_of(
    st.builds(
        lambda by, about, good, when: lambda at: review(at, *by, subject=about, good=good, at=when),
        somebody,
        subjects,
        st.sampled_from([True, True, False, "?"]),
        logged,
    ),
    st.builds(
        lambda by, about, parents: lambda at: provenance(at, *parents, subject=about, by=by),
        signers,
        st.sampled_from([MODEL, BASE]),
        st.lists(st.sampled_from([DATA, MORE_DATA, BASE]), max_size=2, unique=True),
    ),
    st.builds(lambda by: lambda at: bind(at, CONFIG, by=by), signers),
    st.builds(
        lambda action, after: lambda at: contain(at, action=action, after=after),
        st.sampled_from(["contain", "lift"]),
        st.integers(0, 9),
    ),
    exceptions,
)


@st.composite
def histories(draw):
    chosen = draw(st.lists(makers, max_size=8))
    # Most random histories deny, and few have an exception that counts; these beginnings make both common.
    begin = st.sampled_from([[], [review(0, good=True)], [exception(0, "review", "data", until=START + 9 * DAY)]])
    start = draw(begin)
    return start + [make(position) for position, make in enumerate(chosen, len(start))]


@FAST
@given(histories(), asks, st.randoms(use_true_random=False))
def test_order_does_not_matter(history, ask, random):
    shuffled = list(history)
    random.shuffle(shuffled)
    assert decision_payload(ask.decide(shuffled)) == decision_payload(ask.decide(history))


@FAST
@given(histories(), asks)
def test_a_decision_survives_signing_and_follows_from_what_is_enforced(history, ask):
    decision = ask.decide(history)
    assert parse_decision(parse_statement(decision_payload(decision))) == without_words(decision)
    assert decision.outcome is outcome_of(decision.reasons)
    stopped = any(reason.stops for reason in decision.reasons)
    assert stopped is (decision.outcome is not Outcome.PERMIT)
    assert all(reason.message for reason in decision.reasons)
    assert all(bool(reason.remedy) != reason.met for reason in decision.reasons)


@FAST
@given(histories(), asks, exceptions)
def test_an_exception_more_never_denies(history, ask, make):
    before, after = ask.decide(history), ask.decide([*history, make(len(history))])
    if before.outcome is Outcome.PERMIT:
        assert after.outcome is Outcome.PERMIT
    stops = {reason.requirement for reason in before.reasons if reason.stops}
    assert {reason.requirement for reason in after.reasons if reason.stops} <= stops


@FAST
@given(histories(), asks)
def test_without_the_exceptions_the_requirements_stand_as_they_are_signed(history, ask):
    plain = [item for item in history if not item.statement.predicate_type.startswith("assaymark:exception")]
    signed = [(reason.requirement, reason.outcome) for reason in ask.decide(history).reasons]
    assert [(reason.requirement, reason.outcome) for reason in ask.decide(plain).reasons] == signed


@FAST
@given(histories(), asks, st.builds(lambda day, second: day * DAY + second, st.integers(0, 40), st.integers(0, 99)))
def test_waiting_alone_never_permits(history, ask, seconds):
    newest = max((item.logged_at for item in history), default=START)
    now = max(ask.now, newest)
    if ask.but(now=now).decide(history).outcome is not Outcome.PERMIT:
        assert ask.but(now=now + seconds).decide(history).outcome is not Outcome.PERMIT


@FAST
@given(histories(), asks)
def test_a_permit_still_stands_at_its_last_second(history, ask):
    decision = ask.decide(history)
    if decision.outcome is Outcome.PERMIT:
        assert decision.valid_until >= decision.decided_at
        assert ask.but(now=decision.valid_until).decide(history).outcome is Outcome.PERMIT


@FAST
@given(histories(), st.sampled_from(["warn", "audit"]))
def test_enforcing_less_never_denies_more_and_judges_the_same(history, mode):
    softer = asking(
        *(rule.replace('about = "data"', f'about = "data"\nmode = "{mode}"') for rule in RULES), now=ASK.now
    )
    hard, soft = ASK.decide(history), softer.decide(history)
    if hard.outcome is Outcome.PERMIT:
        assert soft.outcome is Outcome.PERMIT
    if any(reason.requirement == "data" for reason in hard.reasons):
        assert reason_of(soft, "data").mode is Mode(mode)
        assert reason_of(soft, "data").outcome is reason_of(hard, "data").outcome


@FAST
@given(histories())
def test_asking_for_the_lineage_never_permits_more(history):
    if STRICT.decide(history).outcome is Outcome.PERMIT:
        assert ASK.decide(history).outcome is Outcome.PERMIT


@FAST
@given(histories(), st.integers(0, 9))
def test_a_longer_log_replays_an_earlier_decision(history, size):
    past = STRICT.but(tree_size=size)
    earlier = past.decide([item for item in history if item.position < size])
    assert decision_payload(past.decide(history)) == decision_payload(earlier)


@FAST
@given(histories(), asks)
def test_a_child_that_says_nothing_judges_as_its_parent(history, ask):
    head = LINEAGE if ask is STRICT else ""
    rules = "\n".join(RULES[:-1]).replace("environments.production", "environments.parent")
    toml = f'format = "assaymark:policy/v1"\n{head.replace("production", "parent")}{rules}'
    child = parse_policy((toml + '[environments.production]\ninherits = "parent"\n' + RULES[-1]).encode())
    decision = ask.decide(history)
    assert replace(ask.but(policy=child).decide(history), reasons=()) == replace(decision, reasons=())


decimals = st.from_regex(r"\A-?(0|[1-9][0-9]{0,39})(\.[0-9]{1,40})?\Z").filter(str.isascii)


@FAST
@given(decimals, decimals)
def test_numbers_compare_as_decimals_do(one, other):
    first, second = number(one), number(other)
    assert first is not None
    assert second is not None
    assert (first < second, first == second) == (Decimal(one) < Decimal(other), Decimal(one) == Decimal(other))


@FAST
@given(st.text(max_size=12))
def test_what_is_no_number_is_none(text):
    try:
        value = Decimal(text)
    except ArithmeticError:
        assert number(text) is None
        return
    found = number(text)
    assert found is None or found == int(value.scaleb(40))
